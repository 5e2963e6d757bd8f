# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The seed: the servers, snapshots and backups to begin with, and how the service shall behave."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from django.utils import timezone
from rest_framework import serializers

from .lifecycle import Lifecycle
from .models import Backup, Server, Snapshot
from .serializers import StrictSerializer
from .states import ACTIVE, COMPLETED, IN_PROGRESS

# The same as safe_load, many times as fast where PyYAML brings libyaml.
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

DEFAULT_SEED = {
    "servers": [
        {"id": 12345, "name": "web-server-01", "ip_address": "203.0.113.10"},
        {"id": 12346, "name": "db-server-01", "ip_address": "203.0.113.11"},
    ]
}


class SeedError(Exception):
    """The seed is wrong; the text is one line that names the place and the reason."""


class NamedObject(serializers.Field):
    """An object like a plan, written as such or by its name alone; what is left out comes from `defaults`."""

    def __init__(self, **defaults: Any) -> None:
        super().__init__(default=defaults)
        self._defaults = defaults

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, str):
            data = {"name": data}
        if not isinstance(data, dict):
            raise serializers.ValidationError("A name or a mapping is needed.")
        return {**self._defaults, **data}


class Addresses(serializers.ListField):
    """One address or a list of them."""

    child = serializers.IPAddressField()

    def to_internal_value(self, data: Any) -> list[str]:
        return super().to_internal_value([data] if isinstance(data, str) else data)


