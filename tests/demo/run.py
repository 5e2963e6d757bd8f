# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The main job, shown on two servers that are folders: a good update, and a bad one that is rolled back."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from vps_emulator.testing import Emulator

HERE = Path(__file__).resolve().parent
REPORT = HERE.parent / "output" / "demo"
LOG = REPORT / "ansible.log"
# What stands before the programs of this machine, as its packages and locks are not the servers'.
PROGRAMS = HERE.parent / "utils" / "bare_host"
# A documented minute passes in a tenth of a second.
TIME_SCALE = 600
# Set for something else, these would configure Ansible or the collection; and a proxy cannot reach a loopback address.
FOREIGN = re.compile(r"(ANSIBLE_(?!COLLECTIONS_PATH$)|VPS_).*|(.+_)?proxy|LANG|LC_.*", re.IGNORECASE)
OPENING = """\
Two servers, each a folder that the emulated service really copies and restores.
Both are updated to release 2, web-1 first. The update of web-2 forgets a
program: its service does not start any more, and the server is restored.
"""


def main() -> int:
    """Return 0 if the story went as it is told."""
    print(OPENING, flush=True)
    shutil.rmtree(REPORT, ignore_errors=True)
    REPORT.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="vps-demo-") as scratch:
        servers = {name: Path(scratch, name) for name in ("web-1", "web-2")}
        for folder in servers.values():
            shutil.copytree(HERE / "server", folder)
        before = {name: contents(folder) for name, folder in servers.items()}
        with Emulator(seed(servers), time_scale=TIME_SCALE) as service:
            status = roll_out(service, Path(scratch), servers)
            calls = [(call["method"], call["path"]) for call in service.writes()]
        after = {name: contents(folder) for name, folder in servers.items()}

    changes = {name: differences(before[name], after[name]) for name in servers}
    print(f"\n{'file by file':<24}{'web-1, updated':<24}web-2, restored")
    for file in changes["web-1"]:
        print(f"  {file:<22}{changes['web-1'][file]:<24}{changes['web-2'][file]}")

    report = REPORT / "report.json"
    hosts = json.loads(report.read_text(encoding="utf-8"))["hosts"] if report.exists() else {}
    outcomes = {host: result["outcome"] for host, result in hosts.items()}
    as_told = (
        outcomes == {"web-1": "updated", "web-2": "rolled_back"}
        and status != 0
        and after["web-1"] != before["web-1"]
        and after["web-2"] == before["web-2"]
    )
    if not as_told:
        print(f"\nNOT as it should be: {outcomes or 'no outcome'}, exit status {status}.\nLog     {LOG.as_uri()}")
        return 1
    print(
        f"""
web-1   updated, the check passed, its snapshot is deleted.
web-2   restored: each of its {len(after["web-2"])} files is, byte for byte, what it was.
API     {count(calls)}.
Report  {(REPORT / "report.html").as_uri()}
Log     {LOG.as_uri()}
Next    make lab: the same with real servers that can die."""
    )
    return 0


def seed(servers: dict[str, Path]) -> dict:
    """What the emulator starts with."""
    return {
        "servers": [
            {"id": number, "name": name, "ip_address": f"203.0.113.{number}", "path": str(folder)}
            for number, (name, folder) in enumerate(servers.items(), start=1)
        ]
    }


def roll_out(service: Emulator, scratch: Path, servers: dict[str, Path]) -> int:
    """Run the collection's own playbook; return its exit status."""
    inventory = {
        "all": {
            "vars": {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"},
            "hosts": {
                name: {"vps_server_id": number, "folder": str(folder), "forgets_program": name == "web-2"}
                for number, (name, folder) in enumerate(servers.items(), start=1)
            },
        }
    }
    variables = {
        "safe_update_tasks": str(HERE / "update.yml"),
        "safe_update_checks": [
            {
                "command": f"{shlex.quote(sys.executable)} {{{{ (folder ~ '/app.py') | quote }}}}",
                "retries": 1,
                "delay": 1,
            }
        ],
        "safe_update_on_failure": "rollback",
        # These servers have no services, ports and mounts of their own.
        "safe_update_compare": False,
        "safe_update_soak": 0,
        "safe_update_report_dir": str(REPORT),
        # The emulator's minutes are short.
        "__safe_update_pace": {
            "poll": 1,
            "job_poll": 5,
            "restore_tries": 8,
            "compare_tries": 20,
            "alive_interval": 15,
            "managers": [],
            "begun": "{{ folder }}/.begun",
        },
    }
    files = {"inventory.yml": inventory, "variables.yml": variables}
    for name, content in files.items():
        Path(scratch, name).write_text(json.dumps(content), encoding="utf-8")
    terminal = os.dup(sys.stdout.fileno())
    environment = {
        **{name: value for name, value in os.environ.items() if not FOREIGN.fullmatch(name)},
        **service.environ,
        "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
        "ANSIBLE_CALLBACKS_ENABLED": "vps_demo",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "HOME": str(scratch),
        # Ansible insists on UTF-8.
        "LC_ALL": "C.UTF-8",
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
        "VPS_DEMO_TERMINAL": str(terminal),
    }
    command = ["ansible-playbook", "vpsdotorg.cloud.safe_update", "-i", "inventory.yml", "-e", "@variables.yml"]
    with LOG.open("w", encoding="utf-8") as log:
        done = subprocess.run(
            command, cwd=scratch, env=environment, check=False, stdout=log, stderr=log, pass_fds=(terminal,)
        )
    os.close(terminal)
    return done.returncode


def contents(folder: Path) -> dict[str, str]:
    """Map each file of a folder to its hash."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def differences(before: dict[str, str], after: dict[str, str]) -> dict[str, str]:
    """Say of each file what became of it."""
    said = {}
    for name in sorted(before | after):
        if before.get(name) == after.get(name):
            said[name] = "as before"
        else:
            said[name] = "gone" if name not in after else "new" if name not in before else "changed"
    return said


def count(calls: list[tuple[str, str]]) -> str:
    """Say in one line what the API was asked to change."""
    kinds = {
        "snapshots made": [path for method, path in calls if method == "POST" and path.endswith("/snapshots/")],
        "restored": [path for method, path in calls if path.endswith("/restore/")],
        "deleted": [path for method, path in calls if method == "DELETE"],
    }
    return ", ".join(f"{len(paths)} {kind}" for kind, paths in kinds.items())


if __name__ == "__main__":
    sys.exit(main())
