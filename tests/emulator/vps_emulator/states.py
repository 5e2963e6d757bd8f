# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words for the status of a server or a snapshot."""

from __future__ import annotations

ACTIVE, STOPPED, SUSPENDED, RESTORING = "active", "stopped", "suspended", "restoring"
IN_PROGRESS, COMPLETED = "in_progress", "completed"
# Guess: the API documents no word for what failed.
FAILED, ERROR = "failed", "error"
