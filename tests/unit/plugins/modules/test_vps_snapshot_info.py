# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""vps_snapshot_info: all pages, all filters, newest first."""

from __future__ import annotations

from typing import Any

import pytest

MODULE = "vps_snapshot_info"


def test_every_page_of_the_account_is_read_newest_first(run: Any, service: Any) -> None:
    result = run(MODULE)
    pages = len(service.calls())
    assert pages > 1
    times = [snapshot["created_at"] for snapshot in result["snapshots"]]
    assert 20 * (pages - 1) < len(times) <= 20 * pages
    assert times == sorted(times, reverse=True)
    assert result["changed"] is False


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"server": "empty"}, []),
        ({"server": "nightlies"}, ["nightly-4", "nightly-3", "nightly-2", "nightlyish", "nightly-5"]),
        ({"server": "nightlies", "name": "nightly-4"}, ["nightly-4"]),
        ({"server": "nightlies", "name": "nightly"}, []),
        ({"server": "nightlies", "name_prefix": "nightly-"}, ["nightly-4", "nightly-3", "nightly-2", "nightly-5"]),
        ({"server": "nightlies", "status": "failed"}, ["nightly-2"]),
        ({"server": "nightlies", "name_prefix": "nightly-", "status": "completed"}, ["nightly-4", "nightly-3"]),
        ({"name": "weekly"}, []),
        ({"snapshot_id": 999}, []),
    ],
    ids=str,
)
def test_only_what_passes_every_filter_is_returned(run: Any, servers: dict, filters: dict, names: list[str]) -> None:
    options = dict(filters)
    if server := options.pop("server", None):
        options["server_id"] = servers[server]
    for check in (False, True):
        assert [each["name"] for each in run(MODULE, check=check, **options)["snapshots"]] == names


def test_one_of_an_id_is_shown_as_the_api_describes_it(run: Any, servers: dict) -> None:
    (snapshot,) = run(MODULE, snapshot_id=servers["completed"] * 10 + 1)["snapshots"]
    assert snapshot == {
        "id": servers["completed"] * 10 + 1,
        "server": {"id": servers["completed"], "name": "completed"},
        "name": "before-update",
        "status": "completed",
        "size_mb": 5120,
        "created_at": snapshot["created_at"],
        "description": "",
    }


def test_a_server_filter_is_left_to_the_api(run: Any, service: Any, servers: dict) -> None:
    run(MODULE, server_id=servers["full"])
    assert [call["query"] for call in service.requests()] == [f"page_size=100&server_id={servers['full']}"]
