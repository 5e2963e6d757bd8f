# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""What an account's servers and snapshots tell about its updates: pure, and linear in their number."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from . import _snapshots

KINDS = ("own", "foreign", "held", "stale", "failed", "stuck", "unknown")
WIDEST_CELL = 40


@dataclass(frozen=True)
class Rules:
    """What counts as what.

    :param name_prefix: Own snapshots are called this, a dash and a UTC time such as ``20260131T235900Z``.
    :param stale_after: An own completed snapshot that is older is stale.
    :param stuck_after: A snapshot that has been in progress for longer is stuck.
    :param now: The present moment (UTC).
    :param start: Says how to start the server with an id.
    :param hold: Ids and names of own snapshots that no clean-up deletes, and that are meant to grow old.
    """

    name_prefix: str
    stale_after: timedelta
    stuck_after: timedelta
    now: datetime
    start: Callable[[Any], str]
    hold: tuple[str, ...] = ()

    def kinds(self, snapshot: dict) -> list[str]:
        """What the snapshot is: own or foreign, held, and at most one of stale, failed, stuck and unknown."""
        pattern = re.escape(self.name_prefix) + r"-[0-9]{8}T[0-9]{6}Z"
        own = re.fullmatch(pattern, str(snapshot.get("name"))) is not None
        held = own and _snapshots.is_held(snapshot, self.hold)
        return ["own" if own else "foreign", *["held"] * held, *self._trouble(snapshot, own and not held)]

    def _trouble(self, snapshot: dict, may_be_stale: bool) -> list[str]:
        status = snapshot.get("status")
        if status in _snapshots.FAILED:
            return ["failed"]
        if status == _snapshots.RUNNING:
            return ["stuck"] if self._is_older(snapshot, self.stuck_after) else []
        if status == _snapshots.READY:
            return ["stale"] if may_be_stale and self._is_older(snapshot, self.stale_after) else []
        return ["unknown"]

    def _is_older(self, snapshot: dict, limit: timedelta) -> bool:
        """Whether it certainly is; one without a readable time is not."""
        moment = _snapshots.created_at(snapshot)
        return moment is not None and self.now - moment > limit


def audit(servers: list[dict], snapshots: Iterable[dict], rules: Rules) -> dict[str, Any]:
    """Sort the account's snapshots by server and by what they are.

    :param servers: As `describe` shapes them.
    :param snapshots: As the API gives them.
    :return: ``summary`` (numbers) and ``servers`` (by name), each with a list for each of KINDS, newest first.
    """
    owners: dict[str, dict] = {}
    slots: dict[str, list[dict]] = {}
    for snapshot in _snapshots.newest_first(snapshots):
        owner = snapshot.get("server")
        owner = owner if isinstance(owner, dict) else {}
        key = str(_identity(owner))
        owners.setdefault(key, owner)
        slots.setdefault(key, []).append(snapshot)
    owned = _match(servers, owners)
    entries = [
        _entry(server, True, [snapshot for key in keys for snapshot in slots.pop(key)], rules)
        for server, keys in zip(servers, owned)
    ]
    entries += [_entry(owners[key], False, rest, rules) for key, rest in slots.items()]
    entries.sort(key=lambda entry: (str(entry["name"]), str(_identity(entry))))
    return {"summary": _summary(entries), "servers": entries}


def _match(servers: list[dict], owners: dict[str, dict]) -> list[list[str]]:
    """For each server, the keys of the owners of snapshots that it is: at most its integer id and its UUID."""
    places = {
        str(value): place
        for place, server in enumerate(servers)
        for value in (server.get("id"), server.get("uuid"))
        if value is not None
    }
    # Guess: where the list of servers knows no integer ids, but the snapshots do, a name that nobody shares will do.
    uses = Counter(server.get("name") for server in servers)
    owner_uses = Counter(owner.get("name") for owner in owners.values())
    by_name = {
        server["name"]: place
        for place, server in enumerate(servers)
        if server.get("id") is None and uses[server["name"]] == 1 and owner_uses[server["name"]] == 1
    }
    owned: list[list[str]] = [[] for server in servers]
    for key, owner in owners.items():
        place = places.get(key, places.get(str(owner.get("uuid")), by_name.get(owner.get("name"))))
        if place is not None:
            owned[place].append(key)
    return owned


