# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""Which snapshots of a server are the role's own, and what may become of them. Pure.

Of no other snapshot does the role ever delete any.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ...module_utils._snapshots import FAILED, READY, newest_first

# The documented limit of a server.
LIMIT = 5


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


def rotated(slots: list[dict[str, Any]], prefix: str) -> dict[str, Any] | None:
    """The own one that goes to make room; never the last one, and none while there is room."""
    mine = completed(own(slots, prefix))
    return mine[-1] if len(slots) >= LIMIT and len(mine) > 1 else None


def rivals(slots: list[dict[str, Any]], prefix: str, known: Iterable[int], ours: int) -> list[dict[str, Any]]:
    """Own ones that the preflight has not seen and that are older than this run's: another run was first.

    Ids are given in the order in which the service took the requests.
    """
    seen = set(known)
    return [each for each in own(slots, prefix) if each["id"] not in seen and each["id"] < ours]


def prunable(
    slots: list[dict[str, Any]], prefix: str, until: str, keep: int, hold: Iterable[Any] = ()
) -> list[dict[str, Any]]:
    """What a success deletes: own ones up to this run's, beyond the newest completed ones to keep.

    :param until: The name of this run's snapshot: what came after it is another run's. Empty: nothing may go.
    :param hold: Ids and names that stay in any case.
    """
    held = {str(each) for each in hold}
    mine = [each for each in own(slots, prefix) if each["name"] <= until]
    spared = {each["id"] for each in completed(mine)[:keep]}
    return [
        each
        for each in mine
        if each["status"] in (READY, *FAILED)
        and each["id"] not in spared
        and not {str(each["id"]), each["name"]} & held
    ]


def leftovers(slots: list[dict[str, Any]], prefix: str, keep: int, rotates: bool) -> list[dict[str, Any]]:
    """What a success will delete beside the new one, for a rehearsal."""
    mine = completed(own(slots, prefix))
    return (mine[:-1] if rotates else mine)[max(keep - 1, 0) :]
