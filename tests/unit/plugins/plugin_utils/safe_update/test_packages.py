# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read in what package managers say, and what is decided by it."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from ansible_collections.vpsdotorg.cloud.plugins.plugin_utils.safe_update import record, room
from ansible_collections.vpsdotorg.cloud.plugins.plugin_utils.safe_update.managers import apt, zypper

# From Debian 12.
SAID = """\
NOTE: This is only a simulation!
Reading package lists...
Remv mail-old [1.0-1]
Purg libc6:i386 [2.36-9]
Inst libexpat1 [2.5.0-1] (2.5.0-1+deb12u1 Debian-Security:12/oldstable-security [amd64])
Inst linux-image-6.1.0-40-amd64 (6.1.153-1 Debian:12.12/oldstable [amd64])
Inst linux-image-amd64 [6.1.148-1] (6.1.153-1 Debian:12.12/oldstable [amd64]) []
Inst zlib1g:i386 [1.0] (1.1 Debian:12.12/oldstable [i386])
Conf libexpat1 (2.5.0-1+deb12u1 Debian-Security:12/oldstable-security [amd64])""".splitlines()
KERNELS = ["linux-image-6.1.0-40-amd64", "linux-image-amd64"]


def asked(lines: list[str], rc: int = 0) -> dict[str, Any]:
    return {"stdout_lines": lines, "rc": rc}


@pytest.mark.parametrize(
    ("scope", "exclude", "names"),
    [
        ("full", [], ["libexpat1", *KERNELS, "zlib1g:i386"]),
        ("full", ["linux-*", "unknown", "zlib1g"], ["libexpat1"]),
        ("full", ["zlib1g:i386", "libexpat?"], KERNELS),
        ("full", ["zlib", "LINUX-*", ""], ["libexpat1", *KERNELS, "zlib1g:i386"]),
        ("full", ["*"], []),
        ("security", [], ["libexpat1"]),
    ],
)
def test_pending(scope: str, exclude: list[str], names: list[str]) -> None:
    assert [each["name"] for each in apt.pending(asked(SAID), {"scope": scope, "exclude": exclude}, [])] == names


@pytest.mark.parametrize(
    ("allowed", "names"),
    [
        ([], ["libc6:i386", "mail-old"]),
        (["mail-*"], ["libc6:i386"]),
        (["libc6", "mail-old"], []),
        (["mail"], ["libc6:i386", "mail-old"]),
    ],
)
def test_removals(allowed: list[str], names: list[str]) -> None:
    assert apt.removals(asked(SAID), "full", allowed) == names


def host(**options: Any) -> dict[str, Any]:
    known = {"scope": "full", "exclude": [], "allow_removals": False, "versions_from": None, **options}
    return {
        "manager": "apt",
        "entry": "main",
        "baseline": [],
        "room": room.look([]),
        "failure": None,
        "check_mode": False,
        "options": known,
    }


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({}, "libc6:i386, mail-old"),
        ({"allow_removals": ["mail-old"]}, "libc6:i386"),
        ({"allow_removals": True}, ""),
        ({"allow_removals": ["*"]}, ""),
        ({"exclude": ["libc6", "mail-old"]}, ""),
        ({"scope": "security"}, ""),
    ],
)
def test_what_an_update_would_remove_is_refused(options: dict[str, Any], named: str) -> None:
    failure = record.pending(host(**options), {"asked": {"stdout_lines": SAID}})["failure"]
    assert (failure is not None) == bool(named)
    if failure:
        assert failure["phase"] == "preflight"
        assert failure["reason"].startswith(f"The update would remove {named}. ")


@pytest.mark.parametrize(
    ("options", "said", "rest"),
    [
        ({}, ["Reading package lists..."], ""),
        ({}, SAID[4:5], "libexpat1 2.5.0-1+deb12u1"),
        ({"exclude": ["libexpat1"]}, SAID[4:5], ""),
        # What is new since is the next run's.
        ({}, ["Inst libexpat1 [2.5.0-1+deb12u1] (2.5.0-1+deb12u2 Debian:12 [amd64])"], ""),
        ({"scope": "security"}, SAID[6:], ""),
    ],
)
def test_an_update_that_leaves_what_was_pending_has_failed(options: dict[str, Any], said: list[str], rest: str) -> None:
    before = record.pending(host(allow_removals=True, **options), {"asked": {"stdout_lines": SAID}})
    failure = record.applied(before, {"asked": {"stdout_lines": said}})["failure"]
    assert (failure is not None) == bool(rest)
    if failure:
        assert failure["phase"] == "update"
        assert f"has not installed: {rest}. " in failure["reason"]


# As Ansible's dnf module says it.
RPMS = [
    "Installed: bash-5.1.8-9.el9.x86_64",
    "Installed: kernel-core-5.14.0-503.el9.x86_64",
    "Installed: new-lib-0:1.0-1.el9.noarch",
    "Removed: bash-5.1.8-6.el9.x86_64",
    "Removed: kernel-core-5.14.0-70.el9.x86_64",
    "Removed: old-mail-1.0-1.el9.x86_64",
    "nothing of the kind",
]


