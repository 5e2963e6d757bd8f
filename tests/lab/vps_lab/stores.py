# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the disk of a server is kept, copied and put back.

Every disk is a tmpfs of its own: an update that fills it fills nothing else, and it vanishes with the capsule.
"""

from __future__ import annotations

import os
import shutil
from abc import ABC, abstractmethod
from pathlib import Path

from vps_lab.tools import LabError, run


class Store(ABC):
    """The disk of one server under FOLDER, on top of the shared image BASE; SIZE in MiB bounds what it may hold."""

    default_size: int

    def __init__(self, folder: Path, base: Path, size: int | None = None) -> None:
        self.base = base
        self.disk = folder / "disk"
        self.root = folder / "root"
        self.size = size or self.default_size

    @property
    @abstractmethod
    def content(self) -> Path:
        """The directory that holds everything that distinguishes this server from others."""

    def create(self) -> None:
        """An empty disk with the base image on it; the disk there was is gone."""
        self._insert()
        self._fill()

    def mount(self) -> None:
        """Make the server's files appear at `root`; harmless if they do."""
        if not os.path.ismount(self.root):
            self.root.mkdir(exist_ok=True)
            self._mount()

    def unmount(self) -> None:
        """Take them away again; harmless if they are not there."""
        if os.path.ismount(self.root):
            run("umount", self.root)

    def copy(self, target: Path) -> int:
        """Copy the disk to the new directory TARGET; returns its size in bytes. Whoever asks sees to it that the
        server stands still meanwhile."""
        part = target.with_name(f".{target.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        run("cp", "--archive", self.content, part)
        # An id that comes a second time belongs to a new life of the service: the old copy is of no use to anyone.
        shutil.rmtree(target, ignore_errors=True)
        part.rename(target)
        return int(run("du", "--summarize", "--block-size=1", target).split()[0])

    def put_back(self, source: Path) -> None:
        """Replace the whole disk by the copy SOURCE, which stays as it is: after a crash midway, do it again."""
        if not source.is_dir():
            raise LabError(f"there is no copy at {source} to put back: the disk was left as it is")
        self._insert()
        run("cp", "--archive", source, self.content)

    def remove(self) -> None:
        """Take the disk out and forget what was on it; harmless if there is none."""
        self.unmount()
        if os.path.ismount(self.disk):
            run("umount", self.disk)

    def _insert(self) -> None:
        self.remove()
        self.disk.mkdir(parents=True, exist_ok=True)
        run("mount", "-t", "tmpfs", "-o", f"mode=755,size={self.size}m", "tmpfs", self.disk)

    @abstractmethod
    def _fill(self) -> None:
        """Fill the new disk."""

    @abstractmethod
    def _mount(self) -> None:
        """Show the disk as the root."""


class OverlayStore(Store):
    """Only what differs from the image is kept (overlayfs): snapshots are small and take some 20 ms."""

    default_size = 512

    @property
    def content(self) -> Path:
        return self.disk / "upper"

    def _fill(self) -> None:
        self.content.mkdir()

    def _mount(self) -> None:
        work = self.disk / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        layers = f"lowerdir={self.base},upperdir={self.content},workdir={work}"
        # In a user namespace, overlayfs may keep its marks in user.* attributes only.
        run("mount", "-t", "overlay", "overlay", "-o", f"{layers},userxattr", self.root)


class CopyStore(Store):
    """Every disk and every snapshot is a full copy: no trick at all, some 0.3 s and 200 MiB each."""

    default_size = 1024

    @property
    def content(self) -> Path:
        return self.disk / "files"

    def _fill(self) -> None:
        run("cp", "--archive", self.base, self.content)

    def _mount(self) -> None:
        run("mount", "--bind", self.content, self.root)


STORES: dict[str, type[Store]] = {"overlay": OverlayStore, "copy": CopyStore}
