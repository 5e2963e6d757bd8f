# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base image of every server: a small Debian with systemd, sshd and Python, built once and cached.

It comes from the mirror that this machine's own apt uses, whose name does not stay in the image.
Building needs the network, so it happens outside the capsule.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

from vps_lab.tools import LabError, run

# With these, a server can pass for one of Red Hat's family, and with what image.sh puts into /opt/zypper of SUSE's.
RPM_PACKAGES = "dnf,dnf-plugins-core,rpm,createrepo-c"
# With these, it can be a load balancer.
BALANCER_PACKAGES = "haproxy,socat"
PACKAGES = f"systemd-sysv,dbus,openssh-server,python3,python3-apt,iproute2,procps,{RPM_PACKAGES},{BALANCER_PACKAGES}"
RECIPE = Path(__file__).with_name("image.sh")
# What was made ready outside is handed into the capsule, where it could not be had: the image's file ...
IMAGE_VARIABLE = "VPS_LAB_IMAGE"
# ... and the folder of Debian's own pending updates.
UPDATES_VARIABLE = "VPS_LAB_SECURITY_UPDATES"
# Folders that apt wants to find where it keeps its state.
APT_STATE = ("lists/partial", "archives/partial")


def cache() -> Path:
    """The folder that keeps images and downloads between runs; it may be deleted at any time."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base, "vpsdotorg-lab")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def suite() -> str:
    """The code name of the Debian release of this machine, which the servers run too."""
    name = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    if not name:
        raise LabError("cannot choose a release for the servers: /etc/os-release has no VERSION_CODENAME")
    return name


def ensure() -> Path:
    """The image as a .tar.zst file: the one that was handed in, else that of the present recipe, built if need be.

    Raises:
        LabError: mmdebstrap failed; the message has its output.
    """
    if ready := os.environ.get(IMAGE_VARIABLE):
        return Path(ready)
    key = hashlib.sha256(f"{suite()}\n{PACKAGES}\n{RECIPE.read_text()}".encode()).hexdigest()[:16]
    image = cache() / f"base-{suite()}-{key}.tar.zst"
    with _alone(image.with_suffix(".lock")):
        if not image.exists():
            _build(image)
    return image


def security_updates(image: Path) -> Path:
    """Debian's updates pending for the image, as a folder of .deb files; found and downloaded by this machine's apt.

    Raises:
        LabError: apt failed, or nothing is pending.
    """
    folder = image.with_name(image.name.removesuffix(".tar.zst") + ".updates")
    with _alone(folder.with_suffix(".lock")):
        for part in APT_STATE:
            (folder / part).mkdir(parents=True, exist_ok=True)
        status = folder / "status"
        status.write_text(run("tar", "--zstd", "-xOf", image, "./var/lib/dpkg/status"))
        # apt's own state stands aside: the machine's package lists and locks are not touched.
        apt = ["apt-get", "--quiet", "--assume-yes", "-o", f"Dir::State={folder}", "-o", f"Dir::State::status={status}"]
        apt += ["-o", f"Dir::Cache={folder}", "-o", "APT::Sandbox::User=", "-o", "Dir::Log=/dev/null"]
        run(*apt, "update")
        run(*apt, "--download-only", "-o", "APT::Install-Recommends=false", "dist-upgrade")
        run(*apt, "autoclean")
    if not any((folder / "archives").glob("*.deb")):
        raise LabError("Debian has no update pending for the image: delete the cached image's updates or try later")
    return folder / "archives"


def unpack(image: Path, folder: Path) -> None:
    """Unpack the image into a new folder, which every server then shares, read-only."""
    part = folder.with_name(f"{folder.name}.part")
    part.mkdir(parents=True)
    # Without the machine's own root, device files cannot be made; a server gets its own /dev anyway.
    run("tar", "--zstd", "--exclude=./dev/*", "--numeric-owner", "-C", part, "-xpf", image)
    part.rename(folder)


def _build(image: Path) -> None:
    mode = "root" if os.geteuid() == 0 else "unshare"
    part = image.with_name(f"part-{image.name}")
    # dpkg syncs every file to disk: on a tmpfs that costs nothing, and a build takes half the time.
    scratch = Path("/dev/shm", f"vps-lab-{os.geteuid()}-{image.name}")
    try:
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        # The user ids of --mode=unshare must get through.
        scratch.chmod(0o711)
        run(
            *(
                "env",
                f"TMPDIR={scratch}",
                "mmdebstrap",
                "--quiet",
                f"--mode={mode}",
                "--variant=apt",
                "--aptopt=APT::Install-Recommends false",
            ),
            *(f"--include={PACKAGES}", f'--customize-hook=sh "{RECIPE}" "$1"', suite(), part, *_mirror()),
        )
        part.replace(image)
    finally:
        part.unlink(missing_ok=True)
        shutil.rmtree(scratch, ignore_errors=True)


def _mirror() -> list[str]:
    targets = run(
        "apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", f"Codename: {suite()}"
    ).split()
    if not targets:
        raise LabError(f"apt of this machine knows no mirror for {suite()}: run 'apt-get update' first")
    return targets[:1]


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Let one process at a time through; the kernel frees the lock of one that was killed."""
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
