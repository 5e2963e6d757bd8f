# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""Servers in both shapes that the API is known to use, and which one is meant."""

from __future__ import annotations

import re
import uuid
from typing import Any

from ._client import VpsClient
from ._errors import ApiError, OperationError, VpsError
from ._shapes import identities, number

RESTORING = "restoring"
STEADY = ("active", "stopped")
# Guess: the API documents no status for a server whose restore failed.
BROKEN = ("failed", "error")
# What the key of a secret is made of, in a server as the API sends it.
SECRET = re.compile(r"passw|passphrase|pass(?![a-z])|pwd|token|secret|credential|keys?(?![a-z])", re.IGNORECASE)


def parse_server_id(text: str | int) -> int | str:
    """The integer or the UUID that the text stands for."""
    text = str(text).strip()
    known = number(text)
    if known is not None:
        return known
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise VpsError(
            f"server_id {text[:80]!r} is neither an integer nor a UUID. Nothing was sent; vps_server_info shows the id "
            "of each server."
        ) from None


def resolve_server_id(client: VpsClient, text: str | int | None) -> int | str | None:
    """The identifier that the Snapshots API wants: an integer as it is, a UUID by one more GET; None for None."""
    server_id = None if text is None else parse_server_id(text)
    if server_id is None or isinstance(server_id, int):
        return server_id
    # An answer without a UUID is the documented form; one with another UUID is refused where it is read.
    # Guess: where a server has no integer id at all, its UUID is what the Snapshots API takes.
    known = describe(client.get_server(server_id))["id"]
    return server_id if known is None else known


def find_server(client: VpsClient, server_id: int | str) -> tuple[int | str, dict]:
    """The identifier by which the Servers API knows a server, and the server as the API describes it.

    :raises ApiError: Where the token may not read servers, or there is no such server.
    """
    try:
        return server_id, client.get_server(server_id)
    except ApiError as error:
        if error.status_code != 404:
            raise
        # Guess: an API that names servers by UUID may know the integer id from its list alone.
        for server in client.list_servers():
            known = describe(server)
            if known["uuid"] and str(server_id) in (str(known["id"]), known["uuid"]):
                return known["uuid"], server
        raise


def list_servers(client: VpsClient, server_id: str | None = None, status: str | None = None) -> list[dict]:
    """All servers, or the one of an id (an empty list where there is none)."""
    if server_id is None:
        return client.list_servers(status=status)
    try:
        return [find_server(client, parse_server_id(server_id))[1]]
    except ApiError as error:
        if error.status_code != 404:
            raise
        return []


def plan_power(server: dict, state: str, force: bool) -> list[tuple[str, str]]:
    """The actions that bring a server into a power state, each with the status that it leads to.

    :raises VpsError: Where the server is suspended or being restored.
    """
    status = server.get("status")
    if status in (RESTORING, "suspended"):
        raise VpsError(
            f"Refused: {server_label(server)} is {status}, so its power is not touched. "
            + ("Wait until it is restored." if status == RESTORING else "Ask the provider why."),
            server=describe(server),
        )
    start, stop = ("start", "active"), ("hard_stop" if force else "stop", "stopped")
    if state == "started":
        return [] if status == "active" else [start]
    if state == "stopped":
        return [] if status == "stopped" else [stop]
    if status == "stopped":
        return [start]
    return [stop, start] if force else [("restart", "active")]


def before_restore(client: VpsClient, owner: dict, must_read: bool) -> tuple[int | str | None, dict]:
    """The server that is about to be restored: its identifier (None where it cannot be read) and how it is now.

    :param owner: The server as the snapshot names it.
    :param must_read: Whether a server whose status cannot be read is refused.
    :raises VpsError: Where it is being restored already.
    """
    try:
        server_key, server = find_server(client, identities(owner)[0])
    except ApiError as error:
        if not must_read:
            return None, owner
        error.message = (
            f"Nothing was restored: the status of server {identities(owner)[0]}, by which the restore would be "
            f"awaited, cannot be read: {error.message} Or use wait: false."
        )
        raise
    if server.get("status") == RESTORING:
        raise VpsError(
            f"Refused: {server_label(server)} is being restored already, and nobody can tell from which snapshot. "
            "Wait until it is active or stopped (vps_server_info).",
            server=describe(server),
        )
    return server_key, server


