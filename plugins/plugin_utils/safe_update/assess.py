# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""What people read about hosts that nobody has touched: what is pending, and what an update would be refused for. Pure.

The page and the Markdown are those of `report`.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import commands, room, snapshots
from .options import at
from .report import ROWS, Kind, clean, count_kinds, left_undone, markdown, numbered, shorten


@dataclass(frozen=True)
class State(Kind):
    """How a host stands: `word` is the label of the table on the terminal."""

    word: str = ""


# Worst first; of a host the first one that holds.
STATES = {
    "silent": State("does not answer", "bad", word="no answer"),
    "unknown": State("could not be looked at", "bad", word="unknown"),
    "refused": State("would be refused", "bad", word="refused"),
    "security": State("needs security updates", "warn", word="security"),
    "restart": State("needs a restart", "warn", word="restart"),
    "libraries": State("runs old libraries", "warn", word="libraries"),
    "pending": State("has updates", "idle", word="updates"),
    "current": State("is up to date", "good", word="current"),
}
HEAD = ("HOST", "STATE", "UPDATES", "SEC", "RESTART", "SLOTS", "UPDATED")
# With what Ansible writes before a line, the table fits into 80 columns.
WIDTH = 69
# Of `safe_update_result`, what is told of a host that was not touched.
KEYS = (
    "server_id",
    "answers",
    "refusals",
    "pending",
    "security",
    "restart_due",
    "kernel",
    "old_libraries",
    "room",
    "slots_used",
    "last_update",
    "lists_refreshed",
    "warnings",
)


def assess(results: Mapping[str, Mapping[str, Any]], run: Mapping[str, Any]) -> dict[str, Any]:
    """Prepare all that is shown, worst first, as text that no terminal and no browser obeys.

    :param results: ``safe_update_result`` of each host, as an assessment sets it. Keys that are missing count as
        empty; of a host without any, nothing is known.
    :param run: ``written`` (UTC, as ``2026-01-31T23:59:00Z``), ``hosts`` (the pattern) and ``file`` (where the page
        lies). All may be missing.
    :return: What the templates of `report` take, and ``table`` (lines for a terminal) and ``data`` (what is written as
        JSON: ``written``, ``counts``, ``totals``, ``hosts``).
    """
    written = _moment(run.get("written"))
    hosts = [_host(name, result, written) for name, result in results.items()]
    hosts.sort(key=lambda host: (host["rank"], -host["urgency"], host["name"]))
    for number, host in enumerate(hosts, start=1):
        host["id"] = f"host-{number}"
    totals = _totals(results.values())
    shown = {
        "title": "Assessment",
        "facts": _facts(results, run, totals),
        "counts": count_kinds(hosts),
        "axis": [],
        "headings": ("What is pending", "Installed", "Pending"),
        "hosts": hosts,
    }
    return {
        **shown,
        "table": table(shown, totals, clean(run.get("file"))),
        "markdown": markdown(shown, [word.capitalize() for word in HEAD], lambda host: host["cells"]),
        "data": {
            "written": run.get("written") or "",
            "counts": dict(Counter(host["outcome"] for host in hosts)),
            "totals": totals,
            "hosts": {
                name: {"state": state(result), **{key: result.get(key) for key in KEYS}}
                for name, result in results.items()
            },
        },
    }


def state(result: Mapping[str, Any]) -> str:
    """The key of STATES."""
    holds = {
        "silent": result.get("answers") is False,
        "unknown": not result.get("is_asked"),
        "refused": bool(result.get("refusals")),
        "security": bool(result.get("security")),
        "restart": bool(result.get("restart_due")),
        "libraries": bool(result.get("old_libraries")),
        "pending": bool(result.get("pending")),
        "current": True,
    }
    return next(name for name, does_hold in holds.items() if does_hold)


