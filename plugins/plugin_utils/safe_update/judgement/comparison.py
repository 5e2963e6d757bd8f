# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""Two looks at a host side by side, and what is found when they are compared. Pure."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..evidence import Look, Unit

PULLS = ("Requires", "Requisite", "Wants", "BindsTo", "Upholds")
UP = ("active", "reloading", "refreshing")
# Seconds: a service that systemd has restarted and that is younger than this is not steady.
YOUNG = 60
TIME_UNITS = {"y": 31557600, "month": 2629800, "w": 604800, "d": 86400, "h": 3600, "min": 60, "s": 1, "ms": 0.001}


@dataclass
class Comparison:
    """What was before and what is now; `judgement.judge` says what each part means."""

    before: Look
    now: Look
    earlier: Look | None
    last: Look | None
    restarts: Mapping[str, int]
    ignore: Sequence[str]
    limit: float
    # The names of packages that are not as before; of these, those that have come, and those that were to go.
    changed: set[str]
    added: set[str]
    gone: set[str]
    found: dict[str, list[str]] = field(default_factory=lambda: {"failures": [], "differences": [], "settling": []})
    patience: float = 0
    # What is told of units already, and how: their ports say nothing more.
    down: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.wanted_before, self.wanted_now = wanted(self.before), wanted(self.now)

    @property
    def has_booted(self) -> bool:
        """Whether another boot is running than before."""
        return bool(self.before["boot"] != self.now["boot"])

    def result(self) -> dict[str, Any]:
        """What was found, each sentence once."""
        return {**{key: list(dict.fromkeys(said)) for key, said in self.found.items()}, "patience": int(self.patience)}

    def note(self, level: str, sentence: str, *labels: str, restless: bool = False, patience: float = 0) -> None:
        """Note a sentence; what was restless, or is to be left out, fails nobody."""
        if any(fnmatch.fnmatchcase(label, glob) for label in labels for glob in self.ignore):
            return
        if restless and level != "differences":
            level, sentence = "differences", f"{sentence} (it was not steady before the update either)"
        if level == "settling":
            self.patience = max(self.patience, patience)
        self.found[level].append(sentence)

    def find(self, name: str) -> Unit | None:
        """A unit as it is now, under whichever of its names: a package may rename one."""
        unit: Unit | None = self.now["units"].get(self.now["names_of_units"].get(name, name))
        return unit

    def has_started_anew(self, name: str) -> bool:
        """Whether a unit has started since it was last known to be well; in what has run all the time all is lost."""
        started = "ActiveEnterTimestampMonotonic"
        known = (self.last or self.before)["units"].get(name, {})
        return bool(known.get(started) != (self.find(name) or {}).get(started))

    def is_restless(self, name: str) -> bool:
        """Whether a unit was not steady before the update."""
        unit = self.before["units"].get(name)
        if not unit:
            return False
        if unit.get("SubState") == "auto-restart" or (restarts(unit) and age(self.before, unit) < YOUNG):
            return True
        if self.earlier is None or not self.earlier["units"]:
            return False
        first = self.earlier["units"].get(name) or {}
        grew = restarts(unit) > restarts(first) and self.earlier["boot"] == self.before["boot"]
        return grew or first.get("ActiveState") != unit.get("ActiveState")


def wanted(look: Look) -> set[str]:
    """The ids of all units that the boot target pulls in, directly or through others."""
    units, names = look["units"], look["names_of_units"]
    found: set[str] = set()
    todo = [names.get(look["target"], look["target"])]
    while todo:
        name = todo.pop()
        if name in found or name not in units:
            continue
        found.add(name)
        todo += [names.get(each, each) for pull in PULLS for each in units[name].get(pull, "").split()]
    return found | (look["linger"] & set(units))


def age(look: Look, unit: Unit) -> float:
    """For how many seconds a unit has been up."""
    return float(look["uptime"]) - float(unit.get("ActiveEnterTimestampMonotonic") or 0) / 1e6


def restarts(unit: Unit | None) -> int:
    """How often systemd has started a service again after it ended."""
    said = (unit or {}).get("NRestarts", "0")
    return int(said) if said.isdigit() else 0


def seconds(span: str) -> float:
    """The seconds of a span as systemd writes it (``1min 30s``); 0 for none and for infinity."""
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|us|y|month|w|d|h|min|s)\b", span)
    return sum(float(number) * TIME_UNITS.get(unit, 0) for number, unit in parts)


def unit_labels(name: str) -> tuple[str, ...]:
    """What a unit is called where evidence is to be left out."""
    base, _dot, kind = name.rpartition(".")
    return f"{kind} {name}", f"{kind} {base}"
