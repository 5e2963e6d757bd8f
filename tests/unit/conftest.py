# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the unit tests share: one emulator with a server for every situation, a fast clock, and modules run for real."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import time
import unittest.mock
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import requests
from vps_emulator.testing import Emulator

# Ansible and the collection are imported where they are used: this file is read before they can be found.
COLLECTION = "ansible_collections.vpsdotorg.cloud.plugins"

hypothesis.settings.register_profile("unit", deadline=None, database=None)
hypothesis.settings.load_profile("unit")

TOKEN = "vps_unit_9f2c7a61d0e84b35"
READER_TOKEN = "vps_unit_may_not_read_servers"

# Each server is a situation, and bears its name; its snapshots are name, status and age.
SITUATIONS: dict[str, list[tuple[str, str, str]]] = {
    "empty": [],
    "completed": [("before-update", "completed", "3h")],
    "in_progress": [("before-update", "in_progress", "1s")],
    "stuck": [("before-update", "in_progress", "1s")],
    "failed": [("before-update", "failed", "3h")],
    "error": [("before-update", "error", "3h")],
    "unknown": [("before-update", "archived", "3h")],
    "twice": [("before-update", "completed", "3h"), ("before-update", "completed", "9h")],
    "failed_after_completed": [("before-update", "failed", "1h"), ("before-update", "completed", "3h")],
    "full": [
        ("manual", "completed", "9d"),
        ("nightly-3", "completed", "3d"),
        ("nightly-1", "completed", "5d"),
        ("nightly-2", "completed", "4d"),
        ("nightlyish", "completed", "8d"),
    ],
    "full_with_one_nightly": [
        ("nightly-1", "completed", "5d"),
        ("nightly-2", "failed", "4d"),
        ("nightly-3", "archived", "3d"),
        ("manual-1", "completed", "2d"),
        ("manual-2", "completed", "1d"),
    ],
    "full_with_a_failed_one": [
        ("before-update", "failed", "1h"),
        ("nightly-1", "completed", "5d"),
        ("nightly-2", "completed", "4d"),
        ("manual-1", "completed", "2d"),
        ("manual-2", "completed", "1d"),
    ],
    "nightlies": [
        ("nightly-5", "in_progress", "9d"),
        ("nightly-4", "completed", "1d"),
        ("nightly-3", "completed", "3d"),
        ("nightly-2", "failed", "4d"),
        ("nightlyish", "completed", "8d"),
    ],
    "more_nightlies": [
        ("nightly-1", "completed", "6d"),
        ("nightly-2", "completed", "2h"),
        ("nightly-3", "archived", "7d"),
    ],
    "stopped": [("before-update", "completed", "3h")],
    "suspended": [("before-update", "completed", "3h")],
    "restoring": [("before-update", "completed", "3h")],
    # Here a restore takes a second, and a power action for ever.
    "slow": [("before-update", "completed", "3h")],
}
IDS = {name: number for number, name in enumerate(SITUATIONS, start=101)}


def seed(shape: str) -> dict[str, Any]:
    """The emulator's seed for the situations: the snapshots of server 104 have the ids 1041, 1042, and so on."""
    return {
        "server_shape": shape,
        "tokens": [{"token": READER_TOKEN, "name": "no servers", "permissions": ["snapshots:*"]}],
        "servers": [
            {
                "id": number,
                "uuid": f"00000000-0000-4000-8000-{number:012}",
                "name": name,
                "status": name if name in ("stopped", "suspended", "restoring") else "active",
                "ip_address": f"203.0.113.{number}",
                "restore_minutes": 100 if name == "slow" else 10,
                "power_seconds": 10**7 if name == "slow" else 30,
                # Time to find it in progress, yet soon over.
                "snapshot_minutes": 30 if name == "in_progress" else 5,
            }
            for name, number in IDS.items()
        ],
        "snapshots": [
            {
                "id": IDS[server] * 10 + position,
                "server_id": IDS[server],
                "name": name,
                "status": status,
                "age": age,
                "outcome": "completed" if server == "in_progress" else "stuck",
            }
            for server, snapshots in SITUATIONS.items()
            for position, (name, status, age) in enumerate(snapshots, start=1)
        ],
        "backups": [
            {"id": 301, "server_id": IDS["full"], "backup_type": "automatic", "age": "2d"},
            {"id": 302, "server_id": IDS["full"], "backup_type": "manual", "age": "1d"},
            {"id": 303, "server_id": IDS["empty"], "backup_type": "automatic", "age": "3d"},
        ],
    }


