# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real Debian servers on one machine, in namespaces, behind the emulated VPS.org API."""

from __future__ import annotations
