# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdict on looks at a host: what fails it, what is only a difference, what is waited for."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.vpsdotorg.cloud.plugins.plugin_utils.safe_update import evidence, judgement
from ansible_collections.vpsdotorg.cloud.plugins.plugin_utils.safe_update.judgement import comparison

# What the collector printed on a Debian 12 server, most units and packages left out.
LOOK = (Path(__file__).parent / "looks" / "debian.txt").read_text(encoding="utf-8").splitlines()
NGINX = "nginx.service"


def unit(look: list[str], name: str, **properties: str) -> list[str]:
    """A look with other properties of a unit; one with None is left out, and without any the unit is."""

    def changed(line: str) -> str:
        fields = dict(part.partition("=")[::2] for part in line.split("\t")[1:])
        fields.update(properties)
        return "\t".join(["unit", *(f"{key}={value}" for key, value in fields.items() if value)])

    is_it = re.compile(rf"\tId={re.escape(name)}(\t|$)")
    lines = [changed(line) if is_it.search(line) else line for line in look]
    return lines if properties else [line for line in lines if not is_it.search(line)]


def without(look: list[str], *beginnings: str) -> list[str]:
    return [line for line in look if not line.startswith(beginnings)]


def booted(look: list[str]) -> list[str]:
    return [*without(look, "boot ", "end"), "boot another", "end"]


def port(look: list[str], old: str, new: str) -> list[str]:
    return [line.replace(old, new) for line in look]


def stopped(name: str, look: list[str] = LOOK, **more: str) -> list[str]:
    return unit(look, name, ActiveState="inactive", SubState="dead", MainPID="", **more)


def failing(name: str, look: list[str] = LOOK) -> list[str]:
    return unit(look, name, ActiveState="failed", SubState="failed", Result="exit-code", MainPID="")


def starting(name: str, look: list[str] = LOOK, limit: str = "1min 30s", since: float = 6710) -> list[str]:
    state = {"ActiveState": "activating", "SubState": "start", "MainPID": ""}
    return unit(look, name, **state, TimeoutStartUSec=limit, StateChangeTimestampMonotonic=str(int(since * 1e6)))


# A service of a package that is installed and was never started.
FRESH = [
    *LOOK,
    "unit\tId=fresh.service\tNames=fresh.service\tType=simple\tActiveState=inactive\tSubState=dead",
    "owner fresh.service fresh",
    "package fresh:amd64 1",
    "end",
]


def _without_boot(look: list[str], name: str) -> list[str]:
    """A unit that no target pulls in any more."""
    return [line.replace(f" {name}", "") if "Id=multi-user.target" in line else line for line in look]


