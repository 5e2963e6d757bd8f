# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""What people read about a run of safe_update: the page, the Markdown and the table that closes the run. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from . import commands

TIME = "%Y-%m-%dT%H:%M:%SZ"
# The width of a time line, in units of its picture.
WIDTH = 1000
# So many hosts in the closing table: what a person reads at night.
ROWS = 50
# So wide a text in it; a command is never cut.
WIDEST_TEXT = 160


@dataclass(frozen=True)
class Kind:
    """How an outcome is shown: `tone` is bad, warn, idle or good."""

    label: str
    tone: str
    todo: str = ""


# Worst first.
KINDS = {
    "rollback_failed": Kind(
        "roll-back failed", "bad", "Look at the server at the provider, now. When it is not being restored:"
    ),
    "kept": Kind(
        "failed, snapshot kept", "bad", "Look at the host. Repair it, or restore it (all data since is lost):"
    ),
    "post_failed": Kind("updated, post tasks failed", "bad"),
    "rolled_back": Kind("rolled back", "warn", "The host is as before. Find out why the update failed."),
    "snapshot_failed": Kind("snapshot failed", "warn", "The host was not updated. Run again."),
    "refused": Kind("refused", "warn"),
    "not reached": Kind("not reached", "warn", "Run again when the others are well."),
    "not begun": Kind("not begun", "idle"),
    "waiting": Kind("waiting", "idle"),
    "postponed": Kind("postponed", "idle", "The next run takes it."),
    "done": Kind("done", "good"),
    "updated": Kind("updated", "good"),
    "up_to_date": Kind("up to date", "good"),
}
FAILED = ("rollback_failed", "kept", "rolled_back", "snapshot_failed", "refused")
CHECKS = {
    "url": "{} answers",
    "port": "port {} answers",
    "service": "service {} runs",
    "command": "the command {} succeeds",
}


def report(results: Mapping[str, Mapping[str, Any]], run: Mapping[str, Any]) -> dict[str, Any]:
    """Prepare all that is shown, worst first, as text that no terminal and no browser obeys.

    :param results: ``safe_update_result`` of each host that has one. Keys that are missing count as empty.
    :param run: ``written`` (UTC, as ``2026-01-31T23:59:00Z``), ``by``, ``play``, ``options`` (name to value),
        ``check_mode``, ``file`` (where the page lies), ``awx_job_id`` and ``vps_awx_prefix`` (see
        `commands.awx_prefix`) and, for `state`, ``active`` (hosts of the play that have not failed), ``batch``,
        ``entry``, ``may_fail``.
    :return: ``state``, ``title``, ``facts`` (pairs), ``counts``, ``axis``, ``headings`` (of the table of packages),
        ``hosts``, ``closing``, ``markdown``.
    """
    stands = state(results, run)
    begin, end = _span(results, run)
    axis = _axis(begin, end)
    hosts = [_host(name, result, run, stands, axis) for name, result in results.items()]
    hosts.sort(key=lambda host: (host["rank"], not host["needs"], host["name"]))
    for number, host in enumerate(hosts, start=1):
        host["id"] = f"host-{number}"
    data = {
        "state": stands,
        "title": "Safe update" + (", rehearsed" if run.get("check_mode") else ""),
        "facts": _facts(results, run, stands, begin, end),
        "counts": count_kinds(hosts),
        "axis": axis["ticks"],
        "headings": ("What changed", "Before", "After"),
        "hosts": hosts,
    }
    return {**data, "closing": closing(data, clean(run.get("file"))), "markdown": markdown(data)}


def state(results: Mapping[str, Mapping[str, Any]], run: Mapping[str, Any]) -> str:
    """Whether the run is over: ``over``, ``running``, or ``open`` where only the play knows.

    It is over after its last batch, after a batch of which all failed, and after one of which more failed than
    ``may_fail`` percent (None: the play's limit is not known here).

    :param results: Those of the batch are enough.
    """
    batch = run.get("batch") or []
    ended = [host for host in batch if _has_failed(results.get(host, {}))]
    if run.get("entry") == "preflight":
        return "over" if len(ended) == len(batch) else "running"
    # Batches come in the order of the hosts.
    if not batch or (run.get("active") or batch)[-1] in batch:
        return "over"
    if not ended:
        return "running"
    if len(ended) == len(batch):
        return "over"
    may_fail = run.get("may_fail")
    # Before ansible-core 2.19, a template gives a text for nothing.
    if may_fail in (None, ""):
        return "open"
    return "over" if len(ended) * 100 > float(may_fail) * len(batch) else "running"


