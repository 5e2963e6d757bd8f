# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""Ports: what services that boot pulls in listen on. Pure."""

from __future__ import annotations

import ipaddress
import re

from ..evidence import Listener, Look, Unit
from .comparison import UP, Comparison, age, seconds, unit_labels
from .containers import DAEMON

# Their processes start what others asked for: only the daemon's own sockets are its own.
SESSION_DAEMONS = {"ssh.service", "sshd.service", "cron.service", "crond.service", "cronie.service", "atd.service"}
# DHCP clients hold these for a moment; a resolver asks from random ports.
DHCP_CLIENT, DOMAIN = (68, 546), 53
# Seconds that a port gets at least after its service has started.
PATIENCE = 60

Key = tuple[str, str, int]


def judge(looks: Comparison) -> None:
    """Where a wanted service listened, it has to listen again: at that address, or at one that includes it."""
    seen = {_key(each): each for each in looks.before["listens"]}
    restless = seen.keys() - {_key(each) for each in looks.earlier["listens"]} if looks.earlier else set()
    now = {_key(each) for each in looks.now["listens"]}
    for key, each in sorted(seen.items()):
        if _is_covered(looks, each) or (each["parent"] == "session" and key in now):
            continue
        unit = _wanted_holder(looks, key)
        if unit:
            _judge_port(looks, each, unit, key in restless)
        # Without root nobody can tell whose a port is; at random ones nobody looks.
        elif each["port"] < looks.before["random"][0] and each["protocol"] == "tcp":
            said = f"Nothing listens on {_label(each)} any more; no service that boot starts did"
            looks.note("differences", said, *_labels(each))
    before = {(each["protocol"], each["port"]) for each in looks.before["listens"]}
    for each in looks.now["listens"]:
        is_new = (each["protocol"], each["port"]) not in before
        if is_new and each["port"] < looks.now["random"][0] and each["protocol"] == "tcp":
            looks.note("differences", f"Something listens on {_label(each)} now", *_labels(each))


def is_served(looks: Comparison, unit: Unit) -> bool:
    """Whether all that a socket unit listens on is listened on now, by somebody else; paths nobody can tell of."""
    wants = re.findall(r"(\S+) \((\w+)\)", unit.get("Listen", ""))
    have = {(each["protocol"], each["port"]) for each in looks.now["listens"] if each["parent"] != "session"}
    protocols = {"Stream": "tcp", "Datagram": "udp"}
    asked = [(protocols.get(kind, ""), where.rpartition(":")[2]) for where, kind in wants]
    return bool(asked) and all(port.isdigit() and (protocol, int(port)) in have for protocol, port in asked)


def _judge_port(looks: Comparison, each: Listener, unit: str, restless: bool) -> None:
    labels = (*_labels(each), *unit_labels(unit))
    restless = restless or looks.is_restless(unit)
    said = f"Nothing listens on {_label(each)} any more"
    if each["address"] not in (*looks.now["addresses"], "0.0.0.0", "::") and not _is_loopback(each["address"]):
        looks.note("differences", f"{said}: the host does not have that address", *labels)
        return
    said = f"{said} ({unit})"
    if unit in looks.down:
        level = looks.down[unit]
        looks.note(level, said, *labels, restless=restless)
        return
    others = sorted({_label(other) for other in looks.now["listens"] if _is_same_port(each, other)})
    state = looks.find(unit) or {}
    left = max(PATIENCE, seconds(state.get("TimeoutStartUSec", ""))) - age(looks.now, state)
    is_starting = left > 0 and state.get("ActiveState") in UP and looks.has_started_anew(unit)
    if others:
        looks.note("failures", f"{said}, only on {', '.join(others)}", *labels, restless=restless)
    elif is_starting:
        looks.note("settling", said, *labels, restless=restless, patience=left)
    else:
        looks.note("failures", said, *labels, restless=restless)


