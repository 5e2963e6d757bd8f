#!/usr/bin/python

# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vps_snapshot
short_description: Create and delete snapshots of VPS.org servers
version_added: 0.1.0
description:
  - Makes sure that a server has a snapshot of a name, or has none.
  - A snapshot is a point-in-time copy of the whole server. Making one takes 3 to 10 minutes.
  - What identifies a snapshot is its server and its name. The same name on another server is another snapshot.
  - Nothing is made twice. When the answer to a create gets lost, the module looks for the new snapshot and adopts it;
    only where three looks over 15 seconds find nothing it asks once more.
author:
  - The vpsdotorg.cloud authors (@vpsdotorg)
extends_documentation_fragment:
  - vpsdotorg.cloud.vps
  - vpsdotorg.cloud.vps.waiting
  - vpsdotorg.cloud.attributes
  - vpsdotorg.cloud.attributes.actiongroup_vps
attributes:
  check_mode:
    details: A status that only time can tell is predicted as good.
  diff_mode:
    support: full
    details: Shows the names and statuses of the server's snapshots.
  idempotent:
    support: full
options:
  state:
    description:
      - V(present) makes the snapshot, unless there is one. One that is V(completed) is left alone, one that is
        V(in_progress) is waited for, one that failed is removed and made anew. One of a status that is not documented
        is never taken for a success, and never deleted.
      - V(absent) deletes the snapshot for good.
    type: str
    choices: [present, absent]
    default: present
  server_id:
    description:
      - The server, by its integer id or its UUID. A UUID costs one more request.
      - Needed for O(state=present), and wherever O(name) is given.
    type: str
  name:
    description:
      - The name of the snapshot, made of letters, digits, V(-) and V(_).
      - If a server has several of one name, the newest completed one counts.
    type: str
  snapshot_id:
    description:
      - With O(state=absent), the snapshot to delete. If O(server_id) or O(name) is given too, a snapshot of another
        server or name is refused.
      - With O(state=present), insists on exactly this snapshot of that server and name. It is waited for, but never
        made, and never removed where it failed.
    type: int
  description:
    description:
      - The description of a new snapshot. It is never compared, because the API cannot change it.
    type: str
  wait:
    description:
      - Whether to wait until the snapshot is V(completed). Without it, an update may start before the server is
        copied.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait. When they are over the task fails, the snapshot is left alone, and running the task again
        takes the wait up again.
    type: int
    default: 1200
  max_age:
    description:
      - With O(state=present), how old a completed snapshot of that name may be, such as V(90m), V(12h) or V(7d). An
        older one is an error, so that last month's V(before-update) does not pass for today's.
    type: str
  on_limit:
    description:
      - What to do where all slots of the server are taken.
      - V(fail) says so before anything is sent, and lists what is there.
      - V(rotate) deletes the oldest completed snapshot of that server whose name begins with O(rotate_prefix), no
        other, and only if another completed one with that prefix stays.
    type: str
    choices: [fail, rotate]
    default: fail
  rotate_prefix:
    description:
      - Which snapshots O(on_limit=rotate) may delete. It must end in V(-) or V(_).
    type: str
  snapshot_limit:
    description:
      - How many snapshots a server can have. V(0) lets the API answer, and then nothing is rotated.
    type: int
    default: 5
  all_matching:
    description:
      - With O(state=absent), whether to delete all snapshots of that name, where the server has several. Without it
        that is refused.
    type: bool
    default: false
notes:
  - A snapshot of a running server may be inconsistent. For best results stop the server first
    (M(vpsdotorg.cloud.vps_server_power)), or bring its databases to rest.
  - Snapshots lie on the same infrastructure as the server and are meant for a short-term roll-back. They replace no
    backup.
seealso:
  - module: vpsdotorg.cloud.vps_snapshot_info
  - module: vpsdotorg.cloud.vps_snapshot_restore
  - module: vpsdotorg.cloud.vps_snapshot_prune
  - ref: ansible_collections.vpsdotorg.cloud.docsite.guide_authentication
    description: How to get a token, which permissions it needs, and how to prove that it works.
"""

EXAMPLES = r"""
- name: Take a snapshot before an update
  vpsdotorg.cloud.vps_snapshot:
    server_id: 12345
    name: before-update
    description: Before the update to release 2
    max_age: 2h
  delegate_to: localhost

- name: Take one even if no slot is free, at the cost of the oldest nightly one
  vpsdotorg.cloud.vps_snapshot:
    server_id: 12345
    name: nightly-{{ now(utc=true).strftime('%Y%m%d') }}
    on_limit: rotate
    rotate_prefix: nightly-
  delegate_to: localhost

- name: Start a snapshot and do not wait for it
  vpsdotorg.cloud.vps_snapshot:
    server_id: 12346
    name: started-only
    wait: false
  delegate_to: localhost

