# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables: what is taken, what is refused, and in which words."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.vpsdotorg.cloud.plugins.plugin_utils.safe_update.options import OPTIONS, at, validate

ROLE = Path(__file__).parents[5] / "roles" / "safe_update"
ID = {"safe_update_server_id": 12345}


def check(name: str, value: Any) -> tuple[Any, list[str]]:
    """What becomes of one variable."""
    options, mistakes = validate({**ID, f"safe_update_{name}": value}, lambda path: f"/found/{path}", ["/play"])
    return options.get(name), mistakes


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("missing", [None, "", "   ", "\n"])
def test_missing_means_the_default(name: str, missing: Any) -> None:
    value, mistakes = check(name, missing)
    assert value == OPTIONS[name][0]
    assert (mistakes == []) == (name != "server_id")


@pytest.mark.parametrize("missing", [None, "", "  ", "None", "null"])
def test_a_host_without_a_server_id_is_refused_first(missing: Any) -> None:
    _options, mistakes = validate({"safe_update_server_id": missing}, lambda _path: None)
    assert "no server id" in mistakes[0]


@pytest.mark.parametrize(
    ("name", "value", "taken"),
    [
        ("server_id", "12345", 12345),
        ("server_id", "1f0c9a3e-0000-4000-8000-000000000001", "1f0c9a3e-0000-4000-8000-000000000001"),
        ("cleanup", "false", False),
        ("cleanup", "No", False),
        ("offline", "yes", True),
        ("offline", 1, True),
        ("timeout", "60", 60),
        ("keep", "2", 2),
        ("exclude", "a, b,,c", ["a", "b", "c"]),
        ("exclude", ["linux-*"], ["linux-*"]),
        ("hold", [801, None, " ", "safe-update-20260131T235900Z "], ["801", "safe-update-20260131T235900Z"]),
        ("run_id", 4711, "4711"),
        ("run_id", " nightly:2026-01-31_a.b ", "nightly:2026-01-31_a.b"),
        ("hold", "801,802", ["801", "802"]),
        ("hold", 801, ["801"]),
        ("hold", [], []),
        ("require_backup_within", "24h", "24h"),
        ("window_end", "2026-01-31T04:00:00+01:00", "2026-01-31T04:00:00+01:00"),
        ("window_end", "2026-01-31T04:00:00+0100", "2026-01-31T04:00:00+0100"),
        ("window_end", "2026-01-31T04:00:00Z", "2026-01-31T04:00:00Z"),
        ("window_end", datetime(2026, 1, 31, tzinfo=timezone.utc), "2026-01-31T00:00:00+00:00"),
        ("tasks", "update.yml", "/found/update.yml"),
    ],
)
def test_what_is_taken(name: str, value: Any, taken: Any) -> None:
    assert check(name, value) == (taken, [])


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("timeout", -5, "1 to"),
        ("timeout", 0, "1 to"),
        ("timeout", "1h", "whole number"),
        ("timeout", 1.5, "whole number"),
        ("timeout", True, "whole number"),
        ("timeout", "9" * 400, "whole number"),
        ("keep", -1, "0 to"),
        ("window_end", "tomorrow", "a time with an offset"),
        ("window_end", "2026-01-31T04:00:00", "a time with an offset"),
        ("require_backup_within", "soon", "such as 24h"),
        ("require_backup_within", "-1h", "such as 24h"),
        ("require_backup_within", 24, "such as 24h"),
        ("name_prefix", "a b", "letters, digits"),
        ("name_prefix", "a/../b", "letters, digits"),
        ("name_prefix", "pre\nfix", "letters, digits"),
        ("on_failure", "rolback", "did you mean rollback?"),
        ("on_failure", ["rollback"], "keep, rollback"),
        ("cleanup", "perhaps", "true or false"),
        ("exclude", {"a": 1}, "a list of texts"),
        ("hold", {"a": 1}, "a list of texts"),
        ("hold", True, "a list of texts"),
        ("run_id", "a b", "100 of them at most"),
        ("run_id", "a" * 101, "100 of them at most"),
        ("run_id", "ü", "letters, digits"),
        ("run_id", "a\nb", "letters, digits"),
        ("max_failures", 0, "1 to"),
        ("exclude", [["a"]], "a list of texts"),
        *[("server_id", wrong, "integer id or its UUID") for wrong in ("web-1", [], {}, True, -1)],
        ("snapshot_id", "newest", "whole number"),
        ("checks", "port 443", "a list of checks"),
        ("checks", [{}], "has none of them"),
        ("checks", ["443"], "number 1 of it is no mapping"),
        ("checks", [{"port": 443}, {"url": "https://x", "port": 443}], "number 2 of it has url and port"),
        ("checks", [{"port": 0}], "port of number 1"),
        ("checks", [{"url": "example.org"}], "http:// or https://"),
        ("checks", [{"url": "https://x", "status": 99}], "status of number 1"),
        ("checks", [{"command": "it's"}], "as a shell splits"),
        ("checks", [{"command": [" "]}], "not empty"),
        ("checks", [{"service": "nginx", "retry": 3}], "did you mean retries?"),
        ("checks", [{"service": "nginx", "retries": -1}], "retries of number 1"),
        ("on_fail", "rollback", "did you mean safe_update_on_failure?"),
        ("zzz", 1, "no variable of this role"),
    ],
)
def test_what_is_refused(name: str, value: Any, said: str) -> None:
    _value, mistakes = check(name, value)
    assert len(mistakes) == 1
    assert f"safe_update_{name}" in mistakes[0]
    assert said in mistakes[0]


