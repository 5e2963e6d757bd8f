# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers: booting, power, and what they cannot reach."""

from __future__ import annotations

import socket

import pytest
from helpers import ssh, wait_until
from vps_lab.cloud import Cloud
from vps_lab.servers import Server
from vps_lab.tools import LabError


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


@pytest.mark.parametrize("address", ["192.0.2.1", "10.77.0.1", "10.77.0.255", "10.77.1.2", "web1"])
def test_an_address_outside_the_capsule_is_refused(cloud: Cloud, address: str) -> None:
    with pytest.raises(LabError, match=r"10\.77\.0\.2-254"):
        cloud.server("gamma", address)
