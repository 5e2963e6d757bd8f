# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""What a host is and runs, and whether it is as before. Pure.

A look is what files/inspect.sh prints: a list of lines, one fact each. Only what the system says is wanted, and worked
before, can fail a host; everything else that differs is a difference. docs/verdict.md has the table.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Look = dict[str, Any]
Unit = Mapping[str, str]

# What an update changes at all.
STATE = re.compile(r"(boot|package|unfinished)( |$)")
# Units that stand for a person at the machine, or for one connection.
SESSION_UNIT = re.compile(r"(getty|serial-getty|console-getty|container-getty|autovt|user|user-runtime-dir)@|session-")
# Their processes start what others asked for: only the daemon's own sockets are its own.
SESSION_DAEMONS = {"ssh.service", "sshd.service", "cron.service", "crond.service", "cronie.service", "atd.service"}
JUDGED = (".service", ".socket", ".timer", ".path")
PULLS = ("Requires", "Requisite", "Wants", "BindsTo", "Upholds")
UP = ("active", "reloading", "refreshing")
# DHCP clients hold these for a moment; a resolver asks from random ports.
DHCP_CLIENT, DOMAIN = (68, 546), 53
# Seconds: what a port gets at least after its service has started, and how young a restarted service is suspicious.
PORT_PATIENCE, YOUNG = 60, 60
TIME_UNITS = {"y": 31557600, "month": 2629800, "w": 604800, "d": 86400, "h": 3600, "min": 60, "s": 1, "ms": 0.001}


# Reading -------------------------------------------------------------------------------------------------------------


def lines(inspection: Mapping[str, Any] | None) -> list[str]:
    """The facts of an inspection, as Ansible registered it; none where the host said nothing, or was cut off."""
    said = [str(line) for line in (inspection or {}).get("stdout_lines") or []]
    return said if said[-1:] == ["end"] else []


def parse(look: Iterable[str]) -> Look:
    """The facts of a look, by kind. A line that is not understood is left out, as other versions write others."""
    found: dict[str, list[str]] = {}
    for line in look:
        kind, _, rest = str(line).partition("\t" if str(line).startswith("unit\t") else " ")
        found.setdefault(kind, []).append(rest)
    units = [_unit(each) for each in found.get("unit", [])]
    low, high = (_words(found, "random-ports", 2) or [["32768", "60999"]])[0]
    root = (found.get("root-group") or [""])[0].removesuffix("/init.scope").rstrip("/")
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
        "linger": {f"user@{user}.service" for user in found.get("linger", [])},
        "listens": [each for words in _words(found, "listen", 5) if (each := _listen(words, root))],
        "only6": {port for each in found.get("only6", []) if (port := each.rpartition(":")[2]).isdigit()},
        "random": (int(low), int(high)),
        "addresses": set(found.get("address", [])),
        "routes": found.get("route", []),
        "fstab": {_unescape(words[0]): words[2].split(",") for words in _words(found, "fstab", 3)},
        "mounts": {_unescape(words[0]): words[1:] for words in _words(found, "mount", 4)},
        "nameservers": found.get("nameserver", []),
        "names": {words[0]: words[1] == "yes" for words in _words(found, "name", 2)},
    }


def _unit(line: str) -> dict[str, str]:
    """The properties of a unit; one that comes several times (Listen) has its values side by side."""
    unit: dict[str, str] = {}
    for part in line.split("\t"):
        key, _, value = part.partition("=")
        unit[key] = f"{unit[key]} {value}" if key in unit else value
    return unit


def unfinished(look: Iterable[str]) -> list[str]:
    """The packages that an earlier run left half done."""
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


# Judging -------------------------------------------------------------------------------------------------------------


