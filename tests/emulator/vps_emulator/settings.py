# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Django's settings, built from the command line instead of a settings module."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import django
from django.conf import settings


def configure(database: Path, throttle: str | None = None) -> None:
    """Set Django up on the SQLite file `database`; `throttle` is a rate of Django REST framework ("100/min")."""
    settings.configure(
        SECRET_KEY=secrets.token_hex(),
        ALLOWED_HOSTS=["*"],
        APPEND_SLASH=False,
        USE_TZ=True,
        TIME_ZONE="UTC",
        INSTALLED_APPS=["vps_emulator"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        ROOT_URLCONF="vps_emulator.urls",
        MIDDLEWARE=[
            "vps_emulator.journal.JournalMiddleware",
            # For Content-Length, without which a connection cannot be kept alive.
            "django.middleware.common.CommonMiddleware",
            "vps_emulator.faults.FaultMiddleware",
            "vps_emulator.lifecycle.LifecycleMiddleware",
        ],
        DATABASES={"default": _sqlite(database)},
        REST_FRAMEWORK=_rest_framework(throttle),
        LOGGING={
            "version": 1,
            "disable_existing_loggers": False,
            # Only what was raised: an answer of 5xx alone is a fault that somebody asked for.
            "filters": {
                "raised": {"()": "django.utils.log.CallbackFilter", "callback": lambda log: bool(log.exc_info)}
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "filters": ["raised"]}},
            "root": {"handlers": ["stderr"], "level": "ERROR"},
            "loggers": {"django": {"handlers": [], "level": "ERROR"}},
        },
    )
    django.setup()


def _sqlite(database: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(database),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # A transaction that reads first and writes later meets "database is locked" at once, whatever the
            # timeout; IMMEDIATE queues for the write lock at BEGIN, where the timeout holds.
            "transaction_mode": "IMMEDIATE",
            "timeout": 60,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }


def _rest_framework(throttle: str | None) -> dict[str, Any]:
    return {
        "UNAUTHENTICATED_USER": None,
        "DEFAULT_AUTHENTICATION_CLASSES": ["vps_emulator.auth.BearerAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["vps_emulator.auth.TokenPermission"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
        "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"] if throttle else [],
        "DEFAULT_THROTTLE_RATES": {"user": throttle},
        "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%SZ",
    }
