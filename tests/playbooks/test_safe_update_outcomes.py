# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One batch of hosts whose updates end in every way, with a report: what each host holds afterwards, what was kept."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from .conftest import Run
from .fleet import BAD, CUT_OFF, GOOD, NETWORK, TASKS, Fleet, outcome, own, result

# What a mirror or a package's script may print.
HOSTILE = "<script src=https://evil.example/x.js></script> & | </td>"
HALF = f"echo half >version; echo '{HOSTILE}' >&2; exit 1"
HANGING = "echo half >version; sleep 20"
# A port below those that come and go.
LISTEN = """
import os, random, socket, sys
while True:
    try:
        listener = socket.create_server(("127.0.0.1", random.randrange(20000, 32000)))
        break
    except OSError:
        pass
# A daemon is nobody's child; a test's child would be a session's affair.
if os.fork():
    os._exit(0)
print(os.getpid(), listener.getsockname()[1], flush=True)
sys.stdin.read()
"""


class Service(NamedTuple):
    """What listens on a port of this machine."""

    pid: int
    port: int


@pytest.fixture(scope="module")
def listener() -> Iterator[Service]:
    """A service that an update ends."""
    command = [sys.executable, "-c", LISTEN]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        # It ends with its input.
        pid, port = process.stdout.readline().split()
        yield Service(int(pid), int(port))


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, collections_path: Path, listener: Service) -> Iterator[Fleet]:
    rollback = {"safe_update_on_failure": "rollback"}
    with Fleet(tmp_path_factory.mktemp("outcomes"), collections_path) as fleet:
        fleet.add(
            "good",
            snapshots=[
                own(1),
                own(2, status="failed"),
                {"name": "safe-update-mine", "age": "90d"},
                {"name": "nightly-20250101T000000Z", "age": "1d"},
            ],
        )
        fleet.add("broken", BAD)
        fleet.add("broken-back", f"{BAD}; rm network", **rollback)
        fleet.add("half-back", HALF, **rollback)
        fleet.add("hanging-back", HANGING, safe_update_timeout=5, **rollback)
        fleet.add("dead", CUT_OFF, **NETWORK)
        fleet.add("robbed", BAD, safe_update_tasks=str(TASKS / "update_and_rob.yml"), **rollback)
        fleet.add("portless", f"{GOOD}; kill {listener.pid}", safe_update_compare=True, **rollback)
        service = fleet.start()
        address = urlsplit(service.url)
        fleet.hosts["good"]["safe_update_checks"] = [
            {"url": f"{service.url}/account/me/", "status": 401},
            {"port": address.port, "host": address.hostname},
        ]
        # Of these two the command fails after the update.
        fleet.hosts["broken-back"]["safe_update_check_tasks"] = None
        fleet.hosts["broken-back"]["safe_update_checks"] = [
            {"command": f"test -e {fleet.hosts['broken-back']['folder']}/{name}", "retries": 1, "delay": 0}
            for name in ("version", "network")
        ]
        yield fleet


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports") / "made" / "by the role"


@pytest.fixture(scope="module")
def run(fleet: Fleet, reports: Path) -> Run:
    # Fewer forks than restores, so that a restore that was waited for would hold up the start of another one.
    return fleet.run(variables={"safe_update_report_dir": str(reports)}, env={"ANSIBLE_FORKS": "3"})


def test_exit_code_tells_of_the_failed_hosts(run: Run) -> None:
    assert run.rc == 2


def test_good_update(fleet: Fleet, run: Run) -> None:
    assert outcome(run, "good") == "updated"
    assert fleet.version("good") == "new"
    assert result(run, "good")["reason"] == ""


def test_good_update_deletes_own_snapshots_and_no_other(fleet: Fleet, run: Run) -> None:
    assert run.rc == 2
    assert set(fleet.snapshots("good")) == {"safe-update-mine", "nightly-20250101T000000Z"}


def test_bad_update_is_kept_unless_told_otherwise(fleet: Fleet, run: Run) -> None:
    assert outcome(run, "broken") == "kept"
    assert fleet.version("broken") == "broken"
    found = result(run, "broken")
    assert fleet.snapshots("broken") == {found["snapshot_name"]: "completed"}
    assert (found["failed_phase"], found["failed_task"]) == ("verify", "Check the version")
    restore = f"vps_snapshot_restore -a 'server_id={found['server_id']} snapshot_id={found['snapshot_id']}'"
    assert restore in found["reason"]
    assert any(restore in message for message in run.failures("broken"))


def test_failed_check_rolls_back(fleet: Fleet, run: Run) -> None:
    assert outcome(run, "broken-back") == "rolled_back"
    assert fleet.version("broken-back") == "old"
    assert fleet.file("broken-back", "network") == "up"
    assert fleet.snapshots("broken-back") == {result(run, "broken-back")["snapshot_name"]: "completed"}
    # Of the two checks only the one that failed is named.
    assert "/network" in result(run, "broken-back")["reason"]
    assert "/version" not in result(run, "broken-back")["reason"]
    assert len(result(run, "broken-back")["checks"]) == 2


