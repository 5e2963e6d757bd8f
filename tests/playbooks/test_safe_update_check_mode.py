# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rehearsal: check mode says what would be done and sends no write (the helper of the tests sees to that).

It is also where the built-in update's decisions are tested without a package manager: what apt-get says is recorded.
The real apt and dnf are tested on real servers.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Run
from .fleet import Fleet, outcome, own, play, result

# As Debian 12's apt-get --simulate prints it.
SIMULATED = """\
Reading package lists...
Building dependency tree...
Calculating upgrade...
The following packages will be upgraded:
  hello openssl
2 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.
Inst hello [2.10-3] (2.10-3+b1 Debian:12.5/stable [amd64])
Inst openssl [3.0.15-1~deb12u1] (3.0.16-1~deb12u1 Debian-Security:12/stable-security [amd64])
Inst libnew (1.0-1 Debian:12.5/stable [amd64])
Conf hello (2.10-3+b1 Debian:12.5/stable [amd64])
Conf openssl (3.0.16-1~deb12u1 Debian-Security:12/stable-security [amd64])
Conf libnew (1.0-1 Debian:12.5/stable [amd64])
"""
NOTHING = "0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n"
HELLO = {"name": "hello", "old": "2.10-3", "new": "2.10-3+b1"}
OPENSSL = {"name": "openssl", "old": "3.0.15-1~deb12u1", "new": "3.0.16-1~deb12u1"}
LIBNEW = {"name": "libnew", "old": "", "new": "1.0-1"}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, collections_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path_factory.mktemp("check-mode"), collections_path) as fleet:
        full = [own(day) for day in (1, 2, 3)] + [{"name": f"mine-{number}"} for number in (1, 2)]
        fleet.add("own-tasks", snapshots=full, safe_update_on_limit="rotate", safe_update_keep=1)
        fleet.add("unhealthy", version="broken")
        for name, variables in {
            "everything": {},
            "security": {"safe_update_scope": "security"},
            "excluded": {"safe_update_exclude": ["hello", "libnew"]},
            "excluded-all": {"safe_update_exclude": ["hello", "libnew", "openssl"]},
            "up-to-date": {},
        }.items():
            fleet.add(name, safe_update_tasks=None, **variables)
            tools = Path(fleet.hosts[name]["folder"], "bin")
            tools.mkdir()
            (tools / "said").write_text(NOTHING if name == "up-to-date" else SIMULATED)
            (tools / "apt-get").write_text('#!/bin/sh\n[ "$1" = --simulate ] && exec cat "${0%/*}/said"\n')
            (tools / "apt-get").chmod(0o755)
        fleet.start()
        yield fleet


@pytest.fixture(scope="module")
def run(fleet: Fleet) -> Run:
    path = {"PATH": "{{ folder }}/bin:{{ lookup('ansible.builtin.env', 'PATH') }}"}
    return fleet.run([play(environment=path)], "--diff", check=True)


def test_rehearsal_writes_nothing_and_changes_no_host(fleet: Fleet, run: Run) -> None:
    assert run.stats
    assert fleet.writes() == []
    assert {fleet.version(host) for host in run.stats if host != "unhealthy"} == {"old"}
    assert all(result(run, host)["check_mode"] for host in run.stats)


def test_rehearsal_says_what_would_go_and_how_many_slots_are_used(run: Run) -> None:
    assert outcome(run, "own-tasks") == "updated"
    message = result(run, "own-tasks")["message"]
    assert message.startswith("Would be updated. The host is healthy; 5 of 5 snapshot slots are used.")
    assert f"To make room, {own(1)['name']} goes first." in message
    # The one to keep is the new one.
    assert f"After a success these own snapshots go: {own(3)['name']}, {own(2)['name']}" in message
    assert result(run, "own-tasks")["slots_used"] == 5


def test_rehearsal_refuses_an_unhealthy_host(run: Run) -> None:
    assert run.rc == 2
    assert outcome(run, "unhealthy") == "refused"


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("host", "pending"),
    [("everything", [HELLO, OPENSSL, LIBNEW]), ("security", [OPENSSL]), ("excluded", [OPENSSL])],
)
def test_pending_packages(run: Run, host: str, pending: list[dict[str, str]]) -> None:
    assert outcome(run, host) == "updated"
    # What the machine of the tests itself has left half done is pending too.
    found = [package for package in result(run, host)["pending"] if package["old"] != "unfinished"]
    assert found == pending
    assert "by package lists of" in result(run, host)["message"]


@pytest.mark.parametrize("host", ["excluded-all", "up-to-date"])
def test_nothing_pending_is_up_to_date(run: Run, host: str) -> None:
    assert outcome(run, host) == "up_to_date"
    assert run.stats[host]["changed"] == 0
    assert not run.results("Start the snapshot", host)
