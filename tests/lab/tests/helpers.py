# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small things that several tests do."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from vps_lab.cloud import Cloud
from vps_lab.lab import Lab
from vps_lab.servers import Server
from vps_lab.tools import run

T = TypeVar("T")


def wait_until(question: Callable[[], T], timeout: float = 20) -> T:
    """The first true answer; fails with the last one after TIMEOUT seconds."""
    deadline = time.monotonic() + timeout
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"still {answer!r} after {timeout} s")
        time.sleep(0.05)


def ssh(cloud: Cloud, server: Server, command: str) -> str:
    """What a command prints on a server that is in no lab."""
    known_hosts = Path(cloud.folder, "known_hosts")
    known_hosts.write_text(f"{server.host_key}\n")
    options = ["-o", f"UserKnownHostsFile={known_hosts}", "-o", "ConnectTimeout=5"]
    return run("ssh", "-i", cloud.key, *options, f"root@{server.address}", command, timeout=60).strip()


def api(lab: Lab, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """One call of the API."""
    request = urllib.request.Request(f"{lab.emulator.url}{path}", method=method)
    request.add_header("Authorization", f"Bearer {lab.emulator.token}")
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=30) as response:
        text = response.read()
    return json.loads(text) if text else None


def status(lab: Lab, server_id: int) -> str:
    return api(lab, "GET", f"/servers/{server_id}/")["status"]


def boot_id(lab: Lab, name: str) -> str:
    return lab.ssh(name, "cat /proc/sys/kernel/random/boot_id").strip()
