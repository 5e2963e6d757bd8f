# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people read about a run: what comes first, what is to be done, what a deleted snapshot is called."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from ansible_collections.vpsdotorg.cloud.plugins.plugin_utils.safe_update import commands
from ansible_collections.vpsdotorg.cloud.plugins.plugin_utils.safe_update.report import (
    KINDS,
    ROWS,
    clean,
    duration,
    report,
    state,
)

BEGIN = [{"phase": "begin", "end": "2026-01-31T23:00:00Z"}]
LOOKED = [*BEGIN, {"phase": "preflight", "end": "2026-01-31T23:00:12Z"}]
DONE = [*LOOKED, {"phase": "update", "end": "2026-02-01T01:30:12Z"}]
HOSTILE = "<script>alert(1)</script> \x1b[31mred\x07 \u202egnp.exe | `x` [a](b) \udce9\nfake: [ok]"


def result(outcome: str = "", **more: Any) -> dict[str, Any]:
    return {"outcome": outcome, "server_id": 12, "message": f"It is {outcome}.", "timeline": DONE, **more}


def shown(results: dict[str, Any], **run: Any) -> dict[str, Any]:
    return report(results, {"written": "2026-02-01T02:00:00Z", "active": list(results), "batch": list(results), **run})


def host(**more: Any) -> dict[str, Any]:
    """The one host of a report."""
    (found,) = shown({"web": result(**more)})["hosts"]
    return found


def test_worst_comes_first_and_is_counted() -> None:
    outcomes = [name for name in KINDS if name not in ("not reached", "not begun", "waiting", "done")]
    data = shown({f"{name}-{number}": result(name) for name in reversed(outcomes) for number in (2, 1)})
    assert [each["name"] for each in data["hosts"]] == [f"{name}-{n}" for name in outcomes for n in (1, 2)]
    assert [(each["outcome"], each["number"]) for each in data["counts"]] == [(name, 2) for name in outcomes]
    assert len({each["id"] for each in data["hosts"]}) == 2 * len(outcomes)


NONE: dict[str, Any] = {}
READY = result(timeline=LOOKED)
BAD = result("kept")
GOOD = result("updated")


@pytest.mark.parametrize(
    ("results", "run", "expected", "label"),
    [
        ({"a": READY}, {"entry": "preflight"}, "running", "waiting"),
        ({"a": result("refused"), "b": READY}, {"entry": "preflight", "batch": ["a", "b"]}, "running", "waiting"),
        ({"a": result("refused")}, {"entry": "preflight"}, "over", "refused"),
        ({"a": GOOD, "b": READY}, {"batch": ["a"]}, "running", "waiting"),
        ({"a": BAD, "b": READY}, {"batch": ["a"]}, "over", "not reached"),
        ({"a": BAD, "a2": GOOD, "b": READY}, {"batch": ["a", "a2"]}, "open", "not begun"),
        ({"a": BAD, "a2": GOOD, "b": READY}, {"batch": ["a", "a2"], "may_fail": ""}, "open", None),
        ({"a": BAD, "a2": GOOD, "b": READY}, {"batch": ["a", "a2"], "may_fail": 50}, "running", "waiting"),
        ({"a": BAD, "a2": GOOD, "b": READY}, {"batch": ["a", "a2"], "may_fail": "49"}, "over", "not reached"),
        ({"a": GOOD, "b": result("refused")}, {"batch": ["a"], "active": ["a"]}, "over", "refused"),
        ({"a": result()}, {}, "over", "done"),
        ({}, NONE, "over", None),
    ],
)
def test_host_that_was_not_begun_waits_only_while_the_run_goes_on(
    results: dict[str, Any], run: dict[str, Any], expected: str, label: str | None
) -> None:
    known = {"active": list(results), "batch": list(results), "entry": "main", **run}
    assert state(results, known) == expected
    labels = [each["label"] for each in report(results, known)["hosts"]]
    assert label is None or label in labels


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"outcome": "updated", "snapshot_id": 8, "snapshot_name": "s", "deleted": [{"id": 8, "name": "s"}]},
            "deleted",
        ),
        ({"outcome": "updated", "snapshot_id": 8, "snapshot_name": "s", "deleted": []}, "is there"),
        ({"outcome": "kept", "snapshot_id": 8, "snapshot_name": "s"}, "is kept"),
        ({"outcome": "updated", "snapshot_id": 8, "deleted": [{"id": 7, "name": "older"}]}, "older (id 7)"),
        (
            {"outcome": "rolled_back", "broken_snapshot": {"id": 9, "name": "s-broken"}},
            "s-broken (id 9) holds the broken",
        ),
        ({"outcome": "rolled_back", "broken_snapshot": "s-broken"}, "s-broken holds the broken"),
        ({"outcome": "refused"}, ""),
    ],
)
def test_snapshots_are_told_as_they_are(given: dict[str, Any], expected: str) -> None:
    told = " ".join(host(**given)["snapshots"])
    assert expected in told
    assert bool(told) == bool(expected)


