# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The capsule: namespaces in which a whole small cloud lives, which no packet leaves and of which nothing is left.

    run()  (outside)  ->  setpriv --pdeathsig KILL unshare --kill-child  ->  main(): PID 1 of the capsule  ->  COMMAND

Whichever of these is killed, the kernel kills the ones after it, and with PID 1 every process, mount, interface and
temporary file system of the capsule. Only empty control groups can be left; the next start removes them.
The capsule always has a user namespace of its own: root in it has no power over the machine outside.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from vps_lab import cgroups
from vps_lab.tools import LabError
from vps_lab.tools import run as tool

NETWORK = "10.77.0"
GATEWAY = f"{NETWORK}.1"
BRIDGE = "vpslab0"
CGROUP = Path("/run/cgroup")
# Host's process id of the capsule's PID 1, by which a running capsule is entered.
PID_VARIABLE = "VPS_LAB_CAPSULE"

DIE_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL")
NAMESPACES = ("--user", "--mount", "--net", "--pid", "--ipc", "--uts")
# The two stages of PID 1: without ids and capabilities of the namespace, and with them.
UNMAPPED, MAPPED = "unmapped", "mapped"
ALL_IDS = str(2**32 - 1)
SYSTEM_PATHS = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def run(command: Sequence[str]) -> int:
    """Run COMMAND in a new capsule and return its exit status (128 + N where signal N ended it).

    Raises:
        LabError: this machine cannot run a capsule; the message says what is missing.
    """
    find_system_tools()
    group = cgroups.make()
    chain: subprocess.Popen[bytes] | None = None
    ours, theirs = socket.socketpair()
    for end in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(end, _leave)
    try:
        # What ends the group ends the capsule; and a capsule within this one finds a group of its own.
        join = ["sh", "-c", 'echo 0 > "$1/cgroup.procs" && shift && exec "$@"', "sh", str(group)]
        inner = [sys.executable, "-m", "vps_lab.capsule", UNMAPPED, str(theirs.fileno()), str(group), *command]
        chain = subprocess.Popen([*join, *unshare(), "--", *inner], pass_fds=[theirs.fileno()])
        theirs.close()
        # Ctrl-C is for COMMAND, which ends cleanly; everything above it waits for that.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if ours.recv(1):
            if os.geteuid() == 0:
                _map_own_ids(chain.pid)
            ours.send(b".")
        status = chain.wait()
        return status if status >= 0 else 128 - status
    finally:
        if chain:
            chain.kill()
            chain.wait()
        ours.close()
        cgroups.remove(group)


def unshare() -> list[str]:
    """The command that opens the namespaces; root's user ids are mapped from outside, others' by newuidmap."""
    chain = [*DIE_WITH_PARENT, "unshare", *NAMESPACES, "--fork", "--kill-child=KILL"]
    return chain if os.geteuid() == 0 else [*chain, "--map-root-user", "--map-auto"]


def is_inside() -> bool:
    """Whether this process is in a capsule: the bridge is there, and no route to the world is."""
    return BRIDGE in {name for _index, name in socket.if_nameindex()} and not _default_routes()


def require_inside() -> None:
    """Refuse to go on outside a capsule, where packets to the servers' addresses would leave the machine.

    Raises:
        LabError: this process is not in a capsule.
    """
    if not is_inside():
        raise LabError(
            "not inside the lab's capsule, where no packet can leave the machine: "
            "start this with 'python -m vps_lab run -- COMMAND'"
        )


def enter(pid: int, command: Sequence[str]) -> NoReturn:
    """Replace this process by COMMAND inside the running capsule whose PID 1 has the number PID outside."""
    find_system_tools()
    flags = [*NAMESPACES] if os.geteuid() == 0 else [*NAMESPACES, "--preserve-credentials"]
    # Entering the mount namespace moves the working folder to its root: go back by name.
    back = ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", str(Path.cwd())]
    os.execvp("nsenter", ["nsenter", "--target", str(pid), *flags, "--", *back, *command])


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def find_system_tools() -> None:
    """Add to PATH the folders that an ordinary user's lacks: ip and pivot_root are there."""
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    os.environ["PATH"] = os.pathsep.join([*path, *(folder for folder in SYSTEM_PATHS if folder not in path)])


