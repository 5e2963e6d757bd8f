# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of figures: docs/reliability.md."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from .cells import FAULTS, KINDS, STATES, STATUSES, TASKS, cells
from .test_mutants import BREAKS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"

TEXT = """<!--
SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
SPDX-License-Identifier: GPL-3.0-or-later
-->

# Reliability

What the modules do when something goes wrong is tried, not believed. `make test SESSION=faults` runs {tasks} tasks,
in those of {states} states of a server that matter to them, in check mode and for real, with each of {faults} faults at
each call that they make, once and for ever, and for some with every HTTP status from {first} to {last}:
**{total} cells**, each on a service that is written from the vendor's documentation and keeps a clock of its own. In
each of them

- nothing is deleted or restored but what the task may, and nothing that somebody else made meanwhile;
- there is no second snapshot, or a warning names both; there is no second restore;
- no second POST comes before three looks; check mode sends no write;
- `changed` is true where something changed, and only there;
- it ends in time, without a traceback, and the token is nowhere;
- a failure says what was tried, what came back and what to do, without control characters.

| The fault is at | Cells | Held |
| --- | ---: | ---: |
{rows}

The faults are lost, late and cut answers, pages of proxies, refusals with and without a reason, bodies and items of
every wrong shape, lists that change between their pages, a `Retry-After` of any kind, a token that is sent back, a
clock that is an hour off, and others who create, delete and restore at the same moment. Beside them, random stories of
25 tasks with random faults are held against a model (`tests/faults/test_story.py`); what needs a real connection (bytes
that drip, proxies, certificates) is tried on sockets (`tests/unit/plugins/module_utils/test_client.py`).

That the cells can fail is tried, too. Each of these broken products is caught (`tests/faults/test_mutants.py`):

{breaks}

This page is written by `WRITE_FIGURES=1 make test SESSION=faults`; a test fails where it is not true any more.
"""


def page() -> str:
    """The text of the page, by the cells as they are now; that all of them hold is what the tests beside it say."""
    counts = Counter(cell.call for cell in cells())
    return TEXT.format(
        tasks=len(TASKS),
        states=len(STATES),
        faults=len(FAULTS),
        first=min(STATUSES),
        last=max(code for code in STATUSES if code < 600),
        total=f"{sum(counts.values()):,}",
        rows="\n".join(f"| `{kind}` | {counts[kind]:,} | {counts[kind]:,} |" for kind in KINDS),
        breaks="\n".join(f"- {broken.__name__.replace('_', ' ')}" for broken, _task in BREAKS),
    )
