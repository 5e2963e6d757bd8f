# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# sh -eu -s ACTION [PACKAGE...]: hold the packages that nobody else holds, or release what was held here.
# What is held here stands in a file first, so that a later run can release what a killed one has left.
ours=/var/lib/safe-update.held
action=$1
shift
if [ "$action" = hold ]; then
    theirs=" $(apt-mark showhold | tr '\n' ' ') "
    for package in "$@"; do
        case "$theirs" in
            *" $package "*) ;;
            *) echo "$package" >>"$ours" && apt-mark hold "$package" ;;
        esac
    done
elif [ -e "$ours" ]; then
    xargs -r apt-mark unhold <"$ours"
    rm "$ours"
fi
