# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# Prints what a Linux host is and runs, a line per fact; it changes nothing and needs no root, no Python, no systemd.
# Only facts: what they mean is decided in plugins/plugin_utils/safe_update/judgement. $1: seconds to wait before.
LC_ALL=C; export LC_ALL
PATH="$PATH:/usr/sbin:/sbin"; export PATH
[ "${1:-0}" -le 0 ] || sleep "$1"
echo "boot $(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"
read -r uptime rest </proc/uptime && echo "uptime $uptime"
echo "kernel $(uname -r)"
for image in /boot/vmlinu[xz]-*; do
    if [ -e "$image" ]; then echo "kernel-installed ${image#/boot/vmlinu?-}"; fi
done
if command -v dpkg-query >/dev/null; then
    # What is not whole has its state behind its version; of what was removed, its configuration files do not count.
    dpkg-query -W -f '${db:Status-Status} package ${Package}:${Architecture} ${Version}\n' |
        sed '/^config-files\|^not-installed/d; s/^installed //; s/^\([a-z-]*\) \(package .*\)$/\2,\1/'
    dpkg --audit 2>/dev/null | sed -n 's/^ \([^ ]\{1,\}\) .*/unfinished \1/p'
    if [ -e /run/reboot-required ] || [ -e /var/run/reboot-required ]; then echo reboot-required; fi
    grep -H '^\(/usr\)\{0,1\}/lib/systemd/system/[^/]*$' /var/lib/dpkg/info/*.list 2>/dev/null |
        sed -n 's|^.*/\([^/:]*\)\(:[^/:]*\)\{0,1\}\.list:.*/\([^/]*\)$|owner \3 \1|p'
elif command -v rpm >/dev/null; then
    rpm -qa --qf 'package %{NAME}.%{ARCH} %{EPOCHNUM}:%{VERSION}-%{RELEASE}\n' | sort
    rpm -qf --qf '%{NAME}\n' /usr/lib/systemd/system/* 2>/dev/null | grep -v ' ' | sort -u |
        xargs -r rpm -q --qf '[%{FILENAMES} %{=NAME}\n]' |
        sed -n 's|^/usr/lib/systemd/system/\([^/ ]*\) |owner \1 |p'
    # zypper says so itself, in a file that is gone with the restart.
    if [ -e /run/reboot-needed ]; then echo reboot-required; fi
    # A plugin of dnf, which has a name of its own where yum-utils are.
    if command -v needs-restarting >/dev/null; then set -- needs-restarting; else set -- dnf -C needs-restarting; fi
    if "$@" -r 2>/dev/null | grep -q 'Reboot is required'; then echo reboot-required; fi
fi
if [ -d /run/systemd/system ]; then
    echo "target $(systemctl get-default 2>/dev/null)"
    echo "system $(systemctl is-system-running 2>/dev/null)"
    systemctl list-jobs --no-legend --no-pager 2>/dev/null | awk '{ print "job " $2, $3, $4 }'
    systemctl list-unit-files --no-legend --no-pager 2>/dev/null |
        awk '$1 ~ /\.(service|socket|timer|path)$/ && $2 ~ /^(enabled|disabled|masked)/ { print "unit-file " $1, $2 }'
    # Those whose users' services run without a session.
    for user in /var/lib/systemd/linger/*; do
        if id=$(id -u "${user##*/}" 2>/dev/null); then echo "linger $id"; fi
    done
    # Every unit on one line; what is empty or the same for nearly all of them is left out.
    systemctl show '*' --all --property=Id,Names,Type,LoadState,ActiveState,SubState,UnitFileState,Transient,TriggeredBy \
        --property=Requires,Requisite,Wants,BindsTo,Upholds,RemainAfterExit,Restart,NRestarts,Result,ConditionResult \
        --property=TimeoutStartUSec,StateChangeTimestampMonotonic,ActiveEnterTimestampMonotonic,MainPID,FragmentPath \
        --property=Listen,Where,SourcePath 2>/dev/null | awk '
        function flush() {
            if (id ~ /\.(service|socket|timer|path|mount|target)$/ && line !~ /\tLoadState=not-found/) print "unit" line
            id = line = ""
        }
        /^$/ { flush(); next }
        /=(no|0|loaded)$/ || /=$/ { next }
        /^Id=/ { id = substr($0, 4) }
        { line = line "\t" $0 }
        END { flush() }'
fi
# Docker's containers; asked only where it runs, since asking might start it.
if pidof dockerd >/dev/null 2>&1; then
    timeout 20 docker ps -aq 2>/dev/null | xargs -r timeout 20 docker inspect --format \
        '{{.Name}} {{.HostConfig.RestartPolicy.Name}} {{.State.Status}} {{.RestartCount}}{{with .State.Health}} {{.Status}}{{end}}' \
        2>/dev/null | sed 's|^/|container |'