class Service(Emulator):
    """The emulator, and what tests ask about it."""

    def __init__(self, shape: str = "both") -> None:
        # So fast that a snapshot takes 50 ms and a restore 100 ms.
        super().__init__(seed(shape), token=TOKEN, time_scale=6000)
        self.shape = shape
        self._is_as_seeded = True

    def fault(self, **fault: Any) -> None:
        self._is_as_seeded = False
        super().fault(**fault)

    def clear_requests(self) -> None:
        calls = self.requests()
        self._is_as_seeded = self._is_as_seeded and all(call["method"] == "GET" for call in calls)
        if calls:
            super().clear_requests()

    def reset(self) -> None:
        super().reset()
        self._is_as_seeded = True

    def tidy(self) -> None:
        """Back to the seed, where a test has left traces: a real reset is the larger part of a short test."""
        if self._is_as_seeded:
            self.clear_requests()
        if not self._is_as_seeded:
            self.reset()

    def calls(self) -> list[str]:
        """What was called, like ``GET /snapshots/``, in order."""
        return [f"{call['method']} {call['path'].removeprefix('/api/v1')}" for call in self.requests()]

    def posts(self) -> list[str]:
        """The paths that were POSTed to."""
        return [call.removeprefix("POST ") for call in self.calls() if call.startswith("POST ")]

    def names(self, situation: str) -> list[str]:
        """The names of the snapshots that a server has now, sorted."""
        answer = requests.get(
            f"{self.url}/snapshots/?server_id={IDS[situation]}",
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=30,
        )
        return sorted(snapshot["name"] for snapshot in answer.json()["results"])


@pytest.fixture(scope="session")
def emulator() -> Iterator[Service]:
    """Serve all situations."""
    with Service() as service:
        yield service


@pytest.fixture(scope="session", params=["pages", "vendor"])
def shaped_emulator(request: pytest.FixtureRequest) -> Iterator[Service]:
    """Serve the same, with servers either as the vendor's pages show them or as its client reads them."""
    with Service(request.param) as service:
        yield service


@pytest.fixture
def service(emulator: Service) -> Service:
    """Return the emulator as its seed has it, with an empty log."""
    emulator.tidy()
    return emulator


@pytest.fixture
def servers() -> dict[str, int]:
    """Map each situation to the id of its server."""
    return IDS


class Clock:
    """Passes only in pauses, and these are short; `pauses` are the seconds that were asked for."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        time.sleep(seconds / 300)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the product and urllib3's retries a fast clock."""
    fast = Clock()
    for module in (f"{COLLECTION}.module_utils._client", f"{COLLECTION}.module_utils._operations"):
        monkeypatch.setattr(f"{module}.time", fast)
    return fast


