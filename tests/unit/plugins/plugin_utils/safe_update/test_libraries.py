# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Services that run old libraries."""

from __future__ import annotations

from ansible_collections.vpsdotorg.cloud.plugins.plugin_utils.safe_update import libraries


def test_services_are_named_once() -> None:
    said = ["old nginx.service\r", "noise", "old a b.service", "old nginx.service", "end\r"]
    assert libraries.services(said) == ["a b.service", "nginx.service"]


def test_a_host_that_was_cut_off_tells_nothing() -> None:
    assert libraries.services(["old nginx.service"]) == []
    assert libraries.services([]) == []


def test_sessions_containers_and_networks_are_not_restarted() -> None:
    held = ["dbus.service", "getty@tty1.service", "user@0.service", "docker.service", "systemd-networkd.service"]
    assert libraries.restartable([*held, "nginx.service", "ssh.service", "mydocker.service"]) == [
        "nginx.service",
        "ssh.service",
        "mydocker.service",
    ]
