# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A play with any_errors_fatal: Ansible aborts the healthy hosts together with the bad one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Run
from .fleet import BAD, Fleet, outcome, play, result


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, collections_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path_factory.mktemp("aborted"), collections_path) as fleet:
        fleet.add("healthy", safe_update_on_failure="rollback")
        fleet.add("bad", BAD, safe_update_on_failure="rollback")
        fleet.start()
        yield fleet


@pytest.fixture(scope="module")
def run(fleet: Fleet) -> Run:
    return fleet.run([play(any_errors_fatal=True)])


@pytest.mark.smoke
def test_healthy_host_is_never_restored_because_of_another_one(fleet: Fleet, run: Run) -> None:
    # ansible-core 2.16 lets it go on instead of aborting it.
    left = {"kept": {result(run, "healthy")["snapshot_name"]: "completed"}, "updated": {}}
    assert run.rc == 2
    assert fleet.snapshots("healthy") == left[outcome(run, "healthy")]
    assert fleet.version("healthy") == "new"


def test_aborted_host_is_kept_and_says_why(run: Run) -> None:
    assert outcome(run, "healthy") == "kept"
    assert "aborted because of another host" in result(run, "healthy")["reason"]


@pytest.mark.smoke
def test_bad_host_itself_is_rolled_back(fleet: Fleet, run: Run) -> None:
    assert outcome(run, "bad") == "rolled_back"
    assert fleet.version("bad") == "old"
    restores = [write for write in fleet.writes() if "/restore/" in write]
    assert restores == [f"POST /snapshots/{result(run, 'bad')['snapshot_id']}/restore/ 200"]
