# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""What takes several calls: writes sent once in effect, whatever happens to the answer, and the one wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from . import _servers, _snapshots
from ._client import VpsClient
from ._errors import ADVICE_ON_NONSENSE, ApiError, BadAnswerError, OperationError, VpsError
from ._progress import Progress
from ._shapes import is_of_server

# Seconds before each look for what an unanswered request may have done: three looks over 15 s.
LOOKS = (1, 4, 10)
LOOK_LIMIT = 10.0

# Seconds between the polls of a wait: the first, the longest, and by what each is longer than the one before.
FIRST_POLL = 2.0
LONGEST_POLL = 15.0
GROWTH = 1.5
# The last look comes so many seconds before the deadline.
LAST_LOOK = 0.5


class VanishedError(OperationError):
    """A snapshot that is awaited is not listed."""


@contextmanager
def reporting(**details: Any) -> Iterator[None]:
    """Whatever goes wrong inside, the failure also tells what had been done already.

    :param details: What is returned beside ``msg``; what is callable is called when it is needed.
    """
    try:
        yield
    except VpsError as error:
        known = {key: value() if callable(value) else value for key, value in details.items()}
        error.details = {**known, **error.details}
        raise


def list_candidates(client: VpsClient, server_id: int | str | None, snapshot_id: int | None) -> list[dict]:
    """The snapshots among which the one that is meant must be: those of the server, if one is named.

    Only where it has none of that id, the whole account is read: one of another server is refused, not taken for gone.
    """
    listed = client.list_snapshots(server_id)
    if server_id is None or snapshot_id is None or any(snapshot["id"] == snapshot_id for snapshot in listed):
        return listed
    return client.list_snapshots()


def delete_snapshots(client: VpsClient, chosen: list[dict], deleted: list[dict], check_mode: bool) -> None:
    """Delete the chosen snapshots, the oldest first.

    :param deleted: Gets each snapshot that was deleted, newest first, so that a failure halfway can tell; not those
        that were gone already.
    """
    for snapshot in reversed(_snapshots.newest_first(chosen)):
        if check_mode or client.delete_snapshot(snapshot["id"], _snapshots.owner(snapshot)):
            deleted.insert(0, snapshot)


