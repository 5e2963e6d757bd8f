# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Good updates under every option, at -vvvv, with a token in module_defaults only, and no place for the report."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from .conftest import TOKEN, Run
from .fleet import GOOD, TASKS, Fleet, outcome, own, play, result

GOOD_HOSTS = ("offline", "quiesced", "left", "keeping", "rotating", "leftover", "in-time")
# In place of sudo, which a machine of tests may not have: notes what it is to run, and runs it.
BECOME = """#!/bin/sh
printf '%s\\n' "$*" >>"{log}"
while [ "$1" != /bin/sh ]; do shift; done
exec "$@"
"""


def window(days_from_now: int) -> dict[str, Any]:
    """Open from a midnight on for three days."""
    day = datetime.now(timezone.utc) + timedelta(days=days_from_now)
    return {"days": [f"{day:%A}"], "start": "00:00", "duration": "3d", "timezone": "Etc/UTC"}


@pytest.fixture(scope="module")
def become_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("become") / "log"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, collections_path: Path, become_log: Path) -> Iterator[Fleet]:
    become = become_log.with_name("become")
    become.write_text(BECOME.format(log=become_log))
    become.chmod(become.stat().st_mode | stat.S_IXUSR)
    with Fleet(tmp_path_factory.mktemp("options"), collections_path) as fleet:
        fleet.add("offline", safe_update_offline=True)
        fleet.add(
            "quiesced",
            f"echo update >>journal; env >environment; {GOOD}",
            safe_update_quiesce_tasks=str(TASKS / "quiesce.yml"),
            safe_update_thaw_tasks=str(TASKS / "thaw.yml"),
        )
        fleet.add("left", safe_update_cleanup=False, safe_update_window_end="2099-01-01T00:00:00+02:00")
        fleet.add(
            "keeping",
            snapshots=[own(1), own(2), {"name": "safe-update-29991231T235959Z", "age": "1d"}],
            safe_update_keep=2,
            ansible_become=True,
            ansible_become_exe=str(become),
        )
        fleet.add(
            "rotating",
            snapshots=[{"name": "mine", "age": "200d"}, {"name": "safe-update-", "age": "200d"}]
            + [own(day, id=810 + day) for day in (1, 2, 3)],
            safe_update_on_limit="rotate",
            safe_update_keep=5,
        )
        fleet.add("leftover", snapshots=[own(4, id=804)])
        fleet.add("late", safe_update_window_end="2020-01-01T00:00:00+02:00")
        fleet.add("early", safe_update_window=window(days_from_now=3))
        fleet.add("in-time", safe_update_window=[window(days_from_now=3), window(days_from_now=-1)])
        service = fleet.start()
        service.fault(kind="status", method="DELETE", path="/snapshots/804/", code=403, body={"detail": "Not now."})
        yield fleet


