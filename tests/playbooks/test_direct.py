# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module does the same in Ansible's own process as in its own, and only where that is no difference."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

TOKEN = "vps_playbooks_5b0c93e1f7a24d68"
TEMPLATE = "{{ 7 * 191 }} {% set x = 1 %}"
SNAPSHOT = {"server_id": 101, "status": "completed"}
SEED = {
    "servers": [
        {"id": 101, "name": "web-1"},
        {"id": 102, "name": "web-2", "status": "stopped"},
        {"id": 103, "name": "web-3", "status": "suspended"},
        {"id": 104, "name": "web-4"},
        # Its restore lasts until the answer that was lost is looked for.
        {"id": 105, "name": "web-5", "restore_minutes": 1000},
    ],
    "snapshots": [
        {**SNAPSHOT, "id": 1, "name": "nightly-1", "age": "9d"},
        {**SNAPSHOT, "id": 2, "name": "nightly-2", "age": "8d"},
        {**SNAPSHOT, "id": 3, "name": "before", "age": "7d", "server_id": 102, "description": TEMPLATE},
        {**SNAPSHOT, "id": 4, "name": "odd", "age": "7d", "server_id": 102, "status": "archived"},
        {**SNAPSHOT, "id": 5, "name": "twice", "age": "7d", "server_id": 104},
        {**SNAPSHOT, "id": 6, "name": "twice", "age": "6d", "server_id": 104},
        {**SNAPSHOT, "id": 7, "name": "before", "age": "6d", "server_id": 105},
    ],
    "backups": [{"id": 301, "server_id": 101, "backup_type": "manual", "age": "1d"}],
}
NEW = {"server_id": 101, "name": "new"}
# What is done, in this order, on one service: a name, the module, its options, the task's keywords.
STORY: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("lists all", "vps_snapshot_info", {}, {}),
    ("lists nothing", "vps_snapshot_info", {"name": "none"}, {}),
    ("servers", "vps_server_info", {}, {}),
    ("backups", "vps_backup_info", {"server_id": "101"}, {}),
    ("would be created", "vps_snapshot", NEW, {"check_mode": True}),
    ("is created", "vps_snapshot", {**NEW, "description": "été \u202e"}, {}),
    ("is there", "vps_snapshot", NEW, {}),
    (
        "would be pruned",
        "vps_snapshot_prune",
        {"server_id": 101, "name_prefix": "nightly-", "keep": 1},
        {"check_mode": True},
    ),
    ("is pruned", "vps_snapshot_prune", {"server_id": 101, "name_prefix": "nightly-", "keep": "1"}, {}),
    ("is deleted", "vps_snapshot", {**NEW, "state": "absent"}, {}),
    ("is gone", "vps_snapshot", {**NEW, "state": "absent"}, {}),
    ("would be restored", "vps_snapshot_restore", {"snapshot_id": 3}, {"check_mode": True}),
    ("is restored", "vps_snapshot_restore", {"snapshot_id": 3, "server_id": 102}, {}),
    ("is stopped", "vps_server_power", {"server_id": 102, "state": "stopped", "force": "yes"}, {}),
    ("warns", "vps_snapshot", {"server_id": 102, "name": "odd", "wait_timeout": 1}, {}),
    ("loses an answer", "vps_snapshot_restore", {"snapshot_id": 7, "wait": False}, {}),
    ("is ambiguous", "vps_snapshot", {"server_id": 104, "name": "twice", "state": "absent"}, {}),
    ("is foreign", "vps_snapshot_restore", {"snapshot_id": 3, "server_id": 104}, {}),
    ("is suspended", "vps_server_power", {"server_id": 103, "state": "started"}, {}),
    ("is unknown", "vps_snapshot", {"server_id": 999, "name": "x"}, {}),
    ("is answered 503", "vps_backup_info", {"server_id": 104, "api_retries": 0}, {}),
    ("lacks an option", "vps_snapshot", {"server_id": 101}, {}),
    ("has one too many", "vps_snapshot_info", {"nmae": "x"}, {}),
    ("is no choice", "vps_snapshot", {**NEW, "state": "here"}, {}),
    ("is no number", "vps_snapshot", {**NEW, "wait_timeout": "soon"}, {}),
    ("is a boolean", "vps_snapshot", {**NEW, "wait_timeout": True}, {}),
    ("is a fraction", "vps_snapshot", {**NEW, "snapshot_limit": 1.0}, {}),
    ("is a list", "vps_snapshot", {**NEW, "description": ["a", {"b": None}]}, {}),
    ("is no token", "vps_snapshot_info", {"api_token": f"'{TOKEN}'"}, {}),
    ("is a short token", "vps_snapshot_info", {"api_token": "a"}, {}),
    ("is a list of tokens", "vps_snapshot_info", {"api_token": [TOKEN]}, {}),
    ("is a wrong token", "vps_snapshot_info", {"api_token": "vps_wrong_token"}, {}),
    ("says the token", "vps_snapshot", {**NEW, "name": f"x-{TOKEN}", "description": TOKEN}, {}),
    ("keeps silent", "vps_snapshot_info", {}, {"no_log": True}),
    ("loops", "vps_snapshot_info", {"name": "{{ item }}"}, {"loop": ["before", "none"]}),
    (
        "is repeated",
        "vps_snapshot_info",
        {"name": "none"},
        {"until": "r.snapshots != []", "register": "r", "retries": 1, "delay": 0},
    ),
    ("is awaited", "vps_snapshot_info", {"name": "before"}, {"async": 60, "poll": 1}),
    ("has an environment", "vps_snapshot_info", {}, {"environment": {"VPS_API_TIMEOUT": "7"}}),
    ("has a bad environment", "vps_snapshot_info", {}, {"environment": {"VPS_API_TIMEOUT": "0"}}),
    ("has an empty environment", "vps_snapshot_info", {}, {"environment": {}}),
]
# What differs from run to run; `async` leaves its own.
TIMES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?|:\d{4,5}/|after \d+ s|j?\d+\.\d+(?=\"|$)")
OF_ASYNC = {"ansible_job_id", "finished", "started", "results_file", "stdout", "stderr", "stdout_lines", "stderr_lines"}


