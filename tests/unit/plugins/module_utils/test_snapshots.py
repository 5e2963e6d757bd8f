# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pure decisions: which snapshot is meant, is it ready, what may go."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.vpsdotorg.cloud.plugins.module_utils import _snapshots
from ansible_collections.vpsdotorg.cloud.plugins.module_utils._errors import OperationError, VpsError
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
STATUSES = ("completed", "in_progress", "failed", "error", "archived")


def snapshot(
    number: int, name: str = "before-update", status: str = "completed", hours: float = 1, server: int = 7
) -> dict:
    """A snapshot that is so many hours old."""
    moment = NOW - timedelta(hours=hours)
    return {
        "id": number,
        "server": {"id": server, "name": f"server-{server}"},
        "name": name,
        "status": status,
        "size_mb": 5120,
        "created_at": moment.isoformat().replace("+00:00", "Z"),
        "description": "",
    }


def ids(snapshots: list[dict]) -> list[int]:
    return [each["id"] for each in snapshots]


# Names, prefixes, durations, times


@pytest.mark.parametrize("name", ["a", "before-update", "Before_Update-2", "-", "0"])
def test_a_name_is_letters_digits_hyphen_and_underscore(name: str) -> None:
    _snapshots.check_name(name)


@pytest.mark.parametrize("name", ["", "a b", "a.b", "a/b", "before\n", "\nbefore", "größe", "a\x00", "\u0663"])
def test_any_other_name_is_refused_and_a_line_break_at_the_end_too(name: str) -> None:
    with pytest.raises(VpsError, match="not valid"):
        _snapshots.check_name(name)


@pytest.mark.parametrize("prefix", ["nightly-", "nightly_", "a-b_"])
def test_a_prefix_ends_in_hyphen_or_underscore(prefix: str) -> None:
    _snapshots.check_prefix("name_prefix", prefix)


@pytest.mark.parametrize("prefix", ["", "-", "__", "web", "web-1", "web-\n", "we b-", "*-"])
def test_a_prefix_that_could_begin_a_foreign_name_is_refused(prefix: str) -> None:
    with pytest.raises(VpsError, match=r"name_prefix .* not safe"):
        _snapshots.check_prefix("name_prefix", prefix)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("45s", timedelta(seconds=45)),
        ("90m", timedelta(minutes=90)),
        ("36h", timedelta(hours=36)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(weeks=2)),
        ("0s", timedelta(0)),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, duration: timedelta) -> None:
    assert _snapshots.parse_duration("max_age", text) == duration


@pytest.mark.parametrize(
    "text", ["", "7", "d", "7 d", "-7d", "1.5h", "7d\n", "7D", "7y", "1h30m", "\u0667d", "9999999d"]
)
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(VpsError, match=r"max_age .* not a duration"):
        _snapshots.parse_duration("max_age", text)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2025-01-15T18:30:00Z", datetime(2025, 1, 15, 18, 30, tzinfo=timezone.utc)),
        ("2025-01-15T20:30:00+02:00", datetime(2025, 1, 15, 18, 30, tzinfo=timezone.utc)),
        ("2025-01-15T18:30:00", datetime(2025, 1, 15, 18, 30, tzinfo=timezone.utc)),
        ("2025-01-15T18:30:00.250000Z", datetime(2025, 1, 15, 18, 30, 0, 250000, tzinfo=timezone.utc)),
        ("yesterday", None),
        (None, None),
    ],
)
def test_times_are_utc_and_an_unreadable_one_is_none(written: str | None, read: datetime | None) -> None:
    assert _snapshots.created_at({"created_at": written}) == read


def test_newest_first_sorts_by_time_then_id_and_puts_unreadable_times_last() -> None:
    timeless = {**snapshot(9), "created_at": None}
    mixed = [snapshot(1, hours=5), timeless, snapshot(3, hours=2), snapshot(2, hours=2)]
    assert ids(_snapshots.newest_first(mixed)) == [3, 2, 1, 9]


# What a status means


def test_only_completed_is_complete() -> None:
    warnings: list[str] = []
    assert _snapshots.is_complete(snapshot(1), warnings) is True
    assert _snapshots.is_complete(snapshot(1, status="in_progress"), warnings) is False
    assert warnings == []


