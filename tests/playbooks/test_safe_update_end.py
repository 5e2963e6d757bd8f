# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ends an update that is out of time: a script, which finds the update by a mark in its environment."""

from __future__ import annotations

import os
import signal
import subprocess
import uuid
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "roles/safe_update/files/end_update.sh"
# A process of its own session, whose parent is gone: no process group leads to it.
DETACHED = "setsid sh -c 'sleep 300 >/dev/null 2>&1 & echo $!'"


def test_marked_processes_are_ended_and_no_others() -> None:
    mark = f"SAFE_UPDATE_TEST={uuid.uuid4()}"
    name, value = mark.split("=")
    started = subprocess.run(
        ["sh", "-c", DETACHED], env={**os.environ, name: value}, stdout=subprocess.PIPE, text=True, check=True
    )
    detached = int(started.stdout)
    with (
        subprocess.Popen(["sleep", "300"], env={**os.environ, name: value}) as marked,
        subprocess.Popen(["sleep", "300"], env={**os.environ, name: f"{value}-not"}) as other,
    ):
        script = SCRIPT.read_text(encoding="utf-8")
        done = subprocess.run(["sh", "-s", mark], input=script, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "")
        assert marked.wait() == -signal.SIGKILL
        assert not Path(f"/proc/{detached}/environ").exists() or not Path(f"/proc/{detached}/environ").read_bytes()
        assert other.poll() is None
        other.kill()