class Creation:
    """A snapshot that is made, and what else of its server and name turns up meanwhile.

    Of several made at once the oldest stays; of ours, only one that an answer of ours has named is ever deleted. What
    was listed before counts for nothing: ids are compared, never times.

    :param slots: The server's snapshots as listed before.
    :param warnings: Gets a line for what the user has to know.
    """

    def __init__(
        self, client: VpsClient, server_id: int | str, name: str, slots: list[dict], warnings: list[str]
    ) -> None:
        self._client = client
        self._server_id = server_id
        self._name = name
        self._known = [snapshot["id"] for snapshot in slots]
        self._warnings = warnings
        # The id that an answer of ours has named, as long as that snapshot is ours to delete.
        self._own_id: int | None = None
        # Whether a request without an answer may still be processed.
        self._is_astray = False
        self._others: list[dict] = []
        # Why nobody has yet looked whether others made one at the same time.
        self._unseen: VpsError | None = None
        self.snapshot: dict = {}
        self.changed = True

    def start(self, description: str | None) -> None:
        """Send the create, once in effect, and look whether others made one at the same time."""

        def write() -> dict:
            made = self._client.create_snapshot(self._server_id, self._name, description)
            # What an answer names may be deleted later, so it must be new, and the one that was asked for.
            if made["id"] in self._known or made["name"] != self._name or is_of_server(made, self._server_id) is False:
                raise BadAnswerError(
                    "POST /snapshots/ was accepted, but the answer describes another snapshot: "
                    f"{_snapshots.label(made)}. {ADVICE_ON_NONSENSE}"
                )
            return made

        with _saying(f"Creating snapshot {self._name} of server {self._server_id}"):
            try:
                effect = _send_once(write, self._find)
            except ApiError as error:
                # Others who were faster may have taken the last slot for the very same snapshot.
                adopted = None if error.ambiguous else self._find_or_none()
                if adopted is None:
                    raise
                effect, self.changed = Effect(adopted), False
        self.snapshot = effect.result
        self._is_astray = effect.is_resent
        if effect.is_answered:
            self._own_id = self.snapshot["id"]
            try:
                _look(self._client, self._server_id, self.follow, LOOK_LIMIT)
                if self.snapshot["id"] == self._own_id:
                    self.snapshot = effect.result
            except VpsError as error:
                self._unseen = error

    def look_again(self) -> None:
        """Give the others that made one at the same time the time to give way."""
        for pause in LOOKS:
            # What is astray is our own, and gives way to nobody.
            if not self._others or self._is_astray:
                return
            time.sleep(pause)
            with suppress(VpsError):
                _look(self._client, self._server_id, self.follow, LOOK_LIMIT)

    def follow(self, listed: list[dict]) -> dict:
        """Take in the server's snapshots as they are now; return the one that counts.

        :raises VanishedError: Where it is not listed, and no older one of its name stands in for it.
        """
        new = _snapshots.new_of_name(listed, self._name, self._known)
        ids = [snapshot["id"] for snapshot in new]
        if self._own_id in ids[1:]:
            self._give_way(new[0])
        current = next((each for each in listed if each["id"] == self.snapshot["id"]), None)
        # Whoever makes several at once keeps the oldest; any other one has nothing to do with this one.
        if current is None and not (new and new[0]["id"] < self.snapshot["id"]):
            raise VanishedError(_vanished(self.snapshot), snapshot=self.snapshot)
        self._unseen = None
        is_lost = current is None or current["status"] in _snapshots.FAILED
        # One that is somebody else's is never held to: a list may have left out the oldest, which alone stays.
        is_foreign = self._own_id is None and not self._is_astray
        self.snapshot = new[0] if new and (is_lost or is_foreign) else current
        self._others = [each for each in new if each["id"] != self.snapshot["id"]]
        return self.snapshot

    def settle_two(self, wait: Callable[[dict], dict] | None) -> None:
        """Where a second snapshot stands: name both, or keep one, if a request of ours is unaccounted for.

        What turned up may be somebody else's, so of the two ours goes, which an answer named, once both are complete.

        :param wait: Waits for a snapshot; None where nobody waits.
        """
        if self._unseen:
            self._warn(
                f"Snapshot {_snapshots.label(self.snapshot)} was started, but whether another run made one of that "
                f"name at the same time could not be looked up: {self._unseen}"
            )
        if not self._is_astray and not self._others:
            return
        if not self._others:
            self._warn(
                "A request to create this snapshot got no answer and may still be processed: if a second snapshot "
                f"{self._name} of server {self._server_id} turns up, delete one of them by its snapshot_id."
            )
            return
        late = self._others[0]
        try:
            late = wait(late) if wait and self._is_astray and self._own_id is not None else None
        except VpsError:
            late = None
        if late is None:
            self._warn_of_two(self.snapshot, self._others[0])
            return
        self._give_way(late)
        self.changed = True

    def _find(self, within: float) -> dict | None:
        new = _snapshots.new_of_name(self._client.list_snapshots(self._server_id, within), self._name, self._known)
        return new[0] if new else None

    def _find_or_none(self) -> dict | None:
        try:
            return self._find(LOOK_LIMIT)
        except VpsError:
            return None

    def _give_way(self, other: dict) -> None:
        """Delete the snapshot that our answer named, in favour of another one of the same server and name."""
        own = {**self.snapshot, "id": self._own_id}
        self._own_id = None
        try:
            self._client.delete_snapshot(own["id"], self._server_id)
            self.changed = False
        except VpsError as error:
            self._warn_of_two(other, own, f" Deleting the second one failed: {error}")
        self.snapshot = other

    def _warn_of_two(self, first: dict, second: dict, why: str = "") -> None:
        self._warn(
            f"Server {self._server_id} has two new snapshots of the name {self._name}: ids {first['id']} and "
            f"{second['id']}.{why} Look at both with vps_snapshot_info, and delete one by its snapshot_id."
        )

    def _warn(self, text: str) -> None:
        if text not in self._warnings:
            self._warnings.append(text)


