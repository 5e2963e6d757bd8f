# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""Maintenance windows that come again every week: until when one is open, and when the next one begins. Pure.

A window is plain data: ``days`` (numbers, 0 is Monday, of the days on which it begins), ``start`` (``22:00``, by the
clock on the wall), ``seconds`` (elapsed ones, so it ends an hour earlier or later by a clock that is changed meanwhile)
and ``timezone``.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LONGEST = timedelta(days=7)
# All that a year brings, both changes of the clock included.
HORIZON = timedelta(days=400)

Window = Mapping[str, Any]


def zone(name: str) -> tzinfo:
    """The time zone of a name such as ``Europe/Berlin``.

    :raises LookupError: Where there is none of that name, or this machine knows none at all.
    """
    if name == "UTC":
        return timezone.utc
    try:
        return ZoneInfo(name)
    # What is no name of a zone may be a folder of them, or a path that leaves it.
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise LookupError(name) from error


def stretch(windows: Sequence[Window], moment: datetime) -> tuple[datetime, Window] | None:
    """The end of what the moment lies in, and the window that ends then; None outside of all windows.

    Windows that overlap or adjoin are one stretch. One that is never closed ends beyond HORIZON.

    :param moment: With an offset.
    :return: The end by the window's own clock.
    """
    for begin, end, _first, last in _stretches(windows, moment):
        if begin > moment:
            return None
        if end > moment:
            return end.astimezone(zone(last["timezone"])), last
    return None


def upcoming(windows: Sequence[Window], moment: datetime, seconds: int) -> tuple[datetime, Window] | None:
    """The next begin of a stretch that is long enough, and the window that opens it; None where none ever is.

    :param moment: With an offset. The stretch that it lies in does not count.
    :return: The begin by the window's own clock.
    """
    for begin, end, first, _last in _stretches(windows, moment):
        if begin > moment + HORIZON:
            return None
        if begin > moment and (end - begin).total_seconds() >= seconds:
            return begin.astimezone(zone(first["timezone"])), first
    return None


def label(window: Window) -> str:
    """A window in a message, such as ``sat, sun 22:00 for 4h (Europe/Berlin)``."""
    days = "daily" if len(window["days"]) == len(DAYS) else ", ".join(DAYS[day][:3] for day in window["days"])
    return f"{days} {window['start']} for {_length(window['seconds'])} ({window['timezone']})"


def clock(moment: datetime, window: Window) -> str:
    """A moment in a message, by the window's own clock, such as ``Sat 2026-01-31 22:00 (Europe/Berlin)``."""
    return f"{DAYS[moment.weekday()][:3].title()} {moment:%Y-%m-%d %H:%M} ({window['timezone']})"


def _length(seconds: int) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _stretches(windows: Sequence[Window], moment: datetime) -> Iterator[tuple[datetime, datetime, Window, Window]]:
    """Begin and end (UTC), the window that opens and the one that closes it: one after the other, without end."""
    found = None
    for begin, end, window in _openings(windows, moment):
        if found and found[1] > moment + HORIZON:
            break
        if found and begin <= found[1]:
            found = (found[0], end, found[2], window) if end > found[1] else found
            continue
        if found:
            yield found
        found = (begin, end, window, window)
    if found:
        yield found


def _openings(windows: Sequence[Window], moment: datetime) -> Iterator[tuple[datetime, datetime, Window]]:
    """Begin, end (UTC) and window, by their begins: all that may still be open at the moment, and all that follow."""
    return heapq.merge(*(_openings_of(window, moment) for window in windows), key=lambda each: each[0])


def _openings_of(window: Window, moment: datetime) -> Iterator[tuple[datetime, datetime, Window]]:
    where, start = zone(window["timezone"]), time.fromisoformat(window["start"])
    # A day more than the longest window, as the clock may have been changed meanwhile.
    day: date = (moment.astimezone(where) - LONGEST - timedelta(days=1)).date()
    while True:
        if day.weekday() in window["days"]:
            # Of a time that comes twice that night the first; of one that is left out, what it would have been.
            begin = datetime.combine(day, start, where).astimezone(timezone.utc)
            yield begin, begin + timedelta(seconds=window["seconds"]), window
        day += timedelta(days=1)
