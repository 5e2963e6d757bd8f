# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An assessment in words: who comes first, what a terminal shows, what is not known."""

from __future__ import annotations

import json
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.vpsdotorg.cloud.plugins.plugin_utils.safe_update import packages
from ansible_collections.vpsdotorg.cloud.plugins.plugin_utils.safe_update.assess import STATES, WIDTH, assess, state
from ansible_collections.vpsdotorg.cloud.plugins.plugin_utils.safe_update.report import ROWS

HOSTILE = "<script>alert(1)</script> \x1b[31mred\x07 \u202egnp.exe\nfake: [ok]"
OPENSSL = {"name": "openssl", "old": "3.0.15-1", "new": "3.0.16-1"}
HELLO = {"name": "hello", "old": "2.10-3", "new": "2.10-4"}
RUN = {"written": "2026-01-31T12:00:00Z", "hosts": "all"}
OF_STATES = {
    "silent": {"answers": False, "is_asked": False, "refusals": ["The host does not answer: Connection refused."]},
    "unknown": {"is_asked": False, "refusals": ["It has no Python."]},
    "refused": {"refusals": ["All 5 slots of the server are taken."], "security": ["openssl"], "pending": [OPENSSL]},
    "security": {"security": ["openssl"], "pending": [HELLO, OPENSSL], "restart_due": True},
    "restart": {"restart_due": True, "kernel": {"running": "6.1.0-18", "newest": "6.1.0-22"}},
    "libraries": {"old_libraries": ["nginx.service"]},
    "pending": {"pending": [HELLO]},
    "current": {},
}


def host(**more: Any) -> dict[str, Any]:
    known = {
        "server_id": 101,
        "answers": True,
        "is_asked": True,
        "slots_used": 1,
        "kernel": {"running": "6.1.0-22", "newest": "6.1.0-22"},
        "room": {"/": 10 * 2**30, "/boot": 90 * 2**20},
        "last_update": "2026-01-19T12:00:00Z",
        "lists_refreshed": "2026-01-31T07:00:00Z",
    }
    return {**known, **more}


def shown(**more: Any) -> dict[str, Any]:
    """The one host of an assessment."""
    (found,) = assess({"web": host(**more)}, RUN)["hosts"]
    return found


@pytest.mark.parametrize(("expected", "known"), OF_STATES.items())
def test_state(expected: str, known: dict[str, Any]) -> None:
    assert state(host(**known)) == expected


def test_worst_comes_first_and_is_counted() -> None:
    found = assess({name: host(**OF_STATES[name]) for name in reversed(STATES)}, RUN)
    assert [each["name"] for each in found["hosts"]] == list(STATES)
    assert found["data"]["counts"] == dict.fromkeys(STATES, 1)
    assert found["data"]["totals"] == {
        "hosts": 8,
        "pending": 4,
        "security": 2,
        "hosts_with_security": 2,
        "restarts": 2,
        "full": 0,
    }
    assert found["data"]["hosts"]["security"]["state"] == "security"
    assert json.loads(json.dumps(found)) == {**found, "facts": [list(pair) for pair in found["facts"]], **headings()}


def headings() -> dict[str, Any]:
    return {"headings": ["What is pending", "Installed", "Pending"]}


def test_of_those_who_stand_alike_who_lacks_most_comes_first() -> None:
    many = {"a": host(pending=[HELLO]), "b": host(pending=[HELLO, OPENSSL]), "c": host(pending=[HELLO])}
    assert [each["name"] for each in assess(many, RUN)["hosts"]] == ["b", "a", "c"]


def test_the_table_fits_a_terminal_and_leaves_out_who_needs_nothing() -> None:
    results = {name: host(**known) for name, known in OF_STATES.items()}
    results["web-of-a-very-long-name.example.com"] = host(pending=[HELLO] * 1000, last_update="2019-01-01T00:00:00Z")
    table = assess(results, {**RUN, "file": "/r/assess.html"})["table"]
    assert max(map(len, table)) <= WIDTH
    text = " ".join(line.strip() for line in table)
    assert "1 does not answer; 1 could not be looked at; 1 would be refused; 1 needs security updates;" in text
    assert "Pending: 1004 updates, 2 of them for security on 2 hosts; 2 restarts due; 0 hosts without" in text
    rows = {line.split()[0]: line.split() for line in table}
    assert rows["silent"] == ["silent", "no", "answer", "?", "?", "?", "1/5", "12", "d"]
    assert rows["security"] == ["security", "security", "2", "1", "due", "1/5", "12", "d"]
    assert rows["pending"] == ["pending", "updates", "1", "0", "-", "1/5", "12", "d"]
    assert "web-of-a-very-long…" in rows
    assert "current" not in rows
    assert "refused: All 5 slots of the server are taken." in table
    assert table[-1] == "All of it: /r/assess.html"


def test_the_sample_of_the_guide_is_what_is_printed() -> None:
    due = {"pending": [HELLO, OPENSSL, {**HELLO, "name": "libnew1"}], "security": ["openssl"]}
    updated = {"last_update": "2026-01-05T12:00:00Z"}
    refused = (
        "The host does not answer: Failed to connect to the host via ssh: ssh: connect to host 192.0.2.12 port 22: "
        "Connection refused. The API says that its server is active.",
        "All 5 slots of the server are taken: before-9: completed, before-8: completed, nightly-3: completed, "
        "nightly-2: completed, nightly-1: completed. Delete one, or set safe_update_on_limit: rotate.",
    )
    results = {
        "db-1": host(**due, **updated, restart_due=True, slots_used=5, refusals=[refused[1]]),
        "db-2": host(answers=False, is_asked=False, slots_used=0, last_update=None, refusals=[refused[0]]),
        "web-1": host(**due, **updated),
        "web-2": host(),
    }
    table = assess(results, {**RUN, "file": "/home/me/assessment/assess.html"})["table"]
    guide = Path(__file__).parents[5] / "docs" / "docsite" / "rst" / "guide_playbooks.rst"
    assert textwrap.indent("\n".join(table), "    ") in guide.read_text(encoding="utf-8"), "\n".join(table)