def create_snapshot(
    client: VpsClient, server_id: int | str, params: dict[str, Any], slots: list[dict], warnings: list[str]
) -> tuple[dict, bool]:
    """Make a snapshot, or adopt the one that others made at the same time, and wait for it if that is wanted.

    :param params: The module's ``name``, ``description``, ``wait`` and ``wait_timeout``.
    :param slots: The server's snapshots as listed before.
    :return: The snapshot, and whether it is one more than before.
    """
    creation = Creation(client, server_id, params["name"], slots, warnings)
    creation.start(params["description"])
    client.has_written = client.has_written or creation.changed
    if not params["wait"]:
        creation.look_again()
        creation.settle_two(None)
        return creation.snapshot, creation.changed
    deadline = time.monotonic() + params["wait_timeout"]
    _wait_for_snapshot(client, server_id, creation.snapshot, params["wait_timeout"], warnings, follow=creation.follow)
    creation.look_again()
    creation.settle_two(
        lambda late: _wait_for_snapshot(
            client,
            server_id,
            late,
            max(0, round(deadline - time.monotonic())),
            warnings,
            follow=lambda listed: _present(late, listed),
        )
    )
    return creation.snapshot, creation.changed


def wait_for_snapshot(
    client: VpsClient, server_id: int | str, snapshot: dict, params: dict[str, Any], warnings: list[str]
) -> dict:
    """Wait until the snapshot is completed; one that fails ends the wait at once.

    :param params: The module's ``wait_timeout``, and ``snapshot_id``, which insists on that one; else an older one of
        its name goes before it, as whoever makes several at once deletes all but the oldest.
    """
    insisted = params["snapshot_id"]

    def follow(listed: list[dict]) -> dict:
        namesakes = [] if insisted else _snapshots.new_of_name(listed, snapshot["name"], ())
        older = [each for each in namesakes if each["id"] < snapshot["id"]]
        return older[0] if older else _present(snapshot, listed, insisted)

    return _wait_for_snapshot(client, server_id, snapshot, params["wait_timeout"], warnings, follow, insisted)


def _wait_for_snapshot(
    client: VpsClient,
    server_id: int | str,
    snapshot: dict,
    timeout: float,
    warnings: list[str],
    follow: Callable[[list[dict]], dict],
    insisted: int | None = None,
) -> dict:
    """Wait for a snapshot.

    :param follow: Returns the snapshot that counts among those of the server; raises where there is none any more.
    :param insisted: The id that the task insists on, if it does.
    """
    last = snapshot

    def look(within: float) -> dict:
        nonlocal last
        last = _look(client, server_id, follow, within)
        return last

    wait = Wait(
        f"Snapshot {snapshot['name']} of server {server_id}",
        timeout,
        "The snapshot is not deleted. Run the task again to take the wait up again. One that takes more than an hour "
        "is stuck: ask VPS.org, or delete it by its snapshot_id (state: absent).",
        usual="3 to 10 min",
    )

    def is_done(state: dict) -> bool:
        return _snapshots.is_complete(state, warnings, insisted)

    with reporting(snapshot=lambda: last, warnings=warnings):
        return wait_for(wait, look, is_done, snapshot, client.progress)


def _look(client: VpsClient, server_id: int | str, follow: Callable[[list[dict]], dict], within: float) -> dict:
    """Follow a snapshot in the server's list; where it is missing, the list is read three times more, over 15 s.

    A service may count a list before it reads it, and so leave out the oldest one while others are made and deleted.

    :raises VanishedError: Where it stays missing.
    """
    deadline = time.monotonic() + within
    for pause in LOOKS:
        try:
            return follow(client.list_snapshots(server_id, deadline - time.monotonic()))
        except VanishedError:
            if deadline - time.monotonic() <= pause:
                raise
        time.sleep(pause)
    return follow(client.list_snapshots(server_id, deadline - time.monotonic()))


