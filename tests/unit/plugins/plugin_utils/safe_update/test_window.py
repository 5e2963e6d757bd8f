# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Maintenance windows: until when one is open, and when the next one begins."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.vpsdotorg.cloud.plugins.plugin_utils.safe_update import window
from ansible_collections.vpsdotorg.cloud.plugins.plugin_utils.safe_update.options import OPTIONS, validate
from hypothesis import given, settings
from hypothesis import strategies as st

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
NIGHT = {"days": ["sat", "sun"], "start": "22:00", "duration": "4h", "timezone": "Europe/Berlin"}
HOUR = 3600


def parsed(*windows: Any) -> list[dict[str, Any]]:
    options, mistakes = validate({"safe_update_server_id": 1, "safe_update_window": list(windows)}, lambda _path: None)
    assert mistakes == []
    return options["window"]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(timezone.utc)


def mistake(value: Any) -> str:
    _options, mistakes = validate({"safe_update_server_id": 1, "safe_update_window": value}, lambda _path: None)
    (said,) = mistakes
    return said


@pytest.mark.parametrize(
    ("given_", "taken"),
    [
        (NIGHT, {"days": [5, 6], "start": "22:00", "seconds": 4 * HOUR, "timezone": "Europe/Berlin"}),
        ({"days": "Sunday, sat", "start": 1320}, {"days": [5, 6], "start": "22:00"}),
        ({"days": None, "start": 60, "timezone": ""}, {"days": list(range(7)), "start": "01:00", "timezone": "UTC"}),
        ({"start": "9:05"}, {"start": "09:05"}),
        ({"start": 1439}, {"start": "23:59"}),
    ],
)
def test_what_is_taken(given_: dict[str, Any], taken: dict[str, Any]) -> None:
    (found,) = parsed({"duration": "1h", **given_})
    assert {key: found[key] for key in taken} == taken


def test_one_mapping_is_a_list_of_one() -> None:
    _default, parse = OPTIONS["window"]
    assert parse(NIGHT) == parse([NIGHT]) == parsed(NIGHT)
    assert parse({}) == parse([]) == []


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("sat 22:00", "a list of windows, such as"),
        ([None], "number 1 of it is no mapping"),
        ([NIGHT, "sat"], "number 2 of it is no mapping"),
        ({"duration": "1h"}, "start of number 1 has to be given"),
        ({"start": "22:00"}, "duration of number 1 has to be given"),
        ({**NIGHT, "begin": "22:00"}, "knows no begin"),
        ({**NIGHT, "time_zone": "UTC"}, "did you mean timezone?"),
        ({**NIGHT, "days": ["saturdays"]}, "'saturdays' is none"),
        ({**NIGHT, "days": [6]}, "'6' is none"),
        ({**NIGHT, "days": [" "]}, "it names none"),
        ({**NIGHT, "days": ","}, "it names none"),
        ({**NIGHT, "start": "24:00"}, "a time of day in quotes"),
        ({**NIGHT, "start": "22:00:00"}, "a time of day in quotes"),
        ({**NIGHT, "start": "1320"}, "a time of day in quotes"),
        ({**NIGHT, "start": 59}, "a time of day in quotes"),
        ({**NIGHT, "start": 1440}, "a time of day in quotes"),
        ({**NIGHT, "start": True}, "a time of day in quotes"),
        ({**NIGHT, "duration": "0h"}, "7d at most"),
        ({**NIGHT, "duration": "8d"}, "7d at most"),
        ({**NIGHT, "duration": 4}, "such as 24h"),
        ({**NIGHT, "timezone": "Berlin"}, "install its system's package tzdata"),
        ({**NIGHT, "timezone": "Europe"}, "'Europe' is none"),
        ({**NIGHT, "timezone": "../../etc/passwd"}, "is none"),
    ],
)
def test_what_is_refused(value: Any, said: str) -> None:
    assert said in mistake(value)


