# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API of VPS.org, served on loopback for rehearsals and tests."""

from __future__ import annotations

DEFAULT_TOKEN = "vps_emulator_token"
