# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host's record through the role: what comes next, what came of it, and in which words."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.vpsdotorg.cloud.plugins.plugin_utils.safe_update import record as records
from ansible_collections.vpsdotorg.cloud.plugins.plugin_utils.safe_update import snapshots, verdict

NOW = datetime(2026, 1, 31, 23, 59, tzinfo=timezone.utc)
SERVER = {"id": 101, "uuid": None, "name": "web", "hostname": "web.example", "status": "active", "ipv4": ["192.0.2.1"]}
BEFORE = ["boot 1", "package a:amd64 1", "route IPv4", "end"]
AFTER = ["boot 1", "package a:amd64 2", "route IPv4", "end"]
BROKEN = ["boot 1", "package a:amd64 2", "end"]


def snapshot(number: int, status: str = "completed", name: str = "", **more: Any) -> dict[str, Any]:
    name = name or f"safe-update-202601{number:02}T000000Z"
    created = f"2026-01-{number:02}T00:00:00Z"
    return {"id": 800 + number, "name": name, "status": status, "created_at": created, "description": "", **more}


def step(record: dict[str, Any], name: str, **seen: Any) -> dict[str, Any]:
    found = records.advance(record, name, seen, NOW, lambda path: f"/play/{path}")
    # A fact of Ansible's: plain data, unchanged by a serializer.
    assert json.loads(json.dumps(found)) == found
    return found


def begin(entry: str = "main", previous: dict[str, Any] | None = None, **variables: Any) -> dict[str, Any]:
    check_mode = variables.pop("check_mode", False)
    result = variables.pop("result", {})
    known = {key: variables.pop(key) for key in ("awx", "began") if key in variables}
    given = {f"safe_update_{name}": value for name, value in {"server_id": 101, **variables}.items()}
    return step(
        previous or {},
        "begin",
        entry=entry,
        variables=given,
        host="web",
        address="192.0.2.1",
        check_mode=check_mode,
        places=["/play"],
        user="me",
        node="here",
        result=result,
        **known,
    )


def preflight(
    slots: list[dict[str, Any]] | None = None, server: dict[str, Any] | None = None, **variables: Any
) -> dict[str, Any]:
    """A host that has passed the API's part of the preflight, or has not."""
    seen = {key: variables.pop(key) for key in ("backups", "fleet", "api_time") if key in variables}
    servers = [each for each in [SERVER if server is None else server] if each]
    record = step(begin(**variables), "server", servers=servers, snapshots=slots or [])
    return step(record, "admit", **seen)


def ready(**variables: Any) -> dict[str, Any]:
    """A host whose preflight is over."""
    record = preflight(**{"tasks": "update.yml", **variables})
    record = step(record, "rooms", run={"stdout_lines": ["manager apt-get", "systemd", "end"]})
    record = step(record, "baseline", inspection={"stdout_lines": BEFORE})
    return step(record, "ready", over="preflight")


def shot(record: dict[str, Any], **more: Any) -> dict[str, Any]:
    mine = snapshot(31, name="safe-update-20260131T235900Z")
    started = {"changed": True, "snapshot": {**mine, "status": "in_progress"}, **more}
    return step(record, "snapshot", started=started, awaited={"snapshot": mine, "slots": [mine]}, over="snapshot")


def failed(record: dict[str, Any], phase: str, **result: Any) -> dict[str, Any]:
    return step(record, "failed", phase=phase, task="The task", result={"failed": True, "msg": "It broke", **result})


def told(record: dict[str, Any]) -> dict[str, Any]:
    return records.result(record)


def test_a_good_update_goes_through_every_phase() -> None:
    record = begin()
    assert record["todo"][0] == "preflight"
    record = shot(ready())
    assert record["todo"] == ["preflight", "snapshot", "update", "verify", "cleanup"]
    record = step(record, "look", inspection={"stdout_lines": AFTER})
    assert record["judgement"]["failures"] == []
    record = step(record, "leftovers", snapshots=[snapshot(1), snapshot(31, name="safe-update-20260131T235900Z")])
    assert [each["id"] for each in record["prunable"]] == [831, 801]
    record = step(record, "cleaned", pruned={"results": [{"deleted": [{"id": 831, "name": "x"}]}]}, over="cleanup")
    result = told(record)
    assert (result["outcome"], result["reason"]) == ("updated", "")
    assert result["packages"] == [{"name": "a:amd64", "old": "1", "new": "2"}]
    assert [each["id"] for each in result["deleted"]] == [831]
    assert "earlier runs" not in result["message"]
    old = snapshot(1, description="safe_update: run=4711 by=me@here")
    older = step(record, "cleaned", pruned={"results": [{"deleted": [old]}, {"deleted": [snapshot(2)]}]})
    assert (
        "With its snapshot went what earlier runs had left: safe-update-20260101T000000Z (run 4711), "
        "safe-update-20260102T000000Z (run unknown)." in told(older)["message"]
    )
    assert [each["phase"] for each in result["timeline"]] == ["begin", "preflight", "snapshot", "cleanup"]


