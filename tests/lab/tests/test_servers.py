# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers: power, disks, snapshots; each test runs with both kinds of disk."""

from __future__ import annotations

import socket
import time

import pytest
from helpers import ssh, wait_until
from vps_lab.cloud import Cloud
from vps_lab.servers import Server
from vps_lab.tools import LabError

# Writes A, then B, as fast as it can: of one moment, A is B or one ahead of it.
COUNTERS = """\
import os
a, b = (os.open(f"/srv/{name}", os.O_CREAT | os.O_WRONLY) for name in "ab")
number = 0
while True:
    number += 1
    for file in (a, b):
        os.pwrite(file, b"%020d" % number, 0)
"""


def test_it_boots_a_whole_debian_with_systemd(cloud: Cloud, server: Server) -> None:
    assert ssh(cloud, server, "systemctl is-system-running --wait") == "running"
    assert ssh(cloud, server, "systemctl list-units --failed --no-legend") == ""
    assert ssh(cloud, server, "hostname; ps -p 1 -o comm=").split() == ["alpha", "systemd"]


def test_it_has_no_way_out(cloud: Cloud, server: Server) -> None:
    with pytest.raises(LabError, match=r"unreachable|timed out"):
        ssh(cloud, server, "timeout 2 bash -c 'echo > /dev/tcp/192.0.2.1/80' || { echo timed out >&2; exit 1; }")


def test_it_cannot_change_the_kernel_of_the_machine(cloud: Cloud, server: Server) -> None:
    for attempt in ("echo c > /proc/sys/kernel/core_pattern", "date --set=2001-01-01", "mknod /tmp/disk b 254 0"):
        with pytest.raises(LabError, match=r"Read-only|not permitted"):
            ssh(cloud, server, attempt)


def test_a_reboot_is_a_new_boot_of_the_same_server(cloud: Cloud, server: Server) -> None:
    def boot() -> str:
        try:
            return ssh(cloud, server, "cat /proc/sys/kernel/random/boot_id")
        except LabError:
            return ""

    first = boot()
    ssh(cloud, server, "systemctl reboot")
    second = wait_until(lambda: (now := boot()) != first and now)
    assert server.running()
    ssh(cloud, server, "systemctl reboot --force --force || true")
    assert wait_until(lambda: (now := boot()) not in (first, second) and now)


def test_stop_and_start_keep_the_disk(cloud: Cloud, server: Server) -> None:
    ssh(cloud, server, "echo kept > /srv/file")
    server.stop()
    assert not server.running()
    assert server.read("/srv/file") == "kept\n"
    server.start()
    assert server.running()
    server.wait_for_ssh()
    assert ssh(cloud, server, "cat /srv/file") == "kept"


def test_a_stop_right_after_the_start_is_heard(server: Server) -> None:
    server.hard_stop()
    server.start()
    server.shut_down()
    wait_until(lambda: not server.running())


def test_a_server_that_powers_itself_off_is_off(cloud: Cloud, server: Server) -> None:
    ssh(cloud, server, "systemctl poweroff")
    wait_until(lambda: not server.running())
    with pytest.raises(OSError, match=r"unreachable|timed out|No route"):
        socket.create_connection((server.address, 22), 5)


def test_a_power_cut_leaves_connections_half_open(server: Server) -> None:
    with socket.create_connection((server.address, 22), 5) as connection:
        assert connection.recv(4) == b"SSH-"
        server.hard_stop()
        assert not server.running()
        connection.settimeout(1)
        connection.recv(1000)  # the rest of what it said before
        # Neither an end nor a reset arrives: whoever waits for the server waits.
        with pytest.raises(TimeoutError):
            connection.recv(1000)


def test_a_live_snapshot_is_of_one_moment(cloud: Cloud, server: Server) -> None:
    (server.store.root / "srv/counters.py").write_text(COUNTERS)
    ssh(cloud, server, "systemd-run --quiet python3 /srv/counters.py")
    wait_until(lambda: (server.store.root / "srv/b").exists())
    seen = []
    for label in map(str, range(5)):
        server.snapshot(label)
        files = server.folder / "snapshots" / label / "srv"
        a, b = (int((files / name).read_text()) for name in "ab")
        assert a - b in (0, 1)
        seen.append(a)
    assert sorted(set(seen)) == seen, "the process must go on between snapshots"


