# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: safe_update_report
short_description: Prepare the report of a run of safe_update
version_added: 0.1.0
description:
  - Sorts the results of the role P(vpsdotorg.cloud.safe_update#role), worst first, and puts them into words. The role
    makes its report files and the table that closes a run of it.
author:
  - The vpsdotorg.cloud authors (@vpsdotorg)
positional: _input, run
options:
  _input:
    description:
      - The RV(ignore:safe_update_result) of each host, as C(set_stats) hands them on.
    type: dict
    required: true
  run:
    description:
      - What is known of the run. All keys may be missing.
      - C(written) is the time (UTC), C(by) who runs it, C(play) its name, C(options) a dict of what it was given,
        C(check_mode) whether it is a rehearsal, C(file) where the page lies.
      - C(entry) is the role's entry point, C(active) the hosts of the play that have not failed, C(batch) those of this
        batch, C(may_fail) the percentage of it that may fail. They tell whether the run is over.
      - C(awx_job_id) and C(vps_awx_prefix) as AWX and its templates set them; commands are then named as templates.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show what is left to do after a run
  ansible.builtin.debug:
    msg: "{{ (results | vpsdotorg.cloud.safe_update_report).closing }}"
  vars:
    results:
      web-1:
        outcome: kept
        server_id: 12345
        snapshot_id: 801
        snapshot_name: safe-update-20260131T235900Z
"""

RETURN = r"""
_value:
  description: What the report shows; every text is one line without control characters.
  type: dict
  contains:
    closing:
      description: Lines for a terminal, which are the counts and a row for each host that needs something.
      type: list
      elements: str
    state:
      description: V(over), V(running), or V(open) where only the play knows.
      type: str
    title:
      description: The heading.
      type: str
    facts:
      description: Who ran what, when and how, as pairs.
      type: list
      elements: list
    counts:
      description: The number of hosts of each outcome, worst first.
      type: list
      elements: dict
    markdown:
      description: The report as lines of Markdown.
      type: list
      elements: str
    axis:
      description: The ticks of the time line.
      type: list
      elements: dict
    headings:
      description: What stands above the table of a host's packages.
      type: list
      elements: str
    hosts:
      description: Each host, worst first.
      type: list
      elements: dict
"""

from typing import Any

from ansible.utils.unsafe_proxy import wrap_var

from ..plugin_utils.safe_update.report import report


def safe_update_report(results: dict[str, Any], run: dict[str, Any] | None = None) -> dict[str, Any]:
    return wrap_var(report(results, run or {}))


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"safe_update_report": safe_update_report}
