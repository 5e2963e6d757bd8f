# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happens on servers while they are updated: ordinary lives, which must fail nobody, and broken ones.

Each is a few lines of shell: `begin` before the update, `then` in the place of it. All of a kind live on one server.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# `service NAME COMMAND [LINES OF THE UNIT]` makes and starts a service that boot wants; `unit NAME` writes a unit from
# stdin; `anew NAME` restarts a service that was edited; `listen ADDRESS PORT` listens on TCP until it is ended, on IPv6
# alone with `only` behind; `datagrams PORT` listens on UDP.
TOOLS = r"""
set -e
cat >/usr/local/bin/listen <<'END'
#!/usr/bin/python3
import socket, sys, time
name, port, *only = sys.argv[1:]
family = socket.AF_INET6 if ":" in name else socket.AF_INET
each = socket.socket(family, socket.SOCK_STREAM)
each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
if family == socket.AF_INET6:
    each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(bool(only)))
each.bind((name, int(port)))
each.listen()
time.sleep(10**6)
END
cat >/usr/local/bin/datagrams <<'END'
#!/usr/bin/python3
import socket, sys, time
each = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
each.bind(("", int(sys.argv[1])))
time.sleep(10**6)
END
chmod +x /usr/local/bin/listen /usr/local/bin/datagrams
units=/etc/systemd/system
unit() { cat >"$units/$1"; }
anew() { systemctl daemon-reload; systemctl restart "$1"; }
service() {
    name=$1 command=$2; shift 2
    printf '%s\n' '[Service]' "ExecStart=$command" "$@" '[Install]' WantedBy=multi-user.target | unit "$name.service"
    systemctl enable --quiet --now "$name"
}
"""


@dataclass(frozen=True)
class Life:
    """Something that happens. `says`: what a difference says of a good one, and what a failure says of a broken one."""

    name: str
    begin: str = ""
    then: str = ""
    says: str = ""


def script(steps: Iterable[str]) -> str:
    """Steps, one after the other, each in a shell of its own and with the tools; the first that fails ends it."""
    return "\n".join([TOOLS, *(f"(\n{step}\n)" for step in steps if step), "systemctl daemon-reload", ""])


