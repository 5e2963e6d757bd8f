# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read in what apt says, and what is decided by it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.vpsdotorg.cloud.plugins.plugin_utils.safe_update import packages, record, room

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
    assert [each["name"] for each in packages.apt_pending(SAID, scope, exclude, [])] == names


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
    assert packages.apt_removals(SAID, allowed) == names


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
