# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers behind the emulated API: --backend vps_lab.backend:SystemBackend --backend-option dir=FOLDER."""

from __future__ import annotations

from pathlib import Path

from vps_emulator.backends import BackendError, ServerRef

from vps_lab import cgroups
from vps_lab.cloud import DEFAULT_FOLDER, Cloud
from vps_lab.servers import Server
from vps_lab.tools import LabError


class SystemBackend:
    """The emulator's `Backend`. It holds no state: the API may die and come back while the servers go on.

    Args:
        dir: the folder of the servers.
        store: "overlay" or "copy".
        disk_size: what each server may write, in MiB.
    """

    def __init__(self, dir: str = str(DEFAULT_FOLDER), store: str = "overlay", disk_size: str | None = None) -> None:  # noqa: A002
        try:
            self._cloud = Cloud(Path(dir), store, int(disk_size) if disk_size else None)
        except LabError as error:
            raise BackendError(str(error)) from error

    def provision(self, server: ServerRef) -> None:
        """Install the server unless it is, and bring it into its power state."""
        try:
            real = self._server(server)
            if not real.installed:
                self._cloud.install(real)
            # An API that was killed while it took a snapshot left the server frozen.
            cgroups.thaw(real.cgroup)
            if server.running:
                real.start()
            else:
                real.hard_stop()
        except LabError as error:
            raise BackendError(str(error)) from error

    def start(self, server: ServerRef) -> None:
        """Press the power button."""
        self._server(server).start()

    def stop(self, server: ServerRef, force: bool) -> None:
        """Ask the server to shut down, or cut its power."""
        real = self._server(server)
        if force:
            real.hard_stop()
        else:
            real.shut_down()

    def running(self, server: ServerRef) -> bool:
        """Whether the server is under power: one that powered itself off is not."""
        return self._server(server).running()

    def take(self, server: ServerRef, snapshot_id: int) -> int:
        """Copy the server's disk as of this moment; returns the size in bytes."""
        return self._server(server).snapshot(str(snapshot_id))

    def put_back(self, server: ServerRef, snapshot_id: int) -> None:
        """Replace the disk of the stopped server."""
        self._server(server).restore(str(snapshot_id))

    def discard(self, server: ServerRef, snapshot_id: int) -> None:
        """Drop a copy."""
        self._server(server).discard(str(snapshot_id))

    def close(self) -> None:
        """Nothing: the servers of a service go on when its API goes away, and end with the capsule."""

    def _server(self, server: ServerRef) -> Server:
        if server.address is None:
            raise LabError(f"server {server.name} has no ip_address in the seed: a real server needs one")
        return self._cloud.server(server.name, server.address)