GOOD = (
    Life(
        "a timer's job with an [Install] section ends",
        "printf '[Service]\nExecStart=sleep 1000\n[Install]\nWantedBy=multi-user.target\n' | unit backup.service\n"
        "printf '[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n' | unit backup.timer\n"
        "systemctl enable --now backup.timer; systemctl start backup.service",
        "systemctl stop backup.service",
        "backup.service",
    ),
    Life(
        "a service that a socket starts exits when it is idle",
        "printf '[Socket]\nListenStream=/run/idle.sock\n[Install]\nWantedBy=sockets.target\n' | unit idle.socket\n"
        "printf '[Service]\nExecStart=sleep 1000\n' | unit idle.service\n"
        "systemctl enable --now idle.socket; systemctl start idle.service",
        "systemctl stop idle.service; systemctl start idle.socket",
        "idle.service",
    ),
    Life(
        "one that boot wants as well exits when it is idle",
        "printf '[Socket]\nListenStream=127.0.0.1:6310\n[Install]\nWantedBy=sockets.target\n' | unit printer.socket\n"
        "service printer 'sleep 1000'; systemctl stop printer; systemctl enable --now printer.socket\n"
        "systemctl start printer",
        "systemctl stop printer.service; systemctl restart printer.socket",
        "printer.service waits until it is asked for",
    ),
    Life(
        "a service moves to socket activation",
        "service mover 'listen 0.0.0.0 6311'",
        "systemctl disable --now mover\n"
        "printf '[Socket]\nListenStream=0.0.0.0:6311\n[Install]\nWantedBy=sockets.target\n' | unit mover.socket\n"
        "systemctl enable --now mover.socket",
        "mover.service waits until it is asked for",
    ),
    Life(
        "an old revision of a snap goes",
        "mkdir -p /snap/core/1 /snap/core/2 /srv/core\n"
        "printf '[Mount]\nWhat=/srv/core\nWhere=/snap/core/1\nOptions=bind\n[Install]\nWantedBy=multi-user.target\n' |"
        " unit snap-core-1.mount\nsystemctl enable --now snap-core-1.mount",
        "systemctl disable --now snap-core-1.mount; rm $units/snap-core-1.mount; systemctl daemon-reload",
    ),
    Life(
        "the port of an administrator's session closes",
        "systemd-run --quiet --unit=tunnel --property=Type=exec listen 127.0.0.1 6010",
        "systemctl stop tunnel",
        "127.0.0.1:6010",
    ),
    Life(
        "the port of a process that cron started closes",
        "setsid listen 127.0.0.1 6011 >/dev/null 2>&1 </dev/null & echo $! >/run/stray.pid",
        "kill $(cat /run/stray.pid)",
    ),
    Life(
        "a timer's job fails",
        "printf '[Service]\nType=oneshot\nExecStart=/bin/false\n' | unit refresh.service",
        "systemctl start refresh.service || true",
        "refresh.service has failed",
    ),
    Life(
        "a database takes its time to start, within its own limit",
        "service database 'listen 0.0.0.0 6312' TimeoutStartSec=300"
        " 'ExecStartPre=/bin/sh -c \"test ! -e /run/slow || sleep 25\"'",
        "touch /run/slow; systemctl restart --no-block database",
    ),
    Life(
        "an application listens long after it has started",
        "service java '/bin/sh -c \"test ! -e /run/slow || sleep 20; exec listen 0.0.0.0 6313\"'",
        "touch /run/slow; systemctl restart java",
    ),
    Life("a service is restarted by hand", "service nginx 'listen 0.0.0.0 6314'", "systemctl restart nginx"),
    Life(
        "a service binds all addresses instead of one",
        "service wider 'listen 127.0.0.1 6315'",
        "sed -i s/127.0.0.1/0.0.0.0/ $units/wider.service; anew wider",
    ),
    Life(
        "a service binds both kinds of addresses instead of IPv4",
        "service both 'listen 0.0.0.0 6316'",
        "sed -i s/0.0.0.0/::/ $units/both.service; anew both",
    ),
    Life(
        "a service listens on a random port",
        "service random 'listen 0.0.0.0 0'",
        "systemctl restart random",
    ),
    Life(
        "an instance of a template is restarted",
        "printf '[Service]\nExecStart=sleep 1000\n[Install]\nWantedBy=multi-user.target\n' | unit worker@.service\n"
        "systemctl enable --quiet --now worker@1 worker@2",
        "systemctl restart worker@1 worker@2",
    ),
    Life(
        "a service has another name, and its old one as an alias",
        "service mysql 'listen 0.0.0.0 6317'",
        "systemctl disable --now mysql; rm $units/mysql.service; systemctl daemon-reload\n"
        "service mariadb 'listen 0.0.0.0 6317' '[Install]' 'Alias=mysql.service'",
    ),
    Life(
        "a path unit's job ends",
        "printf '[Path]\nPathExists=/run/never\n[Install]\nWantedBy=multi-user.target\n' | unit spool.path\n"
        "printf '[Service]\nExecStart=sleep 1000\n' | unit spool.service\n"
        "systemctl enable --quiet --now spool.path; systemctl start spool.service",
        "systemctl stop spool.service",
    ),
    Life("a tmpfs comes", "", "mkdir -p /mnt/scratch; mount -t tmpfs none /mnt/scratch"),
    Life("a tmpfs goes", "mkdir -p /mnt/old; mount -t tmpfs none /mnt/old", "umount /mnt/old"),
    Life(
        "a file system with noauto is unmounted",
        "mkdir -p /mnt/stick /srv/stick\n"
        "echo '/srv/stick /mnt/stick none bind,noauto 0 0' >>/etc/fstab; mount /mnt/stick",
        "umount /mnt/stick",
        "/mnt/stick",
    ),
    Life(
        "one of fstab with a space in its name stays",
        "mkdir -p '/srv/a b' /srv/c; printf '/srv/c /srv/a\\\\040b none bind 0 0\n' >>/etc/fstab; mount '/srv/a b'",
    ),
    Life(
        "a oneshot of boot has done its work",
        "service seed /bin/true Type=oneshot",
        "systemctl restart seed",
    ),
    Life(
        "a service that was broken before stays broken",
        "service broken /bin/false; sleep 0.5",
        "systemctl restart broken || true",
    ),
    Life(
        "a service that was restarted for ever before goes on so",
        "service looping '/bin/sh -c \"sleep 2; exit 1\"' Restart=always RestartSec=1 StartLimitIntervalSec=0; sleep 4",
        "sleep 3",
    ),
    Life("a transient unit ends", "systemd-run --quiet --unit=job sleep 1000", "systemctl stop job"),
    Life(
        "a service that nobody wants at boot ends",
        "systemd-run --quiet --unit=unused true; printf '[Service]\nExecStart=sleep 1000\n' | unit byhand.service\n"
        "systemctl start byhand",
        "systemctl stop byhand",
        "byhand.service",
    ),
    Life(
        "the log is rotated and the service reloaded",
        "service logger 'sleep 1000' 'ExecReload=/bin/kill -0 $MAINPID'",
        "systemctl reload logger",
    ),
    Life(
        "a timer is triggered",
        "printf '[Service]\nType=oneshot\nExecStart=/bin/true\n' | unit tick.service\n"
        "printf '[Timer]\nOnActiveSec=1\nOnUnitActiveSec=1\nAccuracySec=100ms\n[Install]\nWantedBy=timers.target\n' |"
        " unit tick.timer\nsystemctl enable --quiet --now tick.timer",
        "sleep 2",
    ),
    Life(
        "a worker renews itself now and then",
        "service renews '/bin/sh -c \"sleep 1000\"' Restart=always RestartSec=0.1",
        "systemctl restart renews",
    ),
    Life("a service is added", "", "service newcomer 'listen 0.0.0.0 6318'", "0.0.0.0:6318"),
    Life(
        "resolv.conf names another server",
        "",
        "printf 'nameserver 127.0.0.1\n' >/etc/resolv.conf",
        "names other servers",
    ),
    Life(
        "a service's children listen, and are others after a restart",
        "service manager '/bin/sh -c \"listen 0.0.0.0 6319 & wait\"'",
        "systemctl restart manager",
    ),
    Life(
        "a forking daemon is restarted",
        "service forking '/bin/sh -c \"listen 0.0.0.0 6320 & exit 0\"' Type=forking",
        "systemctl restart forking",
    ),
    Life(
        "a udp port of DHCP's client closes",
        "service dhcp 'datagrams 68'",
        "sed -i 's/ 68/ 0/' $units/dhcp.service; anew dhcp",
    ),
)

