# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# $1 notes in FILE that the run with this id begins to change the host (begin), or that it has come to its end (end):
# what a run leaves there was killed. Takes: begin|end FILE RUN. A restore takes the note away with all else.
action=$1 begun=$2 run=$3
export run
if [ "$action" = begin ]; then
    printf '%s\n' "$run" >>"$begun"
elif [ -e "$begun" ]; then
    # One line is this run's; an earlier one of the same id may have been killed.
    awk '{ line[NR] = $0 } $0 == ENVIRON["run"] { last = NR }
        END { for (i = 1; i <= NR; i++) if (i != last) print line[i] }' "$begun" >"$begun.new" && mv "$begun.new" "$begun"
    if [ ! -s "$begun" ]; then rm -f "$begun"; fi
fi
