# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit's decisions: what a snapshot is, which server it belongs to, which server waits to be started again."""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.vpsdotorg.cloud.plugins.filter.vps_audit import vps_audit
from ansible_collections.vpsdotorg.cloud.plugins.filter.vps_audit_table import vps_audit_table
from ansible_collections.vpsdotorg.cloud.plugins.module_utils._audit import KINDS, Rules, audit, table
from ansible_collections.vpsdotorg.cloud.plugins.plugin_utils.safe_update.commands import start

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=timezone.utc)
RULES = Rules("safe-update", timedelta(days=7), timedelta(minutes=60), NOW, start)
OWN = "safe-update-20260101T000000Z"
UUID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
SERVER = {"id": 12345, "uuid": None, "name": "web-1", "status": "active"}
OF_SERVER = {"id": 12345, "name": "web-1"}
STOPPED_FOR = "safe_update: 4711; server stopped for this snapshot"
numbers = itertools.count(801)


def snapshot(name: str = OWN, status: str = "completed", age: timedelta = timedelta(hours=1), **more: Any) -> dict:
    """Make a snapshot as the API gives it."""
    created_at = (NOW - age).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "id": next(numbers),
        "server": OF_SERVER,
        "name": name,
        "status": status,
        "size_mb": 5120,
        "created_at": created_at,
        "description": "",
        **more,
    }


def counts(entry: dict) -> dict[str, int]:
    """How many there are of each kind that is there."""
    return {kind: len(entry[kind]) for kind in KINDS if entry[kind]}


@pytest.mark.parametrize(
    ("name", "own"),
    [
        (OWN, True),
        ("safe-update-20260101T000000Z\n", False),
        ("safe-update-20260101T000000", False),
        ("safe-update-\u0662\u0660\u0662\u0666\u0660\u0661\u0660\u0661T000000Z", False),
        ("my-safe-update-20260101T000000Z", False),
        ("safe-update-before-migration", False),
        ("safeXupdate-20260101T000000Z", False),
        (None, False),
    ],
)
def test_own_is_what_bears_prefix_and_time(name: str, own: bool) -> None:
    assert RULES.kinds(snapshot(name)) == ["own" if own else "foreign"]


def test_prefix_is_no_pattern() -> None:
    rules = Rules("safe.update", RULES.stale_after, RULES.stuck_after, NOW, start)
    assert rules.kinds(snapshot("safe.update-20260101T000000Z")) == ["own"]
    assert rules.kinds(snapshot(OWN)) == ["foreign"]


@pytest.mark.parametrize(
    ("made", "trouble"),
    [
        (snapshot(age=timedelta(days=7)), []),
        (snapshot(age=timedelta(days=7, seconds=1)), ["stale"]),
        (snapshot("manual", age=timedelta(days=70)), []),
        (snapshot(age=timedelta(days=70), created_at="yesterday"), []),
        (snapshot(status="in_progress", age=timedelta(minutes=60)), []),
        (snapshot(status="in_progress", age=timedelta(minutes=61)), ["stuck"]),
        (snapshot("manual", "in_progress", age=timedelta(minutes=61)), ["stuck"]),
        (snapshot(status="in_progress", created_at=None), []),
        (snapshot(status="failed"), ["failed"]),
        (snapshot("manual", "error"), ["failed"]),
        (snapshot(status="archived", age=timedelta(days=70)), ["unknown"]),
        (snapshot(status=None), ["unknown"]),
    ],
)
def test_trouble(made: dict, trouble: list[str]) -> None:
    assert RULES.kinds(made)[1:] == trouble


@pytest.mark.parametrize(
    ("hold", "kinds"),
    [
        ([[801], None], ["own", "held"]),
        (f"802, {OWN}", ["own", "held"]),
        (["", " 801 "], ["own", "held"]),
        (801, ["own", "held"]),
        ([80, "01"], ["own", "stale"]),
        (None, ["own", "stale"]),
    ],
)
def test_what_is_held_is_never_stale(hold: Any, kinds: list[str]) -> None:
    old = {**snapshot(age=timedelta(days=70)), "id": 801}
    (entry,) = vps_audit([SERVER], [old], now="2026-01-31T00:00:00Z", hold=hold)["servers"]
    assert list(counts(entry)) == kinds


