# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook delete_snapshot: one verified snapshot, when asked to, or nothing."""

from __future__ import annotations

from typing import Any

import pytest

DELETE = "vpsdotorg.cloud.delete_snapshot"
STUCK = {"id": 6, "server_id": 101, "name": "safe-update-20260102T000000Z", "status": "in_progress", "outcome": "stuck"}
SEED = {
    "servers": [{"id": 101, "name": "web"}, {"id": 102, "name": "db"}],
    "snapshots": [STUCK, {"id": 7, "server_id": 102, "name": "nightly"}],
}
HOSTS = {"web": {"vps_server_id": 101}, "db": {"vps_server_id": 102}, "none": {"vps_server_id": None}}
GIVEN = {"delete_snapshot_hosts": "web", "delete_snapshot_id": "6", "delete_snapshot_confirm": "true"}


@pytest.fixture
def service(serve: Any) -> Any:
    return serve(SEED)


def delete(run_playbook: Any, service: Any, variables: dict[str, Any], **options: Any) -> Any:
    return run_playbook(DELETE, service=service, inventory={"all": {"hosts": HOSTS}}, variables=variables, **options)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"delete_snapshot_confirm": "false"}, "Nothing was deleted. A deleted snapshot cannot be had back"),
        ({"delete_snapshot_confirm": None}, "Nothing was deleted"),
        ({"delete_snapshot_id": None}, "Nothing was deleted"),
        ({"delete_snapshot_id": "  "}, "Nothing was deleted"),
        ({"delete_snapshot_hosts": "all"}, "name its one host"),
        ({"delete_snapshot_hosts": "none"}, "none has no server id"),
        ({"delete_snapshot_hosts": "db"}, "6"),
    ],
)
def test_without_one_host_one_snapshot_and_a_confirmation_nothing_goes(
    run_playbook: Any, service: Any, change: dict[str, Any], words: str
) -> None:
    run = delete(run_playbook, service, {**GIVEN, **change})
    assert run.rc != 0
    assert words in run.text
    assert service.writes() == []


def test_that_one_goes(run_playbook: Any, service: Any) -> None:
    assert delete(run_playbook, service, GIVEN, check=True).result("Say what is gone")["msg"].startswith("Would delete")
    said = delete(run_playbook, service, GIVEN).result("Say what is gone")["msg"]
    assert said == "Deleted safe-update-20260102T000000Z (id 6, in_progress) of web."
    assert [(call["method"], call["path"]) for call in service.writes()] == [("DELETE", "/api/v1/snapshots/6/")]
    again = delete(run_playbook, service, GIVEN)
    assert again.rc == 0
    assert again.result("Say what is gone")["msg"].endswith("it is gone already.")
