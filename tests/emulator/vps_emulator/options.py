# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the command line."""

from __future__ import annotations

import argparse
import ipaddress
import re
from pathlib import Path

from . import DEFAULT_TOKEN


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options by name; exits with 2 and the reason if one is wrong."""
    parser = argparse.ArgumentParser("vps_emulator", description="Serve the API of VPS.org on loopback.")
    add = parser.add_argument
    add("--host", type=_loopback, default="127.0.0.1", help="a loopback address (%(default)s)")
    add("--port", type=int, default=8099, help="0 picks a free one (%(default)s)")
    add("--token", action="append", metavar="TOKEN", help=f"may do all; repeatable ({DEFAULT_TOKEN})")
    add("--seed", type=Path, metavar="FILE", help="YAML: what is there to begin with (two servers)")
    add("--time-scale", type=_positive, default=1.0, metavar="N", help="a minute passes in 60/N seconds (%(default)s)")
    add("--db", type=Path, metavar="FILE", help="SQLite, kept over a restart (a temporary one)")
    add("--throttle", type=_rate, metavar="RATE", help="calls per token, like 100/min (none)")
    add("--backend", default="folder", metavar="NAME", help="folder, or an import path module:Class (%(default)s)")
    add("--backend-option", type=_key_value, action="append", default=[], metavar="KEY=VALUE", help="repeatable")
    return parser.parse_args(arguments)


def _loopback(text: str) -> str:
    text = "127.0.0.1" if text == "localhost" else text
    try:
        if ipaddress.ip_address(text).is_loopback:
            return text
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text} is no loopback address, and the emulator serves nothing else")


def _positive(text: str) -> float:
    if (number := float(text)) > 0:
        return number
    raise argparse.ArgumentTypeError("it must be more than 0")


def _rate(text: str) -> str:
    if re.fullmatch(r"[1-9]\d*/(s|sec|second|m|min|minute|h|hour|d|day)", text):
        return text
    raise argparse.ArgumentTypeError(f"{text} is no rate like 100/min")


def _key_value(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if equals and key:
        return key, value
    raise argparse.ArgumentTypeError(f"{text} is not KEY=VALUE")
