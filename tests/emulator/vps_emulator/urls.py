# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which path is answered by which view."""

from __future__ import annotations

from django.urls import path, re_path

from . import control, views

urlpatterns = [
    path("api/v1/snapshots/", views.SnapshotsView.as_view()),
    path("api/v1/snapshots/<int:pk>/", views.SnapshotView.as_view()),
    path("api/v1/snapshots/<int:pk>/restore/", views.RestoreView.as_view()),
    path("api/v1/servers/", views.ServersView.as_view()),
    path("api/v1/servers/<str:identifier>/", views.ServerView.as_view()),
    path("api/v1/servers/<str:identifier>/power/", views.PowerView.as_view()),
    path("api/v1/backups/", views.BackupsView.as_view()),
    path("api/v1/account/me/", views.AccountView.as_view()),
    re_path(r"^api/v1/", views.UnknownView.as_view()),
    path("_emulator/requests/", control.RequestsView.as_view()),
    path("_emulator/faults/", control.FaultsView.as_view()),
    path("_emulator/reset/", control.ResetView.as_view()),
]
