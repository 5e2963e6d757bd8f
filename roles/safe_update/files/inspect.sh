# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# Prints what a Linux host is and runs, a line per fact; it changes nothing and needs no root.
LC_ALL=C; export LC_ALL
# A package manager that is at work holds a lock: dpkg's and apt's, or rpm's.
for lock in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/lib/rpm/.rpm.lock /usr/lib/sysimage/rpm/.rpm.lock; do
    if inode=$(stat -c %i "$lock" 2>/dev/null) && grep -q "WRITE .*:$inode " /proc/locks 2>/dev/null; then echo "busy $lock"; fi
done
echo "boot $(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"
if command -v dpkg-query >/dev/null; then
    # What is not whole has its state behind its version; of what was removed, its configuration files do not count.
    dpkg-query -W -f '${db:Status-Status} package ${Package}:${Architecture} ${Version}\n' |
        sed '/^config-files\|^not-installed/d; s/^installed //; s/^\([a-z-]*\) \(package .*\)$/\2,\1/'
    dpkg --audit 2>/dev/null | sed -n 's/^ \([^ ]\{1,\}\) .*/unfinished \1/p'
    if [ -e /run/reboot-required ] || [ -e /var/run/reboot-required ]; then echo reboot-required; fi
elif command -v rpm >/dev/null; then
    rpm -qa --qf 'package %{NAME}.%{ARCH} %{EPOCHNUM}:%{VERSION}-%{RELEASE}\n' | sort
    # A plugin of dnf, which has a name of its own where yum-utils are.
    if command -v needs-restarting >/dev/null; then set -- needs-restarting; else set -- dnf -C needs-restarting; fi
    if "$@" -r 2>/dev/null | grep -q 'Reboot is required'; then echo reboot-required; fi
fi
if [ -d /run/systemd/system ]; then
    # Units that are only started on demand come and go; these are the ones that somebody wants to run.
    systemctl show --property=Id,ActiveState,SubState,UnitFileState '*' 2>/dev/null | awk -F= '
        function flush() {
            if (id ~ /\.service$/ && sub_state == "running" && file ~ /^(enabled|enabled-runtime|disabled|generated|linked)$/) print "service " id
            if (active == "failed") print "failed " id
            id = active = sub_state = file = ""
        }
        /^$/ { flush() }
        $1 == "Id" { id = $2 }
        $1 == "ActiveState" { active = $2 }
        $1 == "SubState" { sub_state = $2 }
        $1 == "UnitFileState" { file = $2 }
        END { flush() }' | sort -u
fi
# Listening TCP ports; those of the ephemeral range mean nothing after a restart.
read -r ephemeral rest 2>/dev/null </proc/sys/net/ipv4/ip_local_port_range || ephemeral=32768
cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$4 == "0A" { sub(/.*:/, "", $2); print $2 }' | sort -u |
    while read -r port; do
        if [ $((0x$port)) -lt "$ephemeral" ]; then echo "port $((0x$port))"; fi
    done
awk '$1 ~ /^\// || $1 ~ /:/ { print "mount " $2 }' /proc/self/mounts 2>/dev/null | sort -u
