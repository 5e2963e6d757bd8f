# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the playbook tests share: Ansible's own commands as processes, each with a home of its own, and emulators.

A test reads like this::

    def test_cleanup(serve, run_playbook):
        service = serve({"servers": [...], "snapshots": [...]})
        run = run_playbook("vpsdotorg.cloud.cleanup", service=service, variables={"cleanup_keep": 1})
        assert run.rc == 0
        assert run.result("Delete the old snapshots", host="web-1")["changed"]
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from vps_emulator.testing import Emulator

CALLBACKS = Path(__file__).parent / "callback_plugins"
# What stands before the programs of this machine, as its packages, locks and services are not the hosts'.
PROGRAMS = Path(__file__).resolve().parents[1] / "utils" / "bare_host"
# Seconds for one command; far more than any needs.
TIMEOUT = 1800
TOKEN = "vps_playbooks_5b0c93e1f7a24d68"


@dataclass(frozen=True)
class Run:
    """What a command did: its exit code, what it printed, and, of a playbook, the `events` of callback_plugins."""

    rc: int
    stdout: str
    stderr: str
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def output(self) -> str:
        """All that was printed."""
        return self.stdout + self.stderr

    @property
    def text(self) -> str:
        """All that was printed, with every line break and indentation made one blank: Ansible wraps its messages."""
        return " ".join(self.output.split())

    @property
    def json(self) -> Any:
        """What was printed to stdout, decoded."""
        return json.loads(self.stdout)

    @property
    def stats(self) -> dict[str, dict[str, int]]:
        """The recap: `ok`, `changed`, `failures`, `unreachable`, `skipped`, `rescued`, `ignored` of each host."""
        return self._stats["hosts"]

    @property
    def custom_stats(self) -> dict[str, Any]:
        """What `set_stats` gathered (aggregated)."""
        return self._stats["custom"].get("_run", {})

    def results(self, task: str | None = None, host: str | None = None, event: str | None = None) -> list[dict]:
        """The results of a task (its name without the role's), of a host, of a kind of event; in order."""
        return [
            found["result"]
            for found in self.events
            if found["event"] != "stats"
            and task in (None, found["task"])
            and host in (None, found["host"])
            and event in (None, found["event"])
        ]

    def result(self, task: str, host: str | None = None) -> dict[str, Any]:
        """The one result of a task."""
        found = self.results(task, host)
        if len(found) != 1:
            tasks = sorted({event["task"] for event in self.events if event["event"] != "stats"})
            pytest.fail(f"{len(found)} results of task {task!r}, host {host}. Tasks: {tasks}\n{self.output}")
        return found[0]

    def failures(self, host: str | None = None) -> list[str]:
        """The messages of what failed and was not ignored."""
        return [
            found["result"].get("msg", "")
            for found in self.events
            if found["event"] == "failed" and not found["ignored"] and host in (None, found["host"])
        ]

    @property
    def _stats(self) -> dict[str, Any]:
        if not self.events or self.events[-1]["event"] != "stats":
            pytest.fail(f"The run ended without a recap (exit code {self.rc}):\n{self.output}")
        return self.events[-1]


