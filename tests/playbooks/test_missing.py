# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Missing is missing, in real tasks on each ansible-core: a null or a blank never widens what is acted on."""

from __future__ import annotations

from typing import Any

import pytest

SNAPSHOT = {"server_id": 101, "status": "completed"}
SEED = {
    "servers": [{"id": 101, "name": "web-1"}, {"id": 102, "name": "web-2"}],
    "snapshots": [
        {**SNAPSHOT, "id": 1, "name": "nightly-1", "age": "9d"},
        {**SNAPSHOT, "id": 2, "name": "nightly-2", "age": "8d"},
        {**SNAPSHOT, "id": 3, "name": "before", "age": "7d", "server_id": 102},
    ],
}
VALUES = {"null": None, "null of a template": "{{ none }}", "empty": "", "blank": "  "}
# What no task may do with such a value in place of each of these options: it is refused, or does what it does without.
TASKS: list[tuple[str, dict[str, Any]]] = [
    ("vps_snapshot_prune", {"server_id": 101, "name_prefix": "nightly-", "keep": 1}),
    ("vps_snapshot", {"state": "absent", "server_id": 101, "snapshot_id": 1}),
    ("vps_snapshot_restore", {"server_id": 101, "snapshot_id": 1}),
]


@pytest.mark.smoke
@pytest.mark.parametrize("direct", ["true", "false"])
def test_every_option_that_is_missing_is_refused_or_left_out(serve: Any, run_playbook: Any, direct: str) -> None:
    service = serve(SEED)
    cases = [(module, options, option, kind) for module, options in TASKS for option in options for kind in VALUES]
    tasks = [
        {
            "name": f"{module} {option} {kind}",
            f"vpsdotorg.cloud.{module}": {**options, option: VALUES[kind]},
            # What is sent is read from the log; nothing is to be lost for the next task.
            "check_mode": True,
            "diff": True,
            "ignore_errors": True,
        }
        for module, options, option, kind in cases
    ]
    without = [
        {
            "name": f"{module} {option} left out",
            f"vpsdotorg.cloud.{module}": {name: value for name, value in options.items() if name != option},
            "check_mode": True,
            "diff": True,
            "ignore_errors": True,
        }
        for module, options in TASKS
        for option in options
    ]
    play = {"hosts": "localhost", "gather_facts": False, "tasks": [*tasks, *without]}
    run = run_playbook([play], service=service, env={"VPS_DIRECT": direct})
    assert service.writes() == []
    for module, _options, option, kind in cases:
        result, left_out = run.result(f"{module} {option} {kind}"), run.result(f"{module} {option} left out")
        if not run.results(f"{module} {option} {kind}", event="failed"):
            assert result["changed"] == left_out["changed"], (module, option, kind)
            assert result.get("deleted") == left_out.get("deleted"), (module, option, kind)


HOST = {"ansible_host": "127.0.0.1"}
IDS = {"missing": {}, "null": {"vps_server_id": None}, "empty": {"vps_server_id": ""}, "blank": {"vps_server_id": "  "}}
OF_RUN = {"outcome": "updated", "snapshot_id": 3, "snapshot_name": "before"}
CONFIRMED = {"restore_hosts": "all", "restore_confirm": True, "restore_snapshot_id": 3}
RESULTS = {"safe_update": dict.fromkeys(IDS, OF_RUN)}


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("playbook", "variables"),
    [
        ("cleanup", {"cleanup_prefix": "nightly-", "cleanup_keep": 1}),
        ("restore", CONFIRMED),
        ("cleanup_run", RESULTS),
        ("restore_run", {**RESULTS, "restore_run_outcome": "updated"}),
        ("safe_update", {}),
    ],
)
def test_no_playbook_calls_anything_for_a_host_without_a_server_id(
    serve: Any, run_playbook: Any, playbook: str, variables: dict[str, Any]
) -> None:
    service = serve(SEED)
    inventory = {"all": {"hosts": {kind: {**HOST, **server_id} for kind, server_id in IDS.items()}}}
    # In one batch, so that each host has its turn.
    run = run_playbook(
        f"vpsdotorg.cloud.{playbook}",
        service=service,
        inventory=inventory,
        variables={"safe_update_serial": "100%", **variables},
    )
    assert run.rc != 0, run.output
    assert service.requests() == [], run.output
    for kind in IDS:
        assert any("server id" in failure for failure in run.failures(kind)), (kind, run.output)


def test_an_empty_keep_of_a_vars_file_deletes_nothing(serve: Any, run_playbook: Any) -> None:
    service = serve(SEED)
    inventory = {"all": {"hosts": {"web-1": {**HOST, "vps_server_id": 101}}}}
    variables = {"cleanup_prefix": "nightly-", "cleanup_keep": None, "cleanup_older_than": ""}
    run = run_playbook("vpsdotorg.cloud.cleanup", service=service, inventory=inventory, variables=variables)
    assert "Nothing was deleted: say which snapshots stay" in run.text
    assert service.requests() == []
