#!/usr/bin/python

# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vps_backup_info
short_description: List backups of VPS.org servers
version_added: 0.1.0
description:
  - Lists the backups of the account, or of one server, all pages of them.
  - Backups are for the long term, snapshots for a short-term roll-back; best practice is to have both.
author:
  - The vpsdotorg.cloud authors (@vpsdotorg)
extends_documentation_fragment:
  - vpsdotorg.cloud.vps
  - vpsdotorg.cloud.attributes.info_module
  - vpsdotorg.cloud.attributes.actiongroup_vps
options:
  server_id:
    description:
      - Only backups of this server, by its integer id or its UUID. A UUID costs one more request.
    type: str
  backup_type:
    description:
      - Only backups of this type.
    type: str
    choices: [manual, automatic]
seealso:
  - module: vpsdotorg.cloud.vps_snapshot
  - module: vpsdotorg.cloud.vps_snapshot_info
  - ref: ansible_collections.vpsdotorg.cloud.docsite.guide_authentication
    description: How to get a token, which permissions it needs, and how to prove that it works.
"""

EXAMPLES = r"""
- name: List the automatic backups of a server
  vpsdotorg.cloud.vps_backup_info:
    server_id: 12345
    backup_type: automatic
  delegate_to: localhost
  register: result

- name: Insist that there is one
  ansible.builtin.assert:
    that: "'completed' in result.backups | map(attribute='status')"
    fail_msg: The server has no completed backup.
"""

RETURN = r"""
backups:
  description: The backups that pass all filters, newest first; an empty list where none does.
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
    backup_type:
      description: V(manual) or V(automatic).
      type: str
    status:
      description: The status; V(completed) is the only one that is known to be good.
      type: str
    size_mb:
      description: The size in MiB, or V(null).
      type: int
    created_at:
      description: When it was begun, in UTC.
      type: str
    expires_at:
      description: When the service deletes it, in UTC, or V(null).
      type: str
    description:
      description: The description, which may be empty.
      type: str
  sample:
    - id: 301
      server: {id: 12345, name: web-server-01}
      backup_type: automatic
      status: completed
      size_mb: 10240
      created_at: "2025-01-15T02:00:00Z"
      expires_at: "2025-01-22T02:00:00Z"
      description: ""
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
    return {"backups": _snapshots.newest_first(client.list_backups(server_id, params["backup_type"]))}


MODULE = Module(
    read_only(info),
    {
        "server_id": {"type": "str"},
        "backup_type": {"type": "str", "choices": ["manual", "automatic"]},
    },
)


def main() -> None:
    run(MODULE)


if __name__ == "__main__":
    main()
