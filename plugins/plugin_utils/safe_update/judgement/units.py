# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""Units: what boot pulls in has to be up, and to stay so. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..evidence import Look, Unit, has_booted, parse
from . import ports
from .comparison import UP, Comparison, restarts, seconds, unit_labels

# What the host itself is called among those that are started again.
HOST = "boot"
JUDGED = (".service", ".socket", ".timer", ".path")
# Units that stand for a person at the machine, or for one connection.
SESSION_UNIT = re.compile(r"(getty|serial-getty|console-getty|container-getty|autovt|user|user-runtime-dir)@|session-")


def judge(looks: Comparison) -> None:
    """Services, sockets, timers, paths, and mounts that have units of their own."""
    if not looks.before["has_systemd"]:
        return
    if not looks.now["units"]:
        looks.note("failures", "systemd did not answer: systemctl shows no unit", "systemd")
        return
    for name in sorted(looks.wanted_before):
        old = looks.before["units"][name]
        # What /etc/fstab mounts is judged by what is mounted.
        if name.endswith((*JUDGED, ".mount")) and _is_judged(old) and old.get("SourcePath") != "/etc/fstab":
            _judge_wanted(looks, name, old)
    for name, unit in sorted(looks.now["units"].items()):
        if name.endswith(JUDGED) and not name.startswith("session-"):
            _judge_failed(looks, name, unit)
            _judge_restarts(looks, name, unit)
    for name, old in sorted(looks.before["units"].items()):
        now = looks.find(name)
        ended = old.get("SubState") == "running" and not (now and now.get("ActiveState") in UP)
        if name.endswith(".service") and ended and not _is_told(looks, name):
            said = f"{name} ran before and does not now; nothing that starts at boot wants it"
            looks.note("differences", said, *unit_labels(name))


def count_restarts(known: Mapping[str, int], last: Sequence[str], now: Sequence[str]) -> dict[str, int]:
    """How often units and containers were started again after they ended, and the host itself, since counting began.

    Units that somebody restarts by hand begin at 0 again.
    """
    if not last or not now:
        return dict(known)
    if has_booted(last, now):
        return {**known, HOST: known.get(HOST, 0) + 1}
    old, new = _counters(parse(last)), _counters(parse(now))
    # What is there after it has begun anew has been counted since.
    grown = {name: times - old.get(name, 0) if times >= old.get(name, 0) else times for name, times in new.items()}
    total = {name: known.get(name, 0) + grown.get(name, 0) for name in {*known, *grown}}
    return {name: times for name, times in total.items() if times}


def _counters(look: Look) -> dict[str, int]:
    units = {name: restarts(unit) for name, unit in look["units"].items()}
    containers = {f"container {name}": int(each[2]) for name, each in look["containers"].items() if each[2].isdigit()}
    return {**units, **containers}


def _judge_wanted(looks: Comparison, name: str, old: Unit) -> None:
    """A unit that boot pulls in: if it was up, it has to be."""
    new = looks.find(name) or {}
    state = new.get("ActiveState", "inactive")
    if old.get("ActiveState") not in UP or (state == "failed" and name.endswith(JUDGED)):
        return
    if state in UP:
        _judge_up(looks, name, old, new)
        return
    labels, restless = unit_labels(name), looks.is_restless(name)
    if waits := _wait_of(looks, name, new):
        looks.down[name] = "settling"
        looks.note("settling", f"{name} is still starting", *labels, restless=restless, patience=waits)
    elif why := _excuse(looks, name, old, new):
        looks.note("differences", f"{name} {why}", *labels)
    else:
        looks.down[name] = "failures"
        looks.note("failures", f"{name} {_down(looks, name, new)}", *labels, restless=restless)


