# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdict on lives.py: no good update fails, no broken server passes. docs/verdict.md has the table.

WRITE_FIGURES=1 writes the figures of the run into it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ..playbooks.conftest import Run
from ..playbooks.fleet import outcome, result
from . import lives
from .site import Site

PAGE = Path(__file__).parents[2] / "docs/verdict.md"
# A kernel of the machine's own kind, and a newer one: a restart is due after the update.
KERNELS = lives.Life(
    "a newer kernel is installed",
    "mkdir -p /boot; touch /boot/vmlinuz-$(uname -r)",
    "touch /boot/vmlinuz-99.$(uname -r)",
)


@dataclass(frozen=True)
class Server:
    """What is there on a server, what the update does to it, and the right outcome."""

    begin: Iterable[lives.Life]
    then: Iterable[lives.Life]
    outcome: str
    variables: Mapping[str, Any] = field(default_factory=dict)


BACK: dict[str, Any] = {"safe_update_on_failure": "rollback"}
NOW = {"safe_update_soak": 24, "safe_update_soak_interval": 12, "safe_update_allow_removals": ["obsolete"]}
ONCE = {"safe_update_soak": 30, "safe_update_soak_interval": 30}
# Both preflights look, and the verification does; at the first look after that it is late.
LATER = "echo >>/root/looks; test $(wc -l </root/looks) -ne 4 || touch /run/late"
BREAKS = {**NOW, "safe_update_checks": [{"command": ["sh", "-c", LATER], "retries": 0}]}
STAYING = [life for life in lives.GOOD if life.stays]
CRASH = [life for life in lives.CRASHES if "crash8" in life.begin]
SERVERS = {
    "web1": Server(lives.GOOD, lives.GOOD, "updated", {**NOW, "safe_update_reboot": "never"}),
    "web2": Server([*STAYING, KERNELS], [*STAYING, KERNELS], "updated", NOW),
    "web3": Server(lives.BAD, lives.BAD, "kept"),
    # Ordinary lives go on on a server that is restored; what they begin with is not always there after a boot.
    "web4": Server([*STAYING, *lives.BAD], lives.BAD, "rolled_back", BACK),
    "web5": Server(lives.CRASHES, lives.CRASHES, "rolled_back", {**BACK, **ONCE}),
    "web6": Server(lives.RESTARTS, lives.RESTARTS, "kept", BREAKS),
    # Now and then it runs: whoever checks it at the right moment is content.
    "web7": Server(
        CRASH, CRASH, "kept", {**NOW, "safe_update_checks": [{"service": "crash8", "retries": 9, "delay": 1}]}
    ),
    "web8": Server(CRASH, CRASH, "updated", {**NOW, "safe_update_compare_ignore": ["service crash*"]}),
    "web9": Server(lives.LATE, lives.LATE, "rolled_back", {**BACK, **BREAKS}),
}


@pytest.fixture(scope="module")
def run(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("lives")
    tasks = folder / "live.yml"
    command = {"argv": ["sh", "-s"], "stdin": "{{ lookup('ansible.builtin.file', life) }}"}
    tasks.write_text(json.dumps([{"name": "Live", "ansible.builtin.command": command}]), encoding="utf-8")
    for name, server in SERVERS.items():
        (folder / f"{name}.sh").write_text(lives.script(life.then for life in server.then), encoding="utf-8")
        site.hosts[name] = {
            "safe_update_checks": [],
            "safe_update_timeout": 240,
            "safe_update_connection_timeout": 60,
            **server.variables,
            "safe_update_tasks": str(tasks),
            "life": str(folder / f"{name}.sh"),
        }
    site.each(lambda name: begin(site, name))
    return site.run(variables={"safe_update_report_dir": str(folder / "report")})


def begin(site: Site, name: str) -> None:
    """Bring a server to where its life begins."""
    script = lives.script(life.begin for life in SERVERS[name].begin)
    site.lab.ssh(name, f"cat >/root/begin <<'END OF LIFE'\n{script}\nEND OF LIFE\n")
    site.lab.ssh(name, "sh /root/begin", timeout=240)


@pytest.mark.parametrize("name", SERVERS)
def test_outcome(run: Run, name: str) -> None:
    assert outcome(run, name) == SERVERS[name].outcome, result(run, name)["reason"]


@pytest.mark.parametrize("life", [life for life in lives.GOOD if life.says], ids=lambda life: life.name)
def test_what_differs_is_named(run: Run, life: lives.Life) -> None:
    assert life.says in "; ".join(result(run, "web1")["differences"])
    assert life.says in " ".join(result(run, "web1")["warnings"])


@pytest.mark.parametrize("name", ["web3", "web4"])
@pytest.mark.parametrize("life", lives.BAD, ids=lambda life: life.name)
def test_broken_server_is_caught(run: Run, life: lives.Life, name: str) -> None:
    assert result(run, name)["failed_phase"] == "verify"
    assert life.says in result(run, name)["reason"]


@pytest.mark.parametrize(
    ("name", "life"),
    [
        *(("web5", life) for life in lives.CRASHES),
        *(("web9", life) for life in lives.LATE),
        *(("web6", life) for life in lives.RESTARTS),
        *(("web7", life) for life in CRASH),
    ],
    ids=lambda each: getattr(each, "name", each),
)
def test_server_that_breaks_later_is_caught(run: Run, name: str, life: lives.Life) -> None:
    assert life.says in result(run, name)["reason"]
    assert "safe_update_soak" in result(run, name)["reason"]


def test_a_newer_kernel_is_started_if_it_may_be(run: Run) -> None:
    assert result(run, "web2")["rebooted"]
    # This machine starts the kernel of its own choice: the restart stays due, and is said to be.
    assert result(run, "web2")["restart_due"]
    assert "it runs an older kernel than 99." in result(run, "web2")["message"]


def test_figures_are_those_of_the_page(run: Run) -> None:
    """What docs/verdict.md says of these runs is what they were."""
    reasons = {name: result(run, name)["reason"] for name in SERVERS}
    broken = {"web3": lives.BAD, "web5": lives.CRASHES, "web6": lives.RESTARTS, "web9": lives.LATE}
    caught = [life.says in reasons[name] for name, table in broken.items() for life in table]
    named = [life.says in "; ".join(result(run, "web1")["differences"]) for life in lives.GOOD if life.says]
    failed = [name for name in ("web1", "web2") if outcome(run, name) != "updated"]
    restored = [outcome(run, name) for name, server in SERVERS.items() if server.outcome == "rolled_back"]
    rows = {
        "ordinary lives on one server": f"{len(lives.GOOD)}",
        "of these on a server that is restarted too": f"{len(STAYING)}",
        "good updates called bad": f"{len(failed)}",
        "differences to be named, and named": f"{len(named)}, {sum(named)}",
        "broken lives, and caught": f"{len(caught)}, {sum(caught)}",
        "restores, and `rolled_back`": f"{len(restored)}, {restored.count('rolled_back')}",
    }
    figures = "".join(f"| {what} | {number} |\n" for what, number in {"what": "figure", "---": "---", **rows}.items())
    page = PAGE.read_text(encoding="utf-8")
    if os.environ.get("WRITE_FIGURES"):
        page = re.sub(r"(?<=<!-- figures -->\n).*(?=<!-- end -->)", figures, page, flags=re.DOTALL)
        PAGE.write_text(page, encoding="utf-8")
    assert figures in page
