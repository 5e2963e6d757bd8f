# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of every API call, for tests that assert what was sent."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse

from . import world

API_PREFIX = "/api/v1"


def is_api_call(request: HttpRequest) -> bool:
    """Whether the request is for the emulated service, not for the emulator's own control paths."""
    return request.path.startswith(f"{API_PREFIX}/")


class Journal:
    """The calls in the order of their arrival; `status` is None until a call is answered, and stays so if dropped."""

    def __init__(self) -> None:
        self._entries: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def arrived(self, method: str, path: str, query: str) -> dict[str, Any]:
        """Note a call; the caller sets its `status` when it is answered."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        entry = {"method": method, "path": path, "query": query, "status": None, "at": at}
        with self._lock:
            self._entries.append(entry)
        return entry

    def entries(self) -> list[dict[str, Any]]:
        """A copy of the log."""
        with self._lock:
            return [dict(entry) for entry in self._entries]

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()


class JournalMiddleware:
    """Outermost, so that an answer made by a fault is logged as it was sent."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_api_call(request):
            return self._get_response(request)
        entry = world.current().journal.arrived(request.method, request.path, request.META["QUERY_STRING"])
        response = self._get_response(request)
        if not getattr(response, "dropped", False):
            entry["status"] = response.status_code
        return response
