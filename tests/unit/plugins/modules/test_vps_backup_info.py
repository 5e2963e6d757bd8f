# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""vps_backup_info: all pages, both filters, newest first."""

from __future__ import annotations

from typing import Any

import pytest

MODULE = "vps_backup_info"


@pytest.mark.parametrize(
    ("server", "backup_type", "ids"),
    [
        (None, None, [302, 301, 303]),
        ("full", None, [302, 301]),
        ("full", "manual", [302]),
        (None, "automatic", [301, 303]),
        ("completed", None, []),
    ],
)
def test_backups_are_listed_newest_first(
    run: Any, servers: dict, server: str | None, backup_type: str | None, ids: list[int]
) -> None:
    options = {"server_id": servers.get(server), "backup_type": backup_type}
    for check in (False, True):
        result = run(MODULE, check=check, **options)
        assert [backup["id"] for backup in result["backups"]] == ids
        assert result["changed"] is False


def test_an_api_that_ignores_the_filters_is_filtered_here(run: Any, service: Any) -> None:
    backups = [
        {"id": 1, "server": {"id": 7}, "backup_type": "manual"},
        {"id": 2, "server": {"id": 7}, "backup_type": "automatic"},
        {"id": 3, "server": {"id": 8}, "backup_type": "manual"},
    ]
    service.fault(kind="status", code=200, body={"count": 3, "next": None, "results": backups})
    assert run(MODULE, server_id=7, backup_type="manual")["backups"] == backups[:1]


def test_an_unknown_type_is_refused_before_any_call(run: Any, service: Any) -> None:
    assert "backup_type" in run.fails(MODULE, backup_type="weekly")["msg"]
    assert service.calls() == []
