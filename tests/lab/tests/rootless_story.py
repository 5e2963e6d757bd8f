# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run by an ordinary user inside a capsule: a server is installed, updated, and brought back."""

from __future__ import annotations

import sys
from pathlib import Path

from vps_lab.lab import Lab

with Lab(servers=1, store=sys.argv[1]) as lab:
    ids = Path("/proc/self/uid_map").read_text().split()
    if ids[1] == "0":
        raise SystemExit("this is the machine's root, not an ordinary user")
    web1 = lab.server("web1").machine
    lab.publish("1.0")
    lab.ssh("web1", "apt-get update && apt-get --yes install hello-web && systemctl is-system-running --wait")
    before = lab.ssh("web1", "find /etc /var/lib/dpkg -type f | sort | xargs md5sum; cat /var/lib/hello-web/schema")
    web1.snapshot("1")
    lab.publish("2.0+sshd")
    lab.ssh("web1", "rm -r /etc/ssh/sshd_config.d && mkdir /etc/ssh/sshd_config.d && apt-get update")
    lab.ssh("web1", "apt-get --yes dist-upgrade")
    web1.stop()
    web1.restore("1")
    web1.start()
    web1.wait_for_ssh()
    after = lab.ssh("web1", "find /etc /var/lib/dpkg -type f | sort | xargs md5sum; cat /var/lib/hello-web/schema")
    print("the server is what it was" if before == after else f"{before}\nbecame\n{after}")
