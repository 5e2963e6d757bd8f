# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each entry point of the role alone: an update whose clean-up or roll-back is decided later, in another run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Run
from .fleet import BAD, ROLE, Fleet, outcome, own, play, result


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, collections_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path_factory.mktemp("entry-points"), collections_path) as fleet:
        fleet.add("approved", snapshots=[own(1)])
        fleet.add("rejected", BAD)
        # Snapshots that are not the host's: of another server, and not the role's.
        fleet.add("misled", snapshots=[{"id": 901, "name": "nightly"}], safe_update_snapshot_id=901)
        fleet.add("astray", safe_update_snapshot_id=901)
        fleet.start()
        yield fleet


@pytest.fixture(scope="module")
def update(fleet: Fleet) -> Run:
    steps = play("preflight", "snapshot", "update", "verify", hosts="approved:rejected")
    return fleet.run([steps])


@pytest.fixture(scope="module")
def updated(fleet: Fleet, update: Run) -> dict[str, str]:
    """What the hosts held between the two runs."""
    return {host: fleet.version(host) for host in update.stats}


@pytest.fixture(scope="module")
def decision(fleet: Fleet, update: Run, updated: dict[str, str]) -> Run:
    for host in updated:
        fleet.hosts[host]["safe_update_snapshot_id"] = result(update, host)["snapshot_id"]
    return fleet.run(
        [play("cleanup", hosts="approved:misled"), play("rollback", hosts="rejected:astray")],
    )


def test_entry_points_follow_each_other(update: Run, updated: dict[str, str]) -> None:
    assert updated == {"approved": "new", "rejected": "broken"}
    assert outcome(update, "approved") == ""
    assert outcome(update, "rejected") == "kept"
    assert result(update, "approved")["snapshot_name"].startswith("safe-update-")
    assert len(update.results("Start the snapshot")) == 2


def test_verify_alone_keeps_the_snapshot_of_the_run(update: Run) -> None:
    found = result(update, "rejected")
    assert (found["failed_phase"], found["failed_task"]) == ("verify", "Check the version")
    assert f"snapshot_id={found['snapshot_id']}" in found["reason"]


def test_cleanup_alone_deletes_the_snapshot_and_older_ones(fleet: Fleet, decision: Run) -> None:
    assert outcome(decision, "approved") == ""
    assert fleet.snapshots("approved") == {}
    assert fleet.version("approved") == "new"


def test_rollback_alone_restores_the_snapshot(fleet: Fleet, update: Run, decision: Run) -> None:
    assert decision.rc == 2
    assert outcome(decision, "rejected") == "rolled_back"
    assert fleet.version("rejected") == "old"
    assert fleet.snapshots("rejected") == {result(update, "rejected")["snapshot_name"]: "completed"}


def test_cleanup_alone_deletes_no_snapshot_that_is_not_the_role_s(fleet: Fleet, decision: Run) -> None:
    assert fleet.snapshots("misled") == {"nightly": "completed"}
    (warning,) = result(decision, "misled")["warnings"]
    assert "no own snapshot with the id 901" in warning


def test_rollback_alone_refuses_the_snapshot_of_another_server(fleet: Fleet, decision: Run) -> None:
    assert outcome(decision, "astray") == "rollback_failed"
    assert fleet.version("astray") == "old"
    assert "901" in result(decision, "astray")["reason"]
    assert len([write for write in fleet.writes() if "/restore/" in write]) == 1


def test_role_with_a_condition_leaves_alone_whom_it_leaves_out(
    tmp_path_factory: pytest.TempPathFactory, collections_path: Path
) -> None:
    """What is done once for all hosts falls to the first one, and that may be left out."""
    with Fleet(tmp_path_factory.mktemp("condition"), collections_path) as fleet:
        fleet.add("left-out")
        fleet.add("web")
        fleet.add("bad", BAD, safe_update_on_failure="rollback")
        fleet.start()
        role = {"role": ROLE, "when": "inventory_hostname != 'left-out'"}
        run = fleet.run([{"hosts": "all", "gather_facts": False, "roles": [role]}])
        assert (outcome(run, "web"), outcome(run, "bad")) == ("updated", "rolled_back")
        assert [fleet.version(host) for host in fleet.hosts] == ["old", "new", "old"]
        assert not [write for write in fleet.writes() if "/servers/101/" in write]
        assert fleet.snapshots("left-out") == {}
        assert "left-out" not in run.custom_stats["safe_update"]
