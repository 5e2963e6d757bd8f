# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""Pure decisions about snapshots: which one is meant, is it ready, what may go."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from ._errors import OperationError, VpsError
from ._shapes import identities, is_of_server

READY = "completed"
RUNNING = "in_progress"
# Guess: the API documents no status for a snapshot that failed.
FAILED = ("failed", "error")
# Of several of one name, which one counts.
STATUS_ORDER = {READY: 0, RUNNING: 1}

# What the role safe_update says in the descriptions of its snapshots; once it did not say which run it was.
DESCRIBED = re.compile(
    r"safe_update: (run=(?P<run>[A-Za-z0-9._:-]+) by=)?(?P<by>.+?)(?P<stopped>; server stopped for this snapshot)?"
)

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def describe(run: str, by: str, stopped: bool) -> str:
    """The description of a snapshot of the role safe_update, which DESCRIBED reads.

    :param stopped: Whether the server is stopped for it.
    """
    return f"safe_update: run={run} by={by}" + ("; server stopped for this snapshot" if stopped else "")


def described(snapshot: dict) -> dict[str, str | None]:
    """``run``, ``by`` and ``stopped`` of the description, each None where it is not in there."""
    match = DESCRIBED.fullmatch(str(snapshot.get("description")))
    return match.groupdict() if match else dict.fromkeys(DESCRIBED.groupindex)


def check_name(name: str) -> None:
    """Refuse a name that the API would refuse."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise VpsError(f"The snapshot name {name!r} is not valid: letters, digits, - and _ only.")


def check_prefix(option: str, prefix: str) -> None:
    """Refuse a prefix that could begin a foreign name."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*[A-Za-z0-9][_-]", prefix):
        raise VpsError(
            f"{option} {prefix!r} is not safe: it must be letters, digits, - and _, and end in - or _, "
            "so that 'web-' never takes snapshots of 'website'."
        )


def parse_duration(option: str, text: str) -> timedelta:
    """The duration that ``90m``, ``36h`` or ``7d`` stands for."""
    match = re.fullmatch(r"([0-9]{1,6})([smhdw])", str(text))
    if not match:
        raise VpsError(
            f"{option} {str(text)[:80]!r} is not a duration; write a number and one of s, m, h, d, w, for example 36h."
        )
    return timedelta(**{UNITS[match.group(2)]: int(match.group(1))})


