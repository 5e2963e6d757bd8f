# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation shows is run: EXAMPLES, README files and guides, against an emulator."""

from __future__ import annotations

import ast
import itertools
import json
import re
import shlex
import textwrap
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import TOKEN

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = sorted([*ROOT.glob("plugins/modules/*.py"), *ROOT.glob("plugins/filter/*.py")])
PLAYBOOKS_GUIDE = ROOT / "docs/docsite/rst/guide_playbooks.rst"
PAGES = [ROOT / "README.md", ROOT / "roles/safe_update/README.md", *sorted(ROOT.glob("docs/docsite/rst/*.rst"))]
SEED = {
    "servers": [
        {"id": 12345, "name": "web-1", "ip_address": "127.0.0.1"},
        {"id": 12346, "name": "web-2", "ip_address": "127.0.0.2"},
    ],
    "snapshots": [
        {"id": 801, "server_id": 12345, "name": "before-update", "status": "completed", "age": "1h"},
        {"id": 802, "server_id": 12345, "name": "nightly-20260101", "status": "completed", "age": "30d"},
        {"id": 803, "server_id": 12345, "name": "safe-update-20260131T020000Z", "status": "completed", "age": "9d"},
        {"id": 804, "server_id": 12346, "name": "safe-update-20260131T020000Z", "status": "completed", "age": "9d"},
        {"id": 805, "server_id": 12346, "name": "safe-update-20260207T020000Z", "status": "completed", "age": "2d"},
    ],
    "backups": [{"id": 1, "server_id": 12345, "backup_type": "automatic", "status": "completed", "age": "5h"}],
}
# The servers are this machine here, so that nothing of it may really be updated.
GROUP_VARS = {
    "safe_update_tasks": "{{ inventory_dir }}/update.yml",
    "safe_update_compare": False,
    "safe_update_soak": 0,
    "safe_update_connection_timeout": 60,
    "safe_update": {"web-1": {"snapshot_id": 801}},
    "vault_vps_api_token": TOKEN,
}


def blocks(page: Path, *languages: str) -> list[str]:
    """The code blocks of a page in one of the languages, without their indentation."""
    text = page.read_text(encoding="utf-8")
    names = "|".join(map(re.escape, languages))
    fenced = re.findall(rf"^```(?:{names})\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    marked = re.findall(rf"^( *)\.\. code-block:: (?:{names})\n\n((?:\1    .*\n|\n)+)", text, re.MULTILINE)
    return fenced + [textwrap.dedent(block) for _indent, block in marked]


def commands(page: Path) -> list[str]:
    """The commands of Ansible that a page shows."""
    lines = "\n".join(blocks(page, "console", "shell")).splitlines()
    return [line.removeprefix("$ ") for line in lines if re.match(r"(\$ )?ansible(-playbook|-inventory)? ", line)]


def samples(page: Path) -> dict[str, str]:
    """The output that a page shows beneath a command."""
    found = re.findall(r"^\.\. code-block:: (console|text)\n\n((?:    .*\n|\n)+)", page.read_text(), re.MULTILINE)
    shown = [(language, textwrap.dedent(block).strip()) for language, block in found]
    return {
        command.removeprefix("$ "): output
        for (before, command), (after, output) in itertools.pairwise(shown)
        if (before, after) == ("console", "text") and "cloud.assess " not in command
    }


def timeless(output: str) -> str:
    """What was printed, without what differs from run to run, and from one width of the terminal to the next."""
    lines = re.sub(r"\*{3,}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|\d{8}T\d{6}Z", "~", output).splitlines()
    return "\n".join(line.rstrip() for line in lines)


SAMPLES = samples(PLAYBOOKS_GUIDE)


def snippets(page: Path) -> list[Any]:
    """The decoded YAML blocks of a page."""
    return [yaml.safe_load(block) for block in blocks(page, "yaml", "yaml+jinja")]


def is_playbook(part: list[dict[str, Any]]) -> bool:
    return bool({"hosts", "ansible.builtin.import_playbook"} & set(part[0]))


def named(parts: list[tuple[Path, Any]]) -> list[Any]:
    return [
        pytest.param(part, id=f"{page.parent.name}-{page.stem}-{number}") for number, (page, part) in enumerate(parts)
    ]


@pytest.fixture(scope="module")
def health_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A web server that has a /health."""
    folder = tmp_path_factory.mktemp("health")
    (folder / "health").write_text("well")
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def site(controller: Any, health_port: int) -> Path:
    """A folder as the guides' readers have it."""
    folder = controller.folder
    (folder / "group_vars").mkdir()
    (folder / "group_vars" / "all.yml").write_text(yaml.safe_dump({**GROUP_VARS, "health_port": health_port}))
    checks = {"safe_update_checks": [{"url": f"http://127.0.0.1:{health_port}/health"}]}
    (folder / "checks.yml").write_text(yaml.safe_dump(checks))
    (folder / "update.yml").write_text("- name: Update\n  ansible.builtin.command: 'true'\n  changed_when: true\n")
    of_run = {"outcome": "updated", "snapshot_id": 803, "snapshot_name": "safe-update-20260131T020000Z"}
    (folder / "results.json").write_text(json.dumps({"safe_update": {"web-1": of_run}}))
    (folder / "quiet.cfg").write_text(blocks(PLAYBOOKS_GUIDE, "ini")[0])
    (folder / "servers.vps.yml").write_text("plugin: vpsdotorg.cloud.vps\nstatus: [active]\n")
    hosts = {
        each["name"]: {"vps_server_id": each["id"], "ansible_host": each["ip_address"]} for each in SEED["servers"]
    }
    (folder / "staging").mkdir()
    (folder / "staging" / "report.json").write_text('{"hosts": {}}')
    inventory = {"all": {"children": {"web": {"hosts": hosts}}}}
    (folder / "inventory.yml").write_text(yaml.safe_dump(inventory))
    return folder


@pytest.fixture
def service(serve: Any) -> Any:
    """An account like the examples'."""
    return serve(SEED, time_scale=6000)


def documented(plugin: Path, name: str) -> Any:
    """What a plugin's EXAMPLES or RETURN holds."""
    for node in ast.parse(plugin.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            return yaml.safe_load(ast.literal_eval(node.value))
    raise LookupError(f"{plugin} has no {name}")


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.stem)
def test_an_example_says_that_it_runs_on_the_controller(plugin: Path) -> None:
    for task in documented(plugin, "EXAMPLES"):
        if any(key.startswith("vpsdotorg.cloud.") for key in task):
            assert task.get("delegate_to") == "localhost", task["name"]


@pytest.mark.parametrize("plugin", sorted(ROOT.glob("plugins/modules/*.py")), ids=lambda plugin: plugin.stem)
def test_a_module_tells_each_key_that_it_returns(plugin: Path) -> None:
    returned = documented(plugin, "RETURN")
    described = [value for value in returned.values() if "contains" in value]
    assert described
    for value in described:
        samples = value.get("sample", [])
        for sample in samples if value["type"] == "list" else [samples]:
            assert sample.keys() == value["contains"].keys()
    left = [key for key, value in returned.items() if "dict" in (value["type"], value.get("elements"))]
    assert {key for key in left if "contains" not in returned[key]} <= {"deleted", "slots", "api_error"}


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.stem)
def test_the_examples_of_a_plugin(plugin: Path, service: Any, run_playbook: Any) -> None:
    tasks = documented(plugin, "EXAMPLES")
    if plugin.stem == "vps_audit_table":
        # It goes on where the example of the other filter has listed the account.
        module = "vpsdotorg.cloud.vps_{}_info"
        tasks = [
            {module.format("server"): {}, "register": "account"},
            {module.format("snapshot"): {}, "register": "copies"},
            *tasks,
        ]
    run = run_playbook([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}], service=service)
    assert run.rc == 0, run.output


