# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""vps_snapshot: what it leaves behind in every situation, and what it says."""

from __future__ import annotations

from typing import Any

import pytest

MODULE = "vps_snapshot"
NAME = "before-update"
ROTATE = {"on_limit": "rotate", "rotate_prefix": "nightly-"}


@pytest.fixture
def present(run: Any, servers: dict[str, int]) -> Any:
    """Run state=present for the server of a situation; further options may be given."""

    def prepared(situation: str, how: str = "__call__", **options: Any) -> dict[str, Any]:
        return getattr(run, how)(MODULE, **{"server_id": servers[situation], "name": NAME, **options})

    return prepared


@pytest.fixture
def absent(present: Any) -> Any:
    """Run state=absent for the server of a situation; further options may be given."""

    def prepared(situation: str, how: str = "__call__", **options: Any) -> dict[str, Any]:
        return present(situation, how, state="absent", **options)

    return prepared


# Present


def test_a_new_snapshot_is_made_and_awaited(present: Any, service: Any, servers: dict) -> None:
    result = present("empty", description="Before release 2")
    snapshot = result["snapshot"]
    assert result["changed"] is True
    assert (snapshot["name"], snapshot["status"], snapshot["description"]) == (NAME, "completed", "Before release 2")
    assert snapshot["server"] == {"id": servers["empty"], "name": "empty"}
    assert snapshot["size_mb"] is not None
    assert "message" not in snapshot
    assert result["deleted"] == []
    assert service.names("empty") == [NAME]


def test_the_same_name_on_another_server_is_another_snapshot(present: Any, service: Any) -> None:
    assert present("completed")["changed"] is False
    assert present("stopped")["changed"] is False
    assert present("empty")["changed"] is True
    assert service.posts() == ["/snapshots/"]


def test_a_repeated_run_is_one_get(present: Any, service: Any, servers: dict) -> None:
    present("empty")
    service.clear_requests()
    assert present("empty")["changed"] is False
    assert service.calls() == ["GET /snapshots/"]
    assert service.requests()[0]["query"] == f"page_size=100&server_id={servers['empty']}"


def test_without_wait_the_snapshot_is_returned_in_progress(present: Any) -> None:
    result = present("empty", wait=False)
    assert (result["changed"], result["snapshot"]["status"]) == (True, "in_progress")


def test_one_in_progress_is_attached_to_and_unchanged(present: Any, service: Any, servers: dict, clock: Any) -> None:
    service.reset()
    result = present("in_progress")
    assert (result["changed"], result["snapshot"]["status"]) == (False, "completed")
    assert result["snapshot"]["id"] == servers["in_progress"] * 10 + 1
    assert service.writes() == []
    assert clock.pauses


def test_check_mode_predicts_that_one_in_progress_will_be_completed(present: Any, service: Any) -> None:
    service.reset()
    result = present("in_progress", check=True)
    assert (result["changed"], result["snapshot"]["status"]) == (False, "completed")


@pytest.mark.parametrize("situation", ["failed", "error"])
def test_a_failed_one_is_removed_and_made_anew(present: Any, service: Any, servers: dict, situation: str) -> None:
    result = present(situation)
    old = servers[situation] * 10 + 1
    assert result["changed"] is True
    assert [each["id"] for each in result["deleted"]] == [old]
    assert (result["snapshot"]["status"], result["snapshot"]["id"] == old) == ("completed", False)
    assert service.names(situation) == [NAME]


def test_a_completed_one_counts_beside_a_newer_failed_one(present: Any, service: Any, servers: dict) -> None:
    result = present("failed_after_completed")
    assert (result["changed"], result["snapshot"]["id"]) == (False, servers["failed_after_completed"] * 10 + 2)
    assert service.writes() == []


def test_of_several_of_one_name_the_newest_completed_counts(present: Any, servers: dict) -> None:
    assert present("twice")["snapshot"]["id"] == servers["twice"] * 10 + 1


def test_the_description_is_never_compared(present: Any, service: Any) -> None:
    result = present("completed", description="Another one")
    assert (result["changed"], result["snapshot"]["description"]) == (False, "")
    assert service.writes() == []