@pytest.mark.parametrize(
    ("options", "gone"), [({}, "old-mail.x86_64"), ({"allow_removals": ["old-*"]}, ""), ({"exclude": ["old-mail"]}, "")]
)
def test_what_dnf_would_change_and_remove(options: dict[str, Any], gone: str) -> None:
    found = record.pending({**host(**options), "manager": "dnf"}, {"asked": {"results": RPMS}})
    assert found["pending"] == [
        {"name": "bash.x86_64", "old": "5.1.8-6.el9", "new": "5.1.8-9.el9"},
        {"name": "kernel-core.x86_64", "old": "5.14.0-70.el9", "new": "5.14.0-503.el9"},
        {"name": "new-lib.noarch", "old": "", "new": "0:1.0-1.el9"},
    ]
    assert (found["failure"] or {"reason": ""})["reason"].startswith(f"The update would remove {gone}." if gone else "")
    assert bool(found["failure"]) == bool(gone)


def test_what_dnf_has_left_is_named() -> None:
    known = {**host(allow_removals=True), "manager": "dnf"}
    before = record.pending(known, {"asked": {"results": RPMS}})
    failure = record.applied(before, {"asked": {"results": RPMS[:1] + RPMS[3:4]}})["failure"]
    assert "has not installed: bash.x86_64 5.1.8-9.el9. Look at /var/log/dnf.log" in failure["reason"]
    assert not record.applied(before, {"asked": {"results": []}})["failure"]


def test_an_update_that_nobody_could_be_asked_about_has_failed() -> None:
    assert "lost right after" in record.applied(host(), {"asked": {"unreachable": True}})["failure"]["reason"]


# From zypper 1.14.42; openSUSE's has the same form.
ZYPPER = """\
<?xml version='1.0'?>
<stream>
<message type="info">Loading repository data...</message>
<install-summary download-size="16691" space-usage-diff="2048" packages-to-change="4">
<to-upgrade>
<solvable type="package" name="bash" edition="5.1-9" arch="x86_64" edition-old="5.1-6" summary="&quot;a&quot;">
<description>name="x" edition="y"</description></solvable>
<solvable type="package" name="python3.11" edition="1:3-2" arch="x86_64" edition-old="1:3-1" summary="b">
<description/></solvable>
</to-upgrade>
<to-install>
<solvable type="patch" name="SUSE-2026-1" edition="1" arch="noarch" summary="not a package"/>
<solvable type="package" name="new-lib" edition="1.0-1" arch="noarch" summary="c"/>
</to-install>
<to-remove>
<solvable type="package" name="old-mail" edition="1.0-1" arch="x86_64" summary="d"/>
</to-remove>
</install-summary>
</stream>""".splitlines()
BASH = {"name": "bash.x86_64", "old": "5.1-6", "new": "5.1-9"}
PYTHON = {"name": "python3.11.x86_64", "old": "1:3-1", "new": "1:3-2"}
NEW_KERNEL = '<solvable type="package" name="kernel-default" edition="6.1-1" arch="x86_64" summary="k"/>'
LIBRARY = {"name": "new-lib.noarch", "old": "", "new": "1.0-1"}


@pytest.mark.parametrize(
    ("options", "pending", "gone"),
    [
        ({}, [BASH, PYTHON, LIBRARY], "old-mail.x86_64"),
        ({"allow_removals": ["old-*"]}, [BASH, PYTHON, LIBRARY], ""),
        ({"allow_removals": ["old-mail.x86_64"]}, [BASH, PYTHON, LIBRARY], ""),
        ({"allow_removals": ["old"]}, [BASH, PYTHON, LIBRARY], "old-mail.x86_64"),
        ({"exclude": ["old-mail", "bash", "python3"]}, [PYTHON, LIBRARY], ""),
        ({"exclude": ["python3.11", "*.noarch"], "allow_removals": True}, [BASH], ""),
    ],
)
def test_what_zypper_would_change_and_remove(options: dict[str, Any], pending: list[dict[str, str]], gone: str) -> None:
    found = record.pending({**host(**options), "manager": "zypper"}, {"asked": asked(ZYPPER)})
    assert found["pending"] == pending
    assert (found["failure"] or {"reason": ""})["reason"].startswith(f"The update would remove {gone}." if gone else "")
    assert bool(found["failure"]) == bool(gone)