def test_a_controller_without_time_zones_knows_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(key: str) -> None:
        raise window.ZoneInfoNotFoundError(key)

    monkeypatch.setattr(window, "ZoneInfo", missing)
    assert parsed({"start": "22:00", "duration": "1h"})
    assert "the Python package of that name beside Ansible" in mistake(NIGHT)


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        # 31 January 2026 is a Saturday.
        ("2026-01-31T21:59:59+01:00", None),
        ("2026-01-31T22:00:00+01:00", "2026-02-01T02:00:00+01:00"),
        ("2026-02-01T01:59:59+01:00", "2026-02-01T02:00:00+01:00"),
        ("2026-02-01T02:00:00+01:00", None),
        # That of Sunday goes on until Monday; none begins on Monday or Friday.
        ("2026-02-02T01:00:00+01:00", "2026-02-02T02:00:00+01:00"),
        ("2026-02-02T23:00:00+01:00", None),
        ("2026-01-31T01:00:00+01:00", None),
        # The clock goes forward, and back: four hours have elapsed.
        ("2026-03-28T23:00:00+01:00", "2026-03-29T03:00:00+02:00"),
        ("2026-10-25T23:00:00+01:00", "2026-10-26T02:00:00+01:00"),
        ("2026-10-24T23:00:00+02:00", "2026-10-25T02:00:00+02:00"),
        # A leap day, which is a Tuesday in 2028, and the Saturday before.
        ("2028-02-29T23:00:00+01:00", None),
        ("2028-02-26T23:00:00+01:00", "2028-02-27T02:00:00+01:00"),
    ],
)
def test_the_end_of_a_window(moment: str, end: str | None) -> None:
    found = window.stretch(parsed(NIGHT), at(moment))
    # In an hour that comes twice, Python calls no two moments of different zones equal.
    assert (found and found[0].astimezone(timezone.utc)) == (end and at(end))


@pytest.mark.parametrize(
    ("start", "day", "begin"),
    [
        # Left out that night: what it would have been without the change.
        ("02:30", "2026-03-29", "2026-03-29T03:30:00+02:00"),
        # Twice that night: the first.
        ("02:30", "2026-10-25", "2026-10-25T02:30:00+02:00"),
    ],
)
def test_a_start_at_a_change_of_the_clock(start: str, day: str, begin: str) -> None:
    windows = parsed({"days": "sun", "start": start, "duration": "1h", "timezone": "Europe/Berlin"})
    found = window.upcoming(windows, at(f"{day}T00:00:00+01:00"), 0)
    assert found
    assert found[0].astimezone(timezone.utc) == at(begin)


def test_a_window_over_a_doubled_hour_ends_by_the_time_that_has_elapsed() -> None:
    windows = parsed({"days": "sun", "start": "01:00", "duration": "3h", "timezone": "Europe/Berlin"})
    found = window.stretch(windows, at("2026-10-25T01:00:00+02:00"))
    assert found
    assert found[0].isoformat() == "2026-10-25T03:00:00+01:00"


def test_a_window_of_a_leap_day() -> None:
    windows = parsed({"days": "tue", "start": "23:00", "duration": "2h"})
    found = window.stretch(windows, at("2028-02-29T23:30:00+00:00"))
    assert found
    assert found[0] == at("2028-03-01T01:00:00+00:00")


def test_windows_that_overlap_or_adjoin_are_one() -> None:
    windows = parsed(
        {"days": "sat", "start": "22:00", "duration": "2h"},
        {"days": "sun", "start": "00:00", "duration": "1h"},
        {"days": "sun", "start": "01:30", "duration": "3h", "timezone": "Europe/Berlin"},
        {"days": "sun", "start": "05:00", "duration": "1h"},
    )
    found = window.stretch(windows, at("2026-01-31T22:30:00+00:00"))
    assert found
    assert (found[0], found[1]["timezone"]) == (at("2026-02-01T03:30:00+00:00"), "Europe/Berlin")
    coming = window.upcoming(windows, at("2026-01-31T22:30:00+00:00"), 0)
    assert coming
    assert coming[0] == at("2026-02-01T05:00:00+00:00")
    # No hour is long enough for two, but the stretch of the next week is.
    longer = window.upcoming(windows, at("2026-01-31T22:30:00+00:00"), 2 * HOUR)
    assert longer
    assert longer[0] == at("2026-02-07T22:00:00+00:00")


