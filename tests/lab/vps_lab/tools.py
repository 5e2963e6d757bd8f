# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running the system's own tools, with errors that say what was tried and what came back."""

from __future__ import annotations

import subprocess
from pathlib import Path

# Characters of a failed tool's output that an error message repeats.
SHOWN = 2000


class LabError(RuntimeError):
    """Something in the lab failed; the message says what was tried, what came back and what to do."""


def run(*command: str | Path, timeout: float | None = None) -> str:
    """Run a tool and return what it printed.

    Args:
        timeout: seconds after which the tool is killed; None waits for ever.

    Raises:
        LabError: the tool is missing, failed, or ran out of time.
    """
    words = [str(word) for word in command]
    shown = " ".join(words)
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL, check=False
        )
    except FileNotFoundError as error:
        raise LabError(f"cannot run '{shown}': {words[0]} is not installed; see 'python -m vps_lab check'") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"'{shown}' did not end within {timeout} seconds") from error
    if done.returncode:
        said = f"{done.stdout[-SHOWN:]}\n{done.stderr[-SHOWN:]}"
        raise LabError(f"'{shown}' failed with {done.returncode}: {said.strip()}")
    return done.stdout