def test_a_foreign_one_is_not_held() -> None:
    rules = Rules("safe-update", RULES.stale_after, RULES.stuck_after, NOW, start, ("manual",))
    assert rules.kinds(snapshot("manual")) == ["foreign"]
    assert rules.kinds(snapshot(OWN, "failed")) == ["own", "failed"]


def test_no_server_and_no_snapshot() -> None:
    report = audit([], [], RULES)
    assert report["servers"] == []
    assert set(report["summary"].values()) == {0}
    assert table(report)[-1].split() == ["total", *["0"] * 9]


def test_snapshots_are_counted_by_server() -> None:
    other = {**SERVER, "id": 12346, "name": "db-1"}
    report = audit(
        [SERVER, other],
        [snapshot("manual"), snapshot(age=timedelta(days=8)), snapshot(age=timedelta(hours=2)), snapshot()],
        RULES,
    )
    assert [entry["name"] for entry in report["servers"]] == ["db-1", "web-1"]
    db, web = report["servers"]
    assert (db["slots_used"], counts(db)) == (0, {})
    assert (web["slots_used"], counts(web)) == (4, {"own": 3, "foreign": 1, "stale": 1})
    assert [made["created_at"] for made in web["own"]] == sorted((m["created_at"] for m in web["own"]), reverse=True)
    assert report["summary"] == {
        "servers": 2,
        "snapshots": 4,
        "own": 3,
        "foreign": 1,
        "held": 0,
        "stale": 1,
        "failed": 0,
        "stuck": 0,
        "unknown": 0,
        "stopped_by_killed_run": 0,
    }


@pytest.mark.parametrize(
    "owner",
    [
        {"id": UUID, "name": "web-1"},
        {"uuid": UUID, "name": "web-1"},
        {"id": 12345, "uuid": UUID, "name": "renamed"},
        {"id": 12345, "name": "web-1"},
    ],
)
def test_server_known_by_uuid_alone_gets_its_snapshots(owner: dict) -> None:
    server = {**SERVER, "id": None, "uuid": UUID}
    (entry,) = audit([server], [snapshot(server=owner)], RULES)["servers"]
    assert entry["listed"]
    assert entry["uuid"] == UUID
    assert entry["slots_used"] == 1


def test_shared_name_is_no_match() -> None:
    servers = [{**SERVER, "id": None, "uuid": uuid} for uuid in (UUID, UUID.replace("7c", "8c"))]
    entries = audit(servers, [snapshot()], RULES)["servers"]
    assert sorted((entry["listed"], entry["slots_used"]) for entry in entries) == [(False, 1), (True, 0), (True, 0)]


def test_name_of_two_owners_is_no_match() -> None:
    server = {**SERVER, "id": None, "uuid": UUID}
    made = [snapshot(server={"id": number, "name": "web-1"}) for number in (1, 2)]
    entries = audit([server], made, RULES)["servers"]
    assert sorted((entry["listed"], entry["slots_used"]) for entry in entries) == [(False, 1), (False, 1), (True, 0)]


@pytest.mark.parametrize("owner", [{"id": 999, "name": "gone"}, None, "gone"])
def test_snapshot_of_no_listed_server_is_not_lost(owner: Any) -> None:
    report = audit([SERVER], [snapshot(server=owner)], RULES)
    (unlisted,) = (entry for entry in report["servers"] if not entry["listed"])
    assert unlisted["slots_used"] == 1
    assert report["summary"]["servers"] == 1
    assert report["summary"]["snapshots"] == 1
    assert any("not listed" in line for line in table(report))


def test_server_stopped_by_a_killed_run() -> None:
    old = snapshot(age=timedelta(days=3), description="safe_update: 4710; server stopped for this snapshot")
    made = snapshot(description=STOPPED_FOR)
    report = audit([{**SERVER, "status": "stopped"}], [old, made, snapshot()], RULES)
    killed = report["servers"][0]["stopped_by_killed_run"]
    assert killed["inferred"] is True
    assert killed["run_id"] == "4711"
    assert killed["snapshot_id"] == made["id"]
    assert report["summary"]["stopped_by_killed_run"] == 1
    assert any(killed["command"] in line for line in table(report))


