# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand in for the get-pip that ansible-test downloads for its virtual environments: ensurepip needs no network."""

from __future__ import annotations

import subprocess
import sys

UNKNOWN_TO_PIP = {"--no-setuptools", "--no-wheel"}

wanted = [argument for argument in sys.argv[1:] if argument not in UNKNOWN_TO_PIP]
# Subprocesses, as ensurepip.bootstrap() points PIP_CONFIG_FILE at nothing for the rest of this process.
subprocess.check_call([sys.executable, "-m", "ensurepip"], stdout=subprocess.DEVNULL)
subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", *wanted])
