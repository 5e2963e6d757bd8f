# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""What a wait tells while it lasts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ._errors import printable


@dataclass
class Progress:
    """Tells every few seconds how a wait stands.

    :param host: The host whose task it is.
    :param interval: Seconds between the lines.
    :param tell: Shows a line to a person.
    """

    host: str
    interval: float
    tell: Callable[[str], None]
    _told: float = 0

    def note(self, what: str, status: Any, usual: str, elapsed: float, timeout: float) -> None:
        """Tell how the wait stands, if it is time again.

        :param what: Names what is awaited.
        :param usual: The documented usual duration, or nothing.
        :param elapsed: Seconds since the wait began.
        :param timeout: Seconds after which it gives up.
        """
        if elapsed < self._told:
            self._told = 0
        if elapsed - self._told < self.interval:
            return
        self._told = elapsed
        usually = f", usually {usual}" if usual else ""
        line = f"[{self.host}] {what}: {str(status)[:40]} after {_span(elapsed)}{usually}, given up after "
        self.tell(printable(line + _span(timeout)))


def _span(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
