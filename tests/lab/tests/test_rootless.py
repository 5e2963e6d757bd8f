# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab of an ordinary user, made for the test in a mount namespace: the machine gets neither a user nor a file."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import vps_emulator
import vps_lab
from vps_lab import image
from vps_lab.capsule import CGROUP

USER = "labuser"
UID = 54321
IDS = f"{USER}:200000:65536\n"


def _covers(paths: list[Path]) -> dict[Path, list[Path]]:
    """The topmost folder on the way to each path that only its owner may enter, and what must be seen below it."""
    closed: dict[Path, list[Path]] = {}
    for path in paths:
        hidden = [parent for parent in reversed(path.parents) if not parent.stat().st_mode & 0o001]
        if hidden:
            closed.setdefault(hidden[0], []).append(path)
    return closed


def _scene(home: Path, command: str) -> str:
    """A script that turns its mount namespace into a machine on which the user exists, and runs a command as them."""
    lines = ["set -eu"]
    for file, text in {
        "passwd": Path("/etc/passwd").read_text() + f"{USER}:x:{UID}:{UID}::{home}:/bin/sh\n",
        "group": Path("/etc/group").read_text() + f"{USER}:x:{UID}:\n",
        "subuid": IDS,
        "subgid": IDS,
    }.items():
        (home / file).write_text(text)
        lines.append(f"mount --bind {home / file} /etc/{file}")
    needed = {Path(sys.base_prefix), Path(sys.prefix), Path(os.environ[image.IMAGE_VARIABLE])}
    needed |= {Path(module.__file__).parent for module in (vps_lab, vps_emulator)} | {home}
    for number, (cover, paths) in enumerate(_covers(sorted(needed)).items()):
        stage = f"/mnt/{number}"
        lines += [f"mount -t tmpfs tmpfs /mnt; mkdir {stage}"]
        for index, path in enumerate(paths):
            make = "mkdir" if path.is_dir() else "touch"
            lines += [f"{make} {stage}-{index}; mount --rbind {path} {stage}-{index}"]
        lines += [f"mount -t tmpfs -o mode=755 tmpfs {cover}"]
        for index, path in enumerate(paths):
            make = f"mkdir -p {path}" if path.is_dir() else f"mkdir -p {path.parent}; touch {path}"
            lines += [f"{make}; mount --rbind {stage}-{index} {path}"]
        lines += ["umount -l /mnt"]
    group = CGROUP / USER
    return "\n".join(
        [
            *lines,
            f"mkdir {group}; chown -R {UID}:{UID} {group} {home}; echo 0 > {group}/cgroup.procs",
            f"exec setpriv --reuid {UID} --regid {UID} --clear-groups --inh-caps=-all env HOME={home} {command}",
        ]
    )


@pytest.mark.skipif(
    Path("/proc/self/uid_map").read_text().split()[1] != "0", reason="an ordinary user runs these tests: all show it"
)
@pytest.mark.parametrize("store", ["overlay", "copy"])
def test_an_ordinary_user_has_a_whole_lab(tmp_path_factory: pytest.TempPathFactory, store: str) -> None:
    home = tmp_path_factory.mktemp("home")
    test = Path(__file__).with_name("rootless_story.py")
    script = home / "story.py"
    script.write_text(test.read_text())
    lab = [sys.executable, "-m", "vps_lab", "capsule", "--", sys.executable, script, store]
    scene = _scene(home, shlex.join(map(str, lab)))
    # Without the network of this capsule, which the user would take for one of their own.
    namespaces = ["unshare", "--mount", "--net", "--propagation", "private"]
    done = subprocess.run(
        [*namespaces, "sh", "-c", scene], capture_output=True, text=True, timeout=120, check=False, cwd="/"
    )
    try:
        assert (done.returncode, done.stdout, done.stderr) == (0, "the server is what it was\n", "")
    finally:
        (CGROUP / USER).rmdir()
