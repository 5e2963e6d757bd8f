# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server: a Debian with systemd as its first process, an address, a disk, and a power button.

Nothing about it is remembered here. Whether it runs is what its processes say, so several programs may hold the same
server (the emulated API and a test), and one that is killed takes no knowledge with it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vps_lab import cgroups
from vps_lab.capsule import BRIDGE, CGROUP, GATEWAY, NETWORK, require_inside
from vps_lab.stores import Store
from vps_lab.tools import LabError, run

HERE = Path(__file__).parent
# systemd's own signal for "somebody pressed the power button" (systemd(1), SIGRTMIN+4).
POWER_OFF = signal.SIGRTMIN + 4
# Seconds.
STOP_TIMEOUT = 20.0
LISTEN_TIMEOUT = 10.0

NETWORK_FILE = "etc/systemd/network/10-eth0.network"


@dataclass(frozen=True)
class Process:
    """A process as the kernel describes it: its number here, its numbers in the namespaces below this one."""

    pid: int
    name: str
    inner: tuple[str, ...]
    handled: int

    @classmethod
    def read(cls, pid: int) -> Process | None:
        """The process of that number, or None if it has ended."""
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            return None
        status = dict(line.split(":", 1) for line in lines)
        # What is caught by a handler, or blocked to be read from a signalfd.
        handled = int(status["SigCgt"], 16) | int(status["SigBlk"], 16)
        return cls(pid, status["Name"].strip(), tuple(status["NSpid"].split()[1:]), handled)

    def listens_for(self, number: int) -> bool:
        """Whether a signal of that number would reach it."""
        return bool(self.handled >> (number - 1) & 1)

    def signal(self, number: int) -> None:
        """Send it; harmless if the process has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)


class Server:
    """One server, living under FOLDER.

    Args:
        name: its host name.
        address: its IPv4 address, in the capsule's network.
        store: where its disk is.
    """

    def __init__(self, folder: Path, name: str, address: str, store: Store) -> None:
        prefix, _dot, number = address.rpartition(".")
        if prefix != NETWORK or not number.isdecimal() or not 1 < int(number) < 255:
            raise LabError(f"server {name} cannot have the address {address}: it must lie in {NETWORK}.2-254")
        self.name = name
        self.address = address
        self.folder = folder
        self.store = store
        self.console = folder / "console.log"
        self.cgroup = CGROUP / name
        self._link = f"vps{number}"
        self._mac = f"02:76:70:73:00:{int(number):02x}"

    # -- its disk

    @property
    def installed(self) -> bool:
        """Whether it has a disk with a system on it."""
        return (self.folder / "installed").exists()

    def install(self, authorized_key: str, apt_source: str) -> None:
        """Put a fresh system on its disk: own name, identity, host key and network, and the key of root.

        Installed again, it keeps its host key, and its snapshots are gone.

        Args:
            authorized_key: the public ssh key that logs in as root.
            apt_source: the lines of its /etc/apt/sources.list.
        """
        require_inside()
        with self._alone():
            self._refuse_if_running("install it")
            shutil.rmtree(self.folder / "snapshots", ignore_errors=True)
            self.console.unlink(missing_ok=True)
            self.store.create()
            self.store.mount()
            files = {
                "etc/hostname": self.name,
                "etc/hosts": f"127.0.0.1 localhost\n{self.address} {self.name}",
                "etc/machine-id": uuid.uuid4().hex,
                NETWORK_FILE: network_file(self.address),
                "etc/apt/sources.list": apt_source,
                "root/.ssh/authorized_keys": authorized_key,
            }
            for path, text in files.items():
                target = self.store.root / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(f"{text}\n")
            key = self.folder / "host_key"
            if not key.exists():
                run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.name, "-f", key)
            for suffix in ("", ".pub"):
                shutil.copy(f"{key}{suffix}", self.store.root / f"etc/ssh/ssh_host_ed25519_key{suffix}")
            (self.folder / "installed").touch()

    @property
    def host_key(self) -> str:
        """Its public ssh host key, as a line of known_hosts."""
        kind, key = (self.folder / "host_key.pub").read_text().split()[:2]
        return f"{self.address} {kind} {key}"

    def read(self, path: str) -> str:
        """The text of a file of the server, whether it runs or not; LabError if there is none."""
        with self._alone():
            self.store.mount()
            # Its symbolic links are about its own root.
            return run("chroot", self.store.root, "cat", path)

    def snapshot(self, label: str) -> int:
        """Copy its whole disk as of one moment, running or not; returns the size in bytes."""
        with self._alone():
            target = self._snapshot(label)
            target.parent.mkdir(exist_ok=True)
            still = cgroups.frozen(self.cgroup) if self.running() else contextlib.nullcontext()
            with still:
                return self.store.copy(target)

    def restore(self, label: str) -> None:
        """Replace its whole disk by a snapshot; the server must be off."""
        with self._alone():
            self._refuse_if_running("restore it")
            self.store.put_back(self._snapshot(label))

    def discard(self, label: str) -> None:
        """Delete a snapshot; harmless if it is gone."""
        with self._alone():
            shutil.rmtree(self._snapshot(label), ignore_errors=True)

    # -- its power

    def running(self) -> bool:
        """Whether it is under power: rebooting counts, having powered itself off does not."""
        return cgroups.populated(self.cgroup)

    def start(self) -> None:
        """Press the power button; returns at once. Harmless if it runs."""
        require_inside()
        with self._alone():
            cgroups.thaw(self.cgroup)
            if self.running():
                return
            self.store.mount()
            self.cgroup.mkdir(exist_ok=True)
            box = ["sh", HERE / "box.sh", self.name, self.store.root, self.cgroup, self._link, self._mac, BRIDGE]
            # The shell joins the group before it lets go of us, so that the server counts as running from now on.
            # A session of its own: Ctrl-C in the terminal is no power cut.
            join = 'echo 0 > "$1/cgroup.procs" && log=$2 && shift 2 && exec setsid --fork "$@" >> "$log" 2>&1'
            run("sh", "-c", join, "sh", self.cgroup, self.console, *box)

    def shut_down(self) -> None:
        """Ask it to shut down, and return at once. Harmless if it is off."""
        with self._alone():
            deadline = time.monotonic() + LISTEN_TIMEOUT
            while self.running() and time.monotonic() < deadline:
                # The kernel drops the signal as long as systemd does not listen for it.
                if (init := self._init()) is not None and init.listens_for(POWER_OFF):
                    init.signal(POWER_OFF)
                    return
                time.sleep(0.02)
            if self.running():
                raise LabError(f"{self.name} runs, but its init did not listen within {LISTEN_TIMEOUT} s")

    def stop(self, timeout: float = STOP_TIMEOUT) -> None:
        """Ask it to shut down, and cut the power if it still runs after TIMEOUT seconds. Harmless if it is off."""
        self.shut_down()
        cgroups.wait_empty(self.cgroup, timeout)
        self.hard_stop()

    def hard_stop(self) -> None:
        """Cut the power: the network is gone first, so that nobody hears the server die."""
        with self._alone():
            self._cut()

    def wait_for_ssh(self, timeout: float = 300) -> None:
        """Wait until its sshd answers.

        Args:
            timeout: seconds.

        Raises:
            LabError: it did not; the message ends with what the console shows.
        """
        deadline = time.monotonic() + timeout
        while True:
            try:
                with socket.create_connection((self.address, 22), 0.25) as connection:
                    connection.settimeout(1)
                    if connection.recv(4) == b"SSH-":
                        return
            except OSError:
                pass
            if time.monotonic() > deadline:
                log = self.console.read_text(errors="replace")[-2000:] if self.console.exists() else ""
                raise LabError(f"{self.name} did not answer on {self.address}:22 within {timeout} s; console:\n{log}")
            time.sleep(0.05)

    def remove(self) -> None:
        """Cut the power and delete everything of it."""
        with self._alone():
            self._cut()
            self.store.remove()
        shutil.rmtree(self.folder)

    def _cut(self) -> None:
        with contextlib.suppress(LabError):
            run("ip", "link", "set", self._link, "down")
        cgroups.remove(self.cgroup)
        for rest in (("link", "delete", self._link), ("netns", "delete", self.name)):
            with contextlib.suppress(LabError):
                run("ip", *rest)
        if self.running():
            raise LabError(f"processes of {self.name} survived SIGKILL: {cgroups.processes(self.cgroup)}")

    def _init(self) -> Process | None:
        """The process that is number 1 inside the server."""
        found = [process for process in map(Process.read, cgroups.processes(self.cgroup)) if process]
        # Shells have that number before it.
        return next((process for process in found if (process.name, process.inner) == ("systemd", ("1",))), None)

    def _snapshot(self, label: str) -> Path:
        return self.folder / "snapshots" / label

    def _refuse_if_running(self, what: str) -> None:
        if self.running():
            raise LabError(f"{self.name} runs: stop it, then {what}")

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one process and thread at a time change this server."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def network_file(address: str) -> str:
    """The network configuration of a server, as systemd-networkd reads it."""
    return f"[Match]\nName=eth0\n\n[Network]\nAddress={address}/24\nGateway={GATEWAY}\nLinkLocalAddressing=no\n"