@pytest.mark.parametrize("wait", [True, False])
def test_an_unknown_status_is_neither_a_success_nor_a_reason_to_delete(present: Any, service: Any, wait: bool) -> None:
    result = present("unknown", "fails", wait=wait, wait_timeout=10)
    assert "archived" in result["msg"]
    assert result["snapshot"]["status"] == "archived"
    assert service.writes() == []


def test_an_unknown_status_is_waited_for_to_the_deadline_with_one_warning(present: Any, clock: Any) -> None:
    result = present("unknown", "fails", wait_timeout=60)
    assert len([warning for warning in result["warnings"] if "not documented" in warning]) == 1
    assert 59 <= sum(clock.pauses) <= 60


def test_a_warning_does_not_make_a_success_a_failure(present: Any, service: Any, servers: dict) -> None:
    server = {"id": servers["empty"], "name": "empty"}
    odd = {"id": 1, "server": server, "name": NAME, "status": "copying", "created_at": "2026-03-01T12:00:00Z"}
    for status in ("copying", "copying", "completed"):
        body = {"count": 1, "next": None, "results": [{**odd, "status": status}]}
        service.fault(method="GET", kind="status", code=200, body=body)
    result = present("empty")
    assert (result["changed"], result["snapshot"]["status"]) == (False, "completed")
    assert "copying" in result["warnings"][0]


# How a wait ends


def test_a_wait_that_runs_out_shows_the_snapshot_and_how_to_go_on_and_a_second_run_does(
    present: Any, service: Any
) -> None:
    service.fault(kind="outcome", status="stuck")
    result = present("empty", "fails", wait_timeout=1)
    for fact in ("1 s", "in_progress", "Run the task again"):
        assert fact in result["msg"]
    assert (result["snapshot"]["name"], result["snapshot"]["status"]) == (NAME, "in_progress")
    again = present("empty", "fails", wait_timeout=1)
    assert again["snapshot"]["id"] == result["snapshot"]["id"]
    assert service.posts() == ["/snapshots/"]


@pytest.mark.parametrize("outcome", ["failed", "error"])
def test_a_snapshot_that_fails_ends_the_wait_at_once(present: Any, service: Any, clock: Any, outcome: str) -> None:
    service.fault(kind="outcome", status=outcome)
    result = present("empty", "fails")
    assert "failed on the service's side" in result["msg"]
    assert result["snapshot"]["status"] == outcome
    assert sum(clock.pauses) < 600
    assert service.posts() == ["/snapshots/"]


def test_a_snapshot_that_vanishes_ends_the_wait_at_once(present: Any, service: Any, clock: Any) -> None:
    service.fault(kind="outcome", status="vanished")
    result = present("empty", "fails")
    assert "vanished" in result["msg"]
    assert result["snapshot"]["status"] == "in_progress"
    assert sum(clock.pauses) < 600


def test_a_wait_outlives_a_flaky_api(present: Any, service: Any) -> None:
    service.fault(method="GET", kind="html", code=502, skip=1, times=3)
    service.fault(method="GET", kind="drop_before", times=2)
    assert present("empty")["snapshot"]["status"] == "completed"


# A lost answer

LOST_ANSWERS = {
    "dropped before it was processed": {"kind": "drop_before"},
    "dropped after it was processed": {"kind": "drop_after"},
    "504 after it was processed": {"kind": "html", "code": 504, "after": True},
    "503 instead of processing": {"kind": "status", "code": 503},
    "500 with an empty body": {"kind": "status", "code": 500, "body": ""},
    "cut in the middle": {"kind": "truncate"},
    "unreadable, after it was processed": {"kind": "html", "code": 200, "after": True},
    "later than api_timeout": {"kind": "delay", "seconds": 1.5, "after": True},
}


@pytest.mark.parametrize("fault", LOST_ANSWERS.values(), ids=LOST_ANSWERS)
def test_a_lost_answer_leaves_one_snapshot_and_a_green_task(present: Any, service: Any, fault: dict) -> None:
    service.fault(method="POST", **fault)
    result = present("empty", api_timeout=1)
    assert (result["changed"], result["snapshot"]["status"]) == (True, "completed")
    assert service.names("empty") == [NAME]
    assert len(service.posts()) <= 2


