# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One batch of servers, to each of which something else happens, and what each of them is afterwards."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from ..playbooks.fleet import outcome, result
from .site import OWN_NAME, Site, wait_until

UPDATES = {
    "web1": "2.0",
    "web2": "2.0+health",
    "web3": "2.0+sshd",
    "web4": "2.0+cut",
    "web5": "2.0+network",
    "web6": "2.0+hang",
    "web7": "2.0+disk",
    "web8": "1.1",
    "web9": "2.0+hang",
    "web10": "2.0",
}
UPDATED = ("web1", "web10")
ROLLED_BACK = ("web2", "web3", "web4", "web5", "web7", "web9")


class Story:
    """What happened, which it does only once."""

    def __init__(self, site: Site, reports: Path) -> None:
        self.site = site
        self.reports = reports
        site.prepare(*UPDATES)
        site.destine(UPDATES)
        # The package lists name a file that the mirror does not have.
        (site.lab.folder / "repository/hello-web_1.1_all.deb").unlink()
        for variables in site.hosts.values():
            variables["safe_update_on_failure"] = "rollback"
        site.hosts["web6"] |= {"safe_update_on_failure": "keep", "safe_update_timeout": 15}
        site.hosts["web10"]["safe_update_offline"] = True
        self.before = site.each(site.fingerprint)
        self.booted = site.each(site.boot_id)
        running = site.start(variables={"safe_update_report_dir": str(reports)}, env={"ANSIBLE_PIPELINING": "false"})
        cutter = threading.Thread(target=self._cut_power)
        cutter.start()
        self.run = running.finish()
        cutter.join()
        self.writes = site.writes()

    def _cut_power(self) -> None:
        wait_until(lambda: self.site.processes("web9", "sleep infinity"), "the update of web9")
        self.site.lab.power_cut("web9")


@pytest.fixture(scope="module")
def story(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Story:
    return Story(site, tmp_path_factory.mktemp("reports"))


@pytest.mark.parametrize("name", UPDATED)
def test_good_update_is_there_after_a_restart_and_leaves_no_snapshot(story: Story, name: str) -> None:
    assert outcome(story.run, name) == "updated"
    assert story.site.version(name) == "2.0 installed"
    assert story.site.health(name) == 200
    assert story.site.boot_id(name) != story.booted[name]
    assert story.site.snapshots(name) == {}
    assert {"name": "hello-web:all", "old": "1.0", "new": "2.0"} in result(story.run, name)["packages"]


@pytest.mark.parametrize("name", ROLLED_BACK)
def test_failed_update_leaves_the_server_what_it_was(story: Story, name: str) -> None:
    assert outcome(story.run, name) == "rolled_back"
    assert story.site.fingerprint(name) == story.before[name]
    assert story.site.health(name) == 200
    assert story.site.boot_id(name) != story.booted[name]
    assert story.site.snapshots(name) == {result(story.run, name)["snapshot_name"]: "completed"}
    assert OWN_NAME.fullmatch(result(story.run, name)["snapshot_name"])


@pytest.mark.parametrize(
    ("name", "phase", "reason"),
    [
        ("web2", "verify", "8080/health"),
        ("web3", "update", "Connection refused"),
        ("web4", "update", "Connection refused"),
        ("web5", "update", "Wait until the host answers"),
        ("web7", "update", "dpkg returned an error code"),
        ("web9", "update", "Wait until the host answers"),
    ],
)
def test_report_says_why(story: Story, name: str, phase: str, reason: str) -> None:
    assert result(story.run, name)["failed_phase"] == phase
    assert reason in result(story.run, name)["reason"]


def test_hanging_update_is_ended_with_all_that_belongs_to_it(story: Story) -> None:
    assert outcome(story.run, "web6") == "kept"
    assert "not over after 15 s (safe_update_timeout)" in result(story.run, "web6")["reason"]
    assert story.site.processes("web6", r"(\S*/)?(apt|dpkg|sleep)") == []
    assert story.site.version("web6") == "2.0+hang half-configured"
    assert story.site.snapshots("web6") == {result(story.run, "web6")["snapshot_name"]: "completed"}


def test_update_that_changed_nothing_restores_nothing(story: Story) -> None:
    assert outcome(story.run, "web8") == "kept"
    assert "404" in result(story.run, "web8")["reason"]
    assert "nothing was restored" in result(story.run, "web8")["reason"]
    assert story.site.fingerprint("web8") == story.before["web8"]
    assert story.site.boot_id("web8") == story.booted["web8"]


def test_evidence_is_kept_from_before_the_restore(story: Story) -> None:
    assert any("hello-web" in line for line in result(story.run, "web2")["evidence"])
    assert {"name": "hello-web:all", "old": "1.0", "new": "2.0+health"} in result(story.run, "web2")["packages"]


def test_evidence_is_kept_of_an_update_that_is_not_taken_back(story: Story) -> None:
    (change,) = result(story.run, "web6")["packages"]
    assert change == {"name": "hello-web:all", "old": "1.0", "new": "2.0+hang,half-configured"}


def test_api_was_asked_for_no_more_than_that(story: Story) -> None:
    deleted = [write for write in story.writes if write.startswith("DELETE ")]
    restored = {write for write in story.writes if "/restore/" in write}
    assert len([write for write in story.writes if write == "POST /snapshots/ 201"]) == len(UPDATES)
    assert len(deleted) == len(UPDATED)
    assert restored == {
        f"POST /snapshots/{result(story.run, name)['snapshot_id']}/restore/ 200" for name in ROLLED_BACK
    }
    # Only the offline one is stopped and started.
    assert [write for write in story.writes if "/power/" in write] == ["POST /servers/1010/power/ 200"] * 2


def test_report_has_every_server(story: Story) -> None:
    report = json.loads((story.reports / "report.json").read_text(encoding="utf-8"))
    assert report["hosts"] == story.run.custom_stats["safe_update"]
    assert set(report["hosts"]) == set(UPDATES)
