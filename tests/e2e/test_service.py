# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide to updates without an outage: a pool behind HAProxy, one bad update in it, and a client that asks always.

Then another server is given exactly what the pool has proven, and one more cannot be.
"""

from __future__ import annotations

import http.client
import re
import textwrap
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from ..playbooks.fleet import outcome, result
from .site import Site

GUIDE = Path(__file__).resolve().parents[2] / "docs/docsite/rst/guide_service.rst"
POOL, BALANCER, PROVEN, GONE, RESTARTED = ("web1", "web2", "web3"), "web4", "web5", "web6", "web7"
BAD = "web2"
# A service whose program is replaced while it runs.
OLD_SERVICE = """
cp /usr/bin/sleep /usr/local/bin/napper
printf '[Service]\\nExecStart=/usr/local/bin/napper infinity\\n[Install]\\nWantedBy=multi-user.target\\n' \
    >/etc/systemd/system/napper.service
systemctl --quiet enable --now napper
cp /usr/bin/sleep /usr/local/bin/napper.new && mv /usr/local/bin/napper.new /usr/local/bin/napper
"""
CONFIGURATION = """
global
    stats socket /run/haproxy/admin.sock level admin
defaults
    mode http
    timeout connect 1s
    timeout client 60s
    timeout server 60s
frontend in
    bind :80
    default_backend app
backend app
    option httpchk GET /health
    default-server check inter 200ms fall 2 rise 1
"""
BEFORE_RESTART = """
- name: Note that it comes
  ansible.builtin.copy:
    content: "{{ lookup('ansible.builtin.pipe', 'date') }}"
    dest: /root/before-restart
    mode: "0600"
"""


def task_files() -> tuple[str, ...]:
    """What the guide calls drain.yml and undrain.yml."""
    found = re.findall(r"^\.\. code-block:: yaml\+jinja\n\n((?:    .*\n|\n)+)", GUIDE.read_text(), re.MULTILINE)
    return tuple(text for block in found if (text := textwrap.dedent(block)).startswith("- name:"))


class Client(threading.Thread):
    """Asks the load balancer all the time, and counts."""

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self.url = f"http://{address}/"
        self.answers = 0
        self.lost: list[str] = []
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.05):
            try:
                with urllib.request.urlopen(self.url, timeout=60) as response:
                    response.read()
                self.answers += 1
            # Half an answer is none.
            except (OSError, http.client.HTTPException) as error:
                self.lost.append(repr(error))


class Story:
    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        site.prepare(*POOL, BALANCER, PROVEN, GONE, RESTARTED)
        for name, text in zip(("drain.yml", "undrain.yml"), task_files(), strict=True):
            (folder / name).write_text(text.replace("balancer", BALANCER))
        (folder / "restart.yml").write_text(BEFORE_RESTART)
        for name in POOL:
            site.hosts[name] = {
                "safe_update_pre_tasks": str(folder / "drain.yml"),
                "safe_update_post_tasks": str(folder / "undrain.yml"),
                "safe_update_on_failure": "rollback",
                "safe_update_keep_broken": True,
            }
        site.hosts[RESTARTED] = {"safe_update_pre_reboot_tasks": str(folder / "restart.yml")}
        for name in (PROVEN, GONE):
            site.hosts[name] = {
                "safe_update_versions_from": str(folder / "report.json"),
                "safe_update_restart_services": True,
            }
        site.destine({**dict.fromkeys(POOL, "1.1"), BAD: "2.0+health", RESTARTED: "2.0"})
        site.each(lambda name: site.lab.ssh(name, OLD_SERVICE), ("web1", PROVEN))
        servers = "".join(f"    server {name} {site.lab.server(name).address}:8080\n" for name in POOL)
        configuration = f"cat >/etc/haproxy/haproxy.cfg <<'END'\n{CONFIGURATION}{servers}END\nsystemctl restart haproxy"
        site.lab.ssh(BALANCER, configuration)
        client = Client(site.lab.server(BALANCER).address)
        client.start()
        rollout = {"safe_update_serial": "1,100%", "safe_update_max_fail_percentage": 100}
        self.run = site.run(
            variables={
                **rollout,
                "safe_update_hosts": ":".join(POOL),
                "safe_update_report_dir": str(folder),
            }
        )
        client.over.set()
        client.join()
        self.client = client
        self.states = site.lab.ssh(BALANCER, "echo 'show stat' | socat stdio /run/haproxy/admin.sock")
        self.production = site.run(variables={"safe_update_hosts": f"{PROVEN}:{RESTARTED}"})
        site.lab.unpublish()
        site.lab.publish("2.0")
        self.late = site.run(variables={"safe_update_hosts": GONE})


@pytest.fixture(scope="module")
def story(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Story:
    return Story(site, tmp_path_factory.mktemp("service"))


def test_each_server_of_the_pool_ends_as_it_should(story: Story) -> None:
    outcomes = {name: outcome(story.run, name) for name in POOL}
    assert outcomes == {"web1": "updated", BAD: "rolled_back", "web3": "updated"}


def test_not_one_request_is_lost(story: Story) -> None:
    assert story.client.lost == []
    assert story.client.answers > 100


def test_all_are_in_service_again(story: Story) -> None:
    for name in POOL:
        assert re.search(rf"(?m)^app,{name},.*,UP,", story.states), story.states


def test_the_broken_state_is_kept(story: Story) -> None:
    broken = result(story.run, BAD)["broken_snapshot"]["name"]
    assert story.site.snapshots(BAD)[broken] == "completed"


def test_old_programs_are_named_and_restarted_where_asked_for(story: Story) -> None:
    assert result(story.run, "web1")["old_libraries"] == ["napper.service"]
    assert result(story.production, PROVEN)["old_libraries"] == []
    assert "(deleted)" not in story.site.lab.ssh(PROVEN, "cat /proc/$(pidof napper)/maps")


def test_tasks_before_a_restart_have_run(story: Story) -> None:
    assert outcome(story.production, RESTARTED) == "updated"
    assert result(story.production, RESTARTED)["rebooted"]
    assert story.site.lab.ssh(RESTARTED, "cat /root/before-restart")


def test_production_gets_what_the_pool_has_proven(story: Story) -> None:
    assert outcome(story.production, PROVEN) == "updated"
    # There were newer ones.
    assert story.site.version(PROVEN) == "1.1 installed"


def test_what_cannot_be_had_any_more_is_refused_by_name(story: Story) -> None:
    assert outcome(story.late, GONE) == "refused"
    assert "Version '1.1' for 'hello-web' was not found" in result(story.late, GONE)["reason"]
    assert story.site.version(GONE) == "1.0 installed"
    assert story.site.snapshots(GONE) == {}
