# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a newcomer does wrong, and the sentence that he reads: what was tried, what came back, what to do."""

from __future__ import annotations

import json
import os
import pwd
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import TOKEN
from .fleet import HOST, TASKS

SEED = {
    "servers": [{"id": 101, "name": "web-1", "ip_address": "127.0.0.1"}],
    "snapshots": [{"id": 1, "server_id": 101, "name": "nightly-1", "status": "completed", "age": "9d"}],
}
NO_TOKEN = "There is no API token: set VPS_API_TOKEN in the environment of the controller, or api_token in "
QUOTED = "api_token is in quotes, which do not belong to the token. Give it without them."
WRONG = "answered 401: Invalid token. Check the token (api_token or VPS_API_TOKEN): it is missing, mistyped, expired"
NO_API = (
    "answered 404: the body is no JSON, but a page called 'Not Found'. Correct api_url, as no API answers there: it"
)
CLEAR = "api_url uses http:// with the host vps.example, which would send the token in the clear. Use https://"
EMPTY = "Given, but empty, which counts as missing: {} (is the variable behind it set?)"

# What is given to every module and to the inventory plugin.
CONNECTION: dict[str, tuple[dict[str, Any], str]] = {
    "no token": ({"api_token": ""}, NO_TOKEN),
    "a token in quotes": ({"api_token": f"'{TOKEN[:-1]}'"}, QUOTED),
    "a wrong token": ({"api_token": "vps_wrong"}, WRONG),
    "a URL without /api/v1": ({"api_url": "{{ url | regex_replace('/api/v1$', '') }}"}, NO_API),
    "http": ({"api_url": "http://vps.example/api/v1"}, CLEAR),
}
# A module, its options, and what it says.
MODULES: dict[str, tuple[str, dict[str, Any], str]] = {
    **{mistake: ("vps_snapshot_info", options, said) for mistake, (options, said) in CONNECTION.items()},
    "an unknown server": (
        "vps_snapshot",
        {"server_id": 999, "name": "x"},
        "Creating snapshot x of server 999: POST /snapshots/ answered 404: Server not found. Check the id "
        "(vps_server_info and vps_snapshot_info show what there is)",
    ),
    "an unknown snapshot": (
        "vps_snapshot_restore",
        {"server_id": 101, "snapshot_id": 77},
        "Nothing was restored: there is no snapshot with id 77. List them with vps_snapshot_info.",
    ),
    "a name in place of an id": (
        "vps_snapshot",
        {"server_id": "web-1", "name": "x"},
        "server_id 'web-1' is neither an integer nor a UUID. Nothing was sent; vps_server_info shows the id of each",
    ),
    "a null server_id": (
        "vps_snapshot_prune",
        {"server_id": None, "name_prefix": "nightly-", "keep": 1},
        f"all of the following are missing: server_id. {EMPTY.format('server_id')}",
    ),
    "an empty server_id": (
        "vps_snapshot",
        {"server_id": "", "name": "x"},
        f"all of the following are missing: server_id. {EMPTY.format('server_id')}",
    ),
    "a null keep": (
        "vps_snapshot_prune",
        {"server_id": 101, "name_prefix": "nightly-", "keep": None},
        f"one of the following is required: keep, older_than. {EMPTY.format('keep')}",
    ),
    "an empty snapshot_id": (
        "vps_snapshot",
        {"state": "absent", "server_id": 101, "snapshot_id": ""},
        f"any of the following are missing: snapshot_id, name. {EMPTY.format('snapshot_id')}",
    ),
    "a null snapshot_id": (
        "vps_snapshot_restore",
        {"server_id": 101, "snapshot_id": None},
        f"one of the following is required: snapshot_id, name. {EMPTY.format('snapshot_id')}",
    ),
}
# Variables of a host in a run of the playbook safe_update in check mode, and what is said of it.
OWN = {"vps_server_id": 101, "safe_update_tasks": str(TASKS / "update.yml"), "safe_update_check_tasks": None}
HOSTS: dict[str, tuple[dict[str, Any], str]] = {
    "no-id": ({}, "The host has no server id: set vps_server_id, as the inventory plugin vpsdotorg.cloud.vps does, or"),
    "null-id": ({"vps_server_id": None}, "The host has no server id: set vps_server_id"),
    "name": (
        {"vps_server_id": "web-1"},
        "safe_update_server_id is 'web-1', but has to be the server's integer id or its UUID, as vps_server_info shows",
    ),
    "unknown": (
        {"vps_server_id": 999},
        "The account has no server 999. Check safe_update_server_id (or vps_server_id)",
    ),
    "mistyped": (
        {**OWN, "safe_update_on_fail": "rollback"},
        "safe_update_on_fail is no variable of this role; did you mean safe_update_on_failure?",
    ),
    "kindless": (
        {**OWN, "safe_update_checks": [{"retries": 3}]},
        "a list of checks with exactly one of url, port, service, command, and number 1 of it has none of them",
    ),
    "no-file": (
        {**OWN, "safe_update_tasks": "upgrade.yml"},
        "safe_update_tasks: there is no task file upgrade.yml. Looked in: ",
    ),
    "nothing-checked": (
        {**OWN, "safe_update_compare": False, "safe_update_verify_identity": False},
        "Nothing says what healthy is (give it safe_update_checks), so no bad update will be noticed; 1 of 5",
    ),
}
# A playbook, what stands behind it on the command line, and what it says.
CONFIRM = "Nothing was restored. A restore loses all data since the snapshot: name the hosts in restore_hosts, say"
PLAYBOOKS: dict[str, tuple[str, str]] = {
    "a pattern without hosts": (
        "safe_update -e safe_update_hosts=wbe",
        'Nothing was done: no host matches the pattern "wbe". The inventory has 2 hosts: web-1, by-name. If that is',
    ),
    "a limit without hosts": (
        "cleanup -e cleanup_hosts=web-1 --limit by-name",
        'no host matches the pattern "web-1" within the limit "by-name"',
    ),
    "a restore of nobody": (
        "restore -e restore_confirm=true -e restore_snapshot_id=1",
        "restore_hosts has no default, as what this playbook does cannot be undone. Name the hosts: -e restore_hosts=",
    ),
    "a restore without a confirmation": ("restore -e restore_hosts=web-1 -e restore_snapshot_id=1", CONFIRM),
    "a restore with an empty id": (
        "restore -e restore_hosts=web-1 -e restore_confirm=true -e restore_snapshot_id=",
        CONFIRM,
    ),
    "a clean-up that does not say what stays": (
        """cleanup --limit web-1 -e '{"cleanup_keep": null}'""",
        "Nothing was deleted: say which snapshots stay, in cleanup_keep (how many of the newest of each host) or",
    ),
    "a clean-up by name": (
        "cleanup --limit by-name -e cleanup_keep=1",
        "server_id 'web-1' is neither an integer nor a UUID. Nothing was sent; vps_server_info shows the id of each",
    ),
}


