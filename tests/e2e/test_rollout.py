# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rollout over eight servers: a bad update stops it, at the canary or later, and what comes after is not touched."""

from __future__ import annotations

import pytest

from ..playbooks.fleet import outcome, result
from .site import Site

# As the role's README has it.
PLAY = {
    "hosts": "all",
    "gather_facts": False,
    "serial": [1, 2, 2, 3],
    "max_fail_percentage": 0,
    "roles": ["vpsdotorg.cloud.safe_update"],
}
NAMES = [f"web{number}" for number in range(1, 9)]


class Story:
    """Two rollouts: by the playbook, in which the canary fails, and by a play of one's own, in which the fifth does."""

    def __init__(self, site: Site) -> None:
        self.site = site
        site.prepare(*NAMES)
        settings = {"safe_update_on_failure": "rollback"}
        site.destine({name: "2.0+health" if name in ("web1", "web5") else "1.1" for name in NAMES})
        self.before = site.each(site.fingerprint)
        self.canary = site.run(variables={**settings, "safe_update_serial": "1,2,2,3"})
        self.after_canary = site.each(site.fingerprint)
        self.canary_writes = site.writes()
        site.destine({"web1": "1.1"})
        self.fifth = site.run([PLAY], variables=settings)
        self.fifth_writes = site.writes()[len(self.canary_writes) :]


@pytest.fixture(scope="module")
def story(site: Site) -> Story:
    return Story(site)


def test_bad_canary_ends_the_rollout(story: Story) -> None:
    assert story.canary.rc == 2
    assert outcome(story.canary, "web1") == "rolled_back"
    assert [result(story.canary, name)["outcome"] for name in NAMES[1:]] == [""] * 7
    assert story.after_canary == story.before


def test_after_a_bad_canary_no_other_server_has_a_snapshot(story: Story) -> None:
    snapshot = result(story.canary, "web1")["snapshot_id"]
    assert story.canary_writes == ["POST /snapshots/ 201", f"POST /snapshots/{snapshot}/restore/ 200"]


def test_bad_fifth_server_is_rolled_back_and_its_neighbour_is_updated(story: Story) -> None:
    assert story.fifth.rc == 2
    assert {name: outcome(story.fifth, name) for name in NAMES[:5]} == {
        **dict.fromkeys(NAMES[:4], "updated"),
        "web5": "rolled_back",
    }
    for name in NAMES[:4]:
        assert story.site.version(name) == "1.1 installed"
        assert story.site.health(name) == 200
        assert story.site.snapshots(name) == {}
    assert story.site.snapshots("web5") == {result(story.fifth, "web5")["snapshot_name"]: "completed"}


@pytest.mark.parametrize("name", NAMES[4:])
def test_fifth_server_and_those_behind_it_are_what_they_were(story: Story, name: str) -> None:
    assert story.site.fingerprint(name) == story.before[name]
    assert story.site.health(name) == 200


def test_servers_behind_the_bad_batch_are_not_touched(story: Story) -> None:
    assert set(story.fifth.custom_stats["safe_update"]) == set(NAMES[:5])
    assert [write for write in story.fifth_writes if write == "POST /snapshots/ 201"] == ["POST /snapshots/ 201"] * 5
    assert all(story.site.snapshots(name) == {} for name in NAMES[5:])
