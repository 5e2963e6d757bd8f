# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook audit, through the real ansible-playbook."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

AUDIT = "vpsdotorg.cloud.audit"
SERVERS = [
    {"id": 101, "name": "web-1", "ip_address": "203.0.113.1"},
    {"id": 102, "name": "web-2", "ip_address": "203.0.113.2", "status": "stopped"},
    {"id": 103, "name": "empty", "ip_address": "203.0.113.3"},
]
SNAPSHOTS = [
    {"id": 1, "server_id": 101, "name": "safe-update-20260101T000000Z", "age": "8d"},
    {"id": 2, "server_id": 101, "name": "safe-update-20260102T000000Z", "age": "6d"},
    {"id": 3, "server_id": 101, "name": "manual", "age": "80d"},
    {"id": 4, "server_id": 101, "name": "manual", "age": "3d", "status": "failed"},
    {"id": 5, "server_id": 101, "name": "safe-update-20260103T000000Z", "age": "3d", "status": "archived"},
    {
        "id": 6,
        "server_id": 102,
        "name": "safe-update-20260104T000000Z",
        "age": "2h",
        "description": "safe_update: 4711; server stopped for this snapshot",
    },
    {"id": 7, "server_id": 102, "name": "manual", "age": "2h", "status": "in_progress", "outcome": "stuck"},
    {"id": 8, "server_id": 102, "name": "manual", "age": "30m", "status": "in_progress", "outcome": "stuck"},
]
KINDS = ("own", "foreign", "held", "stale", "failed", "stuck", "unknown")


def ids(entry: dict[str, Any]) -> dict[str, list[int]]:
    """The ids of the snapshots of each kind that is there."""
    return {kind: [snapshot["id"] for snapshot in entry[kind]] for kind in KINDS if entry[kind]}


def rows(run: Any) -> dict[str, list[str]]:
    """The cells of the printed table by the first one: of each server, and the total."""
    printed = [line.split() for line in run.result("Show the table")["msg"]]
    last = next(place for place, cells in enumerate(printed) if cells[0] == "total")
    return {cells[0]: cells[1:] for cells in printed[: last + 1]}


@pytest.fixture
def service(serve: Any) -> Any:
    """Serve an account in which everything is wrong that can be."""
    return serve({"servers": SERVERS, "snapshots": SNAPSHOTS})


@pytest.mark.smoke
@pytest.mark.parametrize("shape", ["pages", "vendor", "both"])
def test_audit(serve: Any, run_playbook: Any, tmp_path: Path, shape: str) -> None:
    service = serve({"server_shape": shape, "servers": SERVERS, "snapshots": SNAPSHOTS})
    file = tmp_path / "audit.json"
    # As in AWX, where nobody can run a command.
    run = run_playbook(AUDIT, service=service, variables={"audit_json": str(file), "awx_job_id": 4712})
    assert run.rc == 0, run.output

    report = json.loads(file.read_text(encoding="utf-8"))
    assert report["summary"] == {
        "servers": 3,
        "snapshots": 8,
        "own": 4,
        "foreign": 4,
        "held": 0,
        "stale": 1,
        "failed": 1,
        "stuck": 1,
        "unknown": 1,
        "stopped_by_killed_run": 1,
    }
    empty, web_1, web_2 = report["servers"]
    assert (empty["name"], empty["slots_used"], ids(empty)) == ("empty", 0, {})
    assert web_1["slots_used"] == 5
    assert ids(web_1) == {"own": [5, 2, 1], "foreign": [4, 3], "stale": [1], "failed": [4], "unknown": [5]}
    assert ids(web_2) == {"own": [6], "foreign": [8, 7], "stuck": [7]}
    assert web_1["stopped_by_killed_run"] is None
    assert web_2["stopped_by_killed_run"]["command"].startswith("start the server ")

    table = rows(run)
    assert table["web-1"][1:] == ["active", "5", "3", "2", "0", "1", "1", "0", "1"]
    assert table["web-2"][1:] == ["stopped", "3", "1", "2", "0", "0", "0", "1", "0"]
    assert table["total"] == ["3", "8", "4", "4", "0", "1", "1", "1", "1"]
    assert '"SERVER ' in run.stdout
    assert [call["path"] for call in service.requests()] == ["/api/v1/servers/", "/api/v1/snapshots/"]


