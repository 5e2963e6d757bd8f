# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook cleanup, through the real ansible-playbook."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

CLEANUP = "vpsdotorg.cloud.cleanup"
TASK = "Delete the old snapshots"
SERVERS = [
    {"id": 101, "name": "web-1", "ip_address": "203.0.113.1"},
    {"id": 102, "name": "web-2", "ip_address": "203.0.113.2"},
    {"id": 103, "name": "db-1", "ip_address": "203.0.113.3"},
]
SNAPSHOTS = [
    {"id": 1, "server_id": 101, "name": "safe-update-20260101T000000Z", "age": "30d"},
    {"id": 2, "server_id": 101, "name": "safe-update-20260102T000000Z", "age": "9d"},
    {"id": 3, "server_id": 101, "name": "safe-update-20260103T000000Z", "age": "1h"},
    {"id": 4, "server_id": 101, "name": "before-migration", "age": "90d"},
    {"id": 5, "server_id": 102, "name": "safe-update-20260101T000000Z", "age": "30d"},
    {
        "id": 6,
        "server_id": 102,
        "name": "safe-update-20260102T000000Z",
        "age": "2h",
        "status": "in_progress",
        "outcome": "stuck",
    },
    {"id": 7, "server_id": 102, "name": "safe-update-20260103T000000Z", "age": "30d", "status": "archived"},
    {"id": 8, "server_id": 103, "name": "nightly-1", "age": "30d"},
    {"id": 9, "server_id": 103, "name": "nightly-2", "age": "1d"},
]


def inventory(**hosts: Any) -> dict[str, Any]:
    """Hosts and their ids, as one keeps them by hand; nobody answers at the address."""
    return {
        "all": {
            "hosts": {
                name.replace("_", "-"): {"vps_server_id": server_id, "ansible_host": "203.0.113.1"}
                for name, server_id in hosts.items()
            }
        }
    }


FLEET = inventory(web_1=101, web_2=102, db_1=103)


@pytest.fixture
def service(serve: Any) -> Any:
    """Serve three servers with snapshots of all kinds."""
    return serve({"servers": SERVERS, "snapshots": SNAPSHOTS})


def deleted(service: Any) -> list[int]:
    """The ids that were deleted, sorted."""
    writes = service.writes()
    assert {call["method"] for call in writes} <= {"DELETE"}
    return sorted(int(call["path"].rstrip("/").rpartition("/")[2]) for call in writes)


def ids(result: dict[str, Any], key: str) -> list[int]:
    """The ids in a result, in order."""
    return [snapshot["id"] for snapshot in result[key]]


@pytest.mark.smoke
@pytest.mark.parametrize("shape", ["pages", "both"])
def test_cleanup_of_the_servers_of_the_inventory_plugin(serve: Any, controller: Any, shape: str) -> None:
    service = serve({"server_shape": shape, "servers": SERVERS, "snapshots": SNAPSHOTS})
    file = controller.folder / "fleet.vps.yml"
    file.write_text(yaml.safe_dump({"plugin": "vpsdotorg.cloud.vps"}))
    for check in (True, False):
        run = controller.playbook(CLEANUP, inventory=file, service=service, variables={"cleanup_keep": 1}, check=check)
        assert run.rc == 0, run.output
        assert ids(run.result(TASK, host="web-1"), "deleted") == [2, 1]
        assert ids(run.result(TASK, host="web-1"), "kept") == [3]
        assert ids(run.result(TASK, host="web-2"), "deleted") == []
        assert ids(run.result(TASK, host="db-1"), "kept") == []
        assert run.stats["web-1"]["changed"] == 1
    assert deleted(service) == [1, 2]


@pytest.mark.smoke
@pytest.mark.parametrize("hold", [[1, None, "nightly-1"], "1, nightly-1"])
def test_what_is_held_stays(service: Any, run_playbook: Any, hold: Any) -> None:
    variables = {"cleanup_keep": 1, "safe_update_hold": hold}
    run = run_playbook(CLEANUP, inventory=FLEET, service=service, variables=variables)
    assert run.rc == 0, run.output
    assert deleted(service) == [2]


def test_server_whose_integer_id_nobody_knows_loses_nothing(serve: Any, controller: Any) -> None:
    # The vendor's shape has UUIDs alone, which the Snapshots API is not documented to take.
    service = serve({"server_shape": "vendor", "servers": SERVERS, "snapshots": SNAPSHOTS})
    file = controller.folder / "fleet.vps.yml"
    file.write_text(yaml.safe_dump({"plugin": "vpsdotorg.cloud.vps"}))
    run = controller.playbook(CLEANUP, inventory=file, service=service, variables={"cleanup_keep": 0})
    assert run.rc != 0
    assert all("answered 400" in message for message in run.failures())
    assert deleted(service) == []


def test_second_run_changes_nothing_and_calls_are_few(service: Any, run_playbook: Any) -> None:
    variables = {"cleanup_keep": 1}
    run_playbook(CLEANUP, inventory=FLEET, service=service, variables=variables)
    assert len(service.requests()) == len(SERVERS) + 2
    service.clear_requests()
    run = run_playbook(CLEANUP, inventory=FLEET, service=service, variables=variables)
    assert sum(host["changed"] for host in run.stats.values()) == 0
    assert [call["method"] for call in service.requests()] == ["GET"] * len(SERVERS)


