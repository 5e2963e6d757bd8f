#!/usr/bin/python

# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vps_server_info
short_description: List VPS.org servers
version_added: 0.1.0
description:
  - Lists the servers of the account, all pages of them, in one shape.
author:
  - The vpsdotorg.cloud authors (@vpsdotorg)
extends_documentation_fragment:
  - vpsdotorg.cloud.vps
  - vpsdotorg.cloud.attributes.info_module
  - vpsdotorg.cloud.attributes.actiongroup_vps
options:
  server_id:
    description:
      - Only the server with this integer id or UUID.
    type: str
  name:
    description:
      - Only servers of exactly this name or host name.
    type: str
  status:
    description:
      - Only servers with this status. The API documents V(active), V(stopped), V(suspended), and V(restoring) while a
        restore runs.
    type: str
seealso:
  - module: vpsdotorg.cloud.vps_snapshot_info
  - module: vpsdotorg.cloud.vps_server_power
  - ref: ansible_collections.vpsdotorg.cloud.docsite.guide_authentication
    description: How to get a token, which permissions it needs, and how to prove that it works.
"""

EXAMPLES = r"""
- name: Look at one server
  vpsdotorg.cloud.vps_server_info:
    server_id: 12345
  delegate_to: localhost
  register: result

- name: Insist that it runs
  ansible.builtin.assert:
    that: result.servers[0].status == 'active'

- name: Find the servers that are stopped
  vpsdotorg.cloud.vps_server_info:
    status: stopped
  delegate_to: localhost
"""

RETURN = r"""
servers:
  description: The servers that pass all filters; an empty list where none does.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The integer id, or V(null) where the API knows only a UUID.
      type: int
      returned: always
      sample: 12345
    uuid:
      description: The UUID, or V(null) where the API knows only an integer id.
      type: str
      returned: always
      sample: 7c9e6679-7425-40de-944b-e07fc1f90ae7
    name:
      description: The name.
      type: str
      returned: always
      sample: web-server-01
    hostname:
      description: The host name.
      type: str
      returned: always
      sample: web-server-01
    status:
      description: The status.
      type: str
      returned: always
      sample: active
    ipv4:
      description: The IPv4 addresses.
      type: list
      elements: str
      returned: always
      sample: [203.0.113.10]
    ipv6:
      description: The IPv6 addresses.
      type: list
      elements: str
      returned: always
      sample: []
    location:
      description: The name of the location.
      type: str
      returned: always
      sample: New York
    plan:
      description: The name of the plan.
      type: str
      returned: always
      sample: Standard
    os:
      description: The name of the operating system.
      type: str
      returned: always
      sample: Debian 12
    created_at:
      description: When the server was made.
      type: str
      returned: always
      sample: "2024-11-02T09:00:00Z"
    raw:
      description: The server as the API sent it, without what is called like a secret.
      type: dict
      returned: always
      sample: {}
api_time:
  description: The service's time (UTC) when it answered, or the controller's where the service does not tell it.
  returned: success
  type: str
  sample: "2025-01-16T16:15:00Z"
"""

from ..module_utils import _servers
from ..module_utils._client import VpsClient
from ..module_utils._module import Module, read_only, run


def info(client: VpsClient, params: dict) -> dict:
    found = _servers.list_servers(client, params["server_id"], params["status"])
    servers = [_servers.describe(server) for server in found]
    name, status = params["name"], params["status"]
    return {
        "servers": [
            server
            for server in servers
            if (name is None or name in (server["name"], server["hostname"])) and status in (None, server["status"])
        ],
    }


MODULE = Module(
    read_only(info),
    {
        "server_id": {"type": "str"},
        "name": {"type": "str"},
        "status": {"type": "str"},
    },
)


def main() -> None:
    run(MODULE)


if __name__ == "__main__":
    main()
