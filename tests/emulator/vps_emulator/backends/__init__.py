# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands behind a server: the life cycle decides, a backend carries out."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Protocol


class BackendError(Exception):
    """A backend could not do what it was asked; the text says what, why, and what to do."""


@dataclass(frozen=True)
class ServerRef:
    """A server as a backend sees it; `running` is the power state that the record has."""

    id: int
    uuid: str
    name: str
    address: str | None
    path: str | None
    running: bool


class Backend(Protocol):
    """Calls for one server never overlap; calls for different servers may, in different threads."""

    def provision(self, server: ServerRef) -> None:
        """Make the server exist in its power state; idempotent. Called at start-up and at a reset."""

    def start(self, server: ServerRef) -> None:
        """Begin to start the server; no error if it runs."""

    def stop(self, server: ServerRef, force: bool) -> None:
        """Begin to shut the server down, or with `force` cut its power at once; no error if it is stopped."""

    def running(self, server: ServerRef) -> bool | None:
        """Whether the server runs; None if the backend has no own knowledge and the record holds."""

    def take(self, server: ServerRef, snapshot_id: int) -> int:
        """Copy the server as it is at this moment; return the bytes taken."""

    def put_back(self, server: ServerRef, snapshot_id: int) -> None:
        """Replace the stopped server's content by the snapshot's; safe to repeat after a crash."""

    def discard(self, server: ServerRef, snapshot_id: int) -> None:
        """Drop a snapshot's copy; no error if there is none."""

    def close(self) -> None:
        """Release everything; called once, at the end."""


def load(name: str, options: dict[str, str]) -> Backend:
    """Make the backend `folder`, or the one at the import path `module:Class`, from its constructor's options."""
    path = {"folder": "vps_emulator.backends.folder:FolderBackend"}.get(name, name)
    module, colon, attribute = path.partition(":")
    if not colon:
        raise BackendError(f'backend {name!r} is neither "folder" nor an import path "module:Class"')
    try:
        return getattr(importlib.import_module(module), attribute)(**options)
    except (ImportError, AttributeError, TypeError) as error:
        raise BackendError(f"backend {name!r} cannot be made: {error}") from error
