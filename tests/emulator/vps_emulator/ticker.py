# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A background thread that does a thing when it is due, and sleeps in between."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from django.db import connection

AFTER_A_FAILURE = 1.0

logger = logging.getLogger(__name__)


class Ticker:
    """Calls `tick`, which returns the seconds until it wants to be called again (None: not before `wake`)."""

    def __init__(self, tick: Callable[[], float | None]) -> None:
        self._tick = tick
        self._changed = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="ticker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Have `tick` called soon: what is due next may have changed."""
        self._changed.set()

    def end(self) -> None:
        """Return when no tick runs any more."""
        self._ended = True
        self.wake()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._ended:
            try:
                pause = self._tick()
            except Exception:
                logger.exception("ending what is due failed; it is tried again")
                pause = AFTER_A_FAILURE
            self._changed.wait(pause)
            # Only here, before `_ended` is read and `tick` looks at everything: no change is missed.
            self._changed.clear()
        connection.close()
