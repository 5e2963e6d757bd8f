# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""The record of one host, and what each step of the role does to it. Pure, on plain data.

Whoever writes a task hands the record and what was seen to `advance`, and gets the new record. Failures are recorded
here, not raised: the role's last task fails the host.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from types import ModuleType
from typing import Any

from ...module_utils._snapshots import describe, newest_first
from . import (
    access,
    commands,
    evidence,
    judgement,
    libraries,
    managers,
    packages,
    proven,
    room,
    snapshots,
    update,
    verdict,
)
from .options import Find, at, validate

TIME = "%Y-%m-%dT%H:%M:%SZ"
# As in the names of snapshots.
NAMED = "%Y%m%dT%H%M%SZ"
Record = dict[str, Any]
Seen = Mapping[str, Any]
# The keys that tasks may read. What they do not need, and lists of a host's evidence, stay in Python.
READ_BY_TASKS = (
    "asks",
    "broken_description",
    "by",
    "check_mode",
    "checks_file",
    "compares",
    "description",
    "entry",
    "failure",
    "has_answered",
    "has_booted",
    "has_systemd",
    "has_to_settle",
    "holds",
    "is_begun",
    "is_calm",
    "is_known",
    "judgement",
    "launches",
    "manager",
    "must_finish",
    "must_reboot",
    "options",
    "outdated",
    "prepares_snapshot",
    "prunable",
    "report_error",
    "restart_error",
    "resumes",
    "rollback",
    "room",
    "room_paths",
    "restartable",
    "rotated",
    "server_key",
    "sizes",
    "snapshot",
    "soak",
    "soak_looks",
    "spared",
    "ssh_args",
    "start_command",
    "todo",
    "unseen",
    "well",
)
TITLES = {
    "main": "a safe update",
    "preflight": "a preflight",
    "assess": "an assessment",
    "snapshot": "a snapshot before an update",
    "update": "an update",
    "verify": "a verification",
    "rollback": "a roll-back",
    "cleanup": "a clean-up",
}
# An entry point used after another one in the same run goes on with what that one knows.
CARRY_ON = ("snapshot", "update", "verify", "rollback", "cleanup")


def begin(previous: Mapping[str, Any], seen: Seen, now: datetime, find: Find) -> Record:
    """The record of a host that nothing is known of but its variables.

    :param previous: The record of an earlier entry point of this run, or empty.
    :param seen: ``entry``, ``variables`` (all that begin with ``safe_update_``), ``host``, ``address``, ``check_mode``,
        ``places`` (folders), ``ssh_args``, ``user``, ``node``, ``began`` (of the run, the same for all its hosts),
        ``awx`` (``workflow_job_ids``, ``awx_job_id``, ``vps_awx_prefix``),
        ``result`` (of an earlier entry point), ``stale`` (what Ansible remembers of an earlier failure).
    :param now: UTC.
    """
    options, mistakes = validate(seen["variables"], find, seen["places"])
    if options["report_dir"]:
        # A relative folder is meant from where the user stands, not from where the playbook lies.
        options["report_dir"] = str(Path(seen["places"][-1], Path(options["report_dir"]).expanduser()))
    carried = previous if seen["entry"] in CARRY_ON else {}
    awx = seen.get("awx") or {}
    runs = (options["run_id"], *(awx.get("workflow_job_ids") or []), awx.get("awx_job_id"), previous.get("run_id"))
    record: Record = {
        "entry": seen["entry"],
        "host": seen["host"],
        "address": seen["address"],
        "check_mode": seen["check_mode"],
        "options": options,
        "ssh_args": seen.get("ssh_args") or "",
        "awx": commands.awx_prefix(awx),
        "by": f"AWX job {awx['awx_job_id']}" if awx.get("awx_job_id") else f"{seen['user']}@{seen['node']}",
        "run_id": next((str(run) for run in runs if run), seen.get("began") or now.strftime(NAMED)),
        "stale": _digest(seen.get("stale")),
        "failure": None,
        # Why an update would be refused, as an assessment finds it: that is no failure, and it looks on.
        "refusals": [],
        "outcome": "",
        "postponed": "",
        "rollback": None,
        "server": carried.get("server") or {},
        "server_key": carried.get("server_key", ""),
        "slots": carried.get("slots") or [],
        "snapshot": {}
        if seen["entry"] == "snapshot" or seen["entry"] not in CARRY_ON
        else _given_snapshot(options, seen.get("result") or {}),
        "manager": carried.get("manager", ""),
        "has_systemd": carried.get("has_systemd", True),
        "lists_age": carried.get("lists_age", ""),
        "is_asked": False,
        # Whether what is pending asks for a restart, which the system does not know of then.
        "asks_restart": bool(carried.get("asks_restart")),
        "security": carried.get("security") or [],
        "last_update": "",
        # What the host was when this run looked first: before its own preflight there may be one of the whole fleet.
        "earlier": evidence.without_packages(previous.get("baseline") or []),
        "baseline": carried.get("baseline") or [],
        "now": [],
        "room": room.look([]),
        "unended": carried.get("unended") or [],
        "judgement": dict(judgement.NOTHING),
        # Of the soak: when it began and when the next look is due (seconds since 1970), how many looks have failed.
        "soak": None,
        "restarts": {},
        "is_as_before": False,
        "has_booted": False,
        "pending": carried.get("pending") or [],
        "packages": [],
        "differences": [],
        "restart_due": False,
        # Services that run libraries which are not there any more.
        "old_libraries": [],
        "rebooted": False,
        "restart_error": "",
        "proven": {},
        # Whether safe_update_pre_tasks have begun, safe_update_post_tasks are over, and why these failed.
        "prepared": False,
        "posted": False,
        "post_failure": None,
        "broken": None,
        "prunable": [],
        "deleted": [],
        "warnings": [],
        "evidence": [],
        "report_error": "",
        "timeline": [{"phase": "begin", "end": now.strftime(TIME)}],
    }
    if mistakes:
        return refuse(record, "preflight", verdict.join(*mistakes))
    return record


