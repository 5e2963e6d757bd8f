# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# sh -eu -s ACTION [GLOB...]: lock the packages of these names that nobody else has locked, or release what was locked
# here. What is locked here stands in a file first, so that a later run can release what a killed one has left.
LC_ALL=C; export LC_ALL
ours=/var/lib/safe-update.held
locks=/etc/zypp/locks
action=$1
shift
zypp() { env ZYPP_LOCK_TIMEOUT=120 zypper --non-interactive --quiet "$@"; }
if [ "$action" = hold ]; then
    for glob in "$@"; do
        if grep -qsxF "solvable_name: $glob" "$locks"; then continue; fi
        echo "$glob" >>"$ours"
        zypp addlock -- "$glob" >/dev/null
        echo "$glob is locked"
    done
elif [ -e "$ours" ]; then
    while read -r glob; do
        zypp removelock -- "$glob" || true
    done <"$ours"
    if left=$(sed -n 's/^solvable_name: //p' "$locks" 2>/dev/null | grep -xFf "$ours"); then
        echo "still locked: $left" >&2
        exit 1
    fi
    rm "$ours"
fi
