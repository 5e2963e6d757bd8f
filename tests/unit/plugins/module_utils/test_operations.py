# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The writes that take minutes: what follows which answer, in which order and after which pauses."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock, create_autospec

import pytest
from ansible_collections.vpsdotorg.cloud.plugins.module_utils import _operations
from ansible_collections.vpsdotorg.cloud.plugins.module_utils._client import VpsClient
from ansible_collections.vpsdotorg.cloud.plugins.module_utils._errors import (
    ApiError,
    NoAnswerError,
    OperationError,
    VpsError,
)

LOST = NoAnswerError("POST got no answer.")
GATEWAY = ApiError("POST answered 504.", 504, "<html>")
REFUSED = ApiError("POST answered 400: limit.", 400, {"detail": "limit"})
BUSY = ApiError("GET answered 503.", 503, None)

LOOKS = [1, 4, 10]


def snapshot(number: int, status: str = "in_progress", name: str = "before-update") -> dict:
    return {"id": number, "server": {"id": 7}, "name": name, "status": status, "created_at": "2026-03-01T12:00:00Z"}


OLD, NEW = snapshot(1, "failed"), snapshot(2)


@pytest.fixture
def client() -> Mock:
    """Stand in for the client: what the calls answer, in order, is set by each test."""
    client = create_autospec(VpsClient, instance=True)
    client.progress = None
    client.has_written = False
    return client


def calls(client: Mock) -> list[str]:
    return [call[0] for call in client.mock_calls]


def create(client: Mock, warnings: list[str] | None = None) -> dict:
    params = {"name": "before-update", "description": None, "wait": False, "wait_timeout": 600}
    return _operations.create_snapshot(client, 7, params, [OLD], [] if warnings is None else warnings)[0]


CREATE, LIST = "create_snapshot", "list_snapshots"


def test_a_create_that_is_answered_is_one_call_and_one_look(client: Mock, clock: Any) -> None:
    client.create_snapshot.return_value = NEW
    client.list_snapshots.return_value = [OLD, NEW]
    assert create(client) == NEW
    assert (calls(client), clock.pauses) == ([CREATE, LIST], [])


def test_a_create_that_is_refused_is_one_call_and_the_message_says_what_was_tried(client: Mock, clock: Any) -> None:
    client.list_snapshots.return_value = [OLD]
    client.create_snapshot.side_effect = ApiError("POST answered 400: limit.", 400, {"detail": "limit"})
    with pytest.raises(ApiError) as caught:
        create(client)
    assert caught.value.message == "Creating snapshot before-update of server 7: POST answered 400: limit."
    # Somebody else may have been faster, and have taken the last slot for the very same snapshot.
    assert (calls(client), clock.pauses) == ([CREATE, LIST], [])


@pytest.mark.parametrize("doubt", [LOST, GATEWAY], ids=["lost", "504"])
@pytest.mark.parametrize("look", [1, 2, 3])
def test_after_a_doubtful_answer_what_a_look_finds_is_adopted(
    client: Mock, clock: Any, doubt: VpsError, look: int
) -> None:
    client.create_snapshot.side_effect = [doubt]
    client.list_snapshots.side_effect = [*([[OLD]] * (look - 1)), [OLD, NEW]]
    assert create(client) == NEW
    assert calls(client) == [CREATE, *[LIST] * look]
    assert clock.pauses == LOOKS[:look]


def test_where_three_looks_find_nothing_it_is_sent_once_more(client: Mock, clock: Any) -> None:
    client.create_snapshot.side_effect = [LOST, NEW]
    client.list_snapshots.side_effect = [[OLD], [OLD], [OLD], [OLD, NEW]]
    warnings: list[str] = []
    assert create(client, warnings) == NEW
    assert calls(client) == [CREATE, LIST, LIST, LIST, CREATE, LIST]
    assert clock.pauses == LOOKS
    assert "may still be processed" in warnings[0]


def test_after_two_lost_answers_it_is_looked_for_again_and_adopted(client: Mock, clock: Any) -> None:
    client.create_snapshot.side_effect = [LOST, LOST]
    client.list_snapshots.side_effect = [[OLD], [OLD], [OLD], [NEW, OLD]]
    assert create(client) == NEW
    assert calls(client) == [CREATE, LIST, LIST, LIST, CREATE, LIST]
    assert clock.pauses == [*LOOKS, 1]


