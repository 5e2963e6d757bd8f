# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A service that fails: snapshots that fail or never end, an API that is down while servers are to be brought back."""

from __future__ import annotations

import re
import shlex

import pytest

from ..playbooks.fleet import outcome, result
from .site import PACE, Site, wait_until

PATIENT, IMPATIENT = "web3", "web4"


class Story:
    def __init__(self, site: Site) -> None:
        self.site = site
        site.prepare("web1", "web2", PATIENT, IMPATIENT)
        site.destine({"web1": "1.1", "web2": "1.1", PATIENT: "2.0+health", IMPATIENT: "2.0+health"})
        self.before = site.each(site.fingerprint)
        self._snapshots()
        self._outage()

    def _snapshots(self) -> None:
        """One snapshot fails and one never ends."""
        for status in ("failed", "stuck"):
            self.site.lab.emulator.fault(kind="outcome", method="POST", path="/snapshots/", status=status)
        variables = {"safe_update_snapshot_timeout": 5, "safe_update_on_failure": "rollback"}
        self.without = self.site.run(hosts=["web1", "web2"], variables=variables)
        self.after_without = self.site.each(self.site.fingerprint, ["web1", "web2"])
        status = {name: next(iter(self.site.snapshots(name).values())) for name in ("web1", "web2")}
        (self.failed,) = (name for name in status if status[name] == "failed")
        (self.stuck,) = (name for name in status if status[name] == "in_progress")
        self.next = self.site.run(hosts=["web1", "web2"])

    def _outage(self) -> None:
        """The API goes down when the restores are about to begin, and comes back when one server has given up."""
        running = self.site.start(
            hosts=[PATIENT, IMPATIENT],
            variables={
                "safe_update_on_failure": "rollback",
                "__safe_update_pace": {
                    **PACE,
                    "restore_tries": f"{{{{ 90 if inventory_hostname == '{PATIENT}' else 2 }}}}",
                },
            },
            env={"VPS_API_RETRIES": "1"},
        )
        # From here to the restores nothing is asked of the API, and there is time to stop it.
        for name in (PATIENT, IMPATIENT):
            running.wait_for("Check what the URLs answer", name, event="failed")
        self.site.lab.stop_api()
        running.wait_for("Start the restore", IMPATIENT, event="failed")
        self.site.lab.start_api()
        self.outage = running.finish()
        self.after_outage = self.site.version(IMPATIENT)
        (self.advice,) = re.findall(r"ansible localhost -m \S+ -a '[^']*'", result(self.outage, IMPATIENT)["reason"])
        self.done = self.site.command(*shlex.split(self.advice))
        wait_until(lambda: self.site.answers(IMPATIENT), f"the restore of {IMPATIENT}")


@pytest.fixture(scope="module")
def story(site: Site) -> Story:
    return Story(site)


@pytest.mark.parametrize("name", ["web1", "web2"])
def test_without_a_snapshot_nothing_is_touched(story: Story, name: str) -> None:
    assert outcome(story.without, name) == "snapshot_failed"
    assert story.after_without[name] == story.before[name]


def test_reason_names_the_state_of_the_snapshot(story: Story) -> None:
    assert "failed" in result(story.without, story.failed)["reason"]
    assert "in_progress" in result(story.without, story.stuck)["reason"]


def test_after_a_failed_snapshot_the_next_run_updates_and_tidies_up(story: Story) -> None:
    assert outcome(story.next, story.failed) == "updated"
    assert story.site.version(story.failed) == "1.1 installed"
    assert story.site.snapshots(story.failed) == {}


def test_after_a_stuck_snapshot_the_next_run_says_what_to_do(story: Story) -> None:
    assert outcome(story.next, story.stuck) == "refused"
    assert "if it never is, delete it: ansible localhost -m" in result(story.next, story.stuck)["reason"]
    assert story.site.fingerprint(story.stuck) == story.before[story.stuck]


def test_short_outage_does_not_keep_a_server_from_being_restored(story: Story) -> None:
    assert outcome(story.outage, PATIENT) == "rolled_back"
    assert story.site.fingerprint(PATIENT) == story.before[PATIENT]


def test_long_outage_fails_the_roll_back_and_says_so(story: Story) -> None:
    assert outcome(story.outage, IMPATIENT) == "rollback_failed"
    assert "Start the restore" in result(story.outage, IMPATIENT)["reason"]
    assert story.after_outage == "2.0+health installed"


def test_what_the_report_says_to_do_brings_the_server_back(story: Story) -> None:
    assert story.done.rc == 0, story.done.output
    assert story.site.fingerprint(IMPATIENT) == story.before[IMPATIENT]
    assert story.site.health(IMPATIENT) == 200