def test_no_second_post_comes_before_three_looks(present: Any, service: Any, clock: Any) -> None:
    service.fault(method="POST", kind="drop_before")
    present("empty", wait=False)
    assert service.calls() == [
        "GET /snapshots/",
        "POST /snapshots/",
        *["GET /snapshots/"] * 3,
        "POST /snapshots/",
        "GET /snapshots/",
    ]
    assert sum(clock.pauses) == 15


def test_two_lost_requests_are_a_failure_that_says_so(present: Any, service: Any) -> None:
    service.fault(method="POST", kind="drop_before", times=0)
    assert "sent twice" in present("empty", "fails")["msg"]
    assert len(service.posts()) == 2
    assert service.names("empty") == []


def test_two_lost_answers_still_leave_one_snapshot(present: Any, service: Any) -> None:
    service.fault(method="POST", kind="drop_before")
    service.fault(method="POST", kind="drop_after")
    assert present("empty")["changed"] is True
    assert service.names("empty") == [NAME]


def test_where_looking_fails_too_nothing_is_sent_again(present: Any, service: Any) -> None:
    service.fault(method="POST", kind="drop_after")
    service.fault(method="GET", kind="status", code=503, skip=1, times=0)
    assert "not sent again" in present("empty", "fails")["msg"]
    assert len(service.posts()) == 1


def test_a_lost_answer_does_not_adopt_the_failed_one_that_is_replaced(
    present: Any, service: Any, servers: dict
) -> None:
    service.fault(method="DELETE", kind="status", code=204, body="")
    service.fault(method="POST", kind="drop_after")
    result = present("failed")
    assert result["snapshot"]["id"] != servers["failed"] * 10 + 1
    assert result["snapshot"]["status"] == "completed"


def test_429_with_retry_after_is_no_doubt(present: Any, service: Any, clock: Any) -> None:
    service.fault(method="POST", kind="status", code=429, headers={"Retry-After": "3"})
    assert present("empty", wait=False)["changed"] is True
    assert clock.pauses == [3]
    assert service.names("empty") == [NAME]


def test_a_refused_create_is_not_repeated_and_says_what_the_api_said(present: Any, service: Any) -> None:
    service.fault(method="POST", kind="status", code=400, body={"name": ["Not this one."]})
    result = present("empty", "fails")
    assert "Not this one" in result["msg"]
    assert (result["status_code"], result["api_error"]) == (400, {"name": ["Not this one."]})
    assert len(service.posts()) == 1


# The limit


def test_at_the_limit_nothing_is_sent_and_what_is_there_is_listed(present: Any, service: Any) -> None:
    result = present("full", "rehearsed")
    assert result["failed"] is True
    for name in ("manual", "nightly-1", "nightly-2", "nightly-3", "nightlyish"):
        assert name in result["msg"]
    assert result["snapshots"][0]["name"] == "nightly-3"
    assert service.writes() == []


def test_the_limit_of_the_api_is_shown_where_it_is_left_to_the_api(present: Any, service: Any) -> None:
    result = present("full", "fails", snapshot_limit=0)
    assert result["status_code"] == 400
    assert "limit" in result["api_error"]["detail"].lower()
    assert service.posts() == ["/snapshots/"]


def test_a_lower_limit_is_kept_to(present: Any, service: Any) -> None:
    assert "limit is 1" in present("completed", "fails", name="another", snapshot_limit=1)["msg"]
    assert service.writes() == []


def test_rotation_deletes_the_oldest_with_the_prefix_and_no_other(present: Any, service: Any) -> None:
    result = present("full", **ROTATE)
    assert [each["name"] for each in result["deleted"]] == ["nightly-1"]
    assert service.names("full") == [NAME, "manual", "nightly-2", "nightly-3", "nightlyish"]


def test_rotation_never_takes_the_last_completed_one_of_the_prefix(present: Any, service: Any) -> None:
    result = present("full_with_one_nightly", "rehearsed", **ROTATE)
    assert "the last one always stays" in result["msg"]
    assert service.writes() == []


def test_rotation_deletes_nothing_where_a_failed_one_of_the_name_gives_its_slot(present: Any, service: Any) -> None:
    result = present("full_with_a_failed_one", **ROTATE)
    assert [each["name"] for each in result["deleted"]] == [NAME]
    assert service.names("full_with_a_failed_one") == [NAME, "manual-1", "manual-2", "nightly-1", "nightly-2"]


