# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A product that is broken on purpose is caught: each way of breaking it makes cells fail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.vpsdotorg.cloud.plugins.module_utils import (
    _client,
    _errors,
    _http,
    _module,
    _operations,
    _shapes,
    _snapshots,
)

from .cells import Cell, cells, try_cell

Break = Callable[[pytest.MonkeyPatch], None]


def a_post_is_repeated(patch: pytest.MonkeyPatch) -> None:
    true = _client.retry_pause
    patch.setattr(_client, "retry_pause", lambda _method, error, attempt: true("GET", error, attempt))


def one_less_is_kept(patch: pytest.MonkeyPatch) -> None:
    true = _snapshots.split_prunable
    patch.setattr(_snapshots, "split_prunable", lambda found, prefix, keep, *rest: true(found, prefix, keep - 1, *rest))


def page_one_is_the_whole(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(_client, "_checked_page", lambda _kind, page: (page["results"], None, {}))


def nobody_looks(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(_operations, "LOOKS", ())


def whose_it_is_does_not_matter(patch: pytest.MonkeyPatch) -> None:
    true = _snapshots.select
    patch.setattr(_snapshots, "select", lambda found, number, *_rest: true(found, number, None, None))


def a_shape_is_not_checked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(_shapes, "SNAPSHOTS", _shapes.Kind("/snapshots/", "snapshots", lambda item: item or {"id": 0}))


def check_mode_deletes(patch: pytest.MonkeyPatch) -> None:
    true = _operations.delete_snapshots
    patch.setattr(
        _operations, "delete_snapshots", lambda client, chosen, gone, _check: true(client, chosen, gone, False)
    )


def the_token_is_shown(patch: pytest.MonkeyPatch) -> None:
    for room in (_http, _module):
        patch.setattr(room, "masked", lambda value, *_arguments, **_options: value)


def time_is_that_of_this_machine(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(_client.VpsClient, "now", lambda _client: datetime.now(timezone.utc))


def two_stay_two(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(_operations.Creation, "settle_two", lambda *_arguments: None)


def whatever_is_new_goes(patch: pytest.MonkeyPatch) -> None:
    true = _operations.Creation._give_way

    def give_way(creation: Any, other: dict) -> None:
        creation._own_id = other["id"]
        true(creation, other)

    patch.setattr(_operations.Creation, "_give_way", give_way)


def control_characters_are_shown(patch: pytest.MonkeyPatch) -> None:
    for room in (_errors, _module):
        patch.setattr(room, "printable", lambda text: text)


def there_is_no_advice(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(_client, "advice", lambda *_call: "")


def whoever_answers_is_believed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(_client, "is_server", lambda *_arguments: None)


BREAKS: list[tuple[Break, str]] = [
    (a_post_is_repeated, "present, no wait"),
    (one_less_is_kept, "prune"),
    (page_one_is_the_whole, "prune everywhere"),
    (nobody_looks, "present, no wait"),
    (whose_it_is_does_not_matter, "absent by a foreign id"),
    (a_shape_is_not_checked, "present, no wait"),
    (check_mode_deletes, "absent by id"),
    (the_token_is_shown, "snapshot info"),
    (time_is_that_of_this_machine, "prune nothing that is young"),
    (two_stay_two, "present"),
    (whatever_is_new_goes, "present"),
    (control_characters_are_shown, "snapshot info"),
    (there_is_no_advice, "snapshot info"),
    (whoever_answers_is_believed, "stop"),
]


def first_complaint(task: str) -> tuple[Cell, list[str]] | None:
    """The first cell of a task that does not hold."""
    return next(((cell, complaints) for cell in cells(task) if (complaints := try_cell(cell))), None)


@pytest.mark.parametrize(("broken", "task"), BREAKS, ids=[broken.__name__ for broken, _task in BREAKS])
def test_a_broken_product_is_caught(broken: Break, task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch)
    assert first_complaint(task) is not None
