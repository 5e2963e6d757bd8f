# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook in batches, of which so many hosts fail as may: those that come after are left for later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Run
from .fleet import BAD, Fleet, outcome, result

pytestmark = pytest.mark.smoke

# What a run before this one has left, in a cache of facts.
EARLIER = {"outcome": "kept", "failed_phase": "update"}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, collections_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path_factory.mktemp("budget"), collections_path) as fleet:
        fleet.add("sick", version="broken")
        fleet.add("bad-1", BAD)
        fleet.add("good")
        fleet.add("bad-2", BAD, safe_update_on_failure="rollback")
        fleet.add("late-1", safe_update_result=EARLIER)
        fleet.add("late-2", safe_update_result=EARLIER)
        fleet.start()
        yield fleet


@pytest.fixture(scope="module")
def run(fleet: Fleet) -> Run:
    return fleet.run(
        "vpsdotorg.cloud.safe_update",
        variables={
            "safe_update_serial": "2",
            "safe_update_max_fail_percentage": 100,
            "safe_update_max_failures": "2",
        },
    )


def test_a_host_that_was_refused_does_not_count(run: Run) -> None:
    assert outcome(run, "sick") == "refused"


def test_the_batch_in_which_the_budget_is_spent_is_done(fleet: Fleet, run: Run) -> None:
    assert outcome(run, "good") == "updated"
    assert fleet.version("good") == "new"


@pytest.mark.parametrize("host", ["late-1", "late-2"])
def test_the_hosts_after_it_are_postponed(fleet: Fleet, run: Run, host: str) -> None:
    assert outcome(run, host) == "postponed"
    assert "bad-1 (kept), bad-2 (rolled_back)" in result(run, host)["message"]
    assert (fleet.version(host), fleet.snapshots(host)) == ("old", {})
