# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for every task of the role."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

TASKS = Path(__file__).resolve().parents[3] / "roles" / "safe_update" / "tasks"
# A host that hangs here has failed, or is left with less evidence: a rescue says so.
RESCUED = {
    "Wait for what is still starting",
    "Look whether the host has stayed as it was",
    "Ask the host which runs were killed, where nothing has",
    "Restart the host",
    "Look for the last update",
    "Read the last errors",
}


def each_task(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """All tasks of a file, those inside blocks and rescues too."""
    for task in tasks:
        yield task
        for key in ("block", "rescue", "always"):
            yield from each_task(task.get(key) or [])


@pytest.mark.parametrize("file", sorted(TASKS.rglob("*.yml")), ids=lambda file: str(file.relative_to(TASKS)))
def test_a_task_that_may_fail_may_run_out_of_time_too(file: Path) -> None:
    """Ansible evaluates `failed_when` only where the action came to an end."""
    for task in each_task(yaml.safe_load(file.read_text(encoding="utf-8"))):
        if task.get("failed_when") is False and "timeout" in task:
            assert task.get("ignore_errors") or task["name"] in RESCUED, task["name"]


@pytest.mark.parametrize("file", sorted(TASKS.rglob("*.yml")), ids=lambda file: str(file.relative_to(TASKS)))
def test_a_rescue_does_nothing_that_can_fail(file: Path) -> None:
    """Nothing catches what fails in there: the host would have no verdict, and no restore."""
    for block in each_task(yaml.safe_load(file.read_text(encoding="utf-8"))):
        for task in each_task(block.get("rescue") or []):
            is_safe = {"ansible.builtin.set_fact", "ansible.builtin.debug", "ansible.builtin.fail"} & set(task)
            assert is_safe or (task.get("ignore_errors") and task.get("ignore_unreachable")), task["name"]
