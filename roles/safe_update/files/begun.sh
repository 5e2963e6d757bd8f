# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# $1 notes in FILE that the run which took this snapshot begins to change the host (begin), or has come to its end (end):
# what stands there still was killed. Takes: begin|end FILE SNAPSHOT. A restore takes the note away with all else.
action=$1 begun=$2 snapshot=$3
if [ "$action" = begin ]; then
    printf '%s\n' "$snapshot" >>"$begun"
elif [ -e "$begun" ]; then
    grep -vxF -e "$snapshot" "$begun" >"$begun.new"
    mv "$begun.new" "$begun"
    if [ ! -s "$begun" ]; then rm -f "$begun"; fi
fi
