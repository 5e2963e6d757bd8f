# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the emulator's own users call below /_emulator/: the log, the faults, and the way back to the seed."""

from __future__ import annotations

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from . import seed, world
from .auth import LoopbackPermission
from .faults import FaultSerializer


class ControlView(APIView):
    authentication_classes = ()
    permission_classes = (LoopbackPermission,)
    throttle_classes = ()


class RequestsView(ControlView):
    def get(self, _request: Request) -> Response:
        return Response(world.current().journal.entries())

    def delete(self, _request: Request) -> Response:
        world.current().journal.clear()
        return Response(status=status.HTTP_204_NO_CONTENT)


class FaultsView(ControlView):
    def post(self, request: Request) -> Response:
        fault = FaultSerializer(data=request.data)
        fault.is_valid(raise_exception=True)
        world.current().faults.add(fault.validated_data)
        return Response(fault.validated_data, status.HTTP_201_CREATED)

    def delete(self, _request: Request) -> Response:
        world.current().faults.clear()
        return Response(status=status.HTTP_204_NO_CONTENT)


class ResetView(ControlView):
    def post(self, _request: Request) -> Response:
        emulator = world.current()
        emulator.faults.reset()
        emulator.lifecycle.replace_all(lambda: seed.load(emulator.seed, emulator.lifecycle))
        emulator.journal.clear()
        return Response(status=status.HTTP_204_NO_CONTENT)
