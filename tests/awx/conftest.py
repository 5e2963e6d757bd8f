# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWX as it is after setup.yml: the real playbook with the real modules of awx.awx, on a stand-in for AWX."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from .stand_in import StandIn

CLONE = Path(__file__).resolve().parents[2]
EXTENSION = CLONE / "extensions" / "awx"
BIN = Path(sys.executable).parent

Setup = Callable[..., dict[str, int]]


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection as users install it."""
    folder = tmp_path_factory.mktemp("dist")
    command = [str(BIN / "ansible-galaxy"), "collection", "build", str(CLONE), "--output-path", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("*.tar.gz"))


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, archive: Path) -> Path:
    """The project folder as shipped, but for where it takes the collection from."""
    folder = tmp_path_factory.mktemp("git") / "project"
    shutil.copytree(EXTENSION / "templates" / "project", folder)
    file = folder / "collections" / "requirements.yml"
    requirements = yaml.safe_load(file.read_text())
    (collection,) = requirements["collections"]
    assert collection.pop("version")
    assert collection["name"] == "vpsdotorg.cloud"
    file.write_text(json.dumps({"collections": [{"name": str(archive), "type": "file"}]}))
    return folder


@pytest.fixture(scope="module")
def awx(project: Path) -> Iterator[StandIn]:
    """An empty AWX."""
    with StandIn(project) as awx:
        yield awx


@pytest.fixture(scope="module")
def setup(awx: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Setup:
    """Run setup.yml, or another playbook, with the example's variables and these over them; return its recap."""
    folder = tmp_path_factory.mktemp("setup")

    def run(playbook: str = "setup.yml", **variables: Any) -> dict[str, int]:
        own = folder / "vars.yml"
        own.write_text(json.dumps({"vps_awx_machine_credentials": ["Servers"], **variables}))
        command = [str(BIN / "ansible-playbook"), str(EXTENSION / playbook)]
        command += ["-e", f"@{EXTENSION / 'vars.example.yml'}", "-e", f"@{own}"]
        environment: Mapping[str, str] = {
            **os.environ,
            **awx.environ,
            "VPS_API_TOKEN": "from the environment",
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_PIPELINING": "true",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        }
        done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "from the environment" not in done.stdout + done.stderr
        recap = done.stdout.split("PLAY RECAP")[1].split("localhost", 1)[1].replace(":", " ").split()
        return {name: int(count) for name, count in (each.split("=") for each in recap)}

    return run