def _wanted_holder(looks: Comparison, key: Key) -> str:
    """The wanted unit that listened there, or the process where there is no systemd; empty for none."""
    for each in looks.before["listens"]:
        if _key(each) == key and (unit := _holder(looks, each)) and _counts(looks, each, unit):
            return unit
    return ""


def _holder(looks: Comparison, each: Listener) -> str:
    look = looks.before
    if each["parent"] == "session" or each["pid"] == "-":
        return ""
    if not look["has_systemd"]:
        # A daemon is nobody's child; what a session or a cron job started is somebody's.
        return f"process {each['pid']}" if each["parent"] in ("1", "0") else ""
    if each["pid"] == "1":
        mine = (name for name, unit in look["units"].items() if _listens(unit, each) and name in looks.wanted_before)
        return next(mine, "")
    unit = str(look["names_of_units"].get(each["unit"], each["unit"]))
    if unit == DAEMON and look["containers"]:
        # These are the ports of containers, which are judged themselves.
        return ""
    is_own = unit not in SESSION_DAEMONS or _is_main(look, each, unit)
    return unit if is_own and unit in looks.wanted_before else ""


def _counts(looks: Comparison, each: Listener, unit: str) -> bool:
    """Whether the number of a port is the service's choice, and not chance."""
    low, high = looks.before["random"]
    if low <= each["port"] <= high:
        # One chosen by chance is another after each start: the service still has one of that kind, or has none.
        ports = [other["port"] for other in looks.now["listens"] if other["unit"] == each["unit"]]
        has_another = any(low <= port <= high for port in ports)
        is_main = each["pid"] == "1" or _is_main(looks.before, each, unit)
        return is_main and each["protocol"] == "tcp" and not has_another
    if each["protocol"] == "udp":
        mine = [other["port"] for other in looks.before["listens"] if other["unit"] == each["unit"]]
        return each["port"] not in DHCP_CLIENT and not (DOMAIN in mine and each["port"] >= 1024)
    return True


def _is_covered(looks: Comparison, each: Listener) -> bool:
    """Whether that address and port, or one that includes it, is listened on now, by more than a session."""
    is_v6 = ":" in each["address"]
    for other in looks.now["listens"]:
        if other["parent"] == "session" or not _is_same_port(each, other):
            continue
        is_both = other["address"] == "::" and str(each["port"]) not in looks.now["only6"]
        includes = other["address"] == ("::" if is_v6 else "0.0.0.0") or (is_both and not is_v6)
        if includes or other["address"] == each["address"]:
            return True
        # Listening on both at once is one socket on ::, and two where each has its own.
        was_both = each["address"] == "::" and str(each["port"]) not in looks.before["only6"]
        if was_both and other["address"] == "0.0.0.0" and not any(":" in one for one in looks.now["addresses"]):
            return True
    return False


def _is_main(look: Look, each: Listener, unit: str) -> bool:
    return bool(each["pid"] == look["units"].get(unit, {}).get("MainPID"))


def _listens(unit: Unit, each: Listener) -> bool:
    """Whether a socket unit listens on that port: ``Listen=[::]:22 (Stream)``."""
    kind = "Stream" if each["protocol"] == "tcp" else "Datagram"
    return re.search(rf"(^|:|\s){each['port']} \({kind}\)", unit.get("Listen", "")) is not None


def _key(each: Listener) -> Key:
    return each["protocol"], each["address"], each["port"]


def _is_same_port(each: Listener, other: Listener) -> bool:
    return bool(each["protocol"] == other["protocol"] and each["port"] == other["port"])


def _label(each: Listener) -> str:
    address = f"[{each['address']}]" if ":" in each["address"] else each["address"]
    return f"{address}:{each['port']}" + ("/udp" if each["protocol"] == "udp" else "")


def _labels(each: Listener) -> tuple[str, ...]:
    return f"port {each['port']}", f"port {each['port']}/{each['protocol']}", f"port {_label(each)}"


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback
