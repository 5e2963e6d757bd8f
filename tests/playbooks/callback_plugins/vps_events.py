# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes each result of a run as a line of JSON, beside the output that users see."""

from __future__ import annotations

import json
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: vps_events
type: aggregate
short_description: Write results as lines of JSON
description:
  - Writes each result of a run as a line of JSON, for tests.
options:
  path:
    description: The file to write to.
    type: path
    required: true
    env:
      - name: VPS_TESTS_EVENTS
"""


class CallbackModule(CallbackBase):
    """Every event is `event`, `host`, `task`, `result`, and `ignored` where a failure was; the last one is `stats`."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "vps_events"

    def v2_runner_on_ok(self, result: Any) -> None:
        self._result("ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._result("failed", result, ignored=ignore_errors)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._result("unreachable", result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._result("skipped", result)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        hosts = {host: stats.summarize(host) for host in stats.processed}
        self._write({"event": "stats", "hosts": hosts, "custom": self._plain(stats.custom)})

    def _result(self, event: str, result: Any, **more: Any) -> None:
        # ansible-core 2.16 knows only the names with the underscore, which 2.23 will deprecate.
        task, host, returned = (
            getattr(result, name, None) or getattr(result, f"_{name}") for name in ("task", "host", "result")
        )
        self._write(
            {
                "event": event,
                "host": host.get_name(),
                "task": task.get_name().split(" : ")[-1],
                "result": {**self._plain(returned), **self._left_out(returned)},
                **more,
            }
        )

    def _plain(self, value: Any) -> Any:
        """The value as JSON has it, by Ansible's own encoder for results."""
        return json.loads(self._dump_results(value, keep_invocation=True))

    def _left_out(self, returned: Any) -> dict[str, Any]:
        """What Ansible's encoder drops because it is shown elsewhere."""
        return {
            key: json.loads(json.dumps(returned[key], default=str)) for key in ("diff", "warnings") if key in returned
        }

    def _write(self, event: dict[str, Any]) -> None:
        with open(self.get_option("path"), "a", encoding="utf-8") as file:  # noqa: PTH123
            file.write(json.dumps(event) + "\n")