@pytest.mark.parametrize(
    ("seen", "run_id"),
    [
        ({}, "20260131T235900Z"),
        ({"began": "20260131T220000Z"}, "20260131T220000Z"),
        ({"began": "20260131T220000Z", "previous": {"run_id": "20260131T210000Z"}}, "20260131T210000Z"),
        ({"awx": {"awx_job_id": 8, "workflow_job_ids": ["", None]}}, "8"),
        ({"awx": {"awx_job_id": 8, "workflow_job_ids": ["", 7]}}, "7"),
        ({"awx": {"awx_job_id": 8, "workflow_job_ids": [6, 7]}, "run_id": "my:run-1.0_a"}, "my:run-1.0_a"),
        ({"run_id": 4711, "offline": True}, "4711"),
    ],
)
def test_the_id_of_a_run(seen: dict[str, Any], run_id: str) -> None:
    record = begin(**seen)
    assert told(record)["run_id"] == run_id
    by = f"AWX job {seen['awx']['awx_job_id']}" if "awx" in seen else "me@here"
    stopped = "; server stopped for this snapshot" if "offline" in seen else ""
    assert record["description"] == f"safe_update: run={run_id} by={by}{stopped}"


@pytest.mark.parametrize(
    ("variables", "part"),
    [
        ({"server": {}}, "no server 101"),
        ({"server": {**SERVER, "status": "suspended"}}, "is suspended. Wait until it is active."),
        ({"server": {**SERVER, "status": "stopped"}}, "Nothing shows who stopped it. Start it: ansible localhost"),
        (
            {
                "server": {**SERVER, "status": "stopped"},
                "slots": [snapshot(3, description="safe_update: me@here; server stopped for this snapshot")],
            },
            "safe_update: me@here; server stopped for this snapshot (snapshot safe-update-20260103T000000Z, begun 28 d "
            "ago), and that run did not start it again",
        ),
        (
            {"slots": [snapshot(5, "in_progress", description="safe_update: run=7 by=AWX job 7", created_at="2026")]},
            "is in_progress (safe_update: run=7 by=AWX job 7): another",
        ),
        (
            {"slots": [snapshot(5, "in_progress", created_at="2026-01-31T22:14:00Z")]},
            "is in_progress (no description, begun 105 min ago): another run is under way, or one was killed.",
        ),
        (
            {"slots": [snapshot(5, "in_progress", created_at="2026-01-31T21:00:00Z")]},
            "(no description, begun 2 h ago)",
        ),
        ({"server": {**SERVER, "name": "b", "ipv4": ["192.0.2.9"]}}, "none of the addresses and names"),
        ({"fleet": {"web": "101", "twin": "101", "other": "102"}}, "The hosts web, twin stand for one"),
        ({"slots": [snapshot(5, "in_progress")]}, "is in_progress"),
        ({"slots": [snapshot(5, "archived")]}, "is archived"),
        ({"slots": [snapshot(day, name=f"n{day}") for day in range(1, 6)]}, "All 5 slots"),
        ({"slots": [snapshot(day, name=f"n{day}") for day in range(1, 6)], "on_limit": "rotate"}, "always stays"),
        ({"require_backup_within": "24h"}, "The newest one: none"),
        (
            {
                "require_backup_within": "24h",
                "backups": [{"status": "completed", "created_at": "2026-01-30T00:00:00Z"}],
            },
            "2026-01-30",
        ),
    ],
)
def test_refusals(variables: dict[str, Any], part: str) -> None:
    record = preflight(**variables)
    result = told(record)
    assert (result["outcome"], result["failed_phase"]) == ("refused", "preflight")
    assert result["message"].startswith("Refused, and nothing was touched. ")
    assert part in result["message"]
    assert not set(record["todo"]) & {"snapshot", "update", "rollback", "cleanup"}


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"server": {**SERVER, "name": "b", "ipv4": []}, "verify_identity": False},
        {"slots": [snapshot(day) for day in range(1, 6)], "on_limit": "rotate"},
        # By the service's clock, which is not this machine's.
        {
            "require_backup_within": "24h",
            "api_time": "2026-01-30T12:00:00Z",
            "backups": [{"status": "completed", "created_at": "2026-01-30T00:00:00Z"}],
        },
    ],
)
def test_servers_that_are_let_in(variables: dict[str, Any]) -> None:
    assert preflight(**variables)["failure"] is None


