# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands in the way of an update before it begins, and what it says when it fails: two runs over ten servers."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import Any

import pytest

from ..playbooks.conftest import Run
from ..playbooks.fleet import outcome, result
from .site import PACE, Site

# `offer VERSION [FIELD]` builds the package shop, with stdin as its postinst, into a repository of the server's own.
TOOLS = r"""
set -e
mkdir -p /srv/shop
offer() {
    folder=$(mktemp -d)
    mkdir "$folder/DEBIAN"
    printf '%s\n' 'Package: shop' "Version: $1" 'Architecture: all' 'Maintainer: x <x@localhost>' 'Description: shop' \
        ${2:+"$2"} >"$folder/DEBIAN/control"
    { echo '#!/bin/sh'; cat; } >"$folder/DEBIAN/postinst"
    chmod 755 "$folder" "$folder/DEBIAN/postinst"
    dpkg-deb --build "$folder" "/srv/shop/shop_$1.deb"
    for file in /srv/shop/*.deb; do
        dpkg-deb --field "$file"
        printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$(basename "$file")" "$(stat -c %s "$file")" \
            "$(sha256sum <"$file" | cut -d' ' -f1)"
    done >/srv/shop/Packages
}
fill() { dd if=/dev/zero of=/filler bs=1M count="$1" status=none || true; }
hold() {
    printf '%s\n' 'import fcntl, sys, time' 'file = open(sys.argv[1], "w")' 'fcntl.lockf(file, fcntl.LOCK_EX)' \
        'time.sleep(int(sys.argv[2]))' >/root/hold.py
    setsid python3 /root/hold.py "$@" >/dev/null 2>&1 </dev/null &
    echo $! >/root/hold.pid
    sleep 1
}
"""
FIRST = """
offer 1 </dev/null >/dev/null
echo 'deb [trusted=yes] file:/srv/shop ./' >/etc/apt/sources.list
apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq --yes install shop >/dev/null 2>&1
"""
GOOD = "offer 2 </dev/null"


@dataclass(frozen=True)
class Case:
    """A server before an update: what is done there, what comes of it, and what the reason says."""

    name: str
    begin: str
    outcome: str
    says: tuple[str, ...] = ()
    variables: dict[str, Any] = field(default_factory=dict)


BYTES = r"""offer 2 <<'END'
printf 'caf\351 \033[31mred\033[0m \000 \377\376\n'
yes 'a line that a talkative script prints' | head -n 20000
read answer || echo nobody answers
END"""
FAILING = r"""offer 2 <<'END'
echo 'shop: the table of prices is locked: caf\351'
exit 3
END"""
CUT = r"""offer 2 <<'END'
kill -KILL $(cat /sys/fs/cgroup/system.slice/ssh.service/cgroup.procs)
sleep 2
systemctl restart ssh
sleep 3
END"""
SNAKE = "offer 2 <<'END'\nmv /usr/bin/python3 /usr/bin/python3.gone\nEND"
CASES = {
    "web1": Case("little room", f"{GOOD}; fill 470", "refused", ("/ has ", " and 50 MiB ", "safe_update_min_free")),
    "web2": Case("no room at all", f"{GOOD}; fill 600", "refused", ("/ has 0 KiB free",)),
    "web3": Case(
        "read-only",
        f"{GOOD}; mount --bind /usr /usr; mount -o remount,bind,ro /usr",
        "refused",
        ("/usr cannot be written to",),
    ),
    "web4": Case("lists that are locked for a while", f"{GOOD}; hold /var/lib/apt/lists/lock 15", "updated"),
    "web5": Case(
        "dpkg that is locked for ever",
        f"{GOOD}; hold /var/lib/dpkg/lock-frontend 100000",
        "refused",
        ("process ", "hold.py", "holds /var/lib/dpkg/lock-frontend"),
    ),
    "web6": Case(
        "repositories that are gone or not signed",
        f"{GOOD}; mkdir /srv/other; : >/srv/other/Packages; printf 'deb http://10.77.0.1:8077/gone stable main\n'"
        " >>/etc/apt/sources.list",
        "refused",
        ("'http://10.77.0.1:8077/gone stable Release' does not have a Release file", "sources.list"),
    ),
    "web7": Case("a script that prints any bytes, and asks", BYTES, "updated"),
    "web8": Case(
        "a script that fails",
        FAILING,
        "kept",
        ("shop: the table of prices is locked: caf\\xe9", "error processing package shop", "exit status 3"),
    ),
    "web9": Case("an update that ends every session", CUT, "updated"),
    "web10": Case(
        "an update that takes Python away",
        SNAKE,
        "rolled_back",
        ("Python is gone", "this is the update's doing"),
        {"safe_update_on_failure": "rollback"},
    ),
}
# What comes next on the same servers.
LATER = {
    "web1": Case(
        "a package that wants another one gone",
        "rm /filler; offer 1 </dev/null; mkdir -p /srv/x/DEBIAN; printf 'Package: mail\nVersion: 1\nArchitecture: all\n"
        "Maintainer: x <x@localhost>\nDescription: x\n' >/srv/x/DEBIAN/control; dpkg-deb --build /srv/x /root/mail.deb;"
        " dpkg --install /root/mail.deb; offer 3 'Conflicts: mail' </dev/null",
        "refused",
        ("The update would remove mail.",),
    ),
    "web2": Case(
        "an update that never ends",
        "rm /filler; offer 3 <<'END'\necho 'shop: waiting for the moon'\nsetsid sleep 1000\nEND",
        "kept",
        ("not over after 15 s (safe_update_timeout)", "shop: waiting for the moon"),
        {"safe_update_timeout": 15},
    ),
    "web3": Case(
        "the owner's own APT_CONFIG names the repositories",
        "umount --lazy /usr; offer 3 </dev/null; mv /etc/apt/sources.list /root/shop.list;"
        " echo APT_CONFIG=/root/apt.conf >>/etc/environment;"
        " echo 'Dir::Etc::sourcelist \"/root/shop.list\";' >/root/apt.conf",
        "updated",
    ),
    "web5": Case(
        "an update of an earlier run that goes on",
        "kill $(cat /root/hold.pid); systemd-run --quiet --unit=safe-update-20260101T000000Z sleep 100000",
        "refused",
        ("safe-update-20260101T000000Z.service runs", "Run again when it is done"),
    ),
    "web7": Case(
        "a restart that waits for a service to stop",
        "printf '[Service]\nExecStart=sleep 1000000\nExecStop=sleep 30\n' >/etc/systemd/system/slow.service;"
        " mkdir -p /var/log/journal; systemctl restart systemd-journald; journalctl --flush;"
        " systemctl start slow; offer 3 </dev/null",
        "kept",
        ("longer than 10 s (safe_update_reboot_timeout)", "It waited for: slow.service (3"),
        {"safe_update_reboot": "always", "safe_update_reboot_timeout": 10, "safe_update_connection_timeout": 90},
    ),
    "web8": Case(
        "what has failed before",
        "true",
        "refused",
        ("Nothing is pending but shop", "failed before: shop: the table of prices is locked: caf\\xe9"),
    ),
    "web9": Case("a server without systemd", "offer 3 </dev/null; mv /run/systemd/system /run/systemd/off", "updated"),
}