def _judge_up(looks: Comparison, name: str, old: Unit, new: Unit) -> None:
    file = looks.now["unit_files"].get(name, "")
    if old.get("SubState") == "running" and new.get("SubState") in ("exited", "dead"):
        looks.down[name] = "failures"
        said = f"{name} has no process any more"
        looks.note("failures", said, *unit_labels(name), restless=looks.is_restless(name))
    elif _was_switched_off(looks, old, new, file):
        said = f"{name} runs, but would not start at boot any more: it is {file} now"
        looks.note("failures", said, *unit_labels(name))


def _down(looks: Comparison, name: str, new: Unit) -> str:
    """How a unit is down."""
    state, file = new.get("ActiveState", "inactive"), looks.now["unit_files"].get(name, "")
    if new.get("SubState") == "auto-restart":
        return "ends again and again, and systemd starts it again"
    if _is_gone(looks, name, new):
        return "is gone"
    if state in ("activating", "deactivating"):
        return f"is still {state}, longer than it may take"
    return "does not run any more" + (f", and is {file} now" if file in ("disabled", "masked") else "")


def _was_switched_off(looks: Comparison, old: Unit, new: Unit, file: str) -> bool:
    """Whether a unit that boot started is not to be started by anything any more, so that the next boot shows it."""
    was_on = old.get("UnitFileState", "") in ("enabled", "enabled-runtime")
    is_off = file in ("disabled", "masked") and new.get("Id") not in looks.wanted_now
    return was_on and is_off and not _is_triggered(looks, new)


def _excuse(looks: Comparison, name: str, old: Unit, new: Unit | None) -> str:
    """Why a wanted unit that is not up any more is none of an operator's business; else empty."""
    owner = _owner(looks.before, old, name)
    if new and new.get("Result", "success") == "success" and _is_triggered(looks, new):
        looks.down[name] = "differences"
        return "waits until it is asked for"
    if owner in looks.gone:
        looks.down[name] = "differences"
        return f"is gone with its package {owner}, which was to be removed"
    if name.endswith(".socket") and ports.is_served(looks, old):
        return "is not needed: its service listens itself"
    if _is_gone(looks, name, new) and owner in looks.changed and (why := _succession(looks, name, old, owner)):
        return why
    if old.get("Type") == "oneshot" and new:
        return _excuse_of_work(looks, old, new)
    # A unit that is gone has been taken away (an old revision of a snap); one that stands wants its mount.
    is_due = name in looks.wanted_now and new and new.get("ConditionResult") == "yes"
    return "is gone" if name.endswith(".mount") and not is_due else ""


def _excuse_of_work(looks: Comparison, old: Unit, new: Unit) -> str:
    if old.get("RemainAfterExit") != "yes":
        return "has done its work"
    needed = new.get("ConditionResult", "no") == "yes" or not looks.has_booted
    return "" if needed else "was not needed at this boot"


def _succession(looks: Comparison, name: str, old: Unit, owner: str) -> str:
    """What a package that has changed brings instead of a unit that is gone."""
    if not name.endswith(".service") or old.get("Type") == "oneshot":
        return "is gone: its package does not bring it any more"
    heir = _heir(looks, owner)
    return f"is gone, and {heir} has come in its place" if heir else ""


def _heir(looks: Comparison, owner: str) -> str:
    """A service that boot pulls in and that runs, of the same package or of one that has come with this update."""
    for name in sorted(looks.wanted_now - set(looks.before["units"])):
        unit = looks.now["units"][name]
        brought = _owner(looks.now, unit, name)
        if name.endswith(".service") and unit.get("SubState") == "running" and brought in {owner, *looks.added}:
            return name
    return ""