@pytest.mark.parametrize("status", ["failed", "error"])
def test_a_failed_snapshot_is_an_error_that_shows_it(status: str) -> None:
    broken = snapshot(1, status=status)
    with pytest.raises(OperationError, match="failed") as caught:
        _snapshots.is_complete(broken, [])
    assert caught.value.details["snapshot"] == broken


@pytest.mark.parametrize("status", ["archived", "COMPLETED", "", None])
def test_an_unknown_status_is_not_complete_and_is_warned_of_once(status: str | None) -> None:
    warnings: list[str] = []
    for _look in range(3):
        assert _snapshots.is_complete(snapshot(1, status=status), warnings) is False
    assert len(warnings) == 1
    assert "not documented" in warnings[0]


# What `present` does


def params(**changes: Any) -> dict:
    """The options of `present` that decide."""
    return {
        "name": "before-update",
        "snapshot_id": None,
        "max_age": None,
        "snapshot_limit": 5,
        "on_limit": "fail",
        "rotate_prefix": None,
        **changes,
    }


ROTATE = {"on_limit": "rotate", "rotate_prefix": "nightly-"}


@pytest.mark.parametrize(
    ("slots", "current"),
    [
        ([snapshot(1)], 1),
        ([snapshot(1, status="in_progress")], 1),
        ([snapshot(1, status="archived")], 1),
        ([snapshot(1, hours=9), snapshot(2, hours=3)], 2),
        ([snapshot(1, hours=9), snapshot(2, "before-update", "in_progress", hours=0)], 1),
        ([snapshot(1, "before-update", "archived", hours=0), snapshot(2, "before-update", "in_progress", hours=5)], 2),
        ([snapshot(1, "before-update", "failed", hours=0), snapshot(2, hours=5)], 2),
    ],
    ids=[
        "completed",
        "in progress",
        "unknown status",
        "the newest completed one",
        "completed before in progress",
        "in progress before unknown",
        "completed beside a newer failed one",
    ],
)
def test_a_snapshot_of_that_name_is_taken_and_nothing_removed(slots: list[dict], current: int) -> None:
    plan = _snapshots.plan_present(slots, params(), NOW)
    assert (plan.current["id"], plan.remove) == (current, [])


@pytest.mark.parametrize("status", ["failed", "error"])
def test_a_failed_one_is_removed_and_made_anew_and_its_slot_is_free(status: str) -> None:
    slots = [snapshot(1, status=status), *(snapshot(number, f"manual-{number}") for number in range(2, 6))]
    plan = _snapshots.plan_present(slots, params(), NOW)
    assert (plan.current, ids(plan.remove)) == (None, [1])


@pytest.mark.parametrize("status", STATUSES)
def test_with_an_id_that_one_is_taken_whatever_its_status_and_nothing_else_happens(status: str) -> None:
    slots = [snapshot(1, status=status, hours=9), snapshot(2, hours=1)]
    assert _snapshots.plan_present(slots, params(snapshot_id=1), NOW) == _snapshots.Plan(slots[0], [])


def test_with_an_id_nothing_is_ever_made_anew() -> None:
    with pytest.raises(VpsError, match="no snapshot with id 3 of that server and name"):
        _snapshots.plan_present([snapshot(1), snapshot(3, "other")], params(snapshot_id=3), NOW)


def test_four_of_five_slots_taken_leave_room() -> None:
    slots = [snapshot(number, f"manual-{number}") for number in range(1, 5)]
    assert _snapshots.plan_present(slots, params(), NOW) == _snapshots.Plan(None, [])


def test_a_full_server_is_refused_and_what_is_there_is_listed() -> None:
    slots = [snapshot(number, f"manual-{number}", hours=number) for number in range(1, 6)]
    with pytest.raises(VpsError, match="5 snapshots and its limit is 5") as caught:
        _snapshots.plan_present(slots, params(), NOW)
    assert ids(caught.value.details["snapshots"]) == [1, 2, 3, 4, 5]
    for each in slots:
        assert each["name"] in caught.value.message


def test_limit_zero_lets_the_api_answer() -> None:
    slots = [snapshot(number, f"nightly-{number}") for number in range(1, 8)]
    assert _snapshots.plan_present(slots, params(snapshot_limit=0, **ROTATE), NOW) == _snapshots.Plan(None, [])


