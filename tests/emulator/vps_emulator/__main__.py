# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: `python -m vps_emulator`."""

from __future__ import annotations

import argparse
import logging
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

from . import DEFAULT_TOKEN, backends, options, settings, world
from .backends import Backend, BackendError

THREADS = 32


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; 2 if the command line, the seed or the backend is wrong."""
    chosen = options.parse(arguments)
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
            _serve(chosen, stopping, cleanup)
    except (_WrongInputError, BackendError) as error:
        print(f"vps_emulator: {error}", file=sys.stderr)
        return 2
    return 0


class _WrongInputError(Exception):
    """One line for the user."""


def _serve(chosen: argparse.Namespace, stopping: threading.Event, cleanup: ExitStack) -> None:
    if chosen.db is None:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="vps_emulator-")))
        chosen.db = folder / "emulator.sqlite3"
    settings.configure(chosen.db.resolve(), chosen.throttle)
    backend = _backend(chosen)
    cleanup.callback(backend.close)
    lifecycle = _world(chosen, backend, stopping).lifecycle
    cleanup.callback(lifecycle.pause)
    lifecycle.resume()
    # A client that goes away is no news here, and faults make the rest on purpose.
    logging.getLogger("waitress").setLevel(logging.CRITICAL)
    try:
        server = waitress.create_server(
            get_wsgi_application(), host=chosen.host, port=chosen.port, threads=THREADS, log_socket_errors=False
        )
    except OSError as error:
        raise _WrongInputError(f"cannot listen on {chosen.host} port {chosen.port}: {error.strerror}") from error
    host = f"[{chosen.host}]" if ":" in chosen.host else chosen.host
    print(f"vps_emulator: http://{host}:{server.effective_port}/api/v1", flush=True)
    server.run()


def _backend(chosen: argparse.Namespace) -> Backend:
    backend_options = dict(chosen.backend_option)
    if chosen.backend == "folder":
        backend_options.setdefault("store", f"{chosen.db}.snapshots")
    return backends.load(chosen.backend, backend_options)


def _world(chosen: argparse.Namespace, backend: Backend, stopping: threading.Event) -> world.World:
    # These need Django's settings, which are there only now.
    from . import models, seed
    from .auth import Token
    from .faults import FaultBoard
    from .journal import Journal
    from .lifecycle import Lifecycle

    try:
        wanted = seed.read(chosen.seed)
        is_new = models.create_tables()
    except seed.SeedError as error:
        raise _WrongInputError(f"seed {chosen.seed}: {error}") from error
    except (ValueError, DatabaseError) as error:
        raise _WrongInputError(f"{chosen.db}: {error}") from error
    tokens = {text: Token("emulator", ("*:*",)) for text in chosen.token or [DEFAULT_TOKEN]}
    tokens |= {each["token"]: Token(each["name"], tuple(each["permissions"])) for each in wanted["tokens"]}
    emulator = world.World(wanted, tokens, Lifecycle(backend, chosen.time_scale), FaultBoard(stopping), Journal())
    world.install(emulator)
    if is_new:
        seed.load(wanted, emulator.lifecycle)
    else:
        emulator.lifecycle.provision()
    return emulator


if __name__ == "__main__":
    sys.exit(main())
