# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What apt, dnf and zypper are told: only security updates, packages that are held, a dpkg that was interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..playbooks.fleet import outcome, result
from .site import APT, Site

SECURE, HELD, INTERRUPTED, RED, GREEN, LOCKED = "web1", "web2", "web3", "web4", "web5", "web6"
DEBIANS = (SECURE, HELD, INTERRUPTED)
SUSES = (GREEN, LOCKED)
BECOME = Path(__file__).with_name("rpm_server.sh").read_text(encoding="utf-8")
RPMS = "rpm --query --all | sort; cat /proc/sys/kernel/random/boot_id"
LOCKS = "sed -n 's/^solvable_name: //p' /etc/zypp/locks; ls /var/lib/safe-update.held 2>/dev/null || true"
FIRMWARE = {"name": "linux-firmware.noarch", "old": "0:1.0-1", "new": "0:1.1-1"}
# Of Debian's pending updates, one that this run is told to leave out, and one that the owner holds for ever.
EXCLUDED, OWNED = "libexpat1", "liblzma5"


class Story:
    """The same run three times: as a rehearsal, in earnest, and once more."""

    def __init__(self, site: Site) -> None:
        self.site = site
        site.prepare(*DEBIANS, RED, *SUSES)
        tools = {RED: "dnf", GREEN: "zypper", LOCKED: "zypper"}
        site.each(lambda name: site.lab.ssh(name, f"set -- {tools[name]}\n{BECOME}"), tools)
        for name in (RED, GREEN):
            site.hosts[name]["safe_update_scope"] = "security"
        site.hosts[RED]["safe_update_exclude"] = ["excluded"]
        site.lab.ssh(GREEN, "zypper --non-interactive addlock excluded")
        # A number would be that of a lock, and what is locked as a pattern is no package.
        site.hosts[LOCKED]["safe_update_exclude"] = ["exc*", "2ping"]
        site.lab.ssh(LOCKED, "zypper --non-interactive addlock --type pattern 'exc*' && zypper addlock ordinary")
        site.hosts[SECURE] |= {"safe_update_scope": "security", "safe_update_exclude": [EXCLUDED]}
        site.hosts[HELD]["safe_update_exclude"] = ["hello-*", "no-such-package"]
        site.lab.ssh(HELD, "apt-mark hold hello-web")
        site.lab.ssh(SECURE, f"apt-mark hold {OWNED}")
        site.lab.publish("1.1")
        for name in (HELD, INTERRUPTED):
            # Debian's own updates are for the first server alone.
            site.lab.ssh(name, "sed -i /security/d /etc/apt/sources.list")
        self.files = site.lab.publish_security_updates()
        site.lab.ssh(INTERRUPTED, f"{APT} update && cd /tmp && apt-get download hello-web=1.1 && dpkg --unpack *.deb")
        site.each(lambda name: site.lab.ssh(name, f"{APT} update"), DEBIANS)
        self.interrupted = site.version(INTERRUPTED)
        self.before = self.look()
        self.rehearsal = site.run(check=True, env={"ANSIBLE_DIFF_ALWAYS": "true"})
        self.after_rehearsal = self.look()
        self.run = site.run()
        self.again = site.run()

    def look(self) -> dict[str, str]:
        look = self.site.lab.ssh
        return self.site.each(self.site.fingerprint, DEBIANS) | {name: look(name, RPMS) for name in (RED, *SUSES)}

    def package(self, host: str, name: str) -> str:
        return self.site.lab.ssh(host, f"dpkg-query --show --showformat '${{Version}}' {name}")


@pytest.fixture(scope="module")
def story(site: Site) -> Story:
    return Story(site)


def test_rehearsal_changes_nothing_and_tells_what_it_would(story: Story) -> None:
    assert story.rehearsal.rc == 0
    assert story.after_rehearsal == story.before
    assert "Pending: " in result(story.rehearsal, SECURE)["message"]
    assert "libssl3" in result(story.rehearsal, SECURE)["message"]
    for name in (RED, *SUSES):
        assert "Pending: linux-firmware.noarch (" in result(story.rehearsal, name)["message"]
    outcomes = {name: outcome(story.rehearsal, name) for name in story.site.hosts}
    assert outcomes == {**dict.fromkeys(story.site.hosts, "updated"), HELD: "up_to_date"}


def test_security_updates_of_debian_are_installed_and_no_other(story: Story) -> None:
    assert outcome(story.run, SECURE) == "updated"
    changed = {change["name"].split(":")[0]: change["new"] for change in result(story.run, SECURE)["packages"]}
    offered = {file.split("_")[0] for file in story.files}
    assert {"libssl3", "perl-base"} <= set(changed) <= offered
    assert story.package(SECURE, "libssl3") == changed["libssl3"]
    assert story.site.version(SECURE) == "1.0 installed"
    assert story.site.health(SECURE) == 200


def test_excluded_package_stays_and_is_not_held_afterwards(story: Story) -> None:
    names = {change["name"].split(":")[0] for change in result(story.run, SECURE)["packages"]}
    assert not names & {EXCLUDED, OWNED}
    assert story.site.lab.ssh(SECURE, "apt-mark showhold").split() == [OWNED]


def test_package_that_the_owner_holds_is_held_afterwards(story: Story) -> None:
    assert outcome(story.run, HELD) == "up_to_date"
    assert story.site.lab.ssh(HELD, "apt-mark showhold").split() == ["hello-web"]
    assert story.site.version(HELD) == "1.0 installed"


def test_interrupted_dpkg_is_finished(story: Story) -> None:
    assert story.interrupted == "1.1 unpacked"
    assert outcome(story.run, INTERRUPTED) == "updated"
    assert story.site.version(INTERRUPTED) == "1.1 installed"
    assert story.site.lab.ssh(INTERRUPTED, "dpkg --audit") == ""


@pytest.mark.parametrize("host", [RED, GREEN, LOCKED])
def test_rpms_are_updated_and_the_system_restarted_where_it_asks_for_it(story: Story, host: str) -> None:
    """Only for security, or all but what is excluded and what its owner has locked."""
    assert outcome(story.run, host) == "updated"
    assert result(story.run, host)["packages"] == [FIRMWARE]
    *rpms, boot_id = story.look()[host].splitlines()
    assert rpms == ["excluded-1.0-1.noarch", "linux-firmware-1.1-1.noarch", "ordinary-1.0-1.noarch"]
    assert boot_id != story.before[host].splitlines()[-1]


def test_what_its_owner_has_locked_is_locked_afterwards_and_nothing_else(story: Story) -> None:
    assert story.site.lab.ssh(GREEN, LOCKS).split() == ["excluded"]
    assert sorted(story.site.lab.ssh(LOCKED, LOCKS).split()) == ["exc*", "ordinary"]


def test_second_run_has_nothing_to_do(story: Story) -> None:
    assert story.again.rc == 0
    for name in story.site.hosts:
        assert outcome(story.again, name) == "up_to_date"
        assert story.again.stats[name]["changed"] == 0
    assert all(story.site.snapshots(name) == {} for name in story.site.hosts)
