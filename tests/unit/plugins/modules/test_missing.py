# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Missing is missing: a null or a blank in any option never widens what a module acts on."""

from __future__ import annotations

from typing import Any

import pytest

# For each module that deletes or restores, tasks that do it; each option of each is then taken away.
DESTRUCTIVE: list[tuple[str, dict[str, Any]]] = [
    ("vps_snapshot_prune", {"server_id": 111, "name_prefix": "nightly-", "keep": 1}),
    ("vps_snapshot_prune", {"server_id": 111, "name_prefix": "nightly-", "older_than": "1d"}),
    ("vps_snapshot_prune", {"all_servers": True, "name_prefix": "nightly-", "keep": 2, "older_than": "1d"}),
    ("vps_snapshot", {"state": "absent", "server_id": 102, "name": "before-update", "snapshot_id": 1021}),
    ("vps_snapshot", {"state": "absent", "server_id": 102, "snapshot_id": 1021}),
    ("vps_snapshot", {"state": "absent", "snapshot_id": 1021}),
    ("vps_snapshot_restore", {"server_id": 102, "name": "before-update", "snapshot_id": 1021}),
    ("vps_snapshot_restore", {"server_id": 102, "snapshot_id": 1021}),
    ("vps_snapshot_restore", {"snapshot_id": 1021}),
]
CASES = [(module, options, option) for module, options in DESTRUCTIVE for option in options]


def writes(service: Any) -> list[str]:
    return [f"{call['method']} {call['path']}" for call in service.writes()]


@pytest.mark.parametrize("value", [None, "", "  ", "\n"], ids=["null", "empty", "blank", "line-break"])
@pytest.mark.parametrize(("module", "options", "option"), CASES)
def test_a_missing_value_is_refused_or_does_what_its_absence_does(
    run: Any, service: Any, module: str, options: dict[str, Any], option: str, value: Any
) -> None:
    result = run.raw(module, **{**options, option: value})
    sent = writes(service)
    service.reset()
    without = run.raw(module, **{name: other for name, other in options.items() if name != option})
    if result.get("failed"):
        assert sent == []
    else:
        assert not without.get("failed")
        assert sent == writes(service)


@pytest.mark.parametrize("value", [None, ""], ids=["null", "empty"])
@pytest.mark.parametrize(
    ("module", "options", "words"),
    [
        ("vps_snapshot_prune", {"server_id": "MISSING", "name_prefix": "nightly-", "keep": 1}, "server_id"),
        ("vps_snapshot_prune", {"server_id": 111, "name_prefix": "nightly-", "keep": "MISSING"}, "keep, older_than"),
        ("vps_snapshot", {"state": "absent", "snapshot_id": "MISSING"}, "snapshot_id, name"),
        (
            "vps_snapshot",
            {"state": "absent", "server_id": "MISSING", "snapshot_id": 1021},
            "server_id is given, but empty",
        ),
        ("vps_snapshot_restore", {"server_id": "MISSING", "snapshot_id": 1021}, "server_id is given, but empty"),
        ("vps_snapshot_restore", {"snapshot_id": "MISSING"}, "snapshot_id, name"),
    ],
)
def test_nothing_is_called_where_what_is_meant_is_missing(
    run: Any, service: Any, module: str, options: dict[str, Any], words: str, value: Any
) -> None:
    result = run.raw(module, **{name: value if given == "MISSING" else given for name, given in options.items()})
    assert result["failed"]
    assert words in result["msg"]
    assert service.calls() == []
