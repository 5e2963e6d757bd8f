# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a wait tells while it lasts."""

from __future__ import annotations

import pytest
from ansible_collections.vpsdotorg.cloud.plugins.module_utils._progress import Progress


def told(interval: float, *notes: float, status: object = "in_progress", usual: str = "3 to 10 min") -> list[str]:
    lines: list[str] = []
    progress = Progress("web-1", interval, lines.append)
    for elapsed in notes:
        progress.note("Snapshot a of server 7", status, usual, elapsed, 1200)
    return lines


def test_a_line_tells_status_elapsed_time_and_deadline() -> None:
    line = (
        "[web-1] Snapshot a of server 7: in_progress after 1 min 05 s, usually 3 to 10 min, given up after 20 min 00 s"
    )
    assert told(20, 65.5) == [line]
    assert told(20, 20, usual="") == [
        "[web-1] Snapshot a of server 7: in_progress after 20 s, given up after 20 min 00 s"
    ]


@pytest.mark.parametrize(
    ("notes", "lines"), [((0, 2, 19.9), 0), ((0, 20, 21, 39, 41), 2), ((30, 0, 10, 25), 2)], ids=str
)
def test_lines_come_at_their_interval_and_each_wait_counts_anew(notes: tuple[float, ...], lines: int) -> None:
    assert len(told(20, *notes)) == lines


def test_no_status_reaches_the_terminal_as_it_is() -> None:
    assert "\\x1b[31m" in told(1, 5, status="\x1b[31m" + "x" * 99)[0]
