# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory plugin's decisions: names of hosts, their variables, what is marked as unsafe, which files it reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.vpsdotorg.cloud.plugins.inventory.vps import (
    InventoryModule,
    host_names,
    host_vars,
    oddities,
    safe_name,
    target,
)
from ansible_collections.vpsdotorg.cloud.plugins.module_utils._servers import describe
from hypothesis import given
from hypothesis import strategies as st

UUID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


def servers(*names: str) -> list[dict]:
    """Make servers of these names; their ids count from 1."""
    return [describe({"id": number, "name": name}) for number, name in enumerate(names, start=1)]


@pytest.mark.parametrize(
    ("names", "hosts"),
    [
        ([], []),
        (["web", "db"], ["web", "db"]),
        (["web", "db", "web"], ["web-1", "db", "web-3"]),
        (["web", "web", "web-1"], ["web-1", "web-2", "web-1-3"]),
        (["web", "web", "web-1", "web-1-3"], ["web-1", "web-2", "web-1-3", "web-1-3-4"]),
        (["localhost", "web"], ["localhost-1", "web"]),
        (["127.0.0.1", "::1"], ["127.0.0.1-1", "::1-2"]),
        ([None, "web", ""], ["server-1", "web", "server-3"]),
        ([None], ["server-1"]),
        (["Zürich", "2.web_3-x"], ["Zürich", "2.web_3-x"]),
        (["-oProxyCommand=id", "a b"], ["-oProxyCommand=id", "a b"]),
    ],
)
def test_host_names(names: list[str], hosts: list[str]) -> None:
    assert host_names(servers(*names)) == hosts


@pytest.mark.parametrize(
    ("name", "address", "connects_to"),
    [
        ("web", "203.0.113.1", "203.0.113.1"),
        ("-oProxyCommand=id", "203.0.113.1", "203.0.113.1"),
        ("web", None, None),
        ("Zürich", "localhost", None),
        (None, None, None),
        ("-oProxyCommand=id", None, "no-address.invalid"),
        ("web", "-oProxyCommand=id", None),
        ("web", "fe80::1%-oProxyCommand=id", None),
        *((name, None, "no-address.invalid") for name in ("a b", "a\n", "a;id", "{{ 1 }}", " ", "a,b", "a:b", "$(id)")),
    ],
)
def test_what_ssh_connects_to(name: str | None, address: str | None, connects_to: str | None) -> None:
    assert target(describe({"id": 1, "name": name, "ip_address": address})) == connects_to


def test_servers_of_one_name_that_have_no_integer_id() -> None:
    listed = [describe({"uuid": uuid, "hostname": "web"}) for uuid in (UUID, UUID.replace("7c", "8c"))]
    assert host_names(listed) == [f"web-{UUID}", f"web-8c{UUID[2:]}"]


def test_an_identifier_is_no_target_either() -> None:
    assert target(describe({"uuid": "x y", "hostname": "web"})) == "no-address.invalid"


@given(st.lists(st.from_regex(r"(web|db)(-[1-4]){0,3}", fullmatch=True), max_size=8))
def test_no_two_servers_become_one_host(names: list[str]) -> None:
    hosts = host_names(servers(*names))
    assert len(set(hosts)) == len(names)
    assert all(host.startswith(name) for host, name in zip(hosts, names, strict=True))


@pytest.mark.parametrize(
    ("server", "server_id", "address"),
    [
        ({"id": 7, "ip_address": "203.0.113.7"}, 7, "203.0.113.7"),
        ({"uuid": UUID, "ipv4_addresses": ["203.0.113.8", "203.0.113.9"]}, UUID, "203.0.113.8"),
        ({"id": 7, "uuid": UUID, "ipv4_addresses": [], "ipv6_addresses": ["2001:db8::7"]}, 7, "2001:db8::7"),
        ({"id": UUID}, UUID, None),
        ({"id": 7, "ip_address": "-oProxyCommand=id"}, 7, None),
        ({"id": 7, "ip_address": "evil.example,203.0.113.7"}, 7, "203.0.113.7"),
        ({"id": 7, "ipv6_addresses": ["fe80::1%-oProxyCommand=id"]}, 7, None),
    ],
)
def test_host_vars(server: dict, server_id: Any, address: str | None) -> None:
    described = describe(server)
    variables = host_vars(described)
    assert variables["vps_server_id"] == server_id
    assert variables.get("ansible_host") == address
    assert {f"vps_{key}": value for key, value in described.items()}.items() <= variables.items()


def test_what_is_left_out_is_told() -> None:
    server = describe({"id": 7, "name": "a b\x1b", "ip_address": "localhost"})
    assert oddities(server) == [
        "VPS.org server 7: it has no address, and its name 'a b\\x1b' is no host name, so nothing connects to it.",
        "VPS.org server 7: the address 'localhost' is no IP address, and is left out.",
    ]
    assert oddities(describe({"id": 7, "name": "web", "ip_address": "203.0.113.7"})) == []


@pytest.mark.parametrize(
    "name", ["web-1", "Zürich", "New York, US", "2001:db8::1", "2026-01-31T12:00:00+00:00", "a/b@c"]
)
def test_plain_name_stays_as_it_is(name: str) -> None:
    assert safe_name(name) is name


@pytest.mark.parametrize(
    "name",
    [
        "{{ lookup('pipe', 'id') }}",
        "{% if true %}",
        "#jinja2:variable_start_string:'[%'",
        "lookup('pipe', 'id')",
        "a\nb",
        "`id`",
        "a|b",
    ],
)
def test_name_that_could_become_code_is_marked(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # What the mark is depends on ansible-core; that it works is for the playbook tests.
    monkeypatch.setattr(f"{InventoryModule.__module__}.wrap_var", lambda value: ("marked", value))
    assert safe_name(name) == ("marked", name)


@pytest.mark.parametrize(
    ("name", "accepted"),
    [("a.vps.yml", True), ("a.vps.yaml", True), ("a.yml", False), ("vps.yml", False), ("a.vps.json", False)],
)
def test_verify_file(name: str, accepted: bool, tmp_path: Path) -> None:
    file = tmp_path / name
    assert not InventoryModule().verify_file(str(file))
    file.touch()
    assert InventoryModule().verify_file(str(file)) is accepted
