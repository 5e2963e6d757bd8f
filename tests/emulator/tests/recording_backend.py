# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A backend for tests: it notes every call, and does and knows what files in a folder tell it to."""

from __future__ import annotations

import time
from pathlib import Path

from vps_emulator.backends import BackendError, ServerRef


class RecordingBackend:
    """In the folder `dir`: `calls` is the log, `running` holds yes or no.

    `fail-METHOD` makes a method fail, `hang-METHOD` makes it hang as long as the file is there.
    """

    def __init__(self, dir: str) -> None:  # noqa: A002 (the option's name)
        self._dir = Path(dir)

    def provision(self, server: ServerRef) -> None:
        self._note("provision", server, server.running)

    def start(self, server: ServerRef) -> None:
        self._note("start", server)

    def stop(self, server: ServerRef, force: bool) -> None:
        self._note("stop", server, "force" if force else "gently")

    def running(self, server: ServerRef) -> bool | None:  # noqa: ARG002
        file = self._dir / "running"
        return file.read_text() == "yes" if file.exists() else None

    def take(self, server: ServerRef, snapshot_id: int) -> int:
        self._note("take", server, snapshot_id)
        return 3 * 2**20 + 1

    def put_back(self, server: ServerRef, snapshot_id: int) -> None:
        self._note("put_back", server, snapshot_id)

    def discard(self, server: ServerRef, snapshot_id: int) -> None:
        self._note("discard", server, snapshot_id)

    def close(self) -> None:
        self._write("close")

    def _note(self, method: str, server: ServerRef, *rest: object) -> None:
        self._write(" ".join(map(str, (method, server.id, *rest))))
        if (self._dir / f"fail-{method}").exists():
            raise BackendError(f"{method} was told to fail")
        while (self._dir / f"hang-{method}").exists():
            time.sleep(0.02)

    def _write(self, line: str) -> None:
        with (self._dir / "calls").open("a") as calls:
            calls.write(f"{line}\n")
