# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole test run moves into a capsule: `pytest tests/lab` works from anywhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from vps_lab import capsule, check, image
from vps_lab.cloud import Cloud
from vps_lab.lab import Lab
from vps_lab.servers import Server

LACKING = pytest.StashKey[list[str]]()


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Begin again inside a capsule; where there can be none, go on and skip, but never in CI."""
    if capsule.is_inside() or config.option.collectonly or config.option.help:
        return None
    lacking = check.missing()
    if lacking and os.environ.get("CI"):
        raise pytest.UsageError("this machine cannot run the lab, and CI must not skip it: " + "; ".join(lacking))
    if lacking:
        config.stash[LACKING] = lacking
        return None
    base = image.ensure()
    os.environ[image.IMAGE_VARIABLE] = str(base)
    if os.environ.get("CI"):
        os.environ[image.UPDATES_VARIABLE] = str(image.security_updates(base))
    return capsule.run([sys.executable, "-m", "pytest", *config.invocation_params.args])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if lacking := config.stash.get(LACKING, []):
        for item in items:
            item.add_marker(pytest.mark.skip(reason="the lab cannot run here: " + "; ".join(lacking)))


@pytest.fixture(scope="session")
def cloud(request: pytest.FixtureRequest) -> Cloud:
    """A place for servers, with the kind of disk that the test asks for."""
    store = getattr(request, "param", "overlay")
    return Cloud(Path("/run/vps-lab-tests", store), store)


@pytest.fixture
def server(cloud: Cloud) -> Iterator[Server]:
    """A fresh server that answers over ssh."""
    fresh = cloud.server("alpha", "10.77.0.200")
    cloud.install(fresh)
    fresh.start()
    fresh.wait_for_ssh()
    yield fresh
    fresh.remove()


@pytest.fixture(scope="session")
def shared_lab() -> Iterator[Lab]:
    with Lab(servers=2) as lab:
        yield lab


@pytest.fixture
def lab(shared_lab: Lab) -> Lab:
    """A lab with two fresh servers."""
    shared_lab.reset()
    return shared_lab
