#!/usr/bin/python

# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vps_snapshot_prune
short_description: Delete old snapshots of VPS.org servers
version_added: 0.1.0
description:
  - Deletes the snapshots of a name prefix that are neither among the newest nor young enough, of one server or of
    all.
  - A snapshot in progress, of a status that is not documented, or without a readable time is never touched. Where the
    API says that one of them was made in the future, nothing is.
author:
  - The vpsdotorg.cloud authors (@vpsdotorg)
extends_documentation_fragment:
  - vpsdotorg.cloud.vps
  - vpsdotorg.cloud.attributes
  - vpsdotorg.cloud.attributes.actiongroup_vps
attributes:
  diff_mode:
    support: full
    details: Shows the names and statuses of the snapshots with the prefix.
  idempotent:
    support: full
    details: As long as no snapshot comes of age between the runs.
options:
  server_id:
    description:
      - The server, by its integer id or its UUID. A UUID costs one more request, and so does a server without
        snapshots, as whether there is such a server is looked up then.
    type: str
  all_servers:
    description:
      - Whether to prune on every server of the account.
    type: bool
    default: false
  name_prefix:
    description:
      - Which snapshots are looked at. It must end in V(-) or V(_), so that V(web-) never takes snapshots of
        V(website).
    type: str
    required: true
  keep:
    description:
      - How many of the newest completed ones of each server stay.
    type: int
  older_than:
    description:
      - Only snapshots older than this may go, such as V(90m), V(36h) or V(7d).
      - With O(keep) too, a snapshot stays if either spares it.
    type: str
  hold:
    description:
      - Ids and names of snapshots that stay in any case.
    type: list
    elements: str
    default: []
seealso:
  - module: vpsdotorg.cloud.vps_snapshot_info
  - module: vpsdotorg.cloud.vps_snapshot
  - ref: ansible_collections.vpsdotorg.cloud.docsite.guide_authentication
    description: How to get a token, which permissions it needs, and how to prove that it works.
"""

EXAMPLES = r"""
- name: Keep the two newest nightly snapshots of every server
  vpsdotorg.cloud.vps_snapshot_prune:
    all_servers: true
    name_prefix: nightly-
    keep: 2
  delegate_to: localhost

- name: Delete what is older than a week on one server, but never the newest
  vpsdotorg.cloud.vps_snapshot_prune:
    server_id: 12345
    name_prefix: before-
    keep: 1
    older_than: 7d
  delegate_to: localhost
"""

RETURN = r"""
deleted:
  description:
    - The snapshots that were deleted (also where the task failed after that), newest first.
    - Each of them is like RV(kept[]).
  returned: always
  type: list
  elements: dict
  sample: []
kept:
  description:
    - The snapshots with the prefix that stay, newest first.
    - Where the task failed, those that were not deleted, as far as they had been listed.
  returned: always
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
"""

from ..module_utils import _operations, _servers, _snapshots
from ..module_utils._client import VpsClient
from ..module_utils._errors import VpsError
from ..module_utils._module import Module, run


def prune(client: VpsClient, params: dict, check_mode: bool) -> dict:
    _snapshots.check_prefix("name_prefix", params["name_prefix"])
    if params["all_servers"] and params["server_id"] is not None:
        raise VpsError("server_id and all_servers: true exclude each other: say which of them is meant.")
    older_than = None if params["older_than"] is None else _snapshots.parse_duration("older_than", params["older_than"])
    server_id = _servers.resolve_server_id(client, params["server_id"])
    listed = client.list_snapshots(server_id)
    if server_id is not None and not listed:
        # A server that is mistyped has no snapshots either.
        _servers.expected_owner(client, server_id)
    deleted: list[dict] = []

    def left() -> list[dict]:
        named = (each for each in listed if _snapshots.matches(each, {"name_prefix": params["name_prefix"]}))
        return _snapshots.newest_first(each for each in named if each not in deleted)

    with _operations.reporting(deleted=deleted, kept=left):
        found, kept = _snapshots.split_prunable(
            listed, params["name_prefix"], params["keep"] or 0, older_than, client.now(), params["hold"] or []
        )
        _operations.delete_snapshots(client, found, deleted, check_mode)
    return {
        "changed": bool(deleted),
        "deleted": deleted,
        "kept": kept,
        "diff": _snapshots.slots_diff([*found, *kept], kept),
    }


MODULE = Module(
    prune,
    {
        "server_id": {"type": "str"},
        "all_servers": {"type": "bool", "default": False},
        "name_prefix": {"type": "str", "required": True},
        "keep": {"type": "int"},
        "older_than": {"type": "str"},
        "hold": {"type": "list", "elements": "str", "default": []},
    },
    {"deleted": [], "kept": []},
    {
        "required_if": [("all_servers", False, ("server_id",))],
        "required_one_of": [("keep", "older_than")],
    },
)


def main() -> None:
    run(MODULE)


if __name__ == "__main__":
    main()
