# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's own client, from the package index, works against the emulator."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from typing import Any

import pytest
import vps_mcp.client
import vps_mcp.server
from vps_emulator.testing import Emulator

UUID = "0191d2a4-0000-4000-8000-000000000001"
SEED = {
    "servers": [
        {"id": 7, "uuid": UUID, "name": "web", "hostname": "web.example.com", "ip_address": "203.0.113.7"},
        {"id": 8, "name": "db", "ipv6": "2001:db8::8"},
    ]
}


@pytest.fixture(params=["vendor", "both"])
def vendor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An emulator in a shape that has UUIDs, which the vendor's tools find by their own variables."""
    with Emulator({**SEED, "server_shape": request.param}) as emulator:
        for key, value in emulator.environ.items():
            monkeypatch.setenv(key, value)
        yield emulator


def use(tool: Awaitable[str]) -> str:
    """Run one of the vendor's tools, with a client of its own, as a client lives in one event loop."""

    async def run() -> str:
        vps_mcp.server._client = None
        try:
            return await tool
        finally:
            await vps_mcp.server._get_client().close()

    return asyncio.run(run())


@pytest.mark.usefixtures("vendor")
def test_list_servers() -> None:
    text = use(vps_mcp.server.list_servers())
    assert "Server: web.example.com" in text
    assert f"UUID: {UUID}" in text
    assert "IPv4: 203.0.113.7" in text
    assert "IPv6: 2001:db8::8" in text
    assert "Location: Amsterdam" in text
    assert "Plan: VPS-2" in text
    assert "OS: Debian 12" in text
    assert "Page 1 of 1 (2 total)" in text
    assert "Page 1 of 2 (2 total)" in use(vps_mcp.server.list_servers(page_size=1))


@pytest.mark.usefixtures("vendor")
def test_get_server() -> None:
    text = use(vps_mcp.server.get_server(UUID))
    assert "Server: web.example.com" in text
    assert "Status: active" in text
    assert "Location: Amsterdam" in text
    assert "Plan: 4096 MB RAM, 2 vCPUs, 80 GB disk" in text
    assert "OS: Debian 12" in text
    assert use(vps_mcp.server.get_server("nope")) == "Error (404): Server not found."


def test_server_power(vendor: Emulator, until: Any) -> None:
    assert use(vps_mcp.server.server_power(UUID, "stop")) == f"Power action 'stop' sent to server {UUID}."
    until(lambda: "Status: stopped" in use(vps_mcp.server.get_server(UUID)), True)
    assert [each["path"] for each in vendor.writes()] == [f"/api/v1/servers/{UUID}/power/"]


def test_the_client_without_its_tools(vendor: Emulator) -> None:
    async def count(token: str) -> Any:
        client = vps_mcp.client.VPSClient(token, vendor.url)
        try:
            return await client._get("/servers/")
        finally:
            await client.close()

    assert asyncio.run(count(vendor.token))["count"] == 2
    assert asyncio.run(count("vps_wrong")) == "Error (401): Invalid token."
