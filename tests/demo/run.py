# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The main job, shown on two servers that are folders: a good update, and a bad one that is rolled back."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from vps_emulator.testing import Emulator

HERE = Path(__file__).resolve().parent
REPORT = HERE.parent / "output" / "demo"
# A documented minute passes in a tenth of a second.
TIME_SCALE = 600


def main() -> int:
    """Return 0 if the story went as it is told."""
    with tempfile.TemporaryDirectory(prefix="vps-demo-") as scratch:
        servers = {name: Path(scratch, name) for name in ("web-1", "web-2")}
        for folder in servers.values():
            shutil.copytree(HERE / "server", folder)
        before = {name: contents(folder) for name, folder in servers.items()}
        tell("Two servers, each a folder that the emulator really copies and puts back.", *before["web-1"])
        with Emulator(seed(servers), time_scale=TIME_SCALE) as service:
            tell("Update both; web-1 is the canary. The update of web-2 breaks its service.")
            status = roll_out(service, Path(scratch), servers)
            calls = [f"{call['method']} {call['path']} -> {call['status']}" for call in service.writes()]
        after = {name: contents(folder) for name, folder in servers.items()}

    tell("What the API was asked to change:", *calls)
    tell("web-1, updated:", *differences(before["web-1"], after["web-1"]))
    tell("web-2, rolled back, file by file:", *differences(before["web-2"], after["web-2"]))
    tell(f"The report lies in {os.path.relpath(REPORT)}/report.html")
    outcomes = {
        host: result["outcome"] for host, result in json.loads((REPORT / "report.json").read_text())["hosts"].items()
    }
    as_told = (
        outcomes == {"web-1": "updated", "web-2": "rolled_back"}
        and status != 0
        and after["web-1"] != before["web-1"]
        and after["web-2"] == before["web-2"]
    )
    tell("All as it should be." if as_told else f"NOT as it should be: {outcomes}, exit status {status}")
    return 0 if as_told else 1


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
        "safe_update_checks": [{"command": f"{sys.executable} {{{{ folder }}}}/app.py", "retries": 1, "delay": 1}],
        "safe_update_on_failure": "rollback",
        # These servers have no services, ports and mounts of their own.
        "safe_update_compare": False,
        "safe_update_report_dir": str(REPORT),
        # The emulator's minutes are short.
        "__safe_update_poll": 1,
    }
    files = {"inventory.yml": inventory, "variables.yml": variables}
    for name, content in files.items():
        Path(scratch, name).write_text(json.dumps(content))
    environment = {
        **os.environ,
        **service.environ,
        "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "HOME": str(scratch),
    }
    command = ["ansible-playbook", "vpsdotorg.cloud.safe_update", "-i", "inventory.yml", "-e", "@variables.yml"]
    return subprocess.run(command, cwd=scratch, env=environment, check=False).returncode


def contents(folder: Path) -> dict[str, str]:
    """Map each file of a folder to the beginning of its hash."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()[:12]
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Say of each file what became of it."""
    said = []
    for name in sorted(before | after):
        if before.get(name) == after.get(name):
            what = "as before"
        else:
            what = "gone" if name not in after else "new" if name not in before else "changed"
        said.append(f"{name}: {what}")
    return said


def tell(headline: str, *lines: str) -> None:
    """Print a part of the story."""
    print(f"\n=== {headline}", *(f"      {line}" for line in lines), sep="\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
