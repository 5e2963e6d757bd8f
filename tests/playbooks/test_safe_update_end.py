# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ends an update that is out of time: a script, which finds the update by a mark in its environment."""

from __future__ import annotations

import os
import signal
import subprocess
import uuid
from pathlib import Path

from .fleet import is_alive

SCRIPT = Path(__file__).resolve().parents[2] / "roles/safe_update/files/end_update.sh"
# A process of its own session, whose parent is gone: no process group leads to it.
DETACHED = "setsid sh -c 'sleep 300 >/dev/null 2>&1 & echo $!'"


def test_marked_processes_are_ended_and_no_others() -> None:
    name, value = "SAFE_UPDATE_TEST", str(uuid.uuid4())
    marked = {**os.environ, name: value}
    started = subprocess.run(["sh", "-c", DETACHED], env=marked, capture_output=True, text=True, check=True)
    child = subprocess.Popen(["sleep", "300"], env=marked)
    other = subprocess.Popen(["sleep", "300"], env={**os.environ, name: f"{value}-not"})
    try:
        script = SCRIPT.read_text(encoding="utf-8")
        command = ["sh", "-s", f"{name}={value}"]
        done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert child.poll() == -signal.SIGKILL
        assert not is_alive(int(started.stdout))
        assert other.poll() is None
    finally:
        for process in (child, other):
            process.kill()
            process.wait()