@pytest.mark.parametrize(
    "play",
    # A list of tasks is a file of the guide to updates without an outage, which tests/e2e/test_service.py runs.
    named([(page, part) for page in PAGES for part in snippets(page) if isinstance(part, list) and is_playbook(part)]),
)
def test_a_playbook_of_the_documentation(play: Any, service: Any, run_playbook: Any, site: Path) -> None:
    run = run_playbook(
        play,
        "--limit=localhost,web-1",
        service=service,
        inventory=site / "inventory.yml",
        env={"ANSIBLE_TRANSPORT": "local"},
    )
    assert run.rc == 0, run.output
    assert run.stats


@pytest.mark.parametrize(
    "part", named([(page, part) for page in PAGES for part in snippets(page) if isinstance(part, dict)])
)
def test_settings_of_the_documentation(part: dict, service: Any, run_inventory: Any) -> None:
    if "plugin" in part:
        hosts = run_inventory(part, service=service).json["_meta"]["hostvars"]
        assert sorted(hosts) == ["web-1", "web-2"]
    else:
        specs = yaml.safe_load((ROOT / "roles/safe_update/meta/argument_specs.yml").read_text())
        assert set(part) <= set(specs["argument_specs"]["main"]["options"])


def test_the_ansible_cfg_of_the_documentation_holds_options_that_there_are(controller: Any) -> None:
    files = [block for page in PAGES for block in blocks(page, "ini")]
    assert files
    for text in files:
        file = controller.folder / "ansible.cfg"
        file.write_text(text)
        options = re.findall(r"^(\w+) =", text, re.MULTILINE)
        shown = controller.run(
            "ansible-config", "dump", "--only-changed", "-t", "all", env={"ANSIBLE_CONFIG": str(file)}
        )
        assert [name for name in options if name.removeprefix("callback_") not in shown.output.lower()] == []


def test_each_playbook_is_shown_with_its_output() -> None:
    shown = {command.split()[1].removeprefix("vpsdotorg.cloud.") for command in SAMPLES}
    # That of assess shows more than the servers here have: it is held in tests/unit.
    assert shown == {file.stem for file in ROOT.glob("playbooks/*.yml")} - {"assess"}


@pytest.mark.parametrize("command", named([(page, line) for page in PAGES for line in commands(page)]))
def test_a_command_of_the_documentation(command: str, service: Any, controller: Any, site: Path) -> None:
    # Guides may show the way back of a server that is in a bad state; here it is in a good one.
    env = {"ANSIBLE_TRANSPORT": "local"}
    if command in SAMPLES:
        env["ANSIBLE_CONFIG"] = str(site / "quiet.cfg")
    run = controller.run(*shlex.split(command), service=service, env=env)
    assert run.rc == 0, run.output
    if command in SAMPLES:
        assert timeless(SAMPLES[command]) in timeless(run.output), run.output
        assert "skipping:" not in run.output
