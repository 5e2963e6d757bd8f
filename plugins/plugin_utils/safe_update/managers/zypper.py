# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""zypper, of openSUSE Leap and SUSE Linux Enterprise, in the form that it calls XML. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..packages import is_named_rpm

LOG = "/var/log/zypp/history and at the host's own configuration (/etc/zypp, zypper locks)"
HOLDS = True
# A new kernel stands beside the old one.
NAMES_NEW = True

# Seconds that it waits for another one to let go of the packages.
LOCK_TIMEOUT = 120
ZYPPER = ("env", f"ZYPP_LOCK_TIMEOUT={LOCK_TIMEOUT}", "zypper", "--non-interactive", "--no-refresh")
# It ends with these where all went well and a restart, of the system or of zypper, is due: that is asked elsewhere.
RESTART_IS_DUE = (102, 103)
GOOD = f'"$@" || case $? in {" | ".join(map(str, RESTART_IS_DUE))}) ;; *) exit $? ;; esac'

# Each part of the summary names packages and patches; a patch changes nothing by itself.
PART = re.compile(r"<(to-[a-z-]+)>")
PACKAGE = re.compile(
    r'<solvable type="package" name="(?P<name>[^"]*)" edition="(?P<new>[^"]*)" arch="(?P<arch>[^"]*)"'
    r'(?: edition-old="(?P<old>[^"]*)")?'
)
ERROR = re.compile(r'<message type="error">(?P<words>.*?)</message>', re.DOTALL)
# What it warns of.
RESTART = "One of the installed patches requires a reboot"
# What it would ask people.
PROBLEM = re.compile(r"<description>(?P<words>Problem: .*?)</description>", re.DOTALL)


def asks(record: Mapping[str, Any]) -> list[str]:
    """The words of the question.

    :param record: With its ``proven`` versions, which are empty where safe_update_versions_from is not given.
    """
    ask = [*ZYPPER, "--xmlout"]
    if record["options"]["versions_from"]:
        exact = [f"{name}={version.removeprefix('0:')}" for name, version in record["proven"].items()]
        return [*ask, "install", "--dry-run", *exact] if exact else ["true"]
    if record["options"]["scope"] == "security":
        # Without the last word, zypper leaves out each patch after which a restart is due.
        return ["sh", "-eu", "-s", "ask", *ask, "patch", "--dry-run", "--category", "security", "--with-interactive"]
    return [*ask, "update", "--dry-run"]


def unanswered(asked: Mapping[str, Any]) -> str:
    """Why there is no answer, in its own words; empty where there is one."""
    lines = [*(asked.get("stdout_lines") or []), *(asked.get("stderr_lines") or [])]
    if asked.get("rc") in (0, *RESTART_IS_DUE):
        return ""
    said = "; ".join(errors(lines)) or " ".join(lines[-3:]) or str(asked.get("msg") or "it said nothing")
    return (
        f"zypper cannot say what it would update: {said[:1200]}. Ask it on the host (zypper update --dry-run, zypper "
        "patch --dry-run), and mend what it complains of"
    )


def pending(asked: Mapping[str, Any], options: Mapping[str, Any], _unfinished: Iterable[str]) -> list[dict[str, str]]:
    """What it would install, by the names that rpm gives: ``NAME.ARCH``."""
    locked = [line.removeprefix("locked ") for line in asked.get("stdout_lines") or [] if line.startswith("locked ")]
    stays = [*options["exclude"], *locked]
    return [
        {"name": name, "old": old, "new": new}
        for part, name, old, new in _changes(asked)
        if part != "to-remove" and not is_named_rpm(name, stays)
    ]


def security(_asked: Mapping[str, Any], _options: Mapping[str, Any]) -> list[str]:
    """Nothing: that is another question, which an assessment asks."""
    return []


def asks_restart(asked: Mapping[str, Any]) -> bool:
    """Whether one of the patches says so: `install` does not tell the system."""
    return any(RESTART in line for line in asked.get("stdout_lines") or [])


def removals(asked: Mapping[str, Any], _scope: str, allowed: Iterable[str]) -> list[str]:
    """The packages that it would remove, but for those of ``allowed`` (names or globs)."""
    globs = list(allowed)
    gone = [name for part, name, _old, _new in _changes(asked) if part == "to-remove"]
    return sorted(name for name in gone if not is_named_rpm(name, globs))


def commands(record: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """One command.

    :param record: With what is ``pending``.
    """
    options = record["options"]
    what = ["update", "--auto-agree-with-licenses"]
    if options["scope"] == "security" or options["versions_from"]:
        named = dict.fromkeys(f"{each['name']}={each['new']}" for each in record["pending"])
        what = ["install", "--auto-agree-with-licenses", *named]
    return [("", ["sh", "-c", GOOD, "sh", *ZYPPER, *what])]


def sizes(_record: Mapping[str, Any]) -> list[str]:
    """Nothing: the first answer says it."""
    return []


def unrefreshed(said: Iterable[str], code: int) -> str:
    """Why the package lists could not be refreshed, in zypper's own words; empty where they were.

    :param said: What ``zypper --xmlout refresh`` said.
    :param code: Its exit code.
    """
    lines = list(said)
    told = errors(lines)
    if code == 0 and not told:
        return ""
    # The last ones only count the others.
    told = [words for words in told if not words.startswith(("Skipping ", "Some of ", "Could not refresh "))] or told
    reason = "; ".join(words.rstrip(".") for words in told) or " ".join(lines[-3:])
    return (
        f"The package lists could not be refreshed: {reason[:1200] or f'zypper refresh ended with {code}'}. Run zypper "
        "refresh on the host, and correct or disable what it complains of (zypper repos --uri)"
    )


def errors(said: Iterable[str]) -> list[str]:
    """Each error or problem of an answer, on one line."""
    text = "\n".join(said)
    matches = [*ERROR.finditer(text), *PROBLEM.finditer(text)]
    return [" ".join(html.unescape(match["words"]).split()) for match in matches]


def _changes(asked: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Each package of the summary as part, ``NAME.ARCH``, old (or empty) and new version."""
    part, found = "", []
    for line in asked.get("stdout_lines") or []:
        if heading := PART.search(line):
            part = heading[1]
        if package := PACKAGE.search(line):
            found.append((part, f"{package['name']}.{package['arch']}", package["old"] or "", package["new"]))
    return found
