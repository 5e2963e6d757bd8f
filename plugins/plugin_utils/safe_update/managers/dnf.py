# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""dnf, of Fedora and Red Hat's family, which Ansible's module asks. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..packages import is_named_rpm

LOG = "/var/log/dnf.log and at the host's own configuration (/etc/dnf/dnf.conf)"
NAMES_NEW = False
# What is excluded is a word of its command.
HOLDS = False

# ACTION: NAME-VERSION-RELEASE.ARCH
CHANGE = re.compile(r"(?P<action>Installed|Removed): (?P<name>.+)-(?P<version>[^-]+-[^-]+)\.(?P<arch>[^.]+)$")


def asks(record: Mapping[str, Any]) -> list[str]:
    """The packages that the module is asked about.

    :param record: With its ``proven`` versions, which are empty where safe_update_versions_from is not given.
    """
    if not record["options"]["versions_from"]:
        return ["*"]
    return [_nevra(name, version) for name, version in record["proven"].items()]


def unanswered(_asked: Mapping[str, Any]) -> str:
    """Nothing: the task that asks fails then."""
    return ""


def pending(asked: Mapping[str, Any], _options: Mapping[str, Any], _unfinished: Iterable[str]) -> list[dict[str, str]]:
    """What Ansible's dnf module, in check mode, says that it would install; of each the name as rpm gives it."""
    found = _changes(asked)
    old = {name: version for action, name, version in found if action == "Removed"}
    return [
        {"name": name, "old": old.get(name, ""), "new": version}
        for action, name, version in found
        if action == "Installed"
    ]


def security(_asked: Mapping[str, Any], _options: Mapping[str, Any]) -> list[str]:
    """Nothing: the module does not say it; an assessment asks for the advisories."""
    return []


def asks_restart(_asked: Mapping[str, Any]) -> bool:
    """The system knows by itself."""
    return False


def removals(asked: Mapping[str, Any], _scope: str, allowed: Iterable[str]) -> list[str]:
    """The packages that it would remove for good, but for those of ``allowed`` (names or globs)."""
    globs, found = list(allowed), _changes(asked)
    # Of what is updated, the old version is removed too; of a kernel, the oldest one.
    stays = {name for action, name, _version in found if action == "Installed"}
    gone = {name for action, name, _version in found if action == "Removed"} - stays
    return sorted(name for name in gone if not is_named_rpm(name, globs))


def commands(record: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """One command.

    :param record: With what is ``pending``.
    """
    options = record["options"]
    exact = [_nevra(each["name"], each["new"]) for each in record["pending"]] if options["versions_from"] else []
    only = ["--security"] if options["scope"] == "security" else []
    exclude = [f"--exclude={each}" for each in options["exclude"]]
    return [("", ["dnf", "--assumeyes", "upgrade", *only, *exclude, *exact])]


def sizes(_record: Mapping[str, Any]) -> list[str]:
    """Nothing: dnf looks for room by itself."""
    return []


def _changes(asked: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Each ``ACTION: NAME-[EPOCH:]VERSION-RELEASE.ARCH`` as action, ``NAME.ARCH`` and version."""
    matches = filter(None, map(CHANGE.match, asked.get("results") or []))
    return [(match["action"], f"{match['name']}.{match['arch']}", match["version"]) for match in matches]


def _nevra(name: str, version: str) -> str:
    """``NAME-[EPOCH:]VERSION-RELEASE.ARCHITECTURE`` of what rpm calls ``NAME.ARCHITECTURE``."""
    bare, _dot, architecture = name.rpartition(".")
    return f"{bare}-{version}.{architecture}"
