# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Controllers that are killed, each in another phase on a server of its own, and one run that goes on after them."""

from __future__ import annotations

import re
import shlex

import pytest

from ..playbooks.fleet import outcome, result
from .site import OWN_NAME, Site, wait_until

# The task during which, or right after which, the controller of a server dies.
DEATHS = {
    "web1": "Start the snapshot",
    "web2": "Start the update, which the host ends by itself after safe_update_timeout seconds",
    "web3": "Check what the URLs answer",
    "web4": "Start the restore",
    "web5": "Start the snapshot",
    "web6": "Choose what is not needed any more",
}
UPDATES = {"web1": "1.1", "web2": "1.1", "web3": "1.1", "web4": "2.0+health", "web5": "1.1", "web6": "1.1"}
HELD = "base-files"


class Story:
    def __init__(self, site: Site) -> None:
        self.site = site
        site.prepare(*UPDATES)
        site.destine(UPDATES)
        # The update of this server goes on for a while after its controller is dead.
        site.lab.ssh("web2", "echo 'DPkg::Pre-Invoke { \"sleep 15\"; };' >/etc/apt/apt.conf.d/slow")
        self.before = site.each(site.fingerprint)
        site.each(self._run_and_kill)
        self.held = site.lab.ssh("web2", "apt-mark showhold")
        self.left = site.each(lambda name: list(site.snapshots(name)))
        # The service ends on its own what it was told to do.
        wait_until(lambda: site.status("web4") == "active" and site.answers("web4"), "the restore of web4")
        self.after_restore = site.fingerprint("web4")
        site.destine({"web4": "1.1"})
        for name in ("web1", "web5"):
            wait_until(lambda name=name: set(site.snapshots(name).values()) == {"completed"}, f"the snapshot of {name}")
        self.stopped = site.status("web5")
        self.again = site.run()
        (self.advice,) = re.findall(r"ansible localhost -m \S+ -a '[^']*'", result(self.again, "web5")["reason"])
        self.started = site.command(*shlex.split(self.advice))
        self.restored = self._restore_stopped()
        # What was half updated when its controller died is updated once more, and then decided upon.
        site.destine({"web2": "2.0"})
        self.later = site.run(hosts=["web2"])
        self.kept = list(site.snapshots("web2"))
        (run_id,) = re.findall(r"run_id: (\S+)\)", " ".join(result(self.later, "web2")["warnings"]))
        self.decided = site.run("vpsdotorg.cloud.cleanup_run", variables={"run_id": run_id})

    def _run_and_kill(self, name: str) -> None:
        variables = {"safe_update_on_failure": "rollback", "safe_update_run_id": f"killed-{name}"}
        if name == "web2":
            variables["safe_update_exclude"] = [HELD]
        if name == "web5":
            variables["safe_update_offline"] = True
        task = DEATHS[name]
        running = self.site.start(hosts=[name], variables=variables)
        # Of the checks those after the update are meant: the two preflights have them too.
        times = 3 if name == "web3" else 1
        running.wait_for(task, name, times=times)
        running.kill()
        if name == "web2":
            wait_until(lambda: self.site.processes(name, "apt-get --yes"), "the update that goes on", patience=15)

    def _restore_stopped(self) -> str:
        """Put web3 back by hand, as it was before the run that was killed; it is off meanwhile."""
        self.site.lab.server("web3").machine.stop()
        run = self.site.run(
            "vpsdotorg.cloud.restore",
            variables={"restore_hosts": "web3", "restore_snapshot_name": self.left["web3"][0], "restore_confirm": True},
        )
        assert run.rc == 0, run.output
        return self.site.fingerprint("web3")


@pytest.fixture(scope="module")
def story(site: Site) -> Story:
    return Story(site)


@pytest.mark.parametrize("name", ["web1", "web2", "web3", "web4", "web5"])
def test_killed_run_leaves_its_snapshot(story: Story, name: str) -> None:
    assert [bool(OWN_NAME.fullmatch(snapshot)) for snapshot in story.left[name]] == [True]


def test_killed_while_it_waited_for_the_snapshot(story: Story) -> None:
    assert outcome(story.again, "web1") == "updated"
    assert result(story.again, "web1")["warnings"] == []
    assert story.site.version("web1") == "1.1 installed"
    assert story.site.snapshots("web1") == {}


def test_killed_while_it_updated_and_the_update_goes_on(story: Story) -> None:
    assert outcome(story.again, "web2") == "up_to_date"
    assert story.site.version("web2") == "2.0 installed"
    assert story.site.health("web2") == 200


def test_killed_while_it_updated_and_what_it_held_back_is_released(story: Story) -> None:
    assert story.held.split() == [HELD]
    assert story.site.lab.ssh("web2", "apt-mark showhold") == ""


def test_what_is_from_before_a_killed_run_stays_until_somebody_decides(story: Story) -> None:
    assert outcome(story.later, "web2") == "updated"
    assert story.kept == story.left["web2"]
    assert story.left["web2"][0] in " ".join(result(story.later, "web2")["warnings"])
    assert story.decided.rc == 0, story.decided.output
    assert story.site.snapshots("web2") == {}


def test_killed_while_it_verified(story: Story) -> None:
    assert outcome(story.again, "web3") == "up_to_date"
    assert story.left["web3"][0] in result(story.again, "web3")["message"]


def test_killed_while_it_rolled_back_and_the_restore_goes_on(story: Story) -> None:
    assert story.after_restore == story.before["web4"]
    assert outcome(story.again, "web4") == "updated"
    assert story.site.version("web4") == "1.1 installed"
    assert story.site.snapshots("web4") == {}


def test_killed_while_the_server_was_stopped_for_the_snapshot(story: Story) -> None:
    assert story.stopped == "stopped"
    assert outcome(story.again, "web5") == "refused"
    assert "server stopped for this snapshot" in result(story.again, "web5")["reason"]
    assert story.started.rc == 0, story.started.output
    wait_until(lambda: story.site.health("web5") == 200, "web5, which the advice has started")
    assert story.site.fingerprint("web5") == story.before["web5"]


def test_killed_while_it_cleaned_up(story: Story) -> None:
    assert outcome(story.again, "web6") == "up_to_date"
    assert story.site.version("web6") == "1.1 installed"
    assert list(story.site.snapshots("web6")) == story.left["web6"]
    assert all(name in result(story.again, "web6")["message"] for name in story.left["web6"])


def test_stopped_server_is_restored_by_hand_and_runs_again(story: Story) -> None:
    assert story.restored == story.before["web3"]
    assert story.site.health("web3") == 200
