# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""File systems: what /etc/fstab wants and was there has to be there, and to take what is written. Pure."""

from __future__ import annotations

from .comparison import Comparison

ON_DEMAND = {"noauto", "x-systemd.automount", "autofs"}


def judge(looks: Comparison) -> None:
    """What is mounted; what /etc/fstab does not name comes and goes."""
    old, new = looks.before["mounts"], looks.now["mounts"]
    wanted = {"/": ["defaults"], **looks.before["fstab"]}
    for where, (_kind, mode, source, *_rest) in sorted(old.items()):
        options = wanted.get(where)
        is_wanted = options is not None and not ON_DEMAND & set(options)
        if where not in new:
            _judge_missing(looks, where, is_wanted, options is None and source != "device")
        elif options is not None and mode == "rw" and new[where][1] == "ro":
            _fail(looks, where, f"{where} cannot be written to any more: it is mounted read-only")
    for where in sorted((looks.now["full"] - looks.before["full"]) & set(wanted)):
        _fail(looks, where, f"{where} is full: it had room before")
    for where, (_kind, _mode, source, *_rest) in sorted(new.items()):
        if where not in old and source == "device":
            looks.note("differences", f"{where} is mounted now", f"mount {where}")


def _judge_missing(looks: Comparison, where: str, is_wanted: bool, is_passing: bool) -> None:
    label = f"mount {where}"
    if not is_wanted:
        if not is_passing:
            looks.note("differences", f"{where} is not mounted any more; boot does not mount it", label)
    elif _mounts_still(looks, where):
        looks.note("settling", f"{where} is not mounted yet", label, patience=looks.limit)
    else:
        _fail(looks, where, f"{where} is not mounted any more (/etc/fstab wants it)")


def _fail(looks: Comparison, where: str, said: str) -> None:
    restless = looks.earlier is not None and where not in looks.earlier["mounts"]
    looks.note("failures", said, f"mount {where}", restless=restless)


def _mounts_still(looks: Comparison, where: str) -> bool:
    units = looks.now["units"]
    name = next((name for name, unit in units.items() if unit.get("Where") == where), "")
    return looks.now["jobs"].get(name) == "start" or units.get(name, {}).get("ActiveState") == "activating"