def test_mistaken_variables_refuse_before_any_call() -> None:
    record = begin(timeout=-5, on_fail="rollback", on_failure="rollback")
    assert record["todo"] == []
    assert told(record)["outcome"] == "refused"
    assert told(begin("rollback", server_id=None))["outcome"] == "refused"
    assert begin("rollback", server_id="  ")["todo"] == []


def test_hosts_that_cannot_be_looked_at() -> None:
    record = preflight()
    silent = step(record, "rooms", run={"unreachable": True, "msg": "No route"})
    assert "does not answer: No route. The API says that its server is active." in told(silent)["message"]
    for said, named in (("manager apk", "apk"), ("lists 1", "none that is known here")):
        foreign = step(record, "rooms", run={"stdout_lines": [said, "end"]}, managers=["apt", "dnf"])
        assert f"knows apt and dnf, and this host has {named}. Give it" in told(foreign)["message"]
    assert "said nothing" in told(step(record, "baseline", inspection={}))["message"]
    assert (
        "could not be looked at: sh: not found" in told(step(record, "rooms", run={"msg": "sh: not found"}))["message"]
    )


def test_nothing_pending_and_no_time() -> None:
    record = preflight(window_end="2026-02-01T00:00:00Z")
    record = {**record, "manager": "apt", "baseline": BEFORE}
    nothing = step(step(record, "pending", asked={"stdout_lines": ["Reading package lists..."]}), "ready")
    assert told(nothing)["outcome"] == "up_to_date"
    some = step(step(record, "pending", asked={"stdout_lines": ["Inst a [1] (2 Debian [amd64])"]}), "ready")
    assert some["pending"] == [{"name": "a", "old": "1", "new": "2"}]
    assert told(some)["outcome"] == "postponed"
    assert some["todo"] == []


# NOW is a Saturday, 23:59 UTC; with the defaults, all may take 7500 s.
@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"window": [{"start": "23:00", "duration": "4h"}]}, ""),
        ({"window": [{"start": "23:00", "duration": "4h"}], "window_end": "2026-02-01T03:00:00Z"}, ""),
        (
            {"window": [{"start": "23:00", "duration": "4h"}], "window_end": "2026-02-01T02:00:00Z"},
            "The maintenance window ends at 2026-02-01T02:00:00Z, before",
        ),
        (
            {"window": {"days": "sat", "start": "21:30", "duration": "4h", "timezone": "Europe/Berlin"}},
            "The maintenance window sat 21:30 for 4h (Europe/Berlin) ends on Sun 2026-02-01 01:30 (Europe/Berlin), "
            "before snapshot, update and the worst restore (7500 s) would be over. The next one begins on Sat "
            "2026-02-07 21:30 (Europe/Berlin). Nothing was touched.",
        ),
        (
            {"window": {"days": "mon", "start": "22:00", "duration": "4h", "timezone": "Europe/Berlin"}},
            "No maintenance window is open (mon 22:00 for 4h (Europe/Berlin)). The next one begins on Mon 2026-02-02 "
            "22:00 (Europe/Berlin). Nothing was touched.",
        ),
        ({"window": {"start": "22:00", "duration": "1h"}}, "None is ever open for the 7500 s that"),
    ],
)
def test_maintenance_windows(variables: dict[str, Any], said: str) -> None:
    record = {**preflight(**variables), "manager": "apt", "baseline": BEFORE}
    some = step(step(record, "pending", asked={"stdout_lines": ["Inst a [1] (2 Debian [amd64])"]}, lists=0), "ready")
    assert told(some)["outcome"] == ("postponed" if said else "updated")
    assert not said or said in told(some)["message"]
    assert ("snapshot" in some["todo"]) == (not said)


def test_a_budget_of_failures() -> None:
    """Who was not let in, and who is well, does not count."""
    hosts = {
        "kept": failed(shot(ready()), "update"),
        "no-snapshot": failed(ready(), "snapshot"),
        "back": step(failed(shot(ready(on_failure="rollback")), "verify"), "restored"),
        "refused": failed(ready(), "preflight"),
    }
    found = records.failures({host: {"state": json.dumps(record)} for host, record in hosts.items()})
    assert found == [
        {"host": "kept", "outcome": "kept"},
        {"host": "no-snapshot", "outcome": "snapshot_failed"},
        {"host": "back", "outcome": "rolled_back"},
    ]
    assert step(preflight(max_failures=4, tasks="up.yml"), "ready", failures=found)["outcome"] == ""
    assert step(preflight(tasks="up.yml"), "ready", failures=found)["outcome"] == ""
    assert step(preflight(max_failures=3), "ready", failures=found)["outcome"] == "up_to_date"
    postponed = told(step(preflight(max_failures=3, tasks="up.yml"), "ready", failures=found))
    assert postponed["outcome"] == "postponed"
    assert (
        "(safe_update_max_failures: 3): kept (kept), no-snapshot (snapshot_failed), back (rolled_back)."
        in (postponed["message"])
    )


