# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: vps_audit_table
short_description: Show an audit of VPS.org snapshots as a table
version_added: 0.1.0
description:
  - Makes lines for people out of what the filter P(vpsdotorg.cloud.vps_audit#filter) returns.
author:
  - The vpsdotorg.cloud authors (@vpsdotorg)
options:
  _input:
    description:
      - What P(vpsdotorg.cloud.vps_audit#filter) returned.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the state of the account
  ansible.builtin.debug:
    msg: "{{ audit | vpsdotorg.cloud.vps_audit_table }}"
  vars:
    audit: "{{ account.servers | vpsdotorg.cloud.vps_audit(copies.snapshots) }}"
"""

RETURN = r"""
_value:
  description: A row for each server, then a line for each thing that somebody has to look at.
  type: list
  elements: str
"""

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var

from ..module_utils._audit import table


def vps_audit_table(report: dict[str, Any]) -> list[str]:
    if not isinstance(report, Mapping) or not {"servers", "summary"} <= set(report):
        raise AnsibleFilterError(
            "vps_audit_table: this is no audit. Give it what the filter vpsdotorg.cloud.vps_audit returns."
        )
    return wrap_var(table(report))


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"vps_audit_table": vps_audit_table}