def test_it_is_never_sent_a_third_time(client: Mock, clock: Any) -> None:
    client.create_snapshot.side_effect = NoAnswerError("POST got no answer.")
    client.list_snapshots.return_value = [OLD]
    with pytest.raises(NoAnswerError, match="sent twice"):
        create(client)
    assert calls(client) == [CREATE, LIST, LIST, LIST, CREATE, LIST, LIST, LIST]
    assert clock.pauses == LOOKS * 2


def test_a_refusal_of_the_second_may_be_the_echo_of_the_first(client: Mock) -> None:
    client.create_snapshot.side_effect = [LOST, REFUSED]
    client.list_snapshots.side_effect = [[OLD], [OLD], [OLD], [OLD], [OLD, NEW]]
    assert create(client) == NEW


@pytest.mark.parametrize("trouble", [BUSY, NoAnswerError("GET got no answer.")], ids=["503", "no answer"])
def test_where_the_last_look_fails_it_is_not_sent_again(client: Mock, trouble: VpsError) -> None:
    client.create_snapshot.side_effect = NoAnswerError("POST got no answer.")
    client.list_snapshots.side_effect = [[OLD], [OLD], trouble]
    with pytest.raises(NoAnswerError, match=r"Looking for it failed too .* not sent again"):
        create(client)
    assert calls(client).count(CREATE) == 1


def test_a_look_that_fails_is_not_the_end_of_looking(client: Mock) -> None:
    client.create_snapshot.side_effect = [LOST]
    client.list_snapshots.side_effect = [BUSY, BUSY, [OLD, NEW]]
    assert create(client) == NEW


@pytest.mark.parametrize(
    "listed",
    [
        [OLD],
        [OLD, snapshot(3, name="other")],
        [{**OLD, "created_at": "2099-01-01T00:00:00Z"}],
    ],
    ids=["listed before", "another name", "listed before, with a newer time"],
)
def test_only_a_new_id_of_that_name_is_adopted_and_times_decide_nothing(client: Mock, listed: list[dict]) -> None:
    client.create_snapshot.side_effect = [LOST, NEW]
    client.list_snapshots.side_effect = [listed, listed, listed, [*listed, NEW]]
    assert create(client) == NEW
    assert calls(client).count(CREATE) == 2


def test_what_was_found_with_an_older_time_is_adopted_all_the_same(client: Mock) -> None:
    found = {**NEW, "created_at": "2001-01-01T00:00:00Z"}
    client.create_snapshot.side_effect = [LOST]
    client.list_snapshots.return_value = [OLD, found]
    assert create(client) == found


# Several at once, and one that comes late


FIRST, OWN, LATE = snapshot(2), snapshot(3), snapshot(4)
REFUSED_DELETE = ApiError("DELETE answered 403: no.", 403, None)


def completed(*snapshots: dict) -> list[dict]:
    return [{**each, "status": "completed"} for each in snapshots]


def outcome(client: Mock, wait: bool = False) -> tuple[int, bool, list[int], list[str]]:
    """Create; return the id of what counts, whether it is one more, what was deleted, and the warnings."""
    warnings: list[str] = []
    params = {"name": "before-update", "description": None, "wait": wait, "wait_timeout": 600}
    counts, changed = _operations.create_snapshot(client, 7, params, [OLD], warnings)
    return counts["id"], changed, [call.args[0] for call in client.delete_snapshot.mock_calls], warnings


@pytest.mark.parametrize("status", ["in_progress", "completed", "archived"])
def test_of_several_made_at_once_the_oldest_stays_and_only_our_own_goes(client: Mock, status: str) -> None:
    client.create_snapshot.return_value = OWN
    first = {**FIRST, "status": status}
    # The owner of the third takes its time to give way, too.
    client.list_snapshots.side_effect = [[OLD, LATE, OWN, first], [OLD, LATE, first], [OLD, first]]
    assert outcome(client) == (2, False, [3], [])


def test_two_that_stay_are_named(client: Mock) -> None:
    client.create_snapshot.return_value = FIRST
    client.list_snapshots.return_value = [OLD, FIRST, OWN]
    counts, changed, deleted, warnings = outcome(client)
    assert (counts, changed, deleted) == (2, True, [])
    assert "ids 2 and 3" in warnings[0]


def test_one_that_failed_is_nothing_to_give_way_to(client: Mock) -> None:
    client.create_snapshot.return_value = OWN
    client.list_snapshots.return_value = [OLD, OWN, {**FIRST, "status": "failed"}]
    assert outcome(client) == (3, True, [], [])


