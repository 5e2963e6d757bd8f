# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shows each phase of each host on the terminal as it begins, while Ansible's own output goes to a file."""

from __future__ import annotations

import os
import textwrap
import time
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: vps_demo
type: aggregate
short_description: Show the phases of the hosts
description:
  - Shows each phase of each host as it begins, for the demonstration.
options:
  terminal:
    description: The number of the open file to write to.
    type: int
    required: true
    env:
      - name: VPS_DEMO_TERMINAL
"""

PHASES = {
    "preflight": "healthy? a slot free? anything to do?",
    "snapshot": "taken, and completed, before anything changes",
    "update": "to release 2",
    "verify": "does the service still answer?",
    "evidence": "it does not: note what the update has changed",
    "rollback": "restore the snapshot, wait, check again",
    "cleanup": "delete the snapshot, it is not needed any more",
}
WIDTH = 80


class CallbackModule(CallbackBase):
    """A line per phase; at the end of a host its outcome and the reason."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "vps_demo"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._began = time.monotonic()

    def v2_playbook_on_include(self, included_file: Any) -> None:
        file = Path(included_file._filename)
        if file.parent.name == "phases" and file.stem in PHASES:
            for host in included_file._hosts:
                self._show(host.get_name(), file.stem, PHASES[file.stem])

    def v2_runner_on_ok(self, result: Any) -> None:
        # ansible-core 2.16 knows only the names with the underscore.
        returned = getattr(result, "result", None) or result._result
        stats = returned.get("ansible_stats") or {}
        for host, found in stats.get("data", {}).get("safe_update", {}).items():
            if found["outcome"]:
                self._show(host, found["outcome"].upper(), found["reason"] or "")

    def _show(self, host: str, what: str, text: str) -> None:
        head = f"{time.monotonic() - self._began:5.1f} s  {host}  {what:<12} "
        lines = textwrap.wrap(text, WIDTH - len(head), break_on_hyphens=False, max_lines=4, placeholder=" ...") or [""]
        shown = ("\n" + " " * len(head)).join(lines).rstrip()
        os.write(self.get_option("terminal"), f"{head}{shown}\n".encode())