@pytest.mark.parametrize(
    ("given", "key", "expected"),
    [
        (
            {"checks": ["url http://x/", "port 443", "service nginx", "command a b"]},
            "checks",
            "Checks: http://x/ answers, ",
        ),
        ({"checks": None}, "checks", ""),
        ({"own_update": True}, "changes", ["The update was an own task file; no package changed."]),
        ({"own_update": True, "packages": [{"name": "a"}]}, "changes", ["1 package changed."]),
        ({"packages": [], "rebooted": True}, "changes", ["The host was restarted."]),
        ({"restart_due": True}, "due", ["A restart is due."]),
        ({"restart_due": "kernel 2 is newer"}, "due", ["A restart is due: kernel 2 is newer"]),
        (
            {"old_libraries": ["nginx.service"]},
            "due",
            ["These still run old libraries, until they are restarted: nginx.service."],
        ),
        ({"differences": ["port 6010"]}, "differences", ["port 6010"]),
        ({"evidence": None, "warnings": None}, "evidence", []),
        ({"timeline": None}, "steps", []),
        ({"timeline": [{"phase": "begin", "end": "soon"}]}, "when", ""),
    ],
)
def test_host_is_told_in_words(given: dict[str, Any], key: str, expected: Any) -> None:
    found = host(**given)[key]
    assert (
        found.startswith(expected) and bool(found) == bool(expected) if isinstance(expected, str) else found == expected
    )


def test_time_line_says_when_and_how_long() -> None:
    data = shown({"web": result("updated")})
    steps = data["hosts"][0]["steps"]
    assert [(step["phase"], step["begin"], step["took"]) for step in steps] == [
        ("preflight", "23:00:00", "12 s"),
        ("update", "23:00:12", "2 h 30 min"),
    ]
    assert steps[-1]["x"] + steps[-1]["width"] == pytest.approx(1000, abs=1)
    assert [tick["label"] for tick in data["axis"]] == ["23:30", "00:00", "00:30", "01:00", "01:30"]
    assert dict(data["facts"])["When"] == "2026-01-31 23:00 to 2026-02-01 01:30 UTC, 2 h 30 min"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(-3, "0 s"), (59.9, "59 s"), (60, "1 min"), (725, "12 min 5 s"), (3600, "1 h"), (90061, "25 h 1 min")],
)
def test_duration(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected


def test_run_is_told() -> None:
    data = shown(
        {"web": result("updated", run_id="9")}, by="me@here", play="Roll out", options={"scope": "full", "limit": ""}
    )
    facts = dict(data["facts"])
    assert (facts["Who"], facts["Play"], facts["Run"], facts["Options"]) == ("me@here", "Roll out", "9", "scope: full")
    assert "Check mode" in dict(shown({}, check_mode=True)["facts"])["State"]


def test_closing_table_has_those_that_need_something() -> None:
    results = {
        "good": result("updated"),
        "warned": result("updated", warnings=["The clean-up failed."]),
        "kept": result("kept", snapshot_id=801),
        "refused": result("refused", reason="Refused, and nothing was touched. The host does not answer."),
    }
    lines = shown(results, file="/r/report.html")["closing"]
    assert lines[0] == "Safe update: 4 hosts: 1 failed, snapshot kept; 1 refused; 2 updated."
    assert [line.split()[0] for line in lines[1:]] == ["HOST", "kept", "refused", "warned", "The"]
    assert "ansible localhost -m vpsdotorg.cloud.vps_snapshot_restore -a 'server_id=12 snapshot_id=801'" in lines[2]
    assert lines[3].endswith("The host does not answer.")
    assert lines[4].endswith("The clean-up failed.")
    assert lines[-1] == "The whole report: /r/report.html"
    assert shown({"good": result("updated")})["closing"][-1] == "Nothing is left to do."
    # Rolled back because somebody wanted it: no update has failed.
    assert shown({"web": result("rolled_back")})["closing"][-1].endswith("The host is as in its snapshot.")


@pytest.mark.parametrize(
    ("reason", "is_whole"),
    [("It is full. " * 50, False), ("It is full. " * 50 + commands.delete("web", 12, 801), True), ("Short.", True)],
)
def test_long_reason_is_cut_but_no_command(reason: str, is_whole: bool) -> None:
    line = shown({"web": result("refused", reason=reason)})["closing"][-1]
    assert line.endswith(reason.strip()) == is_whole
    assert len(line) < 200 or is_whole


def test_without_a_command_nothing_is_left_open() -> None:
    assert shown({"web": result("kept")})["closing"][-1].endswith("restore it (all data since is lost).")


def test_in_awx_a_template_is_named() -> None:
    data = shown({"web": result("kept", snapshot_id=801)}, awx_job_id=7, vps_awx_prefix="Staging: ")
    expected = (
        "launch the template 'Staging: Restore a snapshot' with Hosts: web, Id of the snapshot: 801, "
        "Lose all data since the snapshot: true"
    )
    assert data["hosts"][0]["command"] == expected
    assert data["closing"][-1].endswith(expected)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, None),
        ({"awx_job_id": None}, None),
        ({"awx_job_id": 1}, "VPS.org: "),
        ({"awx_job_id": 1, "vps_awx_prefix": ""}, ""),
    ],
)
def test_awx_is_known_by_its_job(variables: dict[str, Any], expected: str | None) -> None:
    assert commands.awx_prefix(variables) == expected


