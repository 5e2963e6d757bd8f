# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook assess: what is pending on hosts that nobody touches, whatever keeps an update from them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run
from .fleet import NETWORK, Fleet, own
from .test_safe_update_check_mode import HELLO, LIBNEW, NOTHING, OPENSSL, SIMULATED

# Any call but a question leaves a trace.
APT_GET = """\
#!/bin/sh
[ "$1" = --simulate ] && exec cat "${0%/*}/said"
[ "$1" = --print-uris ] && exit 0
echo "$*" >>"${0%/*}/called"
"""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, collections_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path_factory.mktemp("assess"), collections_path) as fleet:
        full = [own(day) for day in range(1, 6)]
        built_in = {"safe_update_tasks": None}
        fleet.add("behind", **built_in)
        fleet.add("hindered", version="broken", snapshots=full, **built_in, safe_update_keeep=1)
        fleet.add("current", **built_in)
        fleet.add("own-tasks")
        fleet.add("silent", network="down", **NETWORK)
        fleet.add("serverless", **built_in)
        fleet.hosts["serverless"]["vps_server_id"] = None
        fleet.add("broken")
        for name, variables in fleet.hosts.items():
            tools = Path(variables["folder"], "bin")
            tools.mkdir()
            (tools / "said").write_text(NOTHING if name == "current" else SIMULATED)
            for tool, text in {
                "apt-get": APT_GET,
                "python": f'#!/bin/sh\nPATH="{tools}:$PATH" exec {sys.executable} "$@"\n',
            }.items():
                (tools / tool).write_text(text)
                (tools / tool).chmod(0o755)
            variables["ansible_python_interpreter"] = str(tools / "python")
        fleet.hosts["broken"]["ansible_connection"] = "{{ nowhere }}"
        fleet.start()
        yield fleet


@pytest.fixture(scope="module")
def run(fleet: Fleet) -> Run:
    return fleet.run("vpsdotorg.cloud.assess", variables={"assess_report_dir": "reports"})


def rows(run: Run) -> dict[str, list[str]]:
    """The table, by host."""
    table = run.result("Show what is pending", host="behind")["msg"]
    return {line.split()[0]: line.split()[1:] for line in table}


def test_nothing_is_touched(fleet: Fleet, run: Run) -> None:
    assert run.custom_stats == {}
    assert fleet.writes() == []
    assert all(stats["changed"] == 0 for stats in run.stats.values())
    for name, variables in fleet.hosts.items():
        assert not Path(variables["folder"], "bin", "called").exists(), name
        assert fleet.version(name) == ("broken" if name == "hindered" else "old")


def test_only_a_host_whose_variables_are_broken_fails(run: Run) -> None:
    assert [name for name, stats in run.stats.items() if stats["failures"]] == ["broken"]
    assert {name: stats["unreachable"] for name, stats in run.stats.items() if stats["unreachable"]} == {}


def test_the_table(run: Run) -> None:
    table = rows(run)
    assert table["behind"][:6] == ["security", "3", "1", "-", "0/5", table["behind"][5]]
    assert table["silent"] == ["no", "answer", "?", "?", "?", "0/5", "?"]
    assert table["broken"] == ["unknown", "?", "?", "?", "?", "?"]
    assert "current" not in table


@pytest.mark.parametrize("host", ["behind", "hindered", "own-tasks", "serverless"])
def test_what_is_pending_is_known_whatever_hinders_an_update(report: dict[str, Any], host: str) -> None:
    assert report["hosts"][host]["pending"] == [HELLO, OPENSSL, LIBNEW]
    assert report["hosts"][host]["security"] == ["openssl"]


def test_why_an_update_would_be_refused(report: dict[str, Any]) -> None:
    reasons = {name: host["refusals"] for name, host in report["hosts"].items() if host["refusals"]}
    assert sorted(reasons) == ["hindered", "serverless", "silent"]
    unknown, full, unhealthy = reasons["hindered"]
    assert "did you mean safe_update_keep?" in unknown
    assert "All 5 slots" in full
    assert "Check the version" in unhealthy
    assert "has no server id" in reasons["serverless"][0]
    assert "does not answer" in reasons["silent"][0]


def test_what_else_is_known_of_a_host(report: dict[str, Any]) -> None:
    host = report["hosts"]["current"]
    assert host["state"] == "current"
    assert host["kernel"]["running"]
    assert host["room"]["/"] > 0
    assert host["slots_used"] == 0
    assert report["hosts"]["serverless"]["slots_used"] is None


def test_the_page_and_the_markdown(fleet: Fleet) -> None:
    folder = fleet.controller.folder / "reports"
    page = (folder / "assess.html").read_text(encoding="utf-8")
    assert "<h1>Assessment</h1>" in page
    assert "<summary>What is pending</summary>" in page
    assert "| behind | security | 3 | 1 |" in (folder / "assess.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def report(fleet: Fleet, run: Run) -> dict[str, Any]:
    assert run.stats
    return json.loads((fleet.controller.folder / "reports/assess.json").read_text(encoding="utf-8"))