def judge(
    before: Sequence[str],
    now: Sequence[str],
    *,
    earlier: Sequence[str] = (),
    last: Sequence[str] = (),
    restarts: Mapping[str, int] | None = None,
    ignore: Iterable[str] = (),
    limit: float = 600,
) -> dict[str, Any]:
    """Tell whether what was wanted and worked before works now.

    :param before: The look from before the update.
    :param now: The look to judge; an empty one is a failure.
    :param earlier: A look from before that one: what differs between the two is restless, and proves nothing.
    :param last: The last look since the host was found well: what is down again was up in between.
    :param restarts: What `count_restarts` has counted since then.
    :param ignore: Globs of evidence to leave out, such as ``service backup.service`` or ``mount /mnt/*``.
    :param limit: Seconds to wait for a unit whose start has no time limit of its own.
    :returns: ``failures``, ``differences`` and ``settling`` (lists of sentences without an end), ``patience`` (seconds
        that what is settling may still take).
    """
    if not now:
        return {
            "failures": ["The host did not answer when it was looked at"],
            "differences": [],
            "settling": [],
            "patience": 0,
        }
    judgement = _Judgement(
        parse(before), parse(now), parse(earlier) if earlier else None, bool(last), restarts or {}, list(ignore), limit
    )
    changed = {_package(each["name"]) for each in packages(before, now)}
    judgement.judge_units(changed)
    judgement.judge_ports()
    judgement.judge_mounts()
    judgement.judge_network()
    return judgement.result()


def count_restarts(known: Mapping[str, int], last: Sequence[str], now: Sequence[str]) -> dict[str, int]:
    """How often systemd has started units again after they ended, since counting began; a restart by hand is none."""
    if not last or not now or has_booted(last, now):
        return dict(known)
    old, new = parse(last)["units"], parse(now)["units"]
    grown = {name: _restarts(unit) - _restarts(old.get(name)) for name, unit in new.items()}
    # A restart by hand begins at 0 again; what is there then has been counted since.
    grown = {name: more if more >= 0 else _restarts(new[name]) for name, more in grown.items()}
    return {
        name: known.get(name, 0) + grown.get(name, 0) for name in {*known, *grown} if known.get(name) or grown.get(name)
    }


def wanted_units(look: Look) -> set[str]:
    """The ids of all units that the boot target pulls in, directly or through others."""
    units, names = look["units"], look["names_of_units"]
    found: set[str] = set()
    todo = [names.get(look["target"], look["target"])]
    while todo:
        name = todo.pop()
        if name in found or name not in units:
            continue
        found.add(name)
        todo += [names.get(each, each) for pull in PULLS for each in units[name].get(pull, "").split()]
    return found | (look["linger"] & set(units))


