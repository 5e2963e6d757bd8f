# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module shares: where its credentials come from, that the token stays secret, and how it fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CLONE = Path(__file__).resolve().parents[4]
TOKEN = "vps_unit_9f2c7a61d0e84b35"

# Options with which each module succeeds at once.
MODULES: dict[str, dict[str, Any]] = {
    "vps_backup_info": {},
    "vps_server_info": {},
    "vps_server_power": {"server_id": 101, "state": "started"},
    "vps_snapshot": {"server_id": 102, "name": "before-update"},
    "vps_snapshot_info": {},
    "vps_snapshot_prune": {"server_id": 101, "name_prefix": "nightly-", "keep": 1},
    "vps_snapshot_restore": {"server_id": 102, "name": "before-update"},
}
every_module = pytest.mark.parametrize("module", MODULES)


def test_every_module_is_here() -> None:
    assert sorted(MODULES) == sorted(path.stem for path in (CLONE / "plugins" / "modules").glob("*.py"))


# Where the options come from


@every_module
def test_url_and_token_come_from_the_environment(
    run: Any, service: Any, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in service.environ.items():
        monkeypatch.setenv(name, value)
    run(module, api_url=None, api_token=None, **MODULES[module])
    assert service.calls()


@every_module
@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("VPS_API_URL", "http://192.0.2.1", "http://"),
        ("VPS_API_TOKEN", "not a token", "api_token"),
        ("VPS_API_CA_PATH", "/missing.pem", "ca_path /missing.pem does not exist"),
        ("VPS_API_TIMEOUT", "0", "api_timeout must be at least 1 and at most 3600, not 0"),
        ("VPS_API_RETRIES", "-1", "api_retries must be at least 0 and at most 100, not -1"),
    ],
)
def test_each_option_falls_back_to_its_variable_and_wins_over_it(
    run: Any, service: Any, module: str, variable: str, value: str, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    option = variable.removeprefix("VPS_").lower().replace("api_ca_path", "ca_path")
    assert complaint in run.fails(module, **{option: None}, **MODULES[module])["msg"]
    assert service.calls() == []
    own = {"api_url": service.url, "api_token": TOKEN, "ca_path": "/", "api_timeout": 30, "api_retries": 5}
    run(module, **{option: own[option]}, **MODULES[module])


@every_module
def test_a_missing_token_is_named(run: Any, service: Any, module: str) -> None:
    assert "api_token" in run.fails(module, api_token=None, **MODULES[module])["msg"]
    assert service.calls() == []


def test_the_options_of_a_request_are_those_of_the_module(
    run: Any, service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.fault(kind="status", code=503, times=0)
    run.fails("vps_snapshot_info", api_retries=2)
    assert len(service.calls()) == 3
    monkeypatch.setenv("VPS_API_RETRIES", "1")
    service.clear_requests()
    run.fails("vps_snapshot_info")
    assert len(service.calls()) == 2


def test_api_timeout_bounds_one_request(run: Any, service: Any) -> None:
    service.fault(kind="delay", seconds=30)
    result = run.fails("vps_snapshot_info", api_timeout=1, api_retries=0)
    assert "no whole answer within 1 s" in result["msg"]


# How it fails


@every_module
def test_a_refused_token_is_said_with_status_body_and_advice(run: Any, module: str) -> None:
    result = run.fails(module, api_token="vps_unit_wrong", **MODULES[module])
    assert result["status_code"] == 401
    assert result["api_error"] == {"detail": "Invalid token."}
    for fact in ("Invalid token", "VPS_API_TOKEN"):
        assert fact in result["msg"]


@every_module
def test_where_nobody_answers_there_is_no_status_code(run: Any, service: Any, module: str) -> None:
    service.fault(kind="drop_before", times=0)
    result = run.fails(module, api_retries=1, **MODULES[module])
    assert "got no answer" in result["msg"]
    assert "status_code" not in result


@pytest.mark.parametrize("module", ["vps_snapshot", "vps_server_info"])
def test_a_missing_library_is_reported_as_ansibles_modules_do(module: str, collections_path: Path) -> None:
    # In a process of its own, as what was imported without the library would stay.
    name = f"ansible_collections.vpsdotorg.cloud.plugins.modules.{module}"
    code = f"import runpy, sys; sys.modules['requests'] = None; runpy.run_module('{name}', run_name='__main__')"
    process = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(collections_path)},
        input=json.dumps({"ANSIBLE_MODULE_ARGS": {"api_token": TOKEN, **MODULES[module]}}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1, process.stderr
    assert json.loads(process.stdout)["msg"].startswith("Failed to import the required Python library (requests) on")
    assert TOKEN not in process.stdout


@every_module
@pytest.mark.parametrize("code", [400, 403, 404, 500])
def test_every_refusal_ends_in_one_plain_failure(run: Any, service: Any, module: str, code: int) -> None:
    service.fault(kind="status", code=code, times=0, body={"detail": "Because."})
    result = run.any(module, api_retries=0, **MODULES[module])
    assert result["failed"] is True
    assert result["status_code"] == code
    assert "Because" in result["msg"]


# The token is a secret: `run` looks for it in all that is printed, whatever happens.


@every_module
@pytest.mark.parametrize("token", [TOKEN, f"{TOKEN}\n", f"  {TOKEN}"], ids=["plain", "line break", "spaces"])
def test_a_token_that_the_api_echoes_is_not_shown(run: Any, service: Any, module: str, token: str) -> None:
    service.fault(kind="status", code=403, body={"detail": f"Token {TOKEN} may not.", TOKEN: [TOKEN]}, times=0)
    result = run.fails(module, api_token=token, **MODULES[module])
    assert "may not" in result["msg"]


@pytest.mark.parametrize("token", [f"{TOKEN}\n", TOKEN])
def test_a_token_in_a_snapshot_or_a_page_is_not_shown(run: Any, service: Any, token: str) -> None:
    echo = {
        "id": 1,
        "server": {"id": 7, "name": TOKEN},
        "name": TOKEN,
        "status": "completed",
        "description": f"of {TOKEN}",
        TOKEN: 1,
    }
    service.fault(kind="status", code=200, body={"count": 1, "next": None, "results": [echo]})
    assert run("vps_snapshot_info", api_token=token)["snapshots"][0]["id"] == 1
    service.fault(kind="status", code=502, body=f"<html><title>{TOKEN}</title></html>", times=0)
    run.fails("vps_snapshot_info", api_token=token, api_retries=0)


def test_a_token_from_the_environment_is_not_shown_either(
    run: Any, service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VPS_API_TOKEN", f"{TOKEN}\n")
    service.fault(kind="status", code=403, body={"detail": f"Token {TOKEN} may not."})
    assert "may not" in run.fails("vps_snapshot_info", api_token=None)["msg"]


def test_a_token_with_a_line_break_works(run: Any) -> None:
    run("vps_snapshot_info", api_token=f"{TOKEN}\n")


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (None, "There is no API token: set VPS_API_TOKEN"),
        ("", "There is no API token: set VPS_API_TOKEN"),
        (" \n", "There is no API token: set VPS_API_TOKEN"),
        ("vps_a b", "api_token holds blanks"),
        ("Bearer vps_a", "without 'Bearer'"),
        ("'vps_a'", "api_token is in quotes"),
        ('"vps_a"', "api_token is in quotes"),
        ("ab", "api_token is shorter than 3 characters"),
        ("a", "api_token is shorter than 3 characters"),
        (True, "api_token has to be text, not a bool"),
        (["vps_abcdefgh"], "api_token has to be text, not a list"),
    ],
)
def test_a_token_that_cannot_be_one_is_refused_in_plain_words(run: Any, service: Any, token: str, words: str) -> None:
    assert words in run.raw("vps_snapshot_info", api_token=token)["msg"]
    assert service.calls() == []


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1.evil.com/api/v1", "https://user:pass@admin.vps.org/api/v1", "admin.vps.org"]
)
def test_a_wrong_url_is_refused_in_plain_words(run: Any, url: str) -> None:
    message = run.fails("vps_snapshot_info", api_url=url)["msg"]
    assert "api_url" in message
    assert "user:pass" not in message


