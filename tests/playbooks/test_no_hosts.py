# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A playbook that finds no host fails, for a job that does nothing must not be green."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

CLONE = Path(__file__).resolve().parents[2]
PLAYBOOKS = ("safe_update", "assess", "restore", "cleanup", "delete_snapshot", "cleanup_run", "restore_run")
CHOOSING = {name: f"{name}_hosts" for name in ("safe_update", "assess", "restore", "cleanup", "delete_snapshot")}
EMPTY: dict[str, Any] = {"all": {}}
# Groups are there, and hosts too, but a server id is not: a playbook that goes on fails later, with other words.
ONE = {
    "all": {"children": {"web": {"hosts": {"web-1": {"ansible_connection": "local"}}}, "db": {"hosts": {"db-1": {}}}}}
}
NOTHING = "Nothing was done: no host matches the pattern"


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_an_inventory_without_hosts_fails(run_playbook: Any, playbook: str) -> None:
    # Those that have no default for it ask for the pattern first.
    variables = {f"{playbook}_hosts": "all"}
    run = run_playbook(f"vpsdotorg.cloud.{playbook}", inventory=EMPTY, variables=variables)
    assert run.rc != 0
    assert len(run.failures()) == 1, "one sentence, once"
    assert run.failures()[0].startswith(NOTHING)
    assert f"set {playbook}_allow_empty: true" in run.failures()[0]


@pytest.mark.parametrize(
    ("playbook", "variables", "arguments", "said"),
    [
        ("restore", {"restore_hosts": "web:&db"}, (), 'the pattern "web:&db"'),
        ("cleanup", {"cleanup_hosts": ["wbe", "bd"]}, (), 'the pattern ["wbe", "bd"]'),
        ("cleanup", {"cleanup_hosts": "db-1", "cleanup_allow_empty": False}, ("--limit", "web"), 'the limit "web"'),
    ],
)
def test_a_pattern_without_hosts_fails_and_is_named(
    run_playbook: Any, playbook: str, variables: dict[str, Any], arguments: tuple[str, ...], said: str
) -> None:
    run = run_playbook(f"vpsdotorg.cloud.{playbook}", *arguments, inventory=ONE, variables=variables)
    assert run.rc != 0
    (message,) = run.failures()
    assert message.startswith(NOTHING)
    assert said in message


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_no_host_is_fine_where_one_says_so(run_playbook: Any, playbook: str) -> None:
    # As -e and a survey give it: a text.
    variables = {f"{playbook}_allow_empty": "true", CHOOSING.get(playbook, "unused"): "nobody:!nobody"}
    run = run_playbook(f"vpsdotorg.cloud.{playbook}", inventory=EMPTY, variables=variables)
    if playbook == "restore_run":
        # It insists on what it is to restore, hosts or none.
        assert [failure for failure in run.failures() if failure.startswith(NOTHING)] == []
    else:
        assert run.rc == 0, run.output


@pytest.mark.parametrize(("variables", "arguments"), [({}, ()), ({"cleanup_hosts": "db-1,web"}, ("--limit", "db"))])
def test_where_a_host_matches_the_playbook_goes_on(
    run_playbook: Any, variables: dict[str, Any], arguments: tuple[str, ...]
) -> None:
    run = run_playbook("vpsdotorg.cloud.cleanup", *arguments, inventory=ONE, variables=variables)
    assert {failure.partition(":")[0] for failure in run.failures()} == {"Nothing was deleted"}


def test_every_playbook_that_acts_on_hosts_looks_first() -> None:
    for file in (CLONE / "playbooks").glob("*.yml"):
        first, *_rest = yaml.safe_load(file.read_text(encoding="utf-8"))
        acts = first["hosts"] != "localhost"
        assert acts == (first["name"] == "Insist on hosts"), file.name
        if acts:
            assert first["tasks"][0]["vars"]["hosts_playbook"] == file.stem
