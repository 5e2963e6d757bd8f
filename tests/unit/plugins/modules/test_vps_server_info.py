# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""vps_server_info: servers in one shape, whichever the API uses."""

from __future__ import annotations

from typing import Any

import pytest

MODULE = "vps_server_info"


def test_every_server_is_listed(run: Any, servers: dict) -> None:
    for check in (False, True):
        result = run(MODULE, check=check)
        assert [server["id"] for server in result["servers"]] == list(servers.values())
        assert result["changed"] is False


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"name": "full"}, ["full"]),
        ({"name": "ful"}, []),
        ({"status": "stopped"}, ["stopped"]),
        ({"status": "restoring", "name": "full"}, []),
        ({"server_id": 999}, []),
        ({"server_id": "11111111-0000-4000-8000-000000000000"}, []),
    ],
    ids=str,
)
def test_only_what_passes_every_filter_is_returned(run: Any, filters: dict, names: list[str]) -> None:
    assert [server["name"] for server in run(MODULE, **filters)["servers"]] == names


@pytest.mark.parametrize(("status", "found"), [("stopped", 1), ("active", 0)])
def test_an_id_and_a_status_both_have_to_pass(run: Any, servers: dict, status: str, found: int) -> None:
    assert len(run(MODULE, server_id=servers["stopped"], status=status)["servers"]) == found


def test_one_server_is_one_get(run: Any, service: Any, servers: dict) -> None:
    (server,) = run(MODULE, server_id=servers["full"])["servers"]
    assert service.calls() == [f"GET /servers/{servers['full']}/"]
    assert server.pop("raw")["ip_address"] == f"203.0.113.{servers['full']}"
    assert server == {
        "id": servers["full"],
        "uuid": f"00000000-0000-4000-8000-{servers['full']:012}",
        "name": "full",
        "hostname": "full",
        "status": "active",
        "ipv4": [f"203.0.113.{servers['full']}"],
        "ipv6": [],
        "location": "Amsterdam",
        "plan": "VPS-2",
        "os": "Debian 12",
        "created_at": server["created_at"],
    }


def test_both_shapes_of_the_api_are_described_alike(run: Any, shaped_run: Any, shaped_emulator: Any) -> None:
    shaped = shaped_run(MODULE)["servers"]
    missing = {"pages": "uuid", "vendor": "id"}[shaped_emulator.shape]
    assert all(server[missing] is None for server in shaped)
    for both, one in zip(run(MODULE)["servers"], shaped, strict=True):
        assert list(one) == list(both)
        for key in set(both) - {missing, "raw", "created_at"}:
            assert one[key] == both[key], key


def test_a_server_is_found_by_the_identifier_that_its_shape_has(shaped_run: Any, shaped_emulator: Any) -> None:
    key = {"pages": "id", "vendor": "uuid"}[shaped_emulator.shape]
    wanted = shaped_run(MODULE, name="full")["servers"][0]
    (found,) = shaped_run(MODULE, server_id=wanted[key])["servers"]
    for same in ("id", "uuid", "name", "status", "ipv4", "location", "plan", "os"):
        assert found[same] == wanted[same], same


def test_an_unreadable_server_is_a_failure_and_not_an_empty_list(run: Any, service: Any) -> None:
    service.fault(kind="status", code=403, body={"detail": "No."})
    assert run.fails(MODULE, server_id=101)["status_code"] == 403
