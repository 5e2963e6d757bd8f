# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every cell holds, and the page of figures tells how many there are."""

from __future__ import annotations

import os

import pytest

from .cells import TASKS, cells, try_cell
from .figures import PAGE, page


@pytest.mark.parametrize("task", [task.name for task in TASKS])
def test_every_cell_holds(task: str) -> None:
    bad = [f"{cell}: {'; '.join(complaints)}" for cell in cells(task) if (complaints := try_cell(cell))]
    assert bad == [], f"{len(bad)} cells do not hold; the first: " + "\n".join(bad[:10])


def test_the_page_of_figures_is_true() -> None:
    if os.environ.get("WRITE_FIGURES"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()
