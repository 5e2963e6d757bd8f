# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""What a host is and runs, read from a look: what files/inspect.sh prints, one fact a line. Pure.

What the facts mean is for `judgement` to say.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Look = dict[str, Any]
Unit = Mapping[str, str]
Listener = Mapping[str, Any]

# What an update changes at all.
STATE = re.compile(r"(boot|package|unfinished)( |$)")


def lines(inspection: Mapping[str, Any] | None) -> list[str]:
    """The facts of an inspection, as Ansible registered it; none where the host said nothing, or was cut off."""
    # A terminal, which some connections make of themselves, ends its lines in its own way.
    said = [str(line).rstrip("\r\n") for line in (inspection or {}).get("stdout_lines") or []]
    return said if said[-1:] == ["end"] else []


def parse(look: Iterable[str]) -> Look:
    """The facts of a look, by kind. A line that is not understood is left out, as other versions write others."""
    found: dict[str, list[str]] = {}
    for line in look:
        kind, _separator, rest = str(line).partition("\t" if str(line).startswith("unit\t") else " ")
        found.setdefault(kind, []).append(rest)
    units = [_unit(each) for each in found.get("unit", [])]
    low, high = (_words(found, "random-ports", 2) or [["32768", "60999"]])[0]
    root = (found.get("root-group") or [""])[0].removesuffix("/init.scope").rstrip("/")
    linger = {f"user@{user}.service" for user in found.get("linger", [])}
    return {
        "boot": _first(found, "boot"),
        "uptime": float(_first(found, "uptime") or 0),
        "system": _first(found, "system"),
        "has_systemd": "target" in found,
        "target": _first(found, "target"),
        "jobs": {words[0]: words[1] for words in _words(found, "job", 3)},
        "units": {unit["Id"]: unit for unit in units if unit.get("Id")},
        "names_of_units": {
            name: unit["Id"] for unit in units if unit.get("Id") for name in unit.get("Names", "").split()
        },
        "unit_files": {words[0]: words[1] for words in _words(found, "unit-file", 2)},
        "owners": {words[0]: words[1] for words in _words(found, "owner", 2)},
        "linger": linger,
        "listens": [each for words in _words(found, "listen", 5) if (each := _listener(words, root, linger))],
        "only6": {port for each in found.get("only6", []) if (port := each.rpartition(":")[2]).isdigit()},
        "random": (int(low), int(high)),
        "addresses": {words[0]: words[1] for words in _words(found, "address", 2)},
        # name: restart policy, state, how often it was restarted, health
        "containers": {words[0]: [*words[1:], ""][:4] for words in _words(found, "container", 4)},
        "routes": found.get("route", []),
        "fstab": {_unescape(words[0]): words[2].split(",") for words in _words(found, "fstab", 3)},
        "mounts": {_unescape(words[0]): words[1:] for words in _words(found, "mount", 4)},
        "full": {_unescape(each) for each in found.get("full", [])},
        "nameservers": found.get("nameserver", []),
        "names": {words[0]: words[1] == "yes" for words in _words(found, "name", 2)},
    }


def unfinished(look: Iterable[str]) -> list[str]:
    """The packages that are half done."""
    return sorted(_named(look, "unfinished "))


def asks_for_restart(look: Sequence[str]) -> bool:
    """Whether the system asks for a restart, or would start another kernel than the one that runs."""
    return "reboot-required" in look or bool(newer_kernel(look))


def newer_kernel(look: Iterable[str]) -> str:
    """The newest installed kernel of the running one's kind, where that is another one; else empty.

    One that runs without being installed came from outside (containers, hosts that bring their own kernel).
    """
    look = list(look)
    running = next(iter(_named(look, "kernel ")), "")
    installed = _named(look, "kernel-installed ")
    kin = [each for each in installed if _flavour(each) == _flavour(running)]
    newest = max(kin, key=_version_key, default="")
    return newest if running in installed and newest != running else ""


def kernels(look: Iterable[str]) -> dict[str, str]:
    """The ``running`` kernel, and the ``newest`` installed one of its kind; empty where nothing is known."""
    look = list(look)
    running = next(iter(_named(look, "kernel ")), "")
    return {"running": running, "newest": newer_kernel(look) or running}


