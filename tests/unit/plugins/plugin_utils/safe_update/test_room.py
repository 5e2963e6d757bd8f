# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands in the way of an update: room, locks, repositories, what has failed before."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.vpsdotorg.cloud.plugins.plugin_utils.safe_update import record, room
from ansible_collections.vpsdotorg.cloud.plugins.plugin_utils.safe_update.managers import apt

MIB = 2**20
ONE_DISK = ["room 2097152 400000 /\t/", "room 2097152 400000 /\t/usr", "room 2097152 400000 /\t/var", "end"]
DISKS = [
    "room 1048576 400000 /\t/",
    "room 1048576 400000 /usr\t/usr",
    "room 614400 90000 /var\t/var",
    "room 153600 60 /boot\t/boot",
    "room 9 - /mnt/my disk\t/mnt/my disk",
    "kernel 92160",
    "end",
]
MARGINS = {"/": 500 * MIB, "/usr": 500 * MIB, "/var": 500 * MIB, "/boot": 100 * MIB}
# As Debian's apt-get --print-uris says it.
URIS = """\
12 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.
Need to get {get} of archives.
After this operation, {more} of additional disk space will be used.
'http://deb.example/x.deb' x.deb 1 SHA256:0""".format


def host(lines: list[str], **options: Any) -> dict[str, Any]:
    return {
        "entry": "main",
        "manager": "apt",
        "failure": None,
        "check_mode": False,
        "server": {"status": "active"},
        "pending": [],
        "baseline": [],
        "slots": [],
        "snapshot": {},
        "warnings": [],
        "room": room.look(lines),
        "options": {
            "name_prefix": "safe-update",
            "hold": [],
            "tasks": None,
            "versions_from": None,
            "min_free": MARGINS,
            "scope": "full",
            "exclude": [],
            "allow_removals": False,
            **options,
        },
    }


def reason(found: dict[str, Any]) -> str:
    return (found["failure"] or {"reason": ""})["reason"]


@pytest.mark.parametrize(
    ("lines", "margins", "told"),
    [
        (ONE_DISK, MARGINS, []),
        (ONE_DISK, {"/var": 3 * 1024 * MIB}, ["/ has 2048 MiB free, and 3072 MiB are wanted"]),
        (DISKS, MARGINS, []),
        (DISKS, {**MARGINS, "/boot": 200 * MIB}, ["/boot has 150 MiB free, and 200 MiB are wanted"]),
        (DISKS, {"/mnt/my disk": MIB}, ["/mnt/my disk has 9 KiB free, and 1024 KiB are wanted"]),
        (["room 0 400000 /\t/", "end"], MARGINS, ["/ has 0 KiB free"]),
        (["room 0 400000 /\t/", "end"], {}, []),
        (["room 9999999 0 /\t/", "end"], MARGINS, ["/ has 0 free inodes"]),
        (["room 9999999 - /\t/", "end"], MARGINS, []),
        (["room 9999999 49 /boot\t/boot", "end"], MARGINS, ["/boot has 49 free inodes"]),
        (["readonly /usr", "readonly /boot", "end"], MARGINS, ["/usr, /boot cannot be written to"]),
        (["readonly /usr", "remounts", "end"], MARGINS, []),
        (["end"], MARGINS, []),
    ],
)
def test_room(lines: list[str], margins: dict[str, int], told: list[str]) -> None:
    found = room.refusals(room.look(lines), margins, {})
    assert len(found) == len(told)
    for sentence, begin in zip(found, told, strict=True):
        assert sentence.startswith(begin)
    assert reason(record.rooms(host([], min_free=margins), {"run": {"stdout_lines": lines}})) == " ".join(
        f"{sentence}." for sentence in found
    )


KERNEL = [{"name": "linux-image-6.1.0-40-amd64", "old": "", "new": "1"}]


@pytest.mark.parametrize(
    ("lines", "get", "more", "pending", "told"),
    [
        (ONE_DISK, "300 MB", "900 MB", [], ""),
        (ONE_DISK, "600 MB", "1,200 MB", [], "/ has 2048 MiB free, and 1716 MiB for the update and 500 MiB to spare"),
        (ONE_DISK, "0 B/600 MB", "9,000 kB", [], ""),
        (DISKS, "110 MB", "1 kB", [], "/var has 600 MiB free, and 104 MiB for the update and 500 MiB to spare"),
        (DISKS, "1 kB", "600 MB", [], "/usr has 1024 MiB free, and 572 MiB for the update"),
        (DISKS, "1 kB", "1 kB", KERNEL, "/boot has 150 MiB free, and 90 MiB for the update and 100 MiB to spare"),
        (DISKS, "1 kB", "1 kB", [{"name": "initramfs-tools", "old": "1", "new": "2"}], "/boot has 150 MiB free"),
        (DISKS, "1 kB", "1 kB", [{"name": "linux-base", "old": "1", "new": "2"}], ""),
    ],
)
def test_room_for_this_very_update(lines: list[str], get: str, more: str, pending: list[Any], told: str) -> None:
    said = {"stdout_lines": URIS(get=get, more=more).splitlines()}
    why = reason(record.sized({**host(lines), "pending": pending}, {"run": said}))
    assert why.startswith(told)
    assert bool(why) == bool(told)


