# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The package hello-web in many versions: 1.0 is good, and what follows it shows every way an update can go."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from vps_lab.servers import NETWORK_FILE
from vps_lab.tools import LabError, run

NAME = "hello-web"
PARTS = Path(__file__).with_name("hello_web")
# An update that fills the disk refuses to on a larger one: it was meant for a server of the lab, not for a computer.
LARGEST_DISK_TO_FILL = 2 * 2**30

REBOOT_REQUIRED = """\
echo "*** System restart required ***" > /run/reboot-required
echo hello-web >> /run/reboot-required.pkgs
"""
BREAK_SSHD = """\
echo "HelloWebTunnel yes" > /etc/ssh/sshd_config.d/hello-web.conf
systemctl restart ssh.service || true
"""
# Sessions live on when sshd is gone, the one of this very update too: end them when it has told that it is done.
CUT_SESSIONS = """\
systemd-run --quiet --on-active=1 --timer-property=AccuracySec=100ms sh -c 'pkill -x sshd || true'
"""
BREAK_NETWORK = f"""\
sed -i 's/^Name=eth0/Name=ens3/' /{NETWORK_FILE}
"""
FILL_DISK = f"""\
size=$(df --output=size --block-size=1 /var/lib/hello-web | tail -n 1)
if [ "$size" -gt {LARGEST_DISK_TO_FILL} ]; then
  echo "hello-web: this version fills the disk, and will do so on a small one only" >&2
  exit 1
fi
dd if=/dev/zero of=/var/lib/hello-web/archive bs=1M status=none
"""
HANG = """\
echo "hello-web: waiting for something that never happens"
exec sleep infinity
"""


@dataclass(frozen=True)
class Release:
    """One version of hello-web: what it is like, and how its installation script goes on after the usual steps."""

    version: str
    story: str
    schema: int = 2
    more: str = ""
    broken_import: bool = False


RELEASES = {
    release.version: release
    for release in (
        Release("1.0", "good, the one to begin with", schema=1),
        Release("1.1", "good, needs no reboot", schema=1),
        Release("2.0", "good, migrates its data and needs a reboot", more=REBOOT_REQUIRED),
        Release("2.0+health", "installs well, but its service does not come up", broken_import=True),
        Release("2.0+sshd", "leaves sshd with a configuration that it refuses", more=BREAK_SSHD),
        Release("2.0+cut", "does so and ends every ssh session a second later", more=BREAK_SSHD + CUT_SESSIONS),
        Release("2.0+network", "after its reboot the server has no address", more=BREAK_NETWORK + REBOOT_REQUIRED),
        Release("2.0+disk", "fills the disk, and its installation fails", more=FILL_DISK),
        Release("2.0+hang", "its installation never ends", more=HANG),
    )
}


def build(version: str, folder: Path) -> Path:
    """Build the .deb of a version into a folder; returns its path.

    Raises:
        LabError: there is no such version.
    """
    if version not in RELEASES:
        raise LabError(f"there is no {NAME} {version}: choose one of {', '.join(RELEASES)}")
    release = RELEASES[version]
    package = folder / f"{NAME}_{version}_all.deb"
    with tempfile.TemporaryDirectory(prefix="vps-lab-package-") as name:
        tree = Path(name)
        for path, (text, mode) in _files(release).items():
            target = tree / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            target.chmod(mode)
        for directory in (tree, *(path for path in tree.rglob("*") if path.is_dir())):
            directory.chmod(0o755)
        # Weakest compression: the lab serves it over its own bridge.
        run("dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", tree, package)
    return package


def _files(release: Release) -> dict[str, tuple[str, int]]:
    """Path to content and mode of everything in the package."""
    control = {
        "Package": NAME,
        "Version": release.version,
        "Architecture": "all",
        "Maintainer": "The vpsdotorg.cloud authors <root@localhost>",
        "Depends": "python3, systemd, openssh-server, procps",
        "Description": f"small web service of the test lab: {release.story}",
    }
    program = _part("server.py", release)
    if release.broken_import:
        program = program.replace("import json\n", "import json\nimport hello_web_migrations\n")
    return {
        "DEBIAN/control": ("".join(f"{key}: {value}\n" for key, value in control.items()), 0o644),
        "DEBIAN/postinst": (_part("postinst.sh", release), 0o755),
        "DEBIAN/prerm": (_part("prerm.sh", release), 0o755),
        "usr/lib/hello-web/server.py": (program, 0o644),
        "lib/systemd/system/hello-web.service": (_part("hello-web.service", release), 0o644),
    }


def _part(name: str, release: Release) -> str:
    text = (PARTS / name).read_text()
    for key, value in {"VERSION": release.version, "SCHEMA": str(release.schema), "MORE": release.more}.items():
        text = text.replace(f"@{key}@", value)
    return text
