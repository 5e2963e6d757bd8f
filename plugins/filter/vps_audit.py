# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: vps_audit
short_description: Sort the snapshots of VPS.org servers by what they are
version_added: 0.1.0
description:
  - Tells of each server which snapshots it has, which of them the role P(vpsdotorg.cloud.safe_update#role) made, and
    which need somebody's attention. The playbook C(vpsdotorg.cloud.audit) is built on it.
author:
  - The vpsdotorg.cloud authors (@vpsdotorg)
positional: _input, snapshots
options:
  _input:
    description:
      - The servers, as RV(vpsdotorg.cloud.vps_server_info#module:servers) has them.
    type: list
    elements: dict
    required: true
  snapshots:
    description:
      - The snapshots, as RV(vpsdotorg.cloud.vps_snapshot_info#module:snapshots) has them.
    type: list
    elements: dict
    required: true
  name_prefix:
    description:
      - Own snapshots are called this, a dash and a UTC time such as V(20260131T235900Z); all others are foreign.
    type: str
    default: safe-update
  stale_after:
    description:
      - An own completed snapshot that is older is stale, such as V(36h) or V(7d).
    type: str
    default: 7d
  stuck_after:
    description:
      - A snapshot that has been in progress for longer is stuck. The documented time is 3 to 10 minutes.
    type: str
    default: 60m
"""

EXAMPLES = r"""
- name: List the servers
  vpsdotorg.cloud.vps_server_info:
  register: account

- name: List the snapshots
  vpsdotorg.cloud.vps_snapshot_info:
  register: copies

- name: Insist that no snapshot failed
  ansible.builtin.assert:
    that: audit.summary.failed == 0
  vars:
    audit: "{{ account.servers | vpsdotorg.cloud.vps_audit(copies.snapshots) }}"
"""

RETURN = r"""
_value:
  description: What was found.
  type: dict
  contains:
    generated_at:
      description: When (UTC).
      type: str
      sample: "2026-01-31T23:59:00Z"
    name_prefix:
      description: The option.
      type: str
      sample: safe-update
    stale_after:
      description: The option.
      type: str
      sample: 7d
    stuck_after:
      description: The option.
      type: str
      sample: 60m
    summary:
      description: The numbers of all RV(ignore:servers) and of all their snapshots of each kind.
      type: dict
      sample:
        servers: 2
        snapshots: 3
        own: 2
        foreign: 1
        stale: 1
        failed: 0
        stuck: 0
        unknown: 0
        stopped_by_killed_run: 0
    servers:
      description:
        - The servers by name, and after a server was deleted also those that only snapshots still name.
        - C(own), C(foreign), C(stale), C(failed), C(stuck) and C(unknown) (a status that is not documented) are lists
          of snapshots, newest first. Each snapshot is own or foreign, and may be one of the others.
        - C(stopped_by_killed_run) is C(null), or what an own snapshot's description lets one infer about a stopped
          server, with the C(command) that starts it.
      type: list
      elements: dict
      sample:
        - id: 12345
          uuid: null
          name: web-server-01
          status: active
          listed: true
          slots_used: 0
          own: []
          foreign: []
          stale: []
          failed: []
          stuck: []
          unknown: []
          stopped_by_killed_run: null
"""

from datetime import datetime, timezone
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var

from ..module_utils._audit import Rules, audit
from ..module_utils._errors import VpsError
from ..module_utils._snapshots import parse_duration


def vps_audit(
    servers: list[dict],
    snapshots: list[dict],
    name_prefix: str = "safe-update",
    stale_after: str = "7d",
    stuck_after: str = "60m",
) -> dict[str, Any]:
    now = datetime.now(timezone.utc)
    try:
        rules = Rules(
            name_prefix,
            parse_duration("stale_after", stale_after),
            parse_duration("stuck_after", stuck_after),
            now,
        )
    except VpsError as error:
        raise AnsibleFilterError(error.message) from None
    return wrap_var(
        {
            "generated_at": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "name_prefix": name_prefix,
            "stale_after": stale_after,
            "stuck_after": stuck_after,
            **audit(servers, snapshots, rules),
        }
    )


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"vps_audit": vps_audit}