@pytest.mark.parametrize(
    ("status", "made"),
    [
        ("active", snapshot(description=STOPPED_FOR)),
        ("suspended", snapshot(description=STOPPED_FOR)),
        ("stopped", snapshot("manual", description=STOPPED_FOR)),
        ("stopped", snapshot(description="safe_update: 4711")),
        ("stopped", snapshot(description=f"{STOPPED_FOR}, or was it?")),
        ("stopped", snapshot(description=None)),
    ],
)
def test_nothing_is_inferred_from_less(status: str, made: dict) -> None:
    (entry,) = audit([{**SERVER, "status": status}], [made], RULES)["servers"]
    assert entry["stopped_by_killed_run"] is None


def test_table_is_aligned_and_harmless_to_a_terminal() -> None:
    servers = [SERVER, {**SERVER, "id": 2, "name": "x" * 60 + "\x1b[2J\n"}, {**SERVER, "id": 3, "name": "a\nb"}]
    lines = table(audit(servers, [snapshot(status="archived\x1b[2J")], RULES))
    assert all(line.isprintable() for line in lines)
    header, *rows = lines[:5]
    assert [row[: header.index("ID")].strip() for row in rows] == ["a?b", "web-1", "x" * 39 + "…", "total"]
    assert {len(row) for row in rows} == {len(header)}
    assert lines[5].startswith("web-1 (id 12345): unknown: ")
    assert len(lines) == 6


def test_work_grows_with_the_number_alone() -> None:
    def calls(servers: int) -> int:
        listed = [{**SERVER, "id": number, "name": f"web-{number}"} for number in range(servers)]
        made = [snapshot(server={"id": one["id"], "name": one["name"]}) for one in listed for time in range(5)]
        counted: Counter[str] = Counter()
        sys.setprofile(lambda _frame, event, _argument: counted.update([event]))
        try:
            found = audit(listed, made, RULES)
        finally:
            sys.setprofile(None)
        assert found["summary"]["own"] == 5 * servers
        return counted.total()

    # Ten times as many take ten times as many steps; were it quadratic, a hundred times.
    assert calls(1000) < 12 * calls(100)


# What people hand to the filter by mistake


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((None, []), "servers is null: give it the list result.servers"),
        (
            ({"servers": [], "changed": False}, []),
            "servers is a whole result: give the list in it",
        ),
        (([], {"snapshots": []}), "snapshots is a whole result"),
        (("web-1", []), "servers is no list"),
        (([{"id": 1}, "web-1"], []), "servers holds something else: 'web-1'"),
        (([], [{"id": 1, "name": "a"}]), "snapshots holds something else"),
        (([], [], "safe-update", 7), "stale_after '7' is not a duration"),
        (([], [], "safe-update", None), "stale_after 'None' is not a duration"),
        (([], [], None), "name_prefix None is no text"),
        (([], [], "safe-update", "7d", "60m", "today"), "now 'today' is no moment"),
    ],
)
def test_a_mistake_is_told_in_words(arguments: tuple, words: str) -> None:
    with pytest.raises(AnsibleFilterError, match=words):
        vps_audit(*arguments)


def test_the_clock_may_be_that_of_the_service() -> None:
    stamp = {"created_at": "2026-01-01T00:00:00Z", "status": "in_progress", "name": "x", "server": 1}
    report = vps_audit([], [{"id": 1, **stamp}], now="2026-01-01T00:59:00Z")
    assert (report["summary"]["stuck"], report["generated_at"]) == (0, "2026-01-01T00:59:00Z")
    assert vps_audit([], [{"id": 1, **stamp}], now="2026-01-01T01:01:00Z")["summary"]["stuck"] == 1


@pytest.mark.parametrize(
    ("options", "command"),
    [
        ({}, "ansible localhost -m vpsdotorg.cloud.vps_server_power -a 'server_id=12345 state=started'"),
        ({"in_awx": True}, "start the server 12345 in the control panel of VPS.org"),
    ],
)
def test_what_to_do_is_said_in_the_words_of_whoever_runs_it(options: dict[str, Any], command: str) -> None:
    report = vps_audit([{**SERVER, "status": "stopped"}], [snapshot(description=STOPPED_FOR)], **options)
    assert report["servers"][0]["stopped_by_killed_run"]["command"] == command
    assert vps_audit_table(report)[-1] == f"web-1 (id 12345): what to do then: {command}"


@pytest.mark.parametrize("report", [None, {}, [], "x"])
def test_a_table_is_made_of_an_audit_alone(report: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="this is no audit"):
        vps_audit_table(report)
