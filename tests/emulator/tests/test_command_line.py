# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user meets: the ready line, the options, wrong input, and an end that leaves nothing."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from vps_emulator.testing import Emulator

COMMAND = [sys.executable, "-m", "vps_emulator"]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)


def test_one_line_says_that_it_is_ready_and_a_signal_ends_it_cleanly(tmp_path: Path) -> None:
    environ = {"TMPDIR": str(tmp_path)}
    process = subprocess.Popen([*COMMAND, "--port=0"], stdout=subprocess.PIPE, text=True, env=environ)
    with process:
        line = process.stdout.readline()
        assert re.fullmatch(r"vps_emulator: http://127\.0\.0\.1:\d+/api/v1\n", line)
        url = line.split()[1]
        headers = {"Authorization": "Bearer vps_emulator_token"}
        answer = requests.get(f"{url}/servers/", headers=headers, timeout=30).json()
        assert [(each["id"], each["name"]) for each in answer["results"]] == [
            (12345, "web-server-01"),
            (12346, "db-server-01"),
        ]
        assert list(tmp_path.iterdir()) != []
        process.terminate()
        rest, _none = process.communicate(timeout=30)
    assert (process.returncode, rest) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_the_port_that_is_asked_for_is_taken_or_the_failure_says_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("--port", port)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(rf"vps_emulator: cannot listen on 127.0.0.1 port {port}: Address already in use\n", done.stderr)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--host=0.0.0.0"], "0.0.0.0 is no loopback address"),
        (["--host=example.com"], "example.com is no loopback address"),
        (["--time-scale=0"], "more than 0"),
        (["--time-scale=-1"], "more than 0"),
        (["--time-scale=x"], "invalid"),
        (["--throttle=often"], "no rate like 100/min"),
        (["--backend-option=x"], "not KEY=VALUE"),
        (["--backend=nothing"], "backend 'nothing' is neither"),
        (["--seed=/nowhere.yml"], "No such file"),
    ],
)
def test_a_wrong_option_is_named(arguments: list[str], reason: str) -> None:
    done = run("--port=0", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert reason in done.stderr.splitlines()[-1]


def test_a_database_that_is_none_is_named(tmp_path: Path) -> None:
    file = tmp_path / "x.sqlite3"
    file.write_text("this is no database, but a text that is long enough to be looked at as one")
    done = run("--port=0", "--db", file)
    assert (done.returncode, done.stderr) == (2, f"vps_emulator: {file}: file is not a database\n")


SERVER = {"id": 1, "name": "a"}
WRONG_SEEDS = [
    ("servers: [", "seed {file}: while parsing a flow"),
    ([], "seed: Invalid data. Expected a dictionary"),
    ({"sevrers": []}, "sevrers: Unknown key; known are server_shape"),
    ({"servers": [{"name": "a"}]}, "servers[0].id: This field is required."),
    ({"servers": [SERVER, {**SERVER, "id": "x"}]}, "servers[1].id: A valid integer is required."),
    ({"servers": [{**SERVER, "ip_address": "1.2.3"}]}, "servers[0].ip_address: Enter a valid IPv4 or IPv6 address."),
    ({"servers": [{**SERVER, "plan": 3}]}, "servers[0].plan: A name or a mapping is needed."),
    ({"servers": [SERVER, SERVER]}, "servers: id 1 is there more than once."),
    ({"servers": [SERVER], "snapshots": [{"server_id": 2, "name": "s"}]}, "snapshots[0].server_id: No server 2"),
    ({"servers": [SERVER], "snapshots": [{"server_id": 1, "name": "s", "age": "old"}]}, "snapshots[0].age: "),
    ({"server_shape": "round"}, 'server_shape: "round" is not a valid choice.'),
    ({"tokens": [{"token": "vps_x", "permissions": ["all"]}]}, "tokens[0].permissions[0]: "),
    ({"servers": [{**SERVER, "path": "/"}]}, "path of server 1: / is or holds the home folder"),
]


@pytest.mark.parametrize(("seed", "reason"), WRONG_SEEDS)
def test_a_wrong_seed_gives_one_clear_line(tmp_path: Path, seed: Any, reason: str) -> None:
    file = tmp_path / "seed.yml"
    file.write_text(seed if isinstance(seed, str) else yaml.safe_dump(seed))
    done = run("--port=0", "--seed", file)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert reason.format(file=file) in done.stderr


def test_the_helper_tells_why_an_emulator_did_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(RuntimeError, match=r"exit 2.*sevrers: Unknown key"), Emulator({"sevrers": []}):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_seed_in_the_readme_is_a_right_one(caller: Any) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    seed = yaml.safe_load(text)
    for server in seed["servers"]:
        server.pop("path", None)
    with Emulator(seed) as emulator:
        assert caller(emulator)("GET", "/servers/").json()["count"] == len(seed["servers"])


def test_control_paths_need_no_token_and_know_their_methods(emulator: Emulator) -> None:
    base = emulator.url.removesuffix("/api/v1")
    assert requests.get(f"{base}/_emulator/requests/", timeout=30).json() == []
    assert requests.post(f"{base}/_emulator/requests/", timeout=30).status_code == 405
    assert requests.get(f"{base}/_emulator/reset/", timeout=30).status_code == 405
    assert requests.post(f"{base}/_emulator/faults/", json={"kind": "html"}, timeout=30).status_code == 201
    assert requests.delete(f"{base}/_emulator/faults/", timeout=30).status_code == 204