def test_slices_under_the_free_strategy(service: Any, run_playbook: Any) -> None:
    for hosts, gone in (("web-1,db-1", [1, 2]), ("web-2", [1, 2, 5])):
        run = run_playbook(
            CLEANUP,
            f"--limit={hosts}",
            inventory=FLEET,
            service=service,
            variables={"cleanup_older_than": "7d"},
            env={"ANSIBLE_STRATEGY": "free"},
        )
        assert run.rc == 0, run.output
        assert deleted(service) == gone


@pytest.mark.parametrize(
    ("variables", "gone"),
    [
        ({"cleanup_keep": 0}, [1, 2, 3, 5]),
        ({"cleanup_keep": 2}, [1]),
        ({"cleanup_older_than": "7d"}, [1, 2, 5]),
        ({"cleanup_older_than": "7d", "cleanup_keep": 2}, [1]),
        ({"cleanup_older_than": "7d", "cleanup_hosts": "web-1"}, [1, 2]),
        ({"cleanup_keep": 1, "cleanup_prefix": "nightly-"}, [8]),
        ({"cleanup_keep": 1, "safe_update_name_prefix": "nightly"}, [8]),
        ({"cleanup_keep": "0", "cleanup_hosts": "web-2,db-1"}, [5]),
    ],
)
def test_what_goes(service: Any, run_playbook: Any, variables: dict, gone: list[int]) -> None:
    run = run_playbook(CLEANUP, inventory=FLEET, service=service, variables=variables)
    assert run.rc == 0, run.output
    assert deleted(service) == gone


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"cleanup_keep": 1, "cleanup_prefix": "safe"}, "name_prefix 'safe' is not safe"),
        ({"cleanup_keep": 1, "cleanup_prefix": ""}, "missing required arguments: name_prefix"),
        ({"cleanup_older_than": "a week"}, "older_than 'a week' is not a duration"),
        ({"cleanup_keep": -1}, "keep must be at least 0"),
    ],
)
def test_refused(service: Any, run_playbook: Any, variables: dict, said: str) -> None:
    run = run_playbook(CLEANUP, inventory=FLEET, service=service, variables=variables)
    assert run.rc != 0
    assert all(said in message for message in run.failures())
    assert service.requests() == []


def test_host_without_an_id_is_named_and_the_others_go_on(service: Any, run_playbook: Any) -> None:
    fleet = inventory(web_1=101, router=None)
    del fleet["all"]["hosts"]["router"]["vps_server_id"]
    run = run_playbook(CLEANUP, inventory=fleet, service=service, variables={"cleanup_keep": 1})
    assert run.rc != 0
    assert "router has no server id" in run.failures("router")[0]
    assert run.stats["web-1"]["failures"] == 0
    assert deleted(service) == [1, 2]


def test_own_id_of_the_role_counts(service: Any, run_playbook: Any) -> None:
    fleet = {"all": {"hosts": {"web": {"safe_update_server_id": 101}}}}
    run_playbook(CLEANUP, inventory=fleet, service=service, variables={"cleanup_keep": 1})
    assert deleted(service) == [1, 2]


@pytest.mark.smoke
def test_become_and_connection_of_the_hosts_do_not_matter(service: Any, run_playbook: Any) -> None:
    fleet = {**FLEET["all"], "vars": {"ansible_become": True, "ansible_become_user": "nobody-at-all"}}
    run = run_playbook(CLEANUP, "--forks=3", inventory={"all": fleet}, service=service, variables={"cleanup_keep": 1})
    assert run.rc == 0, run.output
    assert deleted(service) == [1, 2]


def test_deletion_that_fails_halfway_says_what_is_gone(service: Any, run_playbook: Any) -> None:
    service.fault(method="DELETE", path="/snapshots/2/", kind="status", code=403, times=9)
    run = run_playbook(CLEANUP, inventory=inventory(web_1=101), service=service, variables={"cleanup_keep": 1})
    assert run.rc != 0
    assert "answered 403" in run.failures()[0]
    assert ids(run.result(TASK), "deleted") == [1]


@pytest.mark.parametrize(
    ("token", "said"),
    [("vps_unknown", "answered 401"), ("vps_playbooks_reads_only", "answered 403")],
    ids=["unknown", "without the permission"],
)
def test_refused_token(serve: Any, run_playbook: Any, token: str, said: str) -> None:
    reader = {"token": "vps_playbooks_reads_only", "permissions": ["snapshots:read"]}
    service = serve({"servers": SERVERS, "snapshots": SNAPSHOTS, "tokens": [reader]})
    run = run_playbook(
        CLEANUP,
        "-vvvv",
        inventory=inventory(web_1=101),
        service=service,
        variables={"cleanup_keep": 1},
        env={"VPS_API_TOKEN": token},
    )
    assert run.rc != 0
    assert said in run.failures()[0]


@pytest.mark.smoke
def test_nothing_of_the_api_is_run_as_a_template(serve: Any, controller: Any) -> None:
    trap = controller.folder / "sprung"
    text = "{{ lookup('pipe', 'touch " + str(trap) + "') }}"
    service = serve(
        {
            "servers": [{"id": 101, "name": text, "hostname": text, "ip_address": "203.0.113.1"}],
            "snapshots": [{**SNAPSHOTS[0], "description": text}],
        }
    )
    file = controller.folder / "fleet.vps.yml"
    file.write_text(yaml.safe_dump({"plugin": "vpsdotorg.cloud.vps"}))
    run = controller.playbook(CLEANUP, "-vvvv", inventory=file, service=service, variables={"cleanup_keep": 0})
    assert run.rc == 0, run.output
    assert run.result(TASK, host=text)["deleted"][0]["description"] == text
    assert deleted(service) == [1]
    assert not trap.exists()
