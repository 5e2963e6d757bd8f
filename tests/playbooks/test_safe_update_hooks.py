# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task files of one's own on every way out, and the snapshot of the broken state: what ran, and what it saw."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Run
from .fleet import BAD, CUT_OFF, GOOD, NETWORK, TASKS, Fleet, outcome, own, result

HOOKS = {"safe_update_pre_tasks": str(TASKS / "pre.yml"), "safe_update_post_tasks": str(TASKS / "post.yml")}
BACK = {"safe_update_on_failure": "rollback"}
# What each host's hooks have written: that it was taken out of service, and what came of it.
WAYS = {
    "good": ["pre", "post updated"],
    "kept": ["pre", "post kept"],
    "back": ["pre", "post rolled_back"],
    "dead": ["pre", "post kept"],
    "pre-fails": ["pre", "post refused"],
    "post-fails": ["pre", "post updated"],
    "both-fail": ["pre", "post kept"],
    "late": [],
    "sick": [],
    "only-post": ["post updated"],
}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, collections_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path_factory.mktemp("fleet"), collections_path) as fleet:
        fleet.add("good", GOOD, snapshots=[own(1)], **HOOKS)
        fleet.add("kept", BAD, **HOOKS)
        fleet.add("back", BAD, safe_update_keep_broken=True, **BACK, **HOOKS)
        fleet.add("dead", CUT_OFF, **NETWORK, **HOOKS)
        fleet.add("pre-fails", GOOD, snapshots=[own(1)], pre_script="echo it is needed >&2; exit 1", **HOOKS)
        fleet.add("post-fails", GOOD, post_script="echo no such pool >&2; exit 1", **HOOKS)
        fleet.add("both-fail", BAD, post_script="exit 1", **HOOKS)
        fleet.add("late", GOOD, safe_update_window_end="2020-01-01T00:00:00Z", **HOOKS)
        fleet.add("sick", GOOD, version="broken", **HOOKS)
        fleet.add("only-post", GOOD, safe_update_post_tasks=HOOKS["safe_update_post_tasks"])
        # Four slots are taken, the fifth by the run's own snapshot.
        fleet.add("full", BAD, snapshots=[own(day) for day in range(1, 5)], safe_update_keep_broken=True, **BACK)
        fleet.start()
        yield fleet


@pytest.fixture(scope="module")
def run(fleet: Fleet) -> Run:
    return fleet.run()


@pytest.mark.parametrize("host", WAYS)
def test_post_runs_on_every_way_out_once_pre_has_begun(fleet: Fleet, run: Run, host: str) -> None:
    journal = Path(fleet.hosts[host]["folder"]).with_name(f"journal-{host}")
    assert run.stats
    assert (journal.read_text(encoding="utf-8").splitlines() if journal.exists() else []) == WAYS[host]


def test_a_pre_that_fails_leaves_the_host_and_its_snapshots_as_they_were(fleet: Fleet, run: Run) -> None:
    assert outcome(run, "pre-fails") == "refused"
    assert fleet.version("pre-fails") == "old"
    assert list(fleet.snapshots("pre-fails")) == [own(1)["name"]]
    told = result(run, "pre-fails")
    assert told["failed_phase"] == "pre"
    assert told["reason"].startswith("Refused, as safe_update_pre_tasks failed, and no package was touched. Take the")
    assert "it is needed" in told["reason"]
    assert f"The snapshot {told['snapshot_name']} (id {told['snapshot_id']}) is deleted again." in told["reason"]


def test_a_post_that_fails_leaves_the_outcome_and_fails_the_host(fleet: Fleet, run: Run) -> None:
    told = result(run, "post-fails")
    assert told["outcome"] == "updated"
    assert (told["failed_phase"], told["failed_task"]) == ("post", "Put the host back into service")
    assert run.stats["post-fails"]["failures"] == 1
    assert "safe_update_post_tasks failed: Put the host back into service: no such pool." in told["reason"]
    # It is not known to be in service again, so its way back stays.
    assert list(fleet.snapshots("post-fails")) == [told["snapshot_name"]]
    assert f"The snapshot {told['snapshot_name']} (id {told['snapshot_id']}) is not deleted." in told["reason"]


def test_an_update_and_a_post_that_fail_are_both_told(run: Run) -> None:
    assert outcome(run, "both-fail") == "kept"
    told = result(run, "both-fail")
    assert told["failed_phase"] == "verify"
    assert "safe_update_post_tasks failed" in told["reason"]
    assert told["reason"].endswith(f"snapshot_id={told['snapshot_id']}'")


def test_the_closing_table_has_the_host_that_is_out_of_service(run: Run) -> None:
    assert "updated, post tasks failed" in run.text


def test_a_restore_keeps_the_broken_state(fleet: Fleet, run: Run) -> None:
    assert outcome(run, "back") == "rolled_back"
    assert fleet.version("back") == "old"
    told = result(run, "back")
    broken = told["broken_snapshot"]
    assert set(fleet.snapshots("back")) == {told["snapshot_name"], broken["name"]}
    assert broken["name"].endswith("-broken")
    assert f"The broken state is kept as {broken['name']} (id {broken['id']})." in told["message"]


def test_a_restore_without_a_free_slot_goes_on(fleet: Fleet, run: Run) -> None:
    assert outcome(run, "full") == "rolled_back"
    assert fleet.version("full") == "old"
    assert result(run, "full")["broken_snapshot"] is None
    (warning,) = result(run, "full")["warnings"]
    assert warning.startswith("There is no snapshot of the broken state (safe_update_keep_broken): ")
    assert "5" in warning
