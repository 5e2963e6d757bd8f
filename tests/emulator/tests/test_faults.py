# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each kind of fault, and the log that shows what came of it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from vps_emulator.testing import Emulator

WEB = 12345
BODY = {"server_id": WEB, "name": "x"}


def test_a_status_with_headers_and_a_body_happens_as_often_as_said(api: Any, emulator: Emulator) -> None:
    emulator.fault(kind="status", code=503, headers={"Retry-After": "7"}, body={"detail": "busy"}, times=2)
    for _each in range(2):
        answer = api("GET", "/snapshots/")
        assert (answer.status_code, answer.headers["Retry-After"], answer.json()) == (503, "7", {"detail": "busy"})
    assert api("GET", "/snapshots/").status_code == 200


def test_a_body_of_text_is_sent_as_it_is(api: Any, emulator: Emulator) -> None:
    emulator.fault(kind="status", code=200, body="{no json", headers={"Content-Type": "application/json"})
    answer = api("GET", "/snapshots/")
    assert (answer.text, answer.headers["Content-Type"]) == ("{no json", "application/json")


def test_times_0_is_for_ever_until_cleared(api: Any, emulator: Emulator) -> None:
    emulator.fault(kind="status", code=500, times=0)
    assert {api("GET", "/servers/").status_code for _each in range(10)} == {500}
    emulator.clear_faults()
    assert api("GET", "/servers/").status_code == 200


def test_method_path_and_skip_choose_the_calls(api: Any, emulator: Emulator) -> None:
    emulator.fault(kind="status", code=500, method="get", path="/snapshots/", skip=1)
    assert api("POST", "/snapshots/", json=BODY).status_code == 201
    assert api("GET", "/servers/").status_code == 200
    assert [api("GET", "/snapshots/").status_code for _each in range(3)] == [200, 500, 200]


@pytest.mark.parametrize("pattern", ["/snapshots/*/restore/", "snapshots/*/restore/", "/api/v1/snapshots/*/restore/"])
def test_a_path_is_a_pattern_below_the_base_or_of_the_whole(api: Any, emulator: Emulator, pattern: str) -> None:
    emulator.fault(kind="status", code=500, path=pattern)
    assert api("DELETE", "/snapshots/1/").status_code == 404
    assert api("POST", "/snapshots/1/restore/").status_code == 500


def test_drop_before_closes_without_an_answer_and_without_a_deed(api: Any, emulator: Emulator) -> None:
    emulator.fault(kind="drop_before", method="POST")
    with pytest.raises(requests.ConnectionError, match="closed connection without response"):
        api("POST", "/snapshots/", json=BODY)
    assert api.snapshots() == []
    assert [(each["method"], each["status"]) for each in emulator.requests()] == [("POST", None), ("GET", 200)]


def test_drop_after_closes_without_an_answer_when_it_is_done(api: Any, emulator: Emulator) -> None:
    emulator.fault(kind="drop_after", method="POST")
    with pytest.raises(requests.ConnectionError, match="closed connection without response"):
        api("POST", "/snapshots/", json=BODY)
    assert [each["name"] for each in api.snapshots()] == ["x"]
    assert emulator.writes()[0]["status"] is None


def test_truncate_announces_the_whole_and_sends_half(api: Any, emulator: Emulator) -> None:
    emulator.fault(kind="truncate", method="POST")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        api("POST", "/snapshots/", json=BODY)
    assert len(api.snapshots()) == 1
    emulator.fault(kind="truncate")
    with api("GET", "/snapshots/", stream=True) as answer:
        read = answer.raw.read1()
        assert 0 < len(read) < int(answer.headers["Content-Length"])


def test_html_is_a_proxys_page(api: Any, emulator: Emulator) -> None:
    emulator.fault(kind="html")
    answer = api("POST", "/snapshots/", json=BODY)
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html")
    assert "<h1>502 Bad Gateway</h1>" in answer.text
    assert api.snapshots() == []


def test_html_after_is_the_time_out_of_a_proxy_behind_which_the_work_was_done(api: Any, emulator: Emulator) -> None:
    emulator.fault(kind="html", code=504, after=True)
    assert api("POST", "/snapshots/", json=BODY).status_code == 504
    assert len(api.snapshots()) == 1
    assert emulator.writes()[0]["status"] == 504


@pytest.mark.parametrize(("after", "there"), [(False, 0), (True, 1)])
def test_a_delay_is_before_or_after_the_work(api: Any, emulator: Emulator, after: bool, there: int) -> None:
    emulator.fault(kind="delay", seconds=2, method="POST", after=after)
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            f"{emulator.url}/snapshots/",
            json=BODY,
            headers={"Authorization": f"Bearer {emulator.token}"},
            timeout=0.5,
        )
    assert len(api.snapshots()) == there


