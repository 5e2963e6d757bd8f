# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
#
# boot.sh ROOT: the first process of a server, in namespaces of its own; makes ROOT its world and becomes /sbin/init.
set -eu
root=$1

mount --bind "$root" "$root"
cd "$root"

mount -t proc -o nosuid,nodev,noexec proc proc
# A read-only /sys tells systemd and networkd that no udev will come.
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup

mount -t tmpfs -o nosuid,mode=755,size=16m tmpfs dev
for device in null zero full random urandom tty; do
  : > "dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr

mount -t tmpfs -o nosuid,nodev,mode=755 tmpfs run
mkdir -m 755 run/lock

# What belongs to the kernel of the machine is neither read nor changed from here.
for path in proc/sys proc/irq proc/bus proc/fs; do
  mount --bind "$path" "$path"
  mount -o remount,bind,ro,nosuid,nodev,noexec "$path"
done
for path in proc/sysrq-trigger proc/kcore proc/kmsg proc/timer_list; do
  [ ! -e "$path" ] || mount --bind dev/null "$path"
done

# Every boot has an id of its own: this is how a reboot is told from a pause. After /proc/sys, which would hide it.
cat /proc/sys/kernel/random/uuid > run/boot-id
chmod 444 run/boot-id
mount --bind run/boot-id proc/sys/kernel/random/boot_id

pivot_root . mnt
umount -l /mnt
# Powers over the machine's kernel that nobody in the capsule has: without their names, systemd does not try them.
exec env -i container=vps-lab PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  setpriv --bounding-set=-sys_time,-sys_module,-sys_rawio,-mknod,-syslog --inh-caps=-all /sbin/init
