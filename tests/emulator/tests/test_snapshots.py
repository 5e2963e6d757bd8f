# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every documented request and answer of the Snapshots API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from vps_emulator.testing import Emulator

WEB = 12345
KEYS = {"id", "server", "name", "status", "size_mb", "created_at", "description"}


def test_create_answers_201_with_the_snapshot_in_progress_and_the_message(api: Any) -> None:
    body = {"server_id": WEB, "name": "pre-migration_1", "description": "Before major migration"}
    before = datetime.now(UTC) - timedelta(seconds=1)
    answer = api("POST", "/snapshots/", json=body)
    assert answer.status_code == 201
    snapshot = answer.json()
    assert snapshot.pop("message") == (
        "Snapshot is being created. This may take 3-10 minutes depending on server size."
    )
    created = datetime.strptime(snapshot["created_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert before <= created <= datetime.now(UTC)
    assert isinstance(snapshot["id"], int)
    assert snapshot == {
        "id": snapshot["id"],
        "server": {"id": WEB, "name": "web-server-01"},
        "name": "pre-migration_1",
        "status": "in_progress",
        "size_mb": None,
        "created_at": snapshot["created_at"],
        "description": "Before major migration",
    }


def test_list_counts_all_and_shows_exactly_the_documented_keys(api: Any) -> None:
    first, second = api.snapshot("first"), api.snapshot("second", 12346)
    listed = api("GET", "/snapshots/").json()
    assert listed["count"] == 2
    assert {each["id"] for each in listed["results"]} == {first["id"], second["id"]}
    assert all(set(each) == KEYS for each in listed["results"])


def test_list_is_filtered_by_server(api: Any) -> None:
    api.snapshot("one", WEB)
    other = api.snapshot("two", 12346)
    listed = api("GET", "/snapshots/", params={"server_id": 12346}).json()
    assert (listed["count"], [each["id"] for each in listed["results"]]) == (1, [other["id"]])
    assert api("GET", "/snapshots/", params={"server_id": 99}).json()["results"] == []
    assert api("GET", "/snapshots/", params={"server_id": "x"}).status_code == 400


def test_a_snapshot_completes_with_a_size(api: Any, until: Any) -> None:
    snapshot = api.snapshot()
    until(lambda: api.status(snapshot["id"]), "completed")
    assert api.snapshots()[0]["size_mb"] > 0


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"server_id", "name"}),
        ({"server_id": WEB}, {"name"}),
        ({"name": "x"}, {"server_id"}),
        ({"server_id": "f068cd17-f091-5731-bfc0-483a4c28d8cd", "name": "x"}, {"server_id"}),
        ({"server_id": None, "name": "x"}, {"server_id"}),
        ({"server_id": WEB, "name": ""}, {"name"}),
        ({"server_id": WEB, "name": "a b"}, {"name"}),
        ({"server_id": WEB, "name": "a\n"}, {"name"}),
        ({"server_id": WEB, "name": " a"}, {"name"}),
        ({"server_id": WEB, "name": "naïve"}, {"name"}),
        ({"server_id": WEB, "name": "a.b"}, {"name"}),
        ({"server_id": WEB, "name": "x", "description": ["no"]}, {"description"}),
    ],
)
def test_invalid_parameters_are_400_field_by_field(api: Any, body: dict[str, Any], fields: set[str]) -> None:
    answer = api("POST", "/snapshots/", json=body)
    assert answer.status_code == 400
    assert set(answer.json()) == fields
    assert all(isinstance(reasons, list) for reasons in answer.json().values())
    assert api.snapshots() == []


