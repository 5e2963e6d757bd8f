# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happens on servers while they are updated: ordinary lives, which must fail nobody, and broken ones.

Each is a few lines of shell: `begin` before the update, `then` in the place of it. All of a kind live on one server.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# `service NAME COMMAND [LINES OF THE UNIT]` makes and starts a service that boot wants; `unit NAME` writes a unit from
# stdin; `anew NAME` restarts a service that was edited; `package NAME VERSION [SERVICE COMMAND [LINES OF THE UNIT]]`
# installs a package; `later SECONDS COMMAND` does something that long afterwards, `when_late COMMAND` once there is
# /run/late; `listen ADDRESS PORT` listens on TCP until it is ended, on IPv6 alone with `only` behind; `datagrams PORT`
# on UDP.
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
when_late() { systemd-run --quiet sh -c "while test ! -e /run/late; do sleep 0.2; done; $1"; }
later() { systemd-run --quiet --on-active="$1" --timer-property=AccuracySec=100ms sh -c "$2"; }
package() {
    root=$(mktemp -d) name=$1 version=$2 service=${3:-}; mkdir -p "$root/DEBIAN" "$root/lib/systemd/system"
    printf '%s\n' "Package: $name" "Version: $version" 'Architecture: all' 'Maintainer: Nobody <nobody@example.org>' \
        'Description: a test' >"$root/DEBIAN/control"
    if [ "$service" ]; then
        command=$4; shift 4
        printf '%s\n' '[Service]' "ExecStart=$command" "$@" '[Install]' WantedBy=multi-user.target \
            >"$root/lib/systemd/system/$service.service"
    fi
    dpkg-deb --build "$root" "/root/$name.deb" >/dev/null; dpkg --install "/root/$name.deb" >/dev/null
    systemctl daemon-reload
}
service() {
    name=$1 command=$2; shift 2
    printf '%s\n' '[Service]' "ExecStart=$command" "$@" '[Install]' WantedBy=multi-user.target | unit "$name.service"
    systemctl enable --quiet --now "$name"
}
"""

# What looks like Docker: a daemon, and a client that tells what a file holds, which is there after a boot too.
DOCKER = (
    "test -e /usr/local/bin/dockerd || { cp /bin/sleep /usr/local/bin/dockerd;"
    " service docker '/usr/local/bin/dockerd 100000'; }\n"
    "printf '%s\\n' '#!/bin/sh' 'case $1 in ps) echo id ;; *) cat /etc/containers /run/containers ;; esac' 'exit 0'"
    " >/usr/local/bin/docker; chmod +x /usr/local/bin/docker; touch /run/containers /etc/containers"
)


@dataclass(frozen=True)
class Life:
    """Something that happens.

    `says`: what a difference says of a good one, and what a failure says of a broken one. `stays`: whether a boot
    brings back what it begins with.
    """

    name: str
    begin: str = ""
    then: str = ""
    says: str = ""
    stays: bool = True


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
        "service looping '/bin/sh -c \"sleep 2; exit 1\"' Restart=always RestartSec=1 StartLimitInterval=0; sleep 4",
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
    Life(
        "a service leaves socket activation",
        "printf '[Socket]\nListenStream=0.0.0.0:6321\n[Install]\nWantedBy=sockets.target\n' | unit leaver.socket\n"
        "printf '[Service]\nExecStart=sleep 1000\n' | unit leaver.service\n"
        "systemctl enable --quiet --now leaver.socket",
        "systemctl disable --quiet --now leaver.socket; service leaver 'listen 0.0.0.0 6321'",
        "leaver.socket is not needed",
    ),
    Life(
        "a connection's own instance ends",
        "printf '[Socket]\nListenStream=127.0.0.1:6322\nAccept=yes\n[Install]\nWantedBy=sockets.target\n' |"
        " unit each.socket\n"
        "printf '[Service]\nExecStart=sleep 1000\n' | unit each@.service; systemctl enable --quiet --now each.socket\n"
        "python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", 6322))'; sleep 0.2",
        "systemctl stop 'each@*'",
    ),
    Life(
        "a floating address goes to another server, and who listened there",
        "ip address add 10.77.0.200/32 dev eth0; service vip 'listen 10.77.0.200 6323' Restart=no",
        "ip address del 10.77.0.200/32 dev eth0; systemctl stop vip; systemctl disable --quiet vip\n"
        "service vip 'sleep 1000'",
        "10.77.0.200:6323",
        stays=False,
    ),
    Life(
        "the bridge of containers goes",
        "ip link add docker0 type bridge; ip address add 172.17.0.1/16 dev docker0; ip link set docker0 up",
        "ip link del docker0",
        stays=False,
    ),
    Life(
        "a service fails until what it needs is there, and then runs",
        "service patient '/bin/sh -c \"test ! -e /run/needs || test -e /run/there || exit 1; exec sleep 1000\"'"
        " Restart=on-failure RestartSec=1 StartLimitInterval=0",
        "touch /run/needs; systemctl restart patient; later 8 'touch /run/there'",
    ),
    Life(
        "a service is restarted by a timer's job while it is watched",
        "service rotated 'listen 0.0.0.0 6324'",
        "later 14 'systemctl restart rotated'",
    ),
    Life(
        "a timer's job fails while the host is watched",
        "printf '[Service]\nType=oneshot\nExecStart=/bin/false\n' | unit certs.service",
        "later 12 'systemctl start certs'",
        "certs.service has failed",
    ),
    Life("systemd executes itself anew", "", "systemctl daemon-reexec"),
    Life("the journal is restarted", "", "systemctl restart systemd-journald"),
    Life("the boot target is another one", "", "systemctl set-default --quiet multi-user.target"),
    Life(
        "a scope ends",
        "systemd-run --quiet --scope --unit=tmux sleep 1000 >/dev/null 2>&1 </dev/null & sleep 0.3",
        "systemctl stop tmux.scope",
    ),
    Life(
        "a file system comes into /etc/fstab and is not mounted yet",
        "",
        "mkdir -p /mnt/new; echo 'none /mnt/new tmpfs noauto 0 0' >>/etc/fstab",
    ),
    Life(
        "a package has another name, and so has its service",
        "package ntpd-old 1 ntpd-old '/usr/local/bin/datagrams 123'; systemctl enable --quiet --now ntpd-old",
        "systemctl disable --quiet --now ntpd-old; package ntpd-old 2\n"
        "package ntpd-new 1 ntpd-new '/usr/local/bin/datagrams 123'; systemctl enable --quiet --now ntpd-new",
        "ntpd-new.service has come in its place",
    ),
    Life(
        "a package that may be removed is",
        "package obsolete 1 obsolete '/usr/local/bin/listen 0.0.0.0 6325'; systemctl enable --quiet --now obsolete",
        "systemctl disable --quiet --now obsolete; dpkg --remove obsolete >/dev/null; systemctl daemon-reload",
        "obsolete.service is gone with its package obsolete",
    ),
    Life(
        "a package starts a service that somebody has stopped, and it fails",
        "package unused-web 1 unused-web /bin/false; systemctl enable --quiet unused-web",
        "package unused-web 2 unused-web /bin/false; systemctl restart unused-web; sleep 0.3",
        "unused-web.service has failed (exit-code); it did not run before either",
    ),
    Life(
        "a package restarts its service, which takes its time to listen",
        "package slow-web 1 slow-web '/usr/local/bin/listen 0.0.0.0 6326'; systemctl enable --quiet --now slow-web",
        "package slow-web 2 slow-web \"/bin/sh -c 'sleep 12; exec /usr/local/bin/listen 0.0.0.0 6326'\"\n"
        "systemctl restart slow-web",
    ),
    Life(
        "Docker is restarted, and its containers follow",
        f"{DOCKER}; echo '/shop always running 0 healthy' >>/etc/containers\n"
        "echo '/build no running 0' >/run/containers",
        "printf '/shop always exited 0\\n/build no exited 0\\n' >/run/containers; systemctl restart docker\n"
        "later 10 \"echo '/build no exited 0' >/run/containers\"",
        "The container build",
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
    Life(
        "a service runs, and would not start at the next boot",
        "service forgotten 'sleep 1000'",
        "systemctl disable --quiet forgotten",
        "forgotten.service runs, but would not start at boot any more: it is disabled now",
    ),
    Life(
        "the update brings a service that fails",
        "",
        "service unborn /bin/false; sleep 0.3",
        "unborn.service has failed",
    ),
    Life(
        "a job of an updated package fails",
        "package renewal 1 renewal /bin/true Type=oneshot; systemctl disable --quiet renewal",
        "package renewal 2 renewal /bin/false Type=oneshot; systemctl start renewal || true",
        "renewal.service has failed",
    ),
    Life(
        "a service is gone with a package that was not to be removed",
        "package wanted-web 1 wanted-web 'sleep 1000'; systemctl enable --quiet --now wanted-web",
        "systemctl disable --quiet --now wanted-web; dpkg --remove wanted-web >/dev/null; systemctl daemon-reload",
        "wanted-web.service is gone",
    ),
    Life(
        "a package has another name, and its service does not run under it",
        "package dns-old 1 dns-old '/usr/local/bin/datagrams 5353'; systemctl enable --quiet --now dns-old",
        "systemctl disable --quiet --now dns-old; package dns-old 2\n"
        "package dns-new 1 dns-new '/usr/local/bin/datagrams 5353'",
        "dns-old.service is gone",
    ),
    Life(
        "a package is half configured",
        "package half 1",
        "printf '#!/bin/sh\nexit 1\n' >/root/postinst; root=$(mktemp -d); dpkg-deb -R /root/half.deb $root\n"
        "sed -i 's/Version: 1/Version: 2/' $root/DEBIAN/control; cp /root/postinst $root/DEBIAN/postinst\n"
        "chmod 755 $root/DEBIAN/postinst; dpkg-deb --build $root /root/half2.deb >/dev/null\n"
        "dpkg --install /root/half2.deb >/dev/null 2>&1 || true",
        "The package half is not completely installed",
    ),
    Life(
        "a second interface loses its address",
        "printf '[NetDev]\nName=ens9\nKind=bridge\n' >/etc/systemd/network/30-second.netdev\n"
        "printf '[Match]\nName=ens9\n[Network]\nAddress=10.9.0.1/24\nConfigureWithoutCarrier=yes\n'"
        " >/etc/systemd/network/30-second.network\n"
        "networkctl reload; for i in $(seq 50); do ip address show ens9 2>/dev/null | grep -q 10.9.0.1 && break;"
        " sleep 0.1; done",
        "rm /etc/systemd/network/30-second.network; ip address flush dev ens9",
        "ens9 has no IPv4 address any more (it had 10.9.0.1)",
    ),
    Life(
        "a file system is full",
        "mkdir -p /spool; echo 'none /spool tmpfs size=1m 0 0' >>/etc/fstab; mount /spool",
        "dd if=/dev/zero of=/spool/all bs=64k status=none || true",
        "/spool is full",
    ),
    Life(
        "a service never says that it is ready, and its time runs out",
        "service mute 'sleep 1000' TimeoutStartSec=4 Restart=no",
        "sed -i '/Service/a Type=notify' $units/mute.service; systemctl daemon-reload\n"
        "systemctl restart --no-block mute",
        "mute.service has failed (timeout)",
    ),
    Life(
        "a service ends so often that systemd gives up",
        "service hopeless 'sleep 1000' Restart=always RestartSec=0.1",
        "sed -i 's/sleep 1000/false/' $units/hopeless.service; anew hopeless; sleep 2",
        "hopeless.service has failed",
    ),
    Life(
        "a container does not come back",
        f"{DOCKER}; echo '/store always running 0 healthy' >>/etc/containers",
        "echo '/store always exited 0' >>/etc/containers",
        "The container store does not run any more (exited)",
    ),
)

# What a single look cannot see: what runs again and again,
CRASHES = (
    *(
        Life(
            f"a service ends every {pace} s and is restarted for ever",
            f"service crash{pace} 'sleep 1000' Restart=always RestartSec=0.2 StartLimitInterval=0",
            f"sed -i 's/sleep 1000/sh -c \"sleep {pace - 1}; exit 1\"/' $units/crash{pace}.service\nanew crash{pace}",
            f"crash{pace}.service has ended",
        )
        for pace in (2, 5, 8, 20)
    ),
    Life(
        "a service ends every 4 s without an error",
        "service polite 'sleep 1000' Restart=always RestartSec=0.1 StartLimitInterval=0",
        "sed -i 's/sleep 1000/sleep 4/' $units/polite.service\nanew polite",
        "polite.service has ended",
    ),
)
# and what is well at first.
LATE = (
    Life(
        "a service dies after a while",
        "service dies '/bin/sh -c \"sleep 1000 & exit 0\"' Type=forking",
        "when_late 'systemctl kill --signal=KILL dies'",
        "dies.service has failed (signal)",
    ),
    Life(
        "a service ends after a while, as if it had been asked to",
        "service leaves '/bin/sh -c \"while test ! -e /run/late; do sleep 0.2; done\"'",
        "",
        "leaves.service does not run any more",
    ),
    Life(
        "a service closes its port after a while",
        "service closes '/bin/sh -c \"listen 0.0.0.0 6510 & sleep 1000\"'",
        "when_late 'pkill -f \"^/usr/bin/python3 /usr/local/bin/listen 0.0.0.0 6510\"'",
        "Nothing listens on 0.0.0.0:6510",
    ),
    Life("the default route goes after a while", "", "when_late 'ip route del default'", "no default route for IPv4"),
    Life(
        "a file system becomes read-only after a while",
        "mkdir -p /archive; echo 'none /archive tmpfs defaults 0 0' >>/etc/fstab; mount /archive",
        "when_late 'mount -o remount,ro /archive'",
        "/archive cannot be written to",
    ),
    Life(
        "a container ends again and again",
        f"{DOCKER}; echo '/queue always running 0' >>/etc/containers",
        "when_late \"echo '/queue always running 3' >>/etc/containers\"",
        "The container queue has ended 3 times",
    ),
)
RESTARTS = (
    Life(
        "the server restarts by itself",
        "",
        "when_late 'systemctl reboot'",
        "The host has restarted since it was found well",
    ),
)
