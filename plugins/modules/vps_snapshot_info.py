#!/usr/bin/python

# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vps_snapshot_info
short_description: List snapshots of VPS.org servers
version_added: 0.1.0
description:
  - Lists the snapshots of the account, or of one server, all pages of them.
author:
  - The vpsdotorg.cloud authors (@vpsdotorg)
extends_documentation_fragment:
  - vpsdotorg.cloud.vps
  - vpsdotorg.cloud.attributes.info_module
  - vpsdotorg.cloud.attributes.actiongroup_vps
options:
  server_id:
    description:
      - Only snapshots of this server, by its integer id or its UUID. A UUID costs one more request.
    type: str
  snapshot_id:
    description:
      - Only the snapshot with this id.
    type: int
  name:
    description:
      - Only snapshots of exactly this name.
    type: str
  name_prefix:
    description:
      - Only snapshots whose name begins with this.
    type: str
  status:
    description:
      - Only snapshots with this status. The API documents V(in_progress) and V(completed).
    type: str
seealso:
  - module: vpsdotorg.cloud.vps_snapshot
  - ref: ansible_collections.vpsdotorg.cloud.docsite.guide_authentication
    description: How to get a token, which permissions it needs, and how to prove that it works.
"""

EXAMPLES = r"""
- name: List the snapshots of a server
  vpsdotorg.cloud.vps_snapshot_info:
    server_id: 12345
  delegate_to: localhost
  register: result

- name: Show them
  ansible.builtin.debug:
    msg: "{{ item.name }} of {{ item.created_at }}: {{ item.status }}"
  loop: "{{ result.snapshots }}"
  loop_control:
    label: "{{ item.id }}"

- name: Find what an update left behind, on any server
  vpsdotorg.cloud.vps_snapshot_info:
    name_prefix: before-
    status: completed
  delegate_to: localhost
"""

RETURN = r"""
snapshots:
  description: The snapshots that pass all filters, newest first; an empty list where none does.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The id.
      type: int
    server:
      description: The server that it is of.
      type: dict
      contains:
        id:
          description: Its integer id.
          type: int
        name:
          description: Its name.
          type: str
    name:
      description: The name.
      type: str
    status:
      description: V(in_progress) or V(completed); V(failed) and V(error) are guesses, anything else is unknown.
      type: str
    size_mb:
      description: The size in MiB, or V(null) while it is in progress.
      type: int
    created_at:
      description: When it was begun, in UTC.
      type: str
    description:
      description: The description, which may be empty.
      type: str
  sample:
    - id: 801
      server: {id: 12345, name: web-server-01}
      name: before-update
      status: completed
      size_mb: 5120
      created_at: "2025-01-15T18:30:00Z"
      description: Before the update to release 2
api_time:
  description: The service's time (UTC) when it answered, or the controller's where the service does not tell it.
  returned: success
  type: str
  sample: "2025-01-16T16:15:00Z"
"""

from ..module_utils import _servers, _snapshots
from ..module_utils._client import VpsClient
from ..module_utils._module import Module, read_only, run


def info(client: VpsClient, params: dict) -> dict:
    server_id = _servers.resolve_server_id(client, params["server_id"])
    found = [snapshot for snapshot in client.list_snapshots(server_id) if _snapshots.matches(snapshot, params)]
    return {"snapshots": _snapshots.newest_first(found)}


MODULE = Module(
    read_only(info),
    {
        "server_id": {"type": "str"},
        "snapshot_id": {"type": "int"},
        "name": {"type": "str"},
        "name_prefix": {"type": "str"},
        "status": {"type": "str"},
    },
)


def main() -> None:
    run(MODULE)


if __name__ == "__main__":
    main()