def table(shown: Mapping[str, Any], totals: Mapping[str, int], file: str = "") -> list[str]:
    """Lines for a terminal: the counts, a row for each host that needs something, and why one would be refused.

    :param shown: Title, counts and hosts, as `assess` gives them.
    :param totals: The sums over all hosts.
    :param file: Where the page lies, if it does.
    """
    hosts = shown["hosts"]
    counts = "; ".join(f"{count['number']} {_plural(count)}" for count in shown["counts"]) or "no host"
    lines = _wrapped(f"{shown['title']}: {numbered(len(hosts), 'host')}: {counts}. {_sums(totals)}", "")
    needy = [host for host in hosts if host["tone"] != "good"]
    rows = [HEAD, *([_cell(host["cells"][0], 19), *host["cells"][1:]] for host in needy[:ROWS])]
    widths = [max(map(len, column)) for column in zip(*rows)]
    # Numbers stand at the right edge of their column.
    edges = "<<>>>>>"
    if needy:
        lines += [
            "  ".join(f"{cell:{edge}{width}}" for cell, edge, width in zip(row, edges, widths)).rstrip() for row in rows
        ]
    if len(needy) > ROWS:
        lines.append(f"... and {len(needy) - ROWS} more that need something.")
    for host in needy[:ROWS]:
        if host["reasons"]:
            more = f" (and {len(host['reasons']) - 1} more)" if host["reasons"][1:] else ""
            lines += _wrapped(f"{host['name']}: {shorten(host['reasons'][0])}{more}", "  ")
    if file:
        lines.append(f"All of it: {file}")
    return lines


def _wrapped(text: str, indent: str) -> list[str]:
    # A command is copied, so it stays whole.
    if commands.is_in(text):
        return [text]
    return textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _host(name: str, result: Mapping[str, Any], written: datetime | None) -> dict[str, Any]:
    kind = STATES[state(result)]
    security = {clean(each) for each in result.get("security") or []}
    pending = sorted(result.get("pending") or [], key=lambda each: clean(each.get("name")) not in security)
    reasons = [clean(each) for each in result.get("refusals") or []]
    if not reasons and state(result) == "unknown":
        reasons = ["No task could be run for it; an error above says why."]
    kernel = result.get("kernel") or {}
    is_old = kernel.get("newest") != kernel.get("running")
    due = f"kernel {clean(kernel['running'])} runs, {clean(kernel['newest'])} is installed." if is_old else True
    return {
        "name": clean(name),
        "outcome": state(result),
        "rank": list(STATES).index(state(result)),
        # Of those who stand alike, who has more to catch up on.
        "urgency": len(security) * 1000 + len(pending),
        "label": kind.label,
        "tone": kind.tone,
        "needs": kind.tone in ("bad", "warn"),
        "cells": _cells(name, result, kind, written),
        "reasons": reasons,
        "server": clean(result.get("server_id")),
        "message": _message(result, len(pending), len(security)),
        "command": "",
        "failed": {"phase": "", "task": ""},
        "snapshots": [f"{result['slots_used']} of {snapshots.LIMIT} snapshot slots are used."]
        if result.get("slots_used") is not None
        else [],
        "warnings": [
            *(f"An update would be refused today: {each}" if result.get("answers") else each for each in reasons),
            *(clean(each) for each in result.get("warnings") or []),
        ],
        "due": left_undone({**result, "restart_due": result.get("restart_due") and due}),
        "differences": [],
        "checks": "",
        "changes": _lines(result, written),
        "packages": [
            {
                "name": clean(each.get("name")) + (" (security)" if clean(each.get("name")) in security else ""),
                "old": clean(each.get("old")) or "not there",
                "new": clean(each.get("new")),
            }
            for each in pending
        ],
        "evidence": [],
        "steps": [],
        "when": "",
    }


