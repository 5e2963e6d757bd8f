# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""vps_snapshot_restore: what it restores, what it refuses before any write, and when it is done."""

from __future__ import annotations

from typing import Any

import pytest

MODULE = "vps_snapshot_restore"
NAME = "before-update"
READER_TOKEN = "vps_unit_may_not_read_servers"


@pytest.fixture
def restore(run: Any, servers: dict[str, int]) -> Any:
    """Restore the server of a situation by the snapshot's name; further options may be given."""

    def prepared(situation: str, how: str = "__call__", **options: Any) -> dict[str, Any]:
        return getattr(run, how)(MODULE, **{"server_id": servers[situation], "name": NAME, **options})

    return prepared


@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.parametrize("situation", ["completed", "stopped"])
def test_check_mode_predicts_a_restore(restore: Any, service: Any, servers: dict, situation: str, wait: bool) -> None:
    result = restore(situation, "rehearsed", wait=wait)
    number = servers[situation] * 10 + 1
    assert (result["changed"], result["snapshot"]["id"]) == (True, number)
    assert (result["server"]["id"], result["server"]["status"]) == (
        servers[situation],
        "active" if wait else "restoring",
    )
    assert service.posts() == [f"/snapshots/{number}/restore/"]


def test_the_server_is_described_in_full_without_a_wait_too(restore: Any) -> None:
    result = restore("completed", wait=False)
    assert result["server"]["ipv4"] == ["203.0.113.102"]


def test_it_changes_each_time(restore: Any, service: Any) -> None:
    assert restore("completed")["changed"] is True
    assert restore("completed")["changed"] is True
    assert len(service.posts()) == 2


def test_an_id_is_enough_and_a_server_beside_it_is_verified(run: Any, servers: dict) -> None:
    number = servers["completed"] * 10 + 1
    assert run(MODULE, snapshot_id=number)["server"]["name"] == "completed"
    assert run(MODULE, snapshot_id=number, server_id=servers["completed"])["snapshot"]["id"] == number


@pytest.mark.parametrize(
    ("situation", "options", "complaint"),
    [
        ("empty", {}, "no snapshot with the name before-update"),
        ("completed", {"name": "another"}, "no snapshot with the name another"),
        ("completed", {"name": None, "snapshot_id": 999}, "no snapshot with id 999"),
        ("twice", {}, "2 snapshots"),
        ("failed_after_completed", {}, "2 snapshots"),
        ("stuck", {}, "not completed"),
        ("failed", {}, "not completed"),
        ("error", {}, "not completed"),
        ("unknown", {}, "not completed"),
        ("restoring", {}, "being restored already"),
        ("completed", {"server_id": None}, "server_id"),
        ("completed", {"name": None}, "snapshot_id"),
    ],
)
@pytest.mark.parametrize("wait", [True, False])
def test_it_is_refused_before_any_write(
    restore: Any, service: Any, situation: str, options: dict, complaint: str, wait: bool
) -> None:
    result = restore(situation, "rehearsed", wait=wait, **options)
    assert result["failed"] is True
    assert complaint in result["msg"]
    assert service.writes() == []


def test_an_ambiguous_name_is_refused_with_the_ids(restore: Any, servers: dict) -> None:
    message = restore("twice", "fails")["msg"]
    for number in (1, 2):
        assert str(servers["twice"] * 10 + number) in message
    assert "snapshot_id" in message


@pytest.mark.parametrize("name", [None, NAME])
def test_a_snapshot_of_another_server_is_refused(restore: Any, service: Any, servers: dict, name: str | None) -> None:
    result = restore("empty", "rehearsed", name=name, snapshot_id=servers["completed"] * 10 + 1)
    assert "does not belong to server" in result["msg"]
    assert service.writes() == []


def test_a_state_that_the_api_does_not_restore_is_said_in_its_words(restore: Any) -> None:
    result = restore("suspended", "fails")
    assert result["status_code"] == 400
    assert "suspended" in result["msg"]
    assert "suspended" in result["api_error"]["detail"]


# A token that may not read servers


def test_with_wait_a_token_that_may_not_read_servers_is_refused_before_any_write(restore: Any, service: Any) -> None:
    result = restore("completed", "rehearsed", api_token=READER_TOKEN)
    assert result["status_code"] == 403
    for fact in ("Nothing was restored", "wait: false"):
        assert fact in result["msg"]
    assert service.writes() == []


