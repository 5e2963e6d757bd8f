#!/usr/bin/python

# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vps_snapshot_restore
short_description: Restore a VPS.org server from a snapshot
version_added: 0.1.0
description:
  - Overwrites a server with one of its snapshots. This takes 5 to 15 minutes; the service stops the server by itself.
  - B(All data on the server since the snapshot is lost. A restore cannot be undone.)
  - It acts on exactly one verified, completed snapshot, or refuses.
author:
  - The vpsdotorg.cloud authors (@vpsdotorg)
extends_documentation_fragment:
  - vpsdotorg.cloud.vps
  - vpsdotorg.cloud.vps.waiting
  - vpsdotorg.cloud.attributes
  - vpsdotorg.cloud.attributes.actiongroup_vps
attributes:
  check_mode:
    details: All that is verified before a restore is verified in check mode too. Whether the API will restore a server
      that is neither V(active) nor V(stopped) nobody can tell, so its status is not predicted.
  diff_mode:
    support: full
    details: Shows what the server is restored from.
  idempotent:
    support: none
    details: Nobody can tell whether a server still is what a snapshot holds, so each run restores again.
options:
  snapshot_id:
    description:
      - The snapshot to restore. If O(server_id) or O(name) is given too, a snapshot of another server or name is
        refused.
    type: int
  server_id:
    description:
      - The server, by its integer id or its UUID. A UUID costs one more request.
      - Needed wherever O(name) is given.
    type: str
  name:
    description:
      - The name of the snapshot to restore. If the server has several of that name, it is refused and their ids are
        listed.
    type: str
  wait:
    description:
      - Whether to wait until the server is V(active) or V(stopped) again. The token must be allowed to read the
        server; if it is not, that is refused before anything is restored.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait. When they are over the task fails; the restore itself goes on.
    type: int
    default: 1800
notes:
  - A server that is being restored already is refused, because nobody can tell from which snapshot. One that cannot be
    restored for another reason, such as a suspended one, is refused by the API.
  - When the answer of the API gets lost, the module looks whether the server is being restored; only where three
    looks over 15 seconds show that it is not, it asks once more.
seealso:
  - module: vpsdotorg.cloud.vps_server_power
  - module: vpsdotorg.cloud.vps_snapshot_info
  - module: vpsdotorg.cloud.vps_snapshot
  - module: vpsdotorg.cloud.vps_server_info
  - ref: ansible_collections.vpsdotorg.cloud.docsite.guide_authentication
    description: How to get a token, which permissions it needs, and how to prove that it works.
"""

EXAMPLES = r"""
- name: Restore a server from its snapshot of a name
  vpsdotorg.cloud.vps_snapshot_restore:
    server_id: 12345
    name: before-update
  delegate_to: localhost

- name: Restore exactly this snapshot, if it is one of this server
  vpsdotorg.cloud.vps_snapshot_restore:
    server_id: 12345
    snapshot_id: 801
    wait_timeout: 3600
  delegate_to: localhost
"""

RETURN = r"""
snapshot:
  description: The snapshot that the server is restored from, or V(null) where the task failed before it was found.
  returned: always
  type: dict
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
    id: 801
    server: {id: 12345, name: web-server-01}
    name: before-update
    status: completed
    size_mb: 5120
    created_at: "2025-01-15T18:30:00Z"
    description: Before the update to release 2
server:
  description:
    - The server after the restore, or as it was when the restore had been started.
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
    status: active
    ipv4: [203.0.113.10]
    ipv6: []
    location: New York
    plan: Standard
    os: Debian 12
    created_at: "2024-11-02T09:00:00Z"
    raw: {}
status_code:
  description: The HTTP status with which the API refused.
  returned: on failure, where the API answered
  type: int
  sample: 400
api_error:
  description: The decoded body of that answer.
  returned: on failure, where the API answered
  type: dict
  sample: {detail: Server is not in a state that can be restored.}
"""

from ..module_utils import _operations, _servers, _snapshots
from ..module_utils._client import VpsClient
from ..module_utils._module import PROGRESS_OPTION, Module, run


def restore(client: VpsClient, params: dict, check_mode: bool) -> dict:
    if params["name"] is not None:
        _snapshots.check_name(params["name"])
    server_id = _servers.resolve_server_id(client, params["server_id"])
    listed = _operations.list_candidates(client, server_id, params["snapshot_id"])
    snapshot = _snapshots.require_restorable(
        _snapshots.select(listed, params["snapshot_id"], server_id, params["name"]), params
    )
    with _operations.reporting(snapshot=snapshot):
        server_key, before = _servers.before_restore(client, snapshot["server"], must_read=params["wait"])

    warnings: list[str] = []
    source = _snapshots.label(snapshot)
    if check_mode:
        after = _servers.expect_restored(before, params["wait"], warnings)
    else:
        with _operations.reporting(snapshot=snapshot, server=_servers.describe(before)):
            server, is_answered = _operations.restore_snapshot(client, snapshot, server_key)
            after = {**before, **server}
            if not is_answered:
                source = "unknown"
                warnings.append(
                    f"{_servers.server_label(after)} is being restored, but the answer to our own request was lost, so "
                    f"nobody can tell from which snapshot: it may be another one than {_snapshots.label(snapshot)}. "
                    "Look at what is on the server when it is back."
                )
            if params["wait"]:
                after = _operations.wait_for_restore(client, server_key, after, params["wait_timeout"], warnings)
    return {
        "changed": True,
        "snapshot": snapshot,
        "server": _servers.describe(after),
        "diff": {"before": {"restored_from": None}, "after": {"restored_from": source}},
        "warnings": warnings,
    }


MODULE = Module(
    restore,
    {
        "snapshot_id": {"type": "int"},
        "server_id": {"type": "str"},
        "name": {"type": "str"},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 1800},
        **PROGRESS_OPTION,
    },
    {"snapshot": None, "server": None},
    {
        "required_one_of": [("snapshot_id", "name")],
        "required_by": {"name": ("server_id",)},
    },
    guards=("server_id",),
)


def main() -> None:
    run(MODULE)


if __name__ == "__main__":
    main()