class _Judgement:
    """One comparison; each `judge_` method looks at one kind of evidence and notes what it finds."""

    def __init__(
        self,
        before: Look,
        now: Look,
        earlier: Look | None,
        was_well: bool,
        restarts: Mapping[str, int],
        ignore: Sequence[str],
        limit: float,
    ) -> None:
        self.before, self.now, self.earlier = before, now, earlier
        self.was_well, self.restarts, self.ignore, self.limit = was_well, restarts, ignore, limit
        self.wanted_before, self.wanted_now = wanted_units(before), wanted_units(now)
        self.found: dict[str, list[str]] = {"failures": [], "differences": [], "settling": []}
        self.patience = 0.0
        # Units whose trouble is told already: their ports say nothing more.
        self.down: dict[str, str] = {}

    def result(self) -> dict[str, Any]:
        """What was found, each sentence once."""
        return {**{key: list(dict.fromkeys(said)) for key, said in self.found.items()}, "patience": int(self.patience)}

    def note(self, level: str, sentence: str, *labels: str, restless: bool = False, patience: float = 0) -> None:
        """Note a sentence; what was restless, or is to be left out, fails nobody."""
        if any(fnmatch.fnmatchcase(label, glob) for label in labels for glob in self.ignore):
            return
        if restless and level != "differences":
            level, sentence = "differences", f"{sentence} (it was not steady before the update either)"
        if level == "settling":
            self.patience = max(self.patience, patience)
        self.found[level].append(sentence)

    # Units

    def judge_units(self, changed: set[str]) -> None:
        """Services, sockets, timers and paths. `changed`: the packages that are not as before."""
        if not self.before["has_systemd"]:
            return
        if not self.now["units"]:
            self.note("failures", "systemd did not answer: systemctl shows no unit", "systemd")
            return
        for name in sorted(self.wanted_before):
            old = self.before["units"][name]
            # What /etc/fstab mounts is judged by what is mounted.
            if name.endswith((*JUDGED, ".mount")) and _is_judged(old) and old.get("SourcePath") != "/etc/fstab":
                self._judge_wanted(name, old, self._find(name), changed)
        for name, unit in sorted(self.now["units"].items()):
            if name.endswith(JUDGED) and not name.startswith("session-"):
                self._judge_failed(name, unit, changed)
                self._judge_restarts(name, unit, changed)
        for name, old in sorted(self.before["units"].items()):
            unit = self._find(name)
            ended = old.get("SubState") == "running" and not (unit and unit.get("ActiveState") in UP)
            if name.endswith(".service") and ended and name not in self.down and not _is_told(self.found, name):
                self.note(
                    "differences",
                    f"{name} ran before and does not now; nothing that starts at boot wants it",
                    *_labels(name),
                )

    def _judge_wanted(self, name: str, old: Unit, new: Unit | None, changed: set[str]) -> None:
        if old.get("ActiveState") not in UP:
            return
        state, sub = (new or {}).get("ActiveState", "inactive"), (new or {}).get("SubState", "dead")
        restless, labels = self._is_restless(name), _labels(name)
        if state in UP:
            if old.get("SubState") == "running" and sub in ("exited", "dead"):
                self.down[name] = "failures"
                self.note("failures", f"{name} has no process any more", *labels, restless=restless)
            return
        if state == "failed" and name.endswith(JUDGED):
            return
        waits = self._wait_of(name, new)
        if waits:
            self.down[name] = "settling"
            self.note("settling", f"{name} is still starting", *labels, restless=restless, patience=waits)
            return
        why = self._excuse(name, old, new, changed)
        if why:
            self.note("differences", f"{name} {why}", *labels)
            return
        self.down[name] = "failures"
        if sub == "auto-restart":
            said = f"{name} ends again and again, and systemd starts it again"
        elif self._is_gone(name, new):
            said = f"{name} is gone"
        elif state in ("activating", "deactivating"):
            said = f"{name} is still {state}, longer than it may take"
        else:
            file = self.now["unit_files"].get(name, "")
            how = f", and is {file} now" if file in ("disabled", "masked") else ""
            said = f"{name} does not run any more{how}"
        self.note("failures", said, *labels, restless=restless)

    def _excuse(self, name: str, old: Unit, new: Unit | None, changed: set[str]) -> str:
        """Why a wanted unit that is not up any more is none of an operator's business; else empty."""
        kind = name.rpartition(".")[2]
        owner = _owner(self.before, old, name)
        is_gone = self._is_gone(name, new)
        if new and new.get("Result", "success") == "success" and self._is_triggered(new):
            return "waits until it is asked for"
        if is_gone and owner in changed:
            heir = self._heir(owner, changed) if kind == "service" else ""
            if heir:
                return f"is gone, and {heir} has come in its place"
            if kind != "service" or old.get("Type") == "oneshot":
                return "is gone: its package does not bring it any more"
        if old.get("Type") == "oneshot" and new:
            if old.get("RemainAfterExit") != "yes":
                return "has done its work"
            if new.get("ConditionResult", "no") != "yes" and self.before["boot"] != self.now["boot"]:
                return "was not needed at this boot"
        if kind == "mount":
            # A unit that is gone has been taken away (an old revision of a snap); one that stands wants its mount.
            is_due = name in self.wanted_now and new and new.get("ConditionResult") == "yes"
            return "" if is_due else "is gone"
        return ""

    def _heir(self, owner: str, changed: set[str]) -> str:
        """A service that a changed package has brought, that boot pulls in and that runs."""
        for name in sorted(self.wanted_now - set(self.before["units"])):
            unit = self.now["units"][name]
            brought = _owner(self.now, unit, name)
            if name.endswith(".service") and unit.get("SubState") == "running" and brought in {owner, *changed}:
                return name
        return ""

    def _judge_failed(self, name: str, unit: Unit, changed: set[str]) -> None:
        old = self.before["units"].get(name) or {}
        if unit.get("ActiveState") != "failed" or old.get("ActiveState") == "failed":
            return
        result = unit.get("Result", "")
        said = f"{name} has failed" + (f" ({result})" if result not in ("", "success") else "")
        matters = name in self.wanted_before | self.wanted_now or _owner(self.now, unit, name) in changed
        if matters and _is_judged(unit):
            self.down[name] = "failures"
            self.note("failures", said, *_labels(name), f"failed {name}", restless=self._is_restless(name))
        else:
            self.note(
                "differences",
                f"{said}; boot does not pull it in, and the update did not touch it",
                *_labels(name),
                f"failed {name}",
            )

    def _judge_restarts(self, name: str, unit: Unit, changed: set[str]) -> None:
        """A service that ends and is started again is not up, whatever a single look says."""
        matters = name in self.wanted_before | self.wanted_now or _owner(self.now, unit, name) in changed
        if not matters or not _is_judged(unit):
            return
        times, before = self.restarts.get(name, 0), _restarts(self.before["units"].get(name))
        if times:
            often = "once" if times == 1 else f"{times} times"
            said = f"{name} has ended {often} since it was found well, and systemd started it again"
            # One that always did so now and then (a worker that renews itself) may do it once.
            level = "differences" if times == 1 and before else "failures"
            self.note(level, said, *_labels(name), restless=self._is_restless(name))
        elif unit.get("SubState") == "auto-restart" and name not in self.down:
            said = f"{name} has ended, and systemd starts it again"
            self.note("failures", said, *_labels(name), restless=self._is_restless(name))

    def _wait_of(self, name: str, unit: Unit | None) -> float:
        """How many seconds a unit that is not up may still take; 0 where it is not starting."""
        if self.now["jobs"].get(name) in ("start", "restart"):
            return self.limit
        if not unit or unit.get("ActiveState") not in ("activating", "deactivating"):
            return 0
        if unit.get("SubState") == "auto-restart":
            return 0
        allowed = seconds(unit.get("TimeoutStartUSec", "infinity"))
        since = self.now["uptime"] - float(unit.get("StateChangeTimestampMonotonic") or 0) / 1e6
        # systemd ends what takes too long; a start of several steps has the time for each.
        return max(0.0, (max(allowed, self.limit) if allowed else self.limit) - since)

    def _is_triggered(self, unit: Unit) -> bool:
        """Whether a socket, path or timer that is up starts this unit."""
        triggers = [self._find(each) for each in unit.get("TriggeredBy", "").split()]
        return any(each and each.get("ActiveState") in UP for each in triggers)

    def _is_gone(self, name: str, unit: Unit | None) -> bool:
        """Whether there is no such unit any more; one that nobody needs is not loaded, but has a file."""
        template = re.sub(r"@[^.]*\.", "@.", name)
        has_file = name in self.now["unit_files"] or template in self.now["unit_files"]
        return not has_file and (not unit or unit.get("LoadState") == "not-found")

    def _find(self, name: str) -> Unit | None:
        """A unit as it is now, under whichever of its names: a package may rename one."""
        return self.now["units"].get(self.now["names_of_units"].get(name, name))

    def _is_restless(self, name: str) -> bool:
        """Whether a unit was not steady before the update."""
        unit = self.before["units"].get(name)
        if not unit:
            return False
        age = self.before["uptime"] - float(unit.get("ActiveEnterTimestampMonotonic") or 0) / 1e6
        if unit.get("SubState") == "auto-restart" or (_restarts(unit) and age < YOUNG):
            return True
        if self.earlier is None or not self.earlier["units"]:
            return False
        first = self.earlier["units"].get(name) or {}
        grew = _restarts(unit) > _restarts(first) and self.earlier["boot"] == self.before["boot"]
        return grew or first.get("ActiveState") != unit.get("ActiveState")

    # Ports

    def judge_ports(self) -> None:
        """What wanted services listen on."""
        seen = {_key(each): each for each in self.before["listens"]}
        restless = seen.keys() - {_key(each) for each in self.earlier["listens"]} if self.earlier else set()
        for key, each in sorted(seen.items()):
            if self._is_covered(each) or (
                each["parent"] == "session" and any(_key(it) == key for it in self.now["listens"])
            ):
                continue
            unit = self._wanted_holder(key)
            label = _label_of(each)
            if not unit:
                # Without root nobody can tell whose a port is; at random ones nobody looks.
                if each["port"] < self.before["random"][0] and not each["protocol"].startswith("udp"):
                    self.note(
                        "differences",
                        f"Nothing listens on {label} any more; no service that boot starts did",
                        *_port_labels(each),
                    )
                continue
            self._judge_port(each, unit, key in restless)
        before = {(each["protocol"], each["port"]) for each in self.before["listens"]}
        for each in self.now["listens"]:
            is_new = (each["protocol"], each["port"]) not in before
            if is_new and each["port"] < self.now["random"][0] and each["protocol"] == "tcp":
                self.note("differences", f"Something listens on {_label_of(each)} now", *_port_labels(each))

    def _judge_port(self, each: Mapping[str, Any], unit: str, restless: bool) -> None:
        label, labels = _label_of(each), _port_labels(each)
        state = self._find(unit) or {}
        if each["address"] not in (*self.now["addresses"], "0.0.0.0", "::") and not _is_loopback(each["address"]):
            self.note(
                "differences", f"Nothing listens on {label} any more: the host does not have that address", *labels
            )
            return
        if self.down.get(unit):
            self.note(
                self.down[unit],
                f"Nothing listens on {label} any more ({unit})",
                *labels,
                restless=restless or self._is_restless(unit),
            )
            return
        others = sorted({_label_of(other) for other in self.now["listens"] if _same_port(each, other)})
        said = f"Nothing listens on {label} any more ({unit})" + (f", only on {', '.join(others)}" if others else "")
        age = self.now["uptime"] - float(state.get("ActiveEnterTimestampMonotonic") or 0) / 1e6
        allowed = max(PORT_PATIENCE, seconds(state.get("TimeoutStartUSec", "")) or PORT_PATIENCE)
        if (
            not others
            and self.now["has_systemd"]
            and state.get("ActiveState") in UP
            and age < allowed
            and not self.was_well
        ):
            self.note("settling", said, *labels, restless=restless, patience=allowed - age)
        else:
            self.note("failures", said, *labels, restless=restless)

    def _wanted_holder(self, key: tuple[str, str, int]) -> str:
        """The wanted unit that listened there, or the process where there is no systemd; empty for none."""
        look = self.before
        for each in look["listens"]:
            if _key(each) == key and (unit := self._holder(look, each)) and self._counts(look, each, unit):
                return unit
        return ""

    def _holder(self, look: Look, each: Mapping[str, Any]) -> str:
        if each["parent"] == "session" or each["pid"] == "-":
            return ""
        if not look["has_systemd"]:
            # A daemon is nobody's child; what a session or a cron job started is somebody's.
            return f"process {each['pid']}" if each["parent"] in ("1", "0") else ""
        if each["pid"] == "1":
            return next(
                (name for name, unit in look["units"].items() if _listens(unit, each) and name in self.wanted_before),
                "",
            )
        unit = look["names_of_units"].get(each["unit"], each["unit"])
        is_own = unit not in SESSION_DAEMONS or each["pid"] == look["units"].get(unit, {}).get("MainPID")
        return unit if is_own and unit in self.wanted_before else ""

    def _counts(self, look: Look, each: Mapping[str, Any], unit: str) -> bool:
        """Whether the number of a port is the service's choice, and not chance."""
        is_main = each["pid"] in ("1", look["units"].get(unit, {}).get("MainPID"))
        low, high = look["random"]
        if low <= each["port"] <= high:
            # One chosen by chance is another after each start: the service still has one of that kind, or has none.
            kin = [
                other for other in self.now["listens"] if low <= other["port"] <= high and other["unit"] == each["unit"]
            ]
            return is_main and each["protocol"].startswith("tcp") and not kin
        if each["protocol"].startswith("udp"):
            asks = any(other["port"] == DOMAIN and other["unit"] == each["unit"] for other in look["listens"])
            return each["port"] not in DHCP_CLIENT and not (asks and each["port"] >= 1024)
        return True

    def _is_covered(self, each: Mapping[str, Any]) -> bool:
        """Whether that address and port, or one that includes it, is listened on now, by more than a session."""
        for other in self.now["listens"]:
            if other["parent"] == "session" or not _same_port(each, other):
                continue
            is_v6 = ":" in each["address"]
            is_both = other["address"] == "::" and str(each["port"]) not in self.now["only6"]
            if (
                other["address"] == each["address"]
                or other["address"] == ("::" if is_v6 else "0.0.0.0")
                or (is_both and not is_v6)
            ):
                return True
            # Listening on both at once is one socket on ::, and two where each has its own.
            if (
                each["address"] == "::"
                and str(each["port"]) not in self.before["only6"]
                and other["address"] == "0.0.0.0"
            ):
                return not _has_ipv6(self.now)
        return False

    # File systems

    def judge_mounts(self) -> None:
        """What /etc/fstab wants and was there; everything else comes and goes."""
        old, new = self.before["mounts"], self.now["mounts"]
        wanted = {"/": ["defaults"], **self.before["fstab"]}
        for where, (_kind, mode, source) in sorted(old.items()):
            options, label = wanted.get(where), f"mount {where}"
            restless = self.earlier is not None and where not in self.earlier["mounts"]
            on_demand = options is not None and (
                "noauto" in options or "x-systemd.automount" in options or "autofs" in options
            )
            if where not in new:
                if options is None and source != "device":
                    continue
                if options is None or on_demand:
                    self.note("differences", f"{where} is not mounted any more; boot does not mount it", label)
                elif self._mounts_still(where):
                    self.note("settling", f"{where} is not mounted yet", label, restless=restless, patience=self.limit)
                else:
                    self.note(
                        "failures", f"{where} is not mounted any more (/etc/fstab wants it)", label, restless=restless
                    )
            elif options is not None and mode == "rw" and new[where][1] == "ro":
                self.note(
                    "failures",
                    f"{where} cannot be written to any more: it is mounted read-only",
                    label,
                    restless=restless,
                )
        for where, (_kind, _mode, source) in sorted(new.items()):
            if where not in old and source == "device":
                self.note("differences", f"{where} is mounted now", f"mount {where}")

    def _mounts_still(self, where: str) -> bool:
        name = next((name for name, unit in self.now["units"].items() if unit.get("Where") == where), "")
        return (
            self.now["jobs"].get(name) == "start" or self.now["units"].get(name, {}).get("ActiveState") == "activating"
        )

    # Names and routes

    def judge_network(self) -> None:
        """Name resolution and default routes, where they worked before."""
        for route in self.before["routes"]:
            restless = self.earlier is not None and route not in self.earlier["routes"]
            if route not in self.now["routes"]:
                self.note(
                    "failures", f"There is no default route for {route} any more", f"route {route}", restless=restless
                )
        answered = any(self.before["names"].values())
        answers = any(self.now["names"].values())
        restless = bool(self.earlier and self.earlier["names"] and not any(self.earlier["names"].values()))
        if self.before["nameservers"] and not self.now["nameservers"] and not answers:
            self.note("failures", "/etc/resolv.conf names no server any more, so no name is resolved", "names")
        elif answered and self.now["names"] and not answers:
            asked = ", ".join(sorted(self.now["names"]))
            self.note("failures", f"Names are not resolved any more (asked for {asked})", "names", restless=restless)
        elif self.before["nameservers"] != self.now["nameservers"]:
            said = ", ".join(self.now["nameservers"]) or "none"
            self.note("differences", f"/etc/resolv.conf names other servers now ({said})", "names")
        if self.now["system"] == "starting" and self.now["uptime"] < self.limit and not self.was_well:
            self.note("settling", "The system is still starting", "system", patience=self.limit - self.now["uptime"])


