# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-builder makes a build context of the execution environment, and finds what the collection needs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from .conftest import CLONE

BUILDER = Path(sys.executable).parent / "ansible-builder"
GALAXY = Path(sys.executable).parent / "ansible-galaxy"


def build(*arguments: str) -> str:
    done = subprocess.run([str(BUILDER), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_context_of_the_users_environment(tmp_path: Path) -> None:
    definition = CLONE / "extensions" / "execution_environment" / "execution-environment.yml"
    build("create", "--file", str(definition), "--context", str(tmp_path))
    # The name depends on the container engine that is there.
    container = next(tmp_path.glob("*file")).read_text()
    assert "quay.io/centos/centos:stream9" in container
    assert "python3.12" in container
    requirements = yaml.safe_load((tmp_path / "_build" / "requirements.yml").read_text())
    assert [each["name"] for each in requirements["collections"]] == ["vpsdotorg.cloud"]
    assert "openssh-clients" in (tmp_path / "_build" / "bindep.txt").read_text()


def test_collection_names_its_requirements(tmp_path: Path, archive: Path) -> None:
    command = [str(GALAXY), "collection", "install", str(archive), "--offline", "-p", str(tmp_path / "collections")]
    subprocess.run(command, check=True, capture_output=True)
    found = yaml.safe_load(build("introspect", str(tmp_path / "collections")).split("---")[-1])
    assert any(line.startswith("requests ") for line in found["python"]), found


def test_collection_alone_makes_a_context(tmp_path: Path) -> None:
    """Its paths begin at the root of the collection."""
    shutil.copytree(CLONE / "meta", tmp_path / "meta")
    shutil.move(tmp_path / "meta" / "execution-environment.yml", tmp_path)
    build("create", "--file", str(tmp_path / "execution-environment.yml"), "--context", str(tmp_path / "context"))
    assert "requests" in (tmp_path / "context" / "_build" / "requirements.txt").read_text().splitlines()