- name: Delete the snapshot when the update has proved good
  vpsdotorg.cloud.vps_snapshot:
    server_id: 12345
    name: before-update
    state: absent
  delegate_to: localhost
"""

RETURN = r"""
snapshot:
  description:
    - The snapshot as the API describes it.
    - With O(state=absent) the one that was deleted, or V(null) where there was none.
    - Where the task failed, the one that it is about, or V(null) where there is none yet.
    - In check mode the one that is to be expected; what cannot be known is V(null).
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
deleted:
  description:
    - The snapshots that were deleted (also where the task failed after that), newest first.
    - Each of them is like RV(snapshot).
  returned: always
  type: list
  elements: dict
  sample: []
slots:
  description:
    - The snapshots that the server had when the module first looked, newest first.
    - Each of them is like RV(snapshot).
  returned: success, with O(state=present)
  type: list
  elements: dict
  sample: []
status_code:
  description: The HTTP status with which the API refused.
  returned: on failure, where the API answered
  type: int
  sample: 400
api_error:
  description: The decoded body of that answer.
  returned: on failure, where the API answered
  type: dict
  sample: {detail: Snapshot limit reached.}
"""

from ..module_utils import _operations, _servers, _snapshots
from ..module_utils._client import VpsClient
from ..module_utils._module import PROGRESS_OPTION, Module, run


def present(client: VpsClient, params: dict, check_mode: bool) -> dict:
    _snapshots.check_name(params["name"])
    if params["rotate_prefix"] is not None:
        _snapshots.check_prefix("rotate_prefix", params["rotate_prefix"])
    if params["max_age"] is not None:
        _snapshots.parse_duration("max_age", params["max_age"])
    server_id = _servers.resolve_server_id(client, params["server_id"])
    before = client.list_snapshots(server_id)
    plan = _snapshots.plan_present(before, params, client.now())

    snapshot, changed, deleted, warnings = plan.current, plan.current is None, [], []
    with _operations.reporting(deleted=deleted, snapshot=snapshot):
        if plan.current is None and check_mode:
            snapshot = _snapshots.predicted(_servers.expected_owner(client, server_id), params)
        _operations.delete_snapshots(client, plan.remove, deleted, check_mode)
        if plan.current is None and not check_mode:
            snapshot, changed = _operations.create_snapshot(client, server_id, params, before, warnings)
        elif params["wait"] and not check_mode:
            snapshot = _operations.wait_for_snapshot(client, server_id, snapshot, params, warnings)
        else:
            snapshot = _snapshots.expected(snapshot, params, warnings)

    kept = [other for other in before if other not in plan.remove]
    return {
        "changed": changed or bool(deleted),
        "snapshot": snapshot,
        "deleted": deleted,
        "slots": _snapshots.newest_first(before),
        "diff": _snapshots.slots_diff(before, [*kept, snapshot] if changed else kept),
        "warnings": warnings,
    }


def absent(client: VpsClient, params: dict, check_mode: bool) -> dict:
    if params["name"] is not None:
        _snapshots.check_name(params["name"])
    server_id = _servers.resolve_server_id(client, params["server_id"])
    before = _operations.list_candidates(client, server_id, params["snapshot_id"])
    found = _snapshots.select(before, params["snapshot_id"], server_id, params["name"], params["all_matching"])

    deleted: list[dict] = []
    with _operations.reporting(deleted=deleted, snapshot=found[0] if found else None):
        _operations.delete_snapshots(client, found, deleted, check_mode)
    slots = _snapshots.of_same_servers(before, found)
    return {
        "changed": bool(deleted),
        "snapshot": found[0] if found else None,
        "deleted": deleted,
        "diff": _snapshots.slots_diff(slots, [snapshot for snapshot in slots if snapshot not in found]),
    }


def apply(client: VpsClient, params: dict, check_mode: bool) -> dict:
    return {"present": present, "absent": absent}[params["state"]](client, params, check_mode)


MODULE = Module(
    apply,
    {
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "server_id": {"type": "str"},
        "name": {"type": "str"},
        "snapshot_id": {"type": "int"},
        "description": {"type": "str"},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 1200},
        **PROGRESS_OPTION,
        "max_age": {"type": "str"},
        "on_limit": {"type": "str", "choices": ["fail", "rotate"], "default": "fail"},
        "rotate_prefix": {"type": "str"},
        "snapshot_limit": {"type": "int", "default": 5},
        "all_matching": {"type": "bool", "default": False},
    },
    {"snapshot": None, "deleted": []},
    {
        "required_if": [
            ("state", "present", ("server_id", "name")),
            ("state", "absent", ("snapshot_id", "name"), True),
            ("on_limit", "rotate", ("rotate_prefix",)),
        ],
        "required_by": {"name": ("server_id",)},
    },
    guards=("server_id",),
)


def main() -> None:
    run(MODULE)


if __name__ == "__main__":
    main()