def _map_own_ids(pid: int) -> None:
    """Map the user and group ids of this namespace to themselves in the new one of the process PID."""
    for kind in ("uid_map", "gid_map"):
        inner = [line.split() for line in Path("/proc/self", kind).read_text().splitlines()]
        # All ids but the last: by a complete map, systemd would take itself for root of the machine.
        lines = [f"{first} {first} {int(count) - (count == ALL_IDS)}\n" for first, _outer, count in inner]
        Path("/proc", str(pid), kind).write_text("".join(lines))


def _default_routes() -> list[str]:
    """The interfaces that have a default route, IPv4 or IPv6."""
    routes = [line.split() for line in Path("/proc/net/route").read_text().splitlines()[1:]]
    found = [fields[0] for fields in routes if fields[1] == fields[7] == "00000000"]
    six = Path("/proc/net/ipv6_route")
    lines = six.read_text().splitlines() if six.exists() else []
    # The kernel keeps an "unreachable" default of its own on lo.
    return found + [
        line.split()[-1] for line in lines if line.startswith("0" * 32 + " 00 ") and line.split()[-1] != "lo"
    ]


def main(arguments: Sequence[str]) -> NoReturn:
    """PID 1 of the capsule: waits until its ids are mapped, sets the capsule up, runs the command, reaps orphans."""
    stage, channel, group, *command = arguments
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = socket.socket(fileno=int(channel))
    if stage == UNMAPPED:
        parent.send(b".")
        parent.recv(1)
        # The next exec gives the capabilities, and takes away what unshare --kill-child has set.
        again = [*DIE_WITH_PARENT, sys.executable, "-m", "vps_lab.capsule", MAPPED, channel, group, *command]
        os.execvp(again[0], again)
    # From here on the kernel tells of the parent's death: was it in time?
    with parent, contextlib.suppress(BlockingIOError):
        if parent.recv(1, socket.MSG_DONTWAIT) == b"":
            raise SystemExit("the parent of the capsule was killed while it began")
    _furnish(Path(group))
    raise SystemExit(_serve(command))


def _furnish(group: Path) -> None:
    # The old /proc is still mounted: it knows this process by the number that the machine outside uses.
    os.environ[PID_VARIABLE] = str(Path("/proc/self").readlink())
    tool("mount", "-t", "proc", "-o", "nosuid,nodev,noexec", "proc", "/proc")
    # An empty /run hides every socket of the machine's own services (systemd, D-Bus, container engines).
    # It is made elsewhere and moved, as the control group of a capsule within a capsule lies below /run itself.
    stage = Path("/mnt")
    tool("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", stage)
    (stage / CGROUP.name).mkdir()
    tool("mount", "--rbind", group, stage / CGROUP.name)
    tool("mount", "--no-mtab", "--move", stage, CGROUP.parent)
    tool("mount", "-t", "sysfs", "-o", "ro", "sysfs", "/sys")
    tool("ip", "link", "set", "lo", "up")
    tool("ip", "link", "add", BRIDGE, "type", "bridge")
    tool("ip", "address", "add", f"{GATEWAY}/24", "dev", BRIDGE)
    tool("ip", "link", "set", BRIDGE, "up")
    require_inside()


def _serve(command: Sequence[str]) -> int:
    try:
        child = os.posix_spawnp(command[0], command, os.environ, setsigdef=[signal.SIGINT])
    except OSError as error:
        print(f"cannot run {command[0]}: {error.strerror}", file=sys.stderr)
        return 127
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except LabError as error:
        raise SystemExit(f"cannot furnish the capsule: {error}") from error
