# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""The one wait: a deadline, growing polls, a flaky API tolerated."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ._client import OperationError, VpsError
from ._progress import note

FIRST_POLL = 2.0
LONGEST_POLL = 15.0
GROWTH = 1.5
LAST_LOOK = 0.5


def poll_intervals() -> Iterator[float]:
    """Seconds between polls: from 2 up to 15."""
    interval = FIRST_POLL
    while True:
        yield interval
        interval = min(interval * GROWTH, LONGEST_POLL)


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


def wait_for(wait: Wait, look: Callable[[float], dict], is_done: Callable[[dict], bool], state: dict) -> dict:
    """Poll until `is_done`, and return the state that satisfied it.

    A poll that fails in passing (no answer, 429, 5xx) is only a poll without news.

    :param look: Fetches the state; gets the seconds that are left for it.
    :param is_done: Judges a state; raises `OperationError` where no good end can come any more.
    :param state: The state as last known; it is judged first, without a poll.
    :raises OperationError: When the time is up.
    """
    deadline = time.monotonic() + wait.timeout
    trouble: VpsError | None = None
    for interval in poll_intervals():
        if is_done(state):
            return state
        left = deadline - time.monotonic()
        note(wait.what, state.get("status"), wait.usual, wait.timeout - left, wait.timeout)
        if left <= LAST_LOOK:
            break
        if trouble and getattr(trouble, "retry_after", None):
            interval = max(interval, trouble.retry_after)
        # The last look comes shortly before the deadline, and no pause after it.
        time.sleep(min(interval, left - LAST_LOOK))
        left = deadline - time.monotonic()
        if left <= 0:
            break
        try:
            state, trouble = look(left), None
        except VpsError as error:
            if not error.transient:
                error.message = f"Waiting for {wait.what}: {error.message} {wait.resume}"
                raise
            trouble = error
    raise OperationError(
        f"{wait.what} was not finished after {wait.timeout:g} s: its status was last seen as {state.get('status')}. "
        + (f"The last poll failed: {trouble.message} " if trouble else "")
        + wait.resume
    )