def test_without_wait_such_a_token_is_good_enough(restore: Any, service: Any, servers: dict) -> None:
    result = restore("completed", "rehearsed", api_token=READER_TOKEN, wait=False)
    assert (result["server"]["id"], result["server"]["status"]) == (servers["completed"], "restoring")
    assert len(service.posts()) == 1


def test_without_wait_a_lost_answer_that_nobody_can_look_for_is_not_repeated(restore: Any, service: Any) -> None:
    service.fault(method="POST", kind="drop_before")
    result = restore("completed", "fails", api_token=READER_TOKEN, wait=False)
    assert "Nobody can tell" in result["msg"]
    assert len(service.posts()) == 1


# How a wait ends


def test_a_wait_ends_when_the_server_is_active_again(restore: Any, service: Any, servers: dict) -> None:
    restore("completed")
    looks = [call for call in service.calls() if call == f"GET /servers/{servers['completed']}/"]
    # One before the restore, and at least one while it lasts.
    assert len(looks) >= 2


def test_a_restore_that_fails_ends_the_wait_at_once(restore: Any, service: Any, clock: Any) -> None:
    service.fault(kind="outcome", status="failed")
    result = restore("completed", "fails")
    assert result["server"]["status"] == "error"
    assert sum(clock.pauses) < 900


def test_a_wait_that_runs_out_shows_the_server_and_how_to_go_on(restore: Any, service: Any) -> None:
    service.fault(kind="outcome", status="stuck")
    result = restore("completed", "fails", wait_timeout=10)
    for fact in ("10 s", "restoring", "do not start another one"):
        assert fact in result["msg"]
    assert result["server"]["status"] == "restoring"


def test_a_wait_outlives_a_flaky_api(restore: Any, service: Any) -> None:
    service.fault(method="GET", path="/servers/*", kind="html", code=502, skip=1, times=3)
    assert restore("completed")["server"]["status"] == "active"


# A lost answer


@pytest.mark.parametrize(
    ("fault", "posts"),
    [
        ({"kind": "drop_before"}, 2),
        ({"kind": "drop_after"}, 1),
        ({"kind": "html", "code": 504, "after": True}, 1),
        ({"kind": "status", "code": 503}, 2),
        ({"kind": "truncate"}, 1),
        ({"kind": "delay", "seconds": 1.5, "after": True}, 1),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else None,
)
def test_a_lost_answer_leaves_one_restore_and_a_green_task(restore: Any, service: Any, fault: dict, posts: int) -> None:
    service.fault(kind="outcome", status="stuck")
    service.fault(method="POST", **fault)
    result = restore("completed", wait=False, api_timeout=1)
    assert (result["changed"], result["server"]["status"]) == (True, "restoring")
    assert len(service.posts()) == posts


def test_a_lost_answer_is_followed_by_the_wait(restore: Any, service: Any) -> None:
    service.fault(method="POST", kind="drop_after")
    assert restore("slow")["server"]["status"] == "active"
    assert len(service.posts()) == 1


def test_two_lost_requests_are_a_failure_that_says_so(restore: Any, service: Any) -> None:
    service.fault(method="POST", kind="drop_before", times=0)
    assert "sent twice" in restore("completed", "fails")["msg"]
    assert len(service.posts()) == 2


# What is returned whatever happens


def test_a_wait_that_fails_has_changed_something_and_names_snapshot_and_server(
    restore: Any, service: Any, servers: dict
) -> None:
    service.fault(method="GET", path="/servers/*", kind="status", code=401, skip=1)
    result = restore("completed", "fails")
    assert result["changed"] is True
    assert result["snapshot"]["id"] == servers["completed"] * 10 + 1
    assert result["server"]["status"] == "restoring"


def test_the_wrong_server_is_seen_before_the_post(restore: Any, service: Any) -> None:
    service.fault(method="GET", path="/servers/*", kind="status", code=200, body={"id": 2, "status": "active"}, times=0)
    assert "was told of server 2" in restore("completed", "fails", api_retries=0)["msg"]
    assert service.posts() == []