def test_rotation_deletes_nothing_where_a_slot_is_free_or_the_snapshot_is_there(present: Any, service: Any) -> None:
    assert present("more_nightlies", **ROTATE)["deleted"] == []
    assert present("full", name="nightly-3", **ROTATE)["changed"] is False
    assert not any(call.startswith("DELETE") for call in service.calls())


def test_the_slots_are_those_found_at_first_newest_first(present: Any) -> None:
    slots = present("full", **ROTATE)["slots"]
    assert [each["name"] for each in slots] == ["nightly-3", "nightly-2", "nightly-1", "nightlyish", "manual"]


def test_a_failure_after_the_rotation_returns_what_was_deleted(present: Any, service: Any) -> None:
    service.fault(method="POST", kind="status", code=400, body={"detail": "No."})
    result = present("full", "fails", **ROTATE)
    assert [each["name"] for each in result["deleted"]] == ["nightly-1"]
    assert result["status_code"] == 400


def test_a_wait_that_fails_after_the_rotation_returns_what_was_deleted(present: Any, service: Any) -> None:
    service.fault(kind="outcome", status="failed")
    assert [each["name"] for each in present("full", "fails", **ROTATE)["deleted"]] == ["nightly-1"]


# Age


def test_max_age_refuses_last_months_snapshot_and_changes_nothing(present: Any, service: Any) -> None:
    result = present("completed", "rehearsed", max_age="2h")
    assert "older than max_age 2h" in result["msg"]
    assert result["snapshot"]["name"] == NAME
    assert service.writes() == []


def test_max_age_accepts_a_younger_one(present: Any) -> None:
    assert present("completed", max_age="4h")["changed"] is False


# One certain snapshot


def test_an_id_insists_on_one_snapshot_and_never_makes_another(present: Any, service: Any, servers: dict) -> None:
    older = servers["twice"] * 10 + 2
    assert present("twice", snapshot_id=older)["snapshot"]["id"] == older
    assert "no snapshot with id 999" in present("empty", "rehearsed", snapshot_id=999)["msg"]
    assert present("failed", "fails", snapshot_id=servers["failed"] * 10 + 1)["snapshot"]["status"] == "failed"
    assert service.writes() == []


# Absent


def test_a_snapshot_is_deleted_by_name(absent: Any, service: Any) -> None:
    result = absent("completed")
    assert (result["changed"], result["snapshot"]["name"]) == (True, NAME)
    assert result["deleted"] == [result["snapshot"]]
    assert service.names("completed") == []


def test_a_snapshot_that_is_gone_is_one_get_and_null(absent: Any, service: Any) -> None:
    result = absent("empty")
    assert (result["changed"], result["snapshot"], result["deleted"]) == (False, None, [])
    assert service.calls() == ["GET /snapshots/"]


def test_a_snapshot_is_deleted_by_id_and_then_gone(run: Any, service: Any, servers: dict) -> None:
    options = {"state": "absent", "snapshot_id": servers["completed"] * 10 + 1}
    assert run(MODULE, **options)["changed"] is True
    assert run(MODULE, **options)["changed"] is False
    assert service.names("completed") == []


@pytest.mark.parametrize(
    ("server", "name"),
    [("empty", None), ("empty", NAME), ("completed", "another")],
    ids=["server", "server too", "name"],
)
def test_an_id_of_another_server_or_name_is_refused(
    absent: Any, service: Any, servers: dict, server: str, name: str
) -> None:
    result = absent(server, "rehearsed", snapshot_id=servers["completed"] * 10 + 1, name=name)
    assert "Refused" in result["msg"]
    assert service.writes() == []


def test_several_of_one_name_are_refused_with_their_ids(absent: Any, service: Any, servers: dict) -> None:
    result = absent("twice", "rehearsed")
    for number in (1, 2):
        assert str(servers["twice"] * 10 + number) in result["msg"]
    assert service.writes() == []


def test_several_of_one_name_are_deleted_where_all_are_meant(absent: Any, service: Any, servers: dict) -> None:
    result = absent("twice", all_matching=True)
    assert [each["id"] for each in result["deleted"]] == [servers["twice"] * 10 + 1, servers["twice"] * 10 + 2]
    assert service.names("twice") == []


