# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the state machine asks of a backend, when, and what becomes of its answers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from vps_emulator.testing import Emulator

WEB = 12345
SERVERS = [{"id": WEB, "name": "web-server-01"}]

Recorded = Callable[..., AbstractContextManager[Emulator]]


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    """Makes emulators whose backend writes its calls to `tmp_path`/calls; their clock is ten times the others'."""
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])

    def make(seed: dict[str, Any] | None = None, **options: Any) -> Emulator:
        arguments = ["--backend=recording_backend:RecordingBackend", f"--backend-option=dir={tmp_path}"]
        options = {"time_scale": 6000, "arguments": arguments, "env": {**os.environ, "PYTHONPATH": path}, **options}
        return Emulator({"servers": SERVERS, **(seed or {})}, **options)

    return make


@pytest.fixture
def calls(tmp_path: Path) -> Callable[[], list[str]]:
    """The backend's calls since the last look."""
    file = tmp_path / "calls"

    def take() -> list[str]:
        lines = file.read_text().splitlines() if file.exists() else []
        file.write_text("")
        return lines

    return take


def test_each_deed_is_asked_of_the_backend_at_its_time(recorded: Recorded, calls: Any, caller: Any, until: Any) -> None:
    with recorded() as emulator:
        api = caller(emulator)
        assert calls() == [f"provision {WEB} True"]
        snapshot = api.snapshot()["id"]
        assert calls() == [f"take {WEB} {snapshot}"], "at the POST: the point in time"
        until(lambda: api.status(snapshot), "completed")
        assert api.snapshots()[0]["size_mb"] == 4, "rounded up"
        api("POST", f"/snapshots/{snapshot}/restore/")
        until(api.server_status, "active")
        assert calls() == [f"stop {WEB} force", f"put_back {WEB} {snapshot}", f"start {WEB}"]
        api("DELETE", f"/snapshots/{snapshot}/")
        assert calls() == [f"discard {WEB} {snapshot}"]
        for action, status, asked in (
            ("stop", "stopped", [f"stop {WEB} gently"]),
            ("start", "active", [f"start {WEB}"]),
            ("restart", "active", [f"stop {WEB} gently", f"start {WEB}"]),
            ("hard_stop", "stopped", [f"stop {WEB} force"]),
        ):
            until(lambda action=action: api.power(action).status_code, 200)
            until(api.server_status, status)
            seen: list[str] = []
            until(lambda seen=seen: seen.extend(calls()) or seen, asked)
    assert calls() == ["close"]


def test_nobody_needs_to_ask_for_what_is_due_to_happen(recorded: Recorded, calls: Any, caller: Any, until: Any) -> None:
    seed = {"snapshots": [{"id": 801, "server_id": WEB, "name": "a"}]}
    with recorded(seed) as emulator:
        caller(emulator)("POST", "/snapshots/801/restore/")
        seen: list[str] = []
        until(lambda: seen.extend(calls()) or seen[-1], f"start {WEB}")
    assert seen == [
        f"provision {WEB} True",
        f"take {WEB} 801",
        f"stop {WEB} force",
        f"put_back {WEB} 801",
        f"start {WEB}",
    ]


def test_a_server_that_powered_itself_off_shows_as_stopped(recorded: Recorded, tmp_path: Path, caller: Any) -> None:
    with recorded() as emulator:
        api = caller(emulator)
        for knows, status in (("yes", "active"), ("no", "stopped"), ("yes", "active")):
            (tmp_path / "running").write_text(knows)
            assert api.server_status() == status
            assert len(api("GET", "/servers/", params={"status": status}).json()["results"]) == 1


def test_a_stop_takes_as_long_as_the_server_runs(
    recorded: Recorded, tmp_path: Path, calls: Any, caller: Any, until: Any
) -> None:
    with recorded() as emulator:
        api = caller(emulator)
        (tmp_path / "running").write_text("yes")
        assert api.power("restart").status_code == 200
        time.sleep(0.3)
        assert (api.server_status(), api.power("start").status_code) == ("active", 400)
        assert f"start {WEB}" not in calls()
        (tmp_path / "running").write_text("no")
        until(calls, [f"start {WEB}"])
        (tmp_path / "running").write_text("yes")
        assert api.power("stop").status_code == 200
        time.sleep(0.3)
        assert (api.server_status(), api.power("stop").status_code) == ("active", 400)
        (tmp_path / "running").write_text("no")
        until(api.server_status, "stopped")


