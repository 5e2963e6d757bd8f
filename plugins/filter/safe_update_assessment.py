# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: safe_update_assessment
short_description: Prepare what the playbook assess shows
version_added: 0.1.0
description:
  - Sorts the hosts that the playbook C(vpsdotorg.cloud.assess) has looked at, worst first, and puts into words
    what is pending on them.
author:
  - The vpsdotorg.cloud authors (@vpsdotorg)
positional: _input, run
options:
  _input:
    description:
      - The RV(ignore:safe_update_result) of each host, as that playbook sets it.
    type: dict
    required: true
  run:
    description:
      - C(written) is the time (UTC), C(hosts) the pattern of the hosts, C(file) where the page lies. All may be
        missing.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show what is pending
  ansible.builtin.debug:
    msg: "{{ (results | vpsdotorg.cloud.safe_update_assessment).table }}"
  vars:
    results:
      web-1:
        answers: true
        is_asked: true
        pending:
          - {name: openssl, old: 3.0.15-1, new: 3.0.16-1}
        security: [openssl]
        slots_used: 1
"""

RETURN = r"""
_value:
  description: What is shown; every text is one line without control characters.
  type: dict
  contains:
    table:
      description: Lines for a terminal, which are the counts and a row for each host that needs something.
      type: list
      elements: str
    title:
      description: The heading.
      type: str
    facts:
      description: What was looked at and when, as pairs.
      type: list
      elements: list
    counts:
      description: How many hosts stand how, worst first.
      type: list
      elements: dict
    markdown:
      description: All of it as lines of Markdown.
      type: list
      elements: str
    data:
      description: All of it for programs.
      type: dict
    axis:
      description: Empty. A report of a run has the ticks of its time line here.
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

from ..plugin_utils.safe_update.assess import assess
from .safe_update import plain


def safe_update_assessment(results: dict[str, Any], run: dict[str, Any] | None = None) -> dict[str, Any]:
    return wrap_var(assess(plain(results), plain(run or {})))


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"safe_update_assessment": safe_update_assessment}