@pytest.mark.smoke
def test_held_snapshots_are_never_stale(service: Any, run_playbook: Any, tmp_path: Path) -> None:
    file = tmp_path / "audit.json"
    hosts = {"web-1": {"safe_update_hold": [1, None]}, "web-2": {"safe_update_hold": None}, "db-1": {}}
    run = run_playbook(AUDIT, service=service, variables={"audit_json": str(file)}, inventory={"all": {"hosts": hosts}})
    assert run.rc == 0, run.output
    _empty, web_1, _web_2 = json.loads(file.read_text(encoding="utf-8"))["servers"]
    assert ids(web_1) == {"own": [5, 2, 1], "foreign": [4, 3], "held": [1], "failed": [4], "unknown": [5]}


@pytest.mark.smoke
def test_command_that_is_named_starts_the_server(service: Any, controller: Any, tmp_path: Path) -> None:
    file = tmp_path / "audit.json"
    controller.playbook(AUDIT, service=service, variables={"audit_json": str(file)})
    killed = json.loads(file.read_text(encoding="utf-8"))["servers"][2]["stopped_by_killed_run"]
    assert killed["inferred"] is True
    assert (killed["run_id"], killed["snapshot_id"]) == ("4711", 6)
    # Its outcome is power management's to test, and takes a while.
    run = controller.run(*shlex.split(killed["command"]), "--check", service=service)
    assert run.rc == 0, run.output
    assert '"changed": true' in run.stdout
    run = controller.run(*shlex.split(killed["command"]), service=service)
    assert run.rc == 0, run.output
    controller.playbook(AUDIT, service=service, variables={"audit_json": str(file)})
    assert json.loads(file.read_text(encoding="utf-8"))["summary"]["stopped_by_killed_run"] == 0


@pytest.mark.smoke
def test_empty_account(serve: Any, run_playbook: Any, tmp_path: Path) -> None:
    file = tmp_path / "audit.json"
    run = run_playbook(AUDIT, service=serve({}), variables={"audit_json": str(file)})
    assert run.rc == 0, run.output
    report = json.loads(file.read_text(encoding="utf-8"))
    assert report["servers"] == []
    assert set(report["summary"].values()) == {0}
    assert rows(run)["total"] == ["0"] * 9


def test_a_relative_file_lies_where_the_user_stands(serve: Any, controller: Any) -> None:
    run = controller.playbook(AUDIT, service=serve({}), variables={"audit_json": "audit.json"})
    assert run.rc == 0, run.output
    assert json.loads((controller.folder / "audit.json").read_text(encoding="utf-8"))["servers"] == []


def test_check_mode_shows_the_same_and_writes_nothing(service: Any, run_playbook: Any, tmp_path: Path) -> None:
    file = tmp_path / "audit.json"
    run = run_playbook(AUDIT, service=service, variables={"audit_json": str(file)}, check=True)
    assert run.rc == 0, run.output
    assert rows(run)["total"] == ["3", "8", "4", "4", "0", "1", "1", "1", "1"]
    assert not file.exists()


def test_under_the_free_strategy(service: Any, run_playbook: Any) -> None:
    run = run_playbook(AUDIT, service=service, env={"ANSIBLE_STRATEGY": "free"})
    assert run.rc == 0, run.output
    assert rows(run)["total"] == ["3", "8", "4", "4", "0", "1", "1", "1", "1"]


def test_without_a_file(service: Any, run_playbook: Any) -> None:
    run = run_playbook(AUDIT, service=service)
    assert run.rc == 0, run.output
    assert run.stats["localhost"]["changed"] == 0
    assert service.writes() == []


def test_rules_of_ones_own(service: Any, run_playbook: Any, tmp_path: Path) -> None:
    file = tmp_path / "audit.json"
    variables = {"audit_json": str(file), "audit_stale_after": "1h", "audit_stuck_after": "10m"}
    run_playbook(AUDIT, service=service, variables=variables)
    summary = json.loads(file.read_text(encoding="utf-8"))["summary"]
    assert (summary["stale"], summary["stuck"]) == (3, 2)
    run_playbook(AUDIT, service=service, variables={**variables, "safe_update_name_prefix": "nightly"})
    summary = json.loads(file.read_text(encoding="utf-8"))["summary"]
    assert (summary["own"], summary["stale"], summary["stopped_by_killed_run"]) == (0, 0, 0)