def refuse(record: Record, phase: str, reason: str, task: str = "", is_final: bool = False) -> Record:
    """Note a failure that no task has had; the first one stays.

    :param is_final: Whether nothing more can be learned of the host.
    """
    return _fail(record, {"phase": phase, "task": task, "reason": reason, "aborted": False}, is_final)


def _fail(record: Record, failure: dict[str, Any], is_final: bool = False) -> Record:
    """Note a failure; in an assessment only what a host would be refused for, as long as it answers."""
    if record["entry"] == "assess" and not is_final:
        return {**record, "refusals": list(dict.fromkeys([*record["refusals"], verdict.told(failure)]))}
    return {**record, "failure": record["failure"] or failure}


def failed(record: Record, seen: Seen) -> Record:
    """Note what a rescue has caught.

    One that is entered without a failure of its own host is an abort because of another host (any_errors_fatal); what
    Ansible remembers of an earlier failure does not count.

    :param seen: ``phase``, ``task``, ``result`` and, where there is one, ``advice`` on what to do.
    """
    result, phase = seen.get("result") or {}, seen["phase"]
    aborted = _digest(result) == record["stale"]
    failure = {
        "phase": phase,
        "task": "" if aborted else str(seen.get("task") or ""),
        "reason": verdict.join(
            "The play was aborted because of another host" if aborted else verdict.failure_words(result),
            # Where the host let us in before, the update has locked us out.
            access.lost(result) if record["baseline"] and phase in ("update", "verify") and not aborted else "",
            f"Its restart was not over within {record['options']['reboot_timeout']} s (safe_update_reboot_timeout), "
            "and what was still stopping could not be asked"
            if record["restart_error"] and phase == "update" and not aborted
            else "",
            seen.get("advice"),
        ),
        "aborted": aborted,
    }
    if phase == "rollback":
        return {**record, "rollback": {**failure, "outcome": "rollback_failed"}}
    if phase == "cleanup":
        left = ", ".join(each["name"] for each in record["prunable"]) or verdict.snapshot_label(record["snapshot"])
        warning = f"The clean-up failed: {failure['reason']} Left over: {left}; the next successful run deletes it."
        return {**record, "warnings": [*record["warnings"], warning]}
    return _fail(record, failure)


def prepared(record: Record) -> Record:
    """Note that safe_update_pre_tasks begin: from now on safe_update_post_tasks are due, whatever happens."""
    return {**record, "prepared": True}


def posted(record: Record, seen: Seen) -> Record:
    """Note that safe_update_post_tasks are over. `seen`: of a failure ``task`` and ``result``, as in `failed`."""
    known = {**record, "posted": True}
    if not seen.get("result"):
        return known
    words = verdict.failure_words(seen["result"])
    return {**known, "post_failure": {"phase": "post", "task": str(seen.get("task") or ""), "reason": words}}


def broken(record: Record, seen: Seen) -> Record:
    """Note the snapshot of the broken state. `seen`: ``started`` and ``awaited``, or ``result``, as registered."""
    kept = (seen.get("awaited") or {}).get("snapshot") or {}
    if kept and not seen.get("result"):
        return {**record, "broken": {"id": kept["id"], "name": kept["name"]}}
    begun = (seen.get("started") or {}).get("snapshot")
    why = verdict.failure_words(seen.get("result") or {})
    left = f"; {verdict.snapshot_label(begun)} was begun" if begun else ""
    warning = f"There is no snapshot of the broken state (safe_update_keep_broken){left}: {why}"
    return {**record, "warnings": [*record["warnings"], verdict.join(warning)]}


def mapped(record: Record, seen: Seen) -> Record:
    """Note which services run old libraries. `seen`: ``run`` (what files/libraries.sh said, as registered)."""
    run = seen.get("run") or {}
    return {**record, "old_libraries": libraries.services(run.get("stdout_lines") or [])}


