# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""Runs a module that may wait for minutes, and tells every few seconds how the wait stands."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._progress import FILE_VARIABLE, line

OPTION, VARIABLE, DEFAULT_INTERVAL = "progress_interval", "VPS_PROGRESS_INTERVAL", 20.0


class WaitingAction(ActionBase):
    """The action behind every module that can wait; the module does all the work."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        with self._telling((task_vars or {}).get("inventory_hostname", "localhost")):
            result.update(self._execute_module(task_vars=task_vars, wrap_async=bool(self._task.async_val)))
        return result

    @contextmanager
    def _telling(self, host: str) -> Iterator[None]:
        """While inside, display a line every few seconds, unless that is turned off or there is no wait to watch."""
        interval = self._interval()
        if not interval or self._task.async_val or self._task.check_mode:
            yield
            return
        handle, path = tempfile.mkstemp(prefix="vps-progress-", dir=constants.DEFAULT_LOCAL_TMP)
        os.close(handle)
        self._task.environment = [*(self._task.environment or []), {FILE_VARIABLE: path}]
        over = threading.Event()
        teller = threading.Thread(target=self._tell, args=(Path(path), host, interval, over), daemon=True)
        teller.start()
        try:
            yield
        finally:
            over.set()
            teller.join()
            Path(path).unlink(missing_ok=True)

    def _tell(self, file: Path, host: str, interval: float, over: threading.Event) -> None:
        token = str(self._task.args.get("api_token") or os.environ.get("VPS_API_TOKEN") or "").strip()
        while not over.wait(interval):
            said = line(file.read_text(encoding="utf-8"), host)
            if said:
                Display().display(said.replace(token, "********") if token else said)

    def _interval(self) -> float:
        """Seconds between the lines; what is no number is left for the module to refuse."""
        given = (self._task.args.get(OPTION), os.environ.get(VARIABLE), DEFAULT_INTERVAL)
        try:
            return max(0.0, float(next(value for value in given if value not in (None, ""))))
        except (TypeError, ValueError):
            return 0.0
