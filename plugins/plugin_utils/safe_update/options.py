# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""The role's variables: what each may be, and what is said of one that is wrong. Pure, but for `Places`."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from ...module_utils._errors import VpsError
from ...module_utils._servers import parse_server_id
from ...module_utils._snapshots import parse_duration
from . import window

PREFIX = "safe_update_"
# Of the playbook, or set by the role: not options, but no mistakes either.
OTHERS = {"hosts", "serial", "max_fail_percentage", "allow_empty", "result"}
# A year: what is longer is a mistake, and no clock of Ansible's takes much more.
LONGEST = 31_536_000
KINDS = ("url", "port", "service", "command")
KEYS = {
    "url": {"url", "status", "validate_certs"},
    "port": {"port", "host"},
    "service": {"service"},
    "command": {"command"},
}
EVERY_CHECK = {"retries": 5, "delay": 3, "timeout": 10}
# What argument_specs makes of a key that was not given.
UNSET = (None, "", [])
# What stays free on a disk, in MiB.
MIN_FREE = {"/": "500M", "/usr": "500M", "/var": "500M", "/boot": "100M"}
SIZE = re.compile(r"(?P<number>[0-9]{1,15}(\.[0-9]{1,6})?) ?(?P<unit>[KMGT])?(i?B)?", re.IGNORECASE)
TRUE = ("true", "yes", "on", "1", "y", "t", "1.0")
FALSE = ("false", "no", "off", "0", "n", "f", "0.0")

# Where a task file is looked for: gives the absolute path of one that is there, or None.
Find = Callable[[str], "str | None"]


class InvalidError(ValueError):
    """What a value should be instead."""


class _UnknownError(ValueError):
    """Why a variable is none of the role's."""


def validate(variables: Mapping[str, Any], find: Find, places: Iterable[str] = ()) -> tuple[dict[str, Any], list[str]]:
    """Take the role's variables apart.

    :param variables: All whose names begin with ``safe_update_``. Null, blank and missing mean the default.
    :param find: Looks for a task file.
    :param places: The folders in which it looks, for the message.
    :return: The options without their prefix, every one of them, and a sentence for each mistake.
    """
    options = {name: default for name, (default, _parse) in OPTIONS.items()}
    mistakes = []
    for variable, value in variables.items():
        name = variable.removeprefix(PREFIX)
        try:
            if name not in OTHERS and _is_given(name, value):
                options[name] = OPTIONS[name][1](value)
        except (InvalidError, VpsError) as error:
            mistakes.append(f"{variable} is {_shown(value)}, but has to be {error}")
        except _UnknownError as error:
            mistakes.append(f"{variable} {error}")
    for name in filter(options.get, FILES):
        path, what = options[name], "report" if name == "versions_from" else "task file"
        options[name] = find(path)
        if options[name] is None:
            mistakes.append(
                f"{PREFIX}{name}: there is no {what} {path}. Looked in: {', '.join(places) or 'nowhere'}. Correct the "
                "path, or give an absolute one"
            )
    if not options["server_id"] and not any(each.startswith(f"{PREFIX}server_id ") for each in mistakes):
        mistakes.insert(
            0,
            "The host has no server id: set vps_server_id, as the inventory plugin vpsdotorg.cloud.vps does, or "
            "safe_update_server_id",
        )
    return options, mistakes


def boolean(value: Any) -> bool:
    """Yes or no, also as the texts of a survey."""
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in TRUE or text in FALSE:
        return text in TRUE
    raise InvalidError("true or false")


def number(least: int, most: int = LONGEST) -> Callable[[Any], int]:
    """An integer between two, also as text."""

    def parse(value: Any) -> int:
        text = str(value).strip()
        if not isinstance(value, bool) and re.fullmatch(r"-?[0-9]{1,19}", text) and least <= int(text) <= most:
            return int(text)
        raise InvalidError(f"a whole number from {least} to {most}")

    return parse


def choice(*allowed: str) -> Callable[[Any], str]:
    """One of a few words."""

    def parse(value: Any) -> str:
        if value in allowed:
            return str(value)
        raise InvalidError(f"one of {', '.join(allowed)}{_meant(str(value), allowed)}")

    return parse