FAILURES = {
    "a service is stopped": (stopped(NGINX), f"{NGINX} does not run any more"),
    "a service is stopped and disabled": (
        [*unit(LOOK, NGINX), f"unit-file {NGINX} disabled", "end"],
        f"{NGINX} does not run any more, and is disabled now",
    ),
    "a service is gone": (unit(LOOK, NGINX), f"{NGINX} is gone"),
    "a service has failed": (failing(NGINX), f"{NGINX} has failed (exit-code)"),
    "a service is between two crashes": (
        unit(LOOK, NGINX, ActiveState="activating", SubState="auto-restart"),
        f"{NGINX} ends again and again",
    ),
    "a service has no process left": (unit(LOOK, NGINX, SubState="exited"), f"{NGINX} has no process any more"),
    "an instance is stopped": (stopped("worker@1.service"), "worker@1.service does not run"),
    "a socket is stopped": (stopped("idle.socket"), "idle.socket does not run"),
    "a timer is stopped": (stopped("backup.timer"), "backup.timer does not run"),
    "a port is closed": (without(LOOK, "listen tcp 00000000:18AA"), "Nothing listens on 0.0.0.0:6314 any more (nginx"),
    "a port is on the loopback only": (
        port(LOOK, "00000000:18AA", "0100007F:18AA"),
        "Nothing listens on 0.0.0.0:6314 any more (nginx.service), only on 127.0.0.1:6314",
    ),
    "a port is on IPv6 only": (
        [*port(LOOK, "tcp 00000000:18AA", f"tcp6 {'0' * 32}:18AA"), "only6 [::]:6314", "end"],
        "Nothing listens on 0.0.0.0:6314",
    ),
    "the port of a socket is closed": (
        without(LOOK, "listen tcp 0100007F:18A6"),
        "Nothing listens on 127.0.0.1:6310 any more (printer.socket)",
    ),
    "the port of a child is closed": (without(LOOK, "listen tcp 00000000:18AF"), "(manager.service)"),
    "an administrator listens in its place": (
        port(LOOK, "18AA 360 1 ", "18AA 360 session "),
        "Nothing listens on 0.0.0.0:6314 any more",
    ),
    "there is no IPv4 any more": (without(LOOK, "route IPv4"), "There is no default route for IPv4 any more"),
    "resolv.conf is empty": (without(LOOK, "nameserver", "name "), "/etc/resolv.conf names no server any more"),
    "names are not answered": (port(LOOK, " yes", " no"), "Names are not resolved any more (asked for deb.example)"),
    "fstab's file system is gone": (without(LOOK, "mount /srv/a"), "/srv/a b is not mounted any more"),
    "the root is read-only": (port(LOOK, "mount / overlay rw", "mount / overlay ro"), "/ cannot be written to"),
    "a file system is full": ([*LOOK, "full /srv/a\\040b", "end"], "/srv/a b is full"),
    "the interface has no address": (
        without(LOOK, "address 10.77.0.11"),
        "eth0 has no IPv4 address any more (it had 10.77.0.11)",
    ),
    "a service runs and is switched off": (
        [*_without_boot(LOOK, NGINX), f"unit-file {NGINX} disabled", "end"],
        f"{NGINX} runs, but would not start at boot any more: it is disabled now",
    ),
    "a package is half installed": ([*LOOK, "unfinished dbus", "end"], "The package dbus is not completely installed"),
    "systemd is dead": (without(LOOK, "unit\t"), "systemd did not answer"),
    "the host says nothing": ([], "The host did not answer"),
}
DIFFERENCES = {
    "a timer's job has ended": (stopped("backup.service"), "backup.service ran before"),
    "a socket's service is idle": (stopped("idle.service"), "idle.service ran before"),
    "a wanted service waits for its socket": (
        stopped("printer.service", TriggeredBy="printer.socket"),
        "printer.service waits until it is asked for",
    ),
    "a timer's job has failed": (failing("byhand.service"), "byhand.service has failed (exit-code); boot does not"),
    "a transient unit is gone": (unit(LOOK, "tunnel.service"), "tunnel.service ran before"),
    "the port of a session is closed": (without(LOOK, "listen tcp 0100007F:177B"), "127.0.0.1:6011"),
    "a snap's old revision is gone": (unit(LOOK, "snap-core-1.mount"), "snap-core-1.mount is gone"),
    "a service listens on all addresses": (port(LOOK, "0100007F:18AB", "00000000:18AB"), ""),
    "a service listens on both kinds": (port(LOOK, "tcp 00000000:18AC", f"tcp6 {'0' * 32}:18AC"), ""),
    "a random port is another one": (port(LOOK, "00000000:821D", "00000000:9999"), ""),
    "a DHCP client has closed its port": (without(LOOK, "listen udp"), ""),
    "a file system with noauto is unmounted": (without(LOOK, "mount /mnt/stick"), "/mnt/stick is not mounted any more"),
    "a oneshot has run": (stopped("seed.service"), ""),
    "resolv.conf names another server": (port(LOOK, "nameserver 192.0.2.53", "nameserver 127.0.0.53"), "127.0.0.53"),
    "an address is gone, and who listened on it": (
        without(port(LOOK, "x", "x"), "listen tcp 0B004D0A"),
        "",
    ),
    "a service has another name and an alias": (
        unit(LOOK, "mysql.service", Id="mariadb.service", Names="mariadb.service mysql.service"),
        "",
    ),
    "a floating address has gone": (port(LOOK, "10.77.0.11 eth0", "10.77.0.12 eth0"), ""),
    "a file system that fstab does not name is full": ([*LOOK, "full /snap/core/1", "end"], ""),
    "the interface of containers is gone": (without(LOOK, "address 172.17.0.1"), ""),
    "a service that nobody ran fails": (
        [*failing("fresh.service", FRESH), "package fresh:amd64 2", "end"],
        "fresh.service has failed (exit-code); it did not run before either",
    ),
    "somebody listens on a new port": ([*LOOK, "listen tcp 00000000:0050 9 1 /system.slice/new.service"], "0.0.0.0:80"),
}


