# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""For the tests of the role safe_update: hosts that work in folders, which the emulator snapshots and restores.

A run takes long, so a test module has one run over hosts of different fates, and a test for each of them::

    @pytest.fixture(scope="module")
    def fleet(tmp_path_factory, collections_path):
        with Fleet(tmp_path_factory.mktemp("fleet"), collections_path) as fleet:
            fleet.add("web", BAD, safe_update_on_failure="rollback")
            fleet.start()
            yield fleet

    @pytest.fixture(scope="module")
    def run(fleet):
        return fleet.run()

    def test_bad_update_is_rolled_back(fleet, run):
        assert outcome(run, "web") == "rolled_back"
        assert fleet.version("web") == "old"
"""

from __future__ import annotations

import contextlib
import json
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml
from vps_emulator.testing import Emulator

from .conftest import TOKEN, Controller, Run

ROLE = "vpsdotorg.cloud.safe_update"
TASKS = Path(__file__).parent / "tasks"

# Updates (tasks/update.yml runs them in the host's folder); tasks/check.yml is content with the versions old and new.
GOOD = "echo new >version"
BAD = "echo broken >version"
CUT_OFF = "echo new >version; echo down >network"

# A host whose own content says whether it answers: nothing listens on port 1. The time to wait for one that is dead is
# not the time that one alive may need on a busy machine.
NETWORK = {
    "ansible_connection": "{{ 'local' if lookup('ansible.builtin.file', folder ~ '/network') == 'up' else 'ssh' }}",
    "ansible_host": "127.0.0.1",
    "ansible_port": 1,
    "safe_update_connection_timeout": "{{ 90 if ansible_connection == 'local' else 3 }}",
}
# The machine that the tests run on is never restarted, and what else comes and goes on it does not count.
HOST = {
    "ansible_connection": "local",
    "safe_update_tasks": str(TASKS / "update.yml"),
    "safe_update_check_tasks": str(TASKS / "check.yml"),
    "safe_update_compare": False,
    "safe_update_min_free": {"/": 0},
    "safe_update_soak": 0,
    "safe_update_reboot": "never",
    "safe_update_connection_timeout": 90,
    "safe_update_snapshot_timeout": 90,
    "safe_update_restore_timeout": 90,
}
# An emulated minute is short. These stand in the role's vars, which only extra variables go before.
ROLE_VARS = Path(__file__).parents[2] / "roles" / "safe_update" / "vars" / "main.yml"
USUAL_PACE = yaml.safe_load(ROLE_VARS.read_text(encoding="utf-8"))["__safe_update_pace"]
PACE = {
    **USUAL_PACE,
    "poll": 1,
    "restore_tries": 2,
    "compare_tries": 1,
    "patience": 10,
    # A part of what is snapshotted and restored.
    "begun": "{{ folder }}/begun",
}
QUICK = {"__safe_update_pace": PACE}


def own(day: int, **more: Any) -> dict[str, Any]:
    """A snapshot that the role took on a day of January 2025; the later the day, the newer."""
    return {"name": f"safe-update-202501{day:02}T000000Z", "age": f"{60 - day}d", **more}


def play(*entry_points: str, **keywords: Any) -> dict[str, Any]:
    """A play that runs these entry points of the role one after the other; without any, its main one."""
    roles = [{"ansible.builtin.include_role": {"name": ROLE, "tasks_from": name}} for name in entry_points or ["main"]]
    return {"hosts": "all", "gather_facts": False, "tasks": roles, **keywords}


def result(run: Run, host: str) -> dict[str, Any]:
    """The host's `safe_update_result`, as the run handed it on by set_stats."""
    return run.custom_stats["safe_update"][host]


def outcome(run: Run, host: str) -> str:
    """The host's outcome, which has to agree with whether Ansible counts the host as failed."""
    found = result(run, host)["outcome"]
    well = found in ("", "up_to_date", "updated", "postponed")
    stats = run.stats[host]
    assert (stats["failures"], stats["unreachable"]) == (0 if well else 1, 0), (found, stats, run.output)
    return found


