#!/bin/sh
# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
set -e
[ "$1" = configure ] || exit 0

# Data are migrated forwards only: an older hello-web finds what it cannot read.
mkdir -p /var/lib/hello-web
schema=$(cat /var/lib/hello-web/schema 2>/dev/null || echo 0)
# shellcheck disable=SC2170 # a number is filled in
[ "$schema" -ge "@SCHEMA@" ] || echo "@SCHEMA@" > /var/lib/hello-web/schema

systemctl daemon-reload
systemctl --quiet enable hello-web.service
systemctl --no-block restart hello-web.service
@MORE@
