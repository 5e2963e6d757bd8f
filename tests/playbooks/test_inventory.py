# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory plugin through the real ansible-inventory and ansible-playbook."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

PLUGIN = {"plugin": "vpsdotorg.cloud.vps"}
KEYS = ("id", "uuid", "name", "hostname", "status", "ipv4", "ipv6", "location", "plan", "os", "created_at", "raw")
SERVERS = [
    {"id": 101, "name": "web-1", "ip_address": "203.0.113.1", "location": "Amsterdam"},
    {"id": 102, "name": "web-2", "ip_address": "203.0.113.2", "location": "New York", "status": "stopped"},
    {"id": 103, "name": "db-1", "ipv6": ["2001:db8::3"], "location": "Frankfurt"},
    {"id": 104, "name": "bare", "location": "Frankfurt", "status": "suspended"},
]


def plain(value: Any) -> Any:
    """The value without the form in which ansible-inventory prints what is marked as unsafe."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return value["__ansible_unsafe"] if "__ansible_unsafe" in value else {k: plain(v) for k, v in value.items()}
    return value


def hosts_of(run: Any) -> dict[str, dict[str, Any]]:
    """Each host of a listing and its variables; hosts without any are hosts too."""
    assert run.rc == 0
    assert "WARNING" not in run.stderr, run.stderr
    listing = plain(run.json)
    names = {host for group, content in listing.items() if group != "_meta" for host in content.get("hosts", [])}
    return {name: listing["_meta"]["hostvars"].get(name, {}) for name in names}


def members(run: Any, group: str) -> list[str]:
    """The hosts of a group, sorted."""
    return sorted(plain(run.json)[group]["hosts"])


@pytest.fixture
def fleet(serve: Any) -> Any:
    """Serve four servers in both shapes at once."""
    return serve({"servers": SERVERS})


@pytest.mark.smoke
@pytest.mark.parametrize("shape", ["pages", "vendor", "both"])
def test_each_server_is_a_host(serve: Any, run_inventory: Any, shape: str) -> None:
    hosts = hosts_of(run_inventory(PLUGIN, service=serve({"server_shape": shape, "servers": SERVERS})))
    assert sorted(hosts) == ["bare", "db-1", "web-1", "web-2"]
    web = hosts["web-1"]
    assert all(f"vps_{key}" in web for key in KEYS)
    assert web["vps_server_id"] == (web["vps_uuid"] if shape == "vendor" else 101)
    assert web["vps_id"] == (None if shape == "vendor" else 101)
    assert web["ansible_host"] == "203.0.113.1"
    assert web["vps_ipv4"] == ["203.0.113.1"]
    assert web["vps_location"] == "Amsterdam"
    assert web["vps_plan"] == "VPS-2"
    assert web["vps_os"] == "Debian 12"
    assert "ansible_host" not in hosts["bare"]
    if shape != "pages":
        assert hosts["db-1"]["ansible_host"] == "2001:db8::3"


def test_what_ssh_would_obey_is_no_target_and_is_told(serve: Any, run_inventory: Any) -> None:
    option = "-oProxyCommand=id"
    servers = [{"id": 1, "name": "web", "hostname": "db.example"}, {"id": 2, "name": option, "hostname": option}]
    run = run_inventory({**PLUGIN, "compose": {"ansible_host": "vps_hostname"}}, service=serve({"servers": servers}))
    hosts = plain(run.json)["_meta"]["hostvars"]
    assert hosts["web"]["ansible_host"] == "db.example"
    assert hosts[option]["ansible_host"] == "no-address.invalid"
    assert "is neither an IP address nor a host name, so nothing connects to it" in " ".join(run.stderr.split())


def test_pages_are_followed_with_few_calls(serve: Any, run_inventory: Any) -> None:
    service = serve({"servers": [{"id": number, "name": f"web-{number}"} for number in range(1, 251)]})
    assert len(hosts_of(run_inventory(PLUGIN, service=service))) == 250
    assert [call["path"] for call in service.requests()] == ["/api/v1/servers/"] * 3


def test_account_without_servers(serve: Any, run_inventory: Any) -> None:
    assert hosts_of(run_inventory(PLUGIN, service=serve({}))) == {}


def test_servers_of_one_name_are_two_hosts(serve: Any, run_inventory: Any) -> None:
    service = serve({"servers": [{"id": 1, "name": "web"}, {"id": 2, "name": "web", "status": "stopped"}]})
    hosts = hosts_of(run_inventory(PLUGIN, service=service))
    assert {name: host["vps_server_id"] for name, host in hosts.items()} == {"web-1": 1, "web-2": 2}
    # A filter lets hosts go, but calls none of them otherwise.
    assert list(hosts_of(run_inventory({**PLUGIN, "status": ["stopped"]}, service=service))) == ["web-2"]


@pytest.mark.smoke
def test_server_called_localhost_does_not_take_the_controllers_place(serve: Any, controller: Any) -> None:
    service = serve({"servers": [{"id": 1, "name": "localhost", "ip_address": "203.0.113.1"}]})
    inventory = controller.folder / "fleet.vps.yml"
    inventory.write_text(yaml.safe_dump(PLUGIN))
    play = {
        "hosts": "all",
        "gather_facts": False,
        "tasks": [{"name": "Ask", "vpsdotorg.cloud.vps_server_info": {}, "delegate_to": "localhost"}],
    }
    run = controller.playbook([play], inventory=inventory, service=service)
    # On the server, the token would have travelled to 203.0.113.1, where nobody answers.
    assert run.rc == 0
    assert run.result("Ask", host="localhost-1")["servers"]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"status": ["active"]}, ["db-1", "web-1"]),
        ({"status": "stopped"}, ["web-2"]),
        ({"status": ["stopped", "suspended"]}, ["bare", "web-2"]),
        ({"location": ["New York"]}, ["web-2"]),
        ({"location": ["Frankfurt", "Amsterdam"], "status": ["active"]}, ["db-1", "web-1"]),
        ({"location": ["Atlantis"]}, []),
    ],
)
def test_filters(fleet: Any, run_inventory: Any, filters: dict, names: list[str]) -> None:
    assert sorted(hosts_of(run_inventory({**PLUGIN, **filters}, service=fleet))) == names


@pytest.mark.smoke
def test_constructed(fleet: Any, run_inventory: Any) -> None:
    run = run_inventory(
        {
            **PLUGIN,
            "strict": True,
            "compose": {"ansible_user": "'root'", "where": "vps_location ~ '/' ~ vps_name"},
            "groups": {"web": "vps_name is match('web-')", "up": "vps_status == 'active'"},
            "keyed_groups": [
                {"key": "vps_location | replace(' ', '_')", "prefix": "location", "parent_group": "located"},
                {"key": "vps_status", "separator": ""},
            ],
        },
        service=fleet,
    )
    hosts = hosts_of(run)
    assert hosts["web-1"]["ansible_user"] == "root"
    assert hosts["web-2"]["where"] == "New York/web-2"
    assert members(run, "web") == ["web-1", "web-2"]
    assert members(run, "up") == ["db-1", "web-1"]
    assert members(run, "location_New_York") == ["web-2"]
    assert members(run, "suspended") == ["bare"]
    assert sorted(run.json["located"]["children"]) == ["location_Amsterdam", "location_Frankfurt", "location_New_York"]


@pytest.mark.parametrize("strict", [True, False])
def test_strict(fleet: Any, run_inventory: Any, strict: bool) -> None:
    run = run_inventory({**PLUGIN, "strict": strict, "compose": {"it": "vps_nothing.of_this"}}, service=fleet)
    assert ("Could not set it for host" in run.text) is strict
    assert ("web-1" in run.stdout) is not strict


@pytest.mark.smoke
def test_nothing_of_the_api_is_run_as_a_template(serve: Any, controller: Any) -> None:
    trap = controller.folder / "sprung"
    touch = f"lookup('pipe', 'touch {trap}')"
    header = "#jinja2:variable_start_string:'[%',variable_end_string:'%]'"
    hostile = ["{{ " + touch + " }}", "{% set x = " + touch + " %}", f"{header}\n[% {touch} %]", touch]
    names = dict(enumerate(hostile, start=1))
    service = serve(
        {
            "servers": [
                {"id": number, "name": text, "hostname": text, "location": text, "ip_address": "203.0.113.1"}
                for number, text in names.items()
            ]
        }
    )
    inventory = controller.folder / "fleet.vps.yml"
    inventory.write_text(
        yaml.safe_dump(
            {
                **PLUGIN,
                "strict": True,
                "compose": {"joined": "vps_name ~ '/' ~ vps_location"},
                "groups": {"hostile": "vps_name is match('.')"},
                "keyed_groups": [{"key": "vps_location", "prefix": "in", "parent_group": "{{ vps_name }}"}],
            }
        )
    )
    task = {
        "name": "Use them all",
        "ansible.builtin.set_fact": {
            "used": {
                "host": "{{ inventory_hostname }}",
                "short": "{{ inventory_hostname_short }}",
                "joined": "{{ joined }}",
                "location": "{{ vps_location }} and {{ vps_raw }}",
                "groups": "{{ group_names }}",
                "hosts": "{{ groups }}",
                "number": "{{ vps_id }}",
                "others": "{{ ansible_play_hosts | map('extract', hostvars, 'vps_hostname') }}",
            }
        },
    }
    play = {"hosts": "all", "gather_facts": False, "connection": "local", "tasks": [task]}
    run = controller.playbook([play], inventory=inventory, service=service)
    assert run.rc == 0, run.output
    for number, text in names.items():
        # The parent group bears the name of the server, so the host cannot.
        host = f"{text}-{number}"
        used = run.result("Use them all", host=host)["ansible_facts"]["used"]
        assert used["host"] == host
        assert used["joined"] == f"{text}/{text}"
        assert f"in_{text}" in used["groups"]
        assert str(used["number"]) == str(number)
        assert sorted(used["others"]) == sorted(hostile)
    assert not trap.exists()


def test_a_host_is_never_called_like_a_group(serve: Any, controller: Any) -> None:
    names = ["db", "all", "ungrouped", "located_x", "elsewhere", "web"]
    servers = [{"id": number, "name": name, "location": "x"} for number, name in enumerate(names, start=1)]
    options = {"groups": {"db": "vps_name == 'web'"}, "keyed_groups": [{"key": "vps_location", "prefix": "located"}]}
    folder = controller.folder / "sources"
    folder.mkdir()
    (folder / "1.yml").write_text(yaml.safe_dump({"elsewhere": {"hosts": {"other": {}}}}))
    (folder / "2.vps.yml").write_text(yaml.safe_dump({**PLUGIN, **options, "strict": True}))
    run = controller.inventory(folder, service=serve({"servers": servers}))
    assert sorted(hosts_of(run)) == ["all-2", "db-1", "elsewhere-5", "located_x-4", "other", "ungrouped-3", "web"]
    assert members(run, "db") == ["web"]


def test_options_may_be_templates_and_empty_variables_are_unset(fleet: Any, run_inventory: Any) -> None:
    options = {
        "api_timeout": "{{ 5 }}",
        "api_retries": "{{ 1 + 1 }}",
        "validate_certs": "{{ true }}",
        "ca_path": "{{ '' }}",
        "status": "{{ ['active', 'stopped'] }}",
        "location": "{{ 'New York' }},Amsterdam",
    }
    empty = dict.fromkeys(("VPS_API_TIMEOUT", "VPS_API_RETRIES", "VPS_API_CA_PATH"), "")
    run = run_inventory({**PLUGIN, **options}, service=fleet, env=empty)
    assert sorted(hosts_of(run)) == ["web-1", "web-2"]
    assert len(hosts_of(run_inventory(PLUGIN, service=fleet, env=empty))) == 4


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"api_timeout": "{{ 'soon' }}"}, "api_timeout"),
        ({"api_timeout": 10**10}, "api_timeout must be at least 1 and at most 3600"),
        ({"api_token": "{{ '' }}"}, "There is no API token"),
    ],
)
def test_options_are_checked_as_the_modules_check_theirs(
    fleet: Any, run_inventory: Any, options: dict[str, Any], words: str
) -> None:
    env = {"VPS_API_TOKEN": ""} if "api_token" in options else {}
    run = run_inventory({**PLUGIN, **options}, service=fleet, env=env)
    assert words in run.text
    assert fleet.requests() == []


def test_a_token_that_the_api_sends_back_is_not_shown(fleet: Any, run_inventory: Any) -> None:
    fleet.fault(kind="status", code=400, body={"detail": f"bad header Authorization: Bearer {fleet.token}"})
    run = run_inventory(PLUGIN, service=fleet)
    assert "bad header Authorization: Bearer ********" in run.text
    assert fleet.token not in run.output


CACHE = {**PLUGIN, "cache": True, "cache_plugin": "ansible.builtin.jsonfile"}


@pytest.mark.smoke
def test_cache(serve: Any, controller: Any) -> None:
    service = serve({"servers": SERVERS}, token="vps_playbooks_cached_41d7c0")
    folder = controller.folder / "cache"
    inventory = {**CACHE, "cache_connection": str(folder)}
    first = hosts_of(controller.inventory(inventory, service=service))
    assert len(service.requests()) == 1
    assert hosts_of(controller.inventory(inventory, service=service)) == first
    # A changed filter needs no new answer.
    assert list(hosts_of(controller.inventory({**inventory, "status": "stopped"}, service=service))) == ["web-2"]
    assert len(service.requests()) == 1
    play = {"hosts": "web-1", "gather_facts": False, "tasks": []}
    for arguments, calls in (([], 1), (["--flush-cache"], 2)):
        file = controller.folder / "servers.vps.yml"
        file.write_text(yaml.safe_dump(inventory))
        assert controller.playbook([play], *arguments, inventory=file, service=service).rc == 0
        assert len(service.requests()) == calls
    cached = [file.read_text(encoding="utf-8") for file in folder.iterdir()]
    assert any("web-1" in content for content in cached)
    assert not any(service.token in content for content in [*cached, *(file.name for file in folder.iterdir())])


def test_expired_cache_is_asked_for_again(fleet: Any, controller: Any) -> None:
    folder = controller.folder / "cache"
    inventory = {**CACHE, "cache_connection": str(folder), "cache_timeout": 1}
    hosts = hosts_of(controller.inventory(inventory, service=fleet))
    assert hosts_of(controller.inventory({**inventory, "cache_timeout": 3600}, service=fleet)) == hosts
    assert len(fleet.requests()) == 1
    # Starting ansible-inventory takes longer than the second.
    assert hosts_of(controller.inventory(inventory, service=fleet)) == hosts
    assert len(fleet.requests()) == 2


def test_hostile_names_out_of_the_cache(serve: Any, controller: Any) -> None:
    trap = controller.folder / "sprung"
    name = "{{ lookup('pipe', 'touch " + str(trap) + "') }}"
    service = serve({"servers": [{"id": 1, "name": name}]})
    inventory = controller.folder / "fleet.vps.yml"
    inventory.write_text(yaml.safe_dump({**CACHE, "cache_connection": str(controller.folder / "cache")}))
    play = {
        "hosts": "all",
        "gather_facts": False,
        "tasks": [{"name": "Show", "ansible.builtin.debug": {"msg": "{{ vps_name }} {{ inventory_hostname }}"}}],
    }
    for again in range(2):
        run = controller.playbook([play], inventory=inventory, service=service)
        assert run.result("Show")["msg"] == f"{name} {name}", again
    assert len(service.requests()) == 1
    assert not trap.exists()


def test_another_accounts_servers_do_not_come_from_the_cache(serve: Any, controller: Any) -> None:
    inventory = {**CACHE, "cache_connection": str(controller.folder / "cache")}
    others = "vps_playbooks_of_another_account"
    service = serve(
        {"servers": SERVERS, "tokens": [{"token": others, "permissions": ["snapshots:read"]}]},
    )
    hosts_of(controller.inventory(inventory, service=service))
    run = controller.inventory(inventory, service=service, env={"VPS_API_TOKEN": others})
    assert "answered 403" in run.text
    assert "web-1" not in run.output


@pytest.mark.parametrize(
    "token", ["{{ lookup('ansible.builtin.file', folder ~ '/token') }}", "{{ from_extra_vars }}", None]
)
def test_where_the_token_comes_from(fleet: Any, controller: Any, token: str | None) -> None:
    (controller.folder / "token").write_text(f"{fleet.token}\n")
    extra = {"folder": str(controller.folder), "from_extra_vars": fleet.token}
    variables = controller.folder / "extra.yml"
    variables.write_text(yaml.safe_dump(extra))
    inventory = {**PLUGIN, **({"api_token": token} if token else {})}
    environment = {} if token is None else {"VPS_API_TOKEN": "vps_not_the_one"}
    run = controller.inventory(inventory, "--graph", "--extra-vars", f"@{variables}", service=fleet, env=environment)
    assert "web-1" in run.stdout


def test_token_is_in_no_output(fleet: Any, controller: Any) -> None:
    # The helper looks for the environment's token in every output; here it is in the file, as a bad habit has it.
    (controller.folder / "fleet.vps.yml").write_text(f"plugin: vpsdotorg.cloud.vps\napi_token: {fleet.token}\n")
    for arguments in (["--list", "-vvvv"], ["--host=web-1", "-vvvv"], ["--list", "--yaml", "--export"]):
        run = controller.inventory(controller.folder / "fleet.vps.yml", *arguments, service=fleet)
        assert "203.0.113.1" in run.stdout
    fleet.fault(method="GET", path="/servers/", kind="status", code=401, times=1)
    refused = controller.inventory(
        controller.folder / "fleet.vps.yml", "--list", "-vvvv", service=fleet, env={"ANSIBLE_DEBUG": "true"}
    )
    assert "answered 401" in refused.text


READER = "vps_playbooks_may_not_read_servers"


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"VPS_API_TOKEN": READER}, "answered 403"),
        ({"VPS_API_RETRIES": "-1"}, "api_retries must be at least 0"),
        ({"VPS_API_CA_PATH": "/nowhere/ca.pem"}, "ca_path /nowhere/ca.pem does not exist"),
    ],
)
def test_failure_says_what_to_do(serve: Any, run_inventory: Any, environment: dict, said: str) -> None:
    service = serve({"tokens": [{"token": READER, "permissions": ["snapshots:read"]}]})
    run = run_inventory(PLUGIN, service=service, env=environment)
    assert said in run.text
    assert run.json["_meta"]["hostvars"] == {}


@pytest.mark.smoke
def test_missing_requests_is_named(fleet: Any, controller: Any) -> None:
    shadow = controller.folder / "shadow"
    shadow.mkdir()
    (shadow / "requests.py").write_text("raise ImportError('no such library')\n")
    run = controller.inventory(PLUGIN, service=fleet, env={"PYTHONPATH": str(shadow)})
    assert "Failed to import the required Python library (requests)" in run.text
    assert fleet.requests() == []


@pytest.mark.smoke
def test_examples(serve: Any, controller: Any) -> None:
    from ansible_collections.vpsdotorg.cloud.plugins.inventory.vps import EXAMPLES

    service = serve({"servers": SERVERS})
    folder = controller.home / ".config"
    folder.mkdir()
    (folder / "vps-token").write_text(f"{service.token}\n")
    # ansible-test of 2.16 takes one document only; the others are comments.
    parts = EXAMPLES.split("# ---\n")
    examples = [
        yaml.safe_load(re.sub("^# ", "", part, flags=re.MULTILINE) if part in parts[1:] else part) for part in parts
    ]
    assert len(examples) == 4
    for number, example in enumerate(examples):
        file = controller.folder / f"example-{number}.vps.yml"
        file.write_text(yaml.safe_dump(example))
        token = {"VPS_API_TOKEN": ""} if "api_token" in example else {}
        run = controller.inventory(file, service=service, env=token)
        hosts = hosts_of(run)
        assert hosts["web-1"]["vps_id"] == 101
        if "keyed_groups" in example:
            assert sorted(hosts) == ["db-1", "web-1"]
            assert members(run, "location_Amsterdam") == ["web-1"]
            assert members(run, "os_Debian_12") == ["db-1", "web-1"]
            assert members(run, "web") == ["web-1"]
            assert hosts["db-1"]["ansible_user"] == "root"


def test_documentation_reads_well_on_a_terminal(controller: Any) -> None:
    run = controller.run("ansible-doc", "-t", "inventory", "vpsdotorg.cloud.vps", env={"COLUMNS": "80"})
    assert run.rc == 0
    documentation = run.stdout[: run.stdout.index("EXAMPLES:")].splitlines()[1:]
    assert max(map(len, documentation)) <= 80
    for variable in ("VPS_API_TOKEN", "VPS_API_URL", "VPS_API_CA_PATH", "VPS_API_TIMEOUT", "VPS_API_RETRIES"):
        assert f"- name: {variable}" in run.stdout


def test_other_files_are_left_alone(fleet: Any, controller: Any) -> None:
    other = Path(controller.folder, "fleet.yml")
    other.write_text(yaml.safe_dump(PLUGIN))
    controller.inventory(other, service=fleet)
    assert fleet.requests() == []
