# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each reason to say no, as a table."""

from __future__ import annotations

import pytest
from vps_emulator import rules


@pytest.mark.parametrize("status", ["active", "stopped", "suspended", "restoring", "error"])
@pytest.mark.parametrize("count", [0, 4, 5, 6])
def test_create(status: str, count: int) -> None:
    assert (rules.against_create(status, count) is None) == (status != "restoring" and count < 5)


@pytest.mark.parametrize("snapshot", ["completed", "in_progress", "failed", "error", "odd"])
@pytest.mark.parametrize("server", ["active", "stopped", "suspended", "restoring", "error"])
def test_restore(server: str, snapshot: str) -> None:
    expected = snapshot == "completed" and server in ("active", "stopped", "error")
    assert (rules.against_restore(server, snapshot) is None) == expected


def test_delete() -> None:
    assert rules.against_delete(1, None) is None
    assert rules.against_delete(1, 2) is None
    assert rules.against_delete(1, 1)


@pytest.mark.parametrize("operation", ["", "start", "stop", "restart", "hard_stop"])
@pytest.mark.parametrize("action", ["start", "stop", "restart", "hard_stop"])
def test_power(operation: str, action: str) -> None:
    expected = not operation or (action == "hard_stop" and operation in ("stop", "restart"))
    assert (rules.against_power("active", operation, action) is None) == expected
    assert rules.against_power("restoring", operation, action)
    assert rules.against_power("suspended", operation, action)