@pytest.fixture(scope="module")
def run(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Run:
    # Not even root can make a folder in a file.
    report = tmp_path_factory.mktemp("report") / "file" / "folder"
    report.parent.write_text("in the way")
    defaults = {"group/vpsdotorg.cloud.vps": {"api_token": TOKEN, "api_url": fleet.service.url}}
    return fleet.run(
        [play(module_defaults=defaults)],
        "-vvvv",
        variables={"safe_update_report_dir": str(report)},
        env={"VPS_API_TOKEN": "", "VPS_API_URL": "", "ANSIBLE_BECOME_ALLOW_SAME_USER": "true"},
    )


@pytest.mark.parametrize("host", GOOD_HOSTS)
def test_host_is_updated_though_its_report_cannot_be_written(fleet: Fleet, run: Run, host: str) -> None:
    assert run.rc == 0
    assert outcome(run, host) == "updated"
    assert fleet.version(host) == "new"


def test_report_that_cannot_be_written_is_a_warning(run: Run) -> None:
    said = run.result("Say what came of it", "quiesced")["msg"]
    assert any("The report could not be written" in line for line in said)


def test_token_of_module_defaults_reaches_the_role_and_never_the_host_or_the_output(fleet: Fleet, run: Run) -> None:
    assert "Change the folder" in run.output
    assert TOKEN not in run.output
    assert "PATH=" in fleet.file("quiesced", "environment")
    assert TOKEN not in fleet.file("quiesced", "environment")


def test_result_is_handed_on_for_every_host(run: Run) -> None:
    assert set(run.custom_stats["safe_update"]) == {*GOOD_HOSTS, "late", "early"}
    found = result(run, "offline")
    assert (found["server_id"], found["reason"], found["check_mode"]) == (101, "", False)
    assert found["snapshot_name"].startswith("safe-update-")
    assert [step["phase"] for step in found["timeline"]] == [
        "begin",
        "preflight",
        "snapshot",
        "update",
        "verify",
        "cleanup",
    ]


def test_offline_snapshot_is_taken_of_a_stopped_server_that_is_started_again(fleet: Fleet, run: Run) -> None:
    power = f"POST /servers/{fleet.hosts['offline']['vps_server_id']}/power/ 200"
    calls = fleet.writes()
    stop, start = (at for at, call in enumerate(calls) if call == power)
    creates = [at for at, call in enumerate(calls) if call == "POST /snapshots/ 201"]
    assert stop < creates[0] < creates[-1] < start
    assert fleet.status("offline") == "active"
    assert outcome(run, "offline") == "updated"
    # Between the two it was seen stopped, not merely told to stop.
    assert run.result("Wait until the API says that it is stopped", "offline")["servers"][0]["status"] == "stopped"


def test_quiesce_and_thaw_stand_around_the_snapshot(fleet: Fleet, run: Run) -> None:
    assert run.rc == 0
    assert fleet.file("quiesced", "journal").split() == ["quiesce", "thaw", "update"]
    order = [event["task"] for event in run.events if event.get("host") == "quiesced" and event["event"] != "skipped"]
    steps = ["Bring the folder to rest", "Start the snapshot", "Wait for the snapshot", "Let the folder work again"]
    assert [order.index(step) for step in steps] == sorted(order.index(step) for step in steps)


def test_snapshot_stays_without_clean_up(fleet: Fleet, run: Run) -> None:
    assert fleet.snapshots("left") == {result(run, "left")["snapshot_name"]: "completed"}


def test_newest_own_snapshots_are_kept_and_later_ones_not_touched(fleet: Fleet, run: Run) -> None:
    assert set(fleet.snapshots("keeping")) == {
        own(2)["name"],
        result(run, "keeping")["snapshot_name"],
        "safe-update-29991231T235959Z",
    }


def test_become_of_the_host_does_not_reach_the_calls_of_the_api(run: Run, become_log: Path) -> None:
    commands = become_log.read_text(encoding="utf-8")
    assert outcome(run, "keeping") == "updated"
    assert "AnsiballZ_ping.py" in commands
    assert "AnsiballZ_vps_" not in commands


def test_rotate_deletes_the_oldest_own_snapshot_first_and_no_other(fleet: Fleet, run: Run) -> None:
    assert set(fleet.snapshots("rotating")) == {
        "mine",
        "safe-update-",
        own(2)["name"],
        own(3)["name"],
        result(run, "rotating")["snapshot_name"],
    }
    calls = fleet.writes()
    assert calls.index("DELETE /snapshots/811/ 204") < calls.index("POST /snapshots/ 201")


def test_failed_clean_up_is_a_warning_that_names_what_is_left(fleet: Fleet, run: Run) -> None:
    assert outcome(run, "leftover") == "updated"
    assert own(4)["name"] in fleet.snapshots("leftover")
    (warning,) = [each for each in result(run, "leftover")["warnings"] if "clean-up" in each]
    assert own(4)["name"] in warning
    assert "Not now." in warning


def test_host_outside_of_its_windows_is_postponed(fleet: Fleet, run: Run) -> None:
    assert outcome(run, "early") == "postponed"
    assert fleet.version("early") == "old"
    (day,) = fleet.hosts["early"]["safe_update_window"]["days"]
    assert f"The next one begins on {day[:3]} 20" in result(run, "early")["message"]


def test_host_whose_window_closes_is_postponed(fleet: Fleet, run: Run) -> None:
    assert outcome(run, "late") == "postponed"
    assert fleet.version("late") == "old"
    assert fleet.snapshots("late") == {}
    assert "2020-01-01T00:00:00+02:00" in result(run, "late")["message"]
