# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""What package managers say: which packages an update would change, remove, or has left. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timezone
from fnmatch import fnmatchcase

# Inst NAME [OLD] (NEW ORIGIN, ORIGIN [ARCH])
APT = re.compile(r"Inst (?P<name>\S+) (?:\[(?P<old>\S+)\] )?\((?P<new>\S+) (?P<origin>.*)")
# ACTION: NAME-VERSION-RELEASE.ARCH
DNF = re.compile(r"(?P<action>Installed|Removed): (?P<name>.+)-(?P<version>[^-]+-[^-]+)\.(?P<arch>[^.]+)$")
REMOVED = re.compile(r"(?:Remv|Purg) (?P<name>\S+)")


def apt_pending(
    said: Iterable[str], scope: str, exclude: Iterable[str], unfinished: Iterable[str]
) -> list[dict[str, str]]:
    """What ``apt-get --simulate dist-upgrade`` would change; what is half done is pending too.

    :param said: Its lines.
    :param scope: ``full`` or ``security``.
    :param exclude: Names or globs.
    :return: ``name``, ``old`` (empty for a new one, ``unfinished`` for one half done) and ``new`` version.
    """
    globs = list(exclude)
    found = [match for match in map(APT.match, said) if match and not is_named(match["name"], globs)]
    if scope == "security":
        found = [match for match in found if "security" in match["origin"].lower()]
    pending = [{"name": match["name"], "old": match["old"] or "", "new": match["new"]} for match in found]
    return pending + [{"name": name, "old": "unfinished", "new": "configured"} for name in unfinished]


def apt_removals(said: Iterable[str], allowed: Iterable[str]) -> list[str]:
    """The packages that it would remove, but for those of ``allowed`` (names or globs)."""
    globs = list(allowed)
    names = [match["name"] for match in map(REMOVED.match, said) if match]
    return sorted({name for name in names if not is_named(name, globs)})


def is_named(name: str, globs: Iterable[str]) -> bool:
    """Whether a package, with its architecture or without, is one of these names or globs."""
    return any(fnmatchcase(each, glob) for glob in globs for each in (name, name.partition(":")[0]))


def left(pending: Iterable[dict[str, str]], still: Iterable[dict[str, str]]) -> list[str]:
    """What was pending and still is, in the same version: ``NAME VERSION``.

    What has become pending in the meantime is the next run's; what is new comes only along with others.
    """
    now = {(each["name"], each["new"]) for each in still}
    return [f"{each['name']} {each['new']}" for each in pending if each["old"] and (each["name"], each["new"]) in now]


def dnf_pending(results: Iterable[str]) -> list[dict[str, str]]:
    """What Ansible's dnf module, in check mode, says that it would install; of each the name as rpm gives it."""
    found = _dnf(results)
    old = {name: version for action, name, version in found if action == "Removed"}
    return [
        {"name": name, "old": old.get(name, ""), "new": version}
        for action, name, version in found
        if action == "Installed"
    ]


def dnf_removals(results: Iterable[str], allowed: Iterable[str]) -> list[str]:
    """The packages that it would remove for good, but for those of ``allowed`` (names or globs)."""
    globs, found = list(allowed), _dnf(results)
    # Of what is updated, the old version is removed too; of a kernel, the oldest one.
    stays = {name for action, name, _version in found if action == "Installed"}
    gone = {name for action, name, _version in found if action == "Removed"} - stays
    return sorted(name for name in gone if not is_named(name, globs) and not is_named(name.rpartition(".")[0], globs))


def _dnf(results: Iterable[str]) -> list[tuple[str, str, str]]:
    """Each ``ACTION: NAME-[EPOCH:]VERSION-RELEASE.ARCH`` as action, ``NAME.ARCH`` and version."""
    matches = filter(None, map(DNF.match, results))
    return [(match["action"], f"{match['name']}.{match['arch']}", match["version"]) for match in matches]


def dnf_security(said: Iterable[str], pending: Iterable[dict[str, str]]) -> list[str]:
    """The pending updates that an advisory of security names.

    :param said: What files/assess.sh says; each advisory is a line that holds ``NAME-VERSION-RELEASE.ARCH``.
    """
    words = {word for line in said if line.startswith("advisory ") for word in line.split()}
    matches = filter(None, (DNF.match(f"Installed: {word}") for word in words))
    named = {f"{match['name']}.{match['arch']}" for match in matches}
    return [each["name"] for each in pending if each["name"] in named]


def last_update(said: Iterable[str]) -> str:
    """When packages were updated last, in UTC; empty where nobody knows.

    :param said: What files/assess.sh says: ``updated`` and the seconds since 1970.
    """
    seconds = [int(line.split()[1]) for line in said if re.fullmatch(r"updated [0-9]{1,11}", line)]
    return datetime.fromtimestamp(max(seconds), tz=timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else ""


def versions(pending: Iterable[dict[str, str]]) -> list[str]:
    """Each update as ``NAME=VERSION``; what is new comes along by itself."""
    return [f"{each['name']}={each['new']}" for each in pending if each["old"] not in ("", "unfinished")]
