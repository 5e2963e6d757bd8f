# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers in both shapes of the API, and which one is meant."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock, create_autospec

import pytest
from ansible_collections.vpsdotorg.cloud.plugins.module_utils import _servers
from ansible_collections.vpsdotorg.cloud.plugins.module_utils._client import VpsClient
from ansible_collections.vpsdotorg.cloud.plugins.module_utils._errors import (
    ApiError,
    NoAnswerError,
    OperationError,
    VpsError,
)

UUID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
PAGES_SHAPE = {
    "id": 12345,
    "name": "web",
    "hostname": "web.example.com",
    "status": "active",
    "ip_address": "203.0.113.10",
    "location": "New York",
    "plan": {"id": 1, "name": "Standard", "vcpus": 2, "memory": 4096, "storage": 80},
    "os": {"id": 1, "name": "Debian 12"},
    "created_at": "2024-11-02T09:00:00Z",
    "updated_at": "2024-11-02T09:00:00Z",
}
VENDOR_LIST_SHAPE = {
    "uuid": UUID,
    "hostname": "web.example.com",
    "status": "active",
    "ipv4_addresses": ["203.0.113.10"],
    "ipv6_addresses": ["2001:db8::1"],
    "location_name": "New York",
    "plan_name": "Standard",
    "os_name": "Debian 12",
    "created_at": "2024-11-02T09:00:00Z",
}
VENDOR_DETAIL_SHAPE = {
    "uuid": UUID,
    "hostname": "web.example.com",
    "status": "active",
    "ipv4_addresses": [{"address": "203.0.113.10"}],
    "ipv6_addresses": [{"address": "2001:db8::1"}],
    "location": {"id": 1, "name": "New York"},
    "plan": {"name": "Standard", "cpu": 2},
    "operating_system_version": {"name": "Debian 12"},
    "root_password": "hunter2",
    "created_at": "2024-11-02T09:00:00Z",
}
MISSING = ApiError("not found", 404, {"detail": "Not found."})
FORBIDDEN = ApiError("forbidden", 403, {"detail": "You do not have permission to perform this action."})


@pytest.fixture
def client() -> Mock:
    """Stand in for the client: what the calls answer is set by each test."""
    return create_autospec(VpsClient, instance=True)


@pytest.mark.parametrize(
    ("text", "server_id"),
    [
        ("12345", 12345),
        (12345, 12345),
        (" 12345\n", 12345),
        (UUID, UUID),
        (UUID.upper(), UUID),
        (UUID.replace("-", ""), UUID),
    ],
)
def test_a_server_is_identified_by_an_integer_or_a_uuid(text: str | int, server_id: int | str) -> None:
    assert _servers.parse_server_id(text) == server_id


@pytest.mark.parametrize("text", ["", "web", "-1", "1.5", "0x10", "\u0663", "12345/../1", UUID[:-1]])
def test_anything_else_identifies_no_server(text: str) -> None:
    with pytest.raises(VpsError, match="neither an integer nor a UUID"):
        _servers.parse_server_id(text)


@pytest.mark.parametrize(
    "shape", [PAGES_SHAPE, VENDOR_LIST_SHAPE, VENDOR_DETAIL_SHAPE], ids=["pages", "list", "detail"]
)
def test_every_shape_is_described_alike(shape: dict[str, Any]) -> None:
    described = _servers.describe(shape)
    assert list(described) == [
        *("id", "uuid", "name", "hostname", "status", "ipv4", "ipv6"),
        *("location", "plan", "os", "created_at", "raw"),
    ]
    assert (described["id"], described["uuid"]) in ((12345, None), (None, UUID))
    assert described["name"] in ("web", "web.example.com")
    assert described["hostname"] == "web.example.com"
    assert described["ipv4"] == ["203.0.113.10"]
    assert described["ipv6"] in ([], ["2001:db8::1"])
    assert (described["location"], described["plan"], described["os"]) == ("New York", "Standard", "Debian 12")


def test_raw_is_what_the_api_sent_without_a_password() -> None:
    assert "hunter2" not in str(_servers.describe(VENDOR_DETAIL_SHAPE))
    assert _servers.describe(PAGES_SHAPE)["raw"] == PAGES_SHAPE


@pytest.mark.parametrize(
    "key",
    ["admin_pass", "rootPass", "passwd", "passphrase", "api_token", "clientSecret", "private_key", "apiKey", "pwd"],
)
def test_what_is_called_like_a_secret_is_nowhere_in_raw(key: str) -> None:
    raw = _servers.describe({**PAGES_SHAPE, key: 1, "details": [{key: {"x": 1}, "public_key": 2, "passenger": 3}]})[
        "raw"
    ]
    assert raw == {**PAGES_SHAPE, "details": [{"public_key": 2, "passenger": 3}]}


def test_an_empty_answer_is_described_with_nulls() -> None:
    described = _servers.describe({})
    assert (described["ipv4"], described["ipv6"], described["raw"]) == ([], [], {})
    assert described["id"] is described["status"] is described["plan"] is None


def test_an_integer_id_is_used_without_a_call(client: Mock) -> None:
    assert _servers.resolve_server_id(client, "12345") == 12345
    assert _servers.resolve_server_id(client, None) is None
    assert client.mock_calls == []


def test_a_uuid_is_resolved_by_one_call(client: Mock) -> None:
    client.get_server.return_value = {**PAGES_SHAPE, "uuid": UUID}
    assert _servers.resolve_server_id(client, UUID) == 12345
    client.get_server.assert_called_once_with(UUID)