# Small things --------------------------------------------------------------------------------------------------------


def seconds(span: str) -> float:
    """The seconds of a span as systemd writes it (``1min 30s``); 0 for none and for infinity."""
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|us|y|month|w|d|h|min|s)\b", span)
    return sum(float(number) * TIME_UNITS.get(unit, 0) for number, unit in parts)


def _is_judged(unit: Unit) -> bool:
    return unit.get("Transient") != "yes" and not SESSION_UNIT.match(unit.get("Id", ""))


def _is_told(found: Mapping[str, list[str]], name: str) -> bool:
    return any(said.startswith(f"{name} ") for sentences in found.values() for said in sentences)


def _owner(look: Look, unit: Unit, name: str) -> str:
    """The package that brings a unit (an instance's file is its template's)."""
    file = unit.get("FragmentPath", "").rpartition("/")[2]
    template = re.sub(r"@[^.]*\.", "@.", name)
    return look["owners"].get(file) or look["owners"].get(name) or look["owners"].get(template) or "?"


def _restarts(unit: Unit | None) -> int:
    said = (unit or {}).get("NRestarts", "0")
    return int(said) if said.isdigit() else 0


def _labels(name: str) -> tuple[str, ...]:
    base, _, kind = name.rpartition(".")
    return f"{kind} {name}", f"{kind} {base}"


