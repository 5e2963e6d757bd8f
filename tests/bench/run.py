# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures: what a call costs beside the peers', what a fleet waits, how the large account grows.

Every claim is a ratio of two things that were measured side by side in this one run. Writes docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import peers
from vps_emulator.testing import Emulator

CLONE = Path(__file__).resolve().parents[2]
PAGE = CLONE / "docs" / "benchmarks.md"
HEAD = """<!--
SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
SPDX-License-Identifier: GPL-3.0-or-later
-->

# Benchmarks

Written by `make bench`. Absolute seconds are those of one machine; the claims are the ratios, each of two things that
were measured side by side in the same run.
"""
# The emulator's snapshot takes five documented minutes.
DOCUMENTED_SECONDS = 300
OURS = "vpsdotorg.cloud.vps_snapshot_info"
# Modules in processes of their own, as all others run.
APART = {"VPS_DIRECT": "false"}
# The last commit before modules ran in Ansible's process, and the role decided in Python.
BASE = "99f9ac9"


@dataclass(frozen=True)
class Cost:
    """Seconds, and the largest process in MiB."""

    cpu: float
    wall: float
    memory: float


def main() -> None:
    """Measure all parts, or those that are named."""
    parts = {
        "calls": calls,
        "hosts": many_hosts,
        "requests": requests,
        "fleet": fleet,
        "update": update,
        "account": account,
    }
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *parts], help="what to measure (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="of the calls and of the large account")
    parser.add_argument("--repeat", type=int, default=10, help="calls in a round")
    parser.add_argument("--seconds", type=float, default=60, help="that a fleet's snapshot takes")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 30, 100, 300], help="of the fleets")
    parser.add_argument("--naive", type=int, default=30, help="the fleet that the naive way is measured with")
    parser.add_argument("--hosts", type=int, default=100, help="of the play with many calls")
    parser.add_argument("--updates", type=int, nargs="+", default=[30, 100, 300], help="sizes of the updated fleets")
    options = parser.parse_args()
    text = [HEAD, machine()]
    for name in options.parts or parts:
        print(f"measuring {name} ...", file=sys.stderr)
        text.append(parts[name](options))
    print("\n".join(text))
    if not options.parts:
        PAGE.write_text("\n".join(text) + "\n", encoding="utf-8")


def machine() -> str:
    """One line about where this ran."""
    version = subprocess.run(["ansible", "--version"], capture_output=True, text=True, check=True).stdout.split("]")[0]
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {version}].\n"


def calls(options: argparse.Namespace) -> str:
    """CPU and wall time of one call, beside the peers."""
    costs: dict[str, list[Cost]] = {}
    with peers.served() as url:
        for _round in range(options.rounds):
            for name, arguments in peers.tasks(url).items():
                costs.setdefault(f"`{name}`", []).append(one_call(name, arguments, options.repeat))
            apart = one_call(OURS, peers.tasks(url)[OURS], options.repeat, APART)
            costs.setdefault(f"`{OURS}`, `VPS_DIRECT=false`", []).append(apart)
    middle = {name: median(rounds) for name, rounds in costs.items()}
    ours = middle[f"`{OURS}`"]
    rows = [
        [
            name,
            f"{cost.cpu:.3f}",
            f"{cost.wall:.3f}",
            f"{ours.cpu / cost.cpu:.2f}",
            f"{ours.wall / cost.wall:.2f}",
        ]
        for name, cost in middle.items()
    ]
    return section(
        "One call",
        f"The same list of one snapshot, from one server that answers after {peers.DELAY * 1000:.0f} ms. Medians of "
        f"{options.rounds} rounds of {options.repeat} calls, without Ansible's own start.",
        ["module", "CPU s", "wall s", "our CPU / its", "our wall / its"],
        rows,
    )


def median(costs: list[Cost]) -> Cost:
    """The middle of each figure."""
    return Cost(*(statistics.median(getattr(cost, key) for cost in costs) for key in ("cpu", "wall", "memory")))


def one_call(name: str, arguments: dict[str, Any], repeat: int, env: dict[str, str] | None = None) -> Cost:
    """What one call adds to a playbook run."""

    def tasks(number: int) -> list[dict]:
        return [{name: arguments}] * number

    few, many = (
        play([{"hosts": "localhost", "gather_facts": False, "tasks": tasks(n)}], env=env)[0] for n in (1, 1 + repeat)
    )
    return Cost((many.cpu - few.cpu) / repeat, (many.wall - few.wall) / repeat, many.memory)


def many_hosts(options: argparse.Namespace) -> str:
    """What a call costs in a play over many hosts, both ways."""
    hosts = {"all": {"hosts": {f"web-{number}": {} for number in range(options.hosts)}}}
    ways: list[tuple[str, dict[str, str]]] = [("in Ansible's process", {}), ("`VPS_DIRECT=false`", APART)]
    rows, number = [], 3 * options.hosts
    with Emulator() as service:
        for way, env in ways:
            none, some = (
                play([{"hosts": "all", "gather_facts": False, "tasks": [{OURS: {}}] * n}], service, hosts, env)[0]
                for n in (0, 3)
            )
            cpu, wall = some.cpu - none.cpu, some.wall - none.wall
            rows.append([way, f"{cpu:.1f}", f"{wall:.1f}", f"{cpu / number:.3f}"])
    return section(
        "Calls over many hosts",
        f"{number} calls of `{OURS}` over {options.hosts} hosts with 5 forks, without Ansible's own start.",
        ["way", "CPU s", "wall s", "CPU s a call"],
        rows,
    )


