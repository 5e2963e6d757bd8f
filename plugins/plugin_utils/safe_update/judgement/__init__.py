# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""Whether a host is as before. Pure.

Only what the system says is wanted, and worked before, can fail a host; everything else that differs is a difference.
docs/verdict.md has the table; each module here judges one kind of evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .. import evidence, packages
from . import containers, mounts, network, ports, units
from .comparison import Comparison
from .units import count_restarts

__all__ = ("NOTHING", "count_restarts", "judge")

# What is found where nothing is compared.
NOTHING: dict[str, Any] = {"failures": [], "differences": [], "settling": [], "patience": 0}


def judge(
    before: Sequence[str],
    now: Sequence[str],
    *,
    earlier: Sequence[str] = (),
    last: Sequence[str] = (),
    restarts: Mapping[str, int] | None = None,
    ignore: Iterable[str] = (),
    may_go: Sequence[str] | bool = False,
    limit: float = 600,
) -> dict[str, Any]:
    """Tell whether what was wanted and worked before works now.

    :param before: The look from before the update.
    :param now: The look to judge; an empty one is a failure.
    :param earlier: A look from before that one: what differs between the two is restless, and proves nothing.
    :param last: The last look since the host was found well: what is down again was up in between.
    :param restarts: What `count_restarts` has counted since then.
    :param ignore: Globs of evidence to leave out, such as ``service backup.service`` or ``mount /mnt/*``.
    :param may_go: The packages that may be removed, with what they bring: names or globs, true for all.
    :param limit: Seconds to wait for a unit whose start has no time limit of its own.
    :returns: ``failures``, ``differences`` and ``settling`` (lists of sentences without an end), ``patience`` (seconds
        that what is settling may still take).
    """
    if not now:
        return {**NOTHING, "failures": ["The host did not answer when it was looked at"]}
    names = _changes(before, now)
    comparison = Comparison(
        before=evidence.parse(before),
        now=evidence.parse(now),
        earlier=evidence.parse(earlier) if earlier else None,
        last=evidence.parse(last) if last else None,
        restarts=restarts or {},
        ignore=list(ignore),
        limit=limit,
        changed=names["changed"],
        added=names["added"],
        gone={name for name in names["gone"] if packages.is_named(name, ["*"] if may_go is True else may_go or [])},
    )
    units.judge(comparison)
    containers.judge(comparison)
    ports.judge(comparison)
    mounts.judge(comparison)
    network.judge(comparison)
    for name in sorted({*evidence.unfinished(now)} - {*evidence.unfinished(before)}):
        comparison.note("failures", f"The package {name} is not completely installed", f"package {name}")
    if comparison.restarts.get(units.HOST):
        comparison.note("failures", "The host has restarted since it was found well, and nobody asked it to", "boot")
    return comparison.result()


def _changes(before: Sequence[str], now: Sequence[str]) -> dict[str, set[str]]:
    """The names of packages that have changed, come or gone, without their architectures."""
    names: dict[str, set[str]] = {"changed": set(), "added": set(), "gone": set()}
    for each in evidence.packages(before, now):
        name = re.sub(r"(:[a-z0-9-]+|\.(noarch|x86_64|aarch64|i[3-6]86|ppc64le|s390x))$", "", each["name"])
        for kind in ("changed", *(["added"] if not each["old"] else []), *(["gone"] if not each["new"] else [])):
            names[kind].add(name)
    return names
