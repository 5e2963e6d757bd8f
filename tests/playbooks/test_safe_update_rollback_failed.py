# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roll-backs that the service does not carry out, until it is gone altogether."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Run
from .fleet import BAD, Fleet, outcome, result


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, collections_path: Path) -> Iterator[Fleet]:
    rollback = {"safe_update_on_failure": "rollback"}
    with Fleet(tmp_path_factory.mktemp("rollback-failed"), collections_path) as fleet:
        # Nothing on this host itself shows that its restore failed.
        fleet.add("ruined", "exit 1", safe_update_check_tasks=None, **rollback)
        fleet.add("stuck", BAD, safe_update_restore_timeout=3, **rollback)
        fleet.add("denied", BAD, **rollback)
        fleet.add("alone", **rollback)
        service = fleet.start()
        restore = {"method": "POST", "path": "/snapshots/*/restore/"}
        for status in ("error", "stuck"):
            service.fault(kind="outcome", status=status, **restore)
        service.fault(kind="status", code=400, body={"detail": "Not now."}, skip=2, times=0, **restore)
        fleet.hosts["alone"]["update_script"] = f"{BAD}; kill -9 {service.process.pid}"
        yield fleet


@pytest.fixture(scope="module")
def run(fleet: Fleet) -> Run:
    # One fork, so that the faults meet the hosts in their order.
    return fleet.run(None, "--limit", "!alone", env={"ANSIBLE_FORKS": "1"})


@pytest.fixture(scope="module")
def last_run(fleet: Fleet, run: Run) -> Run:
    assert run.rc == 2
    return fleet.run(None, "--limit", "alone", env={"VPS_API_RETRIES": "0"})


def check(fleet: Fleet, run: Run, host: str, version: str, part: str) -> None:
    assert run.rc == 2
    assert outcome(run, host) == "rollback_failed"
    assert fleet.version(host) == version
    found = result(run, host)
    assert part in found["reason"]
    # Why it came to that, and what to do now.
    assert found["failed_task"] in found["reason"]
    assert f"server_id={found['server_id']} snapshot_id={found['snapshot_id']}" in found["reason"]


@pytest.mark.parametrize(
    ("host", "version", "part"),
    [
        ("ruined", "old", "reported the server as error"),
        ("stuck", "broken", "last seen as restoring"),
        ("denied", "broken", "Not now."),
    ],
)
def test_rollback_that_the_service_does_not_carry_out(
    fleet: Fleet, run: Run, host: str, version: str, part: str
) -> None:
    check(fleet, run, host, version, part)


def test_rollback_while_the_api_is_down(fleet: Fleet, last_run: Run) -> None:
    check(fleet, last_run, "alone", "broken", "Start the restore")
    assert fleet.service.process.poll() is not None
