# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Exactly the versions that an earlier run has proven."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.vpsdotorg.cloud.plugins.plugin_utils.safe_update import managers, proven

HERE = {"hello-web:all": "1.0", "libc6:amd64": "2.36-9", "perl:amd64": "5.40", "bash:amd64": "5.2"}


def host(*packages: tuple[str, str, str], outcome: str = "updated", **more: Any) -> dict[str, Any]:
    changes = [dict(zip(("name", "old", "new"), each, strict=True)) for each in packages]
    return {"outcome": outcome, "packages": changes, **more}


def report(*hosts: dict[str, Any]) -> str:
    return json.dumps({"hosts": {f"staging{number}": each for number, each in enumerate(hosts)}})


WEB = ("hello-web:all", "1.0", "2.0")
LIBC = ("libc6:amd64", "2.36-9", "2.36-10")


@pytest.mark.parametrize(
    ("hosts", "known"),
    [
        ([host(WEB, LIBC)], {"hello-web:all": "2.0", "libc6:amd64": "2.36-10"}),
        ([host(WEB), host(LIBC)], {"hello-web:all": "2.0", "libc6:amd64": "2.36-10"}),
        ([host(WEB), host(WEB)], {"hello-web:all": "2.0"}),
        # What is not here stays away, what was removed there stays here, what is here already is nothing to do.
        ([host(("nginx:amd64", "1", "2"), ("perl:amd64", "5.40", ""), ("bash:amd64", "5.1", "5.2"))], {}),
        # Only what was good proves anything.
        ([host(WEB), host(LIBC, outcome="rolled_back")], {"hello-web:all": "2.0"}),
        ([host(WEB), host(LIBC, check_mode=True)], {"hello-web:all": "2.0"}),
        ([host(WEB), {"outcome": "refused"}], {"hello-web:all": "2.0"}),
    ],
)
def test_proven_versions(hosts: list[dict[str, Any]], known: dict[str, str]) -> None:
    assert proven.versions(report(*hosts), HERE) == (known, "")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no report.json"),
        ("null", "is no report.json"),
        ("[]", "is no report.json"),
        ("{", "is no report.json"),
        ('{"hosts": null}', "is no report.json"),
        ('{"hosts": {"a": null}}', "is no report.json"),
        ('{"hosts": {"a": {"outcome": "updated"}}}', "is no report.json"),
        ('{"hosts": {"a": {"outcome": "updated", "packages": [3]}}}', "is no report.json"),
        ('{"hosts": {}}', "of its 0 hosts none was updated"),
        (report(host(WEB, outcome="kept")), "of its 1 hosts none was updated"),
        (report(host(WEB), host(("hello-web:all", "1.0", "3.0"))), "hello-web:all: 2.0 and 3.0"),
    ],
)
def test_a_report_that_proves_nothing(text: str, why: str) -> None:
    known, told = proven.versions(text, HERE)
    assert known == {}
    assert why in told


KNOWN = {"hello-web:all": "2.0", "libc6:amd64": "2.36-10", "lab.noarch": "0:1.1-1"}


@pytest.mark.parametrize(
    ("asked", "pending", "why"),
    [
        ({"rc": 0}, [("hello-web", "1.0", "2.0"), ("libc6", "2.36-9", "2.36-10")], ""),
        ({"rc": 0}, [("libc6:amd64", "2.36-9", "2.36-10")], ""),
        ({}, [("lab.noarch", "1.0-1", "1.1-1")], ""),
        ({}, [("half", "unfinished", "configured")], ""),
        (
            {"rc": 0},
            [("hello-web", "1.0", "3.0")],
            "also change what was not (safe_update_versions_from): hello-web 3.0",
        ),
        ({"rc": 0}, [("newcomer", "", "1")], "newcomer 1"),
        (
            {"rc": 100, "stderr_lines": ["E: Version '2.0' for 'hello-web' was not found"]},
            [],
            "cannot be installed here (safe_update_versions_from): Version '2.0' for 'hello-web' was not found",
        ),
        ({"rc": 100, "stderr_lines": ["Error: Unable to locate package x"]}, [], "Unable to locate package x"),
        (
            {"rc": 104, "stdout_lines": ['<message type="error">No provider of &apos;a=9&apos; found.</message>']},
            [],
            "No provider of 'a=9' found.",
        ),
        ({"failed": True, "msg": "no", "failures": ["No package a-1 available."]}, [], "No package a-1 available."),
        ({"failed": True, "msg": "dnf is broken"}, [], "dnf is broken"),
        ({"rc": 1}, [], "no reason given"),
    ],
)
def test_refusal(asked: dict[str, Any], pending: list[tuple[str, str, str]], why: str) -> None:
    changes = [dict(zip(("name", "old", "new"), each, strict=True)) for each in pending]
    told = proven.refusal(asked, changes, KNOWN)
    assert why in told
    assert bool(told) == bool(why)


def test_what_is_newer_here_is_told() -> None:
    said = ["newer-here libc6:amd64 2.36-11 2.36-10", "Inst a [1] (2 x [amd64])", "newer-here packages are"]
    assert proven.warnings({"stdout_lines": said}) == [
        "Newer here than what was proven, and left as it is: libc6:amd64 2.36-11 (proven: 2.36-10)."
    ]
    assert proven.warnings({}) == []


@pytest.mark.parametrize(
    ("manager", "source", "words"),
    [
        ("apt", None, ["apt-get", "--simulate", "--quiet", "dist-upgrade"]),
        ("dnf", None, ["*"]),
        ("apt", "/report.json", ["sh", "-s", "hello-web=2.0", "libc6:amd64=2.36-10"]),
        ("dnf", "/report.json", ["lab-0:1.1-1.noarch"]),
    ],
)
def test_what_the_package_manager_is_asked(manager: str, source: str | None, words: list[str]) -> None:
    known = {name: version for name, version in KNOWN.items() if name.endswith(".noarch") == (manager == "dnf")}
    assert managers.KNOWN[manager].asks({"options": {"versions_from": source}, "proven": known}) == words