class CreatedSerializer(StrictSerializer):
    """What has `created_at`, or an `age` like 90m, 36h or 7d instead; without either it is new."""

    created_at = serializers.DateTimeField(required=False)
    age = serializers.RegexField(r"\A\d+[smhdw]\Z", required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        age = attrs.pop("age", None)
        if age and "created_at" in attrs:
            raise serializers.ValidationError({"age": "It excludes created_at."})
        now = timezone.now().replace(microsecond=0)
        attrs.setdefault("created_at", now - _duration(age or "0s"))
        return attrs


class TokenSeed(StrictSerializer):
    token = serializers.CharField()
    name = serializers.CharField(default="seeded")
    permissions = serializers.ListField(child=serializers.RegexField(r"\A(\w+|\*):(\w+|\*)\Z"))


class ServerSeed(CreatedSerializer):
    id = serializers.IntegerField(min_value=1)
    uuid = serializers.UUIDField(required=False)
    name = serializers.CharField()
    hostname = serializers.CharField(required=False)
    status = serializers.CharField(default=ACTIVE)
    ip_address = serializers.IPAddressField(default=None, allow_null=True)
    ipv6 = Addresses(default=list)
    location = NamedObject(id=1, name="Amsterdam")
    plan = NamedObject(id=1, name="VPS-2", vcpus=2, memory=4096, storage=80)
    os = NamedObject(id=1, name="Debian 12")
    path = serializers.CharField(default=None, allow_null=True)
    snapshot_minutes = serializers.FloatField(min_value=0, required=False)
    restore_minutes = serializers.FloatField(min_value=0, required=False)
    power_seconds = serializers.FloatField(min_value=0, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        server = super().validate(attrs)
        server.setdefault("uuid", uuid.uuid5(uuid.NAMESPACE_DNS, f"server-{server['id']}.vps.org"))
        server.setdefault("hostname", server["name"])
        server["updated_at"] = server["created_at"]
        return server


class SnapshotSeed(CreatedSerializer):
    id = serializers.IntegerField(min_value=1, required=False)
    server_id = serializers.IntegerField()
    name = serializers.CharField()
    status = serializers.CharField(default=COMPLETED)
    size_mb = serializers.IntegerField(default=None, allow_null=True)
    description = serializers.CharField(default="", allow_blank=True)
    outcome = serializers.CharField(default=COMPLETED)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        snapshot = super().validate(attrs)
        if snapshot["status"] == COMPLETED and snapshot["size_mb"] is None:
            snapshot["size_mb"] = 5120
        return snapshot


class BackupSeed(CreatedSerializer):
    id = serializers.IntegerField(min_value=1, required=False)
    server_id = serializers.IntegerField()
    backup_type = serializers.ChoiceField(("manual", "automatic"), default="automatic")
    status = serializers.CharField(default=COMPLETED)
    size_mb = serializers.IntegerField(default=5120, allow_null=True)
    expires_at = serializers.DateTimeField(default=None, allow_null=True)
    description = serializers.CharField(default="", allow_blank=True)


class Seed(StrictSerializer):
    server_shape = serializers.ChoiceField(("pages", "vendor", "both"), default="both")
    snapshot_page_size = serializers.IntegerField(min_value=1, default=20)
    snapshot_minutes = serializers.FloatField(min_value=0, default=5)
    restore_minutes = serializers.FloatField(min_value=0, default=10)
    power_seconds = serializers.FloatField(min_value=0, default=30)
    account = serializers.DictField(default={"email": "owner@example.com"})
    tokens = TokenSeed(many=True, default=list)
    servers = ServerSeed(many=True, default=list)
    snapshots = SnapshotSeed(many=True, default=list)
    backups = BackupSeed(many=True, default=list)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        servers = {server["id"] for server in attrs["servers"]}
        for kind in ("snapshots", "backups"):
            for position, item in enumerate(attrs[kind]):
                if item["server_id"] not in servers:
                    place = f"{kind}[{position}].server_id"
                    raise serializers.ValidationError({place: f"No server {item['server_id']} is in the seed."})
        for kind, key in (("servers", "id"), ("servers", "uuid"), ("snapshots", "id"), ("backups", "id")):
            counts = Counter(item[key] for item in attrs[kind] if key in item)
            if twice := [str(value) for value, count in counts.items() if count > 1]:
                raise serializers.ValidationError({kind: f"{key} {', '.join(twice)} is there more than once."})
        for server in attrs["servers"]:
            for key in ("snapshot_minutes", "restore_minutes", "power_seconds"):
                server.setdefault(key, attrs[key])
        return attrs


def read(file: Path | None) -> dict[str, Any]:
    """The validated seed of a YAML file, or the embedded one; SeedError if it is wrong."""
    try:
        data = yaml.load(file.read_text(encoding="utf-8"), Loader) if file else DEFAULT_SEED
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SeedError(" ".join(str(error).split())) from error
    seed = Seed(data=data if data is not None else {})
    if not seed.is_valid():
        raise SeedError("; ".join(_flat(seed.errors)))
    return seed.validated_data


def load(seed: dict[str, Any], lifecycle: Lifecycle) -> None:
    """Fill the empty database, and have the backend make the servers and the copies for their snapshots."""
    servers = {server["id"]: Server(**server) for server in seed["servers"]}
    Server.objects.bulk_create(servers.values())
    lifecycle.provision()
    Backup.objects.bulk_create(Backup(**backup) for backup in seed["backups"])
    # The objects themselves, so that taking a copy for each of many asks the database nothing.
    snapshots = [Snapshot(server=servers[each.pop("server_id")], **each) for each in map(dict, seed["snapshots"])]
    for snapshot in Snapshot.objects.bulk_create(snapshots):
        if snapshot.status in (COMPLETED, IN_PROGRESS):
            lifecycle.take(snapshot)


def _duration(text: str) -> timedelta:
    number, unit = re.fullmatch(r"(\d+)(\w)", text).groups()
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
    return timedelta(**{units[unit]: int(number)})


def _flat(errors: Any, place: str = "") -> list[str]:
    if isinstance(errors, dict):
        flat = []
        for key, value in errors.items():
            step = f"[{key}]" if isinstance(key, int) else f".{key}"
            flat += _flat(value, place if key == "non_field_errors" else f"{place}{step}".lstrip("."))
        return flat
    if isinstance(errors, list) and any(isinstance(error, dict) for error in errors):
        return _flat({position: error for position, error in enumerate(errors) if error}, place)
    return [f"{place or 'seed'}: {error}" for error in (errors if isinstance(errors, list) else [errors])]
