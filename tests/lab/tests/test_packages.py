# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every version of hello-web does to a server what its story says."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from helpers import boot_id, wait_until
from vps_lab import image, packages
from vps_lab.lab import Lab
from vps_lab.tools import LabError, run

APT = "DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes"


def health(lab: Lab) -> dict | int:
    """What hello-web on web1 says about itself; the status if that is no 200, 0 if nobody answers."""
    try:
        with urllib.request.urlopen(f"http://{lab.server('web1').address}:8080/health", timeout=5) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


@pytest.fixture
def web1(lab: Lab) -> Lab:
    """A lab on whose first server hello-web 1.0 runs."""
    lab.publish("1.0")
    lab.ssh("web1", f"{APT} update && {APT} install hello-web")
    wait_until(lambda: health(lab) == {"version": "1.0", "schema": 1, "healthy": True})
    return lab


def update(lab: Lab, version: str, timeout: float = 60) -> str:
    lab.publish(version)
    return lab.ssh("web1", f"{APT} update && {APT} dist-upgrade", timeout=timeout)


def installed(lab: Lab) -> str:
    return lab.ssh("web1", "dpkg-query --show --showformat '${Version} ${db:Status-Status}' hello-web")


def reboot(lab: Lab) -> None:
    lab.ssh("web1", "systemctl reboot")


def test_1_1_is_a_good_update(web1: Lab) -> None:
    update(web1, "1.1")
    wait_until(lambda: health(web1) == {"version": "1.1", "schema": 1, "healthy": True})
    with pytest.raises(LabError):
        web1.content("web1", "/run/reboot-required")


def test_2_0_is_good_and_needs_a_reboot(web1: Lab) -> None:
    update(web1, "2.0")
    assert installed(web1) == "2.0 installed"
    assert "restart required" in web1.ssh("web1", "cat /run/reboot-required")
    before = boot_id(web1, "web1")
    reboot(web1)
    wait_until(lambda: health(web1) == {"version": "2.0", "schema": 2, "healthy": True})
    assert boot_id(web1, "web1") != before
    assert web1.ssh("web1", "ls /run/reboot-required 2>&1 || true").endswith("No such file or directory\n")


def test_the_unhealthy_one_installs_well_and_a_downgrade_is_no_way_back(web1: Lab) -> None:
    update(web1, "2.0+health")
    assert installed(web1) == "2.0+health installed"
    wait_until(lambda: health(web1) == 0)
    assert web1.ssh("web1", "systemctl is-active hello-web || true") in ("activating\n", "failed\n")
    web1.ssh("web1", f"{APT} install --allow-downgrades hello-web=1.0")
    wait_until(lambda: health(web1) == 503)


def test_the_one_that_breaks_sshd_refuses_new_logins(web1: Lab) -> None:
    update(web1, "2.0+sshd")
    with pytest.raises(LabError, match="refused"):
        web1.ssh("web1", "true")
    assert web1.server("web1").machine.running()


def test_the_one_that_cuts_ends_the_sessions_too(web1: Lab) -> None:
    web1.publish("2.0+cut")
    with pytest.raises(LabError, match="failed with 255"):
        web1.ssh("web1", f"{APT} update && {APT} dist-upgrade && sleep 30")
    with pytest.raises(LabError, match="refused"):
        web1.ssh("web1", "true")


def test_the_one_that_breaks_the_network_shows_it_after_the_reboot(web1: Lab) -> None:
    update(web1, "2.0+network")
    assert installed(web1) == "2.0+network installed"
    reboot(web1)
    machine = web1.server("web1").machine
    wait_until(lambda: machine.console.read_text().count("power on") >= 2)
    with pytest.raises(LabError, match="did not answer"):
        machine.wait_for_ssh(timeout=3)
    assert machine.running()


def test_the_one_that_fills_the_disk_fails_and_fills_no_other(web1: Lab) -> None:
    with pytest.raises(LabError, match=r"(?i)no space left on device"):
        update(web1, "2.0+disk")
    free = {name: int(web1.ssh(name, "df --output=avail --block-size=1M / | tail -n 1")) for name in ("web1", "web2")}
    assert free["web1"] < 10
    assert free["web2"] > 100


def test_the_one_that_fills_the_disk_spares_a_large_one(tmp_path: Path) -> None:
    run("dpkg-deb", "--control", packages.build("2.0+disk", tmp_path), tmp_path / "control")
    script = (tmp_path / "control/postinst").read_text()
    guard = script[script.index("size=") : script.index("dd if=")].replace(
        "$(df --output=size --block-size=1 /var/lib/hello-web | tail -n 1)", "$SIZE"
    )
    with pytest.raises(LabError, match="on a small one only"):
        run("env", f"SIZE={packages.LARGEST_DISK_TO_FILL + 1}", "sh", "-ec", guard)
    run("env", f"SIZE={packages.LARGEST_DISK_TO_FILL}", "sh", "-ec", guard)


def test_the_one_that_hangs_never_ends(web1: Lab) -> None:
    with pytest.raises(LabError, match="did not end within"):
        update(web1, "2.0+hang", timeout=8)
    assert web1.ssh("web1", "pgrep --exact sleep --list-name").endswith("sleep\n")


def test_an_unknown_version_is_refused(lab: Lab) -> None:
    with pytest.raises(LabError, match=r"no hello-web 9\.9: choose one of 1\.0"):
        lab.publish("9.9")


@pytest.mark.skipif(
    not (os.environ.get(image.UPDATES_VARIABLE) or os.environ.get("CI")),
    reason="downloads Debian's updates, in CI only; or: python -m vps_lab capsule --security-updates -- pytest",
)
def test_debians_own_updates_install(lab: Lab) -> None:
    files = lab.publish_security_updates()
    assert files
    lab.ssh("web1", f"{APT} update")
    pending = lab.ssh("web1", "apt list --upgradable 2>/dev/null | grep --count /").strip()
    assert int(pending) >= 1
    lab.ssh("web1", f"{APT} dist-upgrade", timeout=300)
    assert lab.ssh("web1", "apt list --upgradable 2>/dev/null | grep --count / || true") == "0\n"
    assert lab.ssh("web1", "dpkg --audit; systemctl is-system-running --wait") == "running\n"


def test_each_index_of_packages_is_newer_by_a_second_at_least(lab: Lab) -> None:
    index, times = lab.folder / "repository" / "Packages", []
    for version in ("1.0", "1.1", "2.0"):
        lab.publish(version)
        times.append(int(index.stat().st_mtime))
    assert times == sorted(set(times))
