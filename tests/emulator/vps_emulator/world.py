# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the running emulator that are not in the database: one set for the one process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .auth import Token
    from .faults import FaultBoard
    from .journal import Journal
    from .lifecycle import Lifecycle


@dataclass(frozen=True)
class World:
    """`seed` is the validated seed, `tokens` maps each token's text to what it grants."""

    seed: dict[str, Any]
    tokens: dict[str, Token]
    lifecycle: Lifecycle
    faults: FaultBoard
    journal: Journal


_world: World | None = None


def install(world: World) -> None:
    """Make `world` the one that views and middleware see."""
    global _world
    _world = world


def current() -> World:
    """The installed world; RuntimeError before there is one."""
    if _world is None:
        raise RuntimeError("no world is installed: start the emulator by vps_emulator.__main__")
    return _world
