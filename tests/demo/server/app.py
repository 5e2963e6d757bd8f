# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service of the demonstration: it answers with its release, or it does not start."""

import json
import pathlib

here = pathlib.Path(__file__).parent
settings = json.loads((here / "settings.json").read_text())
if settings["schema"] != 1:
    raise SystemExit(f"this release reads schema 1, not {settings['schema']}")
print(f"release {settings['release']} answers")
