# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's servers with hello-web 1.0 on them, and runs of real playbooks against them, some of which are killed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import yaml
from vps_lab.lab import Lab
from vps_lab.tools import LabError

from ..playbooks import fleet
from ..playbooks.conftest import Controller, Run
from ..playbooks.fleet import Account, is_alive

T = TypeVar("T")

PLAYBOOK = "vpsdotorg.cloud.safe_update"
OWN_NAME = re.compile(r"safe-update-\d{8}T\d{6}Z")
APT = "DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes"
# All that an update may change on a disk: what is installed, and every file of configuration and data.
FINGERPRINT = (
    "dpkg-query --show; "
    "find /etc /usr/lib/hello-web /var/lib/hello-web -type f -print0 | sort -z | xargs -0 md5sum; "
    "systemctl list-unit-files --no-legend --state=enabled; apt-mark showhold"
)
# Seconds until something has happened, on a busy machine.
PATIENCE = 600
# What users would set for servers that start in half a second, and whose service needs a second.
SETTINGS = {
    "safe_update_connection_timeout": 20,
    "safe_update_reboot_timeout": 20,
    "safe_update_timeout": 60,
    "safe_update_snapshot_timeout": 60,
    "safe_update_restore_timeout": 60,
    # Of 512 MiB.
    "safe_update_min_free": {"/": "50M"},
    "safe_update_soak": 4,
    "safe_update_soak_interval": 2,
    "safe_update_checks": [
        {"url": "http://{{ ansible_host }}:8080/health", "retries": 5, "delay": 1},
        {"service": "hello-web", "retries": 5, "delay": 1},
    ],
}
# The emulated minutes are short. These stand in the role's vars, which only extra variables go before.
PACE = {
    **fleet.PACE,
    "job_poll": 1,
    "restore_tries": 8,
    "compare_tries": 5,
    "alive_interval": 3,
    "begun": fleet.USUAL_PACE["begun"],
}
QUICK = {"__safe_update_pace": PACE}
# Pipelining takes half of the connections; the batch of test_fates.py does without it, as Ansible does by default.
ENVIRONMENT = {"ANSIBLE_FORKS": "10", "ANSIBLE_PIPELINING": "true"}


def wait_until(question: Callable[[], T], what: str, patience: float = PATIENCE) -> T:
    """The first true answer; fails after so many seconds. A server that drops the connection is asked again."""
    deadline = time.monotonic() + patience
    while True:
        try:
            answer = question()
        except LabError as problem:
            answer, shown = None, problem
        else:
            shown = answer
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: still {shown!r} after {patience} s")
        time.sleep(0.3)


class Running:
    """A playbook that runs in the background."""

    def __init__(self, controller: Controller, run: Callable[[], Run]) -> None:
        self._controller = controller
        self._future: Future[Run] = Future()
        threading.Thread(target=self._work, args=(run,), daemon=True).start()

    def finish(self) -> Run:
        """Wait for the end."""
        return self._future.result()

    def wait_for(self, task: str, host: str, event: str = "", times: int = 1) -> None:
        """Wait until a host has done a task (its name without the role's), or done it so often."""
        wanted = {"host": host, "task": task, **({"event": event} if event else {})}

        def is_done() -> bool:
            assert not self._future.done(), f"the run ended before {wanted}:\n{self.finish().output}"
            return sum(wanted.items() <= event.items() for event in self.events()) >= times

        wait_until(is_done, f"{wanted}")

    def events(self) -> list[dict[str, Any]]:
        """What has happened so far."""
        lines = self._events.read_text().splitlines(keepends=True) if self._events.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def kill(self) -> None:
        """What a power cut of the controller does: every process of the run ends at once, the ssh connections too."""
        while doomed := list(self._processes()):
            for pid in doomed:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        assert self.finish().rc == -signal.SIGKILL

    @property
    def _events(self) -> Path:
        return self._controller.folder / "events-1.jsonl"

    def _processes(self) -> Iterable[int]:
        """Those that have the run's own variable in their environment: workers leave the process group, this stays."""
        marker = f"VPS_TESTS_EVENTS={self._events}".encode()
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if marker in (folder / "environ").read_bytes().split(b"\0") and is_alive(int(folder.name)):
                    yield int(folder.name)

    def _work(self, run: Callable[[], Run]) -> None:
        try:
            self._future.set_result(run())
        except BaseException as error:
            self._future.set_exception(error)


