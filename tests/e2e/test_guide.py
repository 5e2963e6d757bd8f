# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide to rehearsing: what it shows is done, and ends as it says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml

from .site import QUICK, SETTINGS, Site

GUIDE = Path(__file__).resolve().parents[2] / "docs/docsite/rst/guide_rehearse.rst"


def commands() -> list[str]:
    """Those of the shell that `make lab` opens."""
    return re.findall(r"^    lab\$ (.+)$", GUIDE.read_text(), re.MULTILINE)


def settings() -> dict:
    """The file that the guide lets its readers write."""
    (block,) = re.findall(r"^\.\. code-block:: yaml\+jinja\n\n((?:    .*\n)+)", GUIDE.read_text(), re.MULTILINE)
    return yaml.safe_load(textwrap.dedent(block))


def run(site: Site, command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    controller = site.controller()
    inventory = folder / "inventory.yml"
    inventory.write_text(yaml.safe_dump(site.inventory(folder, site.hosts)))
    environment = {
        **controller.environ(site.lab.emulator),
        **site.lab.environment,
        "ANSIBLE_INVENTORY": str(inventory),
        "PATH": f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin",
    }
    return subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
    )


@pytest.fixture(scope="module")
def done(site: Site, tmp_path_factory: pytest.TempPathFactory) -> list[subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("guide")
    site.hosts = {"web1": {}, "web2": {}}
    # What the guide says, and the patience of a test.
    (folder / "rehearsal.yml").write_text(json.dumps({**SETTINGS, **QUICK, **settings()}))
    return [run(site, command, folder) for command in commands()]


def test_commands_end_as_the_guide_says(done: list[subprocess.CompletedProcess[str]]) -> None:
    good, bad = (done[number] for number, command in enumerate(commands()) if "safe_update" in command)
    assert [each.returncode for each in done if each is not bad] == [0] * (len(done) - 1), done
    assert good.stdout.count("updated: The host is updated and verified.") == 2
    assert bad.returncode == 2, bad.stdout
    assert "rolled_back: The server is restored" in bad.stdout
    rollout = bad.stdout.partition("Roll out, the canary first")[2].partition("PLAY RECAP")[0]
    # No task of any kind has had it; the closing table says so.
    assert "[web2" not in rollout
    assert "web2  not reached" in rollout


def test_good_version_is_installed_in_the_end(done: list[subprocess.CompletedProcess[str]], site: Site) -> None:
    assert done[-1].stdout.count("hello-web\t1.1") == 2
    assert [site.health(name) for name in site.hosts] == [200, 200]
