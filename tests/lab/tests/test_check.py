# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is missing is named, with what brings it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from vps_lab import cgroups, check


def test_this_machine_can_run_it() -> None:
    assert check.missing() == []


def test_a_missing_tool_comes_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check.shutil, "which", lambda tool: None if tool == "zstd" else f"/usr/bin/{tool}")
    assert check.missing() == ["zstd is not installed: apt-get install zstd"]


def test_an_old_kernel_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check.platform, "release", lambda: "5.10.0-30-amd64")
    assert check.missing() == ["Linux 5.14 or newer is needed (cgroup.kill), this is 5.10.0-30-amd64"]


@pytest.mark.parametrize(
    ("text", "enough"),
    [
        ("user:100000:65536\n", True),
        ("1234:100000:65536\n", True),
        ("other:100000:65536\n", False),
        ("user:100000:1000\n", False),
        ("", False),
    ],
)
def test_without_root_there_must_be_ids(tmp_path: Path, text: str, enough: bool) -> None:
    ids = tmp_path / "subuid"
    assert not check._has_range(ids, ("user", "1234"))
    ids.write_text(text)
    assert check._has_range(ids, ("user", "1234")) is enough


def test_a_group_that_is_not_delegated_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    # A folder that cannot be written to, as the group of an ordinary login.
    monkeypatch.setattr(cgroups, "own", lambda: Path("/sys/kernel"))
    (line,) = check.missing()
    assert "Delegate=yes" in line


def test_the_command_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    done = subprocess.run([sys.executable, "-m", "vps_lab", "check"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "missing: mmdebstrap is not installed: apt-get install mmdebstrap\n" in done.stdout
    assert os.fspath(Path.home()) not in done.stdout
