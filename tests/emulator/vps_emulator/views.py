# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulated service: the calls of API.md, and no others."""

from __future__ import annotations

import re
import uuid

from rest_framework import generics, status
from rest_framework.exceptions import NotFound
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from . import world
from .models import Backup, Server, Snapshot
from .serializers import (
    BackupFilterSerializer,
    BackupSerializer,
    PowerSerializer,
    ServerBriefSerializer,
    ServerFilterSerializer,
    SnapshotCreateSerializer,
    SnapshotFilterSerializer,
    SnapshotSerializer,
    server_in_detail,
    server_in_list,
)


class DefaultPagination(PageNumberPagination):
    page_size = 20


class ServerPagination(DefaultPagination):
    page_size_query_param = "page_size"
    max_page_size = 100


class SnapshotPagination(PageNumberPagination):
    def get_page_size(self, _request: Request) -> int:
        return world.current().seed["snapshot_page_size"]


class SnapshotsView(generics.GenericAPIView):
    resource = "snapshots"
    queryset = Snapshot.objects.select_related("server")
    serializer_class = SnapshotSerializer
    pagination_class = SnapshotPagination

    def get(self, request: Request) -> Response:
        wanted = _validated(SnapshotFilterSerializer, request.query_params)
        page = self.paginate_queryset(self.get_queryset().filter(**wanted))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def post(self, request: Request) -> Response:
        body = _validated(SnapshotCreateSerializer, request.data)
        emulator = world.current()
        snapshot = emulator.lifecycle.create(**body, outcome=lambda: emulator.faults.outcome(request))
        message = "Snapshot is being created. This may take 3-10 minutes depending on server size."
        return Response({**self.get_serializer(snapshot).data, "message": message}, status.HTTP_201_CREATED)


class SnapshotView(APIView):
    resource = "snapshots"

    def delete(self, _request: Request, pk: int) -> Response:
        world.current().lifecycle.delete(pk)
        return Response(status=status.HTTP_204_NO_CONTENT)


class RestoreView(APIView):
    resource = "snapshots"

    def post(self, request: Request, pk: int) -> Response:
        emulator = world.current()
        snapshot = emulator.lifecycle.restore(pk, outcome=lambda: emulator.faults.outcome(request))
        shown = SnapshotSerializer(snapshot).data
        return Response(
            {
                "status": "success",
                "message": "Server is being restored from snapshot. This may take 5-15 minutes.",
                "snapshot": {key: shown[key] for key in ("id", "name", "created_at")},
                "server": {**shown["server"], "status": snapshot.server.status},
            }
        )


class ServersView(generics.GenericAPIView):
    resource = "servers"
    pagination_class = ServerPagination

    def get(self, request: Request) -> Response:
        wanted = _validated(ServerFilterSerializer, request.query_params)
        emulator = world.current()
        # The backend may know better than the record, so the status is looked at before it is filtered by.
        servers = [emulator.lifecycle.observe(server) for server in Server.objects.all()]
        page = self.paginate_queryset([server for server in servers if _is_wanted(server, wanted)])
        return self.get_paginated_response([server_in_list(server, emulator.seed["server_shape"]) for server in page])


class ServerView(APIView):
    resource = "servers"

    def get(self, _request: Request, identifier: str) -> Response:
        emulator = world.current()
        shape = emulator.seed["server_shape"]
        return Response(server_in_detail(emulator.lifecycle.observe(_find(identifier, shape)), shape))


class PowerView(APIView):
    resource = "servers"

    def post(self, request: Request, identifier: str) -> Response:
        emulator = world.current()
        server = _find(identifier, emulator.seed["server_shape"])
        action = _validated(PowerSerializer, request.data)["action"]
        server = emulator.lifecycle.power(server, action)
        # Guess: the answer's shape is that of a restore.
        return Response(
            {
                "status": "success",
                "message": f"Power action '{action}' has been started.",
                "server": {**ServerBriefSerializer(server).data, "uuid": server.uuid, "status": server.status},
            }
        )


class BackupsView(generics.GenericAPIView):
    resource = "backups"
    queryset = Backup.objects.select_related("server")
    serializer_class = BackupSerializer
    pagination_class = DefaultPagination

    def get(self, request: Request) -> Response:
        wanted = _validated(BackupFilterSerializer, request.query_params)
        page = self.paginate_queryset(self.get_queryset().filter(**wanted))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class AccountView(APIView):
    resource = None

    def get(self, request: Request) -> Response:
        token = {"name": request.auth.name, "permissions": request.auth.permissions}
        return Response({"account": world.current().seed["account"], "token": token})


class UnknownView(APIView):
    """Any other path below /api/v1."""

    resource = None

    def initial(self, request: Request, *args: str, **kwargs: str) -> None:
        # Not before the token was looked at, nor as 405, which a view without methods answers.
        super().initial(request, *args, **kwargs)
        raise NotFound


def _validated(serializer_class: type, data: object) -> dict:
    serializer = serializer_class(data=data)
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


def _find(identifier: str, shape: str) -> Server:
    """The server of an integer id or a UUID, whichever this shape of the service knows."""
    by_id = {"pk": int(identifier)} if re.fullmatch("[0-9]{1,19}", identifier) else None
    by_uuid = {"uuid": identifier} if _is_uuid(identifier) else None
    wanted = {"pages": by_id, "vendor": by_uuid, "both": by_id or by_uuid}[shape]
    server = Server.objects.filter(**wanted).first() if wanted else None
    if server is None:
        raise NotFound("Server not found.")
    return server


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def _is_wanted(server: Server, wanted: dict[str, str]) -> bool:
    # Guess: a location is filtered by its name or its id.
    here = (server.location["name"], str(server.location["id"]))
    return wanted.get("status", server.status) == server.status and wanted.get("location", here[0]) in here
