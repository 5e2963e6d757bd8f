# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The capsule: nothing gets out of it, and nothing is left of it. The tests start capsules within their own one."""

from __future__ import annotations

import errno
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from helpers import wait_until
from vps_lab import capsule, cgroups
from vps_lab.tools import LabError, run

NEW = [sys.executable, "-c", "import sys; from vps_lab import capsule; sys.exit(capsule.run(sys.argv[1:]))"]


def in_new_capsule(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*NEW, *command], capture_output=True, text=True, timeout=60, check=False)


def processes_with(marker: str) -> dict[str, int]:
    """Role and number of the processes that have the marker among their arguments."""
    roles = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_text().split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if marker in arguments:
            role = {sys.executable: "init" if "vps_lab.capsule" in arguments else "parent"}.get(
                arguments[0], arguments[0]
            )
            roles[role] = int(folder.name)
    return roles


def groups() -> set[Path]:
    own = cgroups.own()
    assert own is not None
    return set(own.glob(f"{cgroups.PREFIX}*"))


@dataclass(frozen=True)
class Chain:
    """A running capsule: its processes by their role, all of them with a marker."""

    marker: str
    parent: subprocess.Popen[bytes]
    pids: dict[str, int]


@pytest.fixture
def chain() -> Iterator[Chain]:
    """A capsule with a command and an orphan that ignore every polite signal."""
    marker = secrets.token_hex(8)
    stubborn = 'trap "" TERM INT HUP; setsid sleep 1000 & while :; do sleep 1; done'
    parent = subprocess.Popen([*NEW, "sh", "-c", stubborn, marker], stdout=subprocess.DEVNULL)
    wait_until(lambda: {"parent", "unshare", "init", "sh"} <= processes_with(marker).keys())
    yield Chain(marker, parent, processes_with(marker))
    parent.kill()
    parent.wait()


def test_it_hands_on_the_exit_status() -> None:
    assert in_new_capsule("sh", "-c", "exit 7").returncode == 7
    assert in_new_capsule("sh", "-c", "kill -9 $$").returncode == 128 + 9
    assert in_new_capsule("no-such-command").returncode == 127


def test_no_packet_leaves_it() -> None:
    assert capsule.is_inside()
    for family, address in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as outside, pytest.raises(OSError) as refused:  # noqa: PT011
            outside.connect((address, 53))
        assert refused.value.errno == errno.ENETUNREACH


def test_a_default_route_means_outside() -> None:
    add = f"ip route add default via {capsule.NETWORK}.9"
    ask = f'{sys.executable} -c "from vps_lab import capsule; capsule.require_inside()"'
    refused = in_new_capsule("sh", "-ec", f"{ask}; echo inside; {add}; {ask}")
    assert refused.stdout == "inside\n"
    assert "not inside the lab's capsule" in refused.stderr


def test_the_services_of_the_machine_are_out_of_reach() -> None:
    assert {path.name for path in Path("/run").iterdir()} <= {"cgroup", "mount", "netns", "vps-lab", "vps-lab-tests"}


def test_root_of_the_capsule_is_not_root_of_the_machine() -> None:
    for attempt in (["date", "--set=2001-01-01"], ["mknod", "/run/disk", "b", "254", "0"]):
        with pytest.raises(LabError, match="not permitted"):
            run(*attempt)


def test_orphans_are_reaped() -> None:
    script = "for i in 1 2 3; do setsid --fork sh -c 'sleep 0.1'; done; sleep 0.5; ps -e -o stat= | grep -c Z"
    assert in_new_capsule("sh", "-c", script).stdout == "0\n"


def test_the_end_of_the_command_ends_everything(chain: Chain) -> None:
    os.kill(chain.pids["sh"], signal.SIGKILL)
    wait_until(lambda: not processes_with(chain.marker))
    assert groups() == set()


@pytest.mark.parametrize("victim", ["parent", "unshare", "init", "sh"])
def test_after_kill_9_nothing_runs(chain: Chain, victim: str) -> None:
    namespace = Path(f"/proc/{chain.pids['init']}/ns/pid").readlink()

    def survivors() -> list[str]:
        return [str(each) for each in Path("/proc").glob("[0-9]*/ns/pid") if _link(each) == namespace]

    assert len(survivors()) >= 3
    if victim != "parent":
        # It must not be the parent's own tidying up that ends the others.
        chain.parent.send_signal(signal.SIGSTOP)
    os.kill(chain.pids[victim], signal.SIGKILL)
    wait_until(lambda: not survivors())


def test_sigterm_ends_it_and_removes_the_group(chain: Chain) -> None:
    chain.parent.terminate()
    wait_until(lambda: not processes_with(chain.marker))
    wait_until(lambda: groups() == set())


def test_the_next_start_removes_what_a_killed_one_left(chain: Chain) -> None:
    chain.parent.kill()
    chain.parent.wait()
    assert len(groups()) == 1
    assert in_new_capsule("true").returncode == 0
    assert groups() == set()


def _link(path: Path) -> Path | None:
    try:
        return path.readlink()
    except OSError:
        return None
