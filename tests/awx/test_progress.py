# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWX shows a job's events while it runs: what a wait tells is among them, before the wait is over."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from vps_emulator.testing import Emulator

from ..playbooks.conftest import TOKEN

PLAY = {
    "hosts": "localhost",
    "gather_facts": False,
    "tasks": [{"vpsdotorg.cloud.vps_snapshot": {"server_id": 1, "name": "x", "progress_interval": 1}}],
}


def test_lines_of_a_wait_are_events(tmp_path: Path, collections_path: Path) -> None:
    for name in ("project", "env"):
        (tmp_path / name).mkdir()
    (tmp_path / "project" / "play.yml").write_text(json.dumps([PLAY]))
    (tmp_path / "env" / "settings").write_text(json.dumps({"suppress_ansible_output": True}))
    # A snapshot takes 5 s at this scale.
    with Emulator({"servers": [{"id": 1, "name": "web"}]}, token=TOKEN, time_scale=60) as service:
        environment = {"ANSIBLE_COLLECTIONS_PATH": str(collections_path), **service.environ}
        (tmp_path / "env" / "envvars").write_text(json.dumps(environment))
        runner = Path(sys.executable).with_name("ansible-runner")
        command = [str(runner), "run", str(tmp_path), "--playbook", "play.yml", "--ident", "1"]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
    files = (tmp_path / "artifacts" / "1" / "job_events").glob("*.json")
    events = sorted((json.loads(file.read_text()) for file in files), key=lambda event: event["counter"])
    told = [event["counter"] for event in events if "Snapshot x of server 1: in_progress" in event["stdout"]]
    (done,) = (event["counter"] for event in events if event["event"] == "runner_on_ok")
    assert len(told) >= 2, events
    assert max(told) < done