@pytest.mark.smoke
@pytest.mark.parametrize("direct", ["true", "false"])
def test_what_a_module_says(serve: Any, run_playbook: Any, direct: str) -> None:
    service = serve(SEED)
    tasks = [
        {
            "name": mistake,
            f"vpsdotorg.cloud.{module}": {"api_token": TOKEN, "api_url": "{{ url }}", **options},
            "ignore_errors": True,
        }
        for mistake, (module, options, _said) in MODULES.items()
    ]
    play = {"hosts": "localhost", "gather_facts": False, "vars": {"url": service.url}, "tasks": tasks}
    run = run_playbook([play], env={"VPS_DIRECT": direct})
    told = {mistake: run.result(mistake).get("msg", "it succeeded") for mistake in MODULES}
    assert {mistake: said for mistake, said in told.items() if MODULES[mistake][2] not in said} == {}
    assert [call["status"] for call in service.writes()] == [404], "the unknown server alone is asked about"


def test_what_the_inventory_says_and_that_the_playbook_does_not_call_it_a_success(
    serve: Any, run_playbook: Any, tmp_path: Path
) -> None:
    service = serve(SEED)
    folder = tmp_path / "servers"
    folder.mkdir()
    files = {mistake: folder / f"{number}.vps.yml" for number, mistake in enumerate(CONNECTION)}
    for mistake, file in files.items():
        options = {"api_token": TOKEN, "api_url": service.url, **CONNECTION[mistake][0]}
        file.write_text(json.dumps({"plugin": "vpsdotorg.cloud.vps", **options}), encoding="utf-8")
    run = run_playbook("vpsdotorg.cloud.safe_update", inventory=folder, variables={"url": service.url})
    assert [said for _options, said in CONNECTION.values() if said not in run.text] == []
    assert f"{NO_TOKEN}{files['no token']}." in run.text
    (message,) = run.failures()
    assert message.startswith('Nothing was done: no host matches the pattern "all". The inventory has no hosts.')
    assert "a warning above says what could not be read; try ansible-inventory --graph" in message
    assert run.rc != 0


