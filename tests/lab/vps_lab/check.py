# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether this machine can run the lab, and if not, what is missing and what brings it."""

from __future__ import annotations

import getpass
import os
import platform
import shutil
import subprocess
from pathlib import Path

from vps_lab import capsule, cgroups
from vps_lab.tools import LabError

# Tool to Debian package.
TOOLS = {
    "apt-get": "apt",
    "chroot": "coreutils",
    "dpkg-deb": "dpkg",
    "ip": "iproute2",
    "mmdebstrap": "mmdebstrap",
    "mount": "mount",
    "nsenter": "util-linux",
    "pivot_root": "util-linux",
    "setpriv": "util-linux",
    "setsid": "util-linux",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "tar": "tar",
    "unshare": "util-linux",
    "zstd": "zstd",
}
# Debian's user 65534 (nobody) must have a number in the capsule.
IDS_NEEDED = 65536
OLDEST_KERNEL = (5, 14)
OLDEST_KERNEL_WITHOUT_ROOT = (6, 6)


def missing() -> list[str]:
    """What keeps this machine from running the lab, one sentence each; empty if nothing does."""
    if platform.system() != "Linux":
        return [f"the lab needs Linux, this is {platform.system()}: use the emulator with folders instead"]
    capsule.find_system_tools()
    return [*_tools(), *_kernel(), *_ids(), *_control_group()] or _probe()


def _tools() -> list[str]:
    needed = TOOLS if os.geteuid() == 0 else {**TOOLS, "newuidmap": "uidmap", "newgidmap": "uidmap"}
    return [
        f"{tool} is not installed: apt-get install {package}"
        for tool, package in needed.items()
        if not shutil.which(tool)
    ]


def _kernel() -> list[str]:
    release = platform.release()
    version = tuple(int(number) for number in release.split("-")[0].split(".")[:2])
    oldest, why = (OLDEST_KERNEL, "cgroup.kill")
    if os.geteuid():
        oldest, why = (OLDEST_KERNEL_WITHOUT_ROOT, "overlayfs on a tmpfs without root")
    if version < oldest:
        return [f"Linux {'.'.join(map(str, oldest))} or newer is needed ({why}), this is {release}"]
    return []


def _ids() -> list[str]:
    if os.geteuid() == 0:
        return []
    user = getpass.getuser()
    return [
        f"{file} gives {user} no {IDS_NEEDED} ids: usermod --add-{kind}s 100000-165535 {user}"
        for file, kind in (("/etc/subuid", "subuid"), ("/etc/subgid", "subgid"))
        if not _has_range(Path(file), (user, str(os.getuid())))
    ]


def _has_range(file: Path, owners: tuple[str, ...]) -> bool:
    lines = file.read_text().splitlines() if file.exists() else []
    ranges = [line.split(":") for line in lines if line.count(":") == 2]
    return any(owner in owners and int(count) >= IDS_NEEDED for owner, _first, count in ranges)


def _control_group() -> list[str]:
    try:
        cgroups.delegated()
    except LabError as error:
        return [str(error)]
    return []


def _probe() -> list[str]:
    """Really open the namespaces: security modules and container engines forbid it in too many ways to know."""
    done = subprocess.run([*capsule.unshare(), "--", "true"], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return []
    remedy = "allow user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone=1"
    return [f"namespaces are refused: {done.stderr.strip()}: {remedy}, kernel.apparmor_restrict_unprivileged_userns=0)"]
