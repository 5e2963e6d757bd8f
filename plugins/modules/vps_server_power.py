#!/usr/bin/python

# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vps_server_power
short_description: Start, stop and restart VPS.org servers
version_added: 0.1.0
description:
  - Brings a server into a power state, through the API and not through its operating system's shell.
author:
  - The vpsdotorg.cloud authors (@vpsdotorg)
extends_documentation_fragment:
  - vpsdotorg.cloud.vps
  - vpsdotorg.cloud.vps.waiting
  - vpsdotorg.cloud.attributes
  - vpsdotorg.cloud.attributes.actiongroup_vps
attributes:
  diff_mode:
    support: full
    details: Shows the server's status.
  idempotent:
    support: partial
    details: O(state=started) and O(state=stopped) are, O(state=restarted) restarts each time.
options:
  server_id:
    description:
      - The server, by its integer id or its UUID.
    type: str
    required: true
  state:
    description:
      - The state to bring the server into. V(restarted) starts a server that is stopped.
      - A server that is suspended is refused. So is one that is being restored, but for V(started) with O(wait=true),
        which waits for the end of the restore and then starts the server if it is stopped.
    type: str
    choices: [started, stopped, restarted]
    required: true
  force:
    description:
      - Whether to cut the power instead of shutting down, with O(state=stopped) and O(state=restarted). Data that was
        not written yet is lost.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until the API reports the state.
      - The end of a restart shows in no documented status, so this waits until the server is reported as V(active).
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait. When they are over the task fails, and running it again takes the wait up again.
    type: int
    default: 600
seealso:
  - module: vpsdotorg.cloud.vps_snapshot
  - module: vpsdotorg.cloud.vps_server_info
  - ref: ansible_collections.vpsdotorg.cloud.docsite.guide_authentication
    description: How to get a token, which permissions it needs, and how to prove that it works.
"""

EXAMPLES = r"""
- name: Stop a server, so that its snapshot is consistent
  vpsdotorg.cloud.vps_server_power:
    server_id: 12345
    state: stopped
  delegate_to: localhost

- name: Start it again
  vpsdotorg.cloud.vps_server_power:
    server_id: 12345
    state: started
  delegate_to: localhost

- name: Cut the power of a server that does not react, and start it
  vpsdotorg.cloud.vps_server_power:
    server_id: 12346
    state: restarted
    force: true
  delegate_to: localhost
"""

RETURN = r"""
server:
  description:
    - The server as last seen, in the shape that M(vpsdotorg.cloud.vps_server_info) describes.
    - In check mode as it is to be expected.
    - Where the task failed, as last seen, or V(null) where it was not seen.
  returned: always
  type: dict
  contains:
    id:
      description: The integer id, or V(null) where the API knows only a UUID.
      type: int
    uuid:
      description: The UUID, or V(null) where the API knows only an integer id.
      type: str
    name:
      description: The name.
      type: str
    hostname:
      description: The host name.
      type: str
    status:
      description: The status, such as V(active), V(stopped), V(suspended) or V(restoring).
      type: str
    ipv4:
      description: The IPv4 addresses.
      type: list
      elements: str
    ipv6:
      description: The IPv6 addresses.
      type: list
      elements: str
    location:
      description: The name of the location.
      type: str
    plan:
      description: The name of the plan.
      type: str
    os:
      description: The name of the operating system.
      type: str
    created_at:
      description: When the server was made.
      type: str
    raw:
      description: The server as the API sent it, without what is called like a secret.
      type: dict
  sample:
    id: 12345
    uuid: null
    name: web-server-01
    hostname: web-server-01
    status: stopped
    ipv4: [203.0.113.10]
    ipv6: []
    location: New York
    plan: Standard
    os: Debian 12
    created_at: "2024-11-02T09:00:00Z"
    raw: {}
"""

from ..module_utils import _operations, _servers
from ..module_utils._client import VpsClient
from ..module_utils._module import PROGRESS_OPTION, Module, run


def power(client: VpsClient, params: dict, check_mode: bool) -> dict:
    server_key, before = _servers.find_server(client, _servers.parse_server_id(params["server_id"]))
    warnings: list[str] = []
    after = before
    if before.get("status") == _servers.RESTORING and params["state"] == "started" and params["wait"]:
        after = {**before, "status": "active"}
        if not check_mode:
            after = _operations.wait_for_restore(client, server_key, before, params["wait_timeout"], warnings)
    steps = _servers.plan_power(after, params["state"], params["force"])
    for number, (action, wanted) in enumerate(steps, start=1):
        if not check_mode:
            with _operations.reporting(server=_servers.describe(after)):
                _operations.change_power(client, server_key, action, wanted)
        if params["wait"] or number < len(steps):
            after = {**after, "status": wanted}
            if not check_mode:
                after = _operations.wait_for_power(client, server_key, wanted, before, params["wait_timeout"], warnings)
    return {
        "changed": bool(steps),
        "server": _servers.describe(after),
        "diff": {
            "before": {"status": before.get("status")},
            "after": {"status": steps[-1][1] if steps else before.get("status")},
        },
        "warnings": warnings,
    }


MODULE = Module(
    power,
    {
        "server_id": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["started", "stopped", "restarted"], "required": True},
        "force": {"type": "bool", "default": False},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 600},
        **PROGRESS_OPTION,
    },
    {"server": None},
)


def main() -> None:
    run(MODULE)


if __name__ == "__main__":
    main()