def _present(snapshot: dict, listed: list[dict], insisted: int | None = None) -> dict:
    """The snapshot as it is listed."""
    for each in listed:
        if each["id"] == snapshot["id"]:
            return each
    raise VanishedError(_vanished(snapshot, insisted))


def _vanished(snapshot: dict, insisted: int | None = None) -> str:
    return (
        f"Snapshot {_snapshots.label(snapshot)} has vanished from the API's list of that server while it was awaited: "
        f"it failed, somebody deleted it, or the list is wrong. Do not rely on it. {_snapshots.next_step(insisted)}"
    )


def restore_snapshot(client: VpsClient, snapshot: dict, server_key: int | str | None) -> tuple[dict, bool]:
    """Start a restore.

    :param server_key: Identifies the server for looking whether an unanswered request has started the restore; None
        where the server's status cannot be read: then an unanswered request is an error at once.
    :return: The server as the API then describes it, and whether an answer says that it is being restored from this
        snapshot; else that it is being restored is all that anybody knows.
    """

    def find(within: float) -> dict | None:
        server = client.get_server(server_key, within)
        return {"server": server} if server.get("status") == _servers.RESTORING else None

    with _saying(f"Restoring snapshot {snapshot['id']}"):
        effect = _send_once(lambda: client.restore_snapshot(snapshot), find if server_key is not None else None)
    client.has_written = True
    return effect.result.get("server", {}), effect.is_answered


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
    return _wait_for_server(wait, client, server_key, is_done, server, server, warnings)


def change_power(client: VpsClient, server_key: int | str, action: str, wanted: str) -> None:
    """Send a power action, once in effect."""

    def find(within: float) -> bool | None:
        return client.get_server(server_key, within).get("status") == wanted or None

    # A restart shows in no status, so nobody could tell whether a lost one was carried out.
    with _saying(f"Power action {action} for server {server_key}"):
        _send_once(lambda: client.power_server(server_key, action), None if action == "restart" else find)
    client.has_written = True


def wait_for_power(
    client: VpsClient, server_key: int | str, wanted: str, before: dict, timeout: float, warnings: list[str]
) -> dict:
    """Wait until the server has the wanted status.

    :param before: The server as last seen.
    """

    def is_done(state: dict) -> bool:
        # Not yet known: what the status was before the action counts for nothing.
        return bool(state) and _servers.has_settled(state, (wanted,), warnings)

    wait = Wait(f"Server {server_key} to be {wanted}", timeout, "Run the task again to take the wait up again.")
    return _wait_for_server(wait, client, server_key, is_done, {}, before, warnings)


def _wait_for_server(
    wait: Wait,
    client: VpsClient,
    server_key: int | str,
    is_done: Callable[[dict], bool],
    state: dict,
    last: dict,
    warnings: list[str],
) -> dict:
    """Wait for a server.

    :param state: What is judged before the first poll; empty where that is none of what was known before.
    :param last: The server as last seen.
    """

    def look(within: float) -> dict:
        nonlocal last
        last = client.get_server(server_key, within)
        return last

    with reporting(server=lambda: _servers.describe(last), warnings=warnings):
        return wait_for(wait, look, is_done, state, client.progress)


@dataclass(frozen=True)
class Wait:
    """What a wait is about.

    :param what: Names what is awaited, for messages and progress.
    :param timeout: Seconds from now until it gives up.
    :param resume: Tells how to take it up again.
    :param usual: The documented usual duration, if there is one.
    """

    what: str
    timeout: float
    resume: str
    usual: str = ""


