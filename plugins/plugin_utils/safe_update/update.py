# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""The built-in update: which commands run on the host, how they ended and what they said. Pure.

files/update.sh starts such a command and tells of it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ...module_utils._errors import printable
from . import managers

# What a package's scripts are told: ask nothing, restart nothing by themselves, wait for nobody to read.
QUIET = {
    "DEBIAN_FRONTEND": "noninteractive",
    "DEBIAN_PRIORITY": "critical",
    "NEEDRESTART_MODE": "l",
    "APT_LISTCHANGES_FRONTEND": "none",
    "APT_LISTBUGS_FRONTEND": "none",
    "LC_ALL": "C.UTF-8",
}
# Escape sequences of terminals, as far as they are well formed.
ANSI = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\-_])")
# Where the work on a package begins.
STEP = re.compile(r"(Preparing to unpack|Unpacking|Setting up|Processing triggers|Removing) ")
# What is said while all goes well.
NOISE = re.compile(
    r"(Reading|Building|Calculating|Preparing to unpack|Unpacking|Selecting|Setting up|Processing triggers|Get:|Hit:"
    r"|Ign:|Fetched|Need to get|After this operation|\(Reading database|\d+ upgraded|debconf: |The following"
    r"|  [A-Za-z0-9])"
)
# Where a failure begins.
ERROR = re.compile(r"(dpkg: error|E: |Error|error:|Failed|Sub-process|Problem:|Curl error|\[Errno)", re.IGNORECASE)
# Characters of a reason: a sentence, not a log.
LONGEST = 1200


def commands(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is to run, one after the other: ``name`` (of the unit, this run's own) and ``words``.

    :param record: With its ``unfinished`` and what is ``pending``.
    """
    stamp = re.sub(r"[-:]", "", record["timeline"][0]["end"])
    name = f"safe-update-{stamp}"
    quiet = ["env", *(f"{key}={value}" for key, value in QUIET.items())]
    return [
        {"name": f"{name}{end}", "words": [*quiet, *words]}
        for end, words in managers.KNOWN[record["manager"]].commands(record)
    ]


def state(lines: Iterable[str]) -> dict[str, str]:
    """What files/update.sh says of a command: ``state``, ``result``, ``status``, ``printed`` (readable)."""
    words = [line.split(" ", 1) for line in lines if " " in line]
    said = {key: value for key, value in words if key in ("state", "result", "status")}
    return {**said, "printed": readable("".join(value for key, value in words if key == "printed"))}


def readable(encoded: str) -> str:
    """A text for people, whatever bytes it was: base64 of something, with each bad byte and control made visible."""
    try:
        raw = base64.b64decode(encoded)
    except (binascii.Error, ValueError):
        return ""
    text = ANSI.sub("", raw.decode("utf-8", errors="backslashreplace")).replace("\r\n", "\n").replace("\t", " ")
    # Of a line that was written over and over, the last is meant.
    return "\n".join(printable(line.rstrip("\r").rpartition("\r")[2].rstrip()) for line in text.split("\n"))


def reason(printed: str) -> str:
    """Of what was printed, what tells why it failed: what the package's own script said, and all from the error on."""
    lines = printed.split("\n")
    first = next((place for place, line in enumerate(lines) if ERROR.match(line.strip())), len(lines))
    begin = max((place for place, line in enumerate(lines[:first]) if STEP.match(line)), default=0)
    told = " / ".join(line.strip() for line in lines[begin:] if line.strip() and not NOISE.match(line))
    return told if len(told) <= LONGEST else f"{told[: LONGEST // 2]} ... {told[-LONGEST // 2 :]}"


def failure(found: Mapping[str, str], timeout: int) -> str:
    """Why a command did not do what it was started for, in a sentence; empty where it did.

    :param found: What `state` gives.
    :param timeout: The seconds that it had.
    """
    if found.get("state") == "none":
        return "The connection was lost before the update began, and nothing of it was done. Run again"
    if found.get("state") != "ended":
        return (
            f"The update was not over {timeout} s (safe_update_timeout) after it began, and the host has not ended it. "
            "Look at it there: systemctl status 'safe-update-*'"
        )
    if found.get("result") == "success":
        return ""
    said = reason(found["printed"])
    if found.get("result") == "timeout":
        last = f". Its last words: {said}" if said else ""
        return (
            f"The update was not over after {timeout} s (safe_update_timeout), so it was ended with all that belongs "
            f"to it{last}"
        )
    how = "was ended from outside" if found.get("result") in ("signal", "core-dump", "lost") else "failed"
    return f"The package manager {how} ({found.get('result')}, {found.get('status')}): {said or 'it said nothing'}"
