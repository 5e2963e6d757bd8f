# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every task, in every state that matters, with every fault at every call: one cell each."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise, product
from typing import Any

import pytest
import requests
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.vpsdotorg.cloud.plugins.module_utils import _client, _http, _module, _operations

from .service import TOKEN, URL, Answer, Call, Clock, Fault, Service, answer, lost

OURS, OTHER = 7, 8
NAME = "before-update"

# The states of the server: its status, and its snapshots as id, name, status and age in hours.
STATES: dict[str, tuple[str, list[tuple[int, str, str, float]]]] = {
    "empty": ("active", []),
    "completed": ("active", [(71, NAME, "completed", 3)]),
    "in progress": ("active", [(71, NAME, "in_progress", 0.01)]),
    "failed": ("active", [(71, NAME, "failed", 3)]),
    "unknown": ("active", [(71, NAME, "archived", 3)]),
    "two of a name": ("active", [(71, NAME, "completed", 9), (72, NAME, "completed", 3)]),
    "full": ("active", [(71 + n, f"nightly-{n}", "completed", 90 - n) for n in range(5)]),
    "restoring": ("restoring", [(71, NAME, "completed", 3)]),
    "suspended": ("suspended", [(71, NAME, "completed", 3)]),
    "stopped": ("stopped", [(71, NAME, "completed", 3)]),
    "young": ("active", [(71 + n, f"nightly-{n}", "completed", 0.5) for n in range(4)]),
}


@dataclass(frozen=True)
class Task:
    """A task as a user writes it.

    :param states: Where it is tried.
    :param may_delete: The names that it may delete on its server; on any server where `everywhere`.
    """

    name: str
    module: str
    options: dict[str, Any]
    states: tuple[str, ...]
    may_delete: str = "$."
    everywhere: bool = False
    restores: bool = False


ANY = ("empty", "completed", "in progress", "failed", "unknown", "two of a name", "full")
ON = {"server_id": OURS, "name": NAME}
TASKS = [
    Task("present", "vps_snapshot", ON, ANY, NAME),
    Task("present, no wait", "vps_snapshot", {**ON, "wait": False}, ANY, NAME),
    Task(
        "present, rotate",
        "vps_snapshot",
        {**ON, "on_limit": "rotate", "rotate_prefix": "nightly-"},
        ("empty", "completed", "full"),
        f"{NAME}|nightly-0",
    ),
    Task("absent by name", "vps_snapshot", {**ON, "state": "absent"}, ANY, NAME),
    Task(
        "absent by id",
        "vps_snapshot",
        {"state": "absent", "server_id": OURS, "snapshot_id": 71},
        ("empty", "completed", "two of a name"),
        f"{NAME}",
    ),
    Task("absent by a foreign id", "vps_snapshot", {**ON, "state": "absent", "snapshot_id": 81}, ("empty", "full")),
    Task("restore", "vps_snapshot_restore", ON, (*ANY, "restoring", "suspended", "stopped"), restores=True),
    Task(
        "restore, no wait",
        "vps_snapshot_restore",
        {"server_id": OURS, "snapshot_id": 71, "wait": False},
        ("completed", "stopped", "restoring"),
        restores=True,
    ),
    Task(
        "prune",
        "vps_snapshot_prune",
        {"server_id": OURS, "name_prefix": "nightly-", "keep": 2},
        ("empty", "full"),
        "nightly-[0-2]",
    ),
    Task(
        "prune everywhere",
        "vps_snapshot_prune",
        {"all_servers": True, "name_prefix": "nightly-", "keep": 3, "older_than": "1h"},
        ("completed", "full"),
        "nightly-[01]",
        everywhere=True,
    ),
    Task(
        "prune nothing that is young",
        "vps_snapshot_prune",
        {"server_id": OURS, "name_prefix": "nightly-", "older_than": "1h"},
        ("young",),
    ),
    Task("snapshot info", "vps_snapshot_info", {"server_id": OURS}, ("completed", "unknown")),
    Task("server info", "vps_server_info", {}, ("completed",)),
    Task("backup info", "vps_backup_info", {"server_id": OURS}, ("completed",)),
    Task("stop", "vps_server_power", {"server_id": OURS, "state": "stopped"}, ("completed", "stopped", "suspended")),
    Task("restart", "vps_server_power", {"server_id": OURS, "state": "restarted"}, ("completed", "stopped")),
]

