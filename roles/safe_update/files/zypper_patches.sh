# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# sh -s COMMAND...: runs zypper's question for patches as if nothing were locked, since a lock in the way of one patch
# keeps it from answering at all, and names what is locked (locked NAME-OR-GLOB). It changes nothing.
sed -n 's/^solvable_name: /locked /p' /etc/zypp/locks 2>/dev/null
settings=$(mktemp) || exit
cat /usr/etc/zypp/zypp.conf /etc/zypp/zypp.conf /etc/zypp/zypp.conf.d/*.conf >"$settings" 2>/dev/null
printf '\n[main]\nlocksfile.path = /dev/null\n' >>"$settings"
ZYPP_CONF=$settings "$@"
code=$?
rm -f "$settings"
exit "$code"