class Run:
    """Runs modules through the real AnsibleModule; no run may show the token, and check mode may not write."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def __call__(self, module: str, *, check: bool = False, **options: Any) -> dict[str, Any]:
        """Run a module that must not fail; return its result."""
        result = self.any(module, check=check, **options)
        if result.get("failed"):
            pytest.fail(f"{module} failed: {result['msg']}")
        return result

    def fails(self, module: str, *, check: bool = False, **options: Any) -> dict[str, Any]:
        """Run a module that must fail; return its result."""
        result = self.any(module, check=check, **options)
        if not result.get("failed"):
            pytest.fail(f"{module} did not fail: {result}")
        return result

    def rehearsed(self, module: str, **options: Any) -> dict[str, Any]:
        """Run a module in check mode, then for real; return the real result, which must be the predicted one."""
        predicted = self.any(module, check=True, **options)
        real = self.any(module, **options)
        assert _comparable(predicted) == _comparable(real)
        return real

    def any(self, module: str, *, check: bool = False, **options: Any) -> dict[str, Any]:
        """Run a module; return its result, whatever it is. An option that is None is not given."""
        given = {"api_url": self._service.url, "api_token": TOKEN, **options}
        return self._run(module, {name: value for name, value in given.items() if value is not None}, check)

    def raw(self, module: str, *, check: bool = False, **options: Any) -> dict[str, Any]:
        """Run a module with exactly these options, nulls included; return its result, whatever it is."""
        return self._run(module, {"api_url": self._service.url, "api_token": TOKEN, **options}, check)

    def _run(self, module: str, arguments: dict[str, Any], check: bool) -> dict[str, Any]:
        writes = self._service.writes() if check else []
        output = _output_of(module, {**arguments, "_ansible_check_mode": check, "_ansible_diff": True})
        secrets = {str(arguments.get("api_token")).strip(), TOKEN, READER_TOKEN}
        # What is shorter is refused as no token.
        assert [secret for secret in secrets if len(secret) >= 8 and secret in output] == []
        result = json.loads(output[output.index("{") :])
        if check:
            assert self._service.writes() == writes
        assert "deprecations" not in result
        if "warnings" in result:
            result["warnings"] = [_text(warning) for warning in result["warnings"]]
        return result


def _output_of(module: str, arguments: dict[str, Any]) -> str:
    """Everything that a module prints."""
    output = io.StringIO()
    main = importlib.import_module(f"{COLLECTION}.modules.{module}").main
    with (
        _arguments(arguments),
        _as_on_a_target(),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(output),
        pytest.raises(SystemExit),
    ):
        main()
    return output.getvalue()


def _arguments(arguments: dict[str, Any]) -> contextlib.AbstractContextManager[None]:
    """Hand a module its arguments, by ansible-core's own helper where there is one (2.16 has none)."""
    try:
        from ansible.module_utils.testing import patch_module_args
    except ImportError:
        buffer = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()
        return unittest.mock.patch("ansible.module_utils.basic._ANSIBLE_ARGS", buffer)
    return patch_module_args(arguments)


@contextlib.contextmanager
def _as_on_a_target() -> Iterator[None]:
    """Warnings are returned, and gone with the process: this one also is a controller (from 2.19 on), and goes on."""
    from ansible.module_utils.common import warnings

    with pytest.MonkeyPatch.context() as patch:
        for kept in (warnings._global_warnings, warnings._global_deprecations):
            kept.clear()
        with contextlib.suppress(ImportError, AttributeError):
            patch.setattr("ansible.module_utils._internal.is_controller", False)
        yield


def _text(warning: Any) -> str:
    """The text of a warning, which is an object from 2.19 on."""
    return warning if isinstance(warning, str) else warning["event"]["msg"]


def _comparable(result: dict[str, Any]) -> dict[str, Any]:
    """What check mode has to predict: everything but new ids, times, sizes and the failure's exact words."""
    return {
        "keys": sorted(result),
        "failed": result.get("failed", False),
        "changed": result.get("changed"),
        "diff": result.get("diff"),
        "deleted": [snapshot["id"] for snapshot in result.get("deleted", [])],
        "snapshot": _kind(result.get("snapshot")),
        "server": _kind(result.get("server")),
        "status_code": result.get("status_code"),
    }


def _kind(described: dict[str, Any] | None) -> dict[str, Any] | None:
    return described and {
        "keys": sorted(described),
        **{key: described.get(key) for key in ("name", "status", "server", "description")},
    }


@pytest.fixture
def run(service: Service) -> Run:
    """Run modules against the emulator."""
    return Run(service)


@pytest.fixture
def shaped_run(shaped_emulator: Service) -> Run:
    """Run modules against the emulator in either shape."""
    shaped_emulator.tidy()
    return Run(shaped_emulator)
