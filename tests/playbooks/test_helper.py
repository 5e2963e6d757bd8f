# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The helper of the playbook tests itself: what it reads out of a run, and what it must not let pass."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.smoke

PLAY = {
    "hosts": "all",
    "gather_facts": False,
    "tasks": [
        {
            "name": "Count",
            "ansible.builtin.set_stats": {"data": {"counted": "{{ {inventory_hostname: 1} }}"}, "aggregate": True},
        },
        {"name": "Fail on one", "ansible.builtin.fail": {"msg": "It is b."}, "when": "inventory_hostname == 'b'"},
        {"name": "Fail in vain", "ansible.builtin.fail": {"msg": "Never mind."}, "ignore_errors": True},
    ],
}
HOSTS = {"all": {"hosts": {name: {"ansible_connection": "local"} for name in ("a", "b")}}}


def test_events_tell_what_happened(run_playbook: Any) -> None:
    run = run_playbook([PLAY], inventory=HOSTS)
    assert run.rc == 2
    assert run.failures() == ["It is b."]
    assert run.result("Fail on one", host="a")["skip_reason"]
    assert [event["event"] for event in run.events if event.get("host") == "b"] == ["ok", "failed"]
    assert run.stats["a"]["ignored"] == 1
    assert run.stats["b"]["failures"] == 1
    assert run.custom_stats == {"counted": {"a": 1, "b": 1}}
    assert "PLAY RECAP" in run.stdout


def test_printed_token_is_noticed(serve: Any, run_playbook: Any) -> None:
    leak = {"ansible.builtin.debug": {"msg": "{{ lookup('env', 'VPS_API_TOKEN') }}"}}
    with pytest.raises(AssertionError, match="token was printed"):
        run_playbook([{"hosts": "localhost", "gather_facts": False, "tasks": [leak]}], service=serve())


def test_write_in_check_mode_is_noticed(serve: Any, run_playbook: Any) -> None:
    write = {
        "vpsdotorg.cloud.vps_snapshot": {"server_id": 12345, "name": "made", "wait": False},
        "check_mode": False,
    }
    with pytest.raises(AssertionError, match="sent a write"):
        run_playbook([{"hosts": "localhost", "gather_facts": False, "tasks": [write]}], service=serve(), check=True)
