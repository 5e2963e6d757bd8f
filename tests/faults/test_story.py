# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stories of many tasks on one account, with random faults and others at work, held against a model."""

from __future__ import annotations

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from .cells import FAULTS, KINDS, NAME, OURS, TASKS, Cell, Fault, judge, make_service, run
from .service import Answer, Call, Service

STORIES = [task for task in TASKS if task.module != "vps_server_power" and "young" not in task.name]
# Others at work are rules of their own here.
OWN_FAULTS = sorted(name for name in FAULTS if not name.startswith(("somebody", "grows", "shrinks")))


class Account(RuleBasedStateMachine):
    """An account with two servers; the model is what others own, which no task may ever touch."""

    def __init__(self) -> None:
        super().__init__()
        self.service = make_service("empty")
        # Names that no task of the stories is about.
        self.foreign = {number: dict(each) for number, each in self.service.snapshots.items() if number != 82}

    @rule(
        task=st.sampled_from(STORIES),
        check=st.booleans(),
        fault=st.none() | st.sampled_from(OWN_FAULTS),
        call=st.sampled_from(KINDS),
        skipped=st.integers(0, 3),
        times=st.integers(1, 4),
    )
    def run_a_task(self, task: object, check: bool, fault: str | None, call: str, skipped: int, times: int) -> None:
        service = self.service
        before = {number: dict(snapshot) for number, snapshot in service.snapshots.items()}
        for log in (service.calls, service.creations, service.deletions, service.restores, service.foreign):
            log.clear()
        service.clock.elapsed, service.later = 0.0, [(max(0, at - service.clock.elapsed), a) for at, a in service.later]
        service.fault = strike(FAULTS[fault], call, skipped, times) if fault else None
        cell = Cell(task, "a story", call, fault or "no fault", FAULTS["lost before"], times, check)
        result = run(task, service, check)
        service.fault = None
        complaints = [each for each in judge(cell, result, service, before) if "restored" not in each]
        assert complaints == [], f"{cell}: {complaints}"
        if result.get("failed") or check:
            return
        named = [each for each in service.snapshots.values() if each["server"]["id"] == OURS and each["name"] == NAME]
        if task.name in ("present", "present, rotate"):
            assert [each for each in named if each["status"] == "completed"], f"{cell}: nothing protects the server"
            assert result["snapshot"]["status"] == "completed"
        if task.name == "absent by name" and fault is None:
            assert named == [], f"{cell}: {named}"

    @rule(name=st.sampled_from([NAME, "nightly-5", "manual"]))
    def somebody_makes_one(self, name: str) -> None:
        self.service.process(Call("POST", "/snapshots/", {}, {"server_id": OURS, "name": name}))

    @rule()
    def time_passes(self) -> None:
        self.service.settle()

    @rule(failed=st.booleans())
    def one_ends_badly(self, failed: bool) -> None:
        for snapshot in self.service.snapshots.values():
            if snapshot["status"] == "in_progress":
                self.service.later = []
                snapshot["status"] = "failed" if failed else "completed"

    @rule()
    def a_slot_is_freed_by_hand(self) -> None:
        ours = [number for number, each in self.service.snapshots.items() if each["server"]["id"] == OURS]
        if len(ours) > 3:
            del self.service.snapshots[ours[0]]

    @invariant()
    def what_belongs_to_others_is_there(self) -> None:
        for number, snapshot in self.foreign.items():
            assert self.service.snapshots.get(number) == snapshot


def strike(fault: Fault, kind: str, skipped: int, times: int) -> Fault:
    """The fault, after so many calls of a kind, and so often."""
    seen = 0

    def struck(service: Service, call: Call, process: object) -> Answer:
        nonlocal seen
        seen += call.kind == kind
        if call.kind == kind and skipped < seen <= skipped + times:
            return fault(service, call, process)
        return process()

    return struck


TestAccount = Account.TestCase
TestAccount.settings = hypothesis.settings(
    max_examples=60, stateful_step_count=25, deadline=None, database=None, derandomize=True
)
