# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdict on lives.py: no good update fails, no broken server passes. docs/verdict.md has the table."""

from __future__ import annotations

import json

import pytest

from ..playbooks.conftest import Run
from ..playbooks.fleet import outcome, result
from . import lives
from .site import Site

# The server and what happens on it; each outcome below is the right one.
SERVERS = {
    "web1": (lives.GOOD, {}),
    "web2": (lives.GOOD, {"safe_update_reboot": "always"}),
    "web3": (lives.BAD, {}),
    "web4": (lives.BAD, {"safe_update_on_failure": "rollback"}),
    "web5": (lives.LATE, {"safe_update_on_failure": "rollback"}),
}
SOAK = {"safe_update_soak": 30, "safe_update_soak_interval": 5, "safe_update_checks": []}


@pytest.fixture(scope="module")
def run(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("lives")
    tasks = folder / "live.yml"
    command = {"argv": ["sh", "-s"], "stdin": "{{ lookup('ansible.builtin.file', life) }}"}
    tasks.write_text(json.dumps([{"name": "Live", "ansible.builtin.command": command}]), encoding="utf-8")
    for name, (table, variables) in SERVERS.items():
        (folder / f"{name}.sh").write_text(lives.script(life.then for life in table), encoding="utf-8")
        site.hosts[name] = {**variables, "safe_update_tasks": str(tasks), "life": str(folder / f"{name}.sh")}
    site.each(lambda name: begin(site, name))
    return site.run(variables=SOAK)


def begin(site: Site, name: str) -> None:
    """Bring a server to where its life begins."""
    script = lives.script(life.begin for life in SERVERS[name][0])
    site.lab.ssh(name, f"cat >/root/begin <<'END OF LIFE'\n{script}\nEND OF LIFE\n")
    site.lab.ssh(name, "sh /root/begin")


@pytest.mark.parametrize("name", ["web1", "web2"])
def test_a_good_update_is_updated(run: Run, name: str) -> None:
    assert outcome(run, name) == "updated", result(run, name)["reason"]


@pytest.mark.parametrize("life", [life for life in lives.GOOD if life.says], ids=lambda life: life.name)
def test_what_differs_is_named(run: Run, life: lives.Life) -> None:
    assert life.says in "; ".join(result(run, "web1")["differences"])
    assert life.says in " ".join(result(run, "web1")["warnings"])


def test_broken_server_is_kept(run: Run) -> None:
    assert outcome(run, "web3") == "kept"
    assert result(run, "web3")["failed_phase"] == "verify"


@pytest.mark.parametrize("life", lives.BAD, ids=lambda life: life.name)
def test_broken_server_is_caught(run: Run, life: lives.Life) -> None:
    assert life.says in result(run, "web3")["reason"]


@pytest.mark.parametrize("name", ["web4", "web5"])
def test_broken_server_is_rolled_back(run: Run, name: str) -> None:
    assert outcome(run, name) == "rolled_back", result(run, name)["reason"]


@pytest.mark.parametrize("life", lives.LATE, ids=lambda life: life.name)
def test_server_that_breaks_later_is_caught(run: Run, life: lives.Life) -> None:
    assert life.says in result(run, "web5")["reason"]
