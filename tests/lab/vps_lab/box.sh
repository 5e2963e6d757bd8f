# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
#
# One server under power: box.sh NAME ROOT CGROUP LINK MAC BRIDGE. The caller has put this shell into CGROUP already.
# It starts ROOT's own /sbin/init in namespaces and a network card (LINK is its plug on BRIDGE) that are new at every
# boot, again when the server reboots, and ends when the server powers itself off or its init dies.
set -u
name=$1 root=$2 cgroup=$3 link=$4 mac=$5 bridge=$6

unplug() {
  ip link delete "$link" 2>/dev/null
  ip netns delete "$name" 2>/dev/null
}

plug() {
  # A fixed address: neighbours remember a random one for half a minute after the card is gone.
  ip netns add "$name" &&
    ip link add "$link" type veth peer name eth0 address "$mac" netns "$name" &&
    ip link set "$link" master "$bridge" up
}

mkdir -p "$cgroup/guest"
while :; do
  unplug
  plug || exit 1
  echo "-- $name: power on"
  # The control group first, then a namespace that shows it as the root: systemd wants to own what it sees.
  # shellcheck disable=SC2016 # the inner shell expands it
  nsenter --net="/run/netns/$name" unshare --mount --pid --uts --ipc --propagation private --fork --kill-child \
    sh -euc 'echo 0 > "$1/cgroup.procs"; shift; exec unshare --cgroup "$@"' sh "$cgroup/guest" \
    sh -eu "${0%/*}/boot.sh" "$root"
  status=$?
  # reboot(2) in a process id namespace ends its init by a signal: SIGHUP to restart, SIGINT to halt or power off.
  case $status in
    129) echo "-- $name: reboot" ;;
    130) echo "-- $name: powered off" && break ;;
    *) echo "-- $name: init ended with $status" && break ;;
  esac
done
unplug