def test_a_connection_lives_through_a_snapshot(server: Server) -> None:
    with socket.create_connection((server.address, 22), 5) as connection:
        assert connection.recv(4) == b"SSH-"
        server.snapshot("1")
        connection.sendall(b"not ssh\r\n")
        assert connection.recv(1000)


def test_restore_brings_back_exactly_what_was_there(cloud: Cloud, server: Server) -> None:
    ssh(
        cloud,
        server,
        "mkdir -m 2750 /srv/d; echo old > /srv/d/changed; ln -s changed /srv/d/link; ln /srv/d/changed /srv/d/hard;"
        "mkfifo /srv/d/fifo; chown 33:44 /srv/d; touch --date=2020-02-02 /srv/d/link -h; rm /etc/motd",
    )
    look = "find /srv /etc -printf '%p %y %m %U %G %T@ %n %l\\n' | sort; md5sum /srv/d/changed"
    before = ssh(cloud, server, look)
    server.snapshot("1")
    ssh(cloud, server, "rm -r /srv/d /etc/hosts; mkdir /srv/d /etc/new; touch /etc/motd; echo new > /etc/issue; sync")
    assert ssh(cloud, server, look + " || true") != before
    server.stop()
    server.restore("1")
    server.start()
    server.wait_for_ssh()
    assert ssh(cloud, server, look) == before


def test_a_snapshot_outlives_its_restore_and_later_changes(cloud: Cloud, server: Server) -> None:
    ssh(cloud, server, "echo 1 > /srv/file; sync")
    server.snapshot("1")
    for _round in range(2):
        ssh(cloud, server, "echo changed >> /srv/file; sync")
        server.hard_stop()
        server.restore("1")
        server.start()
        server.wait_for_ssh()
        assert ssh(cloud, server, "cat /srv/file") == "1"
    server.discard("1")
    server.hard_stop()
    with pytest.raises(LabError, match="no copy"):
        server.restore("1")
    assert server.read("/srv/file") == "1\n"


def test_a_running_server_is_not_restored(server: Server) -> None:
    server.snapshot("1")
    with pytest.raises(LabError, match="alpha runs: stop it"):
        server.restore("1")


def test_a_full_disk_is_the_servers_own(cloud: Cloud, server: Server) -> None:
    with pytest.raises(LabError, match="No space left"):
        ssh(cloud, server, "dd if=/dev/zero of=/srv/big bs=1M status=none")
    size = server.store.size * 2**20
    assert (server.store.root / "srv/big").stat().st_size < size
    (cloud.folder / "elsewhere").write_bytes(b"fits")


def test_two_servers_differ_and_see_each_other(cloud: Cloud, server: Server) -> None:
    other = cloud.server("beta", "10.77.0.201")
    cloud.install(other)
    other.start()
    other.wait_for_ssh()
    try:
        identity = "cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub /sys/class/net/eth0/address"
        assert not set(ssh(cloud, server, identity).split("\n")) & set(ssh(cloud, other, identity).split("\n"))
        assert "SSH-2.0" in ssh(cloud, server, f"timeout 5 head -c 7 < /dev/tcp/{other.address}/22")
    finally:
        other.remove()


def test_boot_takes_a_few_seconds_at_most(server: Server) -> None:
    server.hard_stop()
    begin = time.monotonic()
    server.start()
    server.wait_for_ssh()
    assert time.monotonic() - begin < 10


@pytest.mark.parametrize("address", ["192.0.2.1", "10.77.0.1", "10.77.0.255", "10.77.1.2", "web1"])
def test_an_address_outside_the_capsule_is_refused(cloud: Cloud, address: str) -> None:
    with pytest.raises(LabError, match=r"10\.77\.0\.2-254"):
        cloud.server("gamma", address)
