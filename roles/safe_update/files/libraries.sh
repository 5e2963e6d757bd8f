# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# Names the services that run libraries or programs which are not on the disk any more, a line each: by needrestart
# where it is, else by the memory of their processes. It restarts nothing.
LC_ALL=C; export LC_ALL
PATH="$PATH:/usr/sbin:/sbin"; export PATH
if command -v needrestart >/dev/null; then
    NEEDRESTART_UI='' needrestart -b -l -r l 2>/dev/null | sed -n 's/^NEEDRESTART-SVC: */old /p'
else
    # A file of a package manager lies below /usr, /lib, /bin, /sbin or /opt; what a program has deleted itself does not.
    for maps in /proc/[0-9]*/maps; do
        if grep -qs ' /\(usr\|lib[0-9a-z]*\|s\{0,1\}bin\|opt\)/.* (deleted)$' "$maps"; then
            while IFS=: read -r _ _ group; do
                unit=${group##*/}
                case $unit in *.service) echo "old $unit" ;; esac
            done 2>/dev/null <"${maps%maps}cgroup"
        fi
    done | sort -u
fi
echo end
