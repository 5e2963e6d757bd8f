# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The id of a run: one for all its hosts, and enough to take the run back or to clean up after it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run
from .fleet import BAD, Fleet, own, play, result

RESTORE = "vpsdotorg.cloud.restore_run"
CLEANUP = "vpsdotorg.cloud.cleanup_run"

pytestmark = pytest.mark.smoke


class Story:
    """A run without clean-up, and, without its results and one of its hosts, what becomes of it."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        batches = play(serial=2)
        self.run = fleet.run(
            [play("preflight"), batches], variables={"safe_update_cleanup": False, "safe_update_on_failure": "keep"}
        )
        self.id = result(self.run, "web")["run_id"]
        self.updated = {host: fleet.version(host) for host in fleet.hosts}
        self.gone = fleet.hosts.pop("gone")
        self.unconfirmed = fleet.run(RESTORE, variables={"run_id": self.id})
        self.unknown = fleet.run(RESTORE, variables={"run_id": f"{self.id}0", "restore_run_outcome": "all"})
        self.before = fleet.writes()
        self.restored = fleet.run(RESTORE, variables={"run_id": self.id, "restore_run_outcome": "all"})
        self.versions = {host: fleet.version(host) for host in fleet.hosts}
        self.rehearsed = fleet.run(CLEANUP, variables={"run_id": self.id}, check=True)
        self.cleaned = fleet.run(CLEANUP, variables={"run_id": self.id})


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, collections_path: Path) -> Iterator[Story]:
    with Fleet(tmp_path_factory.mktemp("run-id"), collections_path) as fleet:
        fleet.add("web")
        fleet.add("db", BAD)
        fleet.add("gone")
        # The snapshot of the last one is of another run, which did not say which.
        idle = {"safe_update_window_end": "2020-01-01T00:00:00Z"}
        fleet.add("idle", snapshots=[own(1, description="safe_update: me@here")], **idle)
        fleet.start()
        yield Story(fleet)


def missing(run: Run) -> str:
    """What the play at the end says."""
    (said,) = [each for each in run.failures() if "the inventory has no host for their servers" in each]
    return said


def test_one_id_for_all_plays_batches_and_hosts(story: Story) -> None:
    assert re.fullmatch("[0-9]{8}T[0-9]{6}Z", story.id)
    assert {result(story.run, host)["run_id"] for host in ("web", "db", "gone", "idle")} == {story.id}
    assert story.updated == {"web": "new", "db": "broken", "gone": "new", "idle": "old"}


@pytest.mark.parametrize("run", ["unconfirmed", "unknown"])
def test_without_a_confirmation_or_a_run_nothing_is_restored(story: Story, run: str) -> None:
    done: Any = getattr(story, run)
    assert done.rc != 0
    assert "Nothing was restored. By the run_id alone" in done.text
    assert not [call for call in story.before if "/restore/" in call]


def test_the_hosts_of_a_run_are_restored_without_its_results(story: Story) -> None:
    assert story.versions == {"web": "old", "db": "old", "idle": "old"}
    assert story.restored.rc != 0
    assert f"server {story.gone['vps_server_id']}, completed" in missing(story.restored)
    assert len([call for call in story.fleet.writes() if "/restore/" in call]) == 2


def test_the_hosts_of_a_run_are_cleaned_up_without_its_results(story: Story) -> None:
    assert "the inventory has no host for their servers" in story.rehearsed.text
    assert story.cleaned.rc != 0
    assert f"server {story.gone['vps_server_id']}, completed" in missing(story.cleaned)
    deleted = [call for call in story.fleet.writes() if call.startswith("DELETE")]
    ids = [result(story.run, host)["snapshot_id"] for host in ("web", "db")]
    assert sorted(deleted) == sorted(f"DELETE /snapshots/{number}/ 204" for number in ids)