@pytest.mark.parametrize(
    ("max_age", "hours", "accepted"),
    [("12h", 11, True), ("12h", 12, True), ("12h", 13, False), ("7d", 24 * 8, False), (None, 9999, True)],
)
def test_max_age_refuses_an_older_one(max_age: str | None, hours: float, accepted: bool) -> None:
    slots = [snapshot(1, hours=hours)]
    if accepted:
        assert _snapshots.plan_present(slots, params(max_age=max_age), NOW).current == slots[0]
    else:
        with pytest.raises(VpsError, match=f"older than max_age {max_age}"):
            _snapshots.plan_present(slots, params(max_age=max_age), NOW)


def test_max_age_does_not_trust_an_unreadable_time() -> None:
    with pytest.raises(VpsError, match=r"The age of snapshot .* is unknown"):
        _snapshots.plan_present([{**snapshot(1), "created_at": "?"}], params(max_age="12h"), NOW)


FUTURE = {**snapshot(9), "name": "nightly-9", "created_at": "2099-01-01T00:00:00Z"}


def test_what_was_made_in_the_future_is_never_the_newest() -> None:
    slots = [{**snapshot(number, hours=number), "name": f"nightly-{number}"} for number in (1, 2, 3, 4)]
    for decide in (
        lambda: _snapshots.split_prunable([*slots, FUTURE], "nightly-", 1, None, NOW),
        lambda: _snapshots.plan_present([*slots, FUTURE], params(on_limit="rotate", rotate_prefix="nightly-"), NOW),
        lambda: _snapshots.plan_present([FUTURE], params(name="nightly-9", max_age="12h"), NOW),
    ):
        with pytest.raises(VpsError, match="nobody can tell which snapshots are the newest"):
            decide()
    # What is not looked at does not matter.
    assert ids(_snapshots.split_prunable([*slots, {**FUTURE, "name": "manual"}], "nightly-", 3, None, NOW)[0]) == [4]


def test_a_full_server_is_told_of_with_the_failed_ones_that_would_go() -> None:
    slots = [snapshot(1, status="failed"), *({**snapshot(n), "name": f"m-{n}"} for n in range(2, 7))]
    with pytest.raises(VpsError, match="has 6 snapshots, 1 of which failed and would make room, and its limit is 5"):
        _snapshots.plan_present(slots, params(), NOW)


@pytest.mark.parametrize(("snapshot_id", "step"), [(None, "makes a new one"), (1, "run the task without snapshot_id")])
def test_what_to_do_about_a_failed_one_depends_on_the_task(snapshot_id: int | None, step: str) -> None:
    with pytest.raises(OperationError, match=step):
        _snapshots.is_complete(snapshot(1, status="failed"), [], snapshot_id)


def test_max_age_is_about_completed_ones_only() -> None:
    slots = [snapshot(1, status="in_progress", hours=99)]
    assert _snapshots.plan_present(slots, params(max_age="12h"), NOW).current == slots[0]


def test_rotation_takes_the_oldest_completed_one_with_the_prefix() -> None:
    slots = [
        snapshot(1, "manual", hours=99),
        snapshot(2, "nightly-2", hours=3),
        snapshot(3, "nightly-3", hours=5),
        snapshot(4, "nightlyish", hours=98),
        snapshot(5, "nightly-5", "in_progress", hours=97),
    ]
    plan = _snapshots.plan_present(slots, params(**ROTATE), NOW)
    assert (plan.current, ids(plan.remove)) == (None, [3])


def test_nothing_is_rotated_while_a_slot_is_free() -> None:
    slots = [snapshot(number, f"nightly-{number}") for number in range(1, 5)]
    assert _snapshots.plan_present(slots, params(**ROTATE), NOW).remove == []


@pytest.mark.parametrize(
    "slots",
    [
        [snapshot(1, "nightly-1"), *(snapshot(number, "manual") for number in range(2, 6))],
        [snapshot(1, "nightly-1"), *(snapshot(number, "nightly-x", "failed") for number in range(2, 6))],
        [snapshot(1, "nightly-1"), *(snapshot(number, "nightly-x", "archived") for number in range(2, 6))],
        [snapshot(number, "manual") for number in range(1, 6)],
        [snapshot(number, f"nightly-{number}") for number in range(1, 7)],
    ],
    ids=["the last with the prefix", "beside failed ones", "beside unknown ones", "no own one", "two slots missing"],
)
def test_rotation_is_refused(slots: list[dict]) -> None:
    with pytest.raises(VpsError, match="nothing that may go"):
        _snapshots.plan_present(slots, params(**ROTATE), NOW)