@pytest.mark.parametrize(("status", "predicted"), [("active", "active"), ("suspended", None), ("building", None)])
def test_check_mode_predicts_only_what_can_be_known_of_a_restore(status: str, predicted: str | None) -> None:
    warnings: list[str] = []
    after = _servers.expect_restored({**PAGES_SHAPE, "status": status}, True, warnings)
    assert (after["status"], len(warnings)) == (predicted, 0 if predicted else 1)


def test_a_server_that_is_known_by_uuid_alone_is_found_through_the_list(client: Mock) -> None:
    client.get_server.side_effect = MISSING
    client.list_servers.return_value = [{**VENDOR_LIST_SHAPE, "id": 12345}]
    assert _servers.find_server(client, 12345)[0] == UUID


@pytest.mark.parametrize("error", [FORBIDDEN, NoAnswerError("lost"), MISSING], ids=["403", "no answer", "404"])
def test_a_server_that_cannot_be_read_is_an_error(client: Mock, error: VpsError) -> None:
    client.get_server.side_effect = error
    client.list_servers.return_value = [PAGES_SHAPE]
    with pytest.raises(type(error)):
        _servers.find_server(client, 99)


# Power


@pytest.mark.parametrize(
    ("status", "state", "force", "steps"),
    [
        ("active", "started", False, []),
        ("stopped", "started", False, [("start", "active")]),
        ("active", "stopped", False, [("stop", "stopped")]),
        ("active", "stopped", True, [("hard_stop", "stopped")]),
        ("stopped", "stopped", True, []),
        ("active", "restarted", False, [("restart", "active")]),
        ("active", "restarted", True, [("hard_stop", "stopped"), ("start", "active")]),
        ("stopped", "restarted", False, [("start", "active")]),
        ("stopped", "restarted", True, [("start", "active")]),
        ("migrating", "started", False, [("start", "active")]),
    ],
)
def test_a_power_state_takes_these_actions(status: str, state: str, force: bool, steps: list[tuple[str, str]]) -> None:
    assert _servers.plan_power({"id": 1, "status": status}, state, force) == steps


@pytest.mark.parametrize("state", ["started", "stopped", "restarted"])
@pytest.mark.parametrize("status", ["suspended", "restoring"])
def test_a_suspended_or_restoring_server_is_refused(status: str, state: str) -> None:
    with pytest.raises(VpsError, match=f"Refused: server web .* is {status}") as caught:
        _servers.plan_power({**PAGES_SHAPE, "status": status}, state, force=True)
    assert caught.value.details["server"]["status"] == status


@pytest.mark.parametrize(
    ("status", "settled", "warned"),
    [
        ("active", True, False),
        ("stopped", True, False),
        ("restoring", False, False),
        ("suspended", False, False),
        ("rebuilding", False, True),
        (None, False, True),
    ],
)
def test_a_server_has_settled_when_it_is_active_or_stopped(status: str | None, settled: bool, warned: bool) -> None:
    warnings: list[str] = []
    for _look in range(2):
        assert _servers.has_settled({"id": 1, "status": status}, _servers.STEADY, warnings) is settled
    assert len(warnings) == warned


@pytest.mark.parametrize("status", ["failed", "error"])
def test_a_broken_server_ends_a_wait(status: str) -> None:
    with pytest.raises(OperationError, match=f"as {status}") as caught:
        _servers.has_settled({**PAGES_SHAPE, "status": status}, _servers.STEADY, [])
    assert caught.value.details["server"]["id"] == 12345


# Before a restore, and before a create in check mode


def test_before_a_restore_the_server_must_be_readable_if_it_will_be_awaited(client: Mock) -> None:
    client.get_server.side_effect = ApiError("forbidden", 403, None)
    with pytest.raises(ApiError) as caught:
        _servers.before_restore(client, {"id": 12345, "name": "web"}, must_read=True)
    for fact in ("Nothing was restored", "12345", "wait: false"):
        assert fact in caught.value.message


def test_without_a_wait_an_unreadable_server_is_described_as_its_snapshot_does(client: Mock) -> None:
    client.get_server.side_effect = FORBIDDEN
    owner = {"id": 12345, "name": "web"}
    assert _servers.before_restore(client, owner, must_read=False) == (None, owner)


@pytest.mark.parametrize("must_read", [True, False])
def test_a_server_that_is_being_restored_is_refused(client: Mock, must_read: bool) -> None:
    client.get_server.return_value = {**PAGES_SHAPE, "status": "restoring"}
    with pytest.raises(VpsError, match="nobody can tell from which snapshot"):
        _servers.before_restore(client, {"id": 12345}, must_read)


def test_the_owner_of_a_new_snapshot_is_known_where_the_server_can_be_read(client: Mock) -> None:
    client.get_server.return_value = PAGES_SHAPE
    assert _servers.expected_owner(client, 12345) == {"id": 12345, "name": "web"}


def test_without_permission_the_name_of_the_owner_stays_unknown(client: Mock) -> None:
    client.get_server.side_effect = FORBIDDEN
    assert _servers.expected_owner(client, 12345) == {"id": 12345, "name": None}


def test_a_server_that_the_account_certainly_lacks_is_an_error_before_anything_is_sent(client: Mock) -> None:
    client.get_server.side_effect = MISSING
    client.list_servers.return_value = [PAGES_SHAPE]
    with pytest.raises(ApiError):
        _servers.expected_owner(client, 99)


def test_where_the_api_knows_servers_by_uuid_alone_an_integer_may_exist(client: Mock) -> None:
    client.get_server.side_effect = MISSING
    client.list_servers.return_value = [VENDOR_LIST_SHAPE]
    assert _servers.expected_owner(client, 99) == {"id": 99, "name": None}
