# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who calls, and what their token allows."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from . import world

if TYPE_CHECKING:
    from rest_framework.views import APIView


@dataclass(frozen=True)
class Token:
    """An API token; `permissions` are like `servers:read`, `servers:*`, `*:*`."""

    name: str
    permissions: tuple[str, ...]

    def allows(self, resource: str, action: str) -> bool:
        """Whether the token grants `action` (read, write) on `resource` (servers, snapshots, backups)."""
        granted = {f"{resource}:{action}", f"{resource}:*", f"*:{action}", "*:*"}
        return not granted.isdisjoint(self.permissions)


@dataclass(frozen=True)
class Caller:
    """The user behind a token; `pk` tells callers apart, for throttling."""

    pk: int
    is_authenticated: bool = True


class BearerAuthentication(TokenAuthentication):
    """`Authorization: Bearer TOKEN`, by Django REST framework's own reading of that header."""

    keyword = "Bearer"

    def authenticate_credentials(self, key: str) -> tuple[Caller, Token]:
        token = world.current().tokens.get(key)
        if token is None:
            raise AuthenticationFailed("Invalid token.")
        return Caller(hash(key)), token


class TokenPermission(BasePermission):
    """The view's `resource` must be granted: GET needs read, all else write. Guess: the words for all but servers.

    A view whose `resource` is None is open to any token.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.auth is None:
            return False
        action = "read" if request.method in SAFE_METHODS else "write"
        return view.resource is None or request.auth.allows(view.resource, action)


class LoopbackPermission(BasePermission):
    """The control paths know no token, so they answer this machine only."""

    def has_permission(self, request: Request, _view: APIView) -> bool:
        return ipaddress.ip_address(request.META["REMOTE_ADDR"]).is_loopback