def _judge_failed(looks: Comparison, name: str, unit: Unit) -> None:
    """A unit that has failed matters where boot pulls it in, or the update touched it."""
    old = looks.before["units"].get(name) or {}
    if unit.get("ActiveState") != "failed" or old.get("ActiveState") == "failed":
        return
    result = unit.get("Result", "")
    said = f"{name} has failed" + (f" ({result})" if result not in ("", "success") else "")
    labels = (*unit_labels(name), f"failed {name}")
    if not _matters(looks, name, unit):
        said = f"{said}; boot does not pull it in, and the update did not touch it"
        looks.note("differences", said, *labels)
    elif old.get("ActiveState") == "inactive" and _only_runs(old):
        looks.note("differences", f"{said}; it did not run before either", *labels)
    else:
        looks.down[name] = "failures"
        looks.note("failures", said, *labels, restless=looks.is_restless(name))


def _judge_restarts(looks: Comparison, name: str, unit: Unit) -> None:
    """A service that ends and is started again is not up, whatever a single look says."""
    if not _matters(looks, name, unit):
        return
    times, before = looks.restarts.get(name, 0), restarts(looks.before["units"].get(name))
    if times:
        often = "once" if times == 1 else f"{times} times"
        said = f"{name} has ended {often} since it was found well, and systemd started it again"
        # One that always did so now and then (a worker that renews itself) may do it once.
        level = "differences" if times == 1 and before else "failures"
        looks.note(level, said, *unit_labels(name), restless=looks.is_restless(name))
    elif unit.get("SubState") == "auto-restart" and name not in looks.down:
        said = f"{name} has ended, and systemd starts it again"
        looks.note("failures", said, *unit_labels(name), restless=looks.is_restless(name))


def _matters(looks: Comparison, name: str, unit: Unit) -> bool:
    is_wanted = name in looks.wanted_before | looks.wanted_now
    return _is_judged(unit) and (is_wanted or _owner(looks.now, unit, name) in looks.changed)


def _only_runs(unit: Unit) -> bool:
    """Whether a service that is not up has nothing to show: no work that is done, nobody who asks for it."""
    return unit.get("Type") not in ("oneshot", "dbus") and not unit.get("TriggeredBy")


def _wait_of(looks: Comparison, name: str, unit: Unit | None) -> float:
    """How many seconds a unit that is not up may still take; 0 where it is not starting."""
    if looks.now["jobs"].get(name) in ("start", "restart"):
        return looks.limit
    if not unit or unit.get("ActiveState") not in ("activating", "deactivating"):
        return 0
    if unit.get("SubState") == "auto-restart":
        return 0
    allowed = seconds(unit.get("TimeoutStartUSec", "infinity"))
    since = looks.now["uptime"] - float(unit.get("StateChangeTimestampMonotonic") or 0) / 1e6
    # systemd ends what takes too long; a start of several steps has the time for each.
    return max(0.0, (max(allowed, looks.limit) if allowed else looks.limit) - since)


def _is_triggered(looks: Comparison, unit: Unit) -> bool:
    """Whether a socket, path or timer that is up starts this unit."""
    triggers = [looks.find(each) for each in unit.get("TriggeredBy", "").split()]
    return any(each and each.get("ActiveState") in UP for each in triggers)


def _is_gone(looks: Comparison, name: str, unit: Unit | None) -> bool:
    """Whether there is no such unit any more; one that nobody needs is not loaded, but has a file."""
    has_file = name in looks.now["unit_files"] or _template(name) in looks.now["unit_files"]
    return not has_file and (not unit or unit.get("LoadState") == "not-found")


def _is_judged(unit: Unit) -> bool:
    return unit.get("Transient") != "yes" and not SESSION_UNIT.match(unit.get("Id", ""))


def _is_told(looks: Comparison, name: str) -> bool:
    return name in looks.down or any(said.startswith(f"{name} ") for told in looks.found.values() for said in told)


def _owner(look: Look, unit: Unit, name: str) -> str:
    """The package that brings a unit (an instance's file is its template's)."""
    owners, file = look["owners"], unit.get("FragmentPath", "").rpartition("/")[2]
    return str(owners.get(file) or owners.get(name) or owners.get(_template(name)) or "?")


def _template(name: str) -> str:
    return re.sub(r"@[^.]*\.", "@.", name)