names = st.sampled_from(["before-update", "nightly-1", "nightly-2", "nightly-", "nightlyish", "nightly", "manual"])
ages = st.one_of(st.none(), st.integers(0, 500))


@st.composite
def accounts(draw: st.DrawFn, servers: int = 1) -> list[dict]:
    """Snapshots of any name, status and age, some of unreadable age."""
    found = draw(
        st.lists(st.tuples(names, st.sampled_from(STATUSES), ages, st.integers(1, servers)), min_size=0, max_size=9)
    )
    return [
        {
            **snapshot(number, name, status, hours=hours or 0, server=server),
            **({"created_at": None} if hours is None else {}),
        }
        for number, (name, status, hours, server) in enumerate(found, start=1)
    ]


@given(slots=accounts(), limit=st.integers(0, 9), rotate=st.booleans())
def test_present_removes_only_failed_ones_of_its_name_and_one_own_completed_one(
    slots: list[dict], limit: int, rotate: bool
) -> None:
    try:
        plan = _snapshots.plan_present(slots, params(snapshot_limit=limit, **(ROTATE if rotate else {})), NOW)
    except VpsError:
        return
    failed = [each for each in slots if each["name"] == "before-update" and each["status"] in ("failed", "error")]
    rotated = [each for each in plan.remove if each not in failed]
    if plan.current:
        assert plan.remove == []
        return
    assert all(each in plan.remove for each in failed)
    if limit:
        assert len(slots) - len(plan.remove) + 1 <= limit
    own = [each for each in slots if each["name"].startswith("nightly-") and each["status"] == "completed"]
    assert len(rotated) <= rotate
    assert all(each in own for each in rotated)
    assert not rotated or len(own) > 1


@given(slots=accounts(), seed=st.randoms())
def test_the_order_in_which_the_api_lists_decides_nothing(slots: list[dict], seed: Any) -> None:
    shuffled = list(slots)
    seed.shuffle(shuffled)

    def outcome(listed: list[dict]) -> Any:
        try:
            plan = _snapshots.plan_present(listed, params(**ROTATE), NOW)
        except VpsError as error:
            return error.message
        return plan.current, sorted(ids(plan.remove))

    assert outcome(slots) == outcome(shuffled)


# Which one is meant


def test_an_id_of_another_server_is_refused() -> None:
    with pytest.raises(VpsError, match="does not belong to server 8"):
        _snapshots.select([snapshot(1, server=7)], 1, 8, None)


def test_an_id_of_another_name_is_refused() -> None:
    with pytest.raises(VpsError, match="does not bear the name other"):
        _snapshots.select([snapshot(1)], 1, 7, "other")


def test_an_id_alone_is_enough() -> None:
    listed = [snapshot(1, server=7), snapshot(2, server=8)]
    assert ids(_snapshots.select(listed, 2, None, None)) == [2]
    assert _snapshots.select(listed, 3, None, None) == []


def test_several_of_one_name_are_refused_with_their_ids() -> None:
    with pytest.raises(VpsError, match=r"id 12.*id 11") as caught:
        _snapshots.select([snapshot(11, hours=5), snapshot(12, hours=1)], None, 7, "before-update")
    assert ids(caught.value.details["snapshots"]) == [12, 11]


def test_several_of_one_name_are_given_where_several_may_be_meant() -> None:
    listed = [snapshot(11, hours=5), snapshot(12, hours=1), snapshot(13, "other")]
    assert ids(_snapshots.select(listed, None, 7, "before-update", allow_many=True)) == [12, 11]


@pytest.mark.parametrize("status", ["in_progress", "failed", "error", "archived", None])
def test_only_a_completed_snapshot_can_be_restored(status: str | None) -> None:
    with pytest.raises(VpsError, match=r"Nothing was restored.*not completed"):
        _snapshots.require_restorable([snapshot(1, status=status)], {"snapshot_id": 1, "name": None})


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [({"snapshot_id": 5, "name": None}, "id 5"), ({"snapshot_id": None, "name": "weekly"}, "the name weekly")],
)
def test_a_missing_snapshot_is_named(asked: dict, wanted: str) -> None:
    with pytest.raises(VpsError, match=f"no snapshot with {wanted}"):
        _snapshots.require_restorable([], asked)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, [1, 2, 3]),
        ({"name": "nightly-1"}, [2]),
        ({"name": "nightly"}, []),
        ({"name_prefix": "nightly"}, [2, 3]),
        ({"name_prefix": "nightly", "status": "failed"}, [3]),
        ({"status": "in_progress"}, []),
        ({"snapshot_id": 1}, [1]),
        ({"snapshot_id": 1, "name": "nightly-1"}, []),
    ],
)
def test_filters_of_the_info_module_all_have_to_pass(filters: dict, found: list[int]) -> None:
    listed = [snapshot(1), snapshot(2, "nightly-1"), snapshot(3, "nightly-2", "failed")]
    assert [each["id"] for each in listed if _snapshots.matches(each, filters)] == found


