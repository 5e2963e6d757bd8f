# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the service remembers: servers, snapshots, backups, and when each operation under way is due."""

from __future__ import annotations

from django.db import connection, models

from .backends import ServerRef
from .states import ACTIVE, COMPLETED, IN_PROGRESS

SCHEMA_VERSION = 1


class Server(models.Model):
    """A server; `operation` is what is under way on it, `due_at` when that ends (None: never by itself)."""

    id = models.BigIntegerField(primary_key=True)
    uuid = models.UUIDField(unique=True)
    name = models.TextField()
    hostname = models.TextField()
    status = models.TextField()
    ip_address = models.TextField(null=True)
    ipv6 = models.JSONField(default=list)
    location = models.JSONField()
    plan = models.JSONField()
    os = models.JSONField()
    path = models.TextField(null=True)
    snapshot_minutes = models.FloatField()
    restore_minutes = models.FloatField()
    power_seconds = models.FloatField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    operation = models.TextField(default="")
    restored_from = models.BigIntegerField(null=True)
    outcome = models.TextField(default="")
    due_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        ordering = ("id",)

    @property
    def ref(self) -> ServerRef:
        """The server as a backend sees it."""
        running = self.status == ACTIVE
        return ServerRef(self.id, str(self.uuid), self.name, self.ip_address, self.path, running)


class Snapshot(models.Model):
    """A snapshot; while it is in progress, `outcome` is the status it will end with and `due_at` when."""

    server = models.ForeignKey(Server, models.CASCADE, related_name="snapshots")
    name = models.TextField()
    status = models.TextField(default=IN_PROGRESS)
    size_mb = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()
    description = models.TextField(default="", blank=True)
    bytes_taken = models.BigIntegerField(default=0)
    outcome = models.TextField(default=COMPLETED)
    due_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        # Guess: the API documents no order; pages need one that does not change between two of them.
        ordering = ("-created_at", "-id")
        indexes = (models.Index(fields=["-created_at", "-id"]),)


class Backup(models.Model):
    """A backup, as the seed has it: the emulator makes none."""

    server = models.ForeignKey(Server, models.CASCADE, related_name="backups")
    backup_type = models.TextField()
    status = models.TextField()
    size_mb = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    description = models.TextField(default="", blank=True)

    class Meta:
        ordering = ("-created_at", "-id")


def create_tables() -> bool:
    """Create the tables in a new database; False if they are there, ValueError if they are of another version."""
    with connection.cursor() as cursor:
        version = cursor.execute("PRAGMA user_version").fetchone()[0]
        if version == SCHEMA_VERSION:
            return False
        if connection.introspection.table_names(cursor):
            raise ValueError(f"the database is of version {version}, not {SCHEMA_VERSION}: give another file")
    with connection.schema_editor() as editor:
        for model in (Server, Snapshot, Backup):
            editor.create_model(model)
        editor.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    return True