def test_commands_quote_what_they_name() -> None:
    assert commands.start("a b; c") == (
        "ansible localhost -m vpsdotorg.cloud.vps_server_power -a 'server_id='\"'\"'a b; c'\"'\"' state=started'"
    )
    assert commands.delete("web", 1, 2).endswith("-a 'state=absent server_id=1 snapshot_id=2'")
    assert "Delete a snapshot" in commands.delete("web", 1, 2, "")
    assert "control panel" in commands.start(1, "")


def test_thousands_of_hosts_stay_readable() -> None:
    results = {f"h{number}": result("kept", snapshot_id=1) for number in range(3000)}
    begun = time.process_time()
    lines = shown(results)["closing"]
    assert time.process_time() - begun < 10
    assert len(lines) == ROWS + 3
    assert lines[-1] == f"... and {3000 - ROWS} more that need something."


def test_hostile_text_is_made_visible() -> None:
    keys = ("message", "reason", "failed_task", "snapshot_name", "server_id", "run_id", "restart_due")
    lists = ("warnings", "checks", "evidence", "differences", "old_libraries")
    packages = [{"name": HOSTILE, "old": HOSTILE, "new": HOSTILE}]
    hostile = result("kept", **dict.fromkeys(keys, HOSTILE), **{key: [HOSTILE] for key in lists}, packages=packages)
    run = {"by": HOSTILE, "play": HOSTILE, "options": {"hosts": HOSTILE}, "file": HOSTILE}
    data = shown({HOSTILE: {**hostile, "snapshot_id": 1, "deleted": [{"id": 2, "name": HOSTILE}]}}, **run)
    text = json.dumps(data, ensure_ascii=False)
    assert not {"\x1b", "\x07", "\u202e", "\udce9"} & set(text)
    assert "\\\\u001b[31mred\\\\u0007 \\\\u202egnp.exe" in text
    text.encode()
    rows = [line for line in data["markdown"] if line.startswith("|")]
    assert len(rows) == 3
    # Outside of code, nothing of it is HTML or a link.
    assert not any("<script" in line.replace("\\<", "") or "[a](" in line.replace("\\[", "") for line in rows)


@pytest.mark.parametrize("value", [None, 7, ["x"], "a\tb"])
def test_clean_takes_anything(value: Any) -> None:
    assert "\t" not in clean(value)