# What prune may delete


def prunable(listed: list[dict], keep: int = 0, older_than: timedelta | None = None) -> list[int]:
    return ids(_snapshots.split_prunable(listed, "nightly-", keep, older_than, NOW)[0])


def test_keep_spares_the_newest_completed_ones_of_each_server() -> None:
    listed = [snapshot(number, f"nightly-{number}", hours=number) for number in range(1, 5)]
    listed += [snapshot(number, f"nightly-{number}", hours=number, server=8) for number in range(5, 8)]
    assert prunable(listed, keep=2) == [3, 4, 7]


def test_a_failed_one_takes_no_place_of_those_to_keep() -> None:
    listed = [
        snapshot(1, "nightly-1", "failed", hours=1),
        snapshot(2, "nightly-2", hours=2),
        snapshot(3, "nightly-3", hours=3),
    ]
    assert prunable(listed, keep=1) == [1, 3]


def test_older_than_spares_what_is_younger_or_just_as_old() -> None:
    listed = [
        snapshot(1, "nightly-1", hours=35),
        snapshot(2, "nightly-2", hours=36),
        snapshot(3, "nightly-3", hours=37),
    ]
    assert prunable(listed, older_than=timedelta(hours=36)) == [3]


def test_what_either_rule_spares_stays() -> None:
    listed = [snapshot(number, f"nightly-{number}", hours=number * 10) for number in range(1, 5)]
    assert prunable(listed, keep=3, older_than=timedelta(hours=15)) == [4]
    assert prunable(listed, keep=1, older_than=timedelta(hours=35)) == [4]


@given(
    listed=accounts(servers=3),
    keep=st.integers(0, 4),
    older_than=st.one_of(st.none(), st.integers(0, 400).map(lambda hours: timedelta(hours=hours))),
)
def test_prune_never_touches_foreign_unfinished_unknown_or_spared_ones(
    listed: list[dict], keep: int, older_than: timedelta | None
) -> None:
    go, stay = _snapshots.split_prunable(listed, "nightly-", keep, older_than, NOW)
    own = [each for each in listed if each["name"].startswith("nightly-")]
    assert sorted(ids(go + stay)) == ids(own)
    assert go == _snapshots.newest_first(go)
    assert stay == _snapshots.newest_first(stay)
    for each in go:
        assert each["status"] in ("completed", "failed", "error")
        moment = _snapshots.created_at(each)
        assert moment is not None
        assert older_than is None or NOW - moment > older_than
    for server in (1, 2, 3):
        completed = [each for each in own if each["server"]["id"] == server and each["status"] == "completed"]
        for spared in _snapshots.newest_first(completed)[:keep]:
            assert spared in stay


@given(listed=accounts(servers=2), keep=st.integers(0, 4))
def test_prune_leaves_nothing_that_it_may_delete(listed: list[dict], keep: int) -> None:
    go, stay = _snapshots.split_prunable(listed, "nightly-", keep, None, NOW)
    assert _snapshots.split_prunable(stay, "nightly-", keep, None, NOW) == ([], stay)
    assert len(go) + len(stay) <= len(listed)


# What is shown


def test_the_diff_names_what_a_server_has_before_and_after_without_ids_or_times() -> None:
    diff = _snapshots.slots_diff([snapshot(1), snapshot(2, "b", "failed")], [snapshot(3, "b")])
    assert diff == {
        "before": {"snapshots": ["b: failed", "before-update: completed"]},
        "after": {"snapshots": ["b: completed"]},
    }


def test_the_prediction_has_the_keys_of_a_snapshot() -> None:
    owner = {"id": 7, "name": "web"}
    predicted = _snapshots.predicted(owner, {"name": "a", "description": None})
    assert list(predicted) == list(snapshot(1))
    assert (predicted["server"], predicted["description"]) == (owner, "")
