# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand in for the get-pip that ansible-test downloads for its virtual environments: Python brings a pip with it."""

from __future__ import annotations

import ensurepip
import subprocess
import sys
import sysconfig
from pathlib import Path

UNKNOWN_TO_PIP = {"--no-setuptools", "--no-wheel"}

# Debian and Fedora keep the wheel elsewhere. Run from the wheel, pip need not be installed twice, as ensurepip would.
wheels = Path(sysconfig.get_config_var("WHEEL_PKG_DIR") or Path(ensurepip.__file__).with_name("_bundled"))
pip = next(wheels.glob("pip-*.whl")) / "pip"
wanted = [argument for argument in sys.argv[1:] if argument not in UNKNOWN_TO_PIP]
subprocess.check_call([sys.executable, str(pip), "install", "--quiet", *wanted])
