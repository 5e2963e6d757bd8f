# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
#
# The last step of building the base image: image.sh ROOT. mmdebstrap runs it.
set -eu
root=$1

# zypper is only brought along: Debian installs either it or the plugins of dnf.
mkdir -p "$root/opt/zypper/partial"
chroot "$root" apt-get --yes --quiet --download-only -o Dir::Cache::archives=/opt/zypper -o APT::Sandbox::User=root \
    -o APT::Install-Recommends=false install zypper
rm -r "$root/opt/zypper/partial" "$root/opt/zypper/lock"

# Nothing of the machine that builds stays: neither its mirror nor its name nor its name servers.
rm -f "$root"/etc/apt/sources.list.d/* "$root/etc/resolv.conf" "$root"/etc/ssh/ssh_host_*
: > "$root/etc/apt/sources.list"
: > "$root/etc/machine-id"
echo server > "$root/etc/hostname"
rm -f "$root"/var/log/*.log "$root"/var/log/apt/*
mkdir -p "$root/var/lib/machines" "$root/var/lib/portables"

# The network is the server's own affair, so that an update can break it.
systemctl --root="$root" --quiet enable systemd-networkd.service
systemctl --root="$root" --quiet mask systemd-networkd-wait-online.service

# Most servers are no load balancers.
systemctl --root="$root" --quiet disable haproxy.service

# A server has no terminal, and updates only when it is told to.
systemctl --root="$root" --quiet mask getty.target console-getty.service apt-daily.timer apt-daily-upgrade.timer