def text(value: Any) -> str:
    """A text or a number, without blanks around it."""
    if isinstance(value, (dict, list, bool)):
        raise InvalidError("a text")
    return str(value).strip()


def server(value: Any) -> int | str:
    """The id of a server: an integer, also as text, or a UUID; empty where a template made a null of it."""
    try:
        known = text(value)
        return "" if known.lower() in ("none", "null") else parse_server_id(known)
    except (InvalidError, VpsError):
        raise InvalidError("the server's integer id or its UUID, as vps_server_info shows them") from None


def name_prefix(value: Any) -> str:
    """What a snapshot's name may begin with."""
    known = text(value)
    # The service takes such characters; names also get a hyphen and a time.
    if re.fullmatch(r"[A-Za-z0-9_-]{1,200}", known):
        return known
    raise InvalidError("letters, digits, - and _ only")


def run_id(value: Any) -> str:
    """What a run is called, in the descriptions of snapshots too."""
    known = text(value)
    if re.fullmatch(r"[A-Za-z0-9._:-]{1,100}", known):
        return known
    raise InvalidError("letters, digits, ., _, : and - only, 100 of them at most")


def duration(value: Any) -> str:
    """A number and a unit, such as ``24h``."""
    known = text(value)
    try:
        parse_duration("", known)
    except VpsError:
        raise InvalidError("a number and one of s, m, h, d, w, such as 24h") from None
    return known


def moment(value: Any) -> str:
    """A time with an offset, as ISO 8601."""
    # YAML reads one without quotes as a time.
    known = value.isoformat() if isinstance(value, datetime) else text(value)
    try:
        if at(known).tzinfo is not None:
            return known
    except ValueError:
        pass
    raise InvalidError("a time with an offset, such as 2026-01-31T04:00:00+01:00")


def at(known: str) -> datetime:
    """The moment that a text of ISO 8601 stands for.

    :raises ValueError: Where it stands for none.
    """
    # Python 3.10 reads neither the Z nor an offset without a colon.
    return datetime.fromisoformat(re.sub(r"([+-][0-9]{2})([0-9]{2})$", r"\1:\2", re.sub(r"[Zz]$", "+00:00", known)))


def texts(value: Any) -> list[str]:
    """A list of texts; one text is split at its commas, as a survey gives it."""
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list) or not all(isinstance(each, (str, int)) for each in value):
        raise InvalidError("a list of texts")
    return [known for known in (str(each).strip() for each in value) if known]