# What was before where it is not LOOK.
BEFORES = {
    "a service that nobody ran fails": FRESH,
    "the interface of containers is gone": [*LOOK, "address 172.17.0.1 docker0", "end"],
}


def with_names(look: list[str]) -> list[str]:
    return [*without(look, "end"), "nameserver 192.0.2.53", "name deb.example yes", "end"]


def judged(now: list[str], before: list[str] = LOOK, **more: Any) -> dict[str, Any]:
    return judgement.judge(before, now, **more)


BEFORE = with_names(LOOK)


def late(look: list[str]) -> list[str]:
    """What the tables changed in LOOK, with names that are answered."""
    is_about_names = any(line.startswith(("nameserver", "name ")) for line in look)
    return look if is_about_names or not look else with_names(look)


def test_the_same_look_is_as_before() -> None:
    found = judged(BEFORE, BEFORE)
    assert found == {"failures": [], "differences": [], "settling": [], "patience": 0}


def test_a_restart_alone_is_as_before() -> None:
    assert judged(booted(BEFORE), BEFORE)["failures"] == []


@pytest.mark.parametrize("what", FAILURES)
def test_failures(what: str) -> None:
    now, said = FAILURES[what]
    now = {
        "resolv.conf is empty": without(BEFORE, "nameserver", "name "),
        "names are not answered": port(BEFORE, " yes", " no"),
    }.get(what, late(now))
    found = judged(now, BEFORE, last=BEFORE)
    assert len(found["failures"]) >= 1
    assert said in "; ".join(found["failures"])


@pytest.mark.parametrize("what", DIFFERENCES)
def test_differences(what: str) -> None:
    now, said = DIFFERENCES[what]
    now = port(BEFORE, "192.0.2.53", "127.0.0.53") if "resolv.conf" in what else late(now)
    found = judged(now, with_names(BEFORES.get(what, LOOK)), last=BEFORE)
    assert found["failures"] == []
    assert said in "; ".join(found["differences"])


@pytest.mark.parametrize(
    ("now", "patience"),
    [
        (starting(NGINX), 592),
        (starting(NGINX, limit="infinity"), 592),
        (starting(NGINX, limit="20min"), 1192),
        ([*stopped(NGINX), f"job {NGINX} start waiting", "end"], 600),
        (starting(NGINX, since=5000), 0),
    ],
)
def test_what_is_starting_is_waited_for(now: list[str], patience: int) -> None:
    found = judged(now)
    assert (found["patience"], bool(found["failures"])) == (patience, not patience)


def test_a_port_has_time_after_its_service_has_started() -> None:
    young = unit(LOOK, NGINX, ActiveEnterTimestampMonotonic=str(int(6700 * 1e6)))
    found = judged(without(young, "listen tcp 00000000:18AA"))
    assert (found["failures"], found["patience"]) == ([], 72)


@pytest.mark.parametrize(
    ("earlier", "now"),
    [
        (stopped(NGINX), stopped(NGINX)),
        (LOOK, failing(NGINX)),
        (without(LOOK, "listen tcp 00000000:18AA"), without(LOOK, "listen tcp 00000000:18AA")),
        (without(LOOK, "route"), without(LOOK, "route")),
        (without(LOOK, "mount /srv/a"), without(LOOK, "mount /srv/a")),
    ],
)
def test_what_was_restless_before_proves_nothing(earlier: list[str], now: list[str]) -> None:
    before = unit(LOOK, NGINX, NRestarts="4")
    found = judged(now, before, earlier=earlier, last=before)
    assert found["failures"] == []
    assert "not steady before" in "; ".join(found["differences"])


@pytest.mark.parametrize(
    ("before", "times", "level"),
    [
        ("", 1, "failures"),
        ("", 3, "failures"),
        ("7", 1, "differences"),
        ("7", 2, "failures"),
        ("", 0, ""),
    ],
)
def test_a_service_that_is_started_again_and_again(before: str, times: int, level: str) -> None:
    first = unit(LOOK, NGINX, NRestarts=before, ActiveEnterTimestampMonotonic="1000")
    found = judged(first, first, last=first, restarts={NGINX: times})
    assert [key for key in ("failures", "differences") if found[key]] == [level] * bool(level)


def test_a_restart_that_nobody_asked_for_is_not_forgotten_by_the_next_look() -> None:
    known = judgement.count_restarts({}, LOOK, booted(LOOK))
    for last, now in ((LOOK, booted(LOOK)), (booted(LOOK), booted(LOOK))):
        found = judged(now, last=last, restarts=known)
        assert found["failures"] == ["The host has restarted since it was found well, and nobody asked it to"]