@pytest.mark.parametrize(
    ("on_failure", "outcome", "todo"), [("keep", "kept", ["evidence"]), ("rollback", "kept", ["evidence", "rollback"])]
)
def test_a_failed_update(on_failure: str, outcome: str, todo: list[str]) -> None:
    record = failed(shot(ready(on_failure=on_failure)), "update")
    assert record["todo"] == todo
    assert told(record)["outcome"] == outcome
    assert (
        "The update failed: The task: It broke. The snapshot safe-update-20260131T235900Z (id 831) is kept."
        in (told(record)["message"])
    )
    back = step(record, "restored")
    assert told(back)["outcome"] == "rolled_back"
    lost = failed(record, "rollback", msg="Not now.")
    assert told(lost)["outcome"] == "rollback_failed"
    assert "rollback" not in lost["todo"]


def test_an_abort_restores_nothing() -> None:
    record = step(shot(ready(on_failure="rollback")), "failed", phase="verify", task="", result={})
    assert record["todo"] == []
    assert "aborted because of another host" in told(record)["message"]
    assert told(record)["outcome"] == "kept"


def test_a_failure_before_any_change_restores_nothing() -> None:
    record = shot(ready(on_failure="rollback", tasks=None) | {"outcome": ""})
    record = failed(record, "update")
    assert step(record, "look", inspection={"stdout_lines": BEFORE})["spared"]
    assert not step(record, "look", inspection={"stdout_lines": AFTER})["spared"]
    assert not step(record, "look", inspection={})["spared"]
    spared = step(step(record, "look", inspection={"stdout_lines": BEFORE}), "spare")
    assert spared["todo"] == ["evidence"]
    assert "so nothing was restored." in told(spared)["message"]


def test_giving_way_to_a_run_that_was_first() -> None:
    mine = snapshot(31)
    rival = snapshot(30)
    record = ready()
    seen = {"started": {"changed": True, "snapshot": mine}, "awaited": {"slots": [rival, mine]}}
    assert "it took the snapshot safe-update-20260130" in told(step(record, "snapshot", **seen))["message"]
    assert told(shot(record, changed=False))["outcome"] == "snapshot_failed"
    assert told(failed(record, "snapshot", msg="Limit"))["message"].endswith("The task: Limit.")
    # One that the preflight has seen is no rival.
    known = ready(slots=[rival])
    assert step(known, "snapshot", **seen)["failure"] is None
    # Without a preflight, an old one is no rival either.
    assert step(begin("snapshot"), "snapshot", **seen)["failure"] is None


def test_entry_points_alone_carry_on() -> None:
    done = told(shot(ready()))
    again = begin("cleanup", shot(ready()), result=done)
    assert again["snapshot"]["id"] == 831
    assert again["todo"] == ["cleanup"]
    assert begin("rollback", snapshot_id=7)["snapshot"] == {"id": 7, "name": ""}
    assert begin("rollback", snapshot_id=7)["todo"] == ["rollback"]
    assert begin("verify")["todo"] == ["verify"]
    assert begin("main", shot(ready()), result=done)["snapshot"] == {}


@pytest.mark.parametrize(("given", "part"), [(901, "no own snapshot with the id 901"), (None, "no snapshot was named")])
def test_cleanup_of_a_foreign_snapshot_deletes_nothing(given: int | None, part: str) -> None:
    record = step(
        begin("cleanup", snapshot_id=given),
        "leftovers",
        snapshots=[snapshot(1), {**snapshot(2), "id": 901, "name": "nightly"}],
    )
    assert record["prunable"] == []
    assert part in record["warnings"][0]


def test_a_failed_clean_up_is_a_warning() -> None:
    record = failed(shot(ready()), "cleanup", msg="One or more items failed", results=[{"failed": True, "msg": "403"}])
    assert told(record)["outcome"] == "updated"
    assert "403. Left over: safe-update-20260131T235900Z (id 831)" in record["warnings"][0]


def test_a_clean_up_alone_says_what_it_deleted() -> None:
    record = begin("cleanup", snapshot_id=831)
    assert told(record)["message"] == "Deleted: nothing."
    record = step(record, "cleaned", pruned={"results": [{"deleted": [{"id": 831, "name": "x"}]}]}, over="cleanup")
    assert told(record)["message"] == "Deleted: x."


