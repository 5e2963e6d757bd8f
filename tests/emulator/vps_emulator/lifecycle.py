# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of servers and snapshots, on a clock that may run faster than the wall's."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta

from django.core.management import call_command
from django.db import transaction
from django.db.models import Min
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework.exceptions import NotFound, ValidationError

from . import rules, world
from .backends import Backend
from .journal import is_api_call
from .models import Server, Snapshot
from .states import ACTIVE, COMPLETED, ERROR, FAILED, IN_PROGRESS, RESTORING, STOPPED
from .ticker import Ticker

STUCK, VANISHED = "stuck", "vanished"
# How soon to look again at what is due but could not be finished yet (seconds).
LOOK_AGAIN = 0.1

logger = logging.getLogger(__name__)

Outcome = Callable[[], str | None]


class Lifecycle:
    """Begins operations when the API asks, and ends them when they are due.

    Each change of a server happens under that server's lock, so the backend, which may take a second, is never
    called within a transaction nor twice at once for one server. The process is the only user of its database.
    """

    def __init__(self, backend: Backend, time_scale: float) -> None:
        self._backend = backend
        self._time_scale = time_scale
        self._locks: dict[int, threading.Lock] = {}
        self._ticker = Ticker(self._tick)

    # Operations, begun by the API

    def create(self, server_id: int, name: str, description: str, outcome: Outcome) -> Snapshot:
        """Begin a snapshot: the copy is taken now, the record is completed when due.

        Guess: names need not be unique.
        """
        with self._hold(server_id):
            with transaction.atomic():
                server = _server(server_id)
                _raise_if(rules.against_create(server.status, server.snapshots.count()))
                snapshot = Snapshot.objects.create(
                    server=server, name=name, description=description, created_at=_now(), outcome=outcome() or COMPLETED
                )
            try:
                self.take(snapshot)
            except Exception:
                logger.exception("snapshot %s cannot be taken, so it will fail", snapshot.id)
                snapshot.outcome = FAILED
                self._schedule_snapshot(snapshot)
        return snapshot

    def take(self, snapshot: Snapshot) -> None:
        """Have the snapshot's server copied; one in progress is due from then on. Raises the backend's error."""
        snapshot.bytes_taken = self._backend.take(snapshot.server.ref, snapshot.id)
        if snapshot.status == IN_PROGRESS:
            self._schedule_snapshot(snapshot)

    def restore(self, snapshot_id: int, outcome: Outcome) -> Snapshot:
        """Begin a restore: the server is stopped now; its content is put back and it is started when due."""
        with self._hold(_snapshot(snapshot_id).server_id):
            snapshot = _snapshot(snapshot_id)
            server = snapshot.server
            _raise_if(rules.against_restore(server.status, snapshot.status))
            server.restored_from = snapshot.id
            self._begin(server, "restore", status=RESTORING, outcome=outcome() or "")
            if self._carry_out(lambda: self._backend.stop(server.ref, force=True)):
                self._schedule(server, minutes=server.restore_minutes)
            else:
                self._end(server, ERROR)
        return snapshot

    def delete(self, snapshot_id: int) -> None:
        """Remove a snapshot at once."""
        with self._hold(_snapshot(snapshot_id).server_id):
            snapshot = _snapshot(snapshot_id)
            _raise_if(rules.against_delete(snapshot.id, snapshot.server.restored_from))
            self._discard(snapshot)

    def power(self, server: Server, action: str) -> Server:
        """Begin a power action: the backend acts now, the status follows when due (guess: it stays until then).

        Guess: what is asked for already is accepted and changes nothing.
        """
        with self._hold(server.id):
            server = self.observe(_server(server.id))
            _raise_if(rules.against_power(server.status, server.operation, action))
            reached = STOPPED if action in ("stop", "hard_stop") else ACTIVE
            if not server.operation and server.status == reached and action != "restart":
                return server
            self._begin(server, action)
            if self._carry_out(lambda: self._act(server, action)):
                self._schedule(server, minutes=server.power_seconds / 60)
            else:
                self._end(server, ERROR)
        return server

    def observe(self, server: Server) -> Server:
        """The server with the power state that its backend sees: one that powered itself off is stopped."""
        if not server.operation and server.status in (ACTIVE, STOPPED):
            running = self._backend.running(server.ref)
            if running is not None and running != (server.status == ACTIVE):
                server.status = ACTIVE if running else STOPPED
                Server.objects.filter(pk=server.pk, operation="").update(status=server.status, updated_at=_now())
        return server

    # Ends, when they are due

    def advance(self) -> None:
        """End what is due; what another thread holds is left to it."""
        now = timezone.now()
        for snapshot in Snapshot.objects.filter(due_at__lte=now):
            with self._hold(snapshot.server_id, wait=False) as held:
                current = Snapshot.objects.filter(pk=snapshot.pk, due_at__lte=now).first() if held else None
                if current:
                    self._end_snapshot(current)
        for server in Server.objects.filter(due_at__lte=now):
            with self._hold(server.id, wait=False) as held:
                current = Server.objects.filter(pk=server.pk, due_at__lte=now).first() if held else None
                if current:
                    self._end_operation(current)

    def _tick(self) -> float | None:
        self.advance()
        firsts = (each.objects.aggregate(first=Min("due_at"))["first"] for each in (Snapshot, Server))
        due = [first for first in firsts if first]
        return max(LOOK_AGAIN, (min(due) - timezone.now()).total_seconds()) if due else None

    def _end_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.outcome == VANISHED:
            self._discard(snapshot)
            return
        snapshot.status = snapshot.outcome
        snapshot.due_at = None
        if snapshot.status == COMPLETED:
            snapshot.size_mb = -(-snapshot.bytes_taken // 2**20)
        snapshot.save()

    def _end_operation(self, server: Server) -> None:
        running = self._backend.running(server.ref)
        if server.operation == "restore":
            # Guess: a server whose restore failed is in `error`.
            well = not server.outcome and self._carry_out(lambda: self._put_back(server))
            self._end(server, ACTIVE if well else ERROR)
        elif server.operation in ("stop", "hard_stop"):
            if not running:
                self._end(server, STOPPED)
        elif server.operation == "restart" and running:
            pass  # still shutting down
        else:
            # A start was begun at the POST, unless the process was killed between the two.
            to_start = server.operation == "restart" or running is False
            well = not to_start or self._carry_out(lambda: self._backend.start(server.ref))
            self._end(server, ACTIVE if well else ERROR)

    def _put_back(self, server: Server) -> None:
        self._backend.put_back(server.ref, server.restored_from)
        self._backend.start(server.ref)

    def _act(self, server: Server, action: str) -> None:
        if action == "start":
            self._backend.start(server.ref)
        else:
            self._backend.stop(server.ref, force=action == "hard_stop")

    # Start, stop, reset

    def provision(self) -> None:
        """Make every server exist in its backend; raises the backend's error."""
        for server in Server.objects.all():
            self._backend.provision(server.ref)

    def resume(self) -> None:
        """Take up what was under way when the process ended, and end operations by themselves from now on."""
        # Between its record and its copy a snapshot has no due time: the copy is not whole.
        unfinished = Snapshot.objects.filter(status=IN_PROGRESS, due_at=None).exclude(outcome=STUCK)
        unfinished.update(outcome=FAILED, due_at=timezone.now())
        begun = Server.objects.exclude(operation="").filter(due_at=None).exclude(outcome=STUCK)
        begun.update(due_at=timezone.now())
        self._ticker.start()

    def pause(self) -> None:
        """End nothing by itself any more; what is under way stays in the database for `resume`."""
        self._ticker.end()

    def replace_all(self, load: Callable[[], None]) -> None:
        """Drop every copy and record, then let `load` make new ones, while nothing else changes."""
        with ExitStack() as held:
            for server in Server.objects.all():
                held.enter_context(self._hold(server.id))
            for snapshot in Snapshot.objects.select_related("server"):
                self._backend.discard(snapshot.server.ref, snapshot.id)
            call_command("flush", interactive=False, inhibit_post_migrate=True, verbosity=0)
            load()
        self._ticker.wake()

    # Small steps

    @contextmanager
    def _hold(self, server_id: int, wait: bool = True) -> Iterator[bool]:
        lock = self._locks.setdefault(server_id, threading.Lock())
        held = lock.acquire(blocking=wait)
        try:
            yield held
        finally:
            if held:
                lock.release()

    def _carry_out(self, call: Callable[[], None]) -> bool:
        try:
            call()
        except Exception:
            logger.exception("the backend failed")
            return False
        return True

    def _begin(self, server: Server, operation: str, status: str | None = None, outcome: str = "") -> None:
        server.operation = operation
        server.outcome = outcome
        server.status = status or server.status
        server.due_at = None
        server.updated_at = _now()
        server.save()

    def _schedule_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.outcome != STUCK:
            snapshot.due_at = self._due(snapshot.server.snapshot_minutes)
        snapshot.save()
        self._ticker.wake()

    def _schedule(self, server: Server, minutes: float) -> None:
        if server.outcome != STUCK:
            server.due_at = self._due(minutes)
            server.save()
        self._ticker.wake()

    def _end(self, server: Server, status: str) -> None:
        server.operation = server.outcome = ""
        server.status = status
        server.restored_from = server.due_at = None
        server.updated_at = _now()
        server.save()

    def _discard(self, snapshot: Snapshot) -> None:
        self._carry_out(lambda: self._backend.discard(snapshot.server.ref, snapshot.id))
        snapshot.delete()

    def _due(self, minutes: float) -> datetime:
        return timezone.now() + timedelta(minutes=minutes / self._time_scale)


class LifecycleMiddleware:
    """Ends what is due before a call is handled, so that no answer is older than the clock."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_api_call(request):
            world.current().lifecycle.advance()
        return self._get_response(request)


def _now() -> datetime:
    return timezone.now().replace(microsecond=0)


def _raise_if(reason: str | None) -> None:
    if reason:
        # Guess: the body's shape.
        raise ValidationError({"detail": reason})


def _server(server_id: int) -> Server:
    server = Server.objects.filter(pk=server_id).first()
    if server is None:
        raise NotFound("Server not found.")
    return server


def _snapshot(snapshot_id: int) -> Snapshot:
    snapshot = Snapshot.objects.select_related("server").filter(pk=snapshot_id).first()
    if snapshot is None:
        raise NotFound("Snapshot not found.")
    return snapshot
