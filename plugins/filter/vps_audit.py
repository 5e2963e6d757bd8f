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
  hold:
    description:
      - Ids and names of own snapshots that no clean-up deletes, as lists, texts split at their commas, or numbers. They
        are held, and never stale.
    type: raw
    default: []
  now:
    description:
      - The present moment (UTC), such as C(api_time) of the info modules; without it, that of the controller.
    type: str
  in_awx:
    description:
      - Whether AWX runs this, so that nobody can run a command on its controller.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: List the servers
  vpsdotorg.cloud.vps_server_info:
  delegate_to: localhost
  register: account

- name: List the snapshots
  vpsdotorg.cloud.vps_snapshot_info:
  delegate_to: localhost
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
        held: 0
        stale: 1
        failed: 0
        stuck: 0
        unknown: 0
        stopped_by_killed_run: 0
    servers:
      description:
        - The servers by name, and after a server was deleted also those that only snapshots still name.
        - C(own), C(foreign), C(held), C(stale), C(failed), C(stuck) and C(unknown) (of a status not documented) are
          lists of snapshots, newest first. Each snapshot is own or foreign; an own one may be held; and each may be one
          of the others.
        - C(stopped_by_killed_run) is C(null), or what an own snapshot's description lets one infer about a stopped
          server, with the C(command) that starts it, in AWX the words for it.
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
          held: []
          stale: []
          failed: []
          stuck: []
          unknown: []
          stopped_by_killed_run: null
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from functools import partial
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var

from ..module_utils._audit import Rules, audit
from ..module_utils._errors import VpsError
from ..module_utils._shapes import server, snapshot
from ..module_utils._snapshots import created_at, parse_duration
from ..plugin_utils.safe_update import commands


def vps_audit(
    servers: list[dict],
    snapshots: list[dict],
    name_prefix: str = "safe-update",
    stale_after: str = "7d",
    stuck_after: str = "60m",
    now: str | None = None,
    hold: Any = None,
    in_awx: bool = False,
) -> dict[str, Any]:
    moment = datetime.now(timezone.utc) if now is None else created_at({"created_at": now})
    try:
        if moment is None:
            raise VpsError(f"now {str(now)[:80]!r} is no moment like 2026-01-31T23:59:00Z.")
        rules = Rules(
            _text("name_prefix", name_prefix),
            parse_duration("stale_after", stale_after),
            parse_duration("stuck_after", stuck_after),
            moment,
            partial(commands.start, awx=commands.DEFAULT_PREFIX if in_awx else None),
            tuple(_texts(hold)),
        )
        findings = audit(_items("servers", servers, _known_server), _items("snapshots", snapshots, snapshot), rules)
    except VpsError as error:
        raise AnsibleFilterError(f"vps_audit: {error.message}") from None
    return wrap_var(
        {
            "generated_at": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "name_prefix": name_prefix,
            "stale_after": stale_after,
            "stuck_after": stuck_after,
            **findings,
        }
    )


def _items(plural: str, found: Any, shape: Callable[[Any], dict | None]) -> list[dict]:
    """The items in their documented shape.

    :raises VpsError: Where it is no list of them.
    """
    if isinstance(found, Mapping):
        raise VpsError(f"{plural} is a whole result: give the list in it, like result.{plural}.")
    if isinstance(found, str) or not isinstance(found, Sequence):
        raise VpsError(f"{plural} is {'null' if found is None else 'no list'}: give it the list result.{plural}.")
    shaped = [shape(item) for item in found]
    if None in shaped:
        raise VpsError(
            f"{plural} holds something else: {str(found[shaped.index(None)])[:80]!r}. Give it result.{plural}."
        )
    return shaped


def _known_server(item: Any) -> dict | None:
    return server({**item, "status": item.get("status") or ""}) and dict(item) if isinstance(item, Mapping) else None


def _text(option: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise VpsError(f"{option} {value!r} is no text: leave it out, or give the beginning of the names.")
    return value


def _texts(value: Any) -> list[str]:
    """All that lists in lists, texts with commas and numbers name."""
    if isinstance(value, (list, tuple)):
        return [text for each in value for text in _texts(each)]
    return [text.strip() for text in str("" if value is None else value).split(",") if text.strip()]


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"vps_audit": vps_audit}
