# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the service says no: pure decisions, each a reason in words or None.

Guess, all of it but the limit of five, that only a completed snapshot is restored, and that a server being restored
or suspended is not: the API documents the status 400, not its reasons nor its body.
"""

from __future__ import annotations

from .states import COMPLETED, RESTORING, SUSPENDED

SNAPSHOT_LIMIT = 5


def against_create(server_status: str, snapshots: int) -> str | None:
    """Why a server with so many snapshots, of whatever status, gets no further one."""
    if server_status == RESTORING:
        return "The server is being restored. Wait until it is active."
    if snapshots >= SNAPSHOT_LIMIT:
        return f"Snapshot limit reached: at most {SNAPSHOT_LIMIT} snapshots per server."
    return None


def against_restore(server_status: str, snapshot_status: str) -> str | None:
    """Why this snapshot is not restored now; a power action under way is no reason, the restore replaces it."""
    if snapshot_status != COMPLETED:
        return f"The snapshot is {snapshot_status}; only a completed one can be restored."
    if server_status in (RESTORING, SUSPENDED):
        return f"The server is {server_status}; it cannot be restored now."
    return None


def against_delete(snapshot_id: int, restored_from: int | None) -> str | None:
    """Why a snapshot, which may be in progress, is not removed; `restored_from` is the one being put back."""
    if snapshot_id == restored_from:
        return "The server is being restored from this snapshot."
    return None


def against_power(server_status: str, operation: str, action: str) -> str | None:
    """Why a power action is not begun; `operation` is the one under way, and a hard stop may cut a shutdown short."""
    if server_status in (RESTORING, SUSPENDED):
        return f"The server is {server_status}; its power cannot be changed now."
    if operation and not (action == "hard_stop" and operation in ("stop", "restart")):
        return f"A {operation} of the server is under way; wait until it is done."
    return None