def promised(record: Record, seen: Seen) -> Record:
    """Note which versions an earlier run has proven. `seen`: ``report`` (the text of its report.json)."""
    known, why = proven.versions(str(seen.get("report") or ""), evidence.versions(record["baseline"]))
    if why:
        return refuse(
            record, _looking(record), f"{record['options']['versions_from']} (safe_update_versions_from) {why}"
        )
    return {**record, "proven": known}


def barred(record: Record, seen: Seen) -> Record:
    """Add to a failure that the host lets Ansible work no more. `seen`: ``run`` (a look as simple as can be)."""
    failure = record["failure"] or {}
    lost = access.lost(seen.get("run") or {}) if record["baseline"] and not failure.get("aborted") else ""
    if not failure or not lost or lost in failure["reason"]:
        return record
    return {**record, "failure": {**failure, "reason": verdict.join(failure["reason"], lost)}}


def server(record: Record, seen: Seen) -> Record:
    """Note which server the host is. `seen`: ``servers`` and ``snapshots``, as the modules return them."""
    found = (seen.get("servers") or [{}])[0]
    known = {**record, "server": found, "server_key": verdict.server_key(found)}
    return {**known, "slots": newest_first(seen.get("snapshots") or [])}


def admit(record: Record, seen: Seen, now: datetime) -> Record:
    """Refuse a server that must not be touched. `seen`: ``fleet``, ``backups``, ``api_time``."""
    clock = at(seen["api_time"]) if seen.get("api_time") else now
    reasons = verdict.refusals(record, seen, clock)
    return refuse(record, "preflight", verdict.join(*reasons)) if any(reasons) else record


def rooms(record: Record, seen: Seen) -> Record:
    """Refuse a host that has no room, or whose packages are being changed or nobody here can update.

    :param seen: ``run`` (as registered), and ``managers`` (those that the built-in update knows) where that matters.
    """
    run = seen.get("run") or {}
    if run.get("unreachable"):
        return refuse(record, _looking(record), _silence(record, run), is_final=True)
    found = room.look(run.get("stdout_lines") or [])
    known = {
        **record,
        "room": found,
        "manager": found["manager"],
        "has_systemd": found["systemd"],
        "unended": found["unended"],
    }
    told = map(verdict.of_unended_run, verdict.unended(known))
    known["warnings"] = [*record["warnings"], *(each for each in told if each not in record["warnings"])]
    if not found["heard"]:
        said = verdict.failure_words({**run, "failed": True})
        return refuse(known, _looking(record), f"The host could not be looked at: {said}", is_final=True)
    if found["busy"]:
        return refuse(
            known,
            _looking(record),
            f"A package manager is at work on the host: {'; '.join(found['busy'])}. Run again when it is done",
        )
    supported = seen.get("managers", [found["manager"]])
    is_foreign = not record["options"]["tasks"] and found["manager"] not in supported
    reasons = [
        *room.refusals(found, record["options"]["min_free"], {}),
        *([_unsupported(found, supported)] if is_foreign else []),
    ]
    return refuse(known, _looking(record), verdict.join(*reasons), is_final=is_foreign) if reasons else known


def _unsupported(found: Mapping[str, Any], supported: list[str]) -> str:
    return (
        f"The built-in update knows {' and '.join(supported) or 'no package manager'}, and this host has "
        f"{found['manager'] or 'none that is known here'}. Give it an own task file (safe_update_tasks)"
    )


def refreshed(record: Record, seen: Seen) -> Record:
    """Refuse a host whose package lists cannot be refreshed. `seen`: ``run`` (as registered)."""
    run = seen.get("run") or {}
    if run.get("unreachable"):
        return refuse(record, _looking(record), _silence(record, run), is_final=True)
    said = [*(run.get("stdout_lines") or []), *(run.get("stderr_lines") or [])]
    why = _manager(record).unrefreshed(said or [str(run.get("msg") or "")], run.get("rc", 1))
    return refuse(record, _looking(record), why) if why else record


def sized(record: Record, seen: Seen) -> Record:
    """Refuse a host that has no room for this very update. `seen`: ``run`` (what the package manager says of sizes)."""
    said = (seen.get("run") or {}).get("stdout_lines") or []
    needed = room.need(said, record["pending"], record["room"]["kernel"])
    reasons = room.refusals(record["room"], record["options"]["min_free"], needed)
    return refuse(record, _looking(record), verdict.join(*reasons)) if reasons else record


def _silence(record: Record, run: Mapping[str, Any]) -> str:
    status = record["server"].get("status")
    says = f"The API says that its server is {status}" if status else ""
    return verdict.join(f"The host does not answer: {run.get('msg') or 'no reason given'}", says)


def baseline(record: Record, seen: Seen) -> Record:
    """Note what the host is and runs before anything is done. `seen`: ``inspection`` (as registered)."""
    inspection = seen.get("inspection") or {}
    facts = evidence.lines(inspection)
    if not facts:
        said = inspection.get("msg") or "it said nothing"
        return refuse(record, _looking(record), f"The host could not be inspected: {said}")
    return {**record, "baseline": facts, "now": facts, "restart_due": evidence.asks_for_restart(facts)}