def _identity(server: dict) -> int | str | None:
    return server.get("uuid") if server.get("id") is None else server["id"]


def _entry(server: dict, listed: bool, slots: list[dict], rules: Rules) -> dict[str, Any]:
    """One server and its snapshots.

    :param listed: Whether the API lists it; else only snapshots name it.
    """
    entry = {key: server.get(key) for key in ("id", "uuid", "name", "status")}
    entry.update(listed=listed, slots_used=len(slots), **{kind: [] for kind in KINDS})
    for snapshot in slots:
        for kind in rules.kinds(snapshot):
            entry[kind].append(snapshot)
    entry["stopped_by_killed_run"] = _killed_run(entry, rules)
    return entry


def _killed_run(entry: dict, rules: Rules) -> dict[str, Any] | None:
    """The run of safe_update that seems to have stopped the server and never started it again."""
    if entry["status"] != "stopped":
        return None
    for snapshot in entry["own"]:
        described = _snapshots.described(snapshot)
        if described["stopped"]:
            return {
                "inferred": True,
                "reason": f"The server is stopped, and its snapshot {_snapshots.label(snapshot)} says that safe_update "
                "stopped it for that. That the run ended before it started the server again is inferred from this "
                "alone: make sure that nobody else stopped it.",
                "run_id": described["run"] or described["by"],
                "snapshot_id": snapshot.get("id"),
                "command": rules.start(_identity(entry)),
            }
    return None


def _summary(entries: list[dict]) -> dict[str, int]:
    return {
        "servers": sum(entry["listed"] for entry in entries),
        "snapshots": sum(entry["slots_used"] for entry in entries),
        **{kind: sum(len(entry[kind]) for entry in entries) for kind in KINDS},
        "stopped_by_killed_run": sum(entry["stopped_by_killed_run"] is not None for entry in entries),
    }


def table(report: dict[str, Any]) -> list[str]:
    """The report of `audit` as lines for people: a row for each server, then what somebody has to look at."""
    columns = ("slots_used", *KINDS)
    rows = [["SERVER", "ID", "STATUS", "SLOTS USED", *(kind.upper() for kind in KINDS)]]
    notes = []
    for entry in report["servers"]:
        counts = [entry["slots_used"], *(len(entry[kind]) for kind in KINDS)]
        status = entry["status"] if entry["listed"] else "not listed"
        rows.append([_cell(text) for text in (entry["name"], _identity(entry), status, *counts)])
        notes += _notes(entry)
    total = report["summary"]
    rows.append(["total", str(total["servers"]), "", str(total["snapshots"]), *(str(total[kind]) for kind in KINDS)])
    widths = [max(map(len, column)) for column in zip(*rows)]
    # Numbers stand at the right edge of their column.
    edges = ["<"] * (len(widths) - len(columns)) + [">"] * len(columns)
    return [
        "  ".join(f"{cell:{edge}{width}}" for cell, edge, width in zip(row, edges, widths)).rstrip() for row in rows
    ] + notes


def _notes(entry: dict) -> list[str]:
    server = f"{_cell(entry['name'])} (id {_cell(_identity(entry))})"
    notes = [
        f"{server}: {kind}: {_printable(_snapshots.label(snapshot))}"
        for kind in ("failed", "stuck", "unknown")
        for snapshot in entry[kind]
    ]
    killed = entry["stopped_by_killed_run"]
    if killed:
        notes.append(f"{server}: stopped by a killed run (inferred): {_printable(killed['reason'])}")
        notes.append(f"{server}: what to do then: {_printable(killed['command'])}")
    return notes


def _printable(text: str) -> str:
    """One line, without anything that a terminal would obey."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _cell(value: Any) -> str:
    text = _printable("-" if value is None else str(value))
    return text if len(text) <= WIDEST_CELL else f"{text[: WIDEST_CELL - 1]}…"
