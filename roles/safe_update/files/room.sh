# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# sh -s PATH...: prints what stands in the way of an update, a line per fact: the package manager, the room at these
# paths, who is at work on the packages, what has failed before. It changes nothing, and needs no Python and no room. What the facts mean is
# decided in plugins/plugin_utils/safe_update/room.py.
LC_ALL=C; export LC_ALL
PATH="$PATH:/usr/sbin:/sbin"; export PATH

# Which package manager the system has, how old its lists are (seconds since 1970), and whether systemd is at work.
case " $(sed -n 's/^ID\(_LIKE\)\{0,1\}=//p' /etc/os-release 2>/dev/null | tr -s "\"'\n" ' ') " in
    *' fedora '* | *' rhel '*) managers='dnf dnf5 apt-get' ;;
    # That one wants another command than an update, which zypper would do by halves.
    *' opensuse-tumbleweed '*) managers='' && echo 'manager zypper dup' ;;
    *' suse '* | *' opensuse '* | *' sles '*) managers='zypper' ;;
    *) managers='apt-get dnf dnf5' ;;
esac
if command -v transactional-update >/dev/null; then echo 'manager transactional-update'; fi
for manager in $managers zypper apk pacman yum pkg; do
    if command -v "$manager" >/dev/null; then echo "manager $manager"; break; fi
done
case $manager in
    apt-get) stat -c 'lists %Y' /var/lib/apt/lists 2>/dev/null ;;
    dnf*) stat -c 'lists %Y' /var/cache/dnf 2>/dev/null ;;
    zypper) stat -c 'lists %Y' /var/cache/zypp/raw/*/repodata/repomd.xml 2>/dev/null | sort -r ;;
esac
if [ -d /run/systemd/system ]; then echo systemd; fi

# Free KiB, free inodes (- where the file system counts none) and the mount point of a path.
for path in "$@"; do
    if [ ! -d "$path" ]; then continue; fi
    set -- "$(df -Pk "$path" 2>/dev/null)" "$(df -Pi "$path" 2>/dev/null)"
    inodes=$(echo "$2" | awk 'NR == 2 { for (i = 4; i <= NF; i++) if ($i ~ /%$|^-$/) { print ($(i - 3) + 0 ? $(i - 1) : "-"); exit } }')
    echo "$1" | awk -v path="$path" -v inodes="${inodes:--}" 'NR == 2 {
        for (i = 4; i <= NF; i++) if ($i ~ /%$|^-$/) {
            mount = $(i + 1)
            for (j = i + 2; j <= NF; j++) mount = mount " " $j
            print "room " $(i - 1) " " inodes " " mount "\t" path
            exit
        }
    }'
    # Root may write everywhere, but for what is read-only.
    if [ "$(id -u)" = 0 ] && [ ! -w "$path" ]; then echo "readonly $path"; fi
done
# Some owners keep /usr read-only, and have apt make it writable while it works.
if apt-config dump DPkg::Pre-Invoke 2>/dev/null | grep -q remount; then echo remounts; fi
du -kc /boot/*-"$(uname -r)" 2>/dev/null | sed -n 's/^\([0-9]*\)[^0-9]*total$/kernel \1/p'

# Who holds a lock: of those who hold one on such an inode, who has the file open; there may be inodes of this number
# on several file systems.
for lock in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock \
    /var/lib/rpm/.rpm.lock /usr/lib/sysimage/rpm/.rpm.lock; do
    inode=$(stat -c %i "$lock" 2>/dev/null) || continue
    awk -v inode="$inode" '$2 != "->" && $4 == "WRITE" && $6 ~ ":" inode "$" { print $5 }' /proc/locks 2>/dev/null |
        while read -r pid; do
            for file in "/proc/$pid"/fd/*; do
                if [ "$(readlink "$file" 2>/dev/null)" = "$lock" ]; then
                    echo "lock $lock $pid $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | tr -dc '[:print:]' | cut -c1-200)"
                    break
                fi
            done
        done
done
# zypper and its like write their number into a file.
if pid=$(grep -s . /run/zypp.pid) && [ -d "/proc/$pid" ]; then
    echo "lock /run/zypp.pid $pid $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | tr -dc '[:print:]' | cut -c1-200)"
fi
# An update of an earlier run that is not over: with systemd a unit, elsewhere a process.
if [ -d /run/systemd/system ]; then
    systemctl list-units --plain --no-legend --no-pager --all 'safe-update-*.service' 2>/dev/null |
        awk '$4 !~ /^(exited|failed|dead)$/ { print "unit " $1 }'
else
    for file in /run/safe-update-*.pid; do
        if [ ! -e "${file%.pid}.status" ] && pid=$(cat "$file" 2>/dev/null) && kill -0 "$pid" 2>/dev/null; then
            echo "unit $(basename "$file" .pid)"
        fi
    done
fi
# Runs that began to change the host and did not come to their end.
sed 's/^/unended /' "${begun:-/dev/null}" 2>/dev/null
base64 /var/lib/safe-update.failed 2>/dev/null | sed 's/^/before /'
echo end
