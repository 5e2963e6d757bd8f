# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""The words: why a host is refused, what came of it and what to do now. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from ...module_utils._snapshots import READY, created_at, described, is_held, newest_first, parse_duration
from . import commands, evidence, snapshots, window
from .options import at

WELL = ("", "up_to_date", "updated", "postponed")
AGES = (("d", 24 * 60), ("h", 60))
BY_PHASE = {"preflight": "refused", "pre": "refused", "snapshot": "snapshot_failed", "update": "kept", "verify": "kept"}


def join(*parts: Any) -> str:
    """Sentences, one after the other: each on one line, with an end, and none that is empty."""
    said = (re.sub(r"\s+", " ", str(part or "")).strip() for part in parts)
    return " ".join(text if text.endswith((".", "!", "?", ":", "…")) else f"{text}." for text in said if text)


def failure_words(result: Mapping[str, Any]) -> str:
    """Why a task failed: of a loop only the items that failed, each with what it said."""
    items = [each for each in result.get("results") or [result] if isinstance(each, Mapping)]
    said = []
    for each in items:
        if each.get("failed") or each.get("unreachable"):
            words = next((str(each[key]).strip() for key in ("stderr", "msg", "stdout") if each.get(key)), "")
            said.append(f"{item_label(each['item'])}: {words}" if each.get("item") is not None else words)
    return "; ".join(filter(None, said)) or str(result.get("msg") or "no reason given")


def item_label(item: Any) -> str:
    """What an item of a loop is called: a check, a snapshot, or a text."""
    if not isinstance(item, Mapping):
        return str(item)
    return check_label(item) if item.get("kind") else str(item.get("name") or item)


def check_label(check: Mapping[str, Any]) -> str:
    """A check in a message, such as ``port 443``."""
    what = check[check["kind"]]
    return f"{check['kind']} {' '.join(what) if isinstance(what, list) else what}"


def refusals(record: Mapping[str, Any], seen: Mapping[str, Any], now: datetime) -> list[str]:
    """Why a server must not be touched, by what the API says of it.

    :param seen: ``backups``, and ``fleet`` (host to ``server_key``, of all hosts of the play).
    :param now: By the service's clock, in UTC.
    """
    options, server = record["options"], record["server"]
    if not server:
        return [
            f"The account has no server {options['server_id']}. Check safe_update_server_id (or vps_server_id)",
            _backup_refusal(options, seen, now),
        ]
    return [
        each
        for each in (
            _twin_refusal(record, seen.get("fleet") or {}),
            _identity_refusal(record) if options["verify_identity"] else "",
            _status_refusal(record, now),
            _unfinished_refusal(record, now),
            _limit_refusal(record),
            _backup_refusal(options, seen, now),
        )
        if each
    ]


def server_key(server: Mapping[str, Any]) -> str:
    """What two hosts share that stand for one server; empty for none."""
    return f"{server.get('id') or ''} {server.get('uuid') or ''}".strip()


def snapshot_label(snapshot: Mapping[str, Any] | None) -> str:
    """A snapshot in a message."""
    if not snapshot or not snapshot.get("id"):
        return "none"
    return f"{snapshot.get('name') or ''} (id {snapshot['id']})".strip()


def outcome(record: Mapping[str, Any]) -> str:
    """What came of the host, as things stand."""
    if record["rollback"]:
        return record["rollback"]["outcome"]
    if record["failure"]:
        return BY_PHASE[record["failure"]["phase"]]
    return record["outcome"] or ("updated" if record["entry"] == "main" else "")


def message(record: Mapping[str, Any]) -> str:
    """The verdict: what was seen, what it means, what to do."""
    said = VERDICTS[outcome(record)](record)
    if not record["post_failure"]:
        return said
    # In front, as some verdicts end with a command.
    after = f"The host may still be out of service, as safe_update_post_tasks failed: {told(record['post_failure'])}"
    is_left = outcome(record) == "updated" and record["snapshot"].get("id") and not record["deleted"]
    left = f"The snapshot {snapshot_label(record['snapshot'])} is not deleted" if is_left else ""
    return f"{join(after, left)} {said}"


def cause(record: Mapping[str, Any]) -> str:
    """The task that failed, and why."""
    return told(record["failure"])


def restore_command(record: Mapping[str, Any]) -> str:
    """How to restore the snapshot of this host."""
    snapshot_id = record["snapshot"].get("id") or "ID"
    return commands.restore(record["host"], record["options"]["server_id"], snapshot_id, record["awx"])


