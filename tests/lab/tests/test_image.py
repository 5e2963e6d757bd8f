# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cache of the base image, with a stand-in for mmdebstrap that counts how often it is called."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import wait_until
from vps_lab import image
from vps_lab.tools import LabError

ENSURE = [sys.executable, "-m", "vps_lab", "image"]
# The file to write is the first argument that ends so.
STAND_IN = """\
#!/bin/sh
for file in "$@"; do case $file in *.tar.zst) break ;; esac; done
echo "$$" >> "$CALLS"
echo half > "$file"
while [ -e "$CALLS.wait" ]; do sleep 0.05; done
echo whole > "$file"
[ ! -e "$CALLS.fail" ] || { echo "no space left" >&2; exit 1; }
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache; the file that gets a line for every build, which hangs while FILE.wait is there."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, script in (("mmdebstrap", STAND_IN), ("apt-get", "#!/bin/sh\necho mirror\n")):
        (tools / name).write_text(script)
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(image.IMAGE_VARIABLE)
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return tmp_path / "calls"


def files() -> list[str]:
    return [path.name for path in image.cache().iterdir() if path.suffix != ".lock"]


def test_it_is_built_once(calls: Path) -> None:
    built = image.ensure()
    assert built.read_text() == "whole\n"
    assert image.ensure() == built
    assert len(calls.read_text().split()) == 1
    assert files() == [built.name]


def test_a_new_recipe_makes_a_new_one(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = image.ensure()
    monkeypatch.setattr(image, "PACKAGES", "less")
    assert image.ensure() != first
    assert len(calls.read_text().split()) == 2


def test_two_builders_at_once_build_one(calls: Path) -> None:
    gate = Path(f"{calls}.wait")
    gate.touch()
    builders = [subprocess.Popen(ENSURE, stdout=subprocess.PIPE, text=True) for _number in range(2)]
    wait_until(calls.exists)
    gate.unlink()
    paths = {builder.communicate(timeout=30)[0] for builder in builders}
    assert len(paths) == 1
    assert Path(paths.pop().strip()).read_text() == "whole\n"
    assert len(calls.read_text().split()) == 1


def test_a_killed_build_leaves_nothing_that_counts(calls: Path) -> None:
    gate = Path(f"{calls}.wait")
    gate.touch()
    builder = subprocess.Popen(ENSURE, stdout=subprocess.DEVNULL)
    wait_until(lambda: any(name.startswith("part-") for name in files()))
    builder.kill()
    builder.wait()
    gate.unlink()
    assert image.ensure().read_text() == "whole\n"
    assert len(files()) == 1
    assert not list(Path("/dev/shm").glob("vps-lab-*"))


def test_a_failed_build_says_why(calls: Path) -> None:
    Path(f"{calls}.fail").touch()
    with pytest.raises(LabError, match="no space left"):
        image.ensure()
    assert files() == []