def masked(value: Any) -> Any:
    """A result without what differs from run to run."""
    if isinstance(value, dict):
        return {key: masked(each) for key, each in value.items() if key not in OF_ASYNC}
    if isinstance(value, list):
        return [masked(each) for each in value]
    return TIMES.sub("~", value) if isinstance(value, str) else value


def task(name: str, module: str, options: dict[str, Any], keywords: dict[str, Any]) -> dict[str, Any]:
    """A task of the collection, which may fail."""
    return {"name": name, f"vpsdotorg.cloud.{module}": options, "diff": True, "ignore_errors": True, **keywords}


def program(path: Path, script: str) -> str:
    """A shell script as a program; its path."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def local_play(*tasks: dict[str, Any], **keywords: Any) -> list[dict[str, Any]]:
    """A play on the controller."""
    return [{"hosts": "localhost", "gather_facts": False, "tasks": list(tasks), **keywords}]


def is_direct(output: str) -> bool:
    """Whether no module was run in a process of its own; needs `-vvvv`."""
    return "ESTABLISH LOCAL CONNECTION" not in output


@pytest.mark.smoke
def test_each_task_returns_the_same_both_ways(serve: Any, run_playbook: Any, tmp_path: Path) -> None:
    seen = {}
    for direct in ("true", "false"):
        service = serve(SEED)
        service.fault(kind="status", code=503, path="/backups/", times=0, skip=1)
        service.fault(kind="drop_after", method="POST", path="/snapshots/7/restore/")
        env = {"VPS_DIRECT": direct, "ANSIBLE_ASYNC_DIR": str(tmp_path)}
        run = run_playbook(local_play(*(task(*each) for each in STORY)), "-vvvv", service=service, env=env)
        assert run.rc == 0, run.output
        assert "Traceback" not in run.output
        calls = [(call["method"], call["path"], call["query"], call["status"]) for call in service.requests()]
        seen[direct] = ({name: masked(run.results(name)) for name, *_rest in STORY}, calls)
    (here, calls_here), (there, calls_there) = seen["true"], seen["false"]
    for name, *_rest in STORY:
        assert here[name] == there[name], name
    # Polls are as many as there was time for.
    writes_here, writes_there = ([call for call in calls if call[0] != "GET"] for calls in (calls_here, calls_there))
    assert writes_here == writes_there
    assert here["loses an answer"][0]["warnings"]
    assert "archived" in str(here["warns"])


@pytest.mark.smoke
@pytest.mark.parametrize("direct", ["true", "false"])
def test_text_of_the_api_is_no_template(serve: Any, run_playbook: Any, direct: str) -> None:
    text = {"until": f"r.snapshots[0].description == {TEMPLATE!r}", "register": "r", "retries": 0}
    say = {"name": "Say", "ansible.builtin.debug": {"msg": "{{ r.snapshots[0].description }}"}}
    plays = local_play(task("List", "vps_snapshot_info", {"snapshot_id": 3}, text), say)
    run = run_playbook(plays, service=serve(SEED), env={"VPS_DIRECT": direct})
    assert run.result("Say")["msg"] == TEMPLATE, run.output
    assert "1337" not in run.output


@pytest.mark.smoke
def test_it_is_in_a_process_of_its_own_where_that_makes_a_difference(
    serve: Any, run_playbook: Any, tmp_path: Path
) -> None:
    # Each says that it was used.
    other, templated = (
        program(tmp_path / name, f'echo >> {tmp_path}/used-{name}; exec {sys.executable} "$@"')
        for name in ("other", "templated")
    )
    su = program(tmp_path / "su", 'shift 2; exec sh -c "$1"')
    # (name, keywords of the task, whether it runs here)
    cases: list[tuple[str, dict, bool]] = [
        ("plain", {}, True),
        ("own Python", {"vars": {"ansible_python_interpreter": sys.executable}}, True),
        ("other Python", {"vars": {"ansible_python_interpreter": other}}, False),
        (
            "other Python of a template",
            {"vars": {"python": templated, "ansible_python_interpreter": "{{ python }}"}},
            False,
        ),
        ("other user", {"become": True, "become_method": "su", "become_exe": su}, False),
        ("in the background", {"async": 60, "poll": 1}, False),
        ("other environment", {"environment": {"X": "y"}}, False),
    ]
    play = local_play(*(task(name, "vps_snapshot_info", {}, keywords) for name, keywords, _runs_here in cases))
    run = run_playbook(play, "-vvvv", service=serve(SEED), env={"ANSIBLE_ASYNC_DIR": str(tmp_path)})
    said = dict(part.split("]", 1) for part in run.output.split("TASK [")[1:])
    for name, _keywords, runs_here in cases:
        assert len(run.result(name)["snapshots"]) == len(SEED["snapshots"]), (name, run.output)
        assert is_direct(said[name]) == runs_here, (name, run.output)
    assert {path.name for path in tmp_path.glob("used-*")} == {"used-other", "used-templated"}


@pytest.mark.smoke
@pytest.mark.parametrize(("switch", "runs_here"), [("False ", False), ("yes", True), ("", True)])
def test_one_variable_switches_that_off(serve: Any, run_playbook: Any, switch: str, runs_here: bool) -> None:
    play = local_play(task("List", "vps_snapshot_info", {}, {}))
    run = run_playbook(play, "-vvvv", service=serve(SEED), env={"VPS_DIRECT": switch})
    assert len(run.result("List")["snapshots"]) == len(SEED["snapshots"]), run.output
    assert is_direct(run.output) == runs_here, run.output


@pytest.mark.smoke
def test_the_configured_python_of_a_local_host_is_heeded(serve: Any, run_playbook: Any, tmp_path: Path) -> None:
    other = program(tmp_path / "other-python", f'exec {sys.executable} "$@"')
    inventory = {"all": {"hosts": {"here": {"ansible_connection": "local"}}}}
    play = [{"hosts": "here", "gather_facts": False, "tasks": [task("List", "vps_snapshot_info", {}, {})]}]
    service = serve(SEED)
    for python, runs_here in ((sys.executable, True), (other, False), ("auto_silent", True)):
        env = {"ANSIBLE_PYTHON_INTERPRETER": python}
        run = run_playbook(play, "-vvvv", service=service, inventory=inventory, env=env)
        assert run.result("List")["snapshots"], run.output
        assert is_direct(run.output) == runs_here, (python, run.output)


SITE = """
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/vpsdotorg.cloud.vps:
      api_url: {url}
      api_token: !vault |
        {cipher}
  tasks:
    - name: List
      vpsdotorg.cloud.vps_snapshot_info:
