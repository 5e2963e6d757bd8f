# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""vps_snapshot_prune: what goes, what stays, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

MODULE = "vps_snapshot_prune"


@pytest.fixture
def prune(run: Any, servers: dict[str, int]) -> Any:
    """Prune the nightly- snapshots of a server, or of all; further options may be given."""

    def prepared(situation: str | None, how: str = "__call__", **options: Any) -> dict[str, Any]:
        where = {"server_id": servers[situation]} if situation else {"all_servers": True}
        return getattr(run, how)(MODULE, **{**where, "name_prefix": "nightly-", **options})

    return prepared


def names(snapshots: list[dict]) -> list[str]:
    return [snapshot["name"] for snapshot in snapshots]


@pytest.mark.parametrize(
    ("situation", "rules", "deleted", "kept"),
    [
        ("nightlies", {"keep": 1}, ["nightly-3", "nightly-2"], ["nightly-4", "nightly-5"]),
        ("nightlies", {"keep": 2}, ["nightly-2"], ["nightly-4", "nightly-3", "nightly-5"]),
        ("nightlies", {"keep": 0}, ["nightly-4", "nightly-3", "nightly-2"], ["nightly-5"]),
        ("nightlies", {"older_than": "2d"}, ["nightly-3", "nightly-2"], ["nightly-4", "nightly-5"]),
        ("nightlies", {"older_than": "80h"}, ["nightly-2"], ["nightly-4", "nightly-3", "nightly-5"]),
        ("nightlies", {"older_than": "10w"}, [], ["nightly-4", "nightly-3", "nightly-2", "nightly-5"]),
        ("nightlies", {"keep": 2, "older_than": "0s"}, ["nightly-2"], ["nightly-4", "nightly-3", "nightly-5"]),
        ("nightlies", {"keep": 1, "hold": "nightly-2, 7"}, ["nightly-3"], ["nightly-4", "nightly-2", "nightly-5"]),
        ("nightlies", {"keep": 0, "hold": ["nightly", None]}, ["nightly-4", "nightly-3", "nightly-2"], ["nightly-5"]),
        ("more_nightlies", {"keep": 1}, ["nightly-1"], ["nightly-2", "nightly-3"]),
        ("full", {"keep": 3}, [], ["nightly-3", "nightly-2", "nightly-1"]),
        ("empty", {"keep": 0}, [], []),
    ],
)
def test_check_mode_predicts_what_goes_and_what_stays(
    prune: Any, service: Any, situation: str, rules: dict, deleted: list[str], kept: list[str]
) -> None:
    before = service.names(situation)
    result = prune(situation, "rehearsed", **rules)
    assert (names(result["deleted"]), names(result["kept"])) == (deleted, kept)
    assert result["changed"] is bool(deleted)
    assert service.names(situation) == sorted(set(before) - set(deleted))


def test_a_repeated_run_is_one_get(prune: Any, service: Any) -> None:
    prune("nightlies", keep=1)
    service.clear_requests()
    assert prune("nightlies", keep=1)["changed"] is False
    assert service.calls() == ["GET /snapshots/"]


def test_all_servers_are_pruned_each_by_itself(prune: Any, service: Any) -> None:
    result = prune(None, "rehearsed", keep=1, older_than="25h")
    assert {(each["server"]["name"], each["name"]) for each in result["deleted"]} == {
        ("full", "nightly-1"),
        ("full", "nightly-2"),
        ("full_with_one_nightly", "nightly-2"),
        ("full_with_a_failed_one", "nightly-1"),
        ("nightlies", "nightly-2"),
        ("nightlies", "nightly-3"),
        ("more_nightlies", "nightly-1"),
    }
    assert service.names("completed") == ["before-update"]


def test_one_server_and_all_servers_at_once_are_refused(prune: Any, service: Any) -> None:
    prune("full", "fails", all_servers=True, keep=0)
    assert service.calls() == []


def test_a_failure_halfway_returns_what_was_deleted(prune: Any, service: Any) -> None:
    service.fault(method="DELETE", kind="status", code=403, skip=1)
    result = prune("nightlies", "fails", keep=0)
    assert names(result["deleted"]) == ["nightly-2"]
    assert result["status_code"] == 403


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"keep": None}, "keep"),
        ({"keep": -1}, "keep"),
        ({"name_prefix": None}, "name_prefix"),
        ({"name_prefix": ""}, "name_prefix"),
        ({"name_prefix": "-"}, "not safe"),
        ({"name_prefix": "nightly"}, "not safe"),
        ({"older_than": "last week"}, "not a duration"),
        ({"server_id": None}, "server_id"),
    ],
    ids=str,
)
def test_wrong_options_are_refused_before_any_call(prune: Any, service: Any, options: dict, complaint: str) -> None:
    assert complaint in prune("nightlies", "fails", **{"keep": 1, **options})["msg"]
    assert service.calls() == []


def test_a_failure_halfway_has_changed_something_and_names_what_is_left(prune: Any, service: Any) -> None:
    service.fault(method="DELETE", kind="status", code=403, skip=1)
    result = prune("nightlies", "fails", keep=0)
    assert result["changed"] is True
    assert names(result["kept"]) == ["nightly-4", "nightly-3", "nightly-5"]


def test_what_is_said_to_be_gone_and_is_listed_is_kept(prune: Any, service: Any) -> None:
    service.fault(method="DELETE", kind="status", code=404)
    result = prune("nightlies", "fails", keep=0)
    assert (result["changed"], result["deleted"], len(result["kept"])) == (False, [], 4)
    assert "is still listed, so it was not deleted" in result["msg"]


def test_a_server_without_snapshots_is_looked_up(prune: Any, service: Any, servers: dict) -> None:
    assert prune("empty", keep=0)["kept"] == []
    assert service.calls() == ["GET /snapshots/", f"GET /servers/{servers['empty']}/"]
    assert prune("empty", "fails", server_id=999, keep=0)["status_code"] == 404
