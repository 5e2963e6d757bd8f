# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole small cloud for tests: real servers, the emulated API in front of them, an apt repository beside them."""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml
from vps_emulator.testing import Emulator

from vps_lab.capsule import NETWORK, require_inside
from vps_lab.cloud import DEFAULT_FOLDER, Cloud
from vps_lab.image import UPDATES_VARIABLE
from vps_lab.repository import Repository
from vps_lab.servers import Server
from vps_lab.tools import LabError, run

FIRST_ID = 1001
FIRST_ADDRESS = 11
API_PORT = 8099


@dataclass(frozen=True)
class LabServer:
    """A server as the API knows it, and the machine behind it."""

    id: int
    name: str
    address: str
    machine: Server


class Lab:
    """A context manager: N servers that answer over ssh, the API that governs them, packages to update them with.

    Args:
        servers: how many; they are called web1, web2, ..., have the ids 1001, 1002, ... and 10.77.0.11, ...
        time_scale: how much faster than documented the API's minutes pass.
        store: "overlay" or "copy", see `vps_lab.stores`.
        disk_size: what each server may write, in MiB.
        seed: what the emulator's seed shall hold beside the servers (tokens, durations, ...).
        folder: where everything is kept until the end.

    Attributes:
        servers: the servers, as a list of `LabServer`.
        emulator: the emulator's own helper: its log of requests, its faults.

    Raises:
        LabError: not inside a capsule, or something did not come up; the message says what.
    """

    def __init__(
        self,
        servers: int = 2,
        *,
        time_scale: float = 600,
        store: str = "overlay",
        disk_size: int | None = None,
        seed: Mapping[str, Any] | None = None,
        folder: Path = DEFAULT_FOLDER,
    ) -> None:
        self.folder = folder
        self.servers: list[LabServer] = []
        self._count = servers
        self._options = {"store": store, **({"disk_size": disk_size} if disk_size else {})}
        self._seed = dict(seed or {})
        self._time_scale = time_scale
        self._cleanup = ExitStack()
        self._api_runs = False

    def __enter__(self) -> Lab:
        require_inside()
        with self._cleanup:
            self._hold_folder()
            self._cleanup.callback(shutil.rmtree, self.folder, ignore_errors=True)
            self._cloud = Cloud(self.folder, **self._options)
            self._repository = self._cleanup.enter_context(Repository(self.folder / "repository"))
            self.servers = [self._server(number) for number in range(self._count)]
            for server in self.servers:
                self._cleanup.callback(server.machine.remove)
            self._each(self._bring_up)
            self.emulator = self._emulator()
            self._cleanup.callback(self.stop_api)
            self.start_api()
            self._write_files()
            # All is well: what was collected is for the end.
            self._cleanup = self._cleanup.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cleanup.close()

    # -- what a test or a user needs to reach it

    @property
    def inventory_file(self) -> Path:
        """The inventory of all servers, as generated at the start."""
        return self.folder / "inventory.yml"

    @property
    def key(self) -> Path:
        """The private ssh key of root on every server."""
        return self._cloud.key

    @property
    def environment(self) -> dict[str, str]:
        """The variables for programs that use the lab."""
        return {
            **self.emulator.environ,
            "VPS_LAB_INVENTORY": str(self.inventory_file),
            "ANSIBLE_INVENTORY": str(self.inventory_file),
        }

    def server(self, name: str) -> LabServer:
        """The server of that name; KeyError if there is none."""
        return {server.name: server for server in self.servers}[name]

    def inventory(self, path: Path, **variables: Any) -> Path:
        """Write an inventory of all servers, with further variables for all of them; returns its path."""
        hosts = {server.name: {"ansible_host": server.address, "vps_server_id": server.id} for server in self.servers}
        common = {
            "ansible_user": "root",
            "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_ssh_private_key_file": str(self.key),
            "ansible_ssh_common_args": shlex.join(self._ssh_options()),
            # Sockets of shared connections lie in the capsule too, and vanish with it.
            "ansible_control_path_dir": str(self.folder / "connections"),
        }
        path.write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": {**common, **variables}}}, sort_keys=False))
        return path

    def ssh(self, name: str, command: str, timeout: float = 60) -> str:
        """Run a shell command on a server as root and return what it printed.

        Raises:
            LabError: it failed, the server did not answer, or TIMEOUT seconds passed.
        """
        key = ["-i", self.key, "-o", "ConnectTimeout=5", *self._ssh_options()]
        return run("ssh", *key, f"root@{self.server(name).address}", command, timeout=timeout)

    def content(self, name: str, path: str) -> str:
        """The text of a file on a server's disk, whether it runs or not; LabError if there is none."""
        return self.server(name).machine.read(path)

    # -- updates

    def publish(self, version: str) -> None:
        """Offer a version of hello-web to the servers: see `vps_lab.packages.RELEASES`."""
        self._repository.publish(version)

    def publish_security_updates(self) -> list[str]:
        """Offer Debian's own pending updates; returns the names of their files.

        Raises:
            LabError: they were not downloaded before the capsule was entered.
        """
        folder = os.environ.get(UPDATES_VARIABLE)
        if not folder:
            raise LabError("Debian's updates are not here: start with 'python -m vps_lab run --security-updates'")
        return self._repository.publish_security(Path(folder))

    def unpublish(self) -> None:
        """Offer nothing any more."""
        self._repository.clear()

    # -- events

    def power_cut(self, name: str) -> None:
        """Cut a server's power without asking the API: its connections stay half open."""
        self.server(name).machine.hard_stop()

    def stop_api(self) -> None:
        """Take the API down; the servers go on."""
        if self._api_runs:
            self.emulator.__exit__(None, None, None)
            self._api_runs = False

    def start_api(self) -> None:
        """Bring the API up again, at the same address and with all that it knew."""
        if not self._api_runs:
            self.emulator.__enter__()
            self._api_runs = True

    def reset(self) -> None:
        """Back to the beginning for the next test: fresh servers, no snapshots, no faults, an empty repository."""
        self.start_api()
        self.unpublish()
        self._each(self._bring_up)
        self.emulator.reset()

    # -- steps

    def _hold_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = self._cleanup.enter_context((self.folder / "lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LabError(f"a lab lives in {self.folder} already: use that one, or start another capsule") from error

    def _emulator(self) -> Emulator:
        options = {"dir": self.folder, **self._options}
        return Emulator(
            {**self._seed, "servers": [_seed(server) for server in self.servers]},
            time_scale=self._time_scale,
            db=self.folder / "api.sqlite3",
            arguments=[
                f"--port={API_PORT}",
                "--backend=vps_lab.backend:SystemBackend",
                *(f"--backend-option={key}={value}" for key, value in options.items()),
            ],
        )

    def _write_files(self) -> None:
        (self.folder / "known_hosts").write_text("".join(f"{each.machine.host_key}\n" for each in self.servers))
        self.inventory(self.inventory_file)
        exports = [f"export {key}={shlex.quote(value)}\n" for key, value in self.environment.items()]
        (self.folder / "environment").write_text("".join(exports))

    def _server(self, number: int) -> LabServer:
        name, address = f"web{number + 1}", f"{NETWORK}.{FIRST_ADDRESS + number}"
        return LabServer(FIRST_ID + number, name, address, self._cloud.server(name, address))

    def _bring_up(self, server: LabServer) -> None:
        server.machine.hard_stop()
        self._cloud.install(server.machine)
        server.machine.start()
        server.machine.wait_for_ssh()

    def _each(self, action: Callable[[LabServer], None]) -> None:
        with ThreadPoolExecutor(max_workers=8) as pool:
            # list() waits for all of them and raises what one raised.
            list(pool.map(action, self.servers))

    def _ssh_options(self) -> list[str]:
        options = {
            "UserKnownHostsFile": self.folder / "known_hosts",
            "StrictHostKeyChecking": "yes",
            "IdentitiesOnly": "yes",
            # A server that lost its power says nothing: without these, ssh waits for it for many minutes.
            "ServerAliveInterval": 2,
            "ServerAliveCountMax": 3,
        }
        return [word for key, value in options.items() for word in ("-o", f"{key}={value}")]


def _seed(server: LabServer) -> dict[str, Any]:
    return {"id": server.id, "name": server.name, "ip_address": server.address, "os": "Debian"}