def test_restarts_are_counted_over_a_restart_by_hand() -> None:
    looks = [unit(LOOK, NGINX, NRestarts=count) for count in ("5", "6", "", "1", "3")]
    known: dict[str, int] = {}
    for last, now in itertools.pairwise(looks):
        known = judgement.count_restarts(known, last, now)
    assert known == {NGINX: 4}
    assert judgement.count_restarts(known, looks[-1], booted(LOOK)) == {**known, "boot": 1}
    assert judgement.count_restarts({}, looks[-1], []) == {}


@pytest.mark.parametrize(
    ("glob", "now"),
    [
        ("service nginx.service", stopped(NGINX)),
        ("service nginx", failing(NGINX)),
        ("port 6314", without(LOOK, "listen tcp 00000000:18AA")),
        ("port 0.0.0.0:*", without(LOOK, "listen tcp 00000000:18AA")),
        ("mount /srv/*", without(LOOK, "mount /srv/a")),
        ("route IPv4", without(LOOK, "route")),
    ],
)
def test_what_is_to_be_ignored(glob: str, now: list[str]) -> None:
    assert judged(now, last=LOOK)["failures"] != []
    assert judged(now, last=LOOK, ignore=[glob])["failures"] == []
    assert judged(now, last=LOOK, ignore=["service *.nothing", "port 1"])["failures"] != []


def test_a_unit_that_its_package_calls_otherwise_is_not_missing() -> None:
    before = [*LOOK, "owner mysql.service mysql-server", "package mysql-server:amd64 5", "end"]
    now = unit(LOOK, "mysql.service", Id="mariadb.service", Names="mariadb.service", FragmentPath="/x/mariadb.service")
    now = [line.replace(" mysql.service", " mariadb.service") for line in now]
    now = [*now, "owner mariadb.service mariadb-server", "package mariadb-server:amd64 10", "end"]
    found = judged(now, before)
    assert found["failures"] == []
    assert "mysql.service is gone, and mariadb.service has come in its place" in found["differences"]


def test_a_unit_of_an_updated_package_that_fails_is_the_update_s() -> None:
    before = [*LOOK, "owner byhand.service fresh", "package fresh:amd64 1", "end"]
    now = [*failing("byhand.service"), "owner byhand.service fresh", "package fresh:amd64 2", "end"]
    assert judged(now, before)["failures"] == ["byhand.service has failed (exit-code)"]


def test_a_host_without_systemd_is_judged_by_its_daemons() -> None:
    def plain(*lines: str) -> list[str]:
        return ["boot 1", "listen tcp 00000000:0016 1 0 /", *lines, "end"]

    before = plain("listen tcp 00000000:0050 70 1 /", "listen tcp 0100007F:177A 80 79 /")
    assert judged(plain(), before)["failures"] == ["Nothing listens on 0.0.0.0:80 any more (process 70)"]
    assert len(judged(plain(), before)["differences"]) == 1


@pytest.mark.parametrize(
    ("running", "installed", "newer"),
    [
        ("6.1.0-18-amd64", ["6.1.0-18-amd64", "6.1.0-21-amd64"], "6.1.0-21-amd64"),
        ("6.1.0-21-amd64", ["6.1.0-9-amd64", "6.1.0-21-amd64"], ""),
        ("6.1.0-18-cloud-amd64", ["6.1.0-18-cloud-amd64", "6.1.0-21-amd64"], ""),
        ("6.8.0-31-generic", ["6.8.0-31-generic", "6.8.0-40-generic"], "6.8.0-40-generic"),
        ("5.14.0-427.el9.x86_64", ["5.14.0-427.el9.x86_64", "5.14.0-503.el9.x86_64"], "5.14.0-503.el9.x86_64"),
        ("6.18.44-host", ["6.1.0-21-amd64"], ""),
        ("6.1.0-18-amd64", [], ""),
    ],
)
def test_a_newer_kernel_asks_for_a_restart(running: str, installed: list[str], newer: str) -> None:
    look = [f"kernel {running}", *(f"kernel-installed {each}" for each in installed)]
    assert evidence.newer_kernel(look) == newer
    assert evidence.asks_for_restart(look) == bool(newer)


