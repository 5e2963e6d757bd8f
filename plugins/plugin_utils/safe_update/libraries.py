# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""Services that still run libraries which an update has replaced, as files/libraries.sh names them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Restarting these ends sessions, containers or the network, or systemd advises against it: they are named only.
NEVER = re.compile(
    r"(dbus(-broker)?|systemd-logind|systemd-machined|user@.*|user-runtime-dir@.*|.*getty@.*|gdm\d?|lightdm|sddm|lxdm|xdm"
    r"|display-manager|docker|containerd|podman|libvirtd|virtqemud|qemu-.*|lxc.*|lxd|incus"
    r"|NetworkManager|networking|network|systemd-networkd|wpa_supplicant|openvpn.*|wg-quick@.*|strongswan.*"
    r"|iscsid|open-iscsi|multipathd|lvm2-.*|rpcbind|autofs|ModemManager|safe-update-.*)\.service"
)


def services(lines: Iterable[str]) -> list[str]:
    """The services that are named; none where the host was not heard to the end."""
    said = [line.rstrip("\r\n") for line in lines]
    if said[-1:] != ["end"]:
        return []
    return sorted({line.split(" ", 1)[1] for line in said if line.startswith("old ")})


def restartable(names: Iterable[str]) -> list[str]:
    """Those that may be restarted without a person."""
    return [name for name in names if not NEVER.fullmatch(name)]