KINDS = (
    "GET /snapshots/",
    "POST /snapshots/",
    "DELETE /snapshots/N/",
    "POST /snapshots/N/restore/",
    "GET /servers/",
    "GET /servers/N/",
    "POST /servers/N/power/",
    "GET /backups/",
)


# Faults: what comes back instead, or what happens beside.


def status(code: int, body: Any = None, after: bool = False, **headers: str) -> Fault:
    def fault(_service: Service, _call: Call, process: Any) -> Answer:
        if after:
            process()
        return answer(code, body if body is not None else {"detail": f"No, {TOKEN}."}, **headers)

    return fault


def failing(error: type[Exception] | None = None, after: bool = False, late: float = 0) -> Fault:
    """No answer; the service processes the call at once, late, or never."""

    def fault(service: Service, call: Call, process: Any) -> Answer:
        if after:
            process()
        if late:
            call.effect = True
            service.after(late, lambda: service.process(call))
        service.clock.sleep(1)
        raise error("it took too long") if error else lost()

    return fault


def spoiled(spoil: Any) -> Fault:
    """The true answer, spoiled on its way."""

    def fault(_service: Service, _call: Call, process: Any) -> Answer:
        code, headers, content = process()
        return code, headers, spoil(content)

    return fault


def changed_item(**fields: Any) -> Fault:
    """The first item of a list, or the one object, with other fields (... leaves one out)."""

    def spoil(content: bytes) -> bytes:
        body = json.loads(content) if content else {}
        items = body.get("results", [body]) if isinstance(body, dict) else []
        for item in items[:1]:
            item.update(fields)
            for name in [name for name, value in fields.items() if value is ...]:
                del item[name]
        return json.dumps(body).encode()

    return spoiled(spoil)


def changed_page(change: Any) -> Fault:
    def spoil(content: bytes) -> bytes:
        body = json.loads(content) if content else None
        if isinstance(body, dict) and "results" in body:
            body = change(body)
        return json.dumps(body).encode()

    return spoiled(spoil)


def beside(action: Any) -> Fault:
    """The true answer, and right after it somebody else does something."""

    def fault(service: Service, _call: Call, process: Any) -> Answer:
        result = process()
        action(service)
        return result

    return fault


def lost_beside(action: Any) -> Fault:
    """Somebody else does something, and the call gets lost."""

    def fault(service: Service, _call: Call, _process: Any) -> Answer:
        action(service)
        raise lost()

    return fault


def somebody_creates(service: Service) -> None:
    service.process(Call("POST", "/snapshots/", {}, {"server_id": OTHER, "name": "nightly-9"}))


def somebody_deletes(service: Service) -> None:
    service.snapshots.pop(81, None)


def somebody_makes_the_same(service: Service) -> None:
    """Somebody else takes a snapshot of our server and name, if there is a slot."""
    if service.process(Call("POST", "/snapshots/", {}, {"server_id": OURS, "name": NAME}))[0] == 201:
        service.foreign.append(service.creations.pop())


def somebody_restores(service: Service) -> None:
    """Somebody else restores our server."""
    if service.process(Call("POST", "/snapshots/71/restore/", {}, None))[0] == 200:
        service.restores.pop()


def sized(size: int, fault: Fault) -> Fault:
    def small(service: Service, call: Call, process: Any) -> Answer:
        service.page_size = size
        return fault(service, call, process)

    return small


def answer_names_another(service: Service, call: Call, process: Any) -> Answer:
    """The call is processed, but its answer describes a snapshot of somebody else."""
    result = process()
    return answer(result[0], service.snapshots[81]) if call.method == "POST" else result


