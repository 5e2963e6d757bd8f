# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables: what is promised to users, has a default and is documented must be the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROLE = Path(__file__).parents[2] / "roles" / "safe_update"
# The promise: names and defaults as users rely on them.
PROMISED = {
    "safe_update_server_id": "{{ vps_server_id | default('') }}",
    "safe_update_verify_identity": True,
    "safe_update_name_prefix": "safe-update",
    "safe_update_on_failure": "keep",
    "safe_update_cleanup": True,
    "safe_update_snapshot_id": None,
    "safe_update_keep": 0,
    "safe_update_hold": [],
    "safe_update_on_limit": "fail",
    "safe_update_offline": False,
    "safe_update_quiesce_tasks": None,
    "safe_update_thaw_tasks": None,
    "safe_update_scope": "full",
    "safe_update_exclude": [],
    "safe_update_allow_removals": False,
    "safe_update_min_free": {"/": "500M", "/usr": "500M", "/var": "500M", "/boot": "100M"},
    "safe_update_tasks": None,
    "safe_update_pre_tasks": None,
    "safe_update_pre_reboot_tasks": None,
    "safe_update_post_tasks": None,
    "safe_update_versions_from": None,
    "safe_update_keep_broken": False,
    "safe_update_restart_services": False,
    "safe_update_timeout": 3600,
    "safe_update_reboot": "when_required",
    "safe_update_checks": [],
    "safe_update_check_tasks": None,
    "safe_update_compare": True,
    "safe_update_compare_ignore": [],
    "safe_update_soak": 60,
    "safe_update_soak_interval": 15,
    "safe_update_soak_failures": 0,
    "safe_update_require_backup_within": None,
    "safe_update_window_end": None,
    "safe_update_window": [],
    "safe_update_max_failures": None,
    "safe_update_snapshot_timeout": 1200,
    "safe_update_restore_timeout": 1800,
    "safe_update_reboot_timeout": 900,
    "safe_update_connection_timeout": 600,
    "safe_update_run_id": None,
    "safe_update_report_dir": None,
}
CHOICES = {
    "safe_update_on_failure": ["keep", "rollback"],
    "safe_update_on_limit": ["fail", "rotate"],
    "safe_update_scope": ["full", "security"],
    "safe_update_reboot": ["when_required", "always", "never"],
}
ENTRY_POINTS = {"main", "preflight", "snapshot", "update", "verify", "rollback", "cleanup"}


def load(name: str) -> Any:
    return yaml.safe_load((ROLE / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def specs() -> dict[str, Any]:
    return load("meta/argument_specs.yml")["argument_specs"]


def test_defaults_are_the_promised_ones() -> None:
    assert load("defaults/main.yml") == PROMISED


def test_every_entry_point_documents_what_it_reads(specs: dict[str, Any]) -> None:
    assert set(specs) == ENTRY_POINTS
    options = specs["main"]["options"]
    assert set(options) == set(PROMISED)
    for entry_point, spec in specs.items():
        assert spec["options"].items() <= options.items(), entry_point
        assert {"safe_update_server_id", "safe_update_report_dir"} <= set(spec["options"]), entry_point
    # Every variable is read by some part of the story, and what is destroyed is named where it is.
    parts = [set(spec["options"]) for entry_point, spec in specs.items() if entry_point != "main"]
    assert set().union(*parts) == set(options) - {"safe_update_on_failure", "safe_update_cleanup"}
    for entry_point in ("rollback", "cleanup"):
        assert "safe_update_snapshot_id" in specs[entry_point]["options"]


def test_documented_defaults_are_the_real_ones(specs: dict[str, Any]) -> None:
    for name, option in specs["main"]["options"].items():
        if option.get("required"):
            continue
        assert option.get("default") == PROMISED[name], name


def test_only_the_server_is_required(specs: dict[str, Any]) -> None:
    required = [name for name, option in specs["main"]["options"].items() if option.get("required")]
    assert required == ["safe_update_server_id"]


def test_choices_are_the_promised_ones(specs: dict[str, Any]) -> None:
    found = {name: option["choices"] for name, option in specs["main"]["options"].items() if "choices" in option}
    assert found == CHOICES


def test_every_entry_point_has_a_task_file() -> None:
    assert {name for name in ENTRY_POINTS if (ROLE / "tasks" / f"{name}.yml").is_file()} == ENTRY_POINTS