def test_where_our_own_may_not_be_deleted_both_are_named(client: Mock) -> None:
    client.create_snapshot.return_value = OWN
    client.list_snapshots.return_value = [OLD, OWN, FIRST]
    client.delete_snapshot.side_effect = REFUSED_DELETE
    counts, changed, deleted, warnings = outcome(client)
    assert (counts, changed, deleted) == (2, True, [3])
    assert "ids 2 and 3" in warnings[0]


def test_an_older_one_that_shows_up_in_the_wait_is_given_way_to(client: Mock) -> None:
    client.create_snapshot.return_value = OWN
    client.list_snapshots.side_effect = [[OLD, OWN], [OLD, OWN, FIRST], [OLD, *completed(FIRST)]]
    assert outcome(client, wait=True) == (2, False, [3], [])


def test_whoever_comes_too_late_for_a_slot_adopts_what_the_others_made(client: Mock) -> None:
    client.create_snapshot.side_effect = ApiError("POST answered 400: limit.", 400, None)
    client.list_snapshots.return_value = [OLD, LATE, FIRST]
    assert outcome(client) == (2, False, [], [])


def test_what_was_adopted_and_vanishes_is_replaced_by_an_older_one_that_stays(client: Mock) -> None:
    client.create_snapshot.side_effect = ApiError("POST answered 400: limit.", 400, None)
    client.list_snapshots.side_effect = [[OLD, LATE], [OLD, OWN], [OLD, *completed(OWN)]]
    assert outcome(client, wait=True) == (3, False, [], [])


def test_what_vanishes_ends_the_wait_and_no_younger_one_stands_in(client: Mock) -> None:
    client.create_snapshot.return_value = OWN
    client.list_snapshots.side_effect = [[OLD, OWN], *[[OLD, *completed(LATE)]] * 4]
    with pytest.raises(OperationError, match="has vanished") as caught:
        outcome(client, wait=True)
    assert caught.value.details["snapshot"] == OWN
    # Neither of these is true of what is gone.
    assert "not deleted" not in caught.value.message
    assert "take the wait up" not in caught.value.message
    assert client.has_written


def test_a_create_that_is_processed_late_ends_with_one_once_both_are_completed(client: Mock) -> None:
    client.create_snapshot.side_effect = [LOST, OWN]
    looks = [[OLD]] * 3
    waits = [[OWN], [OWN, LATE], [*completed(OWN), LATE], [*completed(OWN), LATE], completed(OWN, LATE)]
    client.list_snapshots.side_effect = [*looks, *waits]
    assert outcome(client, wait=True) == (4, True, [3], [])


def test_a_late_one_that_fails_costs_nothing_and_both_are_named(client: Mock) -> None:
    client.create_snapshot.side_effect = [LOST, OWN]
    looks = [[OLD]] * 3
    client.list_snapshots.side_effect = [
        *looks,
        [OWN, LATE],
        [*completed(OWN), LATE],
        [OWN, {**LATE, "status": "error"}],
    ]
    counts, changed, deleted, warnings = outcome(client, wait=True)
    assert (counts, changed, deleted) == (3, True, [])
    assert "ids 3 and 4" in warnings[0]


def test_without_a_wait_a_late_one_is_named_and_stays(client: Mock) -> None:
    client.create_snapshot.side_effect = [LOST, OWN]
    client.list_snapshots.side_effect = [[OLD], [OLD], [OLD], *[[OLD, OWN, LATE]] * 4]
    counts, changed, deleted, warnings = outcome(client)
    assert (counts, changed, deleted) == (3, True, [])
    assert "ids 3 and 4" in warnings[0]


@pytest.mark.parametrize(
    "named", [OLD, {**OWN, "name": "other"}, {**OWN, "server": {"id": 8}}], ids=["listed before", "name", "server"]
)
def test_an_answer_that_names_another_snapshot_never_makes_that_one_ours_to_delete(client: Mock, named: dict) -> None:
    client.create_snapshot.side_effect = [named, named]
    client.list_snapshots.side_effect = [[OLD], [OLD], [OLD], [OLD, *completed(OWN)]]
    counts, _changed, deleted, _warnings = outcome(client)
    assert (counts, deleted) == (3, [])


def test_a_list_that_leaves_out_what_was_just_made_is_no_reason_to_warn(client: Mock, clock: Any) -> None:
    client.create_snapshot.return_value = OWN
    client.list_snapshots.side_effect = [[OLD], [OLD], [OLD, OWN]]
    assert outcome(client) == (3, True, [], [])
    assert clock.pauses == LOOKS[:2]


