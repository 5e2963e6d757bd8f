# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand: wrong answers, lost answers, slow answers, and operations that end badly."""

from __future__ import annotations

import fnmatch
import json
import threading
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from rest_framework import serializers

from . import world
from .journal import API_PREFIX, is_api_call
from .serializers import StrictSerializer

OUTCOME = "outcome"
KINDS = ("status", "drop_before", "drop_after", "delay", "truncate", "html", OUTCOME)


class FaultSerializer(StrictSerializer):
    """What POST faults/ takes. `seconds` are real ones; `times` 0 is for ever; `skip` first matches pass unharmed."""

    kind = serializers.ChoiceField(KINDS)
    method = serializers.CharField(default="*")
    path = serializers.CharField(default="*")
    times = serializers.IntegerField(default=1, min_value=0)
    skip = serializers.IntegerField(default=0, min_value=0)
    after = serializers.BooleanField(default=False)
    code = serializers.IntegerField(required=False, min_value=100, max_value=599)
    headers = serializers.DictField(child=serializers.CharField(), default=dict)
    body = serializers.JSONField(default=dict)
    seconds = serializers.FloatField(default=0, min_value=0)
    status = serializers.CharField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["kind"] == OUTCOME and "status" not in attrs:
            raise serializers.ValidationError({"status": "An outcome needs the status it shall end with."})
        return attrs


class FaultBoard:
    """The faults that are set, in the order they were; the first that matches a call is the one that happens."""

    def __init__(self, stopping: threading.Event) -> None:
        self._faults: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._stopping = stopping
        self._resets = 0

    def add(self, fault: dict[str, Any]) -> None:
        """Set a fault, as FaultSerializer validated it."""
        with self._lock:
            self._faults.append(dict(fault, left=fault["times"] or float("inf")))

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def reset(self) -> None:
        """Clear the faults; a call that is being delayed now does nothing any more."""
        self._resets += 1
        self.clear()

    def take(self, method: str, path: str, outcome: bool = False) -> dict[str, Any] | None:
        """The fault that this call meets, used up once; outcomes are asked for apart, when an operation begins."""
        with self._lock:
            for fault in self._faults:
                if (fault["kind"] == OUTCOME) != outcome or not matches(fault, method, path):
                    continue
                if fault["skip"]:
                    fault["skip"] -= 1
                    continue
                fault["left"] -= 1
                if not fault["left"]:
                    self._faults.remove(fault)
                return fault
        return None

    def pause(self, seconds: float) -> bool:
        """Wait, but no longer than the emulator runs; tell whether the world is still the one it was."""
        resets = self._resets
        self._stopping.wait(seconds)
        return resets == self._resets

    def outcome(self, request: HttpRequest) -> str | None:
        """The status that the operation begun by this request shall end with; None: it ends well."""
        fault = self.take(request.method, request.path, outcome=True)
        return fault["status"] if fault else None


def matches(fault: dict[str, Any], method: str, path: str) -> bool:
    """Whether a call is meant: the pattern may cover the whole path or what follows /api/v1."""
    pattern = fault["path"].lstrip("/")
    paths = (path.lstrip("/"), path.removeprefix(API_PREFIX).lstrip("/"))
    return fault["method"].upper() in ("*", method) and any(fnmatch.fnmatchcase(each, pattern) for each in paths)


class FaultMiddleware:
    """Lets the faults happen to the API's calls."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        faults = world.current().faults
        fault = faults.take(request.method, request.path) if is_api_call(request) else None
        if fault is None:
            return self._get_response(request)
        kind = fault["kind"]
        processed = fault["after"] or kind in ("drop_after", "truncate")
        response = self._get_response(request) if processed else None
        if kind == "delay":
            same_world = faults.pause(fault["seconds"])
            return response or (self._get_response(request) if same_world else _dropped())
        if kind == "truncate":
            return _truncated(response)
        if kind == "status":
            return _answer(fault.get("code", 500), fault["body"], fault["headers"])
        if kind == "html":
            return _html(fault.get("code", 502), fault["headers"])
        return _dropped()


def _answer(code: int, body: Any, headers: dict[str, str]) -> HttpResponse:
    text, content_type = (body, "text/plain") if isinstance(body, str) else (json.dumps(body), "application/json")
    return HttpResponse(text, status=code, headers={"Content-Type": content_type, **headers})


def _html(code: int, headers: dict[str, str]) -> HttpResponse:
    response = HttpResponse(status=code, headers={"Content-Type": "text/html", **headers})
    title = f"{code} {response.reason_phrase}"
    page = f"<html>\n<head><title>{title}</title></head>\n<body><center><h1>{title}</h1></center></body>\n</html>\n"
    response.content = page.encode()
    return response


def _truncated(response: HttpResponse) -> HttpResponse:
    whole = response.content
    response.headers["Content-Length"] = str(len(whole))
    response.content = whole[: len(whole) // 2]
    return response


def _dropped() -> StreamingHttpResponse:
    # The cleanest drop is why the server is waitress: it sends the headers with the first piece of the body, and an
    # OSError before that closes the connection without a byte; no socket is touched, no class of it replaced.
    response = StreamingHttpResponse(map(_abort, [b""]))
    response.dropped = True
    return response


def _abort(_piece: bytes) -> bytes:
    raise ConnectionAbortedError("the connection is dropped, as a fault asked for")