def test_a_rehearsal() -> None:
    slots = [snapshot(day) for day in (1, 2, 3)] + [snapshot(day, name=f"n{day}") for day in (4, 5)]
    record = ready(slots=slots, on_limit="rotate", keep=1, check_mode=True)
    assert record["todo"] == ["preflight", "snapshot", "cleanup"]
    assert record["rotated"]["id"] == 801
    message = told(record)["message"]
    assert "To make room, safe-update-20260101T000000Z goes first." in message
    assert "these own snapshots go: safe-update-20260103T000000Z, safe-update-20260102T000000Z." in message


def test_a_rehearsal_heeds_what_is_held() -> None:
    slots = [snapshot(day) for day in (1, 2, 3, 4)] + [snapshot(5, name="n5")]
    record = ready(slots=slots, on_limit="rotate", hold=[801, "safe-update-20260103T000000Z"], check_mode=True)
    assert record["rotated"]["id"] == 802
    message = told(record)["message"]
    assert "To make room, safe-update-20260102T000000Z goes first." in message
    assert "these own snapshots go: safe-update-20260104T000000Z." in message
    assert "(safe_update_hold): safe-update-20260103T000000Z, safe-update-20260101T000000Z." in message


def test_room_is_made_of_neither_the_newest_nor_a_held_one() -> None:
    slots = [snapshot(1), snapshot(2)] + [snapshot(day, name=f"n{day}") for day in (3, 4, 5)]
    record = preflight(slots=slots, on_limit="rotate", hold=801)
    assert (
        "none may go, as the last one always stays, and so do those that are held or from before a run that was "
        "killed: safe-update-20260101T" in (told(record)["message"])
    )


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"checks": [{"port": 443}]}, "Ready. The host is healthy; 0 of 5"),
        ({"check_tasks": "check.yml", "compare": False}, "Ready. The host is healthy; 0 of 5"),
        ({}, "Nothing says what healthy is (give it safe_update_checks), so only what ran before is compared;"),
        ({"compare": False}, "Nothing says what healthy is (give it safe_update_checks), so no bad update will be"),
    ],
)
def test_a_host_is_called_healthy_where_something_was_checked(variables: dict[str, Any], words: str) -> None:
    assert words in told(ready(entry="preflight", **variables))["message"]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ([], ""),
        (["reboot-required"], "The system asks for a restart, since before this run."),
        (
            ["kernel 6.1.0-1", "kernel-installed 6.1.0-1", "kernel-installed 6.1.0-2", "reboot-required"],
            "The system asks for a restart (it runs an older kernel than 6.1.0-2), since before this run.",
        ),
    ],
)
def test_a_host_without_updates_says_that_it_wants_a_restart_and_what_was_left(facts: list[str], words: str) -> None:
    record = step(preflight(slots=[snapshot(1)]), "rooms", run={"stdout_lines": ["manager apt-get", "end"]})
    record = step(record, "baseline", inspection={"stdout_lines": [*BEFORE[:-1], *facts, "end"]})
    record = step(step(record, "pending", asked={"stdout_lines": []}), "ready", over="preflight")
    message = told(record)["message"]
    assert told(record)["outcome"] == "up_to_date"
    assert "There is nothing to update, and nothing was done." in message
    assert words in message
    assert bool(words) == ("restart" in message)
    assert "Left by earlier runs until an update succeeds: safe-update-20260101T000000Z" in message


@pytest.mark.parametrize(
    ("said", "now", "is_due"),
    [
        ([], AFTER, False),
        (["reboot"], AFTER, True),
        # After the restart, and where nothing of it came.
        (["reboot"], ["boot 2", *AFTER[1:]], False),
        (["reboot"], BEFORE, False),
    ],
)
def test_a_patch_that_asks_for_a_restart_gets_it_once(said: list[str], now: list[str], is_due: bool) -> None:
    warning = '<message type="warning">One of the installed patches requires a reboot of your machine.</message>'
    record = step(preflight(), "rooms", run={"stdout_lines": ["manager zypper", "end"]})
    record = step(record, "baseline", inspection={"stdout_lines": BEFORE})
    record = step(record, "pending", asked={"stdout_lines": [warning for _each in said], "rc": 0})
    assert step(record, "look", inspection={"stdout_lines": now})["must_reboot"] == is_due


KILLED = snapshot(2, description="safe_update: run=20260102T000000Z by=me@controller")


def unended(*names: str, **variables: Any) -> dict[str, Any]:
    """A host on which runs, that had taken snapshots of these names, have begun and did not come to their end."""
    record = preflight(**{"tasks": "update.yml", "slots": [snapshot(1), KILLED, snapshot(3)], **variables})
    lines = ["manager apt-get", *(f"unended {name}" for name in names), "end"]
    return step(record, "rooms", run={"stdout_lines": lines})


