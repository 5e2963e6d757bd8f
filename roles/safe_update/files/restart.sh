# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# Prints which boot a host runs since, what is still stopping, and how long the last stop took each unit.
LC_ALL=C; export LC_ALL
echo "boot $(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"
systemctl list-jobs --no-legend --no-pager 2>/dev/null | awk '$3 == "stop" { print "stopping " $2 }'
timeout 20 journalctl --quiet --boot=-1 --no-pager --output=short-unix --lines=1000 _PID=1 2>/dev/null |
    sed -n 's/^\([0-9]*\)\.[0-9]* [^:]*: Stopping \([^ ]*\).*/begin \2 \1/p
            s/^\([0-9]*\)\.[0-9]* [^:]*: Stopped \([^ ]*\).*/stopped \2 \1/p'
echo end
