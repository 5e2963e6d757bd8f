# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""What package managers say: which packages an update would change. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Whose packages the built-in update can update.
MANAGERS = ("apt", "dnf")
# Inst NAME [OLD] (NEW ORIGIN, ORIGIN [ARCH])
APT = re.compile(r"Inst (?P<name>\S+) (?:\[(?P<old>\S+)\] )?\((?P<new>\S+) (?P<origin>.*)")


def apt_pending(
    said: Iterable[str], scope: str, exclude: Iterable[str], unfinished: Iterable[str]
) -> list[dict[str, str]]:
    """What ``apt-get --simulate dist-upgrade`` would change; what is half done is pending too.

    :param said: Its lines.
    :param scope: ``full`` or ``security``.
    :return: ``name``, ``old`` (empty for a new one, ``unfinished`` for one half done) and ``new`` version.
    """
    found = [match for match in map(APT.match, said) if match and match["name"] not in set(exclude)]
    if scope == "security":
        found = [match for match in found if "security" in match["origin"].lower()]
    pending = [{"name": match["name"], "old": match["old"] or "", "new": match["new"]} for match in found]
    return pending + [{"name": name, "old": "unfinished", "new": "configured"} for name in unfinished]


def dnf_pending(results: Iterable[str]) -> list[dict[str, str]]:
    """What Ansible's dnf module, in check mode, says that it would install."""
    names = [line.removeprefix("Installed: ") for line in results if line.startswith("Installed: ")]
    return [{"name": name, "old": "", "new": ""} for name in names]


def versions(pending: Iterable[dict[str, str]]) -> list[str]:
    """Each update as ``NAME=VERSION``; what is new comes along by itself."""
    return [f"{each['name']}={each['new']}" for each in pending if each["old"] not in ("", "unfinished")]
