# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A wait is never silent: lines at default verbosity, in playbooks and ad hoc."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

SERVERS = {"servers": [{"id": 1, "name": "web-1"}, {"id": 2, "name": "web-2"}]}
HOSTS = {"all": {"hosts": {"web-1": {"vps_server_id": 1}, "web-2": {"vps_server_id": 2}}}}
# A snapshot takes 5 s at this scale, so that there is something to tell.
SLOW = 60
LINE = r"\[{host}\] {what}: {status} after \d+ s, usually {usual}, given up after \d+ min \d\d s"


def play(module: str, **options: Any) -> list[dict[str, Any]]:
    """A play that runs a module for each host, on the controller."""
    task = {"name": "Wait", f"vpsdotorg.cloud.{module}": {"server_id": "{{ vps_server_id }}", **options}}
    return [{"hosts": "all", "gather_facts": False, "tasks": [{**task, "delegate_to": "localhost"}]}]


@pytest.mark.smoke
def test_every_host_tells_how_its_wait_stands(serve: Any, run_playbook: Any) -> None:
    run = run_playbook(
        play("vps_snapshot", name="x", progress_interval=1), service=serve(SERVERS, time_scale=SLOW), inventory=HOSTS
    )
    assert run.rc == 0, run.output
    for host, number in (("web-1", 1), ("web-2", 2)):
        what = f"Snapshot x of server {number}"
        line = LINE.format(host=host, what=what, status="in_progress", usual="3 to 10 min")
        assert len(re.findall(line, run.stdout)) >= 2, run.output


def test_a_restore_tells_too(serve: Any, run_playbook: Any) -> None:
    seed = {**SERVERS, "snapshots": [{"server_id": 1, "name": "x", "status": "completed", "age": "1d"}]}
    run = run_playbook(
        play("vps_snapshot_restore", name="x", progress_interval=1),
        "--limit=web-1",
        service=serve(seed, time_scale=2 * SLOW),
        inventory=HOSTS,
    )
    line = LINE.format(host="web-1", what="The restore of server 1", status="restoring", usual="5 to 15 min")
    assert re.search(line, run.stdout), run.output


def test_an_ad_hoc_call_tells_too(serve: Any, controller: Any) -> None:
    module = ["ansible", "localhost", "-m", "vpsdotorg.cloud.vps_snapshot", "-a", "server_id=1 name=x"]
    run = controller.run(*module, service=serve(SERVERS, time_scale=SLOW), env={"VPS_PROGRESS_INTERVAL": "1"})
    assert re.search(r"\[localhost\] Snapshot x of server 1: in_progress", run.stdout), run.output


@pytest.mark.parametrize(
    ("options", "task"), [({"progress_interval": 0}, {}), ({"progress_interval": 1}, {"async": 60, "poll": 1})]
)
def test_lines_are_off_by_one_option_and_in_the_background(
    serve: Any, run_playbook: Any, tmp_path: Path, options: dict, task: dict
) -> None:
    plays = play("vps_snapshot", name="x", **options)
    plays[0]["tasks"][0].update(task)
    run = run_playbook(
        plays,
        "--limit=web-1",
        service=serve(SERVERS, time_scale=3 * SLOW),
        inventory=HOSTS,
        # Ansible would look for the job in the real home, and the module has another one here.
        env={"ANSIBLE_ASYNC_DIR": str(tmp_path)},
    )
    assert run.rc == 0, run.output
    assert run.result("Wait")["changed"]
    assert "in_progress after" not in run.output


def test_no_line_shows_the_token(serve: Any, run_playbook: Any) -> None:
    service = serve(SERVERS, time_scale=SLOW)
    run = run_playbook(
        play("vps_snapshot", name=f"x-{service.token}", progress_interval=1),
        "--limit=web-1",
        service=service,
        inventory=HOSTS,
    )
    assert "name contains the API token" in run.output
    assert service.requests() == []
    assert service.token not in run.output