def held(value: Any) -> list[str]:
    """Ids and names, also a single one; null ones name none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return [str(value)]
    return texts([each for each in value if each is not None] if isinstance(value, list) else value)


def removals(value: Any) -> bool | list[str]:
    """Yes, no, or a list of names."""
    try:
        return boolean(value)
    except InvalidError:
        return texts(value)


def sizes(value: Any) -> dict[str, int]:
    """Bytes by path; a size is a number and one of K, M, G, T (each 1024 times the one before). Null is the default."""
    if not isinstance(value, dict):
        raise InvalidError("a mapping of paths to sizes, such as {/: 500M}")
    found = {}
    for path, size in value.items():
        if not str(path).startswith("/"):
            raise InvalidError(f"a mapping of absolute paths to sizes, and {path} is no absolute path")
        text_of_it = str(MIN_FREE.get(str(path), 0) if size is None or size == "" else size).strip()
        match = None if isinstance(size, bool) else SIZE.fullmatch(text_of_it)
        if not match:
            raise InvalidError(f"a mapping of paths to sizes such as 500M or 2G, and {path} has {_shown(size)}")
        found[str(path)] = int(float(match["number"]) * 1024 ** " KMGT".index((match["unit"] or " ").upper()))
    return found


def windows(value: Any) -> list[dict[str, Any]]:
    """Maintenance windows, as `window` has them; one mapping is a list of one."""
    if not isinstance(value, (list, dict)):
        raise InvalidError('a list of windows, such as [{days: [sat, sun], start: "22:00", duration: 4h}]')
    given = value if isinstance(value, list) else [value] if value else []
    return [_window(place, each) for place, each in enumerate(given, start=1)]


def _window(place: int, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidError(f"a list of windows, and number {place} of it is no mapping")
    wrong = sorted(str(key) for key in value if key not in WINDOW_KEYS)
    if wrong:
        raise InvalidError(
            f"a list of windows, and number {place} knows no {', '.join(wrong)}{_meant(wrong[0], WINDOW_KEYS)}"
        )
    found: dict[str, Any] = {"days": list(range(len(window.DAYS))), "timezone": "UTC"}
    for key, (name, parse) in WINDOW_KEYS.items():
        try:
            if value.get(key) not in UNSET:
                found[name] = parse(value[key])
            elif name not in found:
                raise InvalidError("given")
        except InvalidError as error:
            raise InvalidError(f"a list of windows, and {key} of number {place} has to be {error}") from None
    return found


def _days(value: Any) -> list[int]:
    found = set()
    for day in texts(value):
        matching = [number for number, name in enumerate(window.DAYS) if day.lower() in (name, name[:3])]
        if not matching:
            raise InvalidError(f"a list of days, such as sat or saturday, and {_shown(day)} is none")
        found |= set(matching)
    if not found:
        raise InvalidError("a list of days, such as sat or saturday, and it names none")
    return sorted(found)


def _wall_clock(value: Any) -> str:
    # YAML reads 22:00 without quotes as 22 * 60.
    if isinstance(value, int) and not isinstance(value, bool) and 60 <= value < 24 * 60:
        return f"{value // 60:02}:{value % 60:02}"
    match = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", str(value).strip())
    if not match:
        raise InvalidError(f'a time of day in quotes, from "00:00" to "23:59", and not {_shown(value)}')
    return f"{int(match[1]):02}:{match[2]}"


def _window_seconds(value: Any) -> int:
    length = parse_duration("", duration(value))
    if not 0 < length.total_seconds() <= window.LONGEST.total_seconds():
        raise InvalidError("longer than nothing, and 7d at most")
    return int(length.total_seconds())


def _timezone(value: Any) -> str:
    known = text(value)
    try:
        window.zone(known)
    except LookupError:
        raise InvalidError(
            f"a time zone such as Europe/Berlin, and {_shown(known)} is none that the controller knows. Where it knows "
            "none but UTC, install its system's package tzdata, or the Python package of that name beside Ansible"
        ) from None
    return known


def checks(value: Any) -> list[dict[str, Any]]:
    """Checks of exactly one kind each, with all their keys; a command is a list of words."""
    if not isinstance(value, list):
        raise InvalidError("a list of checks, such as [{port: 443}]")
    return [_check(place, each) for place, each in enumerate(value, start=1)]


def _check(place: int, check: Any) -> dict[str, Any]:
    if not isinstance(check, dict):
        raise InvalidError(f"a list of checks, and number {place} of it is no mapping such as {{port: 443}}")
    given = {str(key): value for key, value in check.items() if value not in UNSET}
    kinds = [kind for kind in KINDS if kind in given]
    if len(kinds) != 1:
        raise InvalidError(
            f"a list of checks with exactly one of {', '.join(KINDS)}, and number {place} of it has "
            f"{' and '.join(kinds) or 'none of them'}"
        )
    (kind,) = kinds
    wrong = sorted(set(given) - KEYS[kind] - set(EVERY_CHECK) - {"status", "validate_certs"})
    if wrong:
        raise InvalidError(
            f"a list of checks, and number {place} ({kind}) knows no {', '.join(wrong)}{_meant(wrong[0], ALL_KEYS)}"
        )
    found: dict[str, Any] = {}
    for key, parse in CHECK_KEYS.items():
        try:
            if key in given:
                found[key] = parse(given[key])
        except InvalidError as error:
            raise InvalidError(f"a list of checks, and {key} of number {place} has to be {error}") from None
    defaults = {**EVERY_CHECK, **({"status": [200], "validate_certs": True} if kind == "url" else {})}
    return {**defaults, **found, "kind": kind}


def _url(value: Any) -> str:
    known = text(value)
    if re.match(r"https?://[^/\s]", known):
        return known
    raise InvalidError("a URL that begins with http:// or https://")


def _statuses(value: Any) -> list[int]:
    return [number(100, 599)(each) for each in (value if isinstance(value, list) else [value])]


def _words(value: Any) -> list[str]:
    try:
        words = [str(each) for each in value] if isinstance(value, list) else shlex.split(text(value))
    except ValueError as error:
        raise InvalidError(f"a command as a shell splits it into words ({error}: quote it, or give a list)") from None
    if not words or not words[0].strip():
        raise InvalidError("a command that is not empty")
    return words


def _is_given(name: str, value: Any) -> bool:
    """Whether a value stands for anything.

    :raises _UnknownError: Where the role has no such option.
    """
    if name not in OPTIONS:
        raise _UnknownError(f"is no variable of this role{_meant(PREFIX + name, [PREFIX + each for each in OPTIONS])}")
    return value is not None and not (isinstance(value, str) and not value.strip())


def _meant(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""


def _shown(value: Any) -> str:
    shown = value if isinstance(value, str) else repr(value)
    shown = f"{value!r}" if isinstance(value, str) else shown
    return shown if len(shown) <= 120 else f"{shown[:117]}..."


CHECK_KEYS: dict[str, Callable[[Any], Any]] = {
    "url": _url,
    "status": _statuses,
    "validate_certs": boolean,
    "port": number(1, 65535),
    "host": text,
    "service": text,
    "command": _words,
    "retries": number(0, 10_000),
    "delay": number(0, 3600),
    "timeout": number(1, 3600),
}
ALL_KEYS = tuple(CHECK_KEYS)
# Of a window: what each key becomes, and what reads it.
WINDOW_KEYS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "days": ("days", _days),
    "start": ("start", _wall_clock),
    "duration": ("seconds", _window_seconds),
    "timezone": ("timezone", _timezone),
}
# The files of the controller among the options.
FILES = (
    "quiesce_tasks",
    "thaw_tasks",
    "tasks",
    "check_tasks",
    "pre_tasks",
    "pre_reboot_tasks",
    "post_tasks",
    "versions_from",
)
# Each option: its default, and what reads it. defaults/main.yml says the same, and a test holds them together.
OPTIONS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "server_id": ("", server),
    "verify_identity": (True, boolean),
    "name_prefix": ("safe-update", name_prefix),
    "on_failure": ("keep", choice("keep", "rollback")),
    "cleanup": (True, boolean),
    "snapshot_id": (None, number(0, 2**63 - 1)),
    "keep": (0, number(0, 1000)),
    "on_limit": ("fail", choice("fail", "rotate")),
    "offline": (False, boolean),
    "quiesce_tasks": (None, text),
    "thaw_tasks": (None, text),
    "scope": ("full", choice("full", "security")),
    "exclude": ([], texts),
    "tasks": (None, text),
    "timeout": (3600, number(1)),
    "reboot": ("when_required", choice("when_required", "always", "never")),
    "checks": ([], checks),
    "check_tasks": (None, text),
    "compare": (True, boolean),
    "compare_ignore": ([], texts),
    "require_backup_within": (None, duration),
    "window_end": (None, moment),
    "snapshot_timeout": (1200, number(1)),
    "restore_timeout": (1800, number(1)),
    "reboot_timeout": (900, number(1)),
    "connection_timeout": (600, number(1)),
    "report_dir": (None, text),
    "soak": (60, number(0)),
    "soak_interval": (15, number(1)),
    "soak_failures": (0, number(0)),
    "pre_tasks": (None, text),
    "pre_reboot_tasks": (None, text),
    "post_tasks": (None, text),
    "window": ([], windows),
    "min_free": ({path: int(size[:-1]) * 2**20 for path, size in MIN_FREE.items()}, sizes),
    "allow_removals": (False, removals),
    "versions_from": (None, text),
    "keep_broken": (False, boolean),
    "max_failures": (None, number(1)),
    "restart_services": (False, boolean),
    "hold": ([], held),
    "run_id": (None, run_id),
}
