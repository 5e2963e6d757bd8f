# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The place where all servers of one lab live: the image they share and the key that opens them."""

from __future__ import annotations

from pathlib import Path

from vps_lab import image
from vps_lab.capsule import GATEWAY, require_inside
from vps_lab.servers import Server
from vps_lab.stores import STORES
from vps_lab.tools import LabError, run

DEFAULT_FOLDER = Path("/run/vps-lab")
# Every port of the capsule's own network is free.
REPOSITORY_PORT = 8077
# Path of the repository that has the updates for security.
SECURITY = "security"


class Cloud:
    """All servers under one folder; any number of programs in the capsule may open the same one.

    Args:
        folder: where everything is kept; best on a tmpfs of the capsule, with which it vanishes.
        store: "overlay" or "copy", see `vps_lab.stores`.
        disk_size: what each server may write, in MiB; None for the store's own default.
    """

    def __init__(self, folder: Path = DEFAULT_FOLDER, store: str = "overlay", disk_size: int | None = None) -> None:
        require_inside()
        if store not in STORES:
            raise LabError(f"there is no store '{store}': choose one of {', '.join(STORES)}")
        self.folder = folder
        self.base = folder / "base"
        self.key = folder / "id_ed25519"
        self._store = STORES[store]
        self._disk_size = disk_size
        self._prepare()

    def server(self, name: str, address: str) -> Server:
        """The server of that name and IPv4 address, installed or not."""
        folder = self.folder / "servers" / name
        return Server(folder, name, address, self._store(folder, self.base, self._disk_size))

    def install(self, server: Server) -> None:
        """Put a fresh system on the server's disk; it must be off."""
        public_key = Path(f"{self.key}.pub").read_text().strip()
        repository = f"deb [trusted=yes] http://{GATEWAY}:{REPOSITORY_PORT}"
        server.install(public_key, f"{repository}/ ./\n{repository}/{SECURITY} ./")

    def _prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.base.exists():
            image.unpack(image.ensure(), self.base)
        if not self.key.exists():
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "vps-lab", "-f", self.key)
