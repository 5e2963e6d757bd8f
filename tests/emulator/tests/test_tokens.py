# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may call, what, and how often."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from vps_emulator.testing import Emulator

CALLS = {
    "servers:read": ("GET", "/servers/", 200),
    "servers:write": ("POST", "/servers/12345/power/", 400),
    "snapshots:read": ("GET", "/snapshots/", 200),
    "snapshots:write": ("POST", "/snapshots/", 400),
    "backups:read": ("GET", "/backups/", 200),
}
GRANTS = {
    "*:*": set(CALLS),
    "*:read": {"servers:read", "snapshots:read", "backups:read"},
    "servers:*": {"servers:read", "servers:write"},
    "servers:read": {"servers:read"},
    "snapshots:*": {"snapshots:read", "snapshots:write"},
    "snapshots:write": {"snapshots:write"},
    "backups:read": {"backups:read"},
    "domains:*": set(),
}


@pytest.fixture(scope="module")
def guarded() -> Iterator[Emulator]:
    tokens = [{"token": f"vps_{grant}", "name": grant, "permissions": [grant]} for grant in GRANTS]
    seed = {"servers": [{"id": 12345, "name": "a"}], "tokens": [*tokens, {"token": "vps_none", "permissions": []}]}
    with Emulator(seed, arguments=["--token=vps_second"]) as emulator:
        yield emulator


@pytest.mark.parametrize("needed", CALLS)
@pytest.mark.parametrize("grant", GRANTS)
def test_a_call_needs_its_permission(caller: Any, guarded: Emulator, grant: str, needed: str) -> None:
    method, path, allowed = CALLS[needed]
    answer = caller(guarded, f"vps_{grant}")(method, path)
    assert answer.status_code == (allowed if needed in GRANTS[grant] else 403), answer.text
    if answer.status_code == 403:
        assert set(answer.json()) == {"detail"}


def test_any_token_may_ask_who_it_is(caller: Any, guarded: Emulator) -> None:
    answer = caller(guarded, "vps_none")("GET", "/account/me/")
    assert (answer.status_code, answer.json()["token"]) == (200, {"name": "seeded", "permissions": []})


def test_each_token_of_the_command_line_may_do_all(caller: Any, guarded: Emulator) -> None:
    for token in (guarded.token, "vps_second"):
        assert caller(guarded, token)("GET", "/account/me/").json()["token"]["permissions"] == ["*:*"]


@pytest.mark.parametrize("token", [None, "vps_wrong", "", "two words"])
@pytest.mark.parametrize(
    ("method", "path", "_status"), [*CALLS.values(), ("GET", "/account/me/", 0), ("GET", "/x/", 0)]
)
def test_without_a_known_token_all_is_401(
    caller: Any, guarded: Emulator, token: str | None, method: str, path: str, _status: int
) -> None:
    api = caller(guarded, None)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    answer = api(method, path, headers=headers)
    assert (answer.status_code, set(answer.json())) == (401, {"detail"})
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_another_scheme_is_no_bearer(caller: Any, guarded: Emulator) -> None:
    answer = caller(guarded, None)("GET", "/servers/", headers={"Authorization": f"Token {guarded.token}"})
    assert answer.status_code == 401


def test_too_many_calls_are_429_with_the_seconds_to_wait(caller: Any) -> None:
    with Emulator(arguments=["--throttle=3/min", "--token=vps_other"]) as emulator:
        api = caller(emulator)
        assert [api("GET", "/snapshots/").status_code for _each in range(4)] == [200, 200, 200, 429]
        answer = api("GET", "/servers/")
        assert (answer.status_code, set(answer.json())) == (429, {"detail"})
        assert 0 < int(answer.headers["Retry-After"]) <= 60
        assert emulator.requests()[-1]["status"] == 429
        assert caller(emulator, "vps_other")("GET", "/servers/").status_code == 200, "each token has its own rate"