def test_a_look_that_fails_after_the_create_is_made_up_for_by_the_wait(client: Mock) -> None:
    client.create_snapshot.return_value = OWN
    client.list_snapshots.side_effect = [BUSY, [OLD, OWN], [OLD, *completed(OWN)]]
    assert outcome(client, wait=True) == (3, True, [], [])


def test_a_look_that_fails_after_the_create_is_a_warning(client: Mock) -> None:
    client.create_snapshot.return_value = OWN
    client.list_snapshots.side_effect = BUSY
    counts, changed, deleted, warnings = outcome(client)
    assert (counts, changed, deleted) == (3, True, [])
    assert "could not be looked up" in warnings[0]


# Restores


RESTORE, GET = "restore_snapshot", "get_server"
ANSWER = {"server": {"id": 7, "name": "web", "status": "restoring"}}


def test_a_restore_returns_the_server_that_its_answer_shows(client: Mock) -> None:
    client.restore_snapshot.return_value = ANSWER
    assert _operations.restore_snapshot(client, NEW, 7) == (ANSWER["server"], True)
    assert calls(client) == [RESTORE]


@pytest.mark.parametrize("doubt", [LOST, GATEWAY], ids=["lost", "504"])
def test_a_lost_restore_is_adopted_where_the_server_is_being_restored(
    client: Mock, clock: Any, doubt: VpsError
) -> None:
    client.restore_snapshot.side_effect = [doubt]
    client.get_server.side_effect = [{"id": 7, "status": "active"}, {"id": 7, "status": "restoring"}]
    assert _operations.restore_snapshot(client, NEW, 7) == ({"id": 7, "status": "restoring"}, False)
    assert (calls(client), clock.pauses) == ([RESTORE, GET, GET], LOOKS[:2])


def test_a_lost_restore_is_sent_once_more_where_the_server_is_not_being_restored(client: Mock, clock: Any) -> None:
    client.restore_snapshot.side_effect = [LOST, ANSWER]
    client.get_server.return_value = {"id": 7, "status": "active"}
    assert _operations.restore_snapshot(client, NEW, 7) == (ANSWER["server"], True)
    assert (calls(client), clock.pauses) == ([RESTORE, GET, GET, GET, RESTORE], LOOKS)


def test_a_lost_restore_of_a_server_that_cannot_be_read_is_an_error_and_not_repeated(client: Mock, clock: Any) -> None:
    client.restore_snapshot.side_effect = NoAnswerError("POST got no answer.")
    with pytest.raises(NoAnswerError, match="Nobody can tell whether it was carried out"):
        _operations.restore_snapshot(client, NEW, None)
    assert (calls(client), clock.pauses) == ([RESTORE], [])


def wait_for_restore(client: Mock, *statuses: str, known: str = "restoring") -> str:
    client.get_server.side_effect = [{"id": 7, "status": status} for status in statuses]
    return _operations.wait_for_restore(client, 7, {"id": 7, "status": known}, 600, [])["status"]


@pytest.mark.parametrize("settled", ["active", "stopped"])
def test_a_restore_is_done_when_the_server_was_restoring_and_is_active_or_stopped(client: Mock, settled: str) -> None:
    assert wait_for_restore(client, "restoring", settled) == settled


def test_a_server_that_was_not_seen_restoring_yet_is_not_done(client: Mock) -> None:
    assert wait_for_restore(client, "active", "restoring", "active", known="active") == "active"
    assert client.get_server.call_count == 3


def test_a_restore_that_never_begins_is_not_done_when_the_time_is_up(client: Mock) -> None:
    client.get_server.return_value = {"id": 7, "status": "active"}
    with pytest.raises(OperationError, match="last seen as active") as caught:
        _operations.wait_for_restore(client, 7, {}, 60, [])
    assert caught.value.details["server"]["status"] == "active"
    assert "do not start another one" in caught.value.message


@pytest.mark.parametrize("status", ["error", "failed"])
def test_a_restore_that_fails_ends_the_wait_at_once(client: Mock, status: str) -> None:
    with pytest.raises(OperationError, match=f"as {status}"):
        wait_for_restore(client, "restoring", status, "active")


# Waiting for a snapshot


def wait_for_snapshot(client: Mock, *looks: Any, timeout: float = 600) -> tuple[dict, list[str]]:
    client.list_snapshots.side_effect = looks
    warnings: list[str] = []
    params = {"wait_timeout": timeout, "snapshot_id": None}
    return _operations.wait_for_snapshot(client, 7, NEW, params, warnings), warnings


