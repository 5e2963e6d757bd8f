# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The apt repositories of the lab: two flat folders behind one HTTP server, on the bridge that only the servers see.

One has hello-web, the other one the security updates; only apt's origin tells an update for security from any other.
"""

from __future__ import annotations

import email.utils
import functools
import hashlib
import http.server
import os
import shutil
import threading
import time
from pathlib import Path
from types import TracebackType

from vps_lab import packages
from vps_lab.capsule import GATEWAY
from vps_lab.cloud import REPOSITORY_PORT, SECURITY
from vps_lab.tools import run

# What apt shows of the real one.
RELEASE = """\
Origin: Debian
Label: Debian-Security
Suite: stable-security
Date: {date}
SHA256:
 {digest} {size} Packages
"""


class Repository:
    """A context manager that serves a folder; publishing is a copy and a new index."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._server: http.server.ThreadingHTTPServer | None = None

    def __enter__(self) -> Repository:
        (self.folder / SECURITY).mkdir(parents=True, exist_ok=True)
        self.clear()
        handler = functools.partial(_Handler, directory=self.folder)
        self._server = http.server.ThreadingHTTPServer((GATEWAY, REPOSITORY_PORT), handler)
        threading.Thread(target=self._server.serve_forever, name="repository", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()

    def publish(self, version: str) -> None:
        """Offer this version of hello-web, see `vps_lab.packages.RELEASES`."""
        packages.build(version, self.folder)
        _write_index(self.folder)

    def publish_file(self, package: Path) -> None:
        """Offer a .deb file of one's own."""
        shutil.copy(package, self.folder)
        _write_index(self.folder)

    def publish_security(self, folder: Path) -> list[str]:
        """Offer every .deb file of a folder as an update for security; returns their names."""
        files = sorted(folder.glob("*.deb"))
        for file in files:
            shutil.copy(file, self.folder / SECURITY)
        self._write_security()
        return [file.name for file in files]

    def clear(self) -> None:
        """Offer nothing any more."""
        for file in self.folder.rglob("*.deb"):
            file.unlink()
        _write_index(self.folder)
        self._write_security()

    def _write_security(self) -> None:
        index = _write_index(self.folder / SECURITY).read_bytes()
        about = {"digest": hashlib.sha256(index).hexdigest(), "size": len(index)}
        release = RELEASE.format(date=email.utils.formatdate(usegmt=True), **about)
        (self.folder / SECURITY / "Release").write_text(release)


def _write_index(folder: Path) -> Path:
    index, part = folder / "Packages", folder / "Packages.part"
    part.write_text("\n".join(map(_entry, sorted(folder.glob("*.deb")))))
    # HTTP's times are whole seconds: of two indexes within one, apt would not ask for the second.
    previous = index.stat().st_mtime if index.exists() else 0
    newer = max(time.time(), previous + 1)
    os.utime(part, (newer, newer))
    return part.replace(index)


def _entry(file: Path) -> str:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    control = run("dpkg-deb", "--field", file).strip()
    return f"{control}\nFilename: ./{file.name}\nSize: {file.stat().st_size}\nSHA256: {digest}\n"


class _Handler(http.server.SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        # apt would otherwise believe for a while that nothing new was published.
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nobody reads it."""