class Controller:
    """Runs Ansible's commands in a folder of one test, with an environment that holds nothing of the developer's.

    After each run it is checked that no token was printed, and that check mode sent no write.
    """

    def __init__(self, collections_path: Path, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir()
        self._collections_path = collections_path
        self._runs = 0

    def playbook(
        self,
        playbook: str | Path | list[dict[str, Any]],
        *arguments: str,
        service: Emulator | None = None,
        inventory: Mapping[str, Any] | str | Path | None = None,
        variables: Mapping[str, Any] | None = None,
        check: bool = False,
        env: Mapping[str, str] | None = None,
    ) -> Run:
        """Run ansible-playbook.

        :param playbook: The name of a collection's playbook, a file, or plays.
        :param arguments: Further ones of the command line.
        :param service: The emulator whose address and token stand in the environment.
        :param inventory: An inventory in Ansible's YAML form, or a file; None is an empty one, so that localhost is
            the implicit one.
        :param variables: Extra variables, of any type.
        :param check: Whether to run in check mode.
        :param env: Set in the environment, over everything else.
        """
        self._runs += 1
        events = self.folder / f"events-{self._runs}.jsonl"
        command = ["ansible-playbook", str(self._file("playbook", playbook))]
        command += ["--inventory", str(self._file("inventory", {"all": {}} if inventory is None else inventory))]
        if variables:
            command += ["--extra-vars", f"@{self._file('variables', variables)}"]
        if check:
            command += ["--check"]
        writes = service.writes() if service and check else []
        run = self.run(
            *command,
            *arguments,
            service=service,
            env={
                "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
                "ANSIBLE_CALLBACKS_ENABLED": "vps_events",
                "VPS_TESTS_EVENTS": str(events),
                **(env or {}),
            },
        )
        if service and check:
            assert service.writes() == writes, f"check mode sent a write\n{run.output}"
        lines = events.read_text(encoding="utf-8").splitlines() if events.exists() else []
        return Run(run.rc, run.stdout, run.stderr, [json.loads(line) for line in lines])

    def inventory(
        self,
        inventory: Mapping[str, Any] | str | Path,
        *arguments: str,
        service: Emulator | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Run:
        """Run `ansible-inventory --list`, or what the arguments say; an inventory that is a mapping is put into a
        file whose name ends in `.vps.yml`."""
        file = self._file("servers.vps", inventory)
        command = ["ansible-inventory", "--inventory", str(file), *(arguments or ["--list"])]
        return self.run(*command, service=service, env=env)

    def run(self, *command: str, service: Emulator | None = None, env: Mapping[str, str] | None = None) -> Run:
        """Run one of Ansible's commands."""
        environment = self.environ(service, env)
        done = subprocess.run(
            [str(Path(sys.executable).parent / command[0]), *command[1:]],
            env=environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        for secret in (TOKEN, environment.get("VPS_API_TOKEN", "").strip() or TOKEN):
            assert secret not in done.stdout + done.stderr, "the token was printed"
        return Run(done.returncode, done.stdout, done.stderr)

    def environ(self, service: Emulator | None = None, env: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment of a command: see `playbook`."""
        return {
            **os.environ,
            "HOME": str(self.home),
            "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
            "ANSIBLE_COLLECTIONS_PATH": str(self._collections_path),
            "ANSIBLE_NOCOLOR": "true",
            # Discovery may find a Python without requests.
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            # Messages are not wrapped in the middle of what tests look for.
            "COLUMNS": "1000",
            **(service.environ if service else {}),
            **(env or {}),
        }

    def _file(self, name: str, content: Any) -> Path | str:
        """The content as a file, unless it is a file or a name already; JSON is YAML."""
        if isinstance(content, str | Path):
            return content
        file = self.folder / f"{name}-{self._runs}.yml"
        if name.endswith(".vps"):
            file = self.folder / f"{name}.yml"
        file.write_text(json.dumps(content, default=str), encoding="utf-8")
        return file


@pytest.fixture
def controller(collections_path: Path, tmp_path: Path) -> Controller:
    """Run any of Ansible's commands."""
    return Controller(collections_path, tmp_path)


@pytest.fixture
def run_playbook(controller: Controller) -> Any:
    """Run the real ansible-playbook: see `Controller.playbook`."""
    return controller.playbook


@pytest.fixture
def run_inventory(controller: Controller) -> Any:
    """Run the real ansible-inventory: see `Controller.inventory`."""
    return controller.inventory


@pytest.fixture
def serve() -> Iterator[Any]:
    """Start emulators with a seed each; they stop with the test. Options are those of `Emulator`."""
    with contextlib.ExitStack() as stack:

        def start(seed: Mapping[str, Any] | None = None, **options: Any) -> Emulator:
            return stack.enter_context(Emulator(seed, **{"token": TOKEN, **options}))

        yield start
