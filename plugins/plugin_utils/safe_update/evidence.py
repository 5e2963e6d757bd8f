# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""What a host is and runs, as files/inspect.sh says it: a fact is a line, so comparing is a matter of sets. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

# What has to be there again; what an update changes at all.
WANTED = ("service ", "port ", "mount ")
STATE = re.compile(r"(boot|package|unfinished)( |$)")


def lines(inspection: Mapping[str, Any] | None) -> list[str]:
    """The facts of an inspection, as Ansible registered it; none where the host said nothing."""
    return [str(line) for line in (inspection or {}).get("stdout_lines") or []]


def busy(facts: Iterable[str]) -> list[str]:
    """The locks of package managers that are at work."""
    return sorted(_named(facts, "busy "))


def unfinished(facts: Iterable[str]) -> list[str]:
    """The packages that an earlier run left half done."""
    return sorted(_named(facts, "unfinished "))


def asks_for_restart(facts: Iterable[str]) -> bool:
    """Whether the system asks for a restart."""
    return "reboot-required" in facts


def has_booted(before: Iterable[str], now: Iterable[str]) -> bool:
    """Whether the host runs since another boot than before."""
    return bool(_named(now, "boot ") - _named(before, "boot "))


def missing(before: list[str], now: list[str]) -> list[str]:
    """What ran before and does not run now, and what has failed since, as words."""
    gone = [line for line in before if line.startswith(WANTED) and line not in now]
    failed = [line for line in now if line.startswith("failed ") and line not in before]
    return [f"missing {line}" for line in gone] + [f"now {line.replace('failed ', 'failed: ', 1)}" for line in failed]


def is_as_before(before: Iterable[str], now: list[str]) -> bool:
    """Whether packages and boot are the same, so that an update has changed nothing. Unknown is no."""
    return bool(now) and set(filter(STATE.match, now)) == set(filter(STATE.match, before))


def packages(before: Iterable[str], now: Iterable[str]) -> list[dict[str, str]]:
    """The packages that are not as before: ``name``, ``old`` and ``new`` version, empty where there is none."""
    old, new = _versions(before), _versions(now)
    return [
        {"name": name, "old": old.get(name, ""), "new": new.get(name, "")}
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def _named(facts: Iterable[str], kind: str) -> set[str]:
    return {line.removeprefix(kind) for line in facts if line.startswith(kind)}


def _versions(facts: Iterable[str]) -> dict[str, str]:
    words = [line.split(" ") for line in facts if line.startswith("package ")]
    return {word[1]: word[2] for word in words if len(word) == 3}
