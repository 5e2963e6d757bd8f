#!/bin/sh
# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
set -e
[ "$1" = remove ] || exit 0
systemctl --quiet disable --now hello-web.service