def is_alive(pid: int) -> bool:
    """Whether the process is there, and not merely waiting for its parent to notice its end."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Account:
    """What an emulator's API shows of servers, by their ids."""

    def __init__(self, service: Emulator) -> None:
        self._service = service

    def snapshots(self, server_id: int) -> dict[str, str]:
        """The names and statuses of the snapshots that the server has now."""
        listed = self._get(f"/snapshots/?server_id={server_id}")["results"]
        return {snapshot["name"]: snapshot["status"] for snapshot in listed}

    def status(self, server_id: int) -> str:
        """The status of the server."""
        return self._get(f"/servers/{server_id}/")["status"]

    def writes(self) -> list[str]:
        """The calls so far that were not a GET, such as `POST /snapshots/ 201`."""
        return [
            f"{call['method']} {call['path'].removeprefix('/api/v1')} {call['status']}"
            for call in self._service.writes()
        ]

    def _get(self, path: str) -> Any:
        headers = {"Authorization": f"Bearer {self._service.token}"}
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(urllib.request.Request(self._service.url + path, headers=headers), timeout=60) as response:
            return json.loads(response.read())


class Fleet:
    """Hosts, the emulator with their servers, and runs of the role on them."""

    def __init__(self, folder: Path, collections_path: Path, time_scale: float = 600) -> None:
        self.controller = Controller(collections_path, folder)
        self.hosts: dict[str, dict[str, Any]] = {}
        self._folder = folder
        self._seed: dict[str, list[dict[str, Any]]] = {"servers": [], "snapshots": [], "backups": []}
        self._time_scale = time_scale
        self._stack = contextlib.ExitStack()
        self._service: Emulator | None = None

    def __enter__(self) -> Fleet:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def service(self) -> Emulator:
        """The emulator, once it is started."""
        if self._service is None:
            raise RuntimeError("start() comes first")
        return self._service

    def add(
        self,
        name: str,
        update: str = GOOD,
        *,
        server: Mapping[str, Any] | None = None,
        snapshots: Sequence[Mapping[str, Any]] = (),
        backups: Sequence[Mapping[str, Any]] = (),
        version: str = "old",
        network: str = "up",
        **variables: Any,
    ) -> int:
        """Add a host and its server, and return the server's id.

        :param update: What the update runs in the host's folder.
        :param server: The server's keys in the emulator's seed, beside its id, name and folder.
        :param snapshots: What the server has already, as the seed has it.
        :param version: What is installed to begin with.
        :param network: Whether the host answers to begin with, if its variables are those of NETWORK.
        :param variables: Variables of the host, over those of HOST.
        """
        server_id = 101 + len(self.hosts)
        folder = self._folder / "servers" / name
        folder.mkdir(parents=True)
        (folder / "version").write_text(f"{version}\n")
        (folder / "network").write_text(f"{network}\n")
        self._seed["servers"].append({"id": server_id, "name": name, "path": folder, **(server or {})})
        self._seed["snapshots"] += [{"server_id": server_id, **snapshot} for snapshot in snapshots]
        self._seed["backups"] += [{"server_id": server_id, "backup_type": "automatic", **each} for each in backups]
        about = {"vps_server_id": server_id, "folder": str(folder), "update_script": update}
        self.hosts[name] = {**HOST, **about, **variables}
        return server_id

    def start(self) -> Emulator:
        """Start the emulator with the hosts so far."""
        self._service = Emulator(self._seed, token=TOKEN, time_scale=self._time_scale)
        return self._stack.enter_context(self._service)

    def run(
        self,
        playbook: str | list[dict[str, Any]] | None = None,
        *arguments: str,
        variables: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Run:
        """Run the role on all hosts, or a playbook.

        :param variables: Extra variables.
        :param options: Those of Controller.playbook.
        """
        return self.controller.playbook(
            playbook or [play()],
            *arguments,
            service=self.service,
            inventory=self.inventory,
            variables={**QUICK, **(variables or {})},
            **options,
        )

    @property
    def inventory(self) -> dict[str, Any]:
        """The hosts in Ansible's YAML form."""
        return {"all": {"hosts": self.hosts}}

    def file(self, host: str, name: str) -> str:
        """What a file in the host's folder holds now."""
        return Path(self.hosts[host]["folder"], name).read_text(encoding="utf-8").strip()

    def version(self, host: str) -> str:
        """What is installed on the host now."""
        return self.file(host, "version")

    def snapshots(self, host: str) -> dict[str, str]:
        """The names and statuses of the snapshots that the host's server has now."""
        return Account(self.service).snapshots(self.hosts[host]["vps_server_id"])

    def status(self, host: str) -> str:
        """The status of the host's server."""
        return Account(self.service).status(self.hosts[host]["vps_server_id"])

    def writes(self) -> list[str]:
        """See `Account.writes`."""
        return Account(self.service).writes()