def test_a_copy_that_cannot_be_taken_is_a_failed_snapshot(
    recorded: Recorded, tmp_path: Path, caller: Any, until: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    with recorded() as emulator:
        api = caller(emulator)
        (tmp_path / "fail-take").touch()
        snapshot = api.snapshot()
        assert snapshot["status"] == "in_progress"
        until(lambda: api.status(snapshot["id"]), "failed")
    assert "take was told to fail" in capfd.readouterr().err


def test_a_backend_that_cannot_provision_is_closed_again(recorded: Recorded, tmp_path: Path, calls: Any) -> None:
    (tmp_path / "fail-provision").touch()
    with pytest.raises(RuntimeError, match=r"exit 2\): vps_emulator: provision was told to fail$"), recorded():
        pass
    assert calls() == [f"provision {WEB} True", "close"]


@pytest.mark.parametrize("method", ["stop", "put_back", "start"])
def test_a_restore_that_the_backend_cannot_do_ends_in_error(
    recorded: Recorded, tmp_path: Path, caller: Any, until: Any, method: str
) -> None:
    with recorded({"snapshots": [{"id": 801, "server_id": WEB, "name": "a"}]}) as emulator:
        api = caller(emulator)
        (tmp_path / f"fail-{method}").touch()
        assert api("POST", "/snapshots/801/restore/").status_code == 200
        until(api.server_status, "error")
        (tmp_path / f"fail-{method}").unlink()
        assert api("POST", "/snapshots/801/restore/").status_code == 200
        until(api.server_status, "active")


def test_reset_discards_the_copies_and_makes_those_of_the_seed_anew(
    recorded: Recorded, calls: Any, caller: Any
) -> None:
    with recorded({"snapshots": [{"id": 801, "server_id": WEB, "name": "a"}]}) as emulator:
        snapshot = caller(emulator).snapshot()["id"]
        calls()
        emulator.reset()
        discards = {f"discard {WEB} {snapshot}", f"discard {WEB} 801"}
        seen = calls()
        assert set(seen[:2]) == discards
        assert seen[2:] == [f"provision {WEB} True", f"take {WEB} 801"]


def test_documented_minutes_pass_on_the_emulators_clock(caller: Any, until: Any) -> None:
    with Emulator({"servers": SERVERS, "snapshot_minutes": 10}, time_scale=600) as emulator:
        api = caller(emulator)
        started = time.monotonic()
        snapshot = api.snapshot()["id"]
        until(lambda: api.status(snapshot), "completed")
        assert time.monotonic() - started >= 1.0


def test_a_servers_own_minutes_win(caller: Any, until: Any) -> None:
    servers = [{"id": 1, "name": "slow"}, {"id": 2, "name": "quick", "snapshot_minutes": 0}]
    with Emulator({"servers": servers, "snapshot_minutes": 10**6}) as emulator:
        api = caller(emulator)
        slow, quick = api.snapshot("a", 1)["id"], api.snapshot("a", 2)["id"]
        until(lambda: api.status(quick), "completed")
        assert api.status(slow) == "in_progress"


def test_a_killed_emulator_goes_on_where_it_was(
    recorded: Recorded, tmp_path: Path, calls: Any, caller: Any, until: Any
) -> None:
    db = tmp_path / "kept.sqlite3"
    slow = {"servers": [*SERVERS, {"id": 2, "name": "db"}], "snapshot_minutes": 150, "restore_minutes": 150}
    seed = {**slow, "snapshots": [{"id": 801, "server_id": WEB, "name": "a"}]}
    with recorded(seed, db=db) as emulator:
        api = caller(emulator)
        snapshot = api.snapshot("b", 2)["id"]
        assert api("POST", "/snapshots/801/restore/").status_code == 200
        emulator.process.kill()
    calls()
    with recorded(seed, db=db) as emulator:
        api = caller(emulator)
        until(lambda: api.status(snapshot), "completed")
        until(api.server_status, "active")
    # Nothing is seeded or taken again, and a server that is being restored is not started before that.
    assert calls() == ["provision 2 True", f"provision {WEB} False", f"put_back {WEB} 801", f"start {WEB}", "close"]


def test_what_the_backend_was_doing_when_the_emulator_was_killed(
    recorded: Recorded, tmp_path: Path, calls: Any, caller: Any, until: Any
) -> None:
    db = tmp_path / "kept.sqlite3"
    seed = {"servers": [*SERVERS, {"id": 2, "name": "db"}], "snapshots": [{"id": 801, "server_id": 2, "name": "a"}]}
    hang_take, hang_put_back = tmp_path / "hang-take", tmp_path / "hang-put_back"
    with recorded(seed, db=db) as emulator, ThreadPoolExecutor(1) as pool:
        api = caller(emulator)
        hang_take.touch()
        hang_put_back.touch()
        calls()
        assert api("POST", "/snapshots/801/restore/").status_code == 200
        creating = pool.submit(caller(emulator).snapshot, "half")
        seen: list[str] = []
        until(lambda: seen.extend(calls()) or {"put_back 2 801", f"take {WEB} 802"} <= set(seen), True)
        assert (api.status(802), api.server_status(2)) == ("in_progress", "restoring"), "calls go on being answered"
        emulator.process.kill()
        assert isinstance(creating.exception(), requests.ConnectionError)
    hang_take.unlink()
    hang_put_back.unlink()
    with recorded(seed, db=db) as emulator:
        api = caller(emulator)
        until(lambda: api.status(802), "failed")
        until(lambda: api.server_status(2), "active")


def test_ages_are_of_the_wall_clock(caller: Any) -> None:
    snapshots = [
        {"server_id": WEB, "name": "old", "age": "36h"},
        {"server_id": WEB, "name": "new"},
        {"server_id": WEB, "name": "fixed", "created_at": "2025-01-15T18:30:00Z"},
    ]
    with Emulator({"servers": SERVERS, "snapshots": snapshots}) as emulator:
        created = {each["name"]: each["created_at"] for each in caller(emulator).snapshots()}
    assert created["fixed"] == "2025-01-15T18:30:00Z"
    ages = {name: datetime.now(UTC) - datetime.fromisoformat(text) for name, text in created.items()}
    assert timedelta(0) <= ages["new"] < timedelta(minutes=1)
    assert timedelta(hours=36) <= ages["old"] < timedelta(hours=36, minutes=1)