def closing(data: Mapping[str, Any], file: str = "") -> list[str]:
    """The table that closes a run: counts, then only the hosts that need something, worst first.

    :param file: Where the whole report lies, if it does.
    """
    total = len(data["hosts"])
    counts = "; ".join(f"{count['number']} {count['label']}" for count in data["counts"]) or "no host"
    lines = [f"{data['title']}: {numbered(total, 'host')}: {counts}."]
    needy = [host for host in data["hosts"] if host["needs"]]
    rows = [("HOST", "OUTCOME", "WHAT TO DO")] + [(host["name"], host["label"], host["todo"]) for host in needy[:ROWS]]
    if needy:
        first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
        lines += [f"{name:<{first}}  {label:<{second}}  {todo}".rstrip() for name, label, todo in rows]
    elif total:
        lines.append("Nothing is left to do.")
    if len(needy) > ROWS:
        lines.append(f"... and {len(needy) - ROWS} more that need something.")
    if file:
        lines.append(f"The whole report: {file}")
    return lines


def markdown(
    data: Mapping[str, Any],
    head: Sequence[str] = ("Host", "Outcome", "What to do"),
    cells: Callable[[Mapping[str, Any]], Sequence[str]] = lambda host: (host["name"], host["label"], host["todo"]),
) -> list[str]:
    """The report as Markdown: a table with every host in it, then what is to tell of each.

    :param head: The words above the table.
    :param cells: The row of a host.
    """
    lines = [f"# {data['title']}", ""]
    lines += [f"- {word}: {_escape(text)}" for word, text in data["facts"]]
    lines += ["", f"| {' | '.join(head)} |", "| --- " * len(head) + "|"]
    lines += [f"| {' | '.join(map(_escape, cells(host)))} |" for host in data["hosts"]]
    for host in data["hosts"]:
        lines += ["", f"## {_escape(host['name'])}: {host['label']}", "", _escape(host["message"])]
        if host["command"]:
            lines += ["", f"    {host['command']}"]
        if host["failed"]["phase"]:
            lines += ["", f"Failed in the phase {_escape(host['failed']['phase'])}: {_escape(host['failed']['task'])}"]
        told = [*host["warnings"], *host["due"], *host["snapshots"], *host["changes"], *host["differences"]]
        told += [host["checks"]] if host["checks"] else []
        told += [f"{step['phase']}: {step['begin']} UTC, {step['took']}" for step in host["steps"]]
        told += [f"{each['name']}: {each['old']} → {each['new']}" for each in host["packages"]]
        lines += ["", *(f"- {_escape(text)}" for text in told)] if told else []
    return lines


def clean(value: Any) -> str:
    """One line in which whatever a terminal or a browser would obey (escapes, right-to-left marks) is made visible."""
    text = "" if value is None else str(value)
    if text.isprintable():
        return text.strip()
    return "".join(
        character if character.isprintable() else " " if character in "\n\t\r" else f"\\u{ord(character):04x}"
        for character in text
    ).strip()


