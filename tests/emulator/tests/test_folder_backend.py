# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that are folders: what is copied, what is put back, and which folders are refused."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from vps_emulator.backends import BackendError, ServerRef, load
from vps_emulator.backends.folder import FolderBackend
from vps_emulator.testing import Emulator


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A server's folder with what folders have: modes, links, an empty folder, names that are hard to handle."""
    folder = tmp_path / "server"
    (folder / "etc" / "empty").mkdir(parents=True)
    (folder / "etc" / "conf").write_text("good")
    (folder / "etc" / "conf").chmod(0o640)
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / ".hidden name\n").write_bytes(b"\x00\xff")
    (folder / "link").symlink_to("etc/conf")
    (folder / "dangling").symlink_to("/nowhere")
    (folder / "hard").hardlink_to(folder / "run.sh")
    (folder / "sealed").mkdir()
    (folder / "sealed" / "file").write_text("sealed")
    (folder / "sealed").chmod(0o555)
    os.utime(folder / "run.sh", (1, 1))
    folder.chmod(0o750)
    return folder


@pytest.fixture
def backend(tmp_path: Path) -> FolderBackend:
    return FolderBackend(str(tmp_path / "store"))


def ref(folder: Path | str | None, server_id: int = 1) -> ServerRef:
    return ServerRef(server_id, "uuid", "web", None, None if folder is None else str(folder), running=False)


def picture(folder: Path) -> dict[str, Any]:
    """All that makes a tree what it is, but the times of folders."""
    found = {}
    for path in [folder, *folder.rglob("*")]:
        status = path.lstat()
        is_link, is_file = path.is_symlink(), path.is_file()
        content = str(path.readlink()) if is_link else path.read_bytes() if is_file else None
        owner = (status.st_uid, status.st_gid)
        found[str(path.relative_to(folder))] = (status.st_mode, owner, content, is_file and status.st_mtime_ns)
    return found


def spoil(folder: Path) -> None:
    shutil.rmtree(folder / "etc")
    (folder / "run.sh").write_text("broken")
    (folder / "link").unlink()
    (folder / "link").mkdir()
    (folder / "link" / "added").write_text("new")
    (folder / "added").symlink_to("run.sh")
    folder.chmod(0o700)


def test_put_back_makes_the_folder_what_it_was(backend: FolderBackend, folder: Path, tmp_path: Path) -> None:
    backend.provision(ref(folder))
    before = picture(folder)
    assert backend.take(ref(folder), 1) == len("good") + 2 * len("#!/bin/sh\n") + 2 + len("sealed")
    assert picture(folder) == before
    spoil(folder)
    inode = folder.stat().st_ino
    backend.put_back(ref(folder), 1)
    assert picture(folder) == before
    assert folder.stat().st_ino == inode, "a process whose working folder it is goes on"
    assert (folder / "hard").samefile(folder / "run.sh")
    assert {entry.name for entry in tmp_path.iterdir()} == {"server", "store"}


def test_a_snapshot_can_be_put_back_twice_and_each_is_its_own(backend: FolderBackend, folder: Path) -> None:
    backend.provision(ref(folder))
    first = picture(folder)
    backend.take(ref(folder), 1)
    spoil(folder)
    second = picture(folder)
    backend.take(ref(folder), 2)
    for number, expected in ((1, first), (2, second), (1, first)):
        backend.put_back(ref(folder), number)
        assert picture(folder) == expected


@pytest.mark.parametrize("renames", range(12))
def test_a_crash_in_the_middle_loses_nothing(
    backend: FolderBackend, folder: Path, monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    backend.provision(ref(folder))
    before = picture(folder)
    backend.take(ref(folder), 1)
    spoil(folder)
    left = [renames]
    rename = Path.rename

    def crash(path: Path, target: Path) -> Path:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return rename(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", crash)
        with pytest.raises(KeyboardInterrupt):
            backend.put_back(ref(folder), 1)
    backend.put_back(ref(folder), 1)
    assert picture(folder) == before


def test_a_server_that_lost_its_folder_gets_it_back(backend: FolderBackend, folder: Path, tmp_path: Path) -> None:
    backend.provision(ref(folder))
    before = picture(folder)
    backend.take(ref(folder), 1)
    folder.rename(tmp_path / "gone")
    backend.put_back(ref(folder), 1)
    assert picture(folder) == before


def test_discard_drops_the_copy_and_minds_no_missing_one(backend: FolderBackend, folder: Path, tmp_path: Path) -> None:
    backend.provision(ref(folder))
    backend.take(ref(folder), 1)
    for _each in range(2):
        backend.discard(ref(folder), 1)
    assert list((tmp_path / "store").glob("*/*")) == []
    with pytest.raises(BackendError, match="copying"):
        backend.put_back(ref(folder), 1)


def test_a_server_without_a_path_is_only_a_record(backend: FolderBackend, tmp_path: Path) -> None:
    record = ref(None)
    backend.provision(record)
    assert backend.take(record, 1) > 0
    backend.put_back(record, 1)
    backend.discard(record, 1)
    assert backend.running(record) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/", "holds the home"),
        ("~", "holds the home"),
        ("/usr", "right below"),
        ("/nowhere/at/all", "no existing"),
        (os.__file__, "no existing"),
        (Path(os.__file__).parent, "holds Python"),
        ("{tmp}/store", "overlaps the store"),
        ("{tmp}", "overlaps the store"),
        ("{tmp}/server/etc", "overlaps the folder of another"),
    ],
)
def test_a_dangerous_folder_is_refused(
    backend: FolderBackend, folder: Path, tmp_path: Path, path: str | Path, reason: str
) -> None:
    (tmp_path / "store").mkdir()
    backend.provision(ref(folder, 2))
    with pytest.raises(BackendError, match=reason):
        backend.provision(ref(str(path).format(tmp=tmp_path), 1))
    backend.provision(ref(folder, 2))


@pytest.mark.parametrize("name", ["nothing", "no.such:Module", "vps_emulator.backends.folder:No"])
def test_an_unknown_backend_is_refused(name: str) -> None:
    with pytest.raises(BackendError, match=name):
        load(name, {"store": "x"})


def test_a_backend_that_does_not_take_the_option_is_refused() -> None:
    with pytest.raises(BackendError, match="stroe"):
        load("folder", {"stroe": "x"})


def test_through_the_api_a_restore_brings_the_content_back(caller: Any, until: Any, folder: Path) -> None:
    before = picture(folder)
    seed = {
        "servers": [{"id": 1, "name": "a", "path": folder}],
        "snapshots": [{"id": 801, "server_id": 1, "name": "seeded"}],
    }
    with Emulator(seed) as emulator:
        api = caller(emulator)
        snapshot = api.snapshot("taken", 1)["id"]
        until(lambda: api.status(snapshot), "completed")
        for each in (snapshot, 801):
            spoil(folder)
            assert api("POST", f"/snapshots/{each}/restore/").status_code == 200
            until(lambda: api.server_status(1), "active")
            assert picture(folder) == before