def poll_intervals() -> Iterator[float]:
    """Seconds between polls: from 2 up to 15."""
    interval = FIRST_POLL
    while True:
        yield interval
        interval = min(interval * GROWTH, LONGEST_POLL)


def wait_for(
    wait: Wait,
    look: Callable[[float], dict],
    is_done: Callable[[dict], bool],
    state: dict,
    progress: Progress | None = None,
) -> dict:
    """Poll until `is_done`, and return the state that satisfied it.

    A poll that fails in passing (no answer, 429, 5xx) is only a poll without news.

    :param look: Fetches the state; gets the seconds that are left for it.
    :param is_done: Judges a state; raises `OperationError` where no good end can come any more.
    :param state: The state as last known; it is judged first, without a poll.
    :param progress: Is told how the wait stands, before each pause.
    :raises OperationError: When the time is up.
    """
    deadline = time.monotonic() + wait.timeout
    trouble: VpsError | None = None
    for interval in poll_intervals():
        if is_done(state):
            return state
        left = deadline - time.monotonic()
        if left <= LAST_LOOK:
            break
        pause = max(interval, trouble.retry_after or 0) if trouble else interval
        pause = min(pause, left - LAST_LOOK)
        _pause(pause, wait, state, wait.timeout - left, progress)
        left = deadline - time.monotonic()
        if left <= 0:
            break
        try:
            state, trouble = look(left), None
        except VpsError as error:
            if not error.transient:
                # What ended the wait for good says itself what to do.
                resume = "" if isinstance(error, OperationError) else f" {wait.resume}"
                error.message = f"Waiting for {wait.what}: {error.message}{resume}"
                raise
            trouble = error
    raise OperationError(
        f"{wait.what} was not finished after {wait.timeout:g} s: its status was last seen as {state.get('status')}. "
        + (f"The last poll failed: {trouble.message} " if trouble else "")
        + wait.resume
    )


def _pause(seconds: float, wait: Wait, state: dict, elapsed: float, progress: Progress | None) -> None:
    """Sleep, and tell how the wait stands whenever it is time for that."""
    while progress and progress.interval and seconds > progress.interval:
        progress.note(wait.what, state.get("status"), wait.usual, elapsed, wait.timeout)
        time.sleep(progress.interval)
        seconds, elapsed = seconds - progress.interval, elapsed + progress.interval
    if progress and progress.interval:
        progress.note(wait.what, state.get("status"), wait.usual, elapsed, wait.timeout)
    time.sleep(seconds)


@contextmanager
def _saying(what: str) -> Iterator[None]:
    """Begin the message of a failure with what was tried."""
    try:
        yield
    except VpsError as error:
        error.message = f"{what}: {error.message}"
        raise


@dataclass(frozen=True)
class Effect:
    """What came of a write.

    :param result: What the write returned, or what was found of its effect.
    :param is_answered: Whether an answer of our own says so.
    :param is_resent: Whether it was sent twice, so that the first request may still be processed.
    """

    result: Any
    is_answered: bool = False
    is_resent: bool = False


def _send_once(write: Callable[[], Any], find: Callable[[float], Any] | None) -> Effect:
    """Send a write that must not happen twice.

    After an answer that leaves open whether it was processed, look first: what is found is adopted. Only where three
    looks find nothing it is sent once more, followed by the same looks.

    :param find: Looks for the effect: returns it, or None; gets the seconds it may take. None: nobody can look.
    """
    try:
        return Effect(write(), is_answered=True)
    except VpsError as error:
        if not error.ambiguous:
            raise
        if find is None:
            error.message += " Nobody can tell whether it was carried out: look at the provider's panel first."
            raise
        found = _look_for(find, error)
    if found is not None:
        return Effect(found)
    try:
        return Effect(write(), is_answered=True, is_resent=True)
    except VpsError as error:
        # Even a clear refusal may be the echo of the first request, processed late.
        found = _look_for(find, error)
        if found is not None:
            return Effect(found, is_resent=True)
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