def test_a_window_of_seven_days_is_never_closed() -> None:
    windows = parsed({"days": "mon", "start": "00:00", "duration": "7d"})
    moment = at("2026-01-31T12:00:00+00:00")
    found = window.stretch(windows, moment)
    assert found
    assert found[0] > moment + window.HORIZON
    assert window.upcoming(windows, moment, 0) is None


def test_a_day_of_25_hours_is_longer_than_24_hours() -> None:
    windows = parsed({"start": "00:00", "duration": "24h", "timezone": "Europe/Berlin"})
    found = window.stretch(windows, at("2026-10-20T12:00:00+02:00"))
    assert found
    assert found[0] == at("2026-10-25T23:00:00+01:00")
    coming = window.upcoming(windows, at("2026-10-20T12:00:00+02:00"), 0)
    assert coming
    assert coming[0] == at("2026-10-26T00:00:00+01:00")


def test_words() -> None:
    (night, daily) = parsed(NIGHT, {"start": "03:00", "duration": "90m"})
    assert window.label(night) == "sat, sun 22:00 for 4h (Europe/Berlin)"
    assert window.label(daily) == "daily 03:00 for 90m (UTC)"
    found = window.stretch([night], at("2026-01-31T22:00:00+00:00"))
    assert found
    assert window.clock(*found) == "Sun 2026-02-01 02:00 (Europe/Berlin)"


def opening(days: list[str], start: int, minutes: int, zone: str) -> dict[str, Any]:
    clock = f"{start // 60:02}:{start % 60:02}"
    return {"days": days, "start": clock, "duration": f"{minutes}m", "timezone": zone}


WINDOWS = st.lists(
    st.builds(
        opening,
        st.lists(st.sampled_from(window.DAYS), min_size=1, unique=True),
        st.integers(0, 1439),
        st.integers(1, 7 * 24 * 60),
        st.sampled_from(ZONES),
    ),
    min_size=1,
    max_size=3,
)
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2029, 1, 1), timezones=st.just(timezone.utc))


def is_open(windows: list[dict[str, Any]], moment: datetime) -> bool:
    """By another way: look at each day before."""
    for each in windows:
        where = window.zone(each["timezone"])
        for back in range(10):
            day = (moment.astimezone(where) - timedelta(days=back)).date()
            begin = datetime.fromisoformat(f"{day}T{each['start']}:00").replace(tzinfo=where).timestamp()
            if day.weekday() in each["days"] and begin <= moment.timestamp() < begin + each["seconds"]:
                return True
    return False


@settings(max_examples=60, deadline=None)
@given(WINDOWS, MOMENTS)
def test_a_window_is_open_until_its_end_and_no_longer(given_: list[dict[str, Any]], moment: datetime) -> None:
    windows = parsed(*given_)
    found = window.stretch(windows, moment)
    assert bool(found) == is_open(windows, moment)
    if found and found[0] < moment + window.HORIZON:
        end = found[0].astimezone(timezone.utc)
        assert end > moment
        assert not is_open(windows, end)
        assert all(is_open(windows, moment + (end - moment) * part / 5) for part in range(5))


@settings(max_examples=60, deadline=None)
@given(WINDOWS, MOMENTS, st.integers(0, 5 * HOUR))
def test_the_next_begin_opens_what_was_closed(given_: list[dict[str, Any]], moment: datetime, seconds: int) -> None:
    windows = parsed(*given_)
    found = window.upcoming(windows, moment, seconds)
    if found:
        begin = found[0].astimezone(timezone.utc)
        assert begin > moment
        assert is_open(windows, begin)
        assert not is_open(windows, begin - timedelta(microseconds=1))
        end = window.stretch(windows, begin)
        assert end
        assert (end[0] - begin).total_seconds() >= seconds
        if seconds == 0 and not is_open(windows, moment):
            assert not any(is_open(windows, moment + (begin - moment) * part / 5) for part in range(5))
