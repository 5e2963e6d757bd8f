# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""End-to-end tests: the real playbooks over ssh against real servers. They run in the lab's capsule only, one after the
other with this command, or with a worker of pytest in each of two capsules (`nox -s e2e`)::

    python -m vps_lab capsule --security-updates -- pytest tests/e2e
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from vps_lab.lab import Lab

from .site import Site


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    with Lab(servers=10) as lab:
        yield lab


@pytest.fixture(scope="module")
def site(lab: Lab, collections_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The lab as at the beginning, for the stories of one module."""
    lab.reset()
    return Site(lab, collections_path, tmp_path_factory.mktemp("site"))
