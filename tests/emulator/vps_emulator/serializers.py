# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API takes and gives, in Django REST framework's terms."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from .models import Backup, Server, Snapshot
from .states import ACTIVE, RESTORING, STOPPED, SUSPENDED


class StrictSerializer(serializers.Serializer):
    """Refuses keys it does not know, for what only the emulator's own users write."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        unknown = set(data) - set(self.fields) if isinstance(data, dict) else ()
        if unknown:
            known = ", ".join(self.fields)
            raise serializers.ValidationError({str(key): [f"Unknown key; known are {known}."] for key in unknown})
        return super().to_internal_value(data)


class ServerBriefSerializer(serializers.ModelSerializer):
    class Meta:
        model = Server
        fields = ("id", "name")


class SnapshotSerializer(serializers.ModelSerializer):
    server = ServerBriefSerializer()

    class Meta:
        model = Snapshot
        fields = ("id", "server", "name", "status", "size_mb", "created_at", "description")


class SnapshotCreateSerializer(serializers.Serializer):
    """The body of POST snapshots/."""

    server_id = serializers.IntegerField()
    # Without trimming, as the pattern is for the whole of the name.
    name = serializers.RegexField(r"\A[A-Za-z0-9_-]+\Z", trim_whitespace=False)
    description = serializers.CharField(required=False, allow_blank=True, default="")


class SnapshotFilterSerializer(serializers.Serializer):
    server_id = serializers.IntegerField(required=False)


class BackupFilterSerializer(SnapshotFilterSerializer):
    backup_type = serializers.ChoiceField(("manual", "automatic"), required=False)


class ServerFilterSerializer(serializers.Serializer):
    # Guess: `restoring` can be asked for too, though only the other three are documented for the filter.
    status = serializers.ChoiceField((ACTIVE, STOPPED, SUSPENDED, RESTORING), required=False)
    location = serializers.CharField(required=False)


class PowerSerializer(serializers.Serializer):
    """The body of POST servers/{id}/power/."""

    action = serializers.ChoiceField(("start", "stop", "restart", "hard_stop"))


class BackupSerializer(serializers.ModelSerializer):
    server = ServerBriefSerializer()

    class Meta:
        model = Backup
        fields = ("id", "server", "backup_type", "status", "size_mb", "created_at", "expires_at", "description")


class PagesServerSerializer(serializers.ModelSerializer):
    """A server as the vendor's pages show it. Guess: `location` is a name."""

    location = serializers.CharField(source="location.name")

    class Meta:
        model = Server
        fields = (
            "id",
            "name",
            "hostname",
            "status",
            "ip_address",
            "location",
            "plan",
            "os",
            "created_at",
            "updated_at",
        )


class VendorServerSerializer(serializers.ModelSerializer):
    """What the vendor's own client reads of a server, in lists and details alike."""

    ipv4_addresses = serializers.SerializerMethodField()
    ipv6_addresses = serializers.JSONField(source="ipv6")

    class Meta:
        model = Server
        fields = ("uuid", "hostname", "status", "ipv4_addresses", "ipv6_addresses", "created_at")

    def get_ipv4_addresses(self, server: Server) -> list[str]:
        return [server.ip_address] if server.ip_address else []


def server_in_list(server: Server, shape: str) -> dict[str, Any]:
    """A server as a list shows it; `shape` is pages, vendor or both."""
    names = {
        "location_name": server.location["name"],
        "plan_name": server.plan["name"],
        "os_name": server.os["name"],
    }
    return _server(server, shape, names)


def server_in_detail(server: Server, shape: str) -> dict[str, Any]:
    """One server as asked for by its identifier; in the vendor's shape, objects stand where a list has names."""
    plan = server.plan
    nested = {
        "location": server.location,
        "plan": {**plan, "cpu": plan["vcpus"], "ram": plan["memory"], "ram_unit": "MB", "disk_space": plan["storage"]},
        "operating_system": server.os,
        "operating_system_version": server.os,
    }
    return _server(server, shape, nested)


def _server(server: Server, shape: str, vendor_fields: dict[str, Any]) -> dict[str, Any]:
    pages = PagesServerSerializer(server).data
    vendor = {**VendorServerSerializer(server).data, **vendor_fields}
    return {"pages": pages, "vendor": vendor, "both": {**pages, **vendor}}[shape]
