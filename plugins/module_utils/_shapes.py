# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""The one check of what the API sends: each function returns the item in its documented shape, or None."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LARGEST_ID = 2**63 - 1
DIGITS = re.compile(r"0|[1-9][0-9]{0,18}")


def number(value: Any) -> int | None:
    """The integer that an id is, also where it comes as digits in text."""
    if isinstance(value, str) and DIGITS.fullmatch(value):
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_ID else None


def identifier(value: Any) -> int | str | None:
    """The id of a server: an integer, else a text that is not blank."""
    known = number(value)
    return value if known is None and isinstance(value, str) and value.strip() else known


def owner(value: Any) -> dict | None:
    """The server that an item belongs to, as an object with an id or a UUID; it may come as its bare id."""
    if not isinstance(value, dict):
        value = {"id": value, "name": None}
    return _identified(value)


def server(item: Any) -> dict | None:
    """A server, in either of the shapes that are known."""
    known = _identified(item) if isinstance(item, dict) else None
    return known if known and isinstance(known.get("status", ""), str) else None


def snapshot(item: Any) -> dict | None:
    """A snapshot: a number as its id, a name, a status, and a server."""
    return _owned(item, "name", "status")


def backup(item: Any) -> dict | None:
    """A backup: a number as its id, and a server."""
    return _owned(item)


def _identified(item: dict) -> dict | None:
    """An object with an id or a UUID, its id as `identifier` has it."""
    known = {key: identifier(item[key]) for key in ("id", "uuid") if item.get(key) is not None}
    usable = known and None not in known.values() and isinstance(known.get("uuid", ""), str)
    return {**item, **known} if usable else None


def _owned(item: Any, *texts: str) -> dict | None:
    """An item of a server, with these keys as texts."""
    if not isinstance(item, dict) or not all(isinstance(item.get(key), str) for key in texts):
        return None
    known, belongs_to = number(item.get("id")), owner(item.get("server"))
    return None if known is None or belongs_to is None else {**item, "id": known, "server": belongs_to}


@dataclass(frozen=True)
class Kind:
    """A kind of items that the API lists.

    :param path: Where it lists them.
    :param plural: What they are called in messages.
    :param shape: Returns an item in its documented shape, or None.
    """

    path: str
    plural: str
    shape: Callable[[Any], dict | None]


SNAPSHOTS = Kind("/snapshots/", "snapshots", snapshot)
SERVERS = Kind("/servers/", "servers", server)
BACKUPS = Kind("/backups/", "backups", backup)


def identities(server: dict) -> list[int | str]:
    """By what a server may be named: its id, its UUID, or both."""
    return [server[key] for key in ("id", "uuid") if server.get(key) is not None]


def is_of_server(item: dict, server_id: int | str) -> bool | None:
    """Whether an item belongs to the server; None where the two name servers in ways that cannot be compared."""
    return is_server(item["server"], server_id)


def is_server(server: dict, server_id: int | str) -> bool | None:
    """Whether this is the server of that id or UUID; None where it is named in a way that cannot be compared."""
    names = identities(server)
    if str(server_id).lower() in (str(name).lower() for name in names):
        return True
    return False if any(isinstance(name, type(server_id)) for name in names) else None


def oddity_of_restore(answer: Any, snapshot: dict) -> str | None:
    """What the answer to a restore says that cannot be about this snapshot, or None; it may leave things out."""
    if not isinstance(answer, dict):
        return None
    about, server = answer.get("snapshot"), answer.get("server")
    if answer.get("status") not in (None, "success"):
        return f"says {str(answer['status'])[:40]!r}: {str(answer.get('message'))[:300]}"
    if isinstance(about, dict) and about.get("id") is not None and number(about["id"]) != snapshot["id"]:
        return f"names snapshot {str(about['id'])[:40]}"
    known = owner(server) if server is not None else None
    if known and any(is_server(known, name) is False for name in identities(snapshot["server"])):
        return f"names server {identities(known)[0]}"
    return None