# Numbers


NUMBERS = {
    "api_timeout": "vps_snapshot_info",
    "api_retries": "vps_snapshot_info",
    "progress_interval": "vps_snapshot",
    "wait_timeout": "vps_snapshot_restore",
    "snapshot_limit": "vps_snapshot",
    "snapshot_id": "vps_snapshot_restore",
    "keep": "vps_snapshot_prune",
}


@pytest.mark.parametrize(("option", "module"), NUMBERS.items())
@pytest.mark.parametrize("value", [True, False, 1.0, "1e0", "+1", "01", "1_1", "\uff11", "\u0661"])
def test_what_is_no_whole_number_is_refused_before_any_call(
    run: Any, service: Any, option: str, module: str, value: Any
) -> None:
    result = run.raw(module, **{**MODULES[module], option: value})
    assert result["failed"]
    assert option in result["msg"]
    assert service.calls() == []


@pytest.mark.parametrize("value", [1, "1", " 1 ", "1\n"])
def test_a_number_may_be_text(run: Any, value: Any) -> None:
    run("vps_snapshot_info", api_retries=value)


def test_a_variable_that_is_no_whole_number_is_refused_too(
    run: Any, service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VPS_API_TIMEOUT", "1_1")
    assert "api_timeout has to be a whole number, not '1_1'" in run.fails("vps_snapshot_info")["msg"]
    assert service.calls() == []


# What is promised is returned by every failure


@pytest.mark.parametrize(
    ("module", "promised"),
    [
        ("vps_snapshot", {"snapshot": None, "deleted": []}),
        ("vps_snapshot_restore", {"snapshot": None, "server": None}),
        ("vps_snapshot_prune", {"deleted": [], "kept": []}),
        ("vps_server_power", {"server": None}),
    ],
)
def test_what_is_promised_is_always_there(run: Any, service: Any, module: str, promised: dict) -> None:
    service.fault(kind="status", code=401, times=0)
    for result in (run.fails(module, **MODULES[module]), run.fails(module, nonsense=1)):
        assert {"changed": False, **promised}.items() <= result.items()
