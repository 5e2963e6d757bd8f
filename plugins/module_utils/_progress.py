# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""What a wait tells while it lasts: the module notes it in a file, the action plugin makes lines of it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

# The action plugin puts the file's path here; without it nobody listens.
FILE_VARIABLE = "VPS_PROGRESS_FILE"


def note(what: str, status: Any, usual: str, elapsed: float, timeout: float) -> None:
    """Note how a wait stands.

    :param what: Names what is awaited.
    :param usual: The documented usual duration, or nothing.
    :param elapsed: Seconds since the wait began.
    :param timeout: Seconds after which it gives up.
    """
    path = os.environ.get(FILE_VARIABLE)
    try:
        # On a machine other than the controller the file is not there, and is not made.
        if path and Path(path).is_file():
            state = {"what": what, "status": status, "usual": usual, "timeout": timeout}
            state["started"] = time.time() - elapsed
            Path(path).write_text(json.dumps(state), encoding="utf-8")
    except OSError:
        pass


def line(text: str, host: str) -> str | None:
    """The line that tells a person how a wait stands, or None where nothing has been noted yet."""
    try:
        state = json.loads(text)
        usual = f", usually {state['usual']}" if state["usual"] else ""
        return (
            f"[{host}] {state['what']}: {str(state['status'])[:40]} after {_span(time.time() - state['started'])}"
            f"{usual}, given up after {_span(state['timeout'])}"
        )
    except (ValueError, KeyError, TypeError):
        return None


def _span(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
