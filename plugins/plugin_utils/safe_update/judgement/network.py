# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""The way out: interfaces, default routes and names, where they worked before. Pure."""

from __future__ import annotations

import ipaddress
import re

from ..evidence import Look
from .comparison import Comparison

# Interfaces of a machine; those of containers, bridges and tunnels come and go with who makes them.
OF_THE_MACHINE = re.compile(r"(eth|en|wl|ib|bond|venet|ens|eno)[a-z0-9]*([.:@].*)?$")


def judge(looks: Comparison) -> None:
    """Each of them has to work as it did."""
    _judge_interfaces(looks)
    _judge_routes(looks)
    _judge_names(looks)
    if looks.now["system"] == "starting" and looks.now["uptime"] < looks.limit and not looks.last:
        left = looks.limit - looks.now["uptime"]
        looks.note("settling", "The system is still starting", "system", patience=left)


def _judge_interfaces(looks: Comparison) -> None:
    """An interface that had addresses of a kind, and has none now, nor has another one taken them over."""
    old, new = _interfaces(looks.before), _interfaces(looks.now)
    for (name, kind), addresses in sorted(old.items()):
        if new.get((name, kind)) or addresses & set(looks.now["addresses"]):
            continue
        restless = looks.earlier is not None and (name, kind) not in _interfaces(looks.earlier)
        said = f"{name} has no {kind} address any more (it had {', '.join(sorted(addresses))})"
        looks.note("failures", said, f"interface {name}", restless=restless)


def _interfaces(look: Look) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for text, name in look["addresses"].items():
        address = ipaddress.ip_address(text)
        if OF_THE_MACHINE.match(name) and not address.is_link_local and not address.is_loopback:
            found.setdefault((name.partition("@")[0], f"IPv{address.version}"), set()).add(text)
    return found


def _judge_routes(looks: Comparison) -> None:
    for route in looks.before["routes"]:
        restless = looks.earlier is not None and route not in looks.earlier["routes"]
        if route not in looks.now["routes"]:
            said = f"There is no default route for {route} any more"
            looks.note("failures", said, f"route {route}", restless=restless)


def _judge_names(looks: Comparison) -> None:
    before, now = looks.before, looks.now
    answered, answers = any(before["names"].values()), any(now["names"].values())
    restless = bool(looks.earlier and looks.earlier["names"] and not any(looks.earlier["names"].values()))
    if before["nameservers"] and not now["nameservers"] and not answers:
        looks.note("failures", "/etc/resolv.conf names no server any more, so no name is resolved", "names")
    elif answered and now["names"] and not answers:
        said = f"Names are not resolved any more (asked for {', '.join(sorted(now['names']))})"
        looks.note("failures", said, "names", restless=restless)
    elif before["nameservers"] != now["nameservers"]:
        said = ", ".join(now["nameservers"]) or "none"
        looks.note("differences", f"/etc/resolv.conf names other servers now ({said})", "names")
