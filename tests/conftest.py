# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all tests share: the collection under its own name from a clone in any folder, nothing of the developer's."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import pytest

CLONE = Path(__file__).resolve().parents[1]
COLLECTIONS_PATH = pytest.StashKey[Path]()
# Proxies would swallow calls to the emulator; the rest would configure Ansible or the collection behind a test's back.
FOREIGN = re.compile(r"(ANSIBLE|VPS(?!_LAB))_.*|(.+_)?proxy", re.IGNORECASE)


def pytest_configure(config: pytest.Config) -> None:
    """Isolate the run and make `ansible_collections.vpsdotorg.cloud` importable.

    Not a fixture: Ansible reads its environment when it is imported, which test modules do before any fixture runs.
    """
    scratch = tempfile.TemporaryDirectory(prefix="vps-tests-")
    config.add_cleanup(scratch.cleanup)
    home, collections = Path(scratch.name, "home"), Path(scratch.name, "collections")
    isolate_environment(config, home)
    link = collections / "ansible_collections" / "vpsdotorg" / "cloud"
    link.parent.mkdir(parents=True)
    link.symlink_to(CLONE)
    config.stash[COLLECTIONS_PATH] = collections

    from ansible.plugins.loader import init_plugin_loader

    init_plugin_loader([str(collections)])


def isolate_environment(config: pytest.Config, home: Path) -> None:
    """Take the developer's settings out of the environment and put an empty home into it, until the run ends."""
    environment = pytest.MonkeyPatch()
    config.add_cleanup(environment.undo)
    for name in filter(FOREIGN.fullmatch, list(os.environ)):
        environment.delenv(name)
    home.mkdir()
    configuration = home / "ansible.cfg"
    configuration.touch()
    environment.setenv("HOME", str(home))
    environment.setenv("ANSIBLE_CONFIG", str(configuration))


@pytest.fixture(scope="session")
def collections_path(pytestconfig: pytest.Config) -> Path:
    """Return what to set as ANSIBLE_COLLECTIONS_PATH for a real ansible-playbook: it holds this clone."""
    return pytestconfig.stash[COLLECTIONS_PATH]
