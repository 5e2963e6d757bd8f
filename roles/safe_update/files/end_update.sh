# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# sh -s NAME=VALUE: end every process that has this in its environment, and fail if one survives.
# The host's own time limit ends a process group, which on a busy host may have been made too late to hold the update.
for _ in 1 2 3 4 5; do
    left=
    for environ in /proc/[0-9]*/environ; do
        if tr '\0' '\n' 2>/dev/null <"$environ" | grep -qxF -- "$1"; then
            left="$left $(basename "$(dirname "$environ")")"
        fi
    done
    if [ -z "$left" ]; then exit 0; fi
    # shellcheck disable=SC2086 # several numbers
    kill -KILL $left 2>/dev/null
    sleep 1
done
echo "still running: $left"
exit 1
