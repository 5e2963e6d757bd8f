# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""restore_run and cleanup_run act on just the hosts and the snapshots of the results, or on nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..playbooks.conftest import Run
from ..playbooks.fleet import Fleet, own

RESTORE = "vpsdotorg.cloud.restore_run"
CLEANUP = "vpsdotorg.cloud.cleanup_run"
NAME = own(9)["name"]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, collections_path: Path) -> Iterator[Fleet]:
    """Three servers that are at the version old, with an own snapshot each: 1, 2 and 3."""
    with Fleet(tmp_path_factory.mktemp("fleet"), collections_path) as fleet:
        for number, name in enumerate(["web", "db", "bystander"], start=1):
            fleet.add(name, snapshots=[own(9, id=number)])
        fleet.start()
        yield fleet


def result(snapshot_id: Any, outcome: str = "updated") -> dict[str, Any]:
    """What the role's result says of a host, as far as it counts here."""
    return {"outcome": outcome, "snapshot_id": snapshot_id, "snapshot_name": NAME, "server_id": 101}


def run(fleet: Fleet, playbook: str, results: Any, *arguments: str, **options: Any) -> Run:
    variables = {"restore_run_outcome": "updated", "safe_update": results}
    return fleet.run(playbook, *arguments, variables=variables, **options)


REFUSED = {
    "nothing": None,
    "list": ["web"],
    "host_is_text": {"web": "updated"},
    "snapshot_of_another_host": {"web": result(2)},
    "snapshot_that_is_gone": {"web": result(4711)},
    "no_snapshot": {"web": result(None)},
    "another_outcome": {"web": result(1, "kept")},
}


@pytest.mark.parametrize("playbook", [RESTORE, CLEANUP])
@pytest.mark.parametrize("results", REFUSED.values(), ids=REFUSED)
def test_nothing_is_touched(fleet: Fleet, playbook: str, results: Any) -> None:
    before = fleet.writes()
    done = run(fleet, playbook, results)
    assert fleet.writes() == before
    # Where no host is meant there is nothing to complain of.
    meant = results not in (REFUSED["another_outcome"], REFUSED["no_snapshot"])
    assert (done.rc != 0) == meant, done.output


@pytest.mark.parametrize("playbook", [RESTORE, CLEANUP])
def test_check_mode_writes_nothing(fleet: Fleet, playbook: str) -> None:
    done = run(fleet, playbook, {"web": result(1)}, check=True)
    assert done.rc == 0, done.output


@pytest.mark.parametrize("arguments", [(), ("--limit", "web")], ids=["all", "limit"])
def test_restore_names_the_hosts_that_the_inventory_lacks(fleet: Fleet, arguments: tuple[str, ...]) -> None:
    before = fleet.writes()
    (Path(fleet.hosts["web"]["folder"]) / "version").write_text("new\n")
    done = run(fleet, RESTORE, {"web": result(1), "gone": result(7), "kept": result(8, "kept")}, *arguments)
    assert done.rc != 0
    (message,) = [failure for failure in done.failures() if "Not restored" in failure]
    assert "have them: gone." in message
    # What is there is restored all the same.
    assert fleet.version("web") == "old"
    assert fleet.writes()[len(before) :] == ["POST /snapshots/1/restore/ 200"]


def test_cleanup_deletes_just_the_snapshot_of_the_run(fleet: Fleet) -> None:
    before = fleet.writes()
    done = run(fleet, CLEANUP, {"db": result(2)})
    assert done.rc == 0, done.output
    assert fleet.writes()[len(before) :] == ["DELETE /snapshots/2/ 204"]
