# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""files/assess.sh: when a host was updated last, by what its package manager has written."""

from __future__ import annotations

import gzip
import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "roles/safe_update/files/assess.sh"
UPGRADE = """
Start-Date: 2026-01-0{day}  03:00:00
Commandline: apt-get dist-upgrade
Upgrade: hello:amd64 (1, 2)
{error}End-Date: 2026-01-0{day}  03:00:09
"""
INSTALL = """
Start-Date: 2026-01-09  03:00:00
Install: hello:amd64 (1)
End-Date: 2026-01-09  03:00:09
"""
GOOD = UPGRADE.format(day=2, error="")
BAD = UPGRADE.format(day=5, error="Error: Sub-process /usr/bin/dpkg returned an error code (1)\n")
SECONDS = "updated 1767322809"


def said(folder: Path) -> list[str]:
    text = SCRIPT.read_text(encoding="utf-8")
    for place in ("/var/", "/usr/lib/sysimage"):
        text = text.replace(place, f"{folder}{place}")
    environment = {**os.environ, "TZ": "UTC", "PATH": f"{folder}/bin:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-s"], input=text, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("log", "older", "expected"),
    [
        (GOOD, "", [SECONDS]),
        (GOOD + BAD + INSTALL, "", [SECONDS]),
        (INSTALL, GOOD, [SECONDS]),
        (BAD, "", []),
        ("", "", []),
    ],
)
def test_of_apt_the_last_upgrade_without_an_error_counts(
    tmp_path: Path, log: str, older: str, expected: list[str]
) -> None:
    folder = tmp_path / "var/log/apt"
    folder.mkdir(parents=True)
    (folder / "history.log").write_text(log)
    if older:
        (folder / "history.log.1.gz").write_bytes(gzip.compress(older.encode()))
    assert said(tmp_path) == [*expected, "end"]


def test_of_dnf_the_time_of_its_history_counts_and_advisories_are_told(tmp_path: Path) -> None:
    history = tmp_path / "var/lib/dnf/history.sqlite"
    history.parent.mkdir(parents=True)
    history.touch()
    os.utime(history, (1767322809, 1767322809))
    tool = tmp_path / "bin/dnf"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho RHSA-2026:1 Important/Sec. openssl-libs-1:3.0.7-25.el9_3.x86_64\n")
    tool.chmod(0o755)
    advisory = "advisory RHSA-2026:1 Important/Sec. openssl-libs-1:3.0.7-25.el9_3.x86_64"
    assert said(tmp_path) == [SECONDS, advisory, "end"]


def test_of_zypper_the_last_install_in_its_history_counts_and_advisories_are_told(tmp_path: Path) -> None:
    history = tmp_path / "var/log/zypp/history"
    history.parent.mkdir(parents=True)
    history.write_text(
        "# 2026-01-01 00:00:00 bash installed ok\n"
        "2026-01-01 03:00:00|install|bash|5.1-6|x86_64||lab|0|\n"
        "2026-01-02 03:00:09|install|bash|5.1-9|x86_64||lab|0|\n"
        "2026-01-05 03:00:00|radd   |lab|file:/lab|\n"
    )
    tool = tmp_path / "bin/zypper"
    tool.parent.mkdir()
    tool.write_text(
        '#!/bin/sh\necho \'<solvable type="package" name="bash" edition="5.1-9" arch="x86_64" edition-old="5.1-6"/>\''
        '\necho \'<solvable type="patch" name="SUSE-1" edition="1" arch="noarch"/>\'\n'
    )
    tool.chmod(0o755)
    assert said(tmp_path) == [SECONDS, "advisory bash-5.1-9.x86_64", "end"]


def test_a_host_that_knows_nothing_says_nothing(tmp_path: Path) -> None:
    assert said(tmp_path) == ["end"]