class Story:
    def __init__(self, site: Site) -> None:
        self.site = site
        self.runs = {}
        for cases, first in ((CASES, FIRST), (LATER, "")):
            site.hosts = {name: {"safe_update_checks": [], **case.variables} for name, case in cases.items()}
            site.each(lambda name, first=first, cases=cases: self._begin(name, first + cases[name].begin))
            self.runs[id(cases)] = site.run(variables={"__safe_update_pace": {**PACE, "compare_tries": 8}})

    def _begin(self, name: str, script: str) -> None:
        self.site.lab.ssh(name, f"bash -c {shlex.quote(TOOLS + script)}")

    def run(self, cases: dict[str, Case]) -> Run:
        return self.runs[id(cases)]

    def version(self, name: str) -> str:
        return self.site.lab.ssh(name, "dpkg-query --show --showformat '${Version} ${db:Status-Status}' shop")


@pytest.fixture(scope="module")
def story(site: Site) -> Story:
    return Story(site)


@pytest.mark.parametrize(
    ("cases", "name"),
    [pytest.param(cases, name, id=case.name) for cases in (CASES, LATER) for name, case in cases.items()],
)
def test_what_comes_of_it(story: Story, cases: dict[str, Case], name: str) -> None:
    run, case = story.run(cases), cases[name]
    assert outcome(run, name) == case.outcome, result(run, name)
    for words in case.says:
        assert words in result(run, name)["reason"]
    if case.outcome == "refused":
        assert result(run, name)["snapshot_id"] is None


@pytest.mark.parametrize("name", ["web4", "web7", "web9"])
def test_what_was_pending_is_installed(story: Story, name: str) -> None:
    assert "installed" in story.version(name)
    assert "half" not in story.version(name)


def test_what_fails_costs_one_snapshot(story: Story) -> None:
    assert list(story.site.snapshots("web8")) == [result(story.run(CASES), "web8")["snapshot_name"]]
    assert story.version("web8") == "2 half-configured"


def test_nothing_is_left_of_an_update_that_ran_out_of_time(story: Story) -> None:
    assert story.site.processes("web2", r"(\S*/)?(apt|dpkg|sleep|setsid)") == []


@pytest.mark.parametrize("name", ["web2", "web4", "web7"])
def test_no_unit_is_left(story: Story, name: str) -> None:
    assert story.site.lab.ssh(name, "systemctl list-units --all --no-legend 'safe-update-*'") == ""
