# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: `python -m vps_emulator`."""

from __future__ import annotations

import argparse
import ipaddress
import logging
import re
import signal
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import waitress
from django.core.wsgi import get_wsgi_application
from django.db import DatabaseError

from . import DEFAULT_TOKEN, backends, settings, world
from .backends import Backend, BackendError

THREADS = 32


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; 2 if the command line, the seed or the backend is wrong."""
    options = _parser().parse_args(arguments)
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        # Once only: a second signal must not cut the cleaning up short.
        if not stopping.is_set():
            stopping.set()
            raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    try:
        with ExitStack() as cleanup:
            _serve(options, stopping, cleanup)
    except (_WrongInputError, BackendError) as error:
        print(f"vps_emulator: {error}", file=sys.stderr)
        return 2
    return 0


class _WrongInputError(Exception):
    """One line for the user."""


def _serve(options: argparse.Namespace, stopping: threading.Event, cleanup: ExitStack) -> None:
    if options.db is None:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="vps_emulator-")))
        options.db = folder / "emulator.sqlite3"
    settings.configure(options.db.resolve(), options.throttle)
    backend = _backend(options)
    lifecycle = _world(options, backend, stopping).lifecycle
    cleanup.callback(lifecycle.close)
    lifecycle.resume()
    logging.getLogger("waitress").setLevel(logging.CRITICAL)
    try:
        server = waitress.create_server(
            get_wsgi_application(), host=options.host, port=options.port, threads=THREADS, log_socket_errors=False
        )
    except OSError as error:
        raise _WrongInputError(f"cannot listen on {options.host} port {options.port}: {error.strerror}") from error
    host = f"[{options.host}]" if ":" in options.host else options.host
    print(f"vps_emulator: http://{host}:{server.effective_port}/api/v1", flush=True)
    server.run()


def _backend(options: argparse.Namespace) -> Backend:
    chosen = dict(options.backend_option)
    if options.backend == "folder":
        chosen.setdefault("store", f"{options.db}.snapshots")
    return backends.load(options.backend, chosen)


def _world(options: argparse.Namespace, backend: Backend, stopping: threading.Event) -> world.World:
    # These need Django's settings, which are there only now.
    from . import models, seed
    from .auth import Token
    from .faults import FaultBoard
    from .journal import Journal
    from .lifecycle import Lifecycle

    try:
        wanted = seed.read(options.seed)
        is_new = models.create_tables()
    except seed.SeedError as error:
        raise _WrongInputError(f"seed {options.seed}: {error}") from error
    except (ValueError, DatabaseError) as error:
        raise _WrongInputError(f"{options.db}: {error}") from error
    tokens = {text: Token("emulator", ("*:*",)) for text in options.token or [DEFAULT_TOKEN]}
    tokens |= {each["token"]: Token(each["name"], tuple(each["permissions"])) for each in wanted["tokens"]}
    emulator = world.World(wanted, tokens, Lifecycle(backend, options.time_scale), FaultBoard(stopping), Journal())
    world.install(emulator)
    if is_new:
        seed.load(wanted, emulator.lifecycle)
    else:
        emulator.lifecycle.provision()
    return emulator


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "vps_emulator", description="Serve the API of VPS.org on loopback, for rehearsals."
    )
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
    return parser


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


if __name__ == "__main__":
    sys.exit(main())
