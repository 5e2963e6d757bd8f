# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One served emulator for all tests that share its seed, and a caller that knows its token."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from vps_emulator.testing import Emulator

WEB, DB = 12345, 12346


class Caller:
    """Calls below the API's base URL with a token; answers are not judged."""

    def __init__(self, url: str, token: str | None) -> None:
        self._url = url
        self._session = requests.Session()
        # Neither a proxy nor a ~/.netrc of the machine is for a test.
        self._session.trust_env = False
        if token is not None:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def __call__(self, method: str, path: str, **options: Any) -> requests.Response:
        return self._session.request(method, self._url + path, allow_redirects=False, timeout=30, **options)

    def snapshot(self, name: str = "before", server_id: int = WEB) -> dict[str, Any]:
        """Create a snapshot, which must be accepted."""
        answer = self("POST", "/snapshots/", json={"server_id": server_id, "name": name})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def snapshots(self, **query: Any) -> list[dict[str, Any]]:
        return self("GET", "/snapshots/", params=query).json()["results"]

    def status(self, snapshot_id: int) -> str | None:
        """A snapshot's status; None if it is not there."""
        return next((each["status"] for each in self.snapshots() if each["id"] == snapshot_id), None)

    def server_status(self, server_id: int = WEB) -> str:
        return self("GET", f"/servers/{server_id}/").json()["status"]

    def power(self, action: str, server_id: int = WEB) -> requests.Response:
        return self("POST", f"/servers/{server_id}/power/", json={"action": action})

    def close(self) -> None:
        self._session.close()


@pytest.fixture(scope="session")
def served() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(served: Emulator) -> Emulator:
    """The emulator with its default seed, as if just started."""
    served.reset()
    return served


@pytest.fixture
def caller() -> Iterator[Callable[..., Caller]]:
    """Makes callers: `caller(emulator)`, or with another token, or None for no token."""
    made = []

    def make(emulator: Emulator, token: str | None = "") -> Caller:
        made.append(Caller(emulator.url, emulator.token if token == "" else token))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def api(emulator: Emulator, caller: Callable[..., Caller]) -> Caller:
    return caller(emulator)


@pytest.fixture
def until() -> Callable[..., Any]:
    """Looks again and again until what is seen is what is expected; fails with the last seen after 20 s."""

    def look(see: Callable[[], Any], expected: Any) -> None:
        deadline = time.monotonic() + 20
        while (seen := see()) != expected:
            assert time.monotonic() < deadline, f"{seen!r} never became {expected!r}"
            time.sleep(0.02)

    return look