def test_a_failure_halfway_returns_what_was_deleted(absent: Any, service: Any, servers: dict) -> None:
    service.fault(method="DELETE", kind="status", code=403, skip=1)
    result = absent("twice", "fails", all_matching=True)
    assert [each["id"] for each in result["deleted"]] == [servers["twice"] * 10 + 2]
    assert result["status_code"] == 403


def test_a_lost_answer_to_a_delete_is_no_failure(absent: Any, service: Any) -> None:
    service.fault(method="DELETE", kind="drop_after")
    assert absent("completed")["changed"] is True
    assert service.names("completed") == []


# Check mode predicts: the same keys, change, diff, deletions and snapshot; and no write is sent.


@pytest.mark.parametrize("wait", [True, False], ids=["wait", "no wait"])
@pytest.mark.parametrize(
    ("situation", "options"),
    [
        ("empty", {}),
        ("empty", {"description": "Why"}),
        ("completed", {}),
        ("failed", {}),
        ("error", {}),
        ("twice", {}),
        ("failed_after_completed", {}),
        ("full", {}),
        ("full", ROTATE),
        ("full_with_one_nightly", ROTATE),
        ("full_with_a_failed_one", ROTATE),
        ("more_nightlies", ROTATE),
        ("stopped", {"name": "another"}),
        ("completed", {"max_age": "1h"}),
        ("completed", {"name": "another", "snapshot_limit": 1}),
    ],
    ids=lambda value: value if isinstance(value, str) else ",".join(value) or "-",
)
def test_check_mode_predicts_present(present: Any, situation: str, options: dict, wait: bool) -> None:
    present(situation, "rehearsed", wait=wait, **options)


@pytest.mark.parametrize("situation", ["stuck", "unknown"])
def test_check_mode_predicts_what_nobody_waits_for(present: Any, situation: str) -> None:
    present(situation, "rehearsed", wait=False)


@pytest.mark.parametrize("options", [{}, {"all_matching": True}], ids=["one", "all"])
@pytest.mark.parametrize("situation", ["empty", "completed", "stuck", "failed", "unknown", "twice", "full"])
def test_check_mode_predicts_absent(absent: Any, situation: str, options: dict) -> None:
    absent(situation, "rehearsed", **options)


def test_check_mode_predicts_that_the_server_is_unknown(run: Any) -> None:
    result = run.rehearsed(MODULE, server_id=999, name=NAME)
    assert (result["failed"], result["status_code"]) == (True, 404)


def test_the_diff_shows_the_slots_before_and_after(present: Any) -> None:
    assert present("full_with_a_failed_one")["diff"] == {
        "before": {
            "snapshots": [
                "before-update: failed",
                "manual-1: completed",
                "manual-2: completed",
                "nightly-1: completed",
                "nightly-2: completed",
            ]
        },
        "after": {
            "snapshots": [
                "before-update: completed",
                "manual-1: completed",
                "manual-2: completed",
                "nightly-1: completed",
                "nightly-2: completed",
            ]
        },
    }


# Identifiers and options


def test_a_uuid_costs_one_more_get(present: Any, service: Any, servers: dict) -> None:
    uuid = f"00000000-0000-4000-8000-{servers['completed']:012}"
    result = present("completed", server_id=uuid)
    assert (result["changed"], result["snapshot"]["server"]["id"]) == (False, servers["completed"])
    assert service.calls() == [f"GET /servers/{uuid}/", "GET /snapshots/"]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"name": "before update"}, "not valid"),
        ({"name": "before-update\n"}, "not valid"),
        ({"name": None}, "name"),
        ({"server_id": None}, "server_id"),
        ({"server_id": "web"}, "neither an integer nor a UUID"),
        ({"on_limit": "rotate"}, "rotate_prefix"),
        ({"on_limit": "rotate", "rotate_prefix": "nightly"}, "not safe"),
        ({"on_limit": "rotate", "rotate_prefix": "-"}, "not safe"),
        ({"max_age": "soon"}, "not a duration"),
        ({"state": "absent", "name": None}, "snapshot_id"),
        ({"state": "absent", "server_id": None}, "server_id"),
        ({"state": "gone"}, "state"),
    ],
    ids=str,
)
def test_wrong_options_are_refused_before_any_call(present: Any, service: Any, options: dict, complaint: str) -> None:
    assert complaint in present("empty", "fails", **options)["msg"]
    assert service.calls() == []