def pending(record: Record, seen: Seen) -> Record:
    """Note what is pending. `seen`: ``asked`` (the package manager, as registered)."""
    lists = record["room"]["lists"]
    then = datetime.fromtimestamp(lists, tz=timezone.utc).strftime("%Y-%m-%d %H:%M UTC") if lists else "unknown age"
    # Check mode refreshes no package lists.
    age = then if record["check_mode"] else "this run"
    found, gone = _asked(record, seen)
    known = {
        **record,
        "is_asked": True,
        "lists_age": age,
        "pending": found,
        "security": _manager(record).security(seen.get("asked") or {}, record["options"]),
        "asks_restart": _manager(record).asks_restart(seen.get("asked") or {}),
    }
    if record["options"]["versions_from"]:
        known["warnings"] = [*record["warnings"], *proven.warnings(seen.get("asked") or {})]
        if why := proven.refusal(seen.get("asked") or {}, found, record["proven"]):
            return refuse(known, _looking(record), why)
    elif why := _manager(record).unanswered(seen.get("asked") or {}):
        return refuse(known, _looking(record), why)
    again, words = room.fails_again(record["room"]["before"], found, evidence.versions(record["baseline"]))
    if again:
        return refuse(
            known,
            _looking(record),
            f"Nothing is pending but {', '.join(again)}, half installed since an earlier update, and that has failed "
            f"before: {words or 'nothing was said'}. Mend it on the host (dpkg --configure --pending), or install "
            "another version there",
        )
    if not gone:
        return known
    return refuse(
        known,
        _looking(record),
        f"The update would remove {', '.join(gone)}. If they may go, list them in safe_update_allow_removals (or set "
        "it to true); else hold back what wants them gone with safe_update_exclude",
    )


def _asked(record: Record, seen: Seen) -> tuple[list[dict[str, str]], list[str]]:
    """What an update would change, and what it would remove and may not."""
    options, asked = record["options"], seen.get("asked") or {}
    allowed = options["allow_removals"]
    # What is excluded is held, so it is not removed either.
    spared = ["*"] if allowed is True else [*options["exclude"], *(allowed or [])]
    unfinished = evidence.unfinished(record["baseline"])
    manager = _manager(record)
    return manager.pending(asked, options, unfinished), manager.removals(asked, options["scope"], spared)


def _manager(record: Record) -> ModuleType:
    return managers.KNOWN[record["manager"]]


def assessed(record: Record, seen: Seen) -> Record:
    """Note what only an assessment asks. `seen`: ``run`` (what files/assess.sh said, as registered)."""
    lines = (seen.get("run") or {}).get("stdout_lines") or []
    security = record["security"] or packages.named_by_advisories(lines, record["pending"])
    return {**record, "security": security, "last_update": packages.last_update(lines)}


def held(record: Record, seen: Seen) -> Record:
    """Start nothing after a connection that was lost. `seen`: ``run`` (what held packages back, as registered)."""
    run = seen.get("run") or {}
    if not run.get("unreachable"):
        return record
    said = f"The connection was lost while the update was to be started, and nothing of it was done: {run.get('msg')}"
    return refuse(record, "update", said)


def ended(record: Record, seen: Seen) -> Record:
    """Note how a command of the update ended. `seen`: ``run`` (what files/update.sh said, as registered)."""
    found = update.state((seen.get("run") or {}).get("stdout_lines") or [])
    why = update.failure(found, record["options"]["timeout"])
    return refuse(record, "update", why, "Update the packages") if why else record


def applied(record: Record, seen: Seen) -> Record:
    """Refuse to call an update done that has left what was pending. `seen`: ``asked``, as for `pending`."""
    asked = seen.get("asked") or {}
    if asked.get("unreachable"):
        return refuse(record, "update", f"The connection was lost right after the update: {asked.get('msg') or ''}")
    if not record["options"]["versions_from"] and (why := _manager(record).unanswered(asked)):
        return refuse(
            record, "update", f"The package manager ended without an error; what it has left is unknown: {why}"
        )
    still = _asked({**record, "baseline": []}, seen)[0]
    rest = packages.left(record["pending"], still, _manager(record).NAMES_NEW)
    if not rest:
        return record
    return refuse(
        record,
        "update",
        f"The package manager ended without an error, and has not installed: {', '.join(rest)}. Look at "
        f"{_manager(record).LOG}",
    )