BAD = (
    Life(
        "a service is stopped", "service stopped 'sleep 1000'", "systemctl stop stopped", "stopped.service does not run"
    ),
    Life(
        "a service is stopped and disabled",
        "service switchedoff 'sleep 1000'",
        "systemctl disable --now switchedoff",
        "switchedoff.service does not run any more, and is disabled now",
    ),
    Life(
        "a service is gone",
        "service deleted 'sleep 1000'",
        "systemctl disable --now deleted; rm $units/deleted.service; systemctl daemon-reload",
        "deleted.service is gone",
    ),
    Life(
        "a service does not start",
        "service wrong 'sleep 1000'",
        "sed -i 's/sleep 1000/false/' $units/wrong.service; anew wrong",
        "wrong.service has failed",
    ),
    Life(
        "a service listens on the loopback only",
        "service narrow 'listen 0.0.0.0 6410'",
        "sed -i s/0.0.0.0/127.0.0.1/ $units/narrow.service; systemctl daemon-reload\nsystemctl restart narrow",
        "Nothing listens on 0.0.0.0:6410 any more (narrow.service), only on 127.0.0.1:6410",
    ),
    Life(
        "a service listens on IPv6 only",
        "service six 'listen 0.0.0.0 6411'",
        "sed -i 's/0.0.0.0 6411/:: 6411 only/' $units/six.service; anew six",
        "Nothing listens on 0.0.0.0:6411",
    ),
    Life(
        "a service listens on another port",
        "service elsewhere 'listen 0.0.0.0 6412'",
        "sed -i s/6412/6499/ $units/elsewhere.service; anew elsewhere",
        "Nothing listens on 0.0.0.0:6412",
    ),
    Life(
        "a service runs and does not listen",
        "service deaf 'listen 0.0.0.0 6413'",
        "sed -i 's/listen.*/sleep 1000/' $units/deaf.service; anew deaf",
        "Nothing listens on 0.0.0.0:6413",
    ),
    Life(
        "a socket is stopped",
        "printf '[Socket]\nListenStream=0.0.0.0:6414\n[Install]\nWantedBy=sockets.target\n' | unit door.socket\n"
        "printf '[Service]\nExecStart=sleep 1000\n' | unit door.service; systemctl enable --quiet --now door.socket",
        "systemctl stop door.socket",
        "door.socket does not run",
    ),
    Life(
        "a timer is stopped",
        "printf '[Service]\nExecStart=true\n' | unit nightly.service\n"
        "printf '[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n' | unit nightly.timer\n"
        "systemctl enable --quiet --now nightly.timer",
        "systemctl stop nightly.timer",
        "nightly.timer does not run",
    ),
    Life(
        "a service is pulled in by another one, and gone",
        "printf '[Service]\nExecStart=sleep 1000\n' | unit needed.service\n"
        "printf '[Unit]\nWants=needed.service\n[Service]\nExecStart=sleep 1000\n[Install]\n'"
        "'WantedBy=multi-user.target\n' | unit needs.service; systemctl enable --quiet --now needs.service",
        "systemctl stop needed.service",
        "needed.service does not run",
    ),
    Life(
        "an instance of a template does not run",
        "printf '[Service]\nExecStart=sleep 1000\n[Install]\nWantedBy=multi-user.target\n' | unit queue@.service\n"
        "systemctl enable --quiet --now queue@1 queue@2",
        "systemctl stop queue@2",
        "queue@2.service does not run",
    ),
    Life(
        "a firewall, a oneshot that remains, is stopped",
        "service firewall /bin/true Type=oneshot RemainAfterExit=yes",
        "systemctl stop firewall",
        "firewall.service does not run",
    ),
    Life(
        "a oneshot of boot fails",
        "service setup '/bin/sh -c \"test ! -e /run/fail\"' Type=oneshot",
        "touch /run/fail; systemctl restart setup || true",
        "setup.service has failed",
    ),
    Life(
        "a file system of fstab is not mounted",
        "mkdir -p /data /srv/data\n"
        "echo '/srv/data /data none bind 0 0' >>/etc/fstab; mount /data; systemctl daemon-reload",
        "umount /data",
        "/data is not mounted any more",
    ),
    Life(
        "one with nofail is not mounted",
        "mkdir -p /more /srv/more; echo '/srv/more /more none bind,nofail 0 0' >>/etc/fstab; mount /more",
        "umount /more",
        "/more is not mounted any more",
    ),
    Life(
        "a file system has become read-only",
        "mkdir -p /logs; echo 'none /logs tmpfs defaults 0 0' >>/etc/fstab; mount /logs",
        "mount -o remount,ro /logs",
        "/logs cannot be written to",
    ),
    Life(
        "resolv.conf is empty",
        "echo 'nameserver 10.77.0.1' >/etc/resolv.conf",
        ": >/etc/resolv.conf",
        "/etc/resolv.conf",
    ),
    Life("the default route is gone", "", "ip route del default", "no default route for IPv4"),
    Life(
        "children of a service listen no more",
        "service parent '/bin/sh -c \"listen 0.0.0.0 6415 & sleep 1000\"'",
        "pkill -f 'listen 0.0.0.0 6415$'",
        "Nothing listens on 0.0.0.0:6415",
    ),
    Life(
        "a udp service runs and does not listen",
        "service dns 'datagrams 514'",
        "sed -i 's/ 514/ 0/' $units/dns.service; anew dns",
        "0.0.0.0:514/udp",
    ),
    Life(
        "a fixed high port is not listened on",
        "service grpc 'listen 0.0.0.0 50051'",
        "sed -i 's/listen.*/sleep 1000/' $units/grpc.service; anew grpc",
        "0.0.0.0:50051",
    ),
    Life(
        "a service is masked",
        "service masked 'sleep 1000'",
        "systemctl stop masked; mv $units/masked.service /root; systemctl mask masked",
        "masked.service",
    ),
)

# What a single look cannot see.
LATE = (
    *(
        Life(
            f"a service ends every {pace} s and is restarted for ever",
            f"service crash{pace} 'sleep 1000' Restart=always RestartSec=1 StartLimitIntervalSec=0",
            f"sed -i 's/sleep 1000/sh -c \"sleep {pace - 1}; exit 1\"/' $units/crash{pace}.service\nanew crash{pace}",
            f"crash{pace}.service has ended",
        )
        for pace in (2, 5, 8, 20)
    ),
    Life(
        "a service ends every 4 s without an error",
        "service polite 'sleep 1000' Restart=always RestartSec=0.1 StartLimitIntervalSec=0",
        "sed -i 's/sleep 1000/sleep 4/' $units/polite.service\nanew polite",
        "polite.service has ended",
    ),
    Life(
        "a service dies after 20 s",
        "service dies '/bin/sh -c \"sleep 1000 & exit 0\"' Type=forking",
        "sed -i 's/sleep 1000/sleep 20/' $units/dies.service; anew dies",
        "dies.service",
    ),
)