def expect_restored(before: dict, wait: bool, warnings: list[str]) -> dict:
    """The server as a restore will show it, as far as that can be known before.

    :param before: The server as it is now; without a status where that could not be read.
    :param warnings: Gets a line where it cannot be known.
    """
    status = before.get("status")
    if status in (*STEADY, None):
        return {**before, "status": "active" if wait else RESTORING}
    warnings.append(
        f"{server_label(before)} is {status}. The API restores a server only in a state that allows it, so nobody can "
        "tell beforehand whether it will: no status is predicted."
    )
    return {**before, "status": None}


def expected_owner(client: VpsClient, server_id: int | str) -> dict:
    """The server as a new snapshot will name it.

    :raises ApiError: Where the account certainly has no such server; where that cannot be told, its name is None.
    """
    unknown = {"id": server_id, "name": None}
    try:
        return {**unknown, "name": describe(client.get_server(server_id))["name"]}
    except ApiError as error:
        if error.status_code != 404:
            return unknown
        try:
            servers = [describe(server) for server in client.list_servers()]
        except ApiError:
            return unknown
        known = [server["id" if isinstance(server_id, int) else "uuid"] for server in servers]
        if any(known) and server_id not in known:
            raise
        return unknown


def describe(server: dict) -> dict:
    """One shape for a server, whichever the API used; `raw` is what it sent."""
    number = server.get("id")
    hostname = server.get("hostname") or server.get("name")
    return {
        "id": number if isinstance(number, int) else None,
        "uuid": server.get("uuid") or (number if isinstance(number, str) else None),
        "name": server.get("name") or hostname,
        "hostname": hostname,
        "status": server.get("status"),
        "ipv4": _addresses(server, "ipv4_addresses", "ip_address"),
        "ipv6": _addresses(server, "ipv6_addresses", "ipv6_address"),
        "location": _named(server, "location_name", "location"),
        "plan": _named(server, "plan_name", "plan"),
        "os": _named(server, "os_name", "os", "operating_system_version", "operating_system"),
        "created_at": server.get("created_at"),
        # The vendor's client shows that a password may be among the details.
        "raw": _without_secrets(server),
    }


def _without_secrets(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_secrets(item) for key, item in value.items() if not _is_secret(key)}
    return value


def _is_secret(key: str) -> bool:
    """Whether a key is called like a password, a token, or a key that is not public."""
    return bool(SECRET.search(key)) and not re.search("pub(lic)?_?keys?$", key, re.IGNORECASE)


def _addresses(server: dict, *keys: str) -> list[str]:
    for key in keys:
        value = server.get(key)
        if value:
            addresses = value if isinstance(value, list) else str(value).split(",")
            return [str(a.get("address") or a.get("ip") if isinstance(a, dict) else a).strip() for a in addresses]
    return []


def _named(server: dict, *keys: str) -> Any:
    for key in keys:
        value = server.get(key)
        if isinstance(value, dict):
            value = value.get("name")
        if value:
            return value
    return None


def server_label(server: dict) -> str:
    """One server in a message."""
    known = describe(server)
    return f"server {known['name']} (id {known['id'] or known['uuid']})"


def has_settled(server: dict, wanted: tuple[str, ...], warnings: list[str]) -> bool:
    """Whether the server has one of the wanted statuses.

    :param warnings: Gets a line, once, for a status that is not documented.
    :raises OperationError: Where the status says that what was awaited failed.
    """
    status = server.get("status")
    if status in wanted:
        return True
    if status in BROKEN:
        raise OperationError(
            f"The API reports {server_label(server)} as {status}. Look at its console at the provider before anything "
            "else; its snapshots are untouched.",
            server=describe(server),
        )
    if status not in (*STEADY, RESTORING, "suspended"):
        warning = (
            f"The API reports {server_label(server)} as {status}, which is not documented; it counts as not finished."
        )
        if warning not in warnings:
            warnings.append(warning)
    return False
