# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many at once: no call meets a locked database, and no limit is overrun."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from vps_emulator.testing import Emulator

WRITERS = 16
SERVERS = range(1, WRITERS + 1)
SEED = {"servers": [{"id": number, "name": f"s{number}"} for number in SERVERS]}


def statuses(calls: list[Any]) -> Counter[int]:
    """The status codes of the calls, all of them sent at once."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return Counter(future.result().status_code for future in [pool.submit(call) for call in calls])


def create(api: Any, server_id: int, name: str = "x") -> Any:
    return api("POST", "/snapshots/", json={"server_id": server_id, "name": name})


def test_sixteen_writers_on_sixteen_servers_all_succeed(caller: Any, until: Any) -> None:
    with Emulator(SEED) as emulator:
        callers = [caller(emulator) for _each in SERVERS]
        for _round in range(5):
            assert statuses(
                [
                    lambda api=api, number=number: create(api, number)
                    for api, number in zip(callers, SERVERS, strict=True)
                ]
            ) == {201: WRITERS}
        api = callers[0]
        assert api("GET", "/snapshots/").json()["count"] == 5 * WRITERS
        until(lambda: all(each["status"] == "completed" for each in api.snapshots()), True)
        assert 500 not in {each["status"] for each in emulator.requests()}


def test_sixteen_writers_on_one_server_create_exactly_five(caller: Any) -> None:
    with Emulator(SEED) as emulator:
        callers = [caller(emulator) for _each in SERVERS]
        assert statuses([lambda api=api: create(api, 1) for api in callers]) == {201: 5, 400: WRITERS - 5}
        assert len(callers[0].snapshots()) == 5


def test_of_many_restores_and_deletes_of_one_snapshot_one_succeeds(caller: Any) -> None:
    seed = {**SEED, "snapshots": [{"id": 801, "server_id": 1, "name": "a"}, {"id": 802, "server_id": 2, "name": "b"}]}
    with Emulator(seed) as emulator:
        callers = [caller(emulator) for _each in range(8)]
        # For ever, so that none ends before the last one is sent.
        emulator.fault(kind="outcome", status="stuck")
        restores = [lambda api=api: api("POST", "/snapshots/801/restore/") for api in callers]
        assert statuses(restores) == {200: 1, 400: 7}
        deletes = [lambda api=api: api("DELETE", "/snapshots/802/") for api in callers]
        assert statuses(deletes) == {204: 1, 404: 7}


def test_reads_writes_and_the_clock_do_not_hinder_each_other(caller: Any) -> None:
    with Emulator(SEED, time_scale=30000) as emulator:
        callers = [caller(emulator) for _each in SERVERS]

        def live(api: Any, number: int) -> list[int]:
            seen = []
            for _round in range(6):
                created = create(api, number)
                listed = api("GET", "/snapshots/", params={"server_id": number})
                deleted = api("DELETE", f"/snapshots/{created.json()['id']}/")
                seen += [created.status_code, listed.status_code, deleted.status_code]
            return seen

        with ThreadPoolExecutor(WRITERS) as pool:
            seen = [status for life in pool.map(live, callers, SERVERS) for status in life]
        assert Counter(seen) == {201: 96, 200: 96, 204: 96}


def test_ten_thousand_snapshots_are_paged(caller: Any) -> None:
    total = 10_000
    snapshots = [
        {"server_id": 1 + number % WRITERS, "name": f"s{number}", "age": f"{number}m"} for number in range(total)
    ]
    with Emulator({**SEED, "snapshots": snapshots, "snapshot_page_size": 500}) as emulator:
        api = caller(emulator)
        names = [
            each["name"]
            for page in range(1, 21)
            for each in api("GET", "/snapshots/", params={"page": page}).json()["results"]
        ]
    assert names == [f"s{number}" for number in range(total)], "newest first, none twice, none missing"
