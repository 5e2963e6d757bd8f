# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one wait, on a clock of its own: nothing here needs the API."""

from __future__ import annotations

from itertools import islice

import pytest
from ansible_collections.vpsdotorg.cloud.plugins.module_utils import _operations
from ansible_collections.vpsdotorg.cloud.plugins.module_utils._errors import (
    ApiError,
    NoAnswerError,
    OperationError,
    VpsError,
)
from hypothesis import given
from hypothesis import strategies as st


class Story:
    """What a wait sees, look by look (the last again and again), on a clock that passes in pauses and looks."""

    def __init__(self, *sights: str | VpsError, look_takes: float = 0.0) -> None:
        self.sights = sights
        self.look_takes = look_takes
        self.now = 0.0
        self.pauses: list[float] = []
        self.looks: list[float] = []
        self.may_take: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def monotonic(self) -> float:
        return self.now

    def look(self, within: float) -> dict[str, str]:
        sight = self.sights[min(len(self.looks), len(self.sights) - 1)]
        self.looks.append(self.now)
        self.may_take.append(within)
        self.now += min(self.look_takes, within)
        if isinstance(sight, VpsError):
            raise sight
        return {"status": sight}


def is_done(state: dict[str, str]) -> bool:
    if state["status"] == "failed":
        raise OperationError("It failed.")
    return state["status"] == "done"


def wait(story: Story, timeout: float = 1200, known: str = "running") -> dict[str, str]:
    """Wait through a story until it says ``done``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_operations, "time", story)
        return _operations.wait_for(
            _operations.Wait("The thing", timeout, "Try again."), story.look, is_done, {"status": known}
        )


def busy() -> ApiError:
    return ApiError("GET / answered 503: busy.", 503, None)


def test_polls_grow_from_2_to_15_seconds() -> None:
    assert list(islice(_operations.poll_intervals(), 8)) == [2, 3, 4.5, 6.75, 10.125, 15, 15, 15]


def test_what_is_done_already_costs_no_poll() -> None:
    story = Story("running")
    assert wait(story, known="done") == {"status": "done"}
    assert (story.pauses, story.looks) == ([], [])


def test_each_poll_comes_after_its_pause_and_the_first_good_one_ends_the_wait() -> None:
    story = Story("running", "running", "done", "running")
    assert wait(story) == {"status": "done"}
    assert story.pauses == [2, 3, 4.5]
    assert story.looks == [2, 5, 9.5]


def test_success_at_the_very_last_poll_is_success() -> None:
    never = Story("running")
    with pytest.raises(OperationError):
        wait(never, timeout=60)
    in_time = Story(*["running"] * (len(never.looks) - 1), "done")
    assert wait(in_time, timeout=60) == {"status": "done"}


@pytest.mark.parametrize("timeout", [1, 2, 10, 1200])
def test_the_time_runs_out_at_the_deadline_not_later_and_not_much_earlier(timeout: float) -> None:
    story = Story("running")
    with pytest.raises(OperationError):
        wait(story, timeout=timeout)
    assert timeout - 1 < story.now <= timeout


@pytest.mark.parametrize("timeout", [1, 2, 10, 1200])
def test_no_pause_is_without_a_look_after_it(timeout: float) -> None:
    story = Story("running")
    with pytest.raises(OperationError):
        wait(story, timeout=timeout)
    assert len(story.pauses) == len(story.looks) > 0


def test_a_wait_that_ran_out_tells_what_how_long_the_last_status_and_how_to_go_on() -> None:
    with pytest.raises(OperationError) as caught:
        wait(Story("running", "slow"), timeout=30)
    for fact in ("The thing", "30 s", "slow", "Try again."):
        assert fact in caught.value.message


@pytest.mark.parametrize(
    "trouble",
    [NoAnswerError("lost"), ApiError("429", 429, None), ApiError("500", 500, None), ApiError("504", 504, "<html>")],
    ids=["no answer", "429", "500", "504"],
)
def test_a_poll_that_fails_in_passing_is_a_poll_without_news(trouble: VpsError) -> None:
    story = Story("running", trouble, trouble, "done")
    assert wait(story) == {"status": "done"}
    assert len(story.looks) == 4


@pytest.mark.parametrize("status_code", [400, 401, 403, 404])
def test_a_clear_refusal_ends_the_wait_at_once(status_code: int) -> None:
    story = Story(ApiError("No.", status_code, None), "done")
    with pytest.raises(ApiError) as caught:
        wait(story)
    assert len(story.looks) == 1
    for fact in ("The thing", "No.", "Try again."):
        assert fact in caught.value.message


def test_an_api_that_stays_away_is_named_when_the_time_is_up() -> None:
    with pytest.raises(OperationError, match=r"last seen as running.*answered 503: busy"):
        wait(Story(busy()), timeout=20)


def test_a_poll_that_worked_makes_earlier_trouble_forgotten() -> None:
    with pytest.raises(OperationError) as caught:
        wait(Story(busy(), "running"), timeout=20)
    assert "busy" not in caught.value.message


def test_retry_after_lengthens_the_next_pause_but_never_beyond_the_deadline() -> None:
    asked = ApiError("slow down", 429, None, retry_after=40)
    story = Story(asked, "done")
    wait(story)
    assert story.pauses == [2, 40]
    story = Story(asked, "running")
    with pytest.raises(OperationError):
        wait(story, timeout=20)
    assert story.now <= 20


def test_an_operation_that_failed_ends_the_wait_at_once() -> None:
    story = Story("failed", "done")
    with pytest.raises(OperationError, match=r"^It failed\.$"):
        wait(story)
    assert len(story.looks) == 1


@given(timeout=st.integers(1, 3000), look_takes=st.floats(0, 40))
def test_no_poll_ever_begins_or_may_last_past_the_deadline(timeout: int, look_takes: float) -> None:
    story = Story("running", look_takes=look_takes)
    with pytest.raises(OperationError):
        wait(story, timeout)
    assert all(at + may_take <= timeout + 1e-6 for at, may_take in zip(story.looks, story.may_take, strict=True))
    assert all(may_take > 0 for may_take in story.may_take)
