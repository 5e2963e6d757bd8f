# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers in the three shapes, their power, backups and the account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from vps_emulator.testing import Emulator

WEB = 12345
UUID = "0191d2a4-0000-4000-8000-000000000001"
SERVER = {
    "id": 7,
    "uuid": UUID,
    "name": "web",
    "hostname": "web.example.com",
    "ip_address": "203.0.113.7",
    "ipv6": "2001:db8::7",
    "location": "Frankfurt",
    "plan": {"id": 3, "name": "VPS-4", "vcpus": 4, "memory": 8192, "storage": 160},
    "os": "Debian 13",
    "created_at": "2025-01-15T18:30:00Z",
}
PAGES = {
    "id": 7,
    "name": "web",
    "hostname": "web.example.com",
    "status": "active",
    "ip_address": "203.0.113.7",
    "location": "Frankfurt",
    "plan": SERVER["plan"],
    "os": {"id": 1, "name": "Debian 13"},
    "created_at": "2025-01-15T18:30:00Z",
    "updated_at": "2025-01-15T18:30:00Z",
}
VENDOR = {
    "uuid": UUID,
    "hostname": "web.example.com",
    "status": "active",
    "ipv4_addresses": ["203.0.113.7"],
    "ipv6_addresses": ["2001:db8::7"],
    "created_at": "2025-01-15T18:30:00Z",
}
VENDOR_LIST = {**VENDOR, "location_name": "Frankfurt", "plan_name": "VPS-4", "os_name": "Debian 13"}


@pytest.mark.parametrize(
    ("shape", "listed", "known"),
    [
        ("pages", PAGES, {"7": 200, UUID: 404}),
        ("vendor", VENDOR_LIST, {"7": 404, UUID: 200}),
        ("both", {**PAGES, **VENDOR_LIST}, {"7": 200, UUID: 200}),
    ],
)
def test_the_shapes_differ_in_keys_and_in_the_identifier(
    caller: Any, shape: str, listed: dict[str, Any], known: dict[str, int]
) -> None:
    with Emulator({"servers": [SERVER], "server_shape": shape}) as emulator:
        api = caller(emulator)
        page = api("GET", "/servers/").json()
        assert page == {"count": 1, "next": None, "previous": None, "results": [listed]}
        assert {key: api("GET", f"/servers/{key}/").status_code for key in known} == known
        detail = api("GET", f"/servers/{'7' if shape == 'pages' else UUID}/").json()
        power = {key: api("POST", f"/servers/{key}/power/", json={"action": "start"}).status_code for key in known}
        assert power == known
    if shape == "pages":
        assert detail == PAGES
    else:
        assert detail["location"] == {"id": 1, "name": "Frankfurt"}
        assert detail["plan"].items() >= {"ram": 8192, "ram_unit": "MB", "cpu": 4, "disk_space": 160}.items()
        assert detail["operating_system_version"]["name"] == "Debian 13"
        assert ("id" in detail) == (shape == "both")


