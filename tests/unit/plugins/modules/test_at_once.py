# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sixteen tasks at once, each with a client of its own: one snapshot."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.vpsdotorg.cloud.plugins.module_utils import _operations
from ansible_collections.vpsdotorg.cloud.plugins.module_utils._module import perform
from ansible_collections.vpsdotorg.cloud.plugins.modules.vps_snapshot import MODULE
from vps_emulator.testing import Emulator

TOKEN = "vps_unit_at_once"


@pytest.fixture(scope="module")
def account() -> Iterator[Emulator]:
    """Serve two servers, so slowly that all sixteen meet the snapshot while it is made."""
    with Emulator(
        {"servers": [{"id": 1, "name": "web"}, {"id": 2, "name": "db"}]}, token=TOKEN, time_scale=100
    ) as served:
        yield served


@pytest.mark.parametrize("wait", [True, False])
def test_sixteen_at_once_end_with_one_snapshot(account: Emulator, wait: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    # They wait for each other, so their clock is that of the service.
    monkeypatch.setattr(_operations, "time", time)
    account.reset()
    arguments = {"api_token": TOKEN, "api_url": account.url, "server_id": "1", "name": "before-update", "wait": wait}
    params = ArgumentSpecValidator(MODULE.spec).validate(arguments).validated_parameters
    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(lambda _number: perform(MODULE, arguments, params, False), range(16)))
    assert [result["msg"] for result in results if result.get("failed")] == []
    check: Any = perform(MODULE, arguments, params, True)
    left = [snapshot["id"] for snapshot in check["slots"]]
    if wait:
        assert [result["warnings"] for result in results if result["warnings"]] == []
        assert {result["snapshot"]["id"] for result in results} == set(left)
        assert sum(result["changed"] for result in results) == 1
    # A service may count a list before it reads it, and so leave out the oldest: who does not wait looks but once.
    told = " ".join(warning for result in results for warning in result["warnings"])
    assert len(left) == 1 or all(str(number) in told for number in left)
