# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands, as typed on a machine that is in no capsule."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import pytest
from vps_lab.__main__ import main

LAB = [sys.executable, "-m", "vps_lab"]
# A network without the bridge of this capsule stands for the machine outside.
OUTSIDE = ["unshare", "--net", *LAB]


def test_up_tells_how_to_enter_and_ends_cleanly() -> None:
    up = subprocess.Popen([*OUTSIDE, "up", "--servers", "1"], stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        lines = []
        for line in up.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        said = "".join(lines)
        assert "web1 10.77.0.11 (id 1001)" in said
        number = re.search(r"vps_lab enter (\d+)", said)[1]
        ask = 'echo "$VPS_API_URL $VPS_API_TOKEN"; cat "$ANSIBLE_INVENTORY"'
        inside = subprocess.run(
            [*LAB, "enter", number, "--", "sh", "-c", ask], capture_output=True, text=True, timeout=30, check=True
        ).stdout
        assert inside.startswith("http://127.0.0.1:8099/api/v1 vps_emulator_token\n")
        assert "vps_server_id: 1001" in inside
        os.killpg(up.pid, signal.SIGINT)
        assert "The lab goes down.\n" in up.communicate(timeout=30)[0]
        assert up.returncode == 0
    finally:
        up.kill()
        up.communicate()


def test_run_hands_on_environment_and_status() -> None:
    ask = 'echo "$VPS_API_URL"; test -f "$VPS_LAB_INVENTORY" && exit 5'
    done = subprocess.run(
        [*OUTSIDE, "run", "--servers", "1", "--", "sh", "-c", ask],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (5, "http://127.0.0.1:8099/api/v1\n")


def test_a_command_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["capsule", "no-such-command"]) == 1
    assert capsys.readouterr().err == "vps_lab: cannot run no-such-command: No such file or directory\n"


def test_an_unknown_store_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--store", "magic", "true"]) == 1
    assert "there is no store 'magic': choose one of overlay, copy" in capsys.readouterr().err