@pytest.mark.parametrize("identifier", ["1", "0", "x", "9" * 19, "9" * 5000, "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_server_is_404(api: Any, identifier: str) -> None:
    assert api("GET", f"/servers/{identifier}/").status_code == 404


def test_servers_are_filtered_by_status_and_location(caller: Any) -> None:
    servers = [
        {"id": 1, "name": "a", "status": "stopped", "location": {"id": 5, "name": "Oslo"}},
        {"id": 2, "name": "b", "location": {"id": 5, "name": "Oslo"}},
        {"id": 3, "name": "c", "status": "suspended", "location": {"id": 6, "name": "Lima"}},
    ]
    with Emulator({"servers": servers}) as emulator:
        api = caller(emulator)

        def ids(**query: str) -> list[int]:
            return [each["id"] for each in api("GET", "/servers/", params=query).json()["results"]]

        assert ids() == [1, 2, 3]
        assert ids(status="stopped") == [1]
        assert ids(status="restoring") == []
        assert ids(location="Oslo") == ids(location="5") == [1, 2]
        assert ids(location="Oslo", status="active") == [2]
        assert api("GET", "/servers/", params={"status": "melting"}).status_code == 400


def test_pages_of_servers_are_20_or_what_is_asked_for_up_to_100(caller: Any) -> None:
    with Emulator({"servers": [{"id": number, "name": f"s{number}"} for number in range(1, 131)]}) as emulator:
        api = caller(emulator)

        def page(query: str) -> tuple[int, int, bool]:
            body = api("GET", f"/servers/{query}").json()
            return body["count"], len(body["results"]), body["next"] is not None

        assert page("") == (130, 20, True)
        assert page("?page=7") == (130, 10, False)
        assert page("?page_size=50&page=3") == (130, 30, False)
        assert page("?page_size=1000") == (130, 100, True)
        assert page("?page_size=1000&page=2") == (130, 30, False)


POWER = [("active", "stop", "stopped"), ("active", "hard_stop", "stopped"), ("active", "restart", "active")]
POWER += [("stopped", "start", "active"), ("stopped", "restart", "active")]


@pytest.fixture(scope="module")
def powered() -> Iterator[Emulator]:
    """Per row of POWER a server whose actions take very long, and one (from 100 on) whose actions take 50 ms."""
    servers = [
        {"id": base + row, "name": f"s{base + row}", "status": first, "power_seconds": seconds}
        for base, seconds in ((1, 10**6), (100, 30))
        for row, (first, _action, _last) in enumerate(POWER)
    ]
    with Emulator({"servers": servers}) as emulator:
        yield emulator


@pytest.mark.parametrize("row", range(len(POWER)))
def test_while_a_power_action_is_under_way_the_status_stays_and_a_second_is_400(
    caller: Any, powered: Emulator, row: int
) -> None:
    first, action, _last = POWER[row]
    api, server = caller(powered), 1 + row
    answer = api.power(action, server)
    assert answer.status_code == 200
    assert answer.json()["server"].items() >= {"id": server, "status": first}.items()
    assert api.server_status(server) == first
    second = api.power("start", server)
    assert (second.status_code, set(second.json())) == (400, {"detail"})


@pytest.mark.parametrize("row", range(len(POWER)))
def test_the_status_follows_when_the_power_action_is_done(caller: Any, powered: Emulator, until: Any, row: int) -> None:
    _first, action, last = POWER[row]
    api, server = caller(powered), 100 + row
    assert api.power(action, server).status_code == 200
    until(lambda: api.server_status(server), last)
    until(lambda: api.power("restart", server).status_code, 200)


def test_asking_for_the_state_that_is_changes_nothing(api: Any) -> None:
    assert [api.power("start").status_code for _each in range(2)] == [200, 200]
    assert api.server_status() == "active"


def test_a_hard_stop_cuts_a_stop_short(api: Any, until: Any) -> None:
    assert api.power("stop").status_code == 200
    assert api.power("hard_stop").status_code == 200
    until(api.server_status, "stopped")


@pytest.mark.parametrize("body", [{}, {"action": "explode"}, {"action": None}])
def test_an_unknown_power_action_is_400(api: Any, body: dict[str, Any]) -> None:
    answer = api("POST", f"/servers/{WEB}/power/", json=body)
    assert (answer.status_code, set(answer.json())) == (400, {"action"})


def test_a_suspended_server_can_neither_be_started_nor_restored(caller: Any) -> None:
    seed = {
        "servers": [{"id": WEB, "name": "a", "status": "suspended"}],
        "snapshots": [{"id": 801, "server_id": WEB, "name": "s"}],
    }
    with Emulator(seed) as emulator:
        api = caller(emulator)
        assert api.power("start").status_code == 400
        assert api("POST", "/snapshots/801/restore/").status_code == 400
        assert api.server_status() == "suspended"


def test_backups_are_listed_and_filtered(caller: Any) -> None:
    seed = {
        "servers": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}],
        "backups": [
            {"id": 5, "server_id": 1, "backup_type": "manual", "created_at": "2025-01-15T18:30:00Z", "size_mb": 9},
            {"id": 6, "server_id": 2, "expires_at": "2025-03-15T18:30:00Z", "created_at": "2025-01-16T18:30:00Z"},
        ],
    }
    with Emulator(seed) as emulator:
        api = caller(emulator)
        manual = api("GET", "/backups/", params={"backup_type": "manual"}).json()
        assert manual == {
            "count": 1,
            "next": None,
            "previous": None,
            "results": [
                {
                    "id": 5,
                    "server": {"id": 1, "name": "a"},
                    "backup_type": "manual",
                    "status": "completed",
                    "size_mb": 9,
                    "created_at": "2025-01-15T18:30:00Z",
                    "expires_at": None,
                    "description": "",
                }
            ],
        }
        of_second = api("GET", "/backups/", params={"server_id": 2}).json()["results"]
        assert [(each["id"], each["expires_at"]) for each in of_second] == [(6, "2025-03-15T18:30:00Z")]
        assert api("GET", "/backups/", params={"backup_type": "odd"}).status_code == 400


def test_the_account_shows_the_token_but_not_its_text(api: Any, emulator: Emulator) -> None:
    answer = api("GET", "/account/me/")
    assert answer.json() == {
        "account": {"email": "owner@example.com"},
        "token": {"name": "emulator", "permissions": ["*:*"]},
    }
    assert emulator.token not in answer.text
