# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a wait tells while it lasts."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.vpsdotorg.cloud.plugins.module_utils import _progress


@pytest.fixture(autouse=True)
def moment(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Stop the clock; a test may set it."""
    stopped = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(_progress, "time", SimpleNamespace(time=lambda: stopped.now))
    return stopped


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file that a wait is told to write its notes to; it is empty."""
    path = tmp_path / "progress"
    path.touch()
    monkeypatch.setenv(_progress.FILE_VARIABLE, str(path))
    return path


def test_a_note_becomes_a_line_with_status_elapsed_and_deadline(file: Path) -> None:
    _progress.note("Snapshot a of server 7", "in_progress", "3 to 10 min", 65.5, 1200)
    assert _progress.line(file.read_text(), "web") == (
        "[web] Snapshot a of server 7: in_progress after 1 min 05 s, usually 3 to 10 min, given up after 20 min 00 s"
    )


def test_the_line_goes_on_counting_between_two_notes(file: Path, moment: SimpleNamespace) -> None:
    _progress.note("It", "running", "", 10, 59)
    moment.now += 10
    assert _progress.line(file.read_text(), "web") == "[web] It: running after 20 s, given up after 59 s"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", json.dumps({"usual": "", "what": "It", "started": 1000})])
def test_where_nothing_readable_is_noted_there_is_no_line(text: str) -> None:
    assert _progress.line(text, "web") is None


def test_without_a_listener_nothing_is_written(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(_progress.FILE_VARIABLE)
    _progress.note("It", "running", "", 1, 60)
    assert file.read_text() == ""


def test_a_file_that_is_not_there_is_not_made(file: Path) -> None:
    file.unlink()
    _progress.note("It", "running", "", 1, 60)
    assert not file.exists()


def test_a_file_that_cannot_be_written_does_not_disturb_the_wait(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "write_text", refuse)
    _progress.note("It", "running", "", 1, 60)
    assert file.read_text() == ""
