# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks, snapshots and restores: the same tests over both kinds of store."""

from __future__ import annotations

import socket

import pytest
from helpers import ssh, wait_until
from vps_lab.cloud import Cloud
from vps_lab.servers import Server
from vps_lab.tools import LabError

pytestmark = pytest.mark.parametrize("cloud", ["overlay", "copy"], indirect=True)

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


def test_stop_and_start_keep_the_disk(cloud: Cloud, server: Server) -> None:
    ssh(cloud, server, "echo kept > /srv/file")
    server.stop()
    assert not server.running()
    assert server.read("/srv/file") == "kept\n"
    server.start()
    assert server.running()
    server.wait_for_ssh()
    assert ssh(cloud, server, "cat /srv/file") == "kept"


def test_a_live_snapshot_is_of_one_moment(cloud: Cloud, server: Server) -> None:
    (server.store.root / "srv/counters.py").write_text(COUNTERS)
    ssh(cloud, server, "systemd-run --quiet python3 /srv/counters.py")
    wait_until((server.store.root / "srv/b").exists)
    last = 0
    for label in map(str, range(5)):
        wait_until(lambda last=last: int(server.read("/srv/b")) > last)
        server.snapshot(label)
        files = server.folder / "snapshots" / label / "srv"
        a, b = (int((files / name).read_text()) for name in "ab")
        assert a - b in (0, 1)
        # It goes on afterwards: the next round waits for it.
        last = a


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