def test_what_zypper_has_left_is_named() -> None:
    """What is new, too: each package is wanted for its own sake."""
    before = record.pending({**host(allow_removals=True), "manager": "zypper"}, {"asked": asked(ZYPPER)})
    failure = record.applied(before, {"asked": asked(ZYPPER[:7])})["failure"]
    assert "has not installed: bash.x86_64 5.1-9. Look at /var/log/zypp/history" in failure["reason"]
    assert not record.applied(before, {"asked": asked(ZYPPER[:4])})["failure"]


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        ([], 0, ""),
        ([], 102, ""),
        (
            [
                '<prompt id="1">',
                "<description>Problem: patch:SUSE-1.noarch conflicts with bash &lt; 5.1-9",
                " Solution 1: remove lock",
                "</description>",
            ],
            4,
            "Problem: patch:SUSE-1.noarch conflicts with bash < 5.1-9 Solution 1: remove lock. Ask it",
        ),
        (["System management is locked by the application with pid 7 (zypper)."], 7, "locked by the application"),
        ([], 1, "it said nothing"),
        ([], None, "it said nothing"),
    ],
)
def test_what_zypper_does_not_answer_is_not_nothing(said: list[str], code: int, words: str) -> None:
    known = {**host(allow_removals=True), "manager": "zypper"}
    refused = record.pending(known, {"asked": asked(said, code)})["failure"]
    assert (refused or {"reason": ""})["reason"].startswith("zypper cannot say" if words else "")
    failed = record.applied({**known, "pending": [BASH]}, {"asked": asked(said, code)})["failure"]
    for failure in (refused, failed):
        assert words in (failure or {"reason": ""})["reason"]
        assert bool(failure) == bool(words)


def test_what_its_owner_has_locked_zypper_would_not_update() -> None:
    said = ["locked python3*", "locked new-lib", *ZYPPER]
    found = record.pending({**host(allow_removals=True), "manager": "zypper"}, {"asked": asked(said)})
    assert found["pending"] == [BASH]


def test_room_is_what_zypper_says_of_its_sizes() -> None:
    assert room.need(ZYPPER, [], 0) == {"/var": 16691, "/usr": 16691, "/boot": 0}
    assert room.need(['<install-summary download-size="7" space-usage-diff="-9">'], [], 0)["/usr"] == 7


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        (['<message type="info">Repository &apos;lab&apos; is up to date.</message>'], 0, []),
        (
            [
                '<message type="error">Repository &apos;bad&apos; is invalid.',
                "[bad|file:/none] Valid metadata not found at specified URL",
                "</message>",
                '<message type="error">Skipping repository &apos;bad&apos; because of the above error.</message>',
                '<message type="error">Some of the repositories have not been refreshed because of an error.</message>',
            ],
            4,
            ["refreshed: Repository 'bad' is invalid. [bad|file:/none] Valid metadata not found at specified URL. Run"],
        ),
        # An error counts whatever the exit code is, and the other way round.
        (['<message type="error">Could not refresh the repositories.</message>'], 0, ["Could not refresh the"]),
        (["System management is locked by the application with pid 7 (zypper)."], 7, ["locked by the application"]),
        ([], 8, ["zypper refresh ended with 8"]),
    ],
)
def test_lists_that_zypper_could_not_refresh(said: list[str], code: int, words: list[str]) -> None:
    why = zypper.unrefreshed(said, code)
    assert bool(why) == bool(words)
    assert all(each in why for each in words), why
    assert "Skipping" not in why


@pytest.mark.parametrize(
    ("options", "end"),
    [
        ({}, ["update", "--dry-run"]),
        ({"scope": "security"}, ["patch", "--dry-run", "--category", "security", "--with-interactive"]),
        ({"versions_from": "report.json"}, ["install", "--dry-run", "a.noarch=1.1-1", "b.noarch=2:1-1"]),
    ],
)
def test_what_zypper_is_asked_changes_nothing(options: dict[str, Any], end: list[str]) -> None:
    words = zypper.asks({**host(**options), "proven": {"a.noarch": "0:1.1-1", "b.noarch": "2:1-1"}})
    assert words[-len(end) :] == end
    assert {"--dry-run", "--no-refresh", "--non-interactive"} <= set(words)


def test_a_new_kernel_is_named_and_missed_as_any_other_package() -> None:
    """It stands beside the old one, so no old version is told."""
    said = asked(["<to-install>", NEW_KERNEL, NEW_KERNEL])
    known = {**host(scope="security"), "manager": "zypper"}
    before = record.pending(known, {"asked": said})
    (_end, words), *rest = zypper.commands(before)
    assert words[-2:] == ["--auto-agree-with-licenses", "kernel-default.x86_64=6.1-1"]
    assert rest == []
    assert room.need([], before["pending"], 9)["/boot"] == 9
    failure = record.applied(before, {"asked": said})["failure"]
    assert "has not installed: kernel-default.x86_64 6.1-1" in failure["reason"]


def test_zypper_is_asked_nothing_where_nothing_is_proven() -> None:
    """Without a name, it would install what nobody meant."""
    assert zypper.asks({**host(versions_from="report.json"), "proven": {}}) == ["true"]


@pytest.mark.parametrize(("code", "ended"), [(0, 0), (102, 0), (103, 0), (4, 4), (104, 104), (107, 107), (8, 8)])
def test_zypper_has_updated_where_it_only_wants_a_restart(code: int, ended: int) -> None:
    command = ["sh", "-c", zypper.GOOD, "sh", "sh", "-c", f"exit {code}"]
    assert subprocess.run(command, check=False).returncode == ended