fi
# Who listens: protocol, address as the kernel writes it, process, its parent (or session), control group.
echo "random-ports $(cat /proc/sys/net/ipv4/ip_local_port_range 2>/dev/null)"
echo "root-group $(sed -n 's|^[0-9]*:[^:]*:\(/.*\)/init\.scope$|\1|p' /proc/1/cgroup 2>/dev/null | head -n 1)"
login=$(cat /proc/1/loginuid 2>/dev/null)
{
    for protocol in tcp tcp6 udp udp6; do
        awk -v protocol="$protocol" '
            $4 == (protocol ~ /tcp/ ? "0A" : "07") { print "socket", protocol, $2, $10 }' "/proc/net/$protocol" 2>/dev/null
    done
    ls -l /proc/[0-9]*/fd 2>/dev/null
} | awk '
    $1 == "socket" { name[$4] = $2 " " $3; next }
    /^\/proc\// { split($0, part, "/"); pid = part[3]; next }
    / -> socket:\[/ {
        inode = $NF; gsub(/[^0-9]/, "", inode)
        if (inode in name && !((inode, pid) in seen)) { seen[inode, pid] = held[inode] = 1; print name[inode], pid }
    }
    END { for (inode in name) if (!(inode in held)) print name[inode], "-" }' |
    while read -r protocol address pid; do
        group='' parent='' user=''
        if [ "$pid" != - ]; then
            while IFS=: read -r _ _ path; do
                case $path in *.service* | *.scope*) group=$path ;; esac
            done 2>/dev/null <"/proc/$pid/cgroup"
            user=$(cat "/proc/$pid/loginuid" 2>/dev/null)
            parent=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$pid/status" 2>/dev/null)
        fi
        # A process of somebody's login has that user's number; the first process has it where it stands in a container.
        if [ "$pid" = - ] || [ "$user" = "$login" ]; then how=${parent:--}; else how=session; fi
        echo "listen $protocol $address $pid $how ${group:--}"
    done | sort -u
# The sockets of IPv6 alone: any other that listens on :: listens on 0.0.0.0 too.
ss -H -6 -t -l -n -e 2>/dev/null | awk '/v6only:1/ { print "only6 " $4 }'
ip -o address show 2>/dev/null | awk '$3 ~ /^inet6?$/ { sub(/\/.*/, "", $4); print "address " $4, $2 }' | sort -u
awk '$2 == "00000000" && $8 == "00000000" && $1 != "*" { print "route IPv4" }' /proc/net/route 2>/dev/null | sort -u
awk '$1 $2 ~ /^0+$/ && $10 != "lo" { print "route IPv6" }' /proc/net/ipv6_route 2>/dev/null | sort -u
# File systems: what is wanted, and what is there (with :ro where it cannot be written to).
awk '!/^[ \t]*#/ && $2 ~ /^\// { print "fstab " $2, $3, ($4 == "" ? "defaults" : $4) }' /etc/fstab 2>/dev/null
awk '{ print "mount " $2, $3, ($4 ~ /(^|,)ro(,|$)/ ? "ro" : "rw"), ($1 ~ /^\/|:/ ? "device" : "other") }' \
    /proc/self/mounts 2>/dev/null | sort -u
# Those without room: nobody who is not root can write, or no file can be made.
for option in -P -Pi; do
    timeout 10 df "$option" -l 2>/dev/null | awk 'NR > 1 && $2 > 0 && $4 == 0 { sub(/^.*% +/, ""); print "full " $0 }'
done | grep -v ' /snap/' | sort -u
# Name resolution: which servers, and which of the names that this host needs are answered.
awk '$1 == "nameserver" { print "nameserver " $2 }' /etc/resolv.conf 2>/dev/null
{
    sed -n 's|^[^#]*https\{0,1\}://\([^/ @]*@\)\{0,1\}\([A-Za-z0-9.-]*\).*|\2|p' /etc/apt/sources.list \
        /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources /etc/yum.repos.d/*.repo
    sed -n 's/^\(search\|domain\)[ \t]*\([^ \t]*\).*/\2/p' /etc/resolv.conf
    sed -n 's/^\(pool\|server\)[ \t]*\([^ \t]*\).*/\2/p' /etc/chrony.conf /etc/chrony/chrony.conf /etc/ntp.conf
} 2>/dev/null | grep '[A-Za-z]' | sort -u | head -n 4 | {
    while read -r name; do
        if grep -qiw "$name" /etc/hosts 2>/dev/null; then continue; fi
        if timeout 8 getent ahosts "$name" >/dev/null 2>&1; then echo "name $name yes"; else echo "name $name no"; fi &
    done
    wait
}
echo end