def failures(facts: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    """The hosts that count for ``safe_update_max_failures``, with their outcomes.

    :param facts: The records of the hosts with a failure, as facts. A result may be an earlier run's, from a cache.
    """
    records = {host: json.loads(fact["state"]) for host, fact in facts.items()}
    return [
        {"host": host, "outcome": verdict.outcome(record)}
        for host, record in records.items()
        if record["failure"]["phase"] != "preflight"
    ]


def ready(record: Record, seen: Seen, now: datetime) -> Record:
    """Decide whether there is anything to do, and the time for it. `seen`: ``failures``, those of the run so far."""
    if record["failure"]:
        return record
    if not record["options"]["tasks"] and not record["pending"]:
        return {**record, "outcome": "up_to_date"}
    why = verdict.join(*verdict.postponements(record["options"], seen.get("failures") or [], now))
    return {**record, "outcome": "postponed" if why else "", "postponed": why}


def snapshot(record: Record, seen: Seen) -> Record:
    """Note the snapshot, and give way to a run that was first. `seen`: ``started``, ``awaited`` (as registered)."""
    started = seen.get("started") or {}
    ours = started.get("snapshot") or {}
    known = {**record, "snapshot": {"id": ours.get("id"), "name": ours.get("name") or ""} if ours else {}}
    if record["failure"] or record["check_mode"] or not ours:
        return known
    slots = (seen.get("awaited") or {}).get("slots") or []
    mine = [each["id"] for each in snapshots.own(record["slots"], record["options"]["name_prefix"])]
    # Without a preflight, nothing tells a rival's snapshot from an old one.
    looked = bool(record["server"])
    first = snapshots.rivals(slots, record["options"]["name_prefix"], mine, ours["id"]) if looked else []
    if started.get("changed") and not first:
        return known
    return refuse(
        known,
        "snapshot",
        f"Another run is at work on this server: while this one began, it took the snapshot "
        f"{first[0]['name'] if first else ours.get('name')}. The snapshot of this run is not deleted; the next "
        "successful run does that",
    )


def look(record: Record, seen: Seen) -> Record:
    """Note what the host is and runs now. `seen`: ``inspection`` (as registered); a silent host tells nothing."""
    found, before, options = evidence.lines(seen.get("inspection")), record["baseline"], record["options"]
    # In a soak the last look is the one that the host has to stay as well as.
    last = record["now"] if record["soak"] else []
    known = {**record, "now": found or last, "is_as_before": False}
    known["has_booted"] = evidence.has_booted(before, found)
    known["restarts"] = judgement.count_restarts(record["restarts"], last, found)
    if compares(record):
        known["judgement"] = judgement.judge(
            before,
            found,
            earlier=record["earlier"],
            last=last,
            restarts=known["restarts"],
            ignore=options["compare_ignore"],
            may_go=options["allow_removals"],
            limit=options["connection_timeout"],
        )
    if not found or not before:
        return known
    changed = evidence.packages(before, found) or record["packages"]
    is_asked_for = record["asks_restart"] and bool(changed) and not known["has_booted"]
    return {
        **known,
        # After a restore little differs, and what the update had changed is still to be told.
        "differences": record["differences"] if record["failure"] else known["judgement"]["differences"],
        "packages": changed,
        "restart_due": evidence.asks_for_restart(found) or is_asked_for,
        "is_as_before": evidence.is_as_before(before, found),
    }


def compares(record: Record) -> bool:
    """Whether there is something to compare with, and it is asked for."""
    return bool(record["options"]["compare"] and record["baseline"])


def soak(record: Record, _seen: Seen, now: datetime) -> Record:
    """Begin to watch whether the host stays healthy."""
    interval = record["options"]["soak_interval"]
    watch = {"since": now.timestamp(), "failed": 0, "next": now.timestamp() + interval}
    return {**record, "soak": watch, "restarts": {}}


def soaked(record: Record, seen: Seen, now: datetime) -> Record:
    """Note the end of a look of the soak. `seen`: of one that failed ``task`` and ``result``, as in `failed`."""
    options, watch = record["options"], record["soak"]
    due = min(watch["next"] + options["soak_interval"], watch["since"] + options["soak"])
    if not seen.get("result"):
        return {**record, "soak": {**watch, "next": due}}
    after = int(now.timestamp() - watch["since"])
    if watch["failed"] < options["soak_failures"]:
        why = f"{after} s after it was found well, the host was not: {verdict.failure_words(seen['result'])}"
        # A look that may fail has told what it saw: the next one begins anew.
        watch = {**watch, "next": due, "failed": watch["failed"] + 1}
        return {**record, "soak": watch, "restarts": {}, "warnings": [*record["warnings"], verdict.join(why)]}
    advice = f"It was well at first; this was seen {after} s later (safe_update_soak)"
    return failed({**record, "soak": None, "restarts": {}}, {**seen, "phase": "verify", "advice": advice})


def booted(record: Record, seen: Seen) -> Record:
    """Note a restart. `seen`: ``rebooted`` (as registered); its failure counts once the host has been looked at."""
    run = seen.get("rebooted") or {}
    return {**record, "rebooted": bool(run.get("rebooted")), "restart_error": str(run.get("msg") or "")}


def back(record: Record, seen: Seen) -> Record:
    """Refuse a host that has not restarted, or not in time. `seen`: ``run`` (what files/restart.sh said)."""
    run = seen.get("run") or {}
    lines = run.get("stdout_lines") or []
    known = {**record, "has_booted": evidence.has_booted(record["baseline"], lines)}
    if run.get("unreachable") or "end" not in lines:
        return refuse(known, "update", f"The connection was lost after the restart: {verdict.failure_words(run)}")
    if known["has_booted"] and not record["restart_error"]:
        return known
    seconds = record["options"]["reboot_timeout"]
    slow = evidence.slow_to_stop(lines)
    what = (
        f"The restart took longer than {seconds} s (safe_update_reboot_timeout): {record['restart_error']}"
        if known["has_booted"]
        else verdict.join(
            "The host answers, but its boot id is the old one, so it has not restarted",
            f"Its restart was waited for {seconds} s (safe_update_reboot_timeout)",
            record["restart_error"],
        )
    )
    why = f"It waited for: {', '.join(slow)}" if slow else "What it waited for, nobody could tell"
    return refuse(known, "update", verdict.join(what, why), "Restart the host")


def journal(record: Record, seen: Seen) -> Record:
    """Keep the last errors of the host. `seen`: ``journal`` (as registered)."""
    return {**record, "evidence": [str(line) for line in (seen.get("journal") or {}).get("stdout_lines") or []]}


def spare(record: Record) -> Record:
    """Restore nothing, as the update failed before it changed anything."""
    reason = "The update failed before it changed anything, so nothing was restored"
    return {**record, "rollback": {"outcome": "kept", "reason": reason, "task": ""}}


def restored(record: Record) -> Record:
    """Note that the host is as it was."""
    return {**record, "rollback": {"outcome": "rolled_back", "reason": "", "task": ""}}


def leftovers(record: Record, seen: Seen) -> Record:
    """Choose what the clean-up deletes.

    :param seen: ``snapshots`` of the server, as the module returns them, and ``asked`` (the host, as registered), where
        nothing has looked at it before.
    """
    options = record["options"]
    slots = newest_first(seen.get("snapshots") or [])
    known = {**record, "slots": slots}
    if record["entry"] == "cleanup":
        mine = snapshots.own(slots, options["name_prefix"])
        chosen = [each for each in mine if each["id"] == record["snapshot"].get("id")]
        if not chosen:
            wanted = record["snapshot"].get("id")
            warning = (
                f"The clean-up failed: nothing was deleted, as the server has no own snapshot with the id {wanted} "
                f"(own ones are called {options['name_prefix']}-YYYYMMDDTHHMMSSZ)."
                if wanted
                else "The clean-up failed: nothing was deleted, as no snapshot was named. Give safe_update_snapshot_id."
            )
            return {**known, "prunable": [], "warnings": [*record["warnings"], warning]}
        known["snapshot"] = {"id": chosen[0]["id"], "name": chosen[0]["name"]}
    name = str(known["snapshot"].get("name") or "")
    if record["failure"]:
        # Nothing was done, so this run's own is not needed; what is older may be.
        mine = snapshots.own(slots, options["name_prefix"])
        go = [each for each in mine if (each["id"], each["name"]) == (known["snapshot"].get("id"), name)]
        return {**known, "prunable": [{"id": each["id"], "name": each["name"]} for each in go]}
    if record["entry"] == "cleanup" and not record["baseline"]:
        # Nothing has looked at the host before.
        said = (seen.get("asked") or {}).get("stdout_lines") or []
        if "end" not in said:
            why = "The host did not say whether a run was killed on it, so what is older than that snapshot stays."
            return {**known, "warnings": [*record["warnings"], why], "prunable": [known["snapshot"]]}
        known["unended"] = room.look(said)["unended"]
    # Of the one that is named, somebody has decided.
    known["unended"] = [each for each in known["unended"] if each != name]
    go = snapshots.prunable(slots, options["name_prefix"], name, options["keep"], verdict.stays(known))
    return {**known, "prunable": [{"id": each["id"], "name": each["name"]} for each in go]}


def cleaned(record: Record, seen: Seen) -> Record:
    """Note what is gone. `seen`: ``pruned``, a loop's results."""
    if record["check_mode"]:
        return record
    results = (seen.get("pruned") or {}).get("results") or []
    gone = [each for one in results if not one.get("failed") for each in one.get("deleted") or []]
    return {**record, "deleted": gone}


def updated(record: Record, seen: Seen, now: datetime) -> Record:
    """Note what the host is and runs after the update, which is over unless more follows. `seen`: see `look`."""
    return over(look(record, seen), {"phase": "update"}, now)


def over(record: Record, seen: Seen, now: datetime) -> Record:
    """Note the end of a phase, the latest one where several are told. `seen`: ``phase``."""
    earlier = record["timeline"]
    if earlier[-1]["phase"] == seen["phase"]:
        earlier = earlier[:-1]
    return {**record, "timeline": [*earlier, {"phase": seen["phase"], "end": now.strftime(TIME)}]}


def unreported(record: Record, seen: Seen) -> Record:
    """Note why the report could not be written. `seen`: ``result`` of what failed."""
    why = verdict.failure_words(seen.get("result") or {})
    return {**record, "report_error": verdict.join(f"The report could not be written: {why}")}


def title(seen: Seen) -> str:
    """What begins, for people. `seen`: ``entry``, and ``check`` in check mode."""
    return f"{'the rehearsal of ' if seen['check'] else ''}{TITLES[seen['entry']]}"


def result(record: Record) -> dict[str, Any]:
    """What users get as ``safe_update_result``."""
    outcome = verdict.outcome(record)
    well = outcome in verdict.WELL
    message = verdict.message(record)
    failure = record["failure"] or record["post_failure"] or {}
    return {
        "outcome": outcome,
        "run_id": record["run_id"],
        "server_id": record["options"]["server_id"],
        "snapshot_id": record["snapshot"].get("id"),
        "snapshot_name": record["snapshot"].get("name") or "",
        "reason": "" if well and not record["post_failure"] else message,
        "failed_task": failure.get("task", ""),
        "failed_phase": failure.get("phase", ""),
        "message": message,
        "pending": record["pending"],
        "packages": record["packages"],
        "differences": record["differences"],
        "checks": verdict.check_names(record),
        "own_update": bool(record["options"]["tasks"]),
        "deleted": record["deleted"],
        "rebooted": record["rebooted"],
        "restart_due": record["restart_due"],
        "old_libraries": record["old_libraries"],
        "broken_snapshot": record["broken"],
        "slots_used": len(record["slots"]),
        "security": record["security"],
        "kernel": evidence.kernels(record["now"]),
        "room": {each["mount"]: each["free"] for each in record["room"]["rooms"]},
        "lists_refreshed": _iso(record["room"]["lists"]),
        "warnings": [*record["warnings"], *verdict.difference_warnings(record)],
        "evidence": [] if well else record["evidence"],
        "timeline": record["timeline"],
        "check_mode": record["check_mode"],
    }


def assessment(record: Record) -> dict[str, Any]:
    """What the playbook assess shows of a host: its `result`, and what keeps an update from it today.

    ``answers`` is false where nothing could be learned of the host itself, ``is_asked`` where its package manager did
    not say what is pending; ``slots_used`` is null where the service did not tell of the server.
    """
    failure = record["failure"]
    return {
        **result(record),
        "answers": record["room"]["heard"],
        "is_asked": record["is_asked"],
        "slots_used": len(record["slots"]) if record["server"] else None,
        "refusals": [*record["refusals"], *([verdict.told(failure)] if failure else [])],
        "last_update": record["last_update"],
    }


def todo(record: Record) -> list[str]:
    """The phases that may run now."""
    entry, options = record["entry"], record["options"]
    goes_on = not record["failure"] and not record["outcome"]
    failure = record["failure"] or {}
    hooks = options["pre_tasks"] or options["post_tasks"]
    has_failed = entry == "main" and failure.get("phase") in ("update", "verify") and not failure.get("aborted")
    may = {
        "preflight": goes_on and (entry in ("main", "preflight") or (entry == "assess" and bool(options["server_id"]))),
        "snapshot": goes_on and entry in ("main", "snapshot"),
        "prepare": goes_on
        and hooks
        and not record["prepared"]
        and entry in ("main", "update")
        and not record["check_mode"],
        "update": goes_on and entry in ("main", "update") and not record["check_mode"],
        "verify": goes_on and (entry == "verify" or (entry == "main" and not record["check_mode"])),
        "evidence": has_failed,
        "rollback": not record["rollback"]
        and ((has_failed and options["on_failure"] == "rollback") or (entry == "rollback" and not failure)),
        "post": record["prepared"] and not record["posted"],
        "cleanup": (
            goes_on and not record["post_failure"] and (entry == "cleanup" or (entry == "main" and options["cleanup"]))
        )
        or (entry == "main" and failure.get("phase") == "pre" and bool(record["snapshot"].get("id"))),
    }
    return [phase for phase, is_due in may.items() if is_due]


def facts(record: Record) -> dict[str, Any]:
    """What tasks ask of the record: derived, never stored twice by them."""
    options = record["options"]
    rotated = snapshots.rotated(record["slots"], options["name_prefix"], verdict.stays(record))
    due = options["reboot"] == "always" or (options["reboot"] == "when_required" and record["restart_due"])
    # Where nothing was changed, and after a restart, nothing old is in memory.
    outdated = bool(record["packages"]) and not record["rebooted"]
    failure = record["failure"] or {}
    freed = rotated if options["on_limit"] == "rotate" else None
    to_do = {**record, "unfinished": evidence.unfinished(record["baseline"])}
    manager = managers.KNOWN.get(record["manager"])
    restartable = libraries.restartable(record["old_libraries"])
    # What an assessment has still to look at, since something before it failed.
    missing = {
        "host": not record["room"]["heard"],
        "packages": bool(manager) and not record["is_asked"],
    }
    unharmed = record["is_as_before"] and not record["rebooted"] and not options["tasks"]
    phases = todo(record)
    return {
        "todo": phases,
        # Whether the host goes back into service, keeps evidence, or is to be restored.
        "resumes": bool({"evidence", "rollback", "post"} & set(phases)),
        "rotated": {"id": freed["id"], "name": freed["name"]} if freed else None,
        # No server is stopped for that one.
        "broken_description": f"{describe(record['run_id'], record['by'], False)}; the broken state before a restore",
        "description": describe(record["run_id"], record["by"], options["offline"]),
        "must_reboot": due,
        # Whether an update has more to do than the tasks of one's own.
        "must_finish": bool(failure or due or outdated or not options["tasks"]),
        "outdated": outdated,
        "restartable": restartable if options["restart_services"] else [],
        "asks": manager.asks(to_do) if manager else [],
        # Whether the run has begun to change the host, and the note of that has to go: a restore takes it away itself,
        # and where one failed it stays.
        "is_begun": bool(record["snapshot"].get("name"))
        and (record["rollback"] or {}).get("outcome", "kept") == "kept"
        and any(each["phase"] == "update" for each in record["timeline"]),
        # Whether what is excluded has to be held back.
        "holds": bool(manager and manager.HOLDS and options["exclude"]),
        "prepares_snapshot": bool(freed or options["offline"] or options["quiesce_tasks"]),
        # Whether the host has been looked at before anything was done.
        "is_known": bool(record["baseline"]),
        "has_answered": bool(record["now"]),
        "compares": compares(record),
        # The listed ones bring those of one's own along.
        "checks_file": "checks.yml" if options["checks"] else options["check_tasks"],
        "has_to_settle": record["judgement"]["patience"] > 0,
        "is_calm": not record["judgement"]["failures"] and not record["judgement"]["settling"],
        # How many looks there are, the last one at the end.
        "soak_looks": -(-options["soak"] // options["soak_interval"]),
        "sizes": manager.sizes(to_do) if manager and record["pending"] else [],
        "room_paths": list(dict.fromkeys([*room.PATHS, *options["min_free"]])),
        "launches": update.commands(to_do) if manager and not options["tasks"] else [],
        "unseen": [] if record["failure"] else [what for what, is_missing in missing.items() if is_missing],
        "spared": bool(unharmed and failure.get("phase") == "update"),
        "start_command": verdict.start_command(record),
        "well": verdict.outcome(record) in verdict.WELL and not record["post_failure"],
    }


TIMED: dict[str, Callable[[Record, Seen, datetime], Record]] = {
    "admit": admit,
    "ready": ready,
    "over": over,
    "updated": updated,
    "soak": soak,
    "soaked": soaked,
}
STEPS: dict[str, Callable[[Record, Seen], Record]] = {
    "failed": failed,
    "barred": barred,
    "prepared": lambda record, _seen: prepared(record),
    "posted": posted,
    "broken": broken,
    "mapped": mapped,
    "promised": promised,
    "server": server,
    "baseline": baseline,
    "pending": pending,
    "assessed": assessed,
    "rooms": rooms,
    "refreshed": refreshed,
    "sized": sized,
    "held": held,
    "ended": ended,
    "applied": applied,
    "snapshot": snapshot,
    "look": look,
    "booted": booted,
    "back": back,
    "journal": journal,
    "spare": lambda record, _seen: spare(record),
    "restored": lambda record, _seen: restored(record),
    "leftovers": leftovers,
    "cleaned": cleaned,
    "unreported": unreported,
}


def advance(record: Record, step: str, seen: Seen, now: datetime, find: Find) -> Record:
    """The record after a step of the role.

    :param step: ``begin``, or a key of STEPS or TIMED.
    :param seen: What the step's function says; where it has ``over``, that phase has ended as well.
    :param now: UTC.
    :param find: Looks for a task file; see `options.validate`.
    :raises KeyError: Where there is no such step.
    """
    if step == "begin":
        known = begin(record, seen, now, find)
    elif step in TIMED:
        known = TIMED[step](record, seen, now)
    else:
        known = STEPS[step](record, seen)
    if seen.get("over"):
        known = over(known, {"phase": seen["over"]}, now)
    return {**known, **facts(known)}


def _looking(record: Record) -> str:
    """The phase in which the host is looked at: an update alone has no preflight."""
    return "update" if record["entry"] == "update" else "preflight"


def _given_snapshot(options: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
    if options["snapshot_id"]:
        return {"id": options["snapshot_id"], "name": ""}
    if result.get("snapshot_id"):
        return {"id": result["snapshot_id"], "name": result.get("snapshot_name") or ""}
    return {}


def _iso(seconds: int) -> str:
    """A moment, of the seconds since 1970; empty for none."""
    return datetime.fromtimestamp(seconds, tz=timezone.utc).strftime(TIME) if seconds else ""


def _digest(value: Any) -> str:
    """What tells one failure from another, without keeping it."""
    text = json.dumps(value or {}, sort_keys=True, default=lambda each: type(each).__name__)
    return hashlib.sha256(text.encode()).hexdigest()
