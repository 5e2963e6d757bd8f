# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that are folders, unprivileged: a snapshot is a copy, a restore puts it back."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

from . import BackendError, ServerRef

# Guess: the size of a server that is only a record, as API.md's example has it.
NOMINAL_BYTES = 5120 * 2**20


class FolderBackend:
    """A server with a path is that folder; one without is only a record, whose power state is the record's."""

    def __init__(self, store: str) -> None:
        self._store = Path(store).resolve()
        self._folders: dict[int, Path] = {}

    def provision(self, server: ServerRef) -> None:
        if server.path is not None:
            folder = Path(server.path).expanduser().resolve()
            others = [path for key, path in self._folders.items() if key != server.id]
            if reason := refusal(folder, self._store, others):
                raise BackendError(f"path of server {server.id}: {folder} {reason}; name a folder made for it")
            self._folders[server.id] = folder

    def start(self, server: ServerRef) -> None:
        """A folder has no processes."""

    def stop(self, server: ServerRef, force: bool) -> None:
        """A folder has no processes."""

    def running(self, server: ServerRef) -> bool | None:
        """None, as a folder has no power state: the record holds."""

    def take(self, server: ServerRef, snapshot_id: int) -> int:
        folder = self._folders.get(server.id)
        if folder is None:
            return NOMINAL_BYTES
        copy = self._copy(server, snapshot_id)
        _remove(copy)
        _copy_tree(folder, copy)
        return sum(found.st_size for found in map(Path.lstat, copy.rglob("*")) if stat.S_ISREG(found.st_mode))

    def put_back(self, server: ServerRef, snapshot_id: int) -> None:
        folder = self._folders.get(server.id)
        if folder is None:
            return
        # Beside the folder, so on its file system: each entry is swapped by one rename, and the snapshot's own copy
        # stays whole in the store whatever happens midway.
        staging = folder.with_name(f".{folder.name}.restoring")
        _remove(staging)
        _copy_tree(self._copy(server, snapshot_id), staging / "new")
        (staging / "old").mkdir()
        folder.mkdir(exist_ok=True)
        for entry in list(folder.iterdir()):
            _move(entry, staging / "old")
        for entry in list((staging / "new").iterdir()):
            _move(entry, folder)
        shutil.copystat(staging / "new", folder)
        _remove(staging)

    def discard(self, server: ServerRef, snapshot_id: int) -> None:
        _remove(self._copy(server, snapshot_id))

    def close(self) -> None:
        """Nothing is held open; who made the store removes it."""

    def _copy(self, server: ServerRef, snapshot_id: int) -> Path:
        return self._store / str(server.id) / str(snapshot_id)


def refusal(folder: Path, store: Path, others: list[Path]) -> str | None:
    """Why this folder must not be a server, whose content a restore replaces; None if it may."""
    home = Path.home().resolve()
    if not folder.is_dir():
        return "is no existing folder"
    if folder == home or folder in home.parents:
        return "is or holds the home folder"
    if folder.parent == folder or folder.parent.parent == folder.parent:
        return "is / or right below it"
    if folder in Path(os.__file__).resolve().parents:
        return "holds Python itself"
    if _overlap(folder, store):
        return f"overlaps the store of the snapshots, {store}"
    for other in others:
        if _overlap(folder, other):
            return f"overlaps the folder of another server, {other}"
    return None


def _overlap(one: Path, other: Path) -> bool:
    return one == other or one in other.parents or other in one.parents


def _copy_tree(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    # cp keeps what shutil loses: owners, hard links, extended attributes, and pipes and sockets as such.
    done = subprocess.run(["cp", "-a", f"{source}/.", f"{target}/"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackendError(f"copying {source} failed: {done.stderr.strip()}")


def _move(entry: Path, folder: Path) -> None:
    mode = entry.lstat().st_mode
    # Moving a folder writes its "..", which its owner may only with the write bit.
    read_only_folder = stat.S_ISDIR(mode) and not mode & stat.S_IWUSR
    if read_only_folder:
        entry.chmod(stat.S_IMODE(mode) | stat.S_IWUSR)
    entry.rename(folder / entry.name)
    if read_only_folder:
        (folder / entry.name).chmod(stat.S_IMODE(mode))


def _remove(folder: Path) -> None:
    if not folder.exists():
        return
    folder.chmod(0o700)
    for parent, folders, _files in os.walk(folder):
        for name in folders:
            path = Path(parent, name)
            if not path.is_symlink():
                path.chmod(0o700)
    shutil.rmtree(folder)
