# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs whose controller is killed, one after the other on one host, and the run after each."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .fleet import QUICK, Fleet, outcome, play, result

# Seconds until a run has reached a phase, on a busy machine.
PATIENCE = 180
# Half done until the test has killed the run and lets it end; it gives up by itself, so that nothing is left running.
HALF = """
echo half >>journal
if [ -e let-it-end ]; then echo new >version; exit; fi
for _ in $(seq 1200); do if [ -e let-it-end ]; then exit; fi; sleep 0.1; done
"""


class Story:
    """What happened on the host, run after run, as it can happen only once."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.kill_while_waiting()
        self.kill_while_updating()

    def kill_while_waiting(self) -> None:
        """Kill a run that waits for an offline snapshot, which never ends; run again, and do what that one says."""
        self.fleet.service.fault(kind="outcome", method="POST", path="/snapshots/", status="stuck")
        self._run_and_kill(lambda: "POST /snapshots/ 201" in self.fleet.writes(), safe_update_offline=True)
        self.while_waiting = self._state()
        self.refused = self.fleet.run()
        self.advice = re.findall(r"ansible localhost -m \S+ -a '[^']*'", result(self.refused, "web")["reason"])
        for command in self.advice:
            done = self.fleet.controller.run(*shlex.split(command), service=self.fleet.service)
            assert done.rc == 0, done.output
        self.after_advice = self._state()

    def kill_while_updating(self) -> None:
        """Kill a run in the middle of its update, and run again."""
        folder = Path(self.fleet.hosts["web"]["folder"])
        self._run_and_kill((folder / "journal").exists)
        (folder / "let-it-end").touch()
        self.while_updating = self._state()
        self.updated = self.fleet.run()
        self.after_update = self._state()
        (run_id,) = re.findall(r"run_id: (\S+)\)", " ".join(result(self.updated, "web")["warnings"]))
        self.decided = self.fleet.run("vpsdotorg.cloud.cleanup_run", variables={"run_id": run_id})
        self.afterwards = self.fleet.run()
        self.in_the_end = self._state()

    def _state(self) -> tuple[str, str, list[str]]:
        """The server's status, what is installed, and the statuses of its snapshots."""
        return self.fleet.status("web"), self.fleet.version("web"), list(self.fleet.snapshots("web").values())

    def _run_and_kill(self, reached: Callable[[], bool], **variables: object) -> None:
        """Start a run, and kill its controller as a crash does when it has reached a phase."""
        folder = self.fleet.controller.folder
        contents = {"plays": [play()], "hosts": self.fleet.inventory, "extra": {**QUICK, **variables}}
        files = {name: folder / f"killed-{name}.yml" for name in contents}
        for name, content in contents.items():
            files[name].write_text(json.dumps(content), encoding="utf-8")
        log = folder / "killed.log"
        ansible_playbook = Path(sys.executable).with_name("ansible-playbook")
        with log.open("w") as output:
            process = subprocess.Popen(
                [ansible_playbook, files["plays"], "--inventory", files["hosts"], "--extra-vars", f"@{files['extra']}"],
                env=self.fleet.controller.environ(self.fleet.service),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            deadline = time.monotonic() + PATIENCE
            while not reached():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.2)
        finally:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, collections_path: Path) -> Iterator[Story]:
    with Fleet(tmp_path_factory.mktemp("killed"), collections_path) as fleet:
        fleet.add("web", HALF)
        fleet.start()
        yield Story(fleet)


def test_killed_while_it_waits_for_the_snapshot_leaves_the_server_stopped(story: Story) -> None:
    assert story.while_waiting == ("stopped", "old", ["in_progress"])


def test_next_run_says_who_stopped_the_server_and_what_to_do(story: Story) -> None:
    assert outcome(story.refused, "web") == "refused"
    assert "server stopped for this snapshot" in result(story.refused, "web")["reason"]
    reason = result(story.refused, "web")["reason"]
    assert "another run is under way, or one was killed" in reason
    assert len(re.findall(r"safe_update: run=\d{8}T\d{6}Z by=\S+; .{30,90}?, begun \d+ \w+ ago", reason)) == 2
    assert ["vps_server_power" in command for command in story.advice] == [True, False]
    assert story.after_advice == ("active", "old", [])


def test_killed_while_it_updates_leaves_the_snapshot(story: Story) -> None:
    assert story.while_updating == ("active", "old", ["completed"])
    assert story.fleet.file("web", "journal").split() == ["half"] * 3


def test_next_run_updates_and_keeps_the_snapshot_from_before_the_killed_one(story: Story) -> None:
    assert outcome(story.updated, "web") == "updated"
    (warning,) = result(story.updated, "web")["warnings"]
    assert "began to change this host and did not come to its end" in warning
    assert story.after_update == ("active", "new", ["completed"])


def test_once_somebody_has_decided_nothing_is_left(story: Story) -> None:
    assert story.decided.rc == 0, story.decided.output
    assert outcome(story.afterwards, "web") == "updated"
    assert result(story.afterwards, "web")["warnings"] == []
    assert story.in_the_end == ("active", "new", [])