def test_a_body_that_is_no_json_is_400(api: Any) -> None:
    answer = api("POST", "/snapshots/", data="{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, set(answer.json())) == (400, {"detail"})


@pytest.mark.parametrize("server_id", [1, 0, -5, 2**63, 2**80])
def test_create_on_an_unknown_server_is_404(api: Any, server_id: int) -> None:
    answer = api("POST", "/snapshots/", json={"server_id": server_id, "name": "x"})
    assert (answer.status_code, set(answer.json())) == (404, {"detail"})


def test_the_sixth_is_400_until_one_is_deleted(api: Any) -> None:
    ids = [api.snapshot(f"s{number}")["id"] for number in range(5)]
    answer = api("POST", "/snapshots/", json={"server_id": WEB, "name": "sixth"})
    assert answer.status_code == 400
    assert "limit" in answer.json()["detail"]
    assert len(api.snapshots()) == 5
    api.snapshot("elsewhere", 12346)
    assert api("DELETE", f"/snapshots/{ids[0]}/").status_code == 204
    api.snapshot("sixth")


def test_one_name_may_be_there_twice(api: Any) -> None:
    assert api.snapshot("same")["id"] != api.snapshot("same")["id"]


def test_delete_is_204_without_a_body_and_for_good(api: Any) -> None:
    snapshot = api.snapshot()
    answer = api("DELETE", f"/snapshots/{snapshot['id']}/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert api.snapshots() == []
    again = api("DELETE", f"/snapshots/{snapshot['id']}/")
    assert (again.status_code, set(again.json())) == (404, {"detail"})


def test_an_id_is_never_given_twice(api: Any) -> None:
    first = api.snapshot()["id"]
    api("DELETE", f"/snapshots/{first}/")
    assert api.snapshot()["id"] > first


def test_restore_answers_as_documented_and_ends_active(api: Any, until: Any) -> None:
    snapshot = api.snapshot("good")
    until(lambda: api.status(snapshot["id"]), "completed")
    answer = api("POST", f"/snapshots/{snapshot['id']}/restore/")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "success",
        "message": "Server is being restored from snapshot. This may take 5-15 minutes.",
        "snapshot": {"id": snapshot["id"], "name": "good", "created_at": snapshot["created_at"]},
        "server": {"id": WEB, "name": "web-server-01", "status": "restoring"},
    }
    until(api.server_status, "active")


def test_a_restore_that_cannot_be_is_400(api: Any, emulator: Emulator, until: Any) -> None:
    emulator.fault(kind="outcome", status="stuck")
    unfinished = api.snapshot()["id"]
    assert api("POST", f"/snapshots/{unfinished}/restore/").status_code == 400
    snapshot = api.snapshot()["id"]
    until(lambda: api.status(snapshot), "completed")
    emulator.fault(kind="outcome", status="stuck")
    assert api("POST", f"/snapshots/{snapshot}/restore/").status_code == 200
    assert api.server_status() == "restoring"
    refused = api("POST", f"/snapshots/{snapshot}/restore/")
    assert (refused.status_code, set(refused.json())) == (400, {"detail"})
    assert api("POST", "/snapshots/", json={"server_id": WEB, "name": "x"}).status_code == 400
    assert api("DELETE", f"/snapshots/{snapshot}/").status_code == 400
    assert api.power("start").status_code == 400


def test_restoring_an_unknown_snapshot_is_404(api: Any) -> None:
    answer = api("POST", "/snapshots/77/restore/")
    assert (answer.status_code, set(answer.json())) == (404, {"detail"})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/snapshots/801/"),
        ("PUT", "/snapshots/801/"),
        ("PATCH", "/snapshots/801/"),
        ("POST", "/snapshots/801/"),
        ("GET", "/snapshots/801/restore/"),
        ("DELETE", "/snapshots/801/restore/"),
        ("DELETE", "/snapshots/"),
        ("PUT", "/snapshots/"),
        ("POST", "/servers/"),
        ("DELETE", "/servers/12345/"),
        ("GET", "/servers/12345/power/"),
        ("POST", "/backups/"),
        ("POST", "/account/me/"),
    ],
)
def test_any_other_method_is_405(api: Any, method: str, path: str) -> None:
    answer = api(method, path)
    assert (answer.status_code, set(answer.json())) == (405, {"detail"})


@pytest.mark.parametrize(
    "path", ["/snapshots", "/snapshots/x/", "/snapshots/801/restore", "/servers", "/domains/", "/"]
)
def test_any_other_path_is_404_in_json(api: Any, path: str) -> None:
    answer = api("GET", path)
    assert (answer.status_code, set(answer.json())) == (404, {"detail"})


def test_pages_are_of_the_seeds_size_whatever_is_asked_for(caller: Any) -> None:
    total = 7
    snapshots = [{"server_id": 1, "name": f"s{number}"} for number in range(total)]
    seed = {"servers": [{"id": 1, "name": "a"}], "snapshots": snapshots, "snapshot_page_size": 3}
    with Emulator(seed) as emulator:
        api = caller(emulator)
        seen, path, pages = [], "/snapshots/?page_size=100&server_id=1", 0
        while path:
            page = api("GET", path).json()
            assert page["count"] == total
            assert (page["previous"] is None) == (pages == 0)
            assert page["next"] is None or page["next"].startswith(f"{emulator.url}/snapshots/?")
            assert page["next"] is None or "server_id=1" in page["next"]
            seen += [each["id"] for each in page["results"]]
            path, pages = page["next"] and page["next"].removeprefix(emulator.url), pages + 1
        assert (pages, len(seen), len(set(seen))) == (3, total, total)
        assert api("GET", "/snapshots/?page=9").status_code == 404