@pytest.mark.parametrize(
    ("names", "gone"),
    [
        ([KILLED["name"]], [803, 801]),
        ([KILLED["name"], KILLED["name"], "other"], [803, 801]),
        ([KILLED["name"][:-1], "", f" {KILLED['name']}", "unknown", "20260102T000000Z"], [803, 802, 801]),
        ([], [803, 802, 801]),
    ],
)
def test_what_is_from_before_a_killed_run_goes_by_no_success(names: list[str], gone: list[int]) -> None:
    record = shot(unended(*names))
    taken = snapshot(31, name="safe-update-20260131T235900Z")
    record = step(record, "leftovers", snapshots=[snapshot(1), KILLED, snapshot(3), taken])
    assert [each["id"] for each in record["prunable"]] == [831, *gone]
    warnings = told(record)["warnings"]
    assert len(warnings) == (802 not in gone)
    for warning in warnings:
        assert "Run 20260102T000000Z began to change this host and did not come to its end" in warning
        assert f"Its snapshot {KILLED['name']} (id 802" in warning


SLOTS = [snapshot(1), KILLED, snapshot(3), snapshot(4)]


@pytest.mark.parametrize(
    ("chosen", "said", "gone"),
    [
        (803, [f"unended {KILLED['name']}", "end"], [803, 801]),
        (803, ["unended other", "end"], [803, 802, 801]),
        (803, ["end"], [803, 802, 801]),
        # Somebody has decided.
        (802, [f"unended {KILLED['name']}", "end"], [802, 801]),
        # A host that says nothing may have something to say.
        (803, [], [803]),
        (803, ["unended"], [803]),
    ],
)
def test_the_clean_up_alone_asks_the_host_which_runs_were_killed(chosen: int, said: list[str], gone: list[int]) -> None:
    record = begin("cleanup", snapshot_id=chosen)
    record = step(record, "leftovers", snapshots=SLOTS, asked={"stdout_lines": said})
    assert [each["id"] for each in record["prunable"]] == gone
    assert any("did not say whether a run was killed" in each for each in record["warnings"]) == ("end" not in said)


def test_a_rotation_leaves_what_is_from_before_a_killed_run() -> None:
    slots = [snapshot(1, description=KILLED["description"]), *(snapshot(day) for day in (2, 3, 4, 5))]
    record = unended(slots[0]["name"], slots=slots, on_limit="rotate")
    assert record["rotated"]["id"] == 802


@pytest.mark.parametrize(
    ("variables", "now", "is_due"),
    [
        ({}, ["boot 1", "package a:amd64 1", "end"], False),
        # What has changed may run in its old version still.
        ({}, AFTER, True),
        ({"reboot": "always"}, BEFORE, True),
        ({"tasks": None}, BEFORE, True),
    ],
)
def test_an_update_ends_with_the_look_unless_there_is_more_to_do(
    variables: dict[str, Any], now: list[str], is_due: bool
) -> None:
    record = step(shot(ready(**variables)), "updated", inspection={"stdout_lines": now})
    assert record["must_finish"] == is_due
    assert [each["phase"] for each in step(record, "over", phase="update")["timeline"]][-2:] == ["snapshot", "update"]


def test_an_update_that_failed_has_more_to_do() -> None:
    assert failed(shot(ready()), "update")["must_finish"]


def test_the_note_that_a_run_has_begun_goes_at_its_end_unless_a_restore_failed() -> None:
    record = shot(ready())
    assert not record["is_begun"]
    record = step(record, "over", phase="update")
    assert record["is_begun"]
    assert failed(record, "verify")["is_begun"]
    assert not failed(record, "rollback")["is_begun"]
    assert not step(record, "restored")["is_begun"]
    assert step(record, "spare")["is_begun"]


@pytest.mark.parametrize(
    ("keep", "hold", "gone"),
    [
        (0, [], [803, 802, 801]),
        (1, [], [802, 801]),
        (9, [], [802]),
        (0, ["801", "safe-update-20260103T000000Z"], [802]),
    ],
)
def test_what_a_success_deletes(keep: int, hold: list[str], gone: list[int]) -> None:
    slots = [
        snapshot(1),
        snapshot(2, "failed"),
        snapshot(3),
        snapshot(4, "archived"),
        snapshot(5),
        snapshot(1, id=1, name="safe-update-mine"),
        snapshot(1, id=2, name="safe-update-20260101T000000Z\n"),
    ]
    found = snapshots.prunable(slots, "safe-update", "safe-update-20260104T000000Z", keep, hold)
    assert [each["id"] for each in found] == gone
    assert snapshots.prunable(slots, "safe-update", "", keep, hold) == []


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (("non-zero return code", "The snapshot is kept"), "non-zero return code. The snapshot is kept."),
        (("One.", "", None, "Two!\n  three"), "One. Two! three."),
        ((), ""),
    ],
)
def test_sentences(parts: tuple[Any, ...], said: str) -> None:
    assert verdict.join(*parts) == said


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"failed": True, "stderr": "no", "msg": "non-zero return code"}, "no"),
        ({"failed": True}, "no reason given"),
        ({"unreachable": True, "msg": "gone"}, "gone"),
        (
            {"results": [{"failed": True, "msg": "x", "item": {"kind": "port", "port": 443}}, {"item": "good"}]},
            "port 443: x",
        ),
    ],
)
def test_why_a_task_failed(result: dict[str, Any], said: str) -> None:
    assert verdict.failure_words(result) == said