"""


@pytest.mark.smoke
@pytest.mark.parametrize("direct", ["true", "false"])
def test_an_encrypted_token_of_the_modules_defaults_is_read_and_stays_secret(
    serve: Any, run_playbook: Any, tmp_path: Path, direct: str
) -> None:
    from ansible.parsing.vault import VaultLib, VaultSecret

    service, password, site = serve(SEED), tmp_path / "password", tmp_path / "site.yml"
    password.write_text("secret")
    cipher = VaultLib([("default", VaultSecret(b"secret"))]).encrypt(service.token).decode()
    site.write_text(SITE.format(url=service.url, cipher=cipher.replace("\n", "\n        ")))
    run = run_playbook(site, "-vvvv", "--vault-password-file", str(password), env={"VPS_DIRECT": direct})
    assert service.token not in run.output
    assert len(run.result("List")["snapshots"]) == len(SEED["snapshots"]), run.output
    assert is_direct(run.output) == (direct == "true")


@pytest.mark.smoke
@pytest.mark.parametrize("direct", ["true", "false"])
def test_the_limit_of_a_task_ends_a_wait(serve: Any, run_playbook: Any, direct: str) -> None:
    play = local_play(task("Wait", "vps_snapshot", NEW, {"timeout": 3}))
    run = run_playbook(play, service=serve(SEED, time_scale=1), env={"VPS_DIRECT": direct})
    # Each ansible-core has words of its own for it.
    (failure,) = run.results("Wait", event="failed")
    assert "3 second" in failure["msg"] or "(3) and was terminated" in failure["msg"], run.output


@pytest.mark.smoke
@pytest.mark.parametrize("whole_group", [True, False], ids=["of the terminal", "of kill"])
def test_ctrl_c_ends_a_wait_at_once(serve: Any, controller: Any, tmp_path: Path, whole_group: bool) -> None:
    service, site, output = serve(SEED, time_scale=1), tmp_path / "site.json", tmp_path / "output"
    site.write_text(json.dumps(local_play(task("Wait", "vps_snapshot", NEW, {}))))
    # A shell that runs the tests in the background has them ignore Ctrl-C.
    listening = ["env", "--default-signal=INT", str(Path(sys.executable).parent / "ansible-playbook")]
    command = [*listening, "-i", "localhost,", "-c", "local", str(site)]
    with output.open("w") as file:
        process = subprocess.Popen(
            command, env=controller.environ(service), stdout=file, stderr=file, start_new_session=True
        )
    try:
        give_up = time.monotonic() + 60
        while not service.writes() and time.monotonic() < give_up:
            time.sleep(0.2)
        assert service.writes(), output.read_text()
        (os.killpg if whole_group else os.kill)(process.pid, signal.SIGINT)
        assert process.wait(20) != 0
    finally:
        process.kill()
    # A worker that is left would go on to ask: its polls are at most 15 s apart, and 2 s at the beginning.
    time.sleep(1)
    calls = service.requests()
    time.sleep(5)
    assert service.requests() == calls, output.read_text()
    assert service.token not in output.read_text()


@pytest.mark.smoke
@pytest.mark.parametrize("direct", ["true", "false"])
def test_a_bug_is_called_one_and_its_traceback_is_for_those_who_ask(
    serve: Any, run_playbook: Any, tmp_path: Path, direct: str
) -> None:
    # What stands in for a bug: something that no part of the client expects.
    (tmp_path / "sitecustomize.py").write_text(
        "import requests\ndef send(self, request, **_more):\n"
        "    raise ZeroDivisionError(request.headers['Authorization'])\nrequests.Session.send = send\n"
    )
    service, env = serve(SEED), {"VPS_DIRECT": direct, "PYTHONPATH": str(tmp_path)}
    for verbosity, display in (((), "never"), (("-vvv",), "always")):
        play = local_play(task("List", "vps_snapshot_info", {}, {}))
        run = run_playbook(play, *verbosity, service=service, env={**env, "ANSIBLE_DISPLAY_TRACEBACK": display})
        message = run.result("List")["msg"]
        assert message.startswith("This is a bug of vpsdotorg.cloud: ZeroDivisionError: "), run.output
        assert service.token not in run.output
        assert ("in perform" in run.output) == bool(verbosity), run.output