def test_apt_that_says_no_size_needs_none() -> None:
    assert room.need(["E: Packages need to be removed but remove is disabled."], [], 0) == {
        "/var": 0,
        "/usr": 0,
        "/boot": 0,
    }


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "lock /var/lib/dpkg/lock-frontend 812 /usr/bin/python3 /usr/bin/unattended-upgrade",
            "process 812 (/usr/bin/py",
        ),
        ("lock /var/lib/apt/lists/lock 9 ", "process 9 (unknown) holds /var/lib/apt/lists/lock"),
        (
            "unit safe-update-20260131T020000Z.service",
            "safe-update-20260131T020000Z.service runs: the update of an earl",
        ),
    ],
)
def test_who_is_at_work_is_named(line: str, told: str) -> None:
    failure = record.rooms(host([]), {"run": {"stdout_lines": [line, "end"]}})["failure"]
    assert failure["reason"].startswith(f"A package manager is at work on the host: {told}")
    assert failure["phase"] == "preflight"


@pytest.mark.parametrize(
    ("code", "said", "told"),
    [
        (0, ["Hit:1 http://deb.example x", "Reading package lists..."], []),
        (0, ["W: Target Packages is configured multiple times in /etc/apt/sources.list:1"], []),
        (
            0,
            [
                "W: An error occurred during the signature verification. The repository is not updated and the "
                "previous index files will be used. GPG error: https://shop.example x InRelease: The following "
                "signatures were invalid: EXPKEYSIG 0123456789ABCDEF Shop <shop@shop.example>",
                "W: Failed to fetch https://shop.example/x/InRelease  The following signatures were invalid: EXPKEYSIG",
                "W: Some index files failed to download. They have been ignored, or old ones used instead.",
            ],
            ["https://shop.example", "EXPKEYSIG", "install its new key"],
        ),
        (
            100,
            [
                "W: GPG error: https://shop.example x InRelease: The following signatures couldn't be verified because "
                "the public key is not available: NO_PUBKEY 0123456789ABCDEF",
                "E: The repository 'https://shop.example x InRelease' is not signed.",
                "N: Updating from such a repository can't be done securely, and is therefore disabled by default.",
            ],
            ["NO_PUBKEY 0123456789ABCDEF; The repository 'https://shop.example x InRelease'", "install its new key"],
        ),
        (
            100,
            [
                "Err:2 http://gone.example x Release",
                "  404  Not Found [IP: 192.0.2.1 80]",
                "E: The repository 'http://gone.example x Release' does not have a Release file.",
            ],
            ["'http://gone.example x Release' does not have a Release file", "take out its entry"],
        ),
        (
            0,
            ["W: Failed to fetch http://dead.example/InRelease  Could not resolve 'dead.example'"],
            ["Could not resolve 'dead.example'", "name resolution"],
        ),
        (100, ["E: Release file for http://old.example is expired (invalid since 3d)."], ["is expired", "out of date"]),
        (
            100,
            ["E: Could not get lock /var/lib/apt/lists/lock. It is held by process 812 (apt-get)"],
            ["held by process 812 (apt-get)"],
        ),
        (100, ["E: Type 'debb' is not known on line 1 in source list /etc/apt/sources.list"], ["Type 'debb'"]),
        # As apt 3 says it.
        (
            100,
            [
                "Err:3 http://shop.example x InRelease",
                "Warning: OpenPGP signature verification failed: http://shop.example x InRelease: Missing key 0123",
                "Error: The repository 'http://shop.example x InRelease' is not signed.",
                "Notice: Updating from such a repository can't be done securely.",
            ],
            ["Missing key 0123; The repository 'http://shop.example x InRelease' is not signed", "install its new key"],
        ),
        (1, ["something else"], ["something else"]),
        (1, [], ["said nothing"]),
    ],
)
def test_repositories(code: int, said: list[str], told: list[str]) -> None:
    why = apt.unrefreshed(said, code)
    assert bool(why) == bool(told)
    assert all(each in why for each in told), why
    assert "index files failed" not in why
    assert reason(record.refreshed(host([]), {"run": {"stderr_lines": said, "rc": code}})).startswith(why)


NOTE = "shop-db 2.0\n\nSetting up shop-db (2.0) ...\nno database: caf\xe9\ndpkg: error processing package shop-db\n"
BASELINE = ["package shop-db:all 2.0,half-configured", "package zlib1g:amd64 1", "unfinished shop-db"]


@pytest.mark.parametrize(
    ("note", "baseline", "said", "refused"),
    [
        (NOTE, BASELINE, [], True),
        ("", BASELINE, [], False),
        (NOTE, [], [], False),
        (NOTE.replace("2.0\n", "1.9\n", 1), BASELINE, [], False),
        (NOTE, [*BASELINE, "unfinished zlib1g"], [], False),
        (NOTE, BASELINE, ["Inst zlib1g [1] (2 Debian:12 [amd64])"], False),
        (NOTE.replace("shop-db 2.0", "shop-db 2.0\nzlib1g:amd64 1", 1), [*BASELINE, "unfinished zlib1g"], [], True),
    ],
)
def test_what_has_failed_before_costs_no_second_snapshot(
    note: str, baseline: list[str], said: list[str], refused: bool
) -> None:
    encoded = base64.b64encode(note.encode("latin-1")).decode()
    known = {**host([f"before {encoded[:20]}", f"before {encoded[20:]}", "end"]), "baseline": baseline}
    why = reason(record.pending(known, {"asked": {"stdout_lines": said}}))
    assert bool(why) == refused
    if refused:
        assert "has failed before: no database: caf\\xe9 / dpkg: error processing package shop-db. Mend it" in why