ODD_ITEMS = {
    f"{name}={value!r}"[:40]: changed_item(**{name: value})
    for name, values in {
        "id": [None, True, "x", -1, 1.5, [], {}, 10**40, ...],
        "name": [None, 5, [], ...],
        "status": [None, ["completed"], {}, 3, "x\x1b[31m\x07\nfake: [ok]", "FAILED", ...],
        "server": [None, [], {}, {"id": None}, {"id": [7]}, "x-y", ...],
    }.items()
    for value in values
}
FAULTS: dict[str, Fault] = {
    "lost before": failing(),
    "lost after": failing(after=True),
    "time-out before": failing(requests.ReadTimeout),
    "time-out after": failing(requests.ReadTimeout, after=True),
    "no connection": failing(requests.ConnectTimeout),
    "processed 5 s late": failing(late=5),
    "processed 20 s late": failing(late=20),
    "processed 60 s late": failing(late=60),
    "500 after": status(500, after=True),
    "502 page": status(502, b"<html><title>Bad Gateway</title></html>"),
    "504 page after": status(504, b"<html>", after=True),
    "200 page": status(200, b"<html><title>Hello</title></html>"),
    "cut": spoiled(lambda content: content[: len(content) // 2]),
    "empty": spoiled(lambda _content: b""),
    "null": spoiled(lambda _content: b"null"),
    "text": spoiled(lambda _content: b'"hello"'),
    "number": spoiled(lambda _content: b"5"),
    "list": spoiled(lambda _content: b"[1, null]"),
    "deep": spoiled(lambda _content: b"[" * 100_000 + b"]" * 100_000),
    "latin-1": spoiled(lambda _content: b'{"detail": "\xe4"}'),
    "token": status(400, {TOKEN: [TOKEN], "detail": f"Bearer {TOKEN}"}),
    "control characters": status(400, {"detail": "\x1b[31m\x07\nfake: [ok]"}),
    "errors by field": status(400, {"name": ["Too long.", "Odd."], "x": {"y": [1]}}),
    "429 once": status(429, **{"Retry-After": "7"}),
    "429 for hours": status(429, **{"Retry-After": "86400"}),
    "503 soon": status(503, **{"Retry-After": "soon"}),
    "503 half": status(503, **{"Retry-After": "1.5"}),
    "503 minus": status(503, **{"Retry-After": "-5"}),
    "503 digits": status(503, **{"Retry-After": "9" * 5000}),
    "302": status(302, None, Location="https://evil.invalid/"),
    "answer names another": answer_names_another,
    "another id": changed_item(id=OTHER),
    "made in the future": changed_item(created_at="2099-01-01T00:00:00Z"),
    "results null": changed_page(lambda page: {**page, "results": None}),
    "results text": changed_page(lambda page: {**page, "results": ["a", 5, None]}),
    "count too large": changed_page(lambda page: {**page, "count": page["count"] + 1}),
    "count text": changed_page(lambda page: {**page, "count": "many"}),
    "next number": changed_page(lambda page: {**page, "next": 5}),
    "next list": changed_page(lambda page: {**page, "next": ["x"]}),
    "next broken": changed_page(lambda page: {**page, "next": "http://["}),
    "next itself": changed_page(lambda page: {**page, "next": "?page=1"}),
    "repeated item": changed_page(lambda page: {**page, "results": page["results"] + page["results"][:1]}),
    "page by page": sized(1, beside(lambda _service: None)),
    "somebody makes the same": beside(somebody_makes_the_same),
    "somebody makes the same, lost after": lost_beside(somebody_makes_the_same),
    "somebody restores": beside(somebody_restores),
    "grows between pages": sized(1, beside(somebody_creates)),
    "shrinks between pages": sized(1, beside(somebody_deletes)),
    **ODD_ITEMS,
}
STATUSES = [*range(300, 600), 999]


@dataclass
class Cell:
    """One task in one state with one fault.

    :param call: The kind of call that the fault is at.
    :param times: How often it strikes.
    """

    task: Task
    state: str
    call: str
    fault_name: str
    fault: Fault
    times: int
    check: bool
    complaints: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        mode = ", check mode" if self.check else ""
        return f"{self.task.name} ({self.state}{mode}) with {self.fault_name} x {self.times} at {self.call}"


def cells(*names: str) -> Iterator[Cell]:
    """All cells, or those of the tasks of these names: each fault at each call that a task makes in a state."""
    for task in TASKS:
        if not names or task.name in names:
            yield from _with_each_fault(task)
            yield from _with_each_status(task)


def _with_each_fault(task: Task) -> Iterator[Cell]:
    for state, check in product(task.states, (False, True)):
        for call, (name, fault), times in product(calls_of(task, state, check), FAULTS.items(), (1, 99)):
            yield Cell(task, state, call, name, fault, times, check)


def _with_each_status(task: Task) -> Iterator[Cell]:
    state = {"present": "empty", "absent by name": "completed", "restore": "completed", "stop": "completed"}.get(
        task.name
    )
    for call, code in product(calls_of(task, state, False) if state else (), STATUSES):
        yield Cell(task, state or "", call, f"status {code}", status(code), 99, False)


def calls_of(task: Task, state: str, check: bool) -> list[str]:
    """The kinds of calls that a task makes where nothing fails."""
    service = make_service(state)
    run(task, service, check)
    return sorted({call.kind for call in service.calls}, key=KINDS.index)


def make_service(state: str) -> Service:
    server_status, snapshots = STATES[state]
    # The clock of this machine is an hour fast.
    service = Service(Clock(), skew=-3600)
    service.add_server(OURS, server_status)
    service.add_server(OTHER)
    # Somebody else's, of the very same names.
    for number, (name, hours) in enumerate([(NAME, 3.0), ("nightly-8", 5.0), ("nightly-9", 4.0)], start=81):
        service.add_snapshot(number, OTHER, name, "completed", hours)
    for number, name, snapshot_status, hours in snapshots:
        made = service.add_snapshot(number, OURS, name, snapshot_status, hours)
        if snapshot_status == "in_progress":
            service.after(100, lambda made=made: made.update(status="completed"))
    if server_status == "restoring":
        service.after(100, lambda: service.servers[OURS].update(status="active"))
    return service


def run(task: Task, service: Service, check: bool) -> dict[str, Any]:
    """Run a task as the collection does, but for the wire and the clock."""
    module = importlib.import_module(f"ansible_collections.vpsdotorg.cloud.plugins.modules.{task.module}").MODULE
    arguments = {"api_token": TOKEN, "api_url": URL, **task.options}
    validation = ArgumentSpecValidator(module.spec, **{"mutually_exclusive": None, **module.requirements}).validate(
        _module.given(arguments)
    )
    assert validation.error_messages == []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_http.Http, "_exchange", lambda _http, *call: service.exchange(*call))
        patch.setattr(_http, "_call_within", lambda _seconds, call: call())
        for room in (_client, _operations):
            patch.setattr(room, "time", service.clock)
        return _module.perform(module, arguments, validation.validated_parameters, check)


# What must hold, whatever happened.

DO = re.compile(
    r"\b(Check|Run|Look|List|Say|Wait|wait|Delete|delete|Use|use|Correct|correct|Ask|ask|try again|Try|Name|Give|give|"
    r"Install|Grant|Set|Shorten|look|run|choose|do not start)\b"
)
TRIED = re.compile(
    r"\b(GET|POST|DELETE) /|\b(Creating|Restoring|Waiting|Power action|Nothing was|Refused|Snapshot|Server|server)\b"
)


def judge(cell: Cell, result: dict[str, Any], service: Service, before: dict[int, dict]) -> list[str]:
    """What does not hold in a cell after its run."""
    complaints = []

    def require(holds: Any, complaint: str) -> None:
        if not holds:
            complaints.append(complaint)

    failed, text = result.get("failed", False), json.dumps(result, default=str)
    message, warnings = result.get("msg", ""), " ".join(result.get("warnings", []))
    writes = [call for call in service.calls if call.method != "GET"]
    require("exception" not in result, f"traceback: {str(result.get('exception'))[-300:]}")
    require(TOKEN not in text, "token")
    require(not cell.check or not writes, "a write in check mode")
    require(service.clock.elapsed < 3 * 3600 and len(service.calls) < 600, f"no end: {service.clock.elapsed} s")
    if failed:
        require(TRIED.search(message), f"what was tried is not said: {message}")
        require(DO.search(message), f"what to do is not said: {message}")
        require(message.rstrip().endswith((".", ")")), f"no sentence: {message}")
    require(message.isprintable() and warnings.isprintable(), "control characters")

    require((result.get("server") or {}).get("id") in (None, OURS), f"told of server {result.get('server')}")
    service.settle()
    for number in service.deletions:
        gone = before.get(number)
        allowed = number in (*service.creations, *service.foreign) or (
            gone
            and re.fullmatch(cell.task.may_delete, gone["name"])
            and (cell.task.everywhere or gone["server"]["id"] == OURS)
        )
        require(allowed, f"deleted {number}: {gone}")
    # What is called so, and is there when it is looked for, is what `absent` was asked for, whoever made it.
    if not cell.task.name.startswith("absent"):
        require(not set(service.foreign) & set(service.deletions), "deleted what somebody else made meanwhile")
    made = [number for number in service.creations if number in service.snapshots and of(service, number) == OURS]
    is_told = failed or "may still be" in warnings or any(str(number) in warnings for number in made)
    require(len(made) < 2 or is_told, f"doubled {made}")
    posts = [place for place, call in enumerate(service.calls) if call.kind == "POST /snapshots/"]
    sure = [place for place in posts if service.calls[place].status == 429 or cell.fault_name == "no connection"]
    doubtful = [place for place in posts if place not in sure]
    require(len(doubtful) <= 2, f"{len(doubtful)} POSTs")
    for first, second in pairwise(doubtful):
        looks = [call for call in service.calls[first:second] if call.kind == "GET /snapshots/"]
        require(len(looks) >= 3, "a second POST before three looks")
    require(len(service.restores) <= 1, f"restored {service.restores}")
    require(all(cell.task.restores and number in (71,) for number in service.restores), f"restored {service.restores}")
    powered = any(call.kind == "POST /servers/N/power/" and call.effect for call in service.calls)
    # One of ours that gave way to somebody else's changed nothing.
    gone = set(service.deletions) - set(service.creations)
    # Whose a snapshot is that turns up after a lost create, nobody can tell.
    is_known = not (service.foreign and "lost" in cell.fault_name)
    done = [call for call in writes if call.effect]
    if failed:
        require(not result["changed"] or done, "changed, and nothing was sent")
        # What another call has told is known, whatever became of this one.
        told = [call for call in done if call.kind != cell.call and 200 <= (call.status or 0) < 300]
        require(result["changed"] or not told, f"not changed after {[call.kind for call in told]}")
    if not failed and not cell.check and not cell.task.module.endswith("_info") and not warnings and is_known:
        had_effect = bool(gone or service.restores or made or powered)
        require(result["changed"] == had_effect, f"changed is {result['changed']}, the effect {had_effect}")
    return complaints


def of(service: Service, number: int) -> int:
    return service.snapshots[number]["server"]["id"]


def try_cell(cell: Cell) -> list[str]:
    """Run a cell, and return what does not hold."""
    service = make_service(cell.state)
    before = {number: dict(snapshot) for number, snapshot in service.snapshots.items()}
    left = cell.times

    def strike(service: Service, call: Call, process: Any) -> Answer:
        nonlocal left
        if call.kind != cell.call or left <= 0:
            return process()
        left -= 1
        return cell.fault(service, call, process)

    service.fault = strike
    return judge(cell, run(cell.task, service, cell.check), service, before)
