# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""Which snapshots of a server are the role's own, and what may become of them. Pure.

Of no other snapshot does the role ever delete any.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...module_utils._shapes import identities
from ...module_utils._snapshots import FAILED, READY, described, is_held, label, newest_first

# The documented limit of a server.
LIMIT = 5
# What all own ones are called, whatever their prefix is.
OWN = re.compile(r"[A-Za-z0-9_-]+-[0-9]{8}T[0-9]{6}Z")


def own(slots: Iterable[dict[str, Any]], prefix: str) -> list[dict[str, Any]]:
    """Those called ``PREFIX-YYYYMMDDTHHMMSSZ``, newest first."""
    pattern = re.compile(rf"{re.escape(prefix)}-[0-9]{{8}}T[0-9]{{6}}Z")
    return newest_first(each for each in slots if pattern.fullmatch(str(each.get("name"))))


def completed(snapshots: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that hold something to restore."""
    return [each for each in snapshots if each["status"] == READY]


def unfinished(snapshots: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that are being made, or whose status nobody knows."""
    return [each for each in snapshots if each["status"] not in (READY, *FAILED)]


def rotated(slots: list[dict[str, Any]], prefix: str, hold: Sequence[Any] = ()) -> dict[str, Any] | None:
    """The own one that goes to make room: the oldest that is not held, never the newest, none while there is room."""
    may_go = [each for each in completed(own(slots, prefix))[1:] if not is_held(each, hold)]
    return may_go[-1] if len(slots) >= LIMIT and may_go else None


def rivals(slots: list[dict[str, Any]], prefix: str, known: Iterable[int], ours: int) -> list[dict[str, Any]]:
    """Own ones that the preflight has not seen and that are older than this run's: another run was first.

    Ids are given in the order in which the service took the requests.
    """
    seen = set(known)
    return [each for each in own(slots, prefix) if each["id"] not in seen and each["id"] < ours]


def of_unended(slots: list[dict[str, Any]], prefix: str, names: Iterable[str]) -> list[dict[str, Any]]:
    """Completed own ones from before a run that did not come to its end: only people decide what becomes of them.

    :param names: What the host says that they are called.
    """
    known = set(names)
    return [each for each in completed(own(slots, prefix)) if each["name"] in known]


def prunable(
    slots: list[dict[str, Any]], prefix: str, until: str, keep: int, hold: Sequence[Any] = ()
) -> list[dict[str, Any]]:
    """What a success deletes: own ones up to this run's, beyond the newest completed ones to keep.

    :param until: The name of this run's snapshot: what came after it is another run's. Empty: nothing may go.
    :param hold: Ids and names that stay in any case.
    """
    mine = [each for each in own(slots, prefix) if each["name"] <= until]
    spared = {each["id"] for each in completed(mine)[:keep]}
    return [
        each
        for each in mine
        if each["status"] in (READY, *FAILED) and each["id"] not in spared and not is_held(each, hold)
    ]


def leftovers(
    slots: list[dict[str, Any]], prefix: str, keep: int, gone: dict[str, Any] | None, hold: Sequence[Any] = ()
) -> list[dict[str, Any]]:
    """What a success will delete beside the new one, for a rehearsal.

    :param gone: What is rotated out before.
    """
    mine = [each for each in completed(own(slots, prefix)) if each != gone]
    return [each for each in mine[max(keep - 1, 0) :] if not is_held(each, hold)]


def of_run(seen: Mapping[str, Any]) -> dict[str, Any]:
    """Which hosts a run has taken snapshots of, by what the API alone tells.

    :param seen: ``run_id``, ``snapshots`` and ``servers`` of the account, as the modules return them, and ``hosts``:
        of each host of the inventory the ids that its variables give its server, of which the first given one counts.
    :return: ``hosts``: of each host with such snapshots the newest one's ``id``, and why it must not be cleaned up
        (``cleanup``) or restored (``restore``), or empty texts; ``missing``: the snapshots that are no host's.
    """
    taken: dict[str, list[dict[str, Any]]] = {}
    twins: dict[str, list[str]] = {}
    names = {str(name).lower(): identities(each) for each in seen["servers"] for name in identities(each)}
    given = {host: [str(each or "").strip().lower() for each in ids] for host, ids in seen["hosts"].items()}
    hosts: dict[str, list[str]] = {}
    for host, ids in given.items():
        server_id = next(filter(None, ids), "")
        for name in names.get(server_id, [server_id]):
            hosts.setdefault(str(name).lower(), []).append(host)
    missing = []
    for each in newest_first(seen["snapshots"]):
        if described(each)["run"] != str(seen["run_id"]).strip() or not OWN.fullmatch(each["name"]):
            continue
        found = next(
            (hosts[str(name).lower()] for name in identities(each["server"]) if str(name).lower() in hosts), []
        )
        missing += [] if found else [label(each)]
        for host in found:
            taken.setdefault(host, []).append(each)
            twins[host] = found
    return {"hosts": {host: _of_host(found, twins[host]) for host, found in taken.items()}, "missing": missing}


def _of_host(taken: list[dict[str, Any]], hosts: list[str]) -> dict[str, Any]:
    why = f"The hosts {', '.join(hosts)} stand for one and the same server" if len(hosts) > 1 else ""
    if not why and unfinished(taken):
        why = f"Its snapshot {label(unfinished(taken)[0])} is not completed: the run is under way, or was killed"
    several = f"The run has taken {len(taken)} snapshots of it: {'; '.join(map(label, taken))}" if taken[1:] else ""
    useless = "" if completed(taken) else f"Its snapshot {label(taken[0])} holds nothing to restore"
    return {"id": taken[0]["id"], "cleanup": why, "restore": why or several or useless}
