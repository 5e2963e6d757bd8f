# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""files/update.sh where there is no systemd; with it, it is tested on real servers."""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from pathlib import Path

import pytest
from ansible_collections.vpsdotorg.cloud.plugins.plugin_utils.safe_update import update

SCRIPT = Path(__file__).parents[3] / "roles/safe_update/files/update.sh"


class Host:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Of its own: a time limit ends what has the name in its environment.
        self.name = f"safe-update-{uuid.uuid4().hex}Z"
        text = SCRIPT.read_text(encoding="utf-8").replace("/run/systemd/system", "/nowhere")
        self._text = text.replace("files=/run/", f"files={folder}/").replace("/var/lib/", f"{folder}/")
        tools = folder / "bin"
        tools.mkdir()
        (tools / "dpkg-query").write_text(f"#!/bin/sh\ncat {folder}/status\n")
        (tools / "dpkg-query").chmod(0o755)
        (folder / "status").write_text("installed a 1\nhalf-configured b 2\nconfig-files c 3\nunpacked d:i386 4\n")

    def run(self, *words: str) -> list[str]:
        environment = {**os.environ, "PATH": f"{self.folder}/bin:{os.environ['PATH']}"}
        command = ["sh", "-s", words[0], self.name, *words[1:]]
        done = subprocess.run(
            command, input=self._text, env=environment, capture_output=True, text=True, timeout=60, check=True
        )
        return done.stdout.splitlines()

    def end(self) -> dict[str, str]:
        for _try in range(300):
            said = update.state(self.run("state"))
            if said["state"] != "running":
                return said
            time.sleep(0.1)
        raise AssertionError("it still runs")


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


@pytest.mark.parametrize(
    ("seconds", "script", "ended"),
    [
        (60, r"printf 'caf\351\n'; exit 3", {"result": "exit-code", "status": "3", "printed": "caf\\xe9\n"}),
        (60, "echo good >&2; cat", {"result": "success", "status": "0", "printed": "good\n"}),
        (1, "echo slow; exec sleep 60", {"result": "timeout", "status": "124", "printed": "slow\n"}),
    ],
)
def test_how_a_command_ends(host: Host, seconds: int, script: str, ended: dict[str, str]) -> None:
    assert host.run("state") == ["state none"]
    host.run("start", str(seconds), "sh", "-c", script)
    assert host.end() == {"state": "ended", **ended}
    host.run("finish")
    assert host.run("state") == ["state none"]


def test_time_limit_ends_what_has_left_the_group(host: Host) -> None:
    host.run("start", "1", "sh", "-c", f"setsid sh -c 'echo $$ >{host.folder}/pid; exec sleep 60' & exec sleep 60")
    assert host.end()["result"] == "timeout"
    # One that nobody has waited for yet is a zombie.
    stat = Path("/proc", (host.folder / "pid").read_text().strip(), "stat")
    assert not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_second_start_changes_nothing(host: Host) -> None:
    for _start in range(2):
        host.run("start", "60", "sh", "-c", f"echo once >>{host.folder}/count; exec sleep 2")
    host.end()
    assert (host.folder / "count").read_text() == "once\n"


def test_one_that_was_killed_has_ended(host: Host) -> None:
    host.run("start", "60", "sleep", "60")
    pid = int((host.folder / f"{host.name}.pid").read_text())
    os.kill(pid, 9)
    assert host.end()["result"] == "lost"
    subprocess.run(["pkill", "-KILL", "-g", str(pid)], check=False)


def test_what_has_failed_is_noted_until_something_succeeds(host: Host) -> None:
    note = host.folder / "safe-update.failed"
    host.run("start", "60", "sh", "-c", "echo why; exit 1")
    host.end()
    host.run("finish")
    assert note.read_text() == "b 2\nd:i386 4\n\nwhy\n"
    host.run("start", "60", "true")
    host.end()
    host.run("finish")
    assert not note.exists()


def test_what_ran_out_of_time_may_have_been_slow(host: Host) -> None:
    host.run("start", "1", "sleep", "60")
    host.end()
    host.run("finish")
    assert not (host.folder / "safe-update.failed").exists()
