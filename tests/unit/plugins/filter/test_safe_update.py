# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter between the role's tasks and its rules: where task files are found, and what a bug says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.vpsdotorg.cloud.plugins.filter.safe_update import FilterModule

safe_update = FilterModule().filters()["safe_update"]


def begin(places: list[Any], **variables: Any) -> dict[str, Any]:
    given = {f"safe_update_{name}": value for name, value in {"server_id": 101, **variables}.items()}
    about = {"entry": "main", "host": "web", "address": "web", "check_mode": False, "user": "me", "node": "here"}
    return safe_update({}, "begin", {**about, "variables": given, "places": places})


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders of the playbook, of the inventory and of the user, a blank in their names."""
    found = [tmp_path / f"{name} folder" for name in ("playbook", "inventory", "user")]
    for place in found:
        place.mkdir()
    monkeypatch.chdir(found[-1])
    return found


@pytest.mark.parametrize("first", [0, 1, 2])
def test_a_task_file_is_found_in_the_first_place_that_has_it(places: list[Path], first: int) -> None:
    for place in places[first:]:
        (place / "up.yml").touch()
    record = begin([str(place) for place in places[:2]], tasks="up.yml", report_dir="reports")
    assert record["failure"] is None
    assert record["options"]["tasks"] == str(places[first] / "up.yml")
    # A report is written where the user stands.
    assert record["options"]["report_dir"] == str(places[-1] / "reports")


def test_a_task_file_may_be_absolute_or_in_the_home(places: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    (places[1] / "up.yml").touch()
    monkeypatch.setenv("HOME", str(places[1]))
    for name in (str(places[1] / "up.yml"), "~/up.yml"):
        assert begin([], tasks=name)["options"]["tasks"] == str(places[1] / "up.yml")


def test_a_task_file_that_is_nowhere_is_refused_with_the_places(places: list[Path]) -> None:
    (places[0] / "up.yml").mkdir()
    record = begin([str(places[0]), "", None], tasks="up.yml")
    assert safe_update(record, "result")["outcome"] == "refused"
    assert f"Looked in: {places[0]}, {places[-1]}." in record["failure"]["reason"]


def test_a_bug_in_a_task_is_named() -> None:
    with pytest.raises(AnsibleFilterError, match="nonsense"):
        safe_update(begin([]), "nonsense")


def test_a_title_says_what_begins() -> None:
    titles = [
        safe_update({}, "title", {"entry": entry, "check": check})
        for entry, check in (("main", True), ("rollback", False))
    ]
    assert titles == ["the rehearsal of a safe update", "a roll-back"]


def test_a_fact_is_small_however_much_a_host_tells(places: list[Path]) -> None:
    # Ansible visits each item of a fact in each task: what tasks do not read is one text.
    look = "\n".join(["boot 1", *(f"package p{number} 1" for number in range(2000)), "end"])
    seen = {"inspection": {"stdout": look, "stdout_lines": look.splitlines()}}
    fact = safe_update(begin(places), "baseline", seen)
    assert fact["is_known"]

    def count(value: Any) -> int:
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
        return 1 + sum(count(part) for part in parts)

    assert count(fact) < 200
