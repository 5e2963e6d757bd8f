# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The service as the vendor documents it, in memory and on a clock of its own; it can be made to fail at any call."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

import requests
from urllib3.exceptions import ProtocolError

TOKEN = "vps_faults_c41d0e7b9a52"
URL = "http://127.0.0.1:1/api/v1"
SNAPSHOT_SECONDS = 240
RESTORE_SECONDS = 420
POWER_SECONDS = 20
LIMIT = 5


class Clock:
    """Passes only in pauses."""

    def __init__(self) -> None:
        self.begun = datetime.now(timezone.utc).replace(microsecond=0)
        self.elapsed = 0.0

    def monotonic(self) -> float:
        return self.elapsed

    def time(self) -> float:
        return (self.begun + timedelta(seconds=self.elapsed)).timestamp()

    def sleep(self, seconds: float) -> None:
        self.elapsed += seconds


@dataclass
class Call:
    """A request, and how it was answered.

    :param status: The status that the client saw, or None where no answer reached it.
    :param effect: Whether the service has processed it.
    """

    method: str
    path: str
    query: dict
    body: dict | None
    status: int | None = None
    effect: bool = False

    @property
    def kind(self) -> str:
        """The call without its numbers, like ``POST /snapshots/N/restore/``."""
        return f"{self.method} {re.sub(r'[0-9]+', 'N', self.path)}"


Answer = tuple[int, dict[str, str], bytes]
# Gets the service, the call, and what would process it; returns the answer, or raises as `requests` does.
Fault = Callable[["Service", Call, Callable[[], Answer]], Answer]


def answer(status: int, body: Any = None, **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return status, headers, content


def refused(status: int, detail: str) -> Answer:
    return answer(status, {"detail": detail})


def lost() -> requests.ConnectionError:
    return requests.ConnectionError(ProtocolError("Connection aborted.", OSError("reset by peer")))


@dataclass
class Service:
    """Servers and snapshots, the log of calls, and the fault that is on."""

    clock: Clock
    servers: dict[int, dict] = field(default_factory=dict)
    snapshots: dict[int, dict] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    fault: Fault | None = None
    page_size: int = 100
    # What happens by itself at a time: (seconds, action).
    later: list[tuple[float, Callable[[], Any]]] = field(default_factory=list)
    restores: list[int] = field(default_factory=list)
    deletions: list[int] = field(default_factory=list)
    creations: list[int] = field(default_factory=list)
    # What somebody else has made meanwhile.
    foreign: list[int] = field(default_factory=list)
    next_id: int = 1000
    skew: float = 0.0

    def add_server(self, number: int, status: str = "active") -> None:
        self.servers[number] = {"id": number, "name": f"server-{number}", "status": status, "ip_address": "203.0.113.7"}

    def add_snapshot(self, number: int, server: int, name: str, status: str = "completed", hours: float = 3) -> dict:
        self.snapshots[number] = {
            "id": number,
            "server": {"id": server, "name": f"server-{server}"},
            "name": name,
            "status": status,
            "size_mb": None if status == "in_progress" else 5120,
            "created_at": f"{self.now() - timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}",
            "description": "",
        }
        return self.snapshots[number]

    def now(self) -> datetime:
        return self.clock.begun + timedelta(seconds=self.clock.elapsed + self.skew)

    def pass_time(self) -> None:
        """Let happen what was due."""
        due = [each for each in self.later if each[0] <= self.clock.elapsed]
        self.later = [each for each in self.later if each not in due]
        for _at, action in sorted(due, key=lambda each: each[0]):
            action()

    def settle(self) -> None:
        """Let everything happen that is still to come."""
        while self.later:
            self.clock.elapsed = max(self.clock.elapsed, min(at for at, _action in self.later))
            self.pass_time()

    def after(self, seconds: float, action: Callable[[], Any]) -> None:
        self.later.append((self.clock.elapsed + seconds, action))

    def exchange(self, method: str, path: str, query: dict | None, body: dict | None, _timeout: float) -> Answer:
        """Stand in for one exchange of the client."""
        self.pass_time()
        call = Call(method, path, query or {}, body)
        self.calls.append(call)

        def process() -> Answer:
            call.effect = True
            return self.process(call)

        status, headers, content = self.fault(self, call, process) if self.fault else process()
        call.status = status
        headers.setdefault("Date", format_datetime(self.now(), usegmt=True))
        return status, headers, content

    def process(self, call: Call) -> Answer:
        parts = [part for part in call.path.split("/") if part]
        number = int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else None
        match call.method, parts[0], len(parts):
            case "GET", "snapshots" | "servers" | "backups", 1:
                return self.listed(call, parts[0])
            case "GET", "servers", 2:
                found = self.servers.get(number or 0)
                return answer(200, found) if found else refused(404, "Not found.")
            case "POST", "snapshots", 1:
                return self.create(call.body or {})
            case "DELETE", "snapshots", 2:
                if self.snapshots.pop(number or 0, None) is None:
                    return refused(404, "Not found.")
                self.deletions.append(number or 0)
                return answer(204)
            case "POST", "snapshots", 3:
                return self.restore(number or 0)
            case "POST", "servers", 3:
                return self.power(number or 0, (call.body or {})["action"])
        return refused(404, "Not found.")

    def listed(self, call: Call, plural: str) -> Answer:
        items = list({"snapshots": self.snapshots, "servers": self.servers, "backups": {}}[plural].values())[::-1]
        if call.query.get("server_id") is not None:
            items = [item for item in items if str(item["server"]["id"]) == str(call.query["server_id"])]
        size, page = min(self.page_size, int(call.query.get("page_size", 20))), int(call.query.get("page", 1))
        shown = items[(page - 1) * size : page * size]
        if page > 1 and not shown:
            return refused(404, "Invalid page.")
        query = urlencode({**call.query, "page": page + 1})
        following = f"http://elsewhere.invalid{call.path}?{query}" if page * size < len(items) else None
        return answer(200, {"count": len(items), "next": following, "previous": None, "results": shown})

    def create(self, body: dict) -> Answer:
        server = body["server_id"]
        if server not in self.servers:
            return refused(404, "Server not found.")
        if sum(each["server"]["id"] == server for each in self.snapshots.values()) >= LIMIT:
            return refused(400, "Snapshot limit reached.")
        self.next_id += 1
        made = self.add_snapshot(self.next_id, server, body["name"], "in_progress", 0)
        made["description"] = body.get("description") or ""
        self.creations.append(made["id"])
        self.after(SNAPSHOT_SECONDS, lambda: made.update(status="completed", size_mb=5120))
        return answer(201, {**made, "message": "Snapshot is being created."})

    def restore(self, number: int) -> Answer:
        snapshot = self.snapshots.get(number)
        if not snapshot:
            return refused(404, "Not found.")
        server = self.servers[snapshot["server"]["id"]]
        if server["status"] not in ("active", "stopped") or snapshot["status"] != "completed":
            return refused(400, "The server is not in a state that can be restored.")
        self.restores.append(number)
        server["status"] = "restoring"
        self.after(RESTORE_SECONDS, lambda: server.update(status="active"))
        shown = {key: snapshot[key] for key in ("id", "name", "created_at")}
        return answer(200, {"status": "success", "message": "…", "snapshot": shown, "server": copy.deepcopy(server)})

    def power(self, number: int, action: str) -> Answer:
        server = self.servers.get(number)
        if not server:
            return refused(404, "Not found.")
        wanted = "stopped" if action in ("stop", "hard_stop") else "active"
        self.after(POWER_SECONDS, lambda: server.update(status=wanted))
        return answer(200, {"status": "success"})
