# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""The writes that take minutes: sent once in effect, whatever happens to the answer, and awaited."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from . import _servers, _snapshots
from ._client import OperationError, VpsClient, VpsError
from ._wait import Wait, wait_for

# Seconds before each look for what an unanswered request may have done: three looks over 15 s.
LOOKS = (1, 4, 10)
LOOK_LIMIT = 10.0


@contextmanager
def reporting(**details: Any) -> Iterator[None]:
    """Whatever goes wrong inside, the failure also tells what had been done already."""
    try:
        yield
    except VpsError as error:
        error.details = {**details, **error.details}
        raise


def delete_snapshots(client: VpsClient, chosen: list[dict], deleted: list[dict], check_mode: bool) -> None:
    """Delete the chosen snapshots, the oldest first.

    :param deleted: Gets each snapshot that is gone, newest first, so that a failure halfway can tell.
    """
    for snapshot in reversed(_snapshots.newest_first(chosen)):
        if not check_mode:
            client.delete_snapshot(snapshot["id"])
        deleted.insert(0, snapshot)


def create_snapshot(
    client: VpsClient, server_id: int | str, name: str, description: str | None, slots: list[dict]
) -> dict:
    """Start a snapshot, or adopt the one that an unanswered request has started.

    :param slots: The server's snapshots as listed before: whatever is not among them is new. Times decide nothing.
    """
    known = [snapshot.get("id") for snapshot in slots]

    def find(within: float) -> dict | None:
        listed = _snapshots.newest_first(client.list_snapshots(server_id, within))
        return next((s for s in listed if s.get("name") == name and s.get("id") not in known), None)

    with _saying(f"Creating snapshot {name} of server {server_id}"):
        return _in_effect_once(lambda: client.create_snapshot(server_id, name, description), find)


def wait_for_snapshot(
    client: VpsClient, server_id: int | str, snapshot: dict, timeout: float, warnings: list[str]
) -> dict:
    """Wait until the snapshot is completed; one that fails or vanishes ends the wait at once."""
    wait = Wait(
        f"Snapshot {snapshot.get('name')} of server {server_id}",
        timeout,
        "The snapshot is not deleted. Run the task again to take the wait up again, with a larger wait_timeout.",
        usual="3 to 10 min",
    )
    last = snapshot

    def look(within: float) -> dict:
        nonlocal last
        for listed in client.list_snapshots(server_id, within):
            if listed.get("id") == snapshot.get("id"):
                last = listed
                return listed
        raise OperationError(
            f"Snapshot {_snapshots.label(last)} has vanished from the API's list while it was awaited: it failed, or "
            "somebody deleted it. Nothing protects the server; run the task again to make a new one."
        )

    try:
        return wait_for(wait, look, lambda state: _snapshots.is_complete(state, warnings), snapshot)
    except VpsError as error:
        error.details = {"snapshot": last, "warnings": warnings, **error.details}
        raise


def restore_snapshot(client: VpsClient, snapshot_id: int, server_key: int | str | None) -> dict:
    """Start a restore and return the server as the API then describes it.

    :param server_key: Identifies the server for looking whether an unanswered request has started the restore; None
        where the server's status cannot be read: then an unanswered request is an error at once.
    """

    def find(within: float) -> dict | None:
        server = client.get_server(server_key, within)
        return {"server": server} if server.get("status") == _servers.RESTORING else None

    with _saying(f"Restoring snapshot {snapshot_id}"):
        answer = _in_effect_once(lambda: client.restore_snapshot(snapshot_id), find if server_key is not None else None)
    server = answer.get("server")
    return server if isinstance(server, dict) else {}


def wait_for_restore(
    client: VpsClient, server_key: int | str, server: dict, timeout: float, warnings: list[str]
) -> dict:
    """Wait until a server that was seen ``restoring`` (the restore's own answer counts) has settled."""
    seen = False

    def is_done(state: dict) -> bool:
        nonlocal seen
        seen = seen or state.get("status") == _servers.RESTORING
        return _servers.has_settled(state, _servers.STEADY, warnings) and seen

    wait = Wait(
        f"The restore of server {server_key}",
        timeout,
        "A restore cannot be taken back: do not start another one, but take the wait up again with vps_server_power "
        "(state: started).",
        usual="5 to 15 min",
    )
    return _wait_for_server(wait, client, server_key, is_done, server, warnings)


def change_power(client: VpsClient, server_key: int | str, action: str, wanted: str) -> None:
    """Send a power action, once in effect."""

    def find(within: float) -> bool | None:
        return client.get_server(server_key, within).get("status") == wanted or None

    # A restart shows in no status, so nobody could tell whether a lost one was carried out.
    with _saying(f"Power action {action} for server {server_key}"):
        _in_effect_once(lambda: client.power_server(server_key, action), None if action == "restart" else find)


def wait_for_power(client: VpsClient, server_key: int | str, wanted: str, timeout: float, warnings: list[str]) -> dict:
    """Wait until the server has the wanted status."""

    def is_done(state: dict) -> bool:
        # Not yet known: what the status was before the action counts for nothing.
        return bool(state) and _servers.has_settled(state, (wanted,), warnings)

    wait = Wait(f"Server {server_key} to be {wanted}", timeout, "Run the task again to take the wait up again.")
    return _wait_for_server(wait, client, server_key, is_done, {}, warnings)


def _wait_for_server(
    wait: Wait,
    client: VpsClient,
    server_key: int | str,
    is_done: Callable[[dict], bool],
    server: dict,
    warnings: list[str],
) -> dict:
    last = server

    def look(within: float) -> dict:
        nonlocal last
        last = client.get_server(server_key, within)
        return last

    try:
        return wait_for(wait, look, is_done, server)
    except VpsError as error:
        error.details = {"server": _servers.describe(last), "warnings": warnings, **error.details}
        raise


@contextmanager
def _saying(what: str) -> Iterator[None]:
    """Begin the message of a failure with what was tried."""
    try:
        yield
    except VpsError as error:
        error.message = f"{what}: {error.message}"
        raise


def _in_effect_once(write: Callable[[], Any], find: Callable[[float], Any] | None) -> Any:
    """Send a write that must not happen twice.

    After an answer that leaves open whether it was processed, look first: what is found is adopted. Only where three
    looks find nothing it is sent once more, followed by the same looks.

    :param find: Looks for the effect: returns it, or None; gets the seconds it may take. None: nobody can look.
    """
    try:
        return write()
    except VpsError as error:
        if not error.ambiguous:
            raise
        if find is None:
            error.message += " Nobody can tell whether it was carried out: look at the provider's panel first."
            raise
        found = _look_for(find, error)
    if found is not None:
        return found
    try:
        return write()
    except VpsError as error:
        # Even a clear refusal may be the echo of the first request, processed late.
        found = _look_for(find, error)
        if found is not None:
            return found
        if error.ambiguous:
            error.message += " It was sent twice and three looks over 15 s after each found no trace of it."
        raise


def _look_for(find: Callable[[float], Any], doubt: VpsError) -> Any:
    """What three looks over 15 s find, or None; raises where the last look failed, for then nobody knows."""
    trouble: VpsError | None = None
    for pause in LOOKS:
        time.sleep(pause)
        try:
            found, trouble = find(LOOK_LIMIT), None
        except VpsError as error:
            found, trouble = None, error
        if found is not None:
            return found
    if trouble:
        doubt.message += (
            f" Looking for it failed too ({trouble.message}), so it was not sent again. Run the task again."
        )
        raise doubt
    return None
