# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook in batches: a host that an update cuts off is brought back, and what comes after it is not touched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Run
from .fleet import CUT_OFF, NETWORK, Fleet, outcome, play, result

pytestmark = pytest.mark.smoke


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, collections_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path_factory.mktemp("rollout"), collections_path) as fleet:
        fleet.add("canary")
        fleet.add("cut-off", CUT_OFF, safe_update_on_failure="rollback", **NETWORK)
        fleet.add("neighbour", safe_update_on_failure="rollback")
        fleet.add("last")
        fleet.start()
        yield fleet


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="module")
def run(fleet: Fleet, report: Path) -> Run:
    variables = {"safe_update_serial": "1,2,3", "safe_update_report_dir": str(report)}
    return fleet.run("vpsdotorg.cloud.safe_update", variables=variables)


def test_unreachable_after_the_update_is_rolled_back(fleet: Fleet, run: Run) -> None:
    assert outcome(run, "cut-off") == "rolled_back"
    assert fleet.version("cut-off") == "old"
    assert fleet.file("cut-off", "network") == "up"
    assert fleet.snapshots("cut-off") == {result(run, "cut-off")["snapshot_name"]: "completed"}
    assert result(run, "cut-off")["failed_phase"] == "update"


@pytest.mark.parametrize("host", ["canary", "neighbour"])
def test_healthy_host_is_updated_and_cleaned_up(fleet: Fleet, run: Run, host: str) -> None:
    assert outcome(run, host) == "updated"
    assert fleet.version(host) == "new"
    assert fleet.snapshots(host) == {}


def test_batch_after_the_bad_one_is_not_touched(fleet: Fleet, run: Run) -> None:
    assert run.rc == 2
    assert outcome(run, "last") == ""
    assert fleet.version("last") == "old"
    assert not run.results("Start the snapshot", "last")


def test_only_the_three_reached_servers_are_written_to(fleet: Fleet, run: Run) -> None:
    ids = [result(run, host)["snapshot_id"] for host in ("canary", "cut-off", "neighbour")]
    assert sorted(fleet.writes()) == sorted(
        ["POST /snapshots/ 201"] * 3
        + [f"DELETE /snapshots/{ids[0]}/ 204", f"POST /snapshots/{ids[1]}/restore/ 200"]
        + [f"DELETE /snapshots/{ids[2]}/ 204"]
    )


def test_whole_fleet_is_preflighted_before_any_host_is_changed(run: Run) -> None:
    order = [event["task"] for event in run.events if event["event"] != "stats"]
    looks = [at for at, task in enumerate(order) if task == "Look up the server"]
    assert looks[len(fleet_hosts := set(run.stats)) - 1] < order.index("Start the snapshot")
    assert fleet_hosts == {event["host"] for event in run.events[: looks[3] + 1]}


def test_report_tells_waiting_for_another_host_from_cleaning_up(run: Run) -> None:
    phases = {host: [step["phase"] for step in result(run, host)["timeline"]] for host in ("canary", "neighbour")}
    assert phases["canary"][-2:] == ["verify", "cleanup"]
    assert phases["neighbour"][-3:] == ["verify", "wait", "cleanup"]


def test_strategy_that_keeps_no_order_is_refused(fleet: Fleet) -> None:
    requests = len(fleet.service.requests())
    run = fleet.run([play(strategy="free")])
    assert run.rc != 0
    assert "not supported in the free strategy" in run.text
    assert len(fleet.service.requests()) == requests


def test_report_holds_all_batches_and_who_was_not_reached(fleet: Fleet, report: Path) -> None:
    hosts = json.loads((report / "report.json").read_text(encoding="utf-8"))["hosts"]
    assert set(hosts) == set(fleet.hosts)
    assert {host: found["outcome"] for host, found in hosts.items()} == {
        "canary": "updated",
        "cut-off": "rolled_back",
        "neighbour": "updated",
        "last": "",
    }
    assert "not reached" in (report / "report.html").read_text(encoding="utf-8")


def test_run_is_closed_by_one_table_of_those_that_need_something(run: Run, report: Path) -> None:
    """Not after the canary's batch, which was good."""
    (closing,) = run.results("Close the run", event="ok")
    lines = closing["msg"]
    assert lines[0] == "Safe update: 4 hosts: 1 rolled back; 1 not reached; 2 updated."
    assert [line.split()[0] for line in lines[1:-1]] == ["HOST", "cut-off", "last"]
    assert lines[-1] == f"The whole report: {report}/report.html"