@pytest.mark.parametrize(
    ("check_", "taken"),
    [
        ({"command": "test -e 'a b'"}, {"kind": "command", "command": ["test", "-e", "a b"]}),
        ({"command": ["test", "-e", "a b"]}, {"kind": "command", "command": ["test", "-e", "a b"]}),
        ({"port": "443", "url": None}, {"kind": "port", "port": 443}),
        ({"url": "https://x"}, {"kind": "url", "url": "https://x", "status": [200], "validate_certs": True}),
        ({"url": "https://x", "status": [200, "204"]}, {"kind": "url", "status": [200, 204]}),
        ({"service": "nginx", "retries": 0}, {"kind": "service", "retries": 0, "delay": 3, "timeout": 10}),
    ],
)
def test_checks(check_: dict[str, Any], taken: dict[str, Any]) -> None:
    (found,), mistakes = check("checks", [check_])
    assert mistakes == []
    assert {key: found[key] for key in taken} == taken


@pytest.mark.parametrize("name", ["hosts", "serial", "max_fail_percentage", "allow_empty", "result"])
def test_variables_of_the_playbook_are_no_mistakes(name: str) -> None:
    assert check(name, "anything")[1] == []


def test_a_task_file_that_is_not_there_names_the_places() -> None:
    options, mistakes = validate({**ID, "safe_update_tasks": "up.yml"}, lambda _path: None, ["/play", "/inventory"])
    assert options["tasks"] is None
    assert "up.yml" in mistakes[0]
    assert "/play, /inventory" in mistakes[0]


def test_every_mistake_is_told_at_once() -> None:
    assert len(validate({"safe_update_keep": -1, "safe_update_timeout": 0}, lambda _path: None)[1]) == 3


@pytest.mark.parametrize(
    ("text", "hour"), [("2026-01-31T04:00:00+01:00", 3), ("2026-01-31T04:00:00-0130", 5), ("2026-01-31T04:00:00z", 4)]
)
def test_moments(text: str, hour: int) -> None:
    assert at(text).astimezone(timezone.utc).hour == hour


def test_defaults_are_those_of_the_role() -> None:
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text(encoding="utf-8"))
    for name, (default, parse) in OPTIONS.items():
        if name != "server_id":
            given = defaults[f"safe_update_{name}"]
            assert default in (given, given and parse(given)), name


MIB = 2**20


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({}, {}),
        (
            {"/": "500M", "/srv": "1.5 GiB", "/a": "2t", "/b": 1024, "/c": 0, "/d": "10kb"},
            {
                "/": 500 * MIB,
                "/srv": 1536 * MIB,
                "/a": 2**41,
                "/b": 1024,
                "/c": 0,
                "/d": 10240,
            },
        ),
        ({"/boot": None, "/srv": ""}, {"/boot": 100 * MIB, "/srv": 0}),
    ],
)
def test_sizes(given: dict[str, Any], taken: dict[str, int]) -> None:
    assert check("min_free", given) == (taken, [])


@pytest.mark.parametrize("given", ["500M", ["/"], {"/": "5X"}, {"/": "-1"}, {"/": True}, {"/": []}, {"var": "1M"}])
def test_sizes_that_are_none(given: Any) -> None:
    assert len(check("min_free", given)[1]) == 1
