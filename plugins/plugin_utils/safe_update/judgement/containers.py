# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""Containers that Docker is to start again by itself: each has to run, and to stay healthy. Pure."""

from __future__ import annotations

from .comparison import Comparison, age

ALWAYS = ("always", "unless-stopped")
# Docker's own unit; its children listen for containers.
DAEMON = "docker.service"
# Seconds that containers get after Docker has started.
PATIENCE = 120


def judge(looks: Comparison) -> None:
    """What ran before; one that is not started again by itself was somebody's own affair."""
    daemon = looks.find(DAEMON) or {}
    left = PATIENCE - age(looks.now, daemon) if looks.has_started_anew(DAEMON) else 0
    for name, (policy, state, _times, health) in sorted(looks.before["containers"].items()):
        if state != "running":
            continue
        now = looks.now["containers"].get(name)
        said = _trouble(now, health)
        first = looks.earlier["containers"].get(name) if looks.earlier else None
        restless = looks.earlier is not None and (first is None or first[1:] != [state, _times, health])
        label = f"container {name}"
        if not said:
            _judge_restarts(looks, name, label, restless)
        elif policy not in ALWAYS:
            looks.note("differences", f"The container {name} {said}; nothing is to start it again", label)
        elif left > 0:
            looks.note("settling", f"The container {name} {said}", label, restless=restless, patience=left)
        else:
            looks.note("failures", f"The container {name} {said}", label, restless=restless)


def _trouble(now: list[str] | None, health: str) -> str:
    if now is None:
        return "is gone"
    if now[1] != "running":
        return f"does not run any more ({now[1]})"
    return f"is {now[3]}, and was healthy" if health == "healthy" and now[3] == "unhealthy" else ""


def _judge_restarts(looks: Comparison, name: str, label: str, restless: bool) -> None:
    times = looks.restarts.get(label, 0)
    if times:
        often = "once" if times == 1 else f"{times} times"
        said = f"The container {name} has ended {often} since it was found well, and Docker started it again"
        looks.note("failures", said, label, restless=restless)