@pytest.mark.smoke
def test_what_the_role_says_of_each_host(serve: Any, run_playbook: Any) -> None:
    service = serve(SEED)
    hosts = {name: {**HOST, **variables} for name, (variables, _said) in HOSTS.items()}
    inventory = {"all": {"hosts": hosts}}
    run = run_playbook("vpsdotorg.cloud.safe_update", check=True, service=service, inventory=inventory)
    told = {host: run.custom_stats["safe_update"][host]["message"] for host in HOSTS}
    assert {host: said for host, said in told.items() if HOSTS[host][1] not in said} == {}
    assert [host for host in HOSTS if not run.failures(host)] == ["nothing-checked"]


@pytest.mark.parametrize("mistake", PLAYBOOKS)
def test_what_a_playbook_says(serve: Any, run_playbook: Any, mistake: str) -> None:
    command, said = PLAYBOOKS[mistake]
    playbook, *arguments = shlex.split(command)
    service = serve(SEED)
    hosts = {"web-1": {**HOST, "vps_server_id": 101}, "by-name": {**HOST, "vps_server_id": "web-1"}}
    run = run_playbook(f"vpsdotorg.cloud.{playbook}", *arguments, service=service, inventory={"all": {"hosts": hosts}})
    (message,) = run.failures()
    assert said in message
    assert run.rc != 0
    assert service.requests() == []


SERVER = '''
from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = """
name: server
short_description: A server that is this machine
description: As local, under another name.
extends_documentation_fragment: connection_pipelining
options: {}
"""


class Connection(Local):
    transport = "server"
'''


def old_pythons() -> list[str]:
    """The releases of Python on which the collection cannot run, as far as this machine has them."""
    versions = Path(pwd.getpwuid(os.getuid()).pw_dir, ".pyenv", "versions")
    return [str(path) for path in sorted(versions.glob("3.[6-9].*/bin/python"))]


@pytest.mark.smoke
def test_what_a_module_on_a_server_says_where_delegate_to_was_forgotten(
    serve: Any, run_playbook: Any, tmp_path: Path
) -> None:
    (tmp_path / "server.py").write_text(SERVER)
    pythons = [sys.executable, "/missing/python", *old_pythons()]
    hosts = {f"web-{number}": {"ansible_python_interpreter": python} for number, python in enumerate(pythons)}
    module = "vpsdotorg.cloud.vps_snapshot_info"
    tasks = [
        {"name": "List", module: {}, "ignore_errors": True},
        {"name": "Refuse", module: {"api_token": "vps_wrong"}, "ignore_errors": True},
        {"name": "Here", module: {}, "delegate_to": "localhost"},
    ]
    run = run_playbook(
        [{"hosts": "all", "gather_facts": False, "tasks": tasks}],
        service=serve(SEED),
        inventory={"all": {"hosts": hosts, "vars": {"ansible_connection": "server"}}},
        env={"ANSIBLE_CONNECTION_PLUGINS": str(tmp_path)},
    )
    advice = "vps_snapshot_info calls the API from where it runs: run it on the controller (delegate_to: localhost)."
    assert run.result("List", host="web-0")["snapshots"], run.output
    assert f"{advice} It ran on web-0, so the API token was sent to that host." in run.text
    assert run.result("Refuse", host="web-0")["status_code"] == 401
    for host, variables in hosts.items():
        assert run.result("Here", host=host)["snapshots"], run.output
        if host != "web-0":
            message = run.result("List", host=host)["msg"]
            assert message.startswith(f"{advice} It ran on {host}, and failed there: "), (variables, message)