def _listen(words: Sequence[str], root: str) -> dict[str, Any] | None:
    protocol, where, pid, parent, group = words
    digits, _, port = where.rpartition(":")
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
        "parent": parent,
        "unit": unit,
    }


def _address(raw: bytes) -> str:
    """The kernel writes words of four bytes, the last one first."""
    turned = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    address = ipaddress.ip_address(turned)
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _listens(unit: Unit, each: Mapping[str, Any]) -> bool:
    """Whether a socket unit listens on that port: ``Listen=[::]:22 (Stream)``."""
    kind = "Stream" if each["protocol"] == "tcp" else "Datagram"
    return re.search(rf"(^|:|\s){each['port']} \({kind}\)", unit.get("Listen", "")) is not None


def _key(each: Mapping[str, Any]) -> tuple[str, str, int]:
    return each["protocol"], each["address"], each["port"]


def _same_port(each: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return each["protocol"] == other["protocol"] and each["port"] == other["port"]


def _label_of(each: Mapping[str, Any]) -> str:
    address = f"[{each['address']}]" if ":" in each["address"] else each["address"]
    return f"{address}:{each['port']}" + ("/udp" if each["protocol"] == "udp" else "")


def _port_labels(each: Mapping[str, Any]) -> tuple[str, ...]:
    return f"port {each['port']}", f"port {each['port']}/{each['protocol']}", f"port {_label_of(each)}"


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback


def _has_ipv6(look: Look) -> bool:
    return any(":" in address for address in look["addresses"])


def _package(name: str) -> str:
    """A package's name without its architecture."""
    return re.sub(r"(:[a-z0-9-]+|\.(noarch|x86_64|aarch64|i[3-6]86|ppc64le|s390x))$", "", name)


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


def slow_to_stop(lines: Iterable[str]) -> list[str]:
    """What files/restart.sh says was still stopping, or took more than ten seconds to stop, the slowest first."""
    said = list(lines)
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
