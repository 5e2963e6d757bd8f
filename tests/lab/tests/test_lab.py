# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API in front of real servers."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from helpers import api, boot_id, status, wait_until
from vps_lab.lab import Lab
from vps_lab.tools import LabError


def take(lab: Lab, server_id: int) -> int:
    taken = api(lab, "POST", "/snapshots/", {"server_id": server_id, "name": "before"})
    wait_until(lambda: _snapshot(lab, taken["id"])["status"] == "completed")
    return taken["id"]


def _snapshot(lab: Lab, snapshot_id: int) -> dict:
    return next(each for each in api(lab, "GET", "/snapshots/")["results"] if each["id"] == snapshot_id)


def test_a_restore_brings_the_server_back(lab: Lab) -> None:
    lab.ssh("web1", "echo good > /srv/state")
    lab.ssh("web2", "echo other > /srv/state")
    before = boot_id(lab, "web1")
    snapshot = take(lab, 1001)
    assert _snapshot(lab, snapshot)["size_mb"] >= 1
    # The point in time is that of the request, not that of its completion.
    lab.ssh("web1", "echo bad > /srv/state; rm -rf /etc/ssh /usr/bin/python3; sync")
    assert api(lab, "POST", f"/snapshots/{snapshot}/restore/")["server"]["status"] == "restoring"
    wait_until(lambda: status(lab, 1001) == "active")
    lab.server("web1").machine.wait_for_ssh()
    assert lab.content("web1", "/srv/state") == "good\n"
    assert lab.content("web2", "/srv/state") == "other\n"
    assert lab.ssh("web1", "python3 -c 'print(1)'") == "1\n"
    assert boot_id(lab, "web1") != before


def test_power_actions_are_real(lab: Lab) -> None:
    web1 = lab.server("web1")
    before = boot_id(lab, "web1")
    api(lab, "POST", "/servers/1001/power/", {"action": "stop"})
    wait_until(lambda: status(lab, 1001) == "stopped")
    assert not web1.machine.running()
    api(lab, "POST", "/servers/1001/power/", {"action": "start"})
    wait_until(lambda: status(lab, 1001) == "active")
    web1.machine.wait_for_ssh()
    assert boot_id(lab, "web1") != before
    api(lab, "POST", "/servers/1001/power/", {"action": "hard_stop"})
    wait_until(lambda: status(lab, 1001) == "stopped")
    assert not web1.machine.running()
    assert status(lab, 1002) == "active"
    assert lab.server("web2").machine.running()


def test_a_server_that_powers_itself_off_shows_as_stopped(lab: Lab) -> None:
    assert status(lab, 1001) == "active"
    lab.ssh("web1", "systemctl poweroff")
    wait_until(lambda: status(lab, 1001) == "stopped")


def test_a_power_cut_shows_as_stopped(lab: Lab) -> None:
    lab.power_cut("web1")
    assert status(lab, 1001) == "stopped"


def test_a_stopped_server_is_restored_and_started(lab: Lab) -> None:
    snapshot = take(lab, 1001)
    lab.power_cut("web1")
    api(lab, "POST", f"/snapshots/{snapshot}/restore/")
    wait_until(lambda: status(lab, 1001) == "active")
    lab.server("web1").machine.wait_for_ssh()


def test_servers_outlive_their_api(lab: Lab) -> None:
    snapshot = take(lab, 1001)
    before = boot_id(lab, "web1")
    url = lab.emulator.url
    lab.stop_api()
    with pytest.raises(OSError, match="refused"):
        status(lab, 1001)
    assert boot_id(lab, "web1") == before
    lab.start_api()
    assert lab.emulator.url == url
    assert boot_id(lab, "web1") == before
    assert _snapshot(lab, snapshot)["status"] == "completed"


def test_the_fifth_snapshot_is_the_last(lab: Lab) -> None:
    for _number in range(5):
        take(lab, 1001)
    with pytest.raises(OSError, match="400"):
        take(lab, 1001)
    copies = lab.server("web1").machine.folder / "snapshots"
    assert len(list(copies.iterdir())) == 5
    for snapshot in api(lab, "GET", "/snapshots/")["results"]:
        api(lab, "DELETE", f"/snapshots/{snapshot['id']}/")
    assert list(copies.iterdir()) == []


def test_reset_makes_fresh_servers_with_the_same_host_keys(lab: Lab) -> None:
    key = lab.server("web1").machine.host_key
    lab.ssh("web1", "touch /srv/file")
    take(lab, 1001)
    lab.power_cut("web2")
    lab.reset()
    assert lab.ssh("web1", "ls /srv") == ""
    assert lab.ssh("web2", "ls /srv") == ""
    assert lab.server("web1").machine.host_key == key
    assert api(lab, "GET", "/snapshots/")["count"] == 0
    assert status(lab, 1002) == "active"


def test_the_inventory_reaches_every_server(lab: Lab, tmp_path: Path) -> None:
    inventory = yaml.safe_load(lab.inventory(tmp_path / "inventory.yml", extra="value").read_text())["all"]
    assert {name: host["vps_server_id"] for name, host in inventory["hosts"].items()} == {"web1": 1001, "web2": 1002}
    assert inventory["vars"]["extra"] == "value"
    assert "ServerAliveInterval" in inventory["vars"]["ansible_ssh_common_args"]


def test_there_is_one_lab_in_a_capsule(lab: Lab) -> None:
    with pytest.raises(LabError, match="a lab lives in"), Lab(servers=1, folder=lab.folder):
        pass
    assert status(lab, 1001) == "active"


def test_a_missing_file_is_an_error(lab: Lab) -> None:
    with pytest.raises(LabError, match="No such file"):
        lab.content("web1", "/srv/nothing")
