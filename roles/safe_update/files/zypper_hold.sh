# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# sh -eu -s ACTION ...: what has to do with zypper's locks.
#   hold GLOB...    locks the packages of these names that nobody else has locked. What is locked here stands in a file
#                   first, so that a later run can release what a killed one has left
#   release         releases what was locked here
#   ask COMMAND...  runs zypper's question for patches as if no package were locked, since a lock in the way of one
#                   patch keeps it from answering at all, and names what is locked (locked NAME-OR-GLOB)
LC_ALL=C; export LC_ALL
ours=/var/lib/safe-update.held
locks=/etc/zypp/locks
action=$1
shift
zypp() { env ZYPP_LOCK_TIMEOUT=120 zypper --non-interactive --quiet "$@"; }
# The packages that are locked, whatever their version and repository.
locked() {
    awk 'function out() { if (package && !part) print name; package = part = 0; name = "" }
        /^type: package$/ { package = 1 } /^(version|repo|install_status): / { part = 1 }
        sub(/^solvable_name: /, "") { name = $0 } /^$/ { out() } END { out() }' "$locks" 2>/dev/null || true
}
if [ "$action" = ask ]; then
    locked | sed 's/^/locked /'
    settings=$(mktemp -d)
    awk 'BEGIN { RS = ""; ORS = "\n\n" } !/(^|\n)type: package(\n|$)/' "$locks" >"$settings/locks" 2>/dev/null || true
    {
        cat /usr/etc/zypp/zypp.conf /etc/zypp/zypp.conf /etc/zypp/zypp.conf.d/*.conf 2>/dev/null || true
        printf '\n[main]\nlocksfile.path = %s\n' "$settings/locks"
    } >"$settings/zypp.conf"
    code=0
    ZYPP_CONF=$settings/zypp.conf "$@" || code=$?
    rm -r "$settings"
    exit "$code"
elif [ "$action" = hold ]; then
    for glob in "$@"; do
        if locked | grep -qxF -e "$glob"; then continue; fi
        echo "$glob" >>"$ours"
        # With its kind before it: a number would be that of somebody's lock.
        zypp addlock -- "package:$glob" >/dev/null
        echo "$glob is locked"
    done
elif [ -e "$ours" ]; then
    while read -r glob; do
        zypp removelock -- "package:$glob" || true
    done <"$ours"
    if left=$(locked | grep -xFf "$ours"); then
        echo "still locked: $left" >&2
        exit 1
    fi
    rm "$ours"
fi
