# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""apt, of Debian and Ubuntu. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..packages import is_named, versions

LOG = "/var/log/apt/history.log and at the host's own apt configuration (APT_CONFIG, /etc/apt/apt.conf.d)"
NAMES_NEW = False
HOLDS = True

# Inst NAME [OLD] (NEW ORIGIN, ORIGIN [ARCH])
INSTALLED = re.compile(r"Inst (?P<name>\S+) (?:\[(?P<old>\S+)\] )?\((?P<new>\S+) (?P<origin>.*)")
REMOVED = re.compile(r"(?:Remv|Purg) (?P<name>\S+)")
# What the host's owner has configured stays; of a file that both have changed, too.
KEEP_FILES = ("--force-confdef", "--force-confold")
# Seconds that apt waits for another one to let go of dpkg's lock.
LOCK_TIMEOUT = 120
# What apt says of a repository that it cannot use; apt 3 writes the marks out.
TROUBLE = re.compile(r"(E|W|Error|Warning): (?P<words>.*)")
WORTH_SAYING = re.compile(
    r"Failed to fetch|GPG error|OpenPGP|Missing key|NO_PUBKEY|EXPKEYSIG|is not signed|does not have a Release"
    r"|no longer has a Release|Release file .* (expired|not valid yet)|changed its '|could not be (read|downloaded)"
    r"|Malformed|Conflicting|index files failed|not get lock|No space left|Read-only"
)
ADVICE = (
    (
        r"EXPKEYSIG|KEYEXPIRED|NO_PUBKEY|not signed",
        "Its key has expired or is not known to the host: install its new key",
    ),
    (r"Release file .* expired", "The repository is out of date, or the clock of the host is ahead"),
    (r"not valid yet", "Set the clock of the host"),
    (
        r"changed its '",
        "Look at what has changed, and accept it on the host: apt-get update --allow-releaseinfo-change",
    ),
    (
        r"Release file|404|Could not (resolve|connect)|Unable to connect|timed out|refused",
        "Correct or take out its entry in /etc/apt/sources.list.d, or look at the host's network and name resolution",
    ),
)


def asks(record: Mapping[str, Any]) -> list[str]:
    """The words of the question.

    :param record: With its ``proven`` versions, which are empty where safe_update_versions_from is not given.
    """
    if not record["options"]["versions_from"]:
        return ["apt-get", "--simulate", "--quiet", "dist-upgrade"]
    # Packages of the architecture all have none for apt.
    return ["sh", "-s", *(f"{name.removesuffix(':all')}={version}" for name, version in record["proven"].items())]


def unanswered(_asked: Mapping[str, Any]) -> str:
    """Nothing: the task that asks fails then."""
    return ""


def pending(asked: Mapping[str, Any], options: Mapping[str, Any], unfinished: Iterable[str]) -> list[dict[str, str]]:
    """What ``apt-get --simulate dist-upgrade`` would change; what is half done is pending too.

    :param asked: As registered.
    :param options: With ``scope`` (``full`` or ``security``) and ``exclude`` (names or globs).
    """
    globs = list(options["exclude"])
    found = [match for match in map(INSTALLED.match, _lines(asked)) if match and not is_named(match["name"], globs)]
    if options["scope"] == "security":
        found = [match for match in found if "security" in match["origin"].lower()]
    changes = [{"name": match["name"], "old": match["old"] or "", "new": match["new"]} for match in found]
    return changes + [{"name": name, "old": "unfinished", "new": "configured"} for name in unfinished]


def security(asked: Mapping[str, Any], options: Mapping[str, Any]) -> list[str]:
    """The names of what comes from an origin of security."""
    return [each["name"] for each in pending(asked, {**options, "scope": "security"}, [])]


def asks_restart(_asked: Mapping[str, Any]) -> bool:
    """The system knows by itself."""
    return False


def removals(asked: Mapping[str, Any], scope: str, allowed: Iterable[str]) -> list[str]:
    """The packages that it would remove, but for those of ``allowed`` (names or globs)."""
    # Updates of the scope security are named, and apt is told to remove nothing for them.
    if scope != "full":
        return []
    globs = list(allowed)
    names = [match["name"] for match in map(REMOVED.match, _lines(asked)) if match]
    return sorted({name for name in names if not is_named(name, globs)})


def commands(record: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """What is half done comes first.

    :param record: With its ``unfinished`` and ``pending``.
    """
    options = record["options"]
    settings = [
        *(f"Dpkg::Options::={each}" for each in KEEP_FILES),
        f"DPkg::Lock::Timeout={LOCK_TIMEOUT}",
        # A script that asks all the same gets an end of file, instead of a terminal that waits.
        "Dpkg::Use-Pty=false",
    ]
    words = ["apt-get", "--yes", "--quiet", *(word for each in settings for word in ("-o", each))]
    remove = [] if options["allow_removals"] else ["--no-remove"]
    rest = [("-configure", ["dpkg", *KEEP_FILES, "--configure", "--pending"])] if record["unfinished"] else []
    return [*rest, ("", [*words, *remove, *_what(record)])]


def sizes(record: Mapping[str, Any]) -> list[str]:
    """The words of the question, which changes nothing."""
    return ["env", "LC_ALL=C", "apt-get", "--print-uris", "--quiet", *_what(record)]


def unrefreshed(said: Iterable[str], code: int) -> str:
    """Why the package lists could not be refreshed, in apt's own words; empty where they were.

    :param said: What ``apt-get update`` said.
    :param code: Its exit code.
    """
    lines = [line.strip() for line in said]
    marked = [match["words"] for match in map(TROUBLE.match, lines) if match]
    telling = list(dict.fromkeys(words for words in marked if WORTH_SAYING.search(words)))
    if code == 0 and not telling:
        return ""
    told = telling or marked or [line for line in lines if line][-3:]
    # The last line only counts the others.
    told = [words for words in told if "index files failed" not in words] or told
    advice = next((words for pattern, words in ADVICE if re.search(pattern, " ".join(told))), "")
    reason = (
        "; ".join(words.rstrip(".") for words in told)[:1200] or f"apt-get update ended with {code} and said nothing"
    )
    return f"The package lists could not be refreshed: {reason}. {advice or 'Run apt-get update on the host'}"


def _what(record: Mapping[str, Any]) -> list[str]:
    if record["options"]["scope"] == "security" or record["options"]["versions_from"]:
        return ["install", "--only-upgrade", *versions(record["pending"])]
    return ["dist-upgrade"]


def _lines(asked: Mapping[str, Any]) -> list[str]:
    return asked.get("stdout_lines") or []