@pytest.mark.parametrize(
    ("span", "value"),
    [("1min 30s", 90), ("infinity", 0), ("", 0), ("2h 5min", 7500), ("500ms", 0.5), ("1d", 86400)],
)
def test_spans(span: str, value: float) -> None:
    assert comparison.seconds(span) == value


def test_a_look_that_was_cut_off_is_none() -> None:
    assert evidence.lines({"stdout_lines": LOOK}) == LOOK
    assert evidence.lines({"stdout_lines": LOOK[:-1]}) == evidence.lines(None) == []


@pytest.mark.parametrize("line", ["listen tcp xyz:0016 1 1 /", "listen", "unit\t", "mount", "job", "strange 1", "\x00"])
def test_lines_that_nobody_understands_are_left_out(line: str) -> None:
    assert judged([line, *LOOK])["failures"] == []


GONE = "obsolete.service"


@pytest.mark.parametrize(
    ("may_go", "level"),
    [
        (True, "differences"),
        (["obsolete"], "differences"),
        (["obs*"], "differences"),
        (["other"], "failures"),
        (False, "failures"),
    ],
)
def test_what_was_to_be_removed_is_missed_by_nobody(may_go: Any, level: str) -> None:
    before = [line.replace(NGINX, GONE) for line in [*LOOK, f"owner {NGINX} obsolete", "package obsolete:all 1", "end"]]
    now = without(unit(before, GONE), "package obsolete", "owner obsolete", "listen tcp 00000000:18AA")
    found = judged(now, before, may_go=may_go)
    assert [key for key in ("failures", "differences") if found[key]] == [level]


def container(policy: str, state: str, restarts: int = 0, health: str = "") -> list[str]:
    return [*LOOK, f"container web {policy} {state} {restarts} {health}".strip(), "end"]


@pytest.mark.parametrize(
    ("before", "now", "level"),
    [
        (container("always", "running"), container("always", "running"), ""),
        (container("always", "running"), container("always", "exited"), "failures"),
        (container("unless-stopped", "running"), LOOK, "failures"),
        (container("always", "running"), container("always", "restarting"), "failures"),
        (container("always", "running", 0, "healthy"), container("always", "running", 0, "unhealthy"), "failures"),
        (container("always", "running", 0, "unhealthy"), container("always", "running", 0, "unhealthy"), ""),
        (container("always", "running"), container("always", "running", 3), "failures"),
        (container("no", "running"), container("no", "exited"), "differences"),
        (container("always", "exited"), container("always", "exited"), ""),
    ],
)
def test_containers(before: list[str], now: list[str], level: str) -> None:
    found = judged(now, before, last=before, restarts=judgement.count_restarts({}, before, now))
    assert [key for key in ("failures", "differences") if found[key]] == [level] * bool(level)


def test_containers_have_time_after_docker_has_started() -> None:
    docker = "unit\tId=docker.service\tNames=docker.service\tActiveState=active\tActiveEnterTimestampMonotonic="
    before = [*container("always", "running"), f"{docker}1", "end"]
    now = [*container("always", "exited"), f"{docker}{int(6700 * 1e6)}", "end"]
    found = judged(now, before)
    assert (found["failures"], found["patience"]) == ([], 102)


def test_the_services_of_a_user_who_lingers_are_wanted() -> None:
    one = "listen tcp 00000000:1F90 900 session /user.slice/user-1000.slice/user@1000.service/app.slice/app.service"
    user = "unit\tId=user@1000.service\tNames=user@1000.service\tActiveState=active\tSubState=running"
    said = ["Nothing listens on 0.0.0.0:8080 any more (user@1000.service)"]
    assert judged([*LOOK, "linger 1000", user, "end"], [*LOOK, "linger 1000", user, one, "end"])["failures"] == said
    assert judged([*LOOK, user, "end"], [*LOOK, user, one, "end"])["failures"] == []


def test_a_socket_is_not_needed_where_its_service_listens_itself() -> None:
    now = [*stopped("printer.socket"), "end"]
    assert "printer.socket is not needed: its service listens itself" in judged(now)["differences"]
    alone = without(now, "listen tcp 0100007F:18A6")
    assert "printer.socket does not run any more" in judged(alone)["failures"]


def test_what_a_port_s_service_may_do_is_its_port_s_too() -> None:
    now = without(stopped(NGINX), "listen tcp 00000000:18AA")
    assert judged(now, ignore=["service nginx"])["failures"] == []
