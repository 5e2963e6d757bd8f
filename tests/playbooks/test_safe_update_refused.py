# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the preflight refuses: every reason in one batch, beside hosts that go on; nothing refused is touched."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Run
from .fleet import NETWORK, PACE, Fleet, outcome, own, result

FOREIGN = [{"name": f"nightly-{day}", "age": f"{day}d"} for day in (1, 2, 3, 4)]
STOPPED_BY = "safe_update: AWX job 4711; server stopped for this snapshot"

# The reason that each refused host has to be given, as parts of it.
REASONS = {
    "silent": ["The host does not answer", "the API says that its server is active"],
    "stopped": ["is stopped", "Nothing shows who stopped it", "server_id=102 state=started"],
    "stopped-by-run": ["is stopped", "AWX job 4711", "server_id=103 state=started"],
    "suspended": ["is suspended"],
    "restoring": ["is restoring"],
    "unfinished": ["safe-update-20250105T000000Z (id 805) is in_progress", "vps_snapshot -a 'state=absent"],
    "unknown-status": ["is archived", "safe-update-20250105T000000Z"],
    "full": ["All 5 slots", "nightly-4: completed", "safe_update_on_limit: rotate"],
    "full-last": ["All 5 slots", "the last one always stays"],
    "twin-a": ["twin-a, twin-b", "one and the same server"],
    "twin-b": ["twin-a, twin-b", "one and the same server"],
    "copied": ["none of the addresses and names", "somebody-else", "safe_update_verify_identity"],
    "no-server": ["no server 999"],
    "no-backup": ["No backup was completed within the last 24h", "none"],
    "old-backup": ["No backup was completed within the last 24h"],
    "unhealthy": ["Check the version", "Last good snapshot of its own: safe-update-20250107T000000Z (id 807)"],
    "unsupported": ["The built-in update knows", "safe_update_tasks"],
}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, collections_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path_factory.mktemp("refused"), collections_path) as fleet:
        fleet.add("silent", network="down", **NETWORK)
        fleet.add("stopped", server={"status": "stopped"})
        fleet.add("stopped-by-run", server={"status": "stopped"}, snapshots=[own(3, description=STOPPED_BY)])
        fleet.add("suspended", server={"status": "suspended"})
        fleet.add("restoring", server={"status": "restoring"})
        fleet.add("unfinished", snapshots=[own(5, id=805, status="in_progress", outcome="stuck")])
        fleet.add("unknown-status", snapshots=[own(5, status="archived")])
        fleet.add("full", snapshots=[*FOREIGN, own(1)])
        fleet.add("full-last", snapshots=[*FOREIGN, own(1)], safe_update_on_limit="rotate")
        twin = fleet.add("twin-a")
        fleet.add("twin-b", vps_server_id=twin, safe_update_verify_identity=False)
        fleet.add("copied", server={"name": "somebody-else"})
        fleet.add("no-server", vps_server_id=999)
        fleet.add("no-backup", safe_update_require_backup_within="24h")
        fleet.add(
            "old-backup",
            backups=[{"age": "2d"}, {"age": "1h", "status": "in_progress"}],
            safe_update_require_backup_within="24h",
        )
        fleet.add("unhealthy", version="broken", snapshots=[own(6, id=806), own(7, id=807), own(8, status="failed")])
        fleet.add("unsupported", safe_update_tasks=None)
        # Neighbours that go on; one of them is what a refused one above is not.
        fleet.add("backed-up", backups=[{"age": "23h"}], safe_update_require_backup_within="24h")
        fleet.add("renamed", server={"name": "another-name"}, safe_update_verify_identity=False)
        fleet.start()
        yield fleet


@pytest.fixture(scope="module")
def run(fleet: Fleet) -> Run:
    # A role that knows no package manager is the only way to an unsupported system on any machine.
    return fleet.run(variables={"__safe_update_pace": {**PACE, "managers": []}})


@pytest.mark.parametrize("host", REASONS)
def test_host_is_refused_with_its_reason(fleet: Fleet, run: Run, host: str) -> None:
    before = "broken" if host == "unhealthy" else "old"
    assert outcome(run, host) == "refused"
    assert fleet.version(host) == before
    assert result(run, host)["failed_phase"] == "preflight"
    for part in REASONS[host]:
        assert part.lower() in result(run, host)["reason"].lower()


def test_refused_for_one_reason_only(run: Run) -> None:
    for host in REASONS:
        parts = {other: REASONS[other][0].lower() for other in REASONS if REASONS[other][0] != REASONS[host][0]}
        reason = result(run, host)["reason"].lower()
        assert [other for other, part in parts.items() if part in reason] == [], host


@pytest.mark.parametrize("host", ["backed-up", "renamed"])
def test_neighbour_of_refused_hosts_goes_on(fleet: Fleet, run: Run, host: str) -> None:
    assert run.rc == 2
    assert outcome(run, host) == "updated"
    assert fleet.version(host) == "new"


def test_nothing_is_written_for_refused_hosts(fleet: Fleet, run: Run) -> None:
    ids = [result(run, host)["snapshot_id"] for host in ("backed-up", "renamed")]
    assert sorted(fleet.writes()) == sorted(
        ["POST /snapshots/ 201"] * 2 + [f"DELETE /snapshots/{snapshot_id}/ 204" for snapshot_id in ids]
    )


def test_named_power_command_starts_the_stopped_server(fleet: Fleet, run: Run) -> None:
    command = re.search(r"Start it: (ansible .*?state=started')", result(run, "stopped")["reason"])[1]
    done = fleet.controller.run(*shlex.split(command), service=fleet.service)
    assert done.rc == 0, done.output
    assert fleet.status("stopped") == "active"
