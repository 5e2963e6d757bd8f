# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Snapshots that do not come about: the host is not updated, works again, and the next run knows what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Run
from .fleet import TASKS, Fleet, outcome, own, result

HOSTS = ("failed", "stuck", "vanished", "raced", "offline", "quiesced")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, collections_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path_factory.mktemp("snapshot-failed"), collections_path) as fleet:
        fleet.add("failed", snapshots=[own(1)])
        fleet.add("stuck", safe_update_snapshot_timeout=3)
        fleet.add("vanished")
        fleet.add("raced")
        fleet.add("offline", safe_update_offline=True)
        fleet.add(
            "quiesced",
            safe_update_quiesce_tasks=str(TASKS / "quiesce.yml"),
            safe_update_thaw_tasks=str(TASKS / "thaw.yml"),
        )
        service = fleet.start()
        for status in ("failed", "stuck", "vanished"):
            service.fault(kind="outcome", method="POST", path="/snapshots/", status=status)
        limit = {"detail": "Snapshot limit reached: at most 5 snapshots per server."}
        service.fault(kind="status", method="POST", path="/snapshots/", code=400, skip=3, times=3, body=limit)
        yield fleet


@pytest.fixture(scope="module")
def run(fleet: Fleet) -> Run:
    # One fork, so that the faults meet the hosts in their order.
    return fleet.run(env={"ANSIBLE_FORKS": "1"})


@pytest.fixture(scope="module")
def writes(fleet: Fleet, run: Run) -> list[str]:
    """What the run wrote."""
    assert run.rc == 2
    return fleet.writes()


@pytest.fixture(scope="module")
def next_run(fleet: Fleet, writes: list[str]) -> Run:
    assert writes
    return fleet.run(None, "--limit", "failed:stuck")


@pytest.mark.parametrize(
    ("host", "part"),
    [
        ("failed", "failed"),
        ("stuck", "in_progress"),
        ("vanished", "it failed, or somebody deleted it"),
        ("raced", "Snapshot limit reached"),
        ("offline", "Snapshot limit reached"),
        ("quiesced", "Snapshot limit reached"),
    ],
)
def test_host_without_a_snapshot_is_not_updated(writes: list[str], run: Run, host: str, part: str) -> None:
    assert outcome(run, host) == "snapshot_failed"
    assert not run.results("Change the folder", host)
    assert part in result(run, host)["reason"]
    assert not [write for write in writes if "/restore/" in write or write.startswith("DELETE")]


def test_server_stopped_for_a_snapshot_that_fails_is_started_again(fleet: Fleet, writes: list[str], run: Run) -> None:
    power = f"POST /servers/{fleet.hosts['offline']['vps_server_id']}/power/ 200"
    # The server is stopped before any snapshot is asked for, and started after all of them.
    assert writes == [power] + ["POST /snapshots/ 201"] * 3 + ["POST /snapshots/ 400"] * 3 + [power]
    assert fleet.status("offline") == "active"
    assert outcome(run, "offline") == "snapshot_failed"


def test_thaw_runs_though_the_snapshot_failed(fleet: Fleet, run: Run) -> None:
    assert outcome(run, "quiesced") == "snapshot_failed"
    assert fleet.file("quiesced", "journal").split() == ["quiesce", "thaw"]


def test_next_run_updates_and_deletes_the_failed_snapshot(fleet: Fleet, next_run: Run) -> None:
    assert outcome(next_run, "failed") == "updated"
    assert fleet.version("failed") == "new"
    assert fleet.snapshots("failed") == {}


def test_next_run_refuses_a_host_whose_snapshot_is_still_in_progress(fleet: Fleet, run: Run, next_run: Run) -> None:
    assert outcome(next_run, "stuck") == "refused"
    assert fleet.snapshots("stuck") == {result(run, "stuck")["snapshot_name"]: "in_progress"}
    delete = f"state=absent server_id=102 snapshot_id={result(run, 'stuck')['snapshot_id']}"
    assert delete in result(next_run, "stuck")["reason"]