def requests(_options: argparse.Namespace) -> str:
    """How many API calls each task costs."""
    snapshot = {"server_id": 1, "name": "before-update"}
    story = [
        ("create, without a wait", "vps_snapshot", {**snapshot, "wait": False}),
        ("list", "vps_snapshot_info", {"server_id": 1}),
        ("create another one, and wait", "vps_snapshot", {"server_id": 1, "name": "other"}),
        ("present, unchanged", "vps_snapshot", snapshot),
        ("absent, changed", "vps_snapshot", {**snapshot, "state": "absent"}),
        ("absent, unchanged", "vps_snapshot", {**snapshot, "state": "absent"}),
    ]
    rows = []
    with Emulator({"servers": [{"id": 1, "name": "web-1"}]}, time_scale=600) as service:
        for what, module, arguments in story:
            service.clear_requests()
            play(
                [{"hosts": "localhost", "gather_facts": False, "tasks": [{f"vpsdotorg.cloud.{module}": arguments}]}],
                service,
            )
            rows.append([what, " ".join(call["method"] for call in service.requests())])
    return section("API calls", "What is sent for one task.", ["task", "requests"], rows)


def fleet(options: argparse.Namespace) -> str:
    """The wall time of the snapshot phase over the slowest single snapshot."""
    measured = [
        *((size, "safe_update", *snapshot_phase(size, options.seconds, started_first=True)) for size in options.sizes),
        (
            options.naive,
            "create and wait in one task",
            *snapshot_phase(options.naive, options.seconds, started_first=False),
        ),
    ]
    rows = [
        [
            str(size),
            way,
            f"{phase:.0f}",
            f"{phase / options.seconds:.2f}",
            f"{wall:.0f}",
            f"{(wall - options.seconds) / size:.2f}",
            f"{reads / size:.1f}",
        ]
        for size, way, phase, wall, reads in measured
    ]
    return section(
        "A fleet",
        f"Snapshots that take {options.seconds:g} s each, 5 forks: the entry point `snapshot` of the role, which "
        "starts all of them and then waits for all, beside one task that creates and waits. The phase lasts from the "
        "first snapshot that is asked for to the last look at one, as the service sees it. The whole run has Ansible's "
        "start, the preflight and the report as well; what it takes beyond one snapshot is told for each server.",
        [
            "servers",
            "way",
            "phase s",
            "phase / slowest snapshot",
            "whole run s",
            "beyond a snapshot, s a server",
            "GET per server",
        ],
        rows,
    )


def snapshot_phase(size: int, seconds: float, started_first: bool) -> tuple[float, float, int]:
    """Seconds of the phase and of the whole run, and the number of reads, for a fleet."""
    seed = {"servers": [{"id": n, "name": f"web-{n}"} for n in range(1, size + 1)]}
    hosts = {f"web-{n}": {"vps_server_id": n} for n in range(1, size + 1)}
    role = {"ansible.builtin.include_role": {"name": "vpsdotorg.cloud.safe_update", "tasks_from": "snapshot"}}
    take = {"server_id": "{{ vps_server_id }}", "name": "bench"}
    naive = {"vpsdotorg.cloud.vps_snapshot": take, "delegate_to": "localhost"}
    tasks = [role if started_first else naive]
    with Emulator(seed, time_scale=DOCUMENTED_SECONDS / seconds) as service:
        cost, _output = play(
            [{"hosts": "all", "gather_facts": False, "tasks": tasks}], service, {"all": {"hosts": hosts}}
        )
        if len(taken := [call for call in service.writes() if call["status"] == 201]) != size:
            sys.exit(f"{len(taken)} snapshots were taken of {size} servers")
        calls = service.requests()
        first, last = (datetime.fromisoformat(call["at"]) for call in (taken[0], calls[-1]))
        return (last - first).total_seconds(), cost.wall, sum(call["method"] == "GET" for call in calls)


def update(options: argparse.Namespace) -> str:
    """What a whole update costs the controller for each host, beside the commit `BASE`, and as the fleet grows."""
    costs = {}
    with tempfile.TemporaryDirectory(prefix="vps-bench-") as folder:
        base = Path(folder, "ansible_collections", "vpsdotorg", "cloud")
        base.mkdir(parents=True)
        archive = subprocess.run(["git", "-C", str(CLONE), "archive", BASE], capture_output=True, check=True).stdout
        subprocess.run(["tar", "-x", "-C", str(base)], input=archive, check=True)
        first = options.updates[0]
        costs[first, f"commit {BASE}"] = whole_update(first, {"ANSIBLE_COLLECTIONS_PATH": folder})
    for size in options.updates:
        costs[size, "this commit"] = whole_update(size, {})
    least = costs[first, f"commit {BASE}"].cpu / first
    rows = [
        [str(size), way, f"{cost.wall:.0f}", f"{cost.cpu / size:.2f}", f"{cost.cpu / size / least:.2f}"]
        for (size, way), cost in costs.items()
    ]
    return section(
        "A whole update",
        "The role from preflight to clean-up, with a trivial update of one's own and 5 forks. The hosts are this "
        "machine, so that their part of the CPU time is in it.",
        ["hosts", "what", "wall s", "CPU s a host", f"CPU a host / that of {BASE}"],
        rows,
    )