def test_failed_update_of_ones_own_rolls_back(fleet: Fleet, run: Run) -> None:
    assert outcome(run, "half-back") == "rolled_back"
    assert fleet.version("half-back") == "old"
    assert result(run, "half-back")["failed_phase"] == "update"
    assert HOSTILE in result(run, "half-back")["reason"]


def test_hanging_update_is_ended_and_rolled_back(fleet: Fleet, run: Run) -> None:
    assert outcome(run, "hanging-back") == "rolled_back"
    assert fleet.version("hanging-back") == "old"
    assert result(run, "hanging-back")["failed_phase"] == "update"


def test_unreachable_after_the_update_is_kept_unless_told_otherwise(fleet: Fleet, run: Run) -> None:
    assert outcome(run, "dead") == "kept"
    assert fleet.file("dead", "network") == "down"
    assert fleet.snapshots("dead") == {result(run, "dead")["snapshot_name"]: "completed"}
    assert result(run, "dead")["failed_task"] == "Wait until the host answers"


def test_rollback_fails_if_the_snapshot_was_deleted_meanwhile(fleet: Fleet, run: Run) -> None:
    assert outcome(run, "robbed") == "rollback_failed"
    assert fleet.version("robbed") == "broken"
    assert fleet.status("robbed") == "active"
    assert "Start the restore" in result(run, "robbed")["reason"]
    assert "Check the version" in result(run, "robbed")["reason"]


def test_rollback_fails_if_what_ran_before_does_not_run_again(fleet: Fleet, run: Run, listener: Service) -> None:
    assert outcome(run, "portless") == "rollback_failed"
    assert fleet.version("portless") == "old"
    assert result(run, "portless")["failed_phase"] == "verify"
    assert result(run, "portless")["reason"].count(f"Nothing listens on 127.0.0.1:{listener.port} any more") == 2


def test_only_failed_hosts_that_ask_for_it_are_restored(fleet: Fleet, run: Run) -> None:
    restored = {result(run, name)["snapshot_id"] for name in ("broken-back", "half-back", "hanging-back", "portless")}
    assert run.rc == 2
    assert sorted(write for write in fleet.writes() if "/restore/" in write) == sorted(
        f"POST /snapshots/{snapshot_id}/restore/ 200" for snapshot_id in restored
    )


def test_all_snapshots_are_started_before_any_is_awaited(fleet: Fleet, run: Run) -> None:
    calls = [(call["method"], call["path"], call["query"]) for call in fleet.service.requests()]
    creates = [at for at, call in enumerate(calls) if call[:2] == ("POST", "/api/v1/snapshots/")]
    assert len(creates) == len(run.stats)
    # Before a wait: the preflight lists a server's snapshots once, and the start once before and once after its create.
    looks = [call[2] for call in calls[: creates[-1]] if call[:2] == ("GET", "/api/v1/snapshots/")]
    assert {looks.count(query) for query in looks} <= {2, 3}


def test_all_restores_are_started_before_any_is_awaited(fleet: Fleet, run: Run) -> None:
    calls = [(call["method"], call["path"]) for call in fleet.service.requests()]
    starts = [at for at, call in enumerate(calls) if call[1].endswith("/restore/")]
    names = {f"/api/v1/snapshots/{result(run, name)['snapshot_id']}/restore/": name for name in run.stats}
    for start in starts:
        server = f"/api/v1/servers/{fleet.hosts[names[calls[start][1]]]['vps_server_id']}/"
        assert calls.index(("GET", server), start) > starts[-1]


def test_report_json_has_every_host(run: Run, reports: Path) -> None:
    report = json.loads((reports / "report.json").read_text(encoding="utf-8"))
    assert report["hosts"] == run.custom_stats["safe_update"]


def test_report_html_is_self_contained_and_escaped(run: Run, reports: Path) -> None:
    page = (reports / "report.html").read_text(encoding="utf-8")
    assert all(f">{host}</h2>" in page for host in run.stats)
    assert page.count("<script") == 1
    assert "&lt;script src=https://evil.example/x.js&gt;" in page
    assert not re.search(r"<(link|img|iframe|object|embed|base)\b|\bsrc\s*=\s*[\"']|href=\"[^#]|@import|url\(", page)


def test_report_md_has_a_row_per_host(run: Run, reports: Path) -> None:
    rows = (reports / "report.md").read_text(encoding="utf-8").splitlines()
    for host in run.stats:
        (row,) = [row for row in rows if row.startswith(f"| {host} |")]
        # Three columns: a text's own bars are escaped.
        assert len(re.split(r"(?<!\\)\|", row)) == 5
