# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""Packages, whichever package manager tells of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timezone
from fnmatch import fnmatchcase

RPM = re.compile(r"(?P<name>.+)-(?P<version>[^-]+-[^-]+)\.(?P<arch>[^.]+)")


def is_named(name: str, globs: Iterable[str]) -> bool:
    """Whether a package of dpkg, with its architecture or without, is one of these names or globs."""
    return any(fnmatchcase(each, glob) for glob in globs for each in (name, name.partition(":")[0]))


def is_named_rpm(name: str, globs: Iterable[str]) -> bool:
    """The same of ``NAME.ARCH``."""
    return any(fnmatchcase(each, glob) for glob in globs for each in (name, name.rpartition(".")[0]))


def left(pending: Iterable[dict[str, str]], still: Iterable[dict[str, str]], with_new: bool) -> list[str]:
    """What was pending and still is, in the same version: ``NAME VERSION``.

    What has become pending in the meantime is the next run's.

    :param with_new: Whether a new package is installed for its own sake, and not only along with others.
    """
    now = {(each["name"], each["new"]) for each in still}
    return [
        f"{each['name']} {each['new']}"
        for each in pending
        if (each["old"] or with_new) and (each["name"], each["new"]) in now
    ]


def named_by_advisories(said: Iterable[str], pending: Iterable[dict[str, str]]) -> list[str]:
    """The pending updates that an advisory of security names.

    :param said: What files/assess.sh says; each advisory is a line that holds ``NAME-VERSION-RELEASE.ARCH``.
    """
    words = {word for line in said if line.startswith("advisory ") for word in line.split()}
    matches = filter(None, map(RPM.fullmatch, words))
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
