# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which hosts a run has taken snapshots of, by what the API alone tells."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.vpsdotorg.cloud.plugins.module_utils._snapshots import describe, described
from ansible_collections.vpsdotorg.cloud.plugins.plugin_utils.safe_update.snapshots import of_run

UUID = "1f0c9a3e-0000-4000-8000-000000000001"
SERVERS = [{"id": 101, "uuid": UUID, "name": "web"}, {"id": 102, "uuid": None, "name": "db"}]


def snapshot(number: int, server: Any = 101, run: str = "7", **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "name": f"safe-update-20260131T2359{number:02}Z",
        "server": {"id": server, "name": "web"},
        "status": "completed",
        "created_at": f"2026-01-31T23:59:{number:02}Z",
        "description": describe(run, "me@here", False),
        **more,
    }


def found(*snapshots: dict[str, Any], run_id: Any = "7", **hosts: Any) -> dict[str, Any]:
    hosts = hosts or {"web": ["", 101], "db": [None, "102"]}
    return of_run({"run_id": run_id, "snapshots": snapshots, "servers": SERVERS, "hosts": hosts})


@pytest.mark.parametrize("run", ["7", "20260131T235900Z", "my:run-1.0_a"])
@pytest.mark.parametrize("stopped", [True, False])
def test_a_description_is_read_as_it_was_written(run: str, stopped: bool) -> None:
    read = described({"description": describe(run, "AWX job 4711", stopped)})
    assert (read["run"], read["by"], bool(read["stopped"])) == (run, "AWX job 4711", stopped)


@pytest.mark.parametrize("description", [None, "", "mine", "run=7 by=me", "mine safe_update: run=7 by=me@here"])
def test_a_description_of_somebody_else_is_of_no_run(description: Any) -> None:
    assert set(described({"description": description}).values()) == {None}


def test_hosts_are_found_by_the_ids_of_their_servers() -> None:
    assert found(snapshot(1), snapshot(2, 102), run_id=7) == {
        "hosts": {"web": {"id": 1, "cleanup": "", "restore": ""}, "db": {"id": 2, "cleanup": "", "restore": ""}},
        "missing": [],
    }
    # A UUID, of which the snapshot tells nothing; and the role's own variable goes first.
    assert set(found(snapshot(1), web=[UUID.upper(), 999], db=[" ", None])["hosts"]) == {"web"}
    assert found(snapshot(1), web=[999, 101])["hosts"] == {}


@pytest.mark.parametrize(
    "other",
    [
        {"run": "70"},
        {"run": "x7"},
        {"description": "safe_update: me@here"},
        {"description": "safe_update: run=7"},
        {"name": "safe-update-20260131T235901Z-broken"},
        {"name": "nightly"},
    ],
)
def test_what_is_not_of_the_run_is_left_alone(other: dict[str, Any]) -> None:
    assert found(snapshot(1, **other)) == {"hosts": {}, "missing": []}


def test_servers_that_are_no_host_are_named() -> None:
    (said,) = found(snapshot(1, 103), snapshot(2))["missing"]
    assert said.startswith("safe-update-20260131T235901Z (id 1, server 103, completed")


@pytest.mark.parametrize(
    ("snapshots", "cleanup", "restore"),
    [
        ([snapshot(1, status="in_progress")], "is not completed", "is not completed"),
        ([snapshot(1, status="archived"), snapshot(2)], "is not completed", "is not completed"),
        ([snapshot(1), snapshot(2)], "", "has taken 2 snapshots of it"),
        ([snapshot(1, status="failed")], "", "holds nothing to restore"),
    ],
)
def test_what_must_not_be_done(snapshots: list[dict[str, Any]], cleanup: str, restore: str) -> None:
    host = found(*snapshots)["hosts"]["web"]
    assert host["id"] == snapshots[-1]["id"]
    assert cleanup in host["cleanup"]
    assert bool(cleanup) == bool(host["cleanup"])
    assert restore in host["restore"]


def test_two_hosts_of_one_server_are_both_refused() -> None:
    hosts = found(snapshot(1), web=[101], twin=[UUID])["hosts"]
    assert {host: each["restore"] for host, each in hosts.items()} == dict.fromkeys(
        ("web", "twin"), "The hosts web, twin stand for one and the same server"
    )