@pytest.mark.parametrize("option", ["audit_stale_after", "audit_stuck_after"])
def test_duration_that_is_none(service: Any, run_playbook: Any, option: str) -> None:
    run = run_playbook(AUDIT, service=service, variables={option: "a week"})
    assert run.rc != 0
    assert f"{option.removeprefix('audit_')} 'a week' is not a duration" in run.text


def test_snapshots_of_a_server_that_is_not_listed(serve: Any, run_playbook: Any) -> None:
    # As if it had been deleted between the two lists.
    service = serve({"servers": SERVERS, "snapshots": SNAPSHOTS})
    service.fault(
        method="GET", path="/servers/", kind="status", code=200, body={"count": 0, "next": None, "results": []}, times=1
    )
    run = run_playbook(AUDIT, service=service)
    assert run.rc == 0, run.output
    assert rows(run)["web-1"][:3] == ["101", "not", "listed"]
    assert rows(run)["total"][:2] == ["0", "8"]


@pytest.mark.smoke
def test_own_localhost_in_the_inventory_is_not_connected_to(service: Any, run_playbook: Any) -> None:
    wrong = {"ansible_host": "203.0.113.1", "ansible_connection": "ssh", "ansible_python_interpreter": "/nowhere"}
    run = run_playbook(AUDIT, service=service, inventory={"all": {"hosts": {"localhost": wrong}}})
    assert run.rc == 0, run.output


@pytest.mark.smoke
def test_nothing_of_the_api_is_run_as_a_template(serve: Any, run_playbook: Any, tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    text = "{{ lookup('pipe', 'touch " + str(trap) + "') }}"
    file = tmp_path / "audit.json"
    service = serve(
        {
            "servers": [{"id": 101, "name": text, "hostname": text, "status": "stopped"}],
            "snapshots": [
                {"server_id": 101, "name": "manual", "status": "failed", "description": text},
                {
                    **SNAPSHOTS[5],
                    "server_id": 101,
                    "description": f"safe_update: {text}; server stopped for this snapshot",
                },
            ],
        }
    )
    run = run_playbook(AUDIT, "-vvvv", service=service, variables={"audit_json": str(file)})
    assert run.rc == 0, run.output
    (entry,) = json.loads(file.read_text(encoding="utf-8"))["servers"]
    assert entry["name"] == text
    assert entry["failed"][0]["description"] == text
    assert entry["stopped_by_killed_run"]["run_id"] == text
    assert not trap.exists()


READER = "vps_playbooks_may_not_read_servers"


@pytest.mark.parametrize(
    ("token", "said"),
    [("vps_unknown", "answered 401: Invalid token. Check the token"), (READER, "answered 403"), ("", "api_token")],
    ids=["unknown", "without the permission", "none"],
)
def test_refused_token(serve: Any, run_playbook: Any, token: str, said: str) -> None:
    service = serve({"servers": SERVERS, "tokens": [{"token": READER, "permissions": ["snapshots:read"]}]})
    run = run_playbook(AUDIT, "-vvvv", service=service, env={"VPS_API_TOKEN": token})
    assert run.rc != 0
    assert said in run.failures()[0]


def test_calls_are_one_for_each_page(serve: Any, run_playbook: Any, tmp_path: Path) -> None:
    servers = [{"id": number, "name": f"web-{number}"} for number in range(1, 301)]
    snapshots = [
        {"server_id": server["id"], "name": f"safe-update-2026010{day}T000000Z", "age": f"{day}d"}
        for server in servers
        for day in range(5, 10)
    ]
    service = serve({"snapshot_page_size": 100, "servers": servers, "snapshots": snapshots})
    file = tmp_path / "audit.json"
    run = run_playbook(AUDIT, service=service, variables={"audit_json": str(file)})
    assert run.rc == 0, run.output
    assert json.loads(file.read_text(encoding="utf-8"))["summary"]["own"] == 1500
    assert len(service.requests()) == 3 + 15