def has_booted(before: Iterable[str], now: Iterable[str]) -> bool:
    """Whether the host runs since another boot than before."""
    return bool(_named(now, "boot ") - _named(before, "boot "))


def without_packages(look: Iterable[str]) -> list[str]:
    """A look without its longest part, where only what runs is asked for."""
    return [line for line in look if not line.startswith("package ")]


def is_as_before(before: Iterable[str], now: Sequence[str]) -> bool:
    """Whether packages and boot are the same, so that an update has changed nothing. Unknown is no."""
    return bool(now) and set(filter(STATE.match, now)) == set(filter(STATE.match, before))


def packages(before: Iterable[str], now: Iterable[str]) -> list[dict[str, str]]:
    """The packages that are not as before: ``name``, ``old`` and ``new`` version, empty where there is none."""
    old, new = versions(before), versions(now)
    return [
        {"name": name, "old": old.get(name, ""), "new": new.get(name, "")}
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def slow_to_stop(lines: Iterable[str]) -> list[str]:
    """What files/restart.sh says was still stopping, or took more than ten seconds to stop, the slowest first."""
    # One without a description is said with dots behind its name.
    said = [re.sub(r"\.+( |$)", r"\1", line) for line in lines]
    begun = {words[0]: int(words[1]) for line in said if line.startswith("begin ") and (words := line.split()[1:])}
    took = {
        unit: int(at) - begun[unit]
        for unit, at in (line.split()[1:] for line in said if line.startswith("stopped "))
        if unit in begun
    }
    slow = sorted((unit for unit in took if took[unit] > 10), key=lambda unit: -took[unit])
    return [*sorted(_named(said, "stopping ")), *(f"{unit} ({took[unit]} s)" for unit in slow)]


def versions(look: Iterable[str]) -> dict[str, str]:
    """The version of each package, by ``NAME:ARCHITECTURE``; what is not whole has its state behind a comma."""
    words = [line.split(" ") for line in look if line.startswith("package ")]
    return {word[1]: word[2] for word in words if len(word) == 3}


def _unit(line: str) -> dict[str, str]:
    """The properties of a unit; one that comes several times (Listen) has its values side by side."""
    unit: dict[str, str] = {}
    for part in line.split("\t"):
        key, _equals, value = part.partition("=")
        unit[key] = f"{unit[key]} {value}" if key in unit else value
    return unit


def _listener(words: Sequence[str], root: str, linger: set[str]) -> dict[str, Any] | None:
    """One who listens: ``parent`` is the process that started it, or ``session`` where a login did."""
    protocol, where, pid, parent, group = words[:5]
    digits, _colon, port = where.rpartition(":")
    try:
        address = _address(bytes.fromhex(digits))
        number = int(port, 16)
    except ValueError:
        return None
    path = group.removeprefix(root) if root else group
    unit = next((part for part in path.split("/") if part.endswith((".service", ".scope"))), "")
    return {
        "protocol": protocol.removesuffix("6"),
        "address": address,
        "port": number,
        "pid": pid,
        # The services of users who linger run without a login, though the kernel counts them to one.
        "parent": "-" if unit in linger and parent == "session" else parent,
        "unit": unit,
    }


def _address(raw: bytes) -> str:
    """The kernel writes words of four bytes, the last one first."""
    turned = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    address = ipaddress.ip_address(turned)
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _flavour(kernel: str) -> str:
    """What kind of kernel it is: ``cloud-amd64`` of ``6.1.0-18-cloud-amd64``."""
    return re.sub(r"^[\d.]+(-\d[\d.]*)*", "", kernel).strip("-.+") if not re.search(r"\.el\d|\.fc\d", kernel) else "rpm"


def _version_key(version: str) -> list[tuple[int, int, str]]:
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in re.findall(r"\d+|[a-z]+", version)]


def _unescape(path: str) -> str:
    return re.sub(r"\\(\d{3})", lambda match: chr(int(match[1], 8)), path)


def _first(found: Mapping[str, list[str]], kind: str) -> str:
    return (found.get(kind) or [""])[0].strip()


def _words(found: Mapping[str, list[str]], kind: str, count: int) -> list[list[str]]:
    return [words for line in found.get(kind, []) if len(words := line.split()) >= count]


def _named(look: Iterable[str], kind: str) -> set[str]:
    return {line.removeprefix(kind) for line in look if line.startswith(kind)}