def whole_update(size: int, env: dict[str, str]) -> Cost:
    """What the update of a fleet costs."""
    seed = {"servers": [{"id": n, "name": f"web-{n}"} for n in range(1, size + 1)]}
    hosts = {f"web-{n}": {"vps_server_id": n} for n in range(1, size + 1)}
    with tempfile.TemporaryDirectory(prefix="vps-bench-") as folder, Emulator(seed) as service:
        own = Path(folder, "update.yml")
        own.write_text(json.dumps([{"name": "Update", "ansible.builtin.command": "true", "changed_when": True}]))
        # What else changes on this machine meanwhile does not count.
        variables = {
            "safe_update_tasks": str(own),
            "safe_update_check_tasks": str(own),
            "safe_update_compare": False,
            "safe_update_soak": 0,
            "safe_update_reboot": "never",
        }
        role = {"ansible.builtin.include_role": {"name": "vpsdotorg.cloud.safe_update"}}
        plays = [{"hosts": "all", "gather_facts": False, "vars": variables, "tasks": [role]}]
        cost, output = play(plays, service, {"all": {"hosts": hosts}}, env)
        if len(taken := [call for call in service.writes() if call["status"] == 201]) != size:
            sys.exit(f"{len(taken)} snapshots were taken of {size} servers:\n{output}")
        return cost


def account(options: argparse.Namespace) -> str:
    """Time and memory of listing and auditing an account that grows."""
    sizes = (0, 5000, 10000)
    costs = []
    for number in sizes:
        seed = {
            "snapshot_page_size": 100,
            "servers": [{"id": n, "name": f"web-{n}"} for n in range(1, max(number // 5, 1) + 1)],
            "snapshots": [
                {"server_id": 1 + n // 5, "name": f"nightly-{n}", "status": "completed", "age": "2d"}
                for n in range(number)
            ],
        }
        with Emulator(seed) as service:
            tasks = [{"vpsdotorg.cloud.vps_snapshot_info": {}, "no_log": True}]
            listing = [
                play([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}], service)[0]
                for _round in range(options.rounds)
            ]
            auditing = [
                run(["ansible-playbook", "vpsdotorg.cloud.audit"], service, {})[0] for _round in range(options.rounds)
            ]
        costs.append((median(listing), median(auditing)))
    growth = [(most.cpu - none.cpu) / (some.cpu - none.cpu) for none, some, most in zip(*costs, strict=True)]
    rows = [
        [str(number), *(f"{figure:.1f}" for cost in pair for figure in (cost.cpu, cost.wall, cost.memory))]
        for number, pair in zip(sizes, costs, strict=True)
    ]
    return section(
        "A large account",
        "Whole runs of `vps_snapshot_info` and of the playbook `audit`, over pages of 100; medians of "
        f"{options.rounds}. Beyond the CPU seconds of an empty account, twice the snapshots take {growth[0]:.1f} "
        f"times (list) and {growth[1]:.1f} times (audit) as many.",
        ["snapshots", *(f"{what}, {unit}" for what in ("list", "audit") for unit in ("CPU s", "wall s", "MiB"))],
        rows,
    )


def play(
    plays: list[dict],
    service: Emulator | None = None,
    inventory: dict | None = None,
    env: dict[str, str] | None = None,
) -> tuple[Cost, str]:
    """Run plays; what it cost."""
    with tempfile.TemporaryDirectory(prefix="vps-bench-") as folder:
        site, hosts = Path(folder, "site.yml"), Path(folder, "hosts.yml")
        site.write_text(json.dumps(plays))
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        hosts.write_text(json.dumps({"all": {**(inventory or {"all": {}})["all"], "vars": local}}))
        return run(["ansible-playbook", "-i", str(hosts), str(site)], service, env or {})


def run(command: list[str], service: Emulator | None, env: dict[str, str]) -> tuple[Cost, str]:
    """Run a command to its end; what it cost, by the operating system's accounting."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    environment = {**os.environ, **(service.environ if service else {}), "ANSIBLE_LOCALHOST_WARNING": "false", **env}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    output = process.stdout.read() if process.stdout else ""
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{output}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(cpu, time.monotonic() - begin, usage.ru_maxrss / 1024), output


def section(title: str, text: str, columns: list[str], rows: list[list[str]]) -> str:
    """A part of the page."""
    lines = [columns, ["---"] * len(columns), *rows]
    return f"## {title}\n\n{text}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


if __name__ == "__main__":
    main()