def _cells(name: str, result: Mapping[str, Any], kind: State, written: datetime | None) -> list[str]:
    """The row of a host: as HEAD says. What is not known is a question mark."""
    is_asked, answers = result.get("is_asked"), result.get("answers")
    return [
        clean(name),
        kind.word,
        str(len(result.get("pending") or [])) if is_asked else "?",
        str(len(result.get("security") or [])) if is_asked else "?",
        ("due" if result.get("restart_due") else "-") if answers else "?",
        f"{result['slots_used']}/{snapshots.LIMIT}" if result.get("slots_used") is not None else "?",
        _age(result.get("last_update"), written) or "?",
    ]


def _message(result: Mapping[str, Any], pending: int, security: int) -> str:
    if not result.get("answers"):
        return "Nothing is known of the host itself."
    if not result.get("is_asked"):
        return "What is pending is not known."
    if not pending:
        return "Nothing is pending."
    return (
        f"{numbered(pending, 'update')} {'is' if pending == 1 else 'are'} pending, {security or 'none'} for security."
    )


def _lines(result: Mapping[str, Any], written: datetime | None) -> list[str]:
    """What else is known of a host, as sentences."""
    kernel, free = (result.get("kernel") or {}).get("running"), result.get("room") or {}
    updated, lists = result.get("last_update"), result.get("lists_refreshed")
    rooms = ", ".join(f"{clean(mount)} {room.size(int(count))}" for mount, count in free.items())
    told = [
        f"Last update: {clean(updated)} ({_age(updated, written)} ago)." if updated else "",
        f"Package lists: of {clean(lists)} ({_age(lists, written)} old)." if lists else "",
        f"Kernel: {clean(kernel)}." if kernel else "",
        f"Free: {rooms}." if rooms else "",
    ]
    return [each for each in told if each]


def _totals(results: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    found = list(results)
    return {
        "hosts": len(found),
        "pending": sum(len(each.get("pending") or []) for each in found),
        "security": sum(len(each.get("security") or []) for each in found),
        "hosts_with_security": sum(bool(each.get("security")) for each in found),
        "restarts": sum(bool(each.get("restart_due")) for each in found),
        "full": sum((each.get("slots_used") or 0) >= snapshots.LIMIT for each in found),
    }


def _sums(totals: Mapping[str, int]) -> str:
    return (
        f"Pending: {numbered(totals['pending'], 'update')}, {totals['security']} of them for security on "
        f"{numbered(totals['hosts_with_security'], 'host')}; {numbered(totals['restarts'], 'restart')} due; "
        f"{numbered(totals['full'], 'host')} without a free snapshot slot."
    )


def _facts(
    results: Mapping[str, Mapping[str, Any]], run: Mapping[str, Any], totals: Mapping[str, int]
) -> list[tuple[str, str]]:
    """What was looked at and when: pairs of a word and a text."""
    lists = sorted(str(each["lists_refreshed"]) for each in results.values() if each.get("lists_refreshed"))
    facts = {
        "Written": clean(run.get("written")),
        "Hosts": clean(run.get("hosts")),
        "Sum": _sums(totals),
        "Package lists": f"They are those that are there, and were not refreshed; the oldest: {clean(lists[0])}"
        if lists
        else "",
    }
    return [(word, text) for word, text in facts.items() if text]


def _plural(count: Mapping[str, Any]) -> str:
    """The label of a count as a verb that fits it: `2 need security updates`."""
    verb, _blank, rest = count["label"].partition(" ")
    plural = {"does": "do", "needs": "need", "runs": "run", "has": "have", "is": "are"}.get(verb, verb)
    return f"{verb if count['number'] == 1 else plural} {rest}"


def _cell(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _age(text: Any, written: datetime | None) -> str:
    """How long ago it was: ``12 d``, ``5 h``; empty where nobody knows."""
    moment = _moment(text)
    if moment is None or written is None:
        return ""
    hours = max(int((written - moment).total_seconds() // 3600), 0)
    return f"{hours // 24} d" if hours >= 48 else f"{hours} h"


def _moment(text: Any) -> datetime | None:
    try:
        return at(str(text or ""))
    except ValueError:
        return None
