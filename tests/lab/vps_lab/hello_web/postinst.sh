#!/bin/sh
# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
set -e
[ "$1" = configure ] || exit 0

# The data are migrated and there is no way back: an older hello-web cannot read them.
mkdir -p /var/lib/hello-web
echo "@SCHEMA@" > /var/lib/hello-web/schema

systemctl daemon-reload
systemctl --quiet enable hello-web.service
systemctl --no-block restart hello-web.service
@MORE@