def test_a_delayed_call_does_nothing_after_a_reset(api: Any, emulator: Emulator) -> None:
    emulator.fault(kind="delay", seconds=3, method="POST")
    with ThreadPoolExecutor() as pool:
        late = pool.submit(api, "POST", "/snapshots/", json=BODY)
        # Time for the call to arrive.
        time.sleep(1)
        emulator.reset()
        with pytest.raises(requests.ConnectionError):
            late.result()
    assert api.snapshots() == []


def test_a_delayed_call_is_answered(api: Any, emulator: Emulator) -> None:
    emulator.fault(kind="delay", seconds=0.3)
    started = time.monotonic()
    assert api("GET", "/snapshots/").status_code == 200
    assert time.monotonic() - started >= 0.3


def test_a_delay_does_not_outlive_the_emulator() -> None:
    with Emulator() as emulator:
        emulator.fault(kind="delay", seconds=600)
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{emulator.url}/snapshots/", timeout=0.2)
        started = time.monotonic()
    assert time.monotonic() - started < 4


@pytest.mark.parametrize("status", ["failed", "error", "melted"])
def test_a_snapshot_ends_with_the_outcome_that_was_asked_for(
    api: Any, emulator: Emulator, until: Any, status: str
) -> None:
    emulator.fault(kind="outcome", status=status)
    bad, good = api.snapshot("bad"), api.snapshot("good")
    assert bad["status"] == "in_progress"
    until(lambda: api.status(good["id"]), "completed")
    until(lambda: api.status(bad["id"]), status)
    assert {each["id"]: each["size_mb"] is None for each in api.snapshots()} == {bad["id"]: True, good["id"]: False}


def test_a_snapshot_can_vanish_or_stay_in_progress(api: Any, emulator: Emulator, until: Any) -> None:
    emulator.fault(kind="outcome", status="stuck")
    emulator.fault(kind="outcome", status="vanished")
    stuck, vanished, good = (api.snapshot(name)["id"] for name in ("stuck", "vanished", "good"))
    until(lambda: api.status(good), "completed")
    until(lambda: api.status(vanished), None)
    assert api.status(stuck) == "in_progress"


def test_an_outcome_is_not_used_up_by_a_create_that_is_refused(api: Any, emulator: Emulator, until: Any) -> None:
    emulator.fault(kind="outcome", status="failed")
    assert api("POST", "/snapshots/", json={"server_id": WEB, "name": "a b"}).status_code == 400
    assert api("POST", "/snapshots/", json={"server_id": 1, "name": "a"}).status_code == 404
    snapshot = api.snapshot()["id"]
    until(lambda: api.status(snapshot), "failed")


def test_a_restore_can_fail(api: Any, emulator: Emulator, until: Any) -> None:
    snapshot = api.snapshot()["id"]
    until(lambda: api.status(snapshot), "completed")
    emulator.fault(kind="outcome", status="failed", path="/snapshots/*/restore/")
    assert api("POST", f"/snapshots/{snapshot}/restore/").json()["server"]["status"] == "restoring"
    until(api.server_status, "error")
    assert api("POST", f"/snapshots/{snapshot}/restore/").status_code == 200
    until(api.server_status, "active")


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"kind": "meteor"},
        {"kind": "status", "times": -1},
        {"kind": "status", "code": 7},
        {"kind": "status", "tmies": 2},
        {"kind": "outcome"},
    ],
)
def test_a_wrong_fault_is_refused(emulator: Emulator, fault: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="400"):
        emulator.fault(**fault)


def test_the_log_has_every_call_of_the_api_in_order_and_no_other(api: Any, emulator: Emulator) -> None:
    api("GET", "/snapshots/", params={"server_id": 1, "page": 1})
    api("POST", "/snapshots/", json={})
    api("GET", "/nowhere/")
    log = emulator.requests()
    assert [(each["method"], each["path"], each["query"], each["status"]) for each in log] == [
        ("GET", "/api/v1/snapshots/", "server_id=1&page=1", 200),
        ("POST", "/api/v1/snapshots/", "", 400),
        ("GET", "/api/v1/nowhere/", "", 404),
    ]
    assert all(set(each) == {"method", "path", "query", "status", "at"} for each in log)
    assert [each["method"] for each in emulator.writes()] == ["POST"]
    emulator.clear_requests()
    assert emulator.requests() == []


def test_reset_takes_back_everything(api: Any, emulator: Emulator) -> None:
    first = api.snapshot()["id"]
    assert api.power("stop").status_code == 200
    emulator.fault(kind="status", code=500, times=0)
    emulator.reset()
    assert emulator.requests() == []
    assert (api.snapshots(), api.server_status(), api.power("restart").status_code) == ([], "active", 200)
    assert api.snapshot()["id"] == first