def duration(seconds: float) -> str:
    """Seconds in words: ``45 s``, ``12 min 5 s``, ``2 h 3 min``."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def _host(
    name: str, result: Mapping[str, Any], run: Mapping[str, Any], stands: str, axis: Mapping[str, Any]
) -> dict[str, Any]:
    outcome = _outcome(result, stands)
    kind = KINDS[outcome]
    label = f"would be {kind.label}" if result.get("check_mode") and outcome == "updated" else kind.label
    warnings = _texts(result.get("warnings"))
    command = clean(result.get("command") or _command(name, result, commands.awx_prefix(run)))
    steps = _steps(result.get("timeline") or [], axis)
    # A warning, a restart or old code in memory waits for somebody though all went well.
    leftovers = [*warnings, *left_undone(result)]
    return {
        "name": clean(name),
        "outcome": outcome.replace(" ", "_"),
        "rank": list(KINDS).index(outcome),
        "label": label,
        "tone": kind.tone,
        "needs": kind.tone in ("bad", "warn") or bool(leftovers),
        "todo": _todo(kind, result, command, leftovers),
        "server": clean(result.get("server_id")),
        "message": clean(result.get("message")),
        "command": command,
        "failed": {key: clean(result.get(f"failed_{key}")) for key in ("phase", "task")},
        "snapshots": _snapshots(result, outcome),
        "warnings": warnings,
        "due": left_undone(result),
        "differences": _texts(result.get("differences")),
        "checks": _checks(result.get("checks")),
        "changes": _changes(result),
        "packages": [
            {
                "name": clean(each.get("name")),
                "old": clean(each.get("old")) or "not there",
                "new": clean(each.get("new")) or "not there",
            }
            for each in result.get("packages") or []
        ],
        "evidence": _texts(result.get("evidence")),
        "steps": steps,
        "when": f"{steps[0]['begin']} to {steps[-1]['end']} UTC, {duration(sum(step['seconds'] for step in steps))}"
        if steps
        else "",
    }


def _outcome(result: Mapping[str, Any], stands: str) -> str:
    """The key of KINDS: a host without an outcome is told apart by what it has done and whether the run goes on."""
    outcome = str(result.get("outcome") or "")
    if result.get("failed_phase") == "post" and outcome not in FAILED:
        return "post_failed"
    if outcome in KINDS:
        return outcome
    if _is_begun(result):
        return "done"
    return {"over": "not reached", "running": "waiting"}.get(stands, "not begun")


def _has_failed(result: Mapping[str, Any]) -> bool:
    return result.get("outcome") in FAILED or result.get("failed_phase") == "post"


def _is_begun(result: Mapping[str, Any]) -> bool:
    """Whether more than a preflight is known of the host."""
    phases = {step.get("phase") for step in result.get("timeline") or []}
    return bool(result.get("outcome")) or bool(phases - {"begin", "preflight"})


def _todo(kind: Kind, result: Mapping[str, Any], command: str, leftovers: list[str]) -> str:
    """The words of the closing table."""
    reason = clean(result.get("reason")).removeprefix("Refused, and nothing was touched.").strip()
    # Where the roll-back was the task, there is no failure to look into.
    is_wanted = kind is KINDS["rolled_back"] and not result.get("failed_phase")
    text = (
        "The host is as in its snapshot."
        if is_wanted
        else kind.todo or shorten(reason) or (shorten(leftovers[0]) if leftovers else "")
    )
    return f"{text} {command}".strip() if command else re.sub(":$", ".", text)


def _command(name: str, result: Mapping[str, Any], awx: str | None) -> str:
    if result.get("outcome") in ("kept", "rollback_failed") and result.get("snapshot_id"):
        return commands.restore(name, result.get("server_id"), result["snapshot_id"], awx)
    return ""


def _snapshots(result: Mapping[str, Any], outcome: str) -> list[str]:
    """A sentence for each snapshot, in which a deleted one is called so."""
    deleted = {str(each.get("id")): each for each in result.get("deleted") or []}
    sentences = []
    if result.get("snapshot_id"):
        state = "was deleted" if str(result["snapshot_id"]) in deleted else "is there"
        state = "is kept" if state == "is there" and outcome in FAILED else state
        sentences.append(f"Snapshot {_label(result['snapshot_id'], result.get('snapshot_name'))} {state}.")
    others = [_label(key, each.get("name")) for key, each in deleted.items() if key != str(result.get("snapshot_id"))]
    if others:
        sentences.append(f"Older own snapshots were deleted: {', '.join(others)}.")
    broken = result.get("broken_snapshot")
    if broken:
        label = _label(broken.get("id"), broken.get("name")) if isinstance(broken, Mapping) else clean(broken)
        sentences.append(f"Snapshot {label} holds the broken state, from before the restore.")
    return sentences


def _label(key: Any, name: Any) -> str:
    return f"{clean(name)} (id {clean(key)})" if name else clean(key)


def _changes(result: Mapping[str, Any]) -> list[str]:
    """What changed on the host, as sentences."""
    number = len(result.get("packages") or [])
    sentences = []
    if number:
        sentences.append(f"{numbered(number, 'package')} changed.")
    elif result.get("own_update"):
        sentences.append("The update was an own task file; no package changed.")
    if result.get("rebooted"):
        sentences.append("The host was restarted.")
    return sentences


def left_undone(result: Mapping[str, Any]) -> list[str]:
    """What waits for a person though all went well."""
    due = []
    restart = result.get("restart_due")
    if restart:
        due.append("A restart is due." if restart is True else f"A restart is due: {clean(restart)}")
    libraries = _texts(result.get("old_libraries"))
    if libraries:
        due.append(f"These still run old libraries, until they are restarted: {', '.join(libraries)}.")
    return due


def _checks(checks: Any) -> str:
    """The checks as one sentence. Each is its kind, a blank and what is checked."""
    sentences = []
    for check in _texts(checks):
        kind, value = [*check.split(" ", 1), ""][:2]
        sentences.append(CHECKS.get(kind, f"{kind} {{}}").format(value))
    return f"Checks: {', '.join(sentences)}." if sentences else ""


def _texts(values: Any) -> list[str]:
    if not values:
        return []
    return [clean(value) for value in ([values] if isinstance(values, str) else values)]


def count_kinds(hosts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """How many there are of each outcome, in the order in which they come."""
    listed = list(hosts)
    numbers = Counter(host["outcome"] for host in listed)
    first = {host["outcome"]: host for host in reversed(listed)}
    return [
        {"outcome": key, "number": numbers[key], **{name: first[key][name] for name in ("label", "tone", "id")}}
        for key in dict.fromkeys(host["outcome"] for host in listed)
    ]


def _facts(
    results: Mapping[str, Mapping[str, Any]],
    run: Mapping[str, Any],
    stands: str,
    begin: datetime,
    end: datetime,
) -> list[tuple[str, str]]:
    """Who ran what, when and how: pairs of a word and a text."""
    ids = sorted({clean(result["run_id"]) for result in results.values() if result.get("run_id")})
    words = {
        "over": "is over",
        "running": "goes on; this page is written anew after each batch",
        "open": "may go on; this page is written anew after each batch",
    }
    options = [f"{name}: {clean(value)}" for name, value in (run.get("options") or {}).items() if _is_given(value)]
    facts = {
        "State": f"The run {words[stands]}." + (" Check mode: nothing was changed." if run.get("check_mode") else ""),
        "When": f"{begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC, {duration((end - begin).total_seconds())}",
        "Who": clean(run.get("by")),
        "Play": clean(run.get("play")),
        "Run": ", ".join(ids),
        "Options": ", ".join(options),
        "Written": clean(run.get("written")),
    }
    return [(word, text) for word, text in facts.items() if text]


def _is_given(value: Any) -> bool:
    return value is not None and value not in ("", [], {})


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.strptime(str(text), TIME).replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def _span(results: Mapping[str, Mapping[str, Any]], run: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """From the first begin to the last end of all hosts."""
    ends = [step.get("end") for result in results.values() for step in result.get("timeline") or []]
    moments = [moment for moment in map(_moment, ends) if moment]
    now = _moment(run.get("written")) or max(moments, default=datetime(1970, 1, 1, tzinfo=timezone.utc))
    return min(moments, default=now), max(moments, default=now)


def _axis(begin: datetime, end: datetime) -> dict[str, Any]:
    """The scale that all time lines share, with ticks at round times, at most seven."""
    seconds = max((end - begin).total_seconds(), 1.0)
    minutes = next((step for step in (1, 5, 10, 30, 60, 120, 360, 720) if seconds / 60 / step <= 6), 1440)
    step = timedelta(minutes=minutes)
    midnight = begin.replace(hour=0, minute=0, second=0)
    tick = midnight + step * (int((begin - midnight) / step) + 1)
    ticks = []
    while tick < end and len(ticks) < 40:
        ticks.append({"x": round((tick - begin).total_seconds() / seconds * WIDTH, 1), "label": f"{tick:%H:%M}"})
        tick += step
    return {"begin": begin, "scale": WIDTH / seconds, "ticks": ticks}


def _steps(timeline: list[Mapping[str, Any]], axis: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The phases of one host, each from the end of the one before it."""
    moments = [(clean(step.get("phase")), _moment(step.get("end"))) for step in timeline]
    known = [(phase, moment) for phase, moment in moments if moment]
    begins = [moment for phase, moment in known]
    return [
        {
            "phase": phase,
            "begin": f"{before:%H:%M:%S}",
            "end": f"{moment:%H:%M:%S}",
            "seconds": max((moment - before).total_seconds(), 0),
            "took": duration((moment - before).total_seconds()),
            "x": round((before - axis["begin"]).total_seconds() * axis["scale"], 1),
            "width": round(max((moment - before).total_seconds() * axis["scale"], 2), 1),
        }
        for before, (phase, moment) in zip(begins, known[1:])
    ]


def _escape(text: str) -> str:
    """The text for Markdown, where it shows as it is and makes no table, link or HTML."""
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", text.replace("&", "&amp;"))


def numbered(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def shorten(text: str) -> str:
    """The text, short unless it names something to run."""
    return text if len(text) <= WIDEST_TEXT or commands.is_in(text) else f"{text[: WIDEST_TEXT - 1]}…"