def test_several_are_counted_with_a_verb_that_fits() -> None:
    results = {f"{name}-{number}": host(**known) for name, known in OF_STATES.items() for number in (1, 2)}
    text = " ".join(assess(results, RUN)["table"])
    for words in ("2 do not answer", "2 need security updates", "2 run old libraries", "2 have updates", "2 are up to"):
        assert words in text


def test_a_command_stays_whole() -> None:
    command = (
        "Start it: ansible localhost -m vpsdotorg.cloud.vps_server_power -a 'server_id=101 state=started'" + "x" * 99
    )
    assert f"web: {command}" in assess({"web": host(refusals=[command])}, RUN)["table"]


def test_of_several_reasons_the_first_is_shown() -> None:
    assert "web: One. (and 2 more)" in assess({"web": host(refusals=["One.", "Two.", "Three."])}, RUN)["table"]


def test_a_fleet_stays_readable() -> None:
    many = {f"h{number}": host(pending=[HELLO] * 10, security=["openssl"], refusals=["No."]) for number in range(3000)}
    begin = time.monotonic()
    found = assess(many, RUN)
    assert time.monotonic() - begin < 10
    assert len(found["hosts"]) == 3000
    assert len(found["table"]) < 2 * ROWS + 10
    assert f"... and {3000 - ROWS} more that need something." in found["table"]


@pytest.mark.parametrize("results", [{}, {"web": {}}, {"web": host(pending=None, room=None, kernel=None)}])
def test_what_is_missing_is_not_known(results: dict[str, Any]) -> None:
    assert assess(results, {})["table"]


def test_a_host_without_a_result_has_a_reason() -> None:
    assert "web: No task could be run for it; an error above says why." in assess({"web": {}}, RUN)["table"]


@pytest.mark.parametrize(
    ("known", "key", "told"),
    [
        ({"pending": [HELLO]}, "message", "1 update is pending, none for security."),
        ({"pending": [HELLO, OPENSSL], "security": ["openssl"]}, "message", "2 updates are pending, 1 for security."),
        ({}, "message", "Nothing is pending."),
        ({"is_asked": False}, "message", "What is pending is not known."),
        (OF_STATES["silent"], "warnings", ["The host does not answer: Connection refused."]),
        (OF_STATES["unknown"], "warnings", ["An update would be refused today: It has no Python."]),
        (OF_STATES["restart"], "due", ["A restart is due: kernel 6.1.0-18 runs, 6.1.0-22 is installed."]),
        ({"restart_due": True}, "due", ["A restart is due."]),
        ({"slots_used": None}, "snapshots", []),
        ({}, "snapshots", ["1 of 5 snapshot slots are used."]),
        (
            {},
            "changes",
            [
                "Last update: 2026-01-19T12:00:00Z (12 d ago).",
                "Package lists: of 2026-01-31T07:00:00Z (5 h old).",
                "Kernel: 6.1.0-22.",
                "Free: / 10 GiB, /boot 90 MiB.",
            ],
        ),
        ({"last_update": "", "lists_refreshed": "", "room": {}, "kernel": {}}, "changes", []),
    ],
)
def test_what_is_told_of_a_host(known: dict[str, Any], key: str, told: Any) -> None:
    assert shown(**known)[key] == told


def test_updates_for_security_come_first() -> None:
    names = [each["name"] for each in shown(pending=[HELLO, OPENSSL], security=["openssl"])["packages"]]
    assert names == ["openssl (security)", "hello"]


def test_nothing_is_shown_that_a_terminal_or_a_browser_obeys() -> None:
    found = assess(
        {HOSTILE: host(refusals=[HOSTILE], pending=[{"name": HOSTILE, "old": HOSTILE, "new": HOSTILE}])},
        {"file": HOSTILE},
    )
    for line in [*found["table"], *found["markdown"]]:
        assert line.isprintable()
    assert "<script>" not in "\n".join(found["markdown"])


def test_markdown_has_every_host() -> None:
    lines = assess({"a": host(), "b": host(pending=[HELLO])}, RUN)["markdown"]
    assert "| Host | State | Updates | Sec | Restart | Slots | Updated |" in lines
    assert "| a | current | 0 | 0 | - | 1/5 | 12 d |" in lines
    assert "- hello: 2.10-3 → 2.10-4" in lines


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (["updated 1767322809", "updated 1767322800", "end"], "2026-01-02T03:00:09Z"),
        (["updated", "updated x", "end"], ""),
        ([], ""),
    ],
)
def test_last_update(said: list[str], expected: str) -> None:
    assert packages.last_update(said) == expected


def test_advisories_of_dnf() -> None:
    pending = [{"name": f"{name}.x86_64", "old": "1", "new": "2"} for name in ("openssl-libs", "kernel", "vim")]
    said = [
        "advisory RHSA-2026:1 Important/Sec. openssl-libs-1:3.0.7-25.el9_3.x86_64",
        "advisory Name Type Severity Package Issued",
        "advisory FEDORA-2026-1 security Moderate kernel-6.1.0-1.fc41.x86_64 2026-01-01 00:00:00",
        "advisory RHSA-2026:2 Low/Sec. gone-1-1.noarch",
        "vim-1-1.x86_64",
    ]
    assert packages.named_by_advisories(said, pending) == ["openssl-libs.x86_64", "kernel.x86_64"]