def test_an_unknown_step_is_a_bug() -> None:
    with pytest.raises(KeyError):
        step(begin(), "nonsense")


def soak(record: dict[str, Any], look: list[str], seconds: int) -> dict[str, Any]:
    """One look of a soak, as tasks/soak.yml does it."""
    seen: dict[str, Any] = {}
    record = step(record, "look", inspection={"stdout_lines": look})
    if record["judgement"]["failures"]:
        seen = {"task": "Compare", "result": {"failed": True, "msg": "; ".join(record["judgement"]["failures"])}}
    return records.advance(record, "soaked", seen, NOW + timedelta(seconds=seconds), lambda path: path)


@pytest.mark.parametrize(
    ("allowed", "looks", "outcome", "warnings"),
    [
        (0, [AFTER, AFTER], "updated", 0),
        (0, [AFTER, BROKEN], "kept", 0),
        (1, [BROKEN, AFTER], "updated", 1),
        (1, [BROKEN, BROKEN], "kept", 1),
        (0, [[], AFTER], "kept", 0),
    ],
)
def test_a_soak(allowed: int, looks: list[list[str]], outcome: str, warnings: int) -> None:
    record = step(
        shot(ready(soak=20, soak_interval=15, soak_failures=allowed)), "look", inspection={"stdout_lines": AFTER}
    )
    assert record["soak_looks"] == 2
    record = step(record, "soak")
    assert record["soak"]["next"] - NOW.timestamp() == 15
    for count, look in enumerate(looks, 1):
        if record["failure"]:
            break
        record = soak(record, look, count * 15)
        # The last look is at the end, and not an interval later.
        assert record["failure"] or record["soak"]["next"] - NOW.timestamp() == 20
    assert told(record)["outcome"] == outcome
    assert len(record["warnings"]) == warnings
    if outcome == "kept":
        assert "safe_update_soak" in told(record)["reason"]


STOPPED = [
    "begin slow.service... 100",
    "begin quick.service 100",
    "stopped quick.service 101",
    "stopped slow.service. 140",
]


@pytest.mark.parametrize(
    ("rebooted", "lines", "told_of"),
    [
        ({"rebooted": True}, ["boot 2", *STOPPED, "end"], ""),
        # Called done too early.
        (
            {"rebooted": True},
            ["boot 1", "stopping b.service", "end"],
            "has not restarted. Its restart was waited for 900 s",
        ),
        ({"rebooted": True}, ["boot 1", "stopping b.service", "end"], "It waited for: b.service."),
        (
            {"rebooted": True, "msg": "Timed out"},
            ["boot 2", *STOPPED, "end"],
            "longer than 900 s (safe_update_reboot_t",
        ),
        ({"rebooted": True, "msg": "Timed out"}, ["boot 2", *STOPPED, "end"], "It waited for: slow.service (40 s)."),
        (
            {"rebooted": False, "msg": "No shutdown"},
            ["boot 1", "end"],
            "No shutdown. What it waited for, nobody could tell.",
        ),
        ({"rebooted": True}, ["boot 2"], "The connection was lost after the restart"),
    ],
)
def test_a_restart_is_a_new_boot_in_time(rebooted: dict[str, Any], lines: list[str], told_of: str) -> None:
    record = step(shot(ready()), "booted", rebooted=rebooted)
    record = step(record, "back", run={"stdout_lines": lines, "msg": "gone"})
    assert (record["failure"] is not None) == bool(told_of)
    assert told_of in told(record)["reason"]


