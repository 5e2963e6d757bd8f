# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""vps_server_power: what is sent in which state, and what a wait shows."""

from __future__ import annotations

from typing import Any

import pytest

MODULE = "vps_server_power"


@pytest.fixture
def power(run: Any, servers: dict[str, int]) -> Any:
    """Bring the server of a situation into a power state; further options may be given."""

    def prepared(situation: str, state: str, how: str = "__call__", **options: Any) -> dict[str, Any]:
        return getattr(run, how)(MODULE, **{"server_id": servers[situation], "state": state, **options})

    return prepared


@pytest.mark.parametrize(("situation", "state"), [("empty", "started"), ("stopped", "stopped")])
@pytest.mark.parametrize("force", [True, False])
def test_what_is_so_already_is_one_get(
    power: Any, service: Any, servers: dict, situation: str, state: str, force: bool
) -> None:
    assert power(situation, state, force=force)["changed"] is False
    assert service.calls() == [f"GET /servers/{servers[situation]}/"]


@pytest.mark.parametrize(
    ("situation", "state", "force", "status", "posts"),
    [
        ("empty", "stopped", False, "stopped", 1),
        ("empty", "stopped", True, "stopped", 1),
        ("stopped", "started", False, "active", 1),
        ("empty", "restarted", False, "active", 1),
        ("empty", "restarted", True, "active", 2),
        ("stopped", "restarted", False, "active", 1),
    ],
)
def test_check_mode_predicts_what_the_wait_then_shows(
    power: Any, service: Any, situation: str, state: str, force: bool, status: str, posts: int
) -> None:
    result = power(situation, state, "rehearsed", force=force)
    assert (result["changed"], result["server"]["status"]) == (True, status)
    assert len(service.posts()) == posts


@pytest.mark.parametrize(("situation", "state"), [("empty", "stopped"), ("stopped", "started"), ("empty", "restarted")])
def test_check_mode_predicts_what_nobody_waits_for(power: Any, situation: str, state: str) -> None:
    before = {"empty": "active", "stopped": "stopped"}[situation]
    result = power(situation, state, "rehearsed", wait=False)
    assert (result["changed"], result["server"]["status"]) == (True, before)


def test_a_restart_changes_each_time(power: Any, service: Any) -> None:
    assert power("empty", "restarted")["changed"] is True
    assert power("empty", "restarted")["changed"] is True
    assert len(service.posts()) == 2


def test_the_diff_shows_the_status(power: Any) -> None:
    assert power("empty", "stopped")["diff"] == {"before": {"status": "active"}, "after": {"status": "stopped"}}


@pytest.mark.parametrize(
    ("situation", "state", "options"),
    [
        ("suspended", "started", {}),
        ("suspended", "stopped", {}),
        ("suspended", "restarted", {}),
        ("restoring", "started", {"wait": False}),
        ("restoring", "stopped", {}),
        ("restoring", "restarted", {}),
    ],
)
def test_a_suspended_or_restoring_server_is_refused(
    power: Any, service: Any, situation: str, state: str, options: dict
) -> None:
    result = power(situation, state, "rehearsed", **options)
    assert f"is {situation}" in result["msg"]
    assert result["server"]["status"] == situation
    assert service.writes() == []


def test_started_takes_up_the_wait_for_a_restore_and_leaves_a_server_that_then_runs(
    run: Any, power: Any, service: Any, servers: dict
) -> None:
    run("vps_snapshot_restore", snapshot_id=servers["slow"] * 10 + 1, wait=False)
    predicted = power("slow", "started", check=True)
    result = power("slow", "started")
    assert (predicted["changed"], predicted["server"]["status"]) == (False, "active")
    assert (result["changed"], result["server"]["status"]) == (False, "active")
    assert len(service.posts()) == 1


def test_a_wait_that_runs_out_shows_the_server_and_how_to_go_on(power: Any) -> None:
    result = power("slow", "stopped", "fails", wait_timeout=5)
    for fact in ("5 s", "active", "Run the task again"):
        assert fact in result["msg"]
    assert (result["server"]["name"], result["server"]["status"]) == ("slow", "active")


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_a_lost_answer_is_looked_for(power: Any, service: Any, kind: str) -> None:
    service.fault(method="POST", kind=kind)
    assert power("empty", "stopped")["server"]["status"] == "stopped"
    assert len(service.posts()) == {"drop_before": 2, "drop_after": 1}[kind]


def test_a_lost_answer_to_a_restart_is_not_repeated(power: Any, service: Any) -> None:
    service.fault(method="POST", kind="drop_after")
    assert "Nobody can tell" in power("empty", "restarted", "fails")["msg"]
    assert len(service.posts()) == 1


def test_an_unknown_server_is_a_failure(power: Any, service: Any) -> None:
    result = power("empty", "started", "rehearsed", server_id=999)
    assert (result["failed"], result["status_code"]) == (True, 404)
    assert service.writes() == []


def test_a_server_is_found_by_the_identifier_that_its_shape_has(shaped_run: Any, shaped_emulator: Any) -> None:
    key = {"pages": "id", "vendor": "uuid"}[shaped_emulator.shape]
    server = shaped_run("vps_server_info", name="empty")["servers"][0]
    assert shaped_run(MODULE, server_id=server[key], state="stopped")["server"]["status"] == "stopped"


def test_a_failure_after_the_action_has_changed_something_and_shows_the_server(power: Any, service: Any) -> None:
    service.fault(method="GET", kind="status", code=401, skip=1)
    result = power("empty", "stopped", "fails")
    assert (result["changed"], result["server"]["name"], result["server"]["status"]) == (True, "empty", "active")


def test_a_status_of_another_server_decides_nothing(power: Any, service: Any) -> None:
    service.fault(method="GET", kind="status", code=200, body={"id": 2, "status": "stopped"}, times=0)
    for state in ("stopped", "started"):
        assert "was told of server 2" in power("empty", state, "fails", api_retries=0)["msg"]
    assert service.writes() == []