def test_a_wait_looks_at_the_list_of_that_server_until_that_id_is_completed(client: Mock) -> None:
    done = snapshot(2, "completed")
    assert wait_for_snapshot(client, [NEW], [snapshot(9, "completed"), NEW], [done]) == (done, [])
    assert all(call.args[0] == 7 for call in client.list_snapshots.mock_calls)


def test_a_snapshot_that_stays_missing_ends_the_wait_and_is_shown_as_last_seen(client: Mock, clock: Any) -> None:
    with pytest.raises(OperationError, match="vanished") as caught:
        wait_for_snapshot(client, [NEW], *[[OLD]] * 4, [snapshot(2, "completed")])
    assert caught.value.details["snapshot"] == NEW
    assert client.list_snapshots.call_count == 5
    assert clock.pauses[-3:] == LOOKS


def test_no_look_for_what_is_missing_goes_beyond_the_time_of_the_wait(client: Mock, clock: Any) -> None:
    with pytest.raises(OperationError, match="vanished"):
        wait_for_snapshot(client, *[[OLD]] * 9, timeout=5)
    assert sum(clock.pauses) < 5


def test_of_several_made_at_once_the_oldest_is_awaited_once_it_is_listed(client: Mock) -> None:
    """A list may have left it out, and whoever made the other one deletes that."""
    first, second = snapshot(1), snapshot(2, "completed")
    done, _warnings = wait_for_snapshot(client, [NEW], [first, second], [*completed(first), second])
    assert done["id"] == 1


@pytest.mark.parametrize("times", [1, 2, 3])
def test_lists_that_leave_it_out_end_no_wait(client: Mock, times: int) -> None:
    done, _warnings = wait_for_snapshot(client, [NEW], *[[OLD]] * times, [NEW], [snapshot(2, "completed")])
    assert done["status"] == "completed"


@pytest.mark.parametrize("status", ["failed", "error"])
def test_a_snapshot_that_fails_ends_the_wait_at_once(client: Mock, status: str) -> None:
    with pytest.raises(OperationError, match="failed") as caught:
        wait_for_snapshot(client, [NEW], [snapshot(2, status)], [snapshot(2, "completed")])
    assert caught.value.details["snapshot"]["status"] == status


def test_an_unknown_status_is_waited_for_with_one_warning(client: Mock) -> None:
    done, warnings = wait_for_snapshot(client, *[[snapshot(2, "archiving")]] * 3, [snapshot(2, "completed")])
    assert done["status"] == "completed"
    assert len(warnings) == 1


def test_a_wait_that_runs_out_shows_the_snapshot_as_last_seen(client: Mock) -> None:
    with pytest.raises(OperationError, match="Run the task again to take the wait up again") as caught:
        wait_for_snapshot(client, *[[NEW]] * 9, timeout=10)
    assert caught.value.details["snapshot"] == NEW


# Power


def test_a_lost_power_action_is_looked_for_and_a_restart_is_not(client: Mock) -> None:
    client.power_server.side_effect = NoAnswerError("POST got no answer.")
    client.get_server.return_value = {"id": 7, "status": "stopped"}
    _operations.change_power(client, 7, "stop", "stopped")
    assert calls(client) == ["power_server", GET]
    with pytest.raises(NoAnswerError, match="Nobody can tell"):
        _operations.change_power(client, 7, "restart", "active")
    assert calls(client) == ["power_server", GET, "power_server"]


# Deletions


def test_the_oldest_goes_first_and_what_is_gone_is_told_newest_first(client: Mock) -> None:
    ages = {1: "2026-03-01T00:00:00Z", 2: "2026-03-03T00:00:00Z", 3: "2026-03-02T00:00:00Z"}
    chosen = [{**snapshot(number), "created_at": age} for number, age in ages.items()]
    deleted: list[dict] = []
    client.delete_snapshot.side_effect = [True, False, True]
    _operations.delete_snapshots(client, chosen, deleted, check_mode=False)
    assert [call.args for call in client.delete_snapshot.mock_calls] == [(1, 7), (3, 7), (2, 7)]
    # 3 was gone already.
    assert [each["id"] for each in deleted] == [2, 1]


def test_a_failure_halfway_tells_what_is_gone(client: Mock) -> None:
    client.delete_snapshot.side_effect = [True, ApiError("DELETE answered 403.", 403, None)]
    deleted: list[dict] = []
    with pytest.raises(ApiError) as caught, _operations.reporting(deleted=deleted):
        _operations.delete_snapshots(client, [snapshot(1), snapshot(2)], deleted, check_mode=False)
    assert caught.value.details == {"deleted": [snapshot(1)], "status_code": 403, "api_error": None}