def test_a_host_that_never_comes_back_says_that_it_was_restarting() -> None:
    record = step(shot(ready()), "booted", rebooted={"rebooted": True, "msg": "Timed out"})
    assert (
        "Its restart was not over within 900 s (safe_update_reboot_timeout)" in told(failed(record, "update"))["reason"]
    )


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!", "does not show the ssh key"),
        ("Missing sudo password", "may not become root any more (sudo)"),
        ("sudo: a password is required", "may not become root any more (sudo)"),
        ("/bin/sh: 1: /usr/bin/python3: not found", "Python is gone"),
        ("MODULE FAILURE: No start of json char found", "takes no files"),
        ("OSError: [Errno 28] No space left on device", "takes no files"),
        ("root@192.0.2.1: Permission denied (publickey).", "does not let Ansible's user in"),
    ],
)
def test_what_the_update_has_taken_away_is_called_so(said: str, means: str) -> None:
    reason = told(failed(shot(ready()), "update", msg=said))["reason"]
    assert means in reason
    assert "this is the update's doing" in reason
    barred = step(failed(shot(ready()), "update"), "barred", run={"stdout": said})
    assert means in told(barred)["reason"]
    # What is said already is not said again.
    assert step(barred, "barred", run={"msg": said}) == barred
    # Before there was anything to lose, nothing is the update's doing.
    assert "the update's doing" not in told(failed(begin(), "preflight", msg=said))["reason"]


def assessed(**variables: Any) -> dict[str, Any]:
    """A host in an assessment that has passed the service's part, whatever that said."""
    return preflight(entry="assess", check_mode=True, **variables)


ROOMY = {"stdout_lines": ["room 9999999 400000 /\t/", "end"], "rc": 0}
SIMULATED = ["Inst a [1] (2 Debian-Security:12/stable-security [amd64])", "Inst b [1] (2 Debian:12.5/stable [amd64])"]


def test_an_assessment_notes_what_an_update_would_be_refused_for_and_looks_on() -> None:
    record = assessed(slots=[snapshot(day, name=f"n{day}") for day in range(1, 6)], keeep=1)
    assert record["failure"] is None
    assert (record["todo"], record["unseen"]) == (["preflight"], ["host"])
    lines = ["manager apt-get", "lists 1767322809", "room 1 400000 /\t/", "end"]
    record = step(record, "rooms", run={"stdout_lines": lines, "rc": 0}, managers=["apt"])
    record = step(
        record, "baseline", inspection={"stdout_lines": ["kernel 1-amd64", "kernel-installed 1-amd64", *BEFORE]}
    )
    # The same failure twice is told once.
    record = failed(failed(record, "preflight"), "preflight")
    assert record["unseen"] == ["packages"]
    record = step(record, "pending", asked={"stdout_lines": SIMULATED})
    record = step(record, "assessed", run={"stdout_lines": ["updated 1767322809", "end"]})
    assert (record["failure"], record["unseen"]) == (None, [])
    found = records.assessment(record)
    assert [text[:20] for text in found["refusals"]] == [
        "safe_update_keeep is",
        "All 5 slots of the s",
        "/ has 1 KiB free, an",
        "The task: It broke.",
    ]
    assert (found["answers"], found["is_asked"], found["security"]) == (True, True, ["a"])
    assert [each["name"] for each in found["pending"]] == ["a", "b"]
    assert (found["slots_used"], found["room"], found["kernel"]["running"]) == (5, {"/": 1024}, "1-amd64")
    assert found["last_update"] == found["lists_refreshed"] == "2026-01-02T03:00:09Z"
    assert found["check_mode"]


def test_an_assessment_of_a_host_that_does_not_answer_ends() -> None:
    record = step(assessed(), "rooms", run={"unreachable": True, "msg": "refused"})
    assert (record["todo"], record["unseen"]) == ([], [])
    found = records.assessment(record)
    assert (found["answers"], found["is_asked"]) == (False, False)
    assert found["refusals"] == ["The host does not answer: refused. The API says that its server is active."]


def test_an_assessment_of_a_host_whose_package_manager_is_unknown_ends() -> None:
    record = step(assessed(), "rooms", run={"stdout_lines": ["manager apk", "end"]}, managers=["apt", "dnf"])
    assert (record["todo"], record["unseen"]) == ([], [])
    found = records.assessment(record)
    assert (found["answers"], found["is_asked"]) == (True, False)
    assert "this host has apk" in found["refusals"][0]


def test_an_assessment_needs_no_server_id() -> None:
    record = begin("assess", server_id="")
    assert (record["failure"], record["todo"], record["unseen"]) == (None, [], ["host"])
    found = records.assessment(step(record, "rooms", run=ROOMY))
    assert found["slots_used"] is None
    assert "has no server id" in found["refusals"][0]


def test_a_run_tells_what_its_preflight_has_seen() -> None:
    record = step(ready(tasks=None), "pending", asked={"stdout_lines": SIMULATED})
    assert told(record)["security"] == ["a"]
    assert told(record)["lists_refreshed"] == ""
