# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host that answers and then hangs: what may be left undone takes no verdict away, and keeps from no restore."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Run
from .fleet import GOOD, Fleet, outcome, result

# Nobody ever writes into it, so that whoever reads it waits.
HANGING_NOTE = f"{GOOD}; rm -f begun; mkfifo begun"
# Its Python hangs from the update on.
PYTHON = '#!/bin/sh\nif [ -e {folder}/hangs ]; then exec sleep 60; fi\nexec {python} "$@"\n'
HANGS = "echo broken >version; touch hangs; exit 1"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, collections_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path_factory.mktemp("hangs"), collections_path) as fleet:
        fleet.add("note", HANGING_NOTE, safe_update_on_failure="rollback")
        fleet.add(
            "python", HANGS, safe_update_on_failure="rollback", ansible_python_interpreter="{{ folder }}/hanging-python"
        )
        folder = Path(fleet.hosts["python"]["folder"])
        (folder / "hanging-python").write_text(PYTHON.format(folder=folder, python=sys.executable))
        (folder / "hanging-python").chmod(0o755)
        fleet.start()
        yield fleet


@pytest.fixture(scope="module")
def run(fleet: Fleet) -> Run:
    return fleet.run()


def test_a_good_update_stays_one_though_its_end_cannot_be_noted(fleet: Fleet, run: Run) -> None:
    assert run.results("Note on the host that the run begins to change it, or has come to its end", "note", "failed")
    assert outcome(run, "note") == "updated"
    assert fleet.version("note") == "new"
    assert fleet.snapshots("note") == {}


def test_a_bad_update_is_rolled_back_though_the_host_cannot_be_asked_what_it_lost(fleet: Fleet, run: Run) -> None:
    assert run.results("See whether the update has taken Ansible's way away", "python", "failed")
    assert outcome(run, "python") == "rolled_back"
    assert fleet.version("python") == "old"
    assert result(run, "python")["failed_phase"] == "update"