class Site:
    """The lab, prepared for one test module."""

    def __init__(self, lab: Lab, collections_path: Path, folder: Path) -> None:
        self.lab = lab
        self.hosts: dict[str, dict[str, Any]] = {}
        self._collections_path = collections_path
        self._folder = folder
        self._runs = 0

    # -- servers

    def prepare(self, *names: str) -> None:
        """Install hello-web 1.0 on fresh servers, which alone are in the inventory from now on."""
        self.lab.publish("1.0")
        self.hosts = {name: {} for name in names}
        self.each(lambda name: self.lab.ssh(name, f"{APT} update && {APT} install hello-web"), names)
        self.each(lambda name: wait_until(lambda: self.health(name) == 200, f"health of {name}"), names)

    def destine(self, updates: Mapping[str, str]) -> None:
        """Publish versions of hello-web, and say which server will be updated to which of them."""
        for version in sorted(set(updates.values())):
            self.lab.publish(version)
        self.each(lambda name: self._pin(name, updates[name]), updates)

    def _pin(self, name: str, version: str) -> None:
        pin = f"Package: hello-web\nPin: version {version}\nPin-Priority: 990\n"
        self.lab.ssh(name, f"printf %s {shlex.quote(pin)} >/etc/apt/preferences.d/hello-web")

    def each(self, action: Callable[[str], T], names: Iterable[str] = ()) -> dict[str, T]:
        """Do something with several servers at once (default: all hosts); what it returned for each."""
        names = list(names or self.hosts)
        with ThreadPoolExecutor(max_workers=4) as pool:
            return dict(zip(names, pool.map(action, names), strict=True))

    def fingerprint(self, name: str) -> str:
        """What the server is: packages, files, enabled services, holds."""
        return self.lab.ssh(name, FINGERPRINT)

    def version(self, name: str) -> str:
        """Version and state of hello-web, such as `2.0 installed`."""
        return self.lab.ssh(name, "dpkg-query --show --showformat '${Version} ${db:Status-Status}' hello-web")

    def boot_id(self, name: str) -> str:
        return self.lab.ssh(name, "cat /proc/sys/kernel/random/boot_id").strip()

    def health(self, name: str) -> int:
        """The status of the health page of hello-web; 0 if nobody answers."""
        try:
            with urllib.request.urlopen(f"http://{self.lab.server(name).address}:8080/health", timeout=5) as response:
                return response.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def answers(self, name: str) -> bool:
        """Whether it lets us log in."""
        try:
            self.lab.ssh(name, "true")
        except LabError:
            return False
        return True

    def processes(self, name: str, pattern: str) -> list[str]:
        """The command lines that match at their beginning."""
        lines = self.lab.ssh(name, "ps --no-headers -e -o args").splitlines()
        return [line for line in lines if re.match(pattern, line)]

    # -- the API

    def snapshots(self, name: str) -> dict[str, str]:
        """The names and statuses of the snapshots that the server has now."""
        return Account(self.lab.emulator).snapshots(self.lab.server(name).id)

    def status(self, name: str) -> str:
        """The status of the server."""
        return Account(self.lab.emulator).status(self.lab.server(name).id)

    def writes(self) -> list[str]:
        """See `Account.writes`."""
        return Account(self.lab.emulator).writes()

    # -- runs

    def run(self, playbook: Any = PLAYBOOK, *arguments: str, **options: Any) -> Run:
        """Run a playbook on all hosts and wait for it: see `start`."""
        return self.start(playbook, *arguments, **options).finish()

    def start(
        self,
        playbook: Any = PLAYBOOK,
        *arguments: str,
        variables: Mapping[str, Any] | None = None,
        hosts: Iterable[str] = (),
        **options: Any,
    ) -> Running:
        """Run a playbook in the background.

        Args:
            variables: extra variables.
            hosts: only these; default: all.
            options: those of Controller.playbook.
        """
        controller = self.controller()
        chosen = {name: self.hosts[name] for name in hosts or self.hosts}
        inventory = self.inventory(controller.folder, chosen)

        def run() -> Run:
            return controller.playbook(
                playbook,
                *arguments,
                service=self.lab.emulator,
                inventory=inventory,
                variables={"safe_update_serial": "100%", **QUICK, **(variables or {})},
                **{**options, "env": {**ENVIRONMENT, **options.get("env", {})}},
            )

        return Running(controller, run)

    def command(self, *words: str) -> Run:
        """Run one of Ansible's commands, as a report says it."""
        return self.controller().run(*words, service=self.lab.emulator)

    def controller(self) -> Controller:
        """What runs Ansible's commands, in a new folder."""
        self._runs += 1
        folder = self._folder / f"run-{self._runs}"
        folder.mkdir()
        return Controller(self._collections_path, folder)

    def inventory(self, folder: Path, hosts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """The lab's own one, of these hosts, but for ServerAliveInterval: that is the role's affair."""
        options = f"-o UserKnownHostsFile={self.lab.folder}/known_hosts -o IdentitiesOnly=yes"
        file = self.lab.inventory(folder / "lab.yml", **SETTINGS, ansible_ssh_common_args=options)
        inventory = yaml.safe_load(file.read_text())
        inventory["all"]["hosts"] = {name: {**inventory["all"]["hosts"][name], **hosts[name]} for name in hosts}
        return inventory
