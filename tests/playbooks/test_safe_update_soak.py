# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The time that an updated host has to stay healthy: what it costs a batch, and what it finds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run
from .fleet import Fleet, outcome, result

SOAK = 20
BATCH = ("canary", "second", "third", "breaks", "wavers")
# It is looked at in both preflights and after the update; the fourth look is the first one of the soak.
LOOKS = "sh -c 'echo >>{{ folder }}/looks; test $(wc -l <{{ folder }}/looks) %s'"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, collections_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path_factory.mktemp("soak"), collections_path) as fleet:
        soak = {"safe_update_soak": SOAK, "safe_update_soak_interval": 10}
        for name in ("canary", "second", "third"):
            fleet.add(name, **soak)
        fleet.add("breaks", **soak, safe_update_checks=[{"command": LOOKS % "-lt 4", "retries": 0}])
        wavers = {"safe_update_checks": [{"command": LOOKS % "-ne 4", "retries": 0}], "safe_update_soak_failures": 1}
        fleet.add("wavers", **soak, **wavers)
        fleet.add("last", safe_update_soak=0)
        fleet.start()
        yield fleet


@pytest.fixture(scope="module")
def run(fleet: Fleet) -> Run:
    variables = {"safe_update_serial": "5,1", "safe_update_max_fail_percentage": 50}
    return fleet.run("vpsdotorg.cloud.safe_update", variables=variables, env={"ANSIBLE_FORKS": "2"})


def ends(run: Run, host: str) -> dict[str, datetime]:
    """When each phase was over."""
    timeline: list[dict[str, Any]] = result(run, host)["timeline"]
    return {each["phase"]: datetime.strptime(each["end"], "%Y-%m-%dT%H:%M:%SZ") for each in timeline}


@pytest.mark.parametrize("host", [name for name in BATCH if name != "breaks"])
def test_each_host_is_watched(run: Run, host: str) -> None:
    assert outcome(run, host) == "updated"
    assert (ends(run, host)["verify"] - ends(run, host)["update"]).seconds >= SOAK


def test_a_batch_is_watched_side_by_side(run: Run) -> None:
    assert max(ends(run, name)["update"] for name in BATCH) < min(ends(run, name)["verify"] for name in BATCH)


def test_the_next_batch_begins_when_it_is_over(run: Run) -> None:
    assert outcome(run, "last") == "updated"
    assert ends(run, "last")["begin"] >= max(ends(run, name)["verify"] for name in BATCH)


def test_a_host_that_breaks_meanwhile_is_kept(fleet: Fleet, run: Run) -> None:
    assert outcome(run, "breaks") == "kept"
    assert result(run, "breaks")["failed_phase"] == "verify"
    assert "It was well at first; this was seen" in result(run, "breaks")["reason"]
    assert fleet.snapshots("breaks") != {}


def test_looks_that_may_fail_are_told(run: Run) -> None:
    (warning,) = result(run, "wavers")["warnings"]
    assert "the host was not: command sh -c" in warning
