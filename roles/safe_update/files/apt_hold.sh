# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# sh -eu -s ACTION [GLOB...]: hold the packages of these names that nobody else holds, or release what was held here.
# What is held here stands in a file first, so that a later run can release what a killed one has left.
LC_ALL=C; export LC_ALL
ours=/var/lib/safe-update.held
action=$1
shift
# What is installed or about to be, by the names that apt-mark uses.
names() {
    {
        dpkg-query --show --showformat '${db:Status-Status} ${binary:Package}\n' |
            sed '/^not-installed /d; /^config-files /d; s/^[^ ]* //'
        apt-get --simulate --quiet dist-upgrade 2>/dev/null | sed -n 's/^Inst \([^ ]*\) .*/\1/p'
    } | sed "s/:$(dpkg --print-architecture)\$//" | sort -u
}
if [ "$action" = hold ]; then
    theirs=" $(apt-mark showhold | tr '\n' ' ') "
    for package in $(names); do
        case "$theirs" in *" $package "*) continue ;; esac
        for glob in "$@"; do
            # shellcheck disable=SC2254 # a glob is meant
            case "$package" in $glob | $glob:*)
                echo "$package" >>"$ours" && apt-mark hold "$package"
                break
                ;;
            esac
        done
    done
elif [ -e "$ours" ]; then
    # The list may hold what apt-mark cannot release: a name that the host does not know is held by nobody, and a glob
    # would release what the owner holds.
    while read -r package; do
        case "$package" in *[*?[]*) continue ;; esac
        apt-mark unhold "$package" || true
    done <"$ours"
    if left=$(apt-mark showhold | grep -xFf "$ours"); then
        echo "still held: $left" >&2
        exit 1
    fi
    rm "$ours"
fi