def start_command(record: Mapping[str, Any]) -> str:
    """How to start the server of this host."""
    return commands.start(record["options"]["server_id"], record["awx"])


def check_names(record: Mapping[str, Any]) -> list[str]:
    """What was checked."""
    return [check_label(check) for check in record["options"]["checks"]]


def difference_warnings(record: Mapping[str, Any]) -> list[str]:
    """What differs, and fails nobody, as one warning."""
    differences = record["differences"]
    said = "Not as before, though nothing that is wanted at boot and worked before:"
    return [f"{said} {'; '.join(differences)}."] if differences else []


def told(failure: Mapping[str, Any] | None) -> str:
    """A failure in words."""
    if not failure:
        return ""
    return f"{failure['task']}: {failure['reason']}" if failure.get("task") else str(failure.get("reason") or "")


def _label(record: Mapping[str, Any]) -> str:
    return f"Server {record['server'].get('name') or ''} ({record['options']['server_id']})"


def _own(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    return snapshots.own(record["slots"], record["options"]["name_prefix"])


def _names(of: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(str(each["name"]) for each in of)


def _twin_refusal(record: Mapping[str, Any], fleet: Mapping[str, str]) -> str:
    key = server_key(record["server"])
    twins = [host for host, other in fleet.items() if key and other == key]
    if len(twins) < 2:
        return ""
    return (
        f"The hosts {', '.join(twins)} stand for one and the same server. Give each its own safe_update_server_id: a "
        "restore would overwrite the other one"
    )


def _identity_refusal(record: Mapping[str, Any]) -> str:
    server = record["server"]
    known = [server.get("name"), server.get("hostname"), *(server.get("ipv4") or []), *(server.get("ipv6") or [])]
    theirs = [str(each).lower() for each in known if each]
    ours = list(dict.fromkeys(str(each).lower() for each in (record["address"], record["host"]) if each))
    if set(theirs) & set(ours):
        return ""
    return (
        f"{_label(record)} has none of the addresses and names of this host ({', '.join(ours)}) but "
        f"{', '.join(theirs) or 'none at all'}: it may be another machine. Correct safe_update_server_id, or set "
        "safe_update_verify_identity: false if you are certain"
    )


def _age(snapshot: Mapping[str, Any], now: datetime) -> str:
    """How long ago it was begun, in words; empty where nobody knows."""
    begun = created_at(dict(snapshot))
    if not begun:
        return ""
    minutes = max(int((now - begun).total_seconds()) // 60, 0)
    count, unit = next(((minutes // size, unit) for unit, size in AGES if minutes >= 2 * size), (minutes, "min"))
    return f", begun {count} {unit} ago"


def _status_refusal(record: Mapping[str, Any], now: datetime) -> str:
    status = record["server"].get("status")
    if status == "active":
        return ""
    if status != "stopped":
        return f"{_label(record)} is {status}. Wait until it is active"
    by = [each for each in _own(record) if "server stopped" in str(each.get("description") or "")]
    why = "Nothing shows who stopped it"
    if by:
        first = by[0]
        why = (
            f"{first['description']} (snapshot {first['name']}{_age(first, now)}), and that run did not start it again"
        )
    return join(f"{_label(record)} is stopped", why, f"Start it: {start_command(record)}")


def unended(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The snapshots from before runs that did not come to their end on this host."""
    return snapshots.of_unended(record["slots"], record["options"]["name_prefix"], record["unended"])


def stays(record: Mapping[str, Any]) -> list[Any]:
    """The ids and names of the snapshots that neither a clean-up nor a rotation of this run may touch."""
    return [*record["options"]["hold"], *(each["id"] for each in unended(record))]


def of_unended_run(snapshot: dict[str, Any]) -> str:
    """What people have to decide."""
    run = described(snapshot)["run"]
    return (
        f"Run {run} began to change this host and did not come to its end: it was killed, or lost the host. Its "
        f"snapshot {snapshot_label(snapshot)} is from before that, and stays until you decide: restore it with the "
        f"playbook restore_run, or delete it with cleanup_run (run_id: {run})."
    )


def _unfinished_refusal(record: Mapping[str, Any], now: datetime) -> str:
    under_way = snapshots.unfinished(_own(record))
    if not under_way:
        return ""
    first = under_way[0]
    delete = commands.delete(record["host"], record["options"]["server_id"], first["id"], record["awx"])
    return (
        f"Its snapshot {snapshot_label(first)} is {first['status']} ({first.get('description') or 'no description'}"
        f"{_age(first, now)}): "
        "another run is under way, or one was killed. Run again when it is completed; if it never is, delete it: "
        f"{delete}"
    )


def _limit_refusal(record: Mapping[str, Any]) -> str:
    slots = record["slots"]
    if len(slots) < snapshots.LIMIT:
        return ""
    taken = ", ".join(f"{each['name']}: {each['status']}" for each in slots)
    full = f"All {snapshots.LIMIT} slots of the server are taken: {taken}"
    if record["options"]["on_limit"] != "rotate":
        return join(full, "Delete one, or set safe_update_on_limit: rotate to let the oldest own one go")
    hold = stays(record)
    if snapshots.rotated(slots, record["options"]["name_prefix"], hold):
        return ""
    mine = snapshots.completed(_own(record))
    held = _names(each for each in mine if is_held(each, hold))
    return join(
        full,
        f"Of the completed own ones ({len(mine)}) none may go, as the last one always stays"
        + (f", and so do those that are held or from before a run that was killed: {held}" if held else ""),
    )


def _backup_refusal(options: Mapping[str, Any], seen: Mapping[str, Any], now: datetime) -> str:
    within = options["require_backup_within"]
    if not within:
        return ""
    done = newest_first(each for each in seen.get("backups") or [] if each.get("status") == READY)
    newest = created_at(done[0]) if done else None
    age: timedelta = parse_duration("safe_update_require_backup_within", within)
    if newest and now - newest <= age:
        return ""
    last = done[0].get("created_at") if done else "none"
    return (
        f"No backup was completed within the last {within} (safe_update_require_backup_within). "
        f"The newest one: {last}. Make one, or wait for the automatic one"
    )


def _plan(record: Mapping[str, Any]) -> str:
    options = record["options"]
    rotated = snapshots.rotated(record["slots"], options["name_prefix"], stays(record))
    if options["tasks"]:
        what = "Its update is an own task file"
    else:
        unrefreshed = ", as check mode does not refresh them" if record["check_mode"] else ""
        by = f"by package lists of {record['lists_age']}{unrefreshed}"
        what = f"Pending: {_names(record['pending']) or 'nothing'} ({by})"
    going = []
    if options["cleanup"]:
        going = snapshots.leftovers(record["slots"], options["name_prefix"], options["keep"], rotated, stays(record))
    held = _names(each for each in _own(record) if is_held(each, options["hold"]))
    return join(
        f"{_health(record)}; {len(record['slots'])} of {snapshots.LIMIT} snapshot slots are used",
        what,
        f"To make room, {rotated['name']} goes first" if rotated else "",
        f"After a success these own snapshots go: {_names(going) or 'none beside the new one'}",
        f"Held, and touched by no clean-up (safe_update_hold): {held}" if held else "",
    )


def _done(record: Mapping[str, Any]) -> str:
    if record["entry"] == "preflight":
        return join("Ready", _plan(record))
    return f"Deleted: {_names(record['deleted']) or 'nothing'}." if record["entry"] == "cleanup" else "Done."


def _health(record: Mapping[str, Any]) -> str:
    options = record["options"]
    if options["checks"] or options["check_tasks"]:
        return "The host is healthy"
    watched = "only what ran before is compared" if options["compare"] else "no bad update will be noticed"
    return f"Nothing says what healthy is (give it safe_update_checks), so {watched}"


def _up_to_date(record: Mapping[str, Any]) -> str:
    left = snapshots.completed(_own(record))
    return join(
        "There is nothing to update, and nothing was done",
        f"{_restart_due(record)}, since before this run" if record["restart_due"] else "",
        f"Left by earlier runs until an update succeeds: {_names(left)}" if left else "",
        _plan(record) if record["check_mode"] else "",
    )


def _restart_due(record: Mapping[str, Any]) -> str:
    if not record["restart_due"]:
        return ""
    kernel = evidence.newer_kernel(record["now"])
    return "The system asks for a restart" + (f" (it runs an older kernel than {kernel})" if kernel else "")


def _updated(record: Mapping[str, Any]) -> str:
    if record["check_mode"]:
        return join("Would be updated", _plan(record), _restart_due(record))
    options = record["options"]
    older = [
        f"{each['name']} (run {described(each)['run'] or 'unknown'})"
        for each in record["deleted"]
        if each["id"] != record["snapshot"].get("id")
    ]
    gone = f"With its snapshot went what earlier runs had left: {', '.join(older)}" if older else ""
    if options["checks"] or options["check_tasks"] or (options["compare"] and record["baseline"]):
        return join("The host is updated and verified", _restart_due(record), gone)
    return join(
        "The host is updated",
        _restart_due(record),
        "Nothing was checked: give it safe_update_checks, or let safe_update_compare be",
        gone,
    )


def postponements(options: Mapping[str, Any], failures: list[Mapping[str, str]], now: datetime) -> list[str]:
    """Why the host has to wait: too many others have failed, or the time does not hold all that may have to be done.

    :param failures: ``host`` and ``outcome`` of each that has failed in this run.
    """
    most = options["max_failures"]
    if most and len(failures) >= most:
        who = ", ".join(f"{each['host']} ({each['outcome']})" for each in failures)
        return [f"So many hosts of this run as may fail have failed (safe_update_max_failures: {most}): {who}"]
    seconds, windows = longest(options), options["window"]
    tight = f"before snapshot, update and the worst restore ({seconds} s) would be over"
    end, due = options["window_end"], now + timedelta(seconds=seconds)
    why = [f"The maintenance window ends at {end}, {tight}"] if end and at(end) < due else []
    here = window.stretch(windows, now)
    if not windows or (here and here[0] >= due):
        return why
    coming = window.upcoming(windows, now, seconds)
    return [
        *why,
        f"The maintenance window {window.label(here[1])} ends on {window.clock(*here)}, {tight}"
        if here
        else f"No maintenance window is open ({'; '.join(map(window.label, windows))})",
        f"The next one begins on {window.clock(*coming)}"
        if coming
        else f"None is ever open for the {seconds} s that snapshot, update and the worst restore may take: give "
        "safe_update_window a longer duration, or lower safe_update_timeout, safe_update_snapshot_timeout, "
        "safe_update_restore_timeout and safe_update_reboot_timeout",
    ]


def _refused(record: Mapping[str, Any]) -> str:
    if (record["failure"] or {}).get("phase") == "pre":
        gone = snapshot_label(record["snapshot"])
        return join(
            "Refused, as safe_update_pre_tasks failed, and no package was touched",
            cause(record),
            f"The snapshot {gone} is deleted again" if record["deleted"] else "",
        )
    mine = snapshots.completed(_own(record))
    last = f"Last good snapshot of its own: {snapshot_label(mine[0]) if mine else 'none'}" if record["server"] else ""
    return join("Refused, and nothing was touched", cause(record), last)


def _kept(record: Mapping[str, Any]) -> str:
    said = join(f"The update failed: {cause(record)}", (record["rollback"] or {}).get("reason"))
    if not record["snapshot"].get("id"):
        return join(said, "This run knows of no snapshot")
    kept = f"The snapshot {snapshot_label(record['snapshot'])} is kept. To restore it (all data since is lost):"
    # No full stop behind a command: it is copied.
    return f"{said} {kept} {restore_command(record)}"


def _rolled_back(record: Mapping[str, Any]) -> str:
    return join(
        f"The server is restored to the snapshot {snapshot_label(record['snapshot'])} and verified",
        "The snapshot is kept",
        f"The broken state is kept as {snapshot_label(record['broken'])}" if record["broken"] else "",
        f"The update had failed: {cause(record)}" if record["failure"] else "",
    )


def _rollback_failed(record: Mapping[str, Any]) -> str:
    said = join(
        f"The roll-back failed: {told(record['rollback'])}",
        f"The update had failed: {cause(record)}" if record["failure"] else "",
        f"This run has deleted no snapshot; its own is {snapshot_label(record['snapshot'])}",
    )
    return f"{said} Look at the server at the provider, and when it is not being restored: {restore_command(record)}"


def longest(options: Mapping[str, Any]) -> int:
    """The seconds that everything may take: what a maintenance window has to hold."""
    restart = 0 if options["reboot"] == "never" else options["reboot_timeout"]
    return options["snapshot_timeout"] + options["timeout"] + options["restore_timeout"] + restart


VERDICTS = {
    "": _done,
    "up_to_date": _up_to_date,
    "updated": _updated,
    "postponed": lambda record: join(record["postponed"], "Nothing was touched"),
    "refused": _refused,
    "snapshot_failed": lambda record: join("There is no snapshot, so the host was not updated", cause(record)),
    "kept": _kept,
    "rolled_back": _rolled_back,
    "rollback_failed": _rollback_failed,
}
