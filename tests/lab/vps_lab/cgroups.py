# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control groups (v2): which processes are one server, freezing them and ending them, all at once."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from vps_lab.tools import LabError

PREFIX = "vps-lab-"


def own() -> Path | None:
    """The cgroup v2 directory of this process, or None where there is no cgroup v2."""
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    path = next((line.removeprefix("0::") for line in lines if line.startswith("0::")), None)
    if path is None:
        return None
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _separator, kind = line.partition(" - ")
        if kind.startswith("cgroup2 "):
            root, mount_point = fields.split()[3:5]
            group = Path(mount_point, os.path.relpath(path, root))
            # Another file system may lie over the mount, or the mount may show other groups only.
            if ".." not in group.parts and (group / "cgroup.procs").exists():
                return group
    return None


def delegated() -> Path:
    """The control group of this process, in which it may make others.

    Raises:
        LabError: there is none; the message says what to do.
    """
    group = own()
    if group is None:
        raise LabError("no cgroup v2 is mounted: boot with systemd.unified_cgroup_hierarchy=1, or mount -t cgroup2")
    if not (os.access(group, os.W_OK) and os.access(group / "cgroup.procs", os.W_OK)):
        raise LabError(
            "the control group of this shell is not delegated to you: "
            "start it under 'systemd-run --user --scope --property Delegate=yes'"
        )
    return group


def make() -> Path:
    """A new group for one capsule; removes first what killed ones left behind. LabError where it may not."""
    parent = delegated()
    for left in parent.glob(f"{PREFIX}*"):
        if not Path("/proc", left.name.removeprefix(PREFIX)).exists():
            remove(left, patience=0)
    group = parent / f"{PREFIX}{os.getpid()}"
    group.mkdir()
    return group


def remove(group: Path, patience: float = 5) -> None:
    """End what still runs in the group and remove it with its children, waiting up to PATIENCE seconds."""
    if not group.exists():
        return
    kill(group)
    deadline = time.monotonic() + patience
    # The kernel refuses to remove a group until the last process in it is reaped.
    for folder, _folders, _files in os.walk(group, topdown=False):
        while True:
            try:
                Path(folder).rmdir()
                break
            except FileNotFoundError:
                break
            except OSError:
                if time.monotonic() > deadline:
                    return
                time.sleep(0.02)


def kill(group: Path) -> None:
    """SIGKILL every process in the group and below, as one step."""
    with contextlib.suppress(FileNotFoundError):
        (group / "cgroup.kill").write_text("1")


def populated(group: Path) -> bool:
    """Whether any process lives in the group or below."""
    try:
        with (group / "cgroup.events").open() as events:
            return _value(events, "populated") == "1"
    except FileNotFoundError:
        return False


def wait_empty(group: Path, timeout: float) -> bool:
    """Wait up to TIMEOUT seconds until no process is left; say whether that came true."""
    return _wait(group, "populated", "0", timeout)


@contextlib.contextmanager
def frozen(group: Path) -> Iterator[None]:
    """All processes of the group stand still while the block runs."""
    try:
        (group / "cgroup.freeze").write_text("1")
        # The write only asks for it: the processes stand still when the event says so.
        if not _wait(group, "frozen", "1", 10):
            raise LabError(f"the processes of {group.name} did not freeze within 10 seconds")
        yield
    finally:
        thaw(group)


def thaw(group: Path) -> None:
    """Let a frozen group run again; harmless where it is not frozen."""
    with contextlib.suppress(FileNotFoundError):
        (group / "cgroup.freeze").write_text("0")


def processes(group: Path) -> list[int]:
    """The process ids in the group and below."""
    return [
        int(pid)
        for folder, _folders, _files in os.walk(group)
        for pid in Path(folder, "cgroup.procs").read_text().split()
    ]


def _value(events: TextIO, key: str) -> str:
    events.seek(0)
    return dict(line.split() for line in events)[key]


def _wait(group: Path, key: str, value: str, timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    try:
        with (group / "cgroup.events").open() as events:
            changes = select.poll()
            changes.register(events, select.POLLPRI)
            while _value(events, key) != value:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                changes.poll(left * 1000)
            return True
    except OSError:
        # The group itself is gone, and every process of it.
        return (key, value) == ("populated", "0")