def created_at(snapshot: dict) -> datetime | None:
    """When it was made (UTC), or None where the API does not say so readably."""
    try:
        # Python 3.10 does not read the Z.
        moment = datetime.fromisoformat(str(snapshot.get("created_at")).upper().replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def check_times(snapshots: Iterable[dict], now: datetime) -> None:
    """Refuse to decide by the ages of snapshots of which a completed one is said to be made in the future.

    :param now: The present moment (UTC) by the service's clock.
    :raises VpsError: Naming those that are.
    """
    completed = (each for each in snapshots if each.get("status") == READY)
    odd = [each for each in completed if (created_at(each) or now) - now > timedelta(days=1)]
    if odd:
        raise VpsError(
            f"Refused: by the API's own clock it is {now:%Y-%m-%dT%H:%M:%SZ}, yet {listing(odd)} is said to be made "
            "later than that, so nobody can tell which snapshots are the newest. Nothing was changed; delete it by its "
            "snapshot_id (state: absent), or ask VPS.org.",
            snapshots=newest_first(odd),
        )


def newest_first(snapshots: Iterable[dict]) -> list[dict]:
    """Sorted by age, then by id; those without a readable time last."""

    def key(snapshot: dict) -> tuple:
        moment, number = created_at(snapshot), snapshot.get("id")
        return moment.timestamp() if moment else float("-inf"), number if isinstance(number, int) else -1

    return sorted(snapshots, key=key, reverse=True)


def owner(snapshot: dict) -> int | str:
    """The server that a snapshot belongs to: its id, or its UUID where it has none."""
    return identities(snapshot["server"])[0]


def label(snapshot: dict) -> str:
    """One snapshot in a message."""
    return (
        f"{snapshot['name']} (id {snapshot['id']}, server {owner(snapshot)}, {snapshot['status']}, "
        f"{snapshot.get('created_at')})"
    )


def listing(snapshots: Iterable[dict]) -> str:
    """Several snapshots in a message."""
    return "; ".join(label(snapshot) for snapshot in newest_first(snapshots)) or "none"


def next_step(snapshot_id: int | None) -> str:
    """What to do where a snapshot has failed or vanished.

    :param snapshot_id: The one that the task insists on, if it does.
    """
    if snapshot_id is None:
        return "Run the task again: it makes a new one, unless a good one of that name is there by then."
    return "It is not made anew, as snapshot_id insists on it: run the task without snapshot_id for a new one."


def is_complete(snapshot: dict, warnings: list[str], snapshot_id: int | None = None) -> bool:
    """Whether a wait for the snapshot is over.

    :param snapshot_id: The one that the task insists on, if it does.
    :param warnings: Gets a line, once, for a status that is not documented.
    :raises OperationError: Where it failed.
    """
    status = snapshot.get("status")
    if status in FAILED:
        raise OperationError(
            f"Snapshot {label(snapshot)} failed on the service's side and holds nothing to restore. "
            + next_step(snapshot_id),
            snapshot=snapshot,
        )
    if status not in (READY, RUNNING):
        warning = f"Snapshot {label(snapshot)} has a status that is not documented; it counts as not finished."
        if warning not in warnings:
            warnings.append(warning)
    return status == READY


def expected(snapshot: dict, params: dict[str, Any], warnings: list[str]) -> dict:
    """The snapshot as nobody waited for it, or, in check mode, as a wait would show it.

    :param params: The module's ``wait`` and ``snapshot_id``.
    """
    wait = params["wait"]
    is_ready = is_complete(snapshot, warnings, params["snapshot_id"])
    if not is_ready and snapshot.get("status") != RUNNING and not wait:
        raise VpsError(
            f"Snapshot {label(snapshot)} has a status that is not documented, so it counts as no success and is left "
            "alone. Look at it at the provider, or wait for it (wait: true).",
            snapshot=snapshot,
        )
    return {**snapshot, "status": READY} if wait and snapshot.get("status") == RUNNING else snapshot


@dataclass(frozen=True)
class Plan:
    """What ``present`` has to do: nothing more than wait for `current`, or make room and create."""

    current: dict | None
    remove: list[dict] = field(default_factory=list)


def plan_present(slots: list[dict], params: dict[str, Any], now: datetime) -> Plan:
    """Decide what ``present`` does with the snapshots that one server has.

    :param slots: All snapshots of the server.
    :param params: The module's ``name``, ``snapshot_id``, ``max_age``, ``snapshot_limit``, ``on_limit`` and
        ``rotate_prefix``.
    :param now: The present moment (UTC).
    :raises VpsError: Where the one of that name is too old, or no slot is free and none may be freed.
    """
    named = newest_first(snapshot for snapshot in slots if snapshot.get("name") == params["name"])
    if params["snapshot_id"] is not None:
        return Plan(_insist_on(params["snapshot_id"], named))
    failed = [snapshot for snapshot in named if snapshot.get("status") in FAILED]
    alive = [snapshot for snapshot in named if snapshot not in failed]
    # Of several the newest completed one counts, then one that is being made, then one of unknown status.
    alive.sort(key=lambda snapshot: STATUS_ORDER.get(snapshot["status"], len(STATUS_ORDER)))
    if alive:
        _check_age(alive[0], params["max_age"], now)
        # Of several that are being made at once the oldest will stay.
        running = [each for each in alive if each["status"] == RUNNING]
        return Plan(min(running, key=lambda each: each["id"]) if alive[0]["status"] == RUNNING else alive[0])
    return Plan(None, failed + _make_room(slots, failed, params, now))


def _insist_on(snapshot_id: int, named: list[dict]) -> dict:
    for snapshot in named:
        if snapshot.get("id") == snapshot_id:
            return snapshot
    raise VpsError(
        f"There is no snapshot with id {snapshot_id} of that server and name: it failed, or somebody deleted it. "
        f"Of that name there is: {listing(named)}."
    )


def _check_age(snapshot: dict, max_age: str | None, now: datetime) -> None:
    if max_age is None or snapshot.get("status") != READY:
        return
    check_times([snapshot], now)
    moment = created_at(snapshot)
    if moment is None:
        raise VpsError(
            f"The age of snapshot {label(snapshot)} is unknown, so nobody can tell whether it is within max_age "
            f"{max_age}. Use another name, or delete it first (state: absent).",
            snapshot=snapshot,
        )
    if now - moment > parse_duration("max_age", max_age):
        raise VpsError(
            f"Snapshot {label(snapshot)} is older than max_age {max_age}, so it does not stand for the server as it is "
            "now. Use another name, or delete it first (state: absent).",
            snapshot=snapshot,
        )


def _make_room(slots: list[dict], failed: list[dict], params: dict[str, Any], now: datetime) -> list[dict]:
    """What must be rotated out for one more snapshot to fit, beside the failed ones, which go anyway."""
    limit = params["snapshot_limit"]
    missing = len(slots) - len(failed) - limit + 1
    if limit == 0 or missing <= 0:
        return []
    room = f", {len(failed)} of which failed and would make room," if failed else ""
    full = (
        f"The server has {len(slots)} snapshots{room} and its limit is {limit}: {listing(slots)}. Nothing was changed."
    )
    if params["on_limit"] == "fail":
        raise VpsError(
            f"{full} Delete one (state: absent), or let on_limit: rotate with a rotate_prefix do it.",
            snapshots=newest_first(slots),
        )
    prefix = params["rotate_prefix"]
    named = [snapshot for snapshot in newest_first(slots) if str(snapshot.get("name")).startswith(prefix)]
    check_times(named, now)
    own = [snapshot for snapshot in named if snapshot.get("status") == READY and created_at(snapshot)]
    if missing > 1 or len(own) < 2:
        why = (
            f"{missing} slots are missing, and only one is ever rotated out"
            if missing > 1
            else f"of the completed ones whose name begins with {prefix} there {'is' if len(own) == 1 else 'are'} "
            f"{len(own)}, and the last one always stays"
        )
        raise VpsError(f"{full} on_limit: rotate found nothing that may go: {why}.", snapshots=newest_first(slots))
    return own[-1:]


def new_of_name(listed: Iterable[dict], name: str, known: Iterable[int]) -> list[dict]:
    """The snapshots of a name that are not among the known ids and did not fail, the oldest first.

    Of several made at once all must agree on the one that stays. Ids are given in the order in which the service takes
    the requests; its times may be noted before that, and then whoever looks first sees another oldest one.
    """
    found = [
        each for each in listed if each["name"] == name and each["id"] not in known and each["status"] not in FAILED
    ]
    return sorted(found, key=lambda snapshot: snapshot["id"])


def select(
    snapshots: list[dict],
    snapshot_id: int | None,
    server_id: int | str | None,
    name: str | None,
    allow_many: bool = False,
) -> list[dict]:
    """The snapshots that an id, or a server and a name, stand for; newest first.

    :param allow_many: Whether more than one may be meant.
    :raises VpsError: Where the id belongs to another server or name, or several match and one was meant.
    """
    if snapshot_id is not None:
        found = [snapshot for snapshot in snapshots if snapshot["id"] == snapshot_id]
        for snapshot in found:
            if server_id is not None and not is_of_server(snapshot, server_id):
                raise VpsError(
                    f"Refused: snapshot {label(snapshot)} does not belong to server {server_id}. Nothing was changed; "
                    "correct snapshot_id or server_id."
                )
            if name is not None and snapshot["name"] != name:
                raise VpsError(
                    f"Refused: snapshot {label(snapshot)} does not bear the name {name}. Nothing was changed; correct "
                    "snapshot_id or name."
                )
        return found
    found = newest_first(snapshot for snapshot in snapshots if snapshot["name"] == name)
    if len(found) > 1 and not allow_many:
        raise VpsError(
            f"Refused: {len(found)} snapshots of server {server_id} bear the name {name}: {listing(found)}. "
            "Say which one with snapshot_id.",
            snapshots=found,
        )
    return found


def require_restorable(found: list[dict], params: dict[str, Any]) -> dict:
    """The one snapshot, if there is one and it is completed.

    :raises VpsError: Where it is missing or not completed.
    """
    if not found:
        wanted = f"id {params['snapshot_id']}" if params["name"] is None else f"the name {params['name']}"
        raise VpsError(f"Nothing was restored: there is no snapshot with {wanted}. List them with vps_snapshot_info.")
    if found[0]["status"] != READY:
        raise VpsError(
            f"Nothing was restored: snapshot {label(found[0])} is not completed; only a completed one can be restored. "
            "Wait for it with vps_snapshot, or choose another one (vps_snapshot_info lists them).",
            snapshot=found[0],
        )
    return found[0]


def is_held(snapshot: dict, hold: Iterable[Any]) -> bool:
    """Whether a snapshot is among the ids and names of those that stay in any case."""
    return bool({str(snapshot.get("id")), str(snapshot.get("name"))} & {str(each).strip() for each in hold})


def split_prunable(
    snapshots: Iterable[dict],
    prefix: str,
    keep: int,
    older_than: timedelta | None,
    now: datetime,
    hold: Iterable[Any] = (),
) -> tuple[list[dict], list[dict]]:
    """Split the snapshots with the prefix into those that may go and those that stay, newest first.

    What is in progress, of unknown status or of unreadable age stays; so does what `keep`, `older_than` or `hold`
    spares.

    :param keep: How many of each server's newest completed ones stay.
    :param hold: Ids and names of snapshots.
    :raises VpsError: Where one of them is said to be made in the future.
    """
    held = list(hold)
    go: list[dict] = []
    stay: list[dict] = []
    by_server: dict[str, list[dict]] = {}
    named = [snapshot for snapshot in snapshots if snapshot["name"].startswith(prefix)]
    check_times(named, now)
    for snapshot in named:
        by_server.setdefault(str(owner(snapshot)), []).append(snapshot)
    for slots in by_server.values():
        gone, kept = _split_slots(slots, keep, older_than, now)
        go += [snapshot for snapshot in gone if not is_held(snapshot, held)]
        stay += kept + [snapshot for snapshot in gone if is_held(snapshot, held)]
    return newest_first(go), newest_first(stay)


def _split_slots(
    slots: list[dict], keep: int, older_than: timedelta | None, now: datetime
) -> tuple[list[dict], list[dict]]:
    named = newest_first(slots)
    completed = [snapshot for snapshot in named if snapshot.get("status") == READY]
    spared = [snapshot.get("id") for snapshot in completed[:keep]]

    def may_go(snapshot: dict) -> bool:
        moment = created_at(snapshot)
        if snapshot.get("status") not in (READY, *FAILED) or moment is None or snapshot.get("id") in spared:
            return False
        return older_than is None or now - moment > older_than

    return [s for s in named if may_go(s)], [s for s in named if not may_go(s)]


def matches(snapshot: dict, filters: dict[str, Any]) -> bool:
    """Whether a snapshot passes the filters of an info module; a filter that is None passes all."""
    prefix = filters.get("name_prefix")
    return (prefix is None or str(snapshot.get("name")).startswith(prefix)) and all(
        filters.get(option) is None or snapshot.get(key) == filters[option]
        for option, key in (("snapshot_id", "id"), ("name", "name"), ("status", "status"))
    )


def predicted(owner: dict, params: dict[str, Any]) -> dict:
    """The snapshot that a create will return, as far as it can be known before."""
    return {
        "id": None,
        "server": owner,
        "name": params["name"],
        "status": RUNNING,
        "size_mb": None,
        "created_at": None,
        "description": params["description"] or "",
    }


def of_same_servers(snapshots: Iterable[dict], chosen: list[dict]) -> list[dict]:
    """The snapshots of the servers that the chosen ones belong to."""
    servers = {owner(snapshot) for snapshot in chosen}
    return [snapshot for snapshot in snapshots if owner(snapshot) in servers]


def slots_diff(before: Iterable[dict], after: Iterable[dict]) -> dict:
    """The diff of a server's snapshots; without ids and times, which no prediction can know."""

    def lines(snapshots: Iterable[dict]) -> dict:
        return {"snapshots": sorted(f"{s.get('name')}: {s.get('status')}" for s in snapshots)}

    return {"before": lines(before), "after": lines(after)}
