# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which commands the built-in update runs, and what is read in how they ended."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.vpsdotorg.cloud.plugins.plugin_utils.safe_update import record, update

POSTINST = """\
Setting up zlib1g (1.1) ...
all is well with zlib1g
Setting up shop-db (2.0) ...
shop-db: cannot connect to the database: caf\xe9
dpkg: error processing package shop-db (--configure):
 installed shop-db package post-installation script subprocess returned error exit status 1
Errors were encountered while processing:
 shop-db
E: Sub-process /usr/bin/dpkg returned an error code (1)
"""


def host(manager: str = "apt", unfinished: tuple[str, ...] = (), **options: Any) -> dict[str, Any]:
    return {
        "entry": "main",
        "manager": manager,
        "timeline": [{"phase": "begin", "end": "2026-01-31T02:00:00Z"}],
        "unfinished": list(unfinished),
        "pending": [{"name": "a", "old": "0", "new": "1"}, {"name": "b", "old": "0", "new": "2"}],
        "failure": None,
        "options": {
            "scope": "full",
            "exclude": [],
            "allow_removals": False,
            "versions_from": None,
            "timeout": 9,
            **options,
        },
    }


def encoded(printed: bytes) -> str:
    return base64.b64encode(printed).decode()


@pytest.mark.parametrize(
    ("known", "ends"),
    [
        (host(), ["apt-get --yes --quiet ... --no-remove dist-upgrade"]),
        (host(allow_removals=["x"]), ["apt-get --yes --quiet ... dist-upgrade"]),
        (host(scope="security"), ["apt-get --yes --quiet ... --no-remove install --only-upgrade a=1 b=2"]),
        (
            host(unfinished=("x",), allow_removals=True),
            ["dpkg --force-confdef --force-confold --configure --pending", "apt-get --yes --quiet ... dist-upgrade"],
        ),
        (host("dnf"), ["dnf --assumeyes upgrade"]),
        (
            host("dnf", scope="security", exclude=["x", "y*"]),
            ["dnf --assumeyes upgrade --security --exclude=x --exclude=y*"],
        ),
        (host("zypper"), ["zypper --non-interactive --no-refresh update --auto-agree-with-licenses"]),
        (
            host("zypper", scope="security", exclude=["x"]),
            ["zypper --non-interactive --no-refresh install --auto-agree-with-licenses a=1 b=2"],
        ),
    ],
)
def test_commands(known: dict[str, Any], ends: list[str]) -> None:
    launches = update.commands(known)
    assert [launch["name"] for launch in launches] == [
        "safe-update-20260131T020000Z-configure",
        "safe-update-20260131T020000Z",
    ][-len(launches) :]
    for launch, end in zip(launches, ends, strict=True):
        words = " ".join(launch["words"])
        first, _dots, last = end.partition(" ... ")
        assert words.startswith("env DEBIAN_FRONTEND=noninteractive ")
        assert f" {first} " in f"{words} "
        assert words.endswith(last or first)


@pytest.mark.parametrize(
    ("printed", "text"),
    [
        (b"", ""),
        (b"plain\r\n", "plain\n"),
        ("gr\u00fcn\n".encode(), "gr\u00fcn\n"),
        (b"caf\xe9", "caf\\xe9"),
        (b"\x1b[31mred\x1b[0m \x07\x00", "red \\x07\\x00"),
        (b"\x1b]0;title\x07x", "x"),
        (b"1%\r50%\r100%\ndone", "100%\ndone"),
        ("\u202eback\u2028x".encode(), "\\u202eback\\u2028x"),
        (b"cut \xe2\x82", "cut \\xe2\\x82"),
    ],
)
def test_readable_whatever_bytes_they_are(printed: bytes, text: str) -> None:
    assert update.readable(encoded(printed)) == text


def test_what_is_no_base64_is_nothing() -> None:
    assert update.readable("a") == ""


@pytest.mark.parametrize(
    ("said", "begins", "told"),
    [
        (["state ended", "result success", "status 0"], "", ""),
        (["state none"], "The connection was lost before the update began", ""),
        (["state running"], "The update was not over 9 s", "systemctl status"),
        ([], "The update was not over 9 s", ""),
        (["state ended", "result timeout", "status 15"], "The update was not over after 9 s", "belongs to it"),
        (["state ended", "result exit-code", "status 100"], "The package manager failed (exit-code, 100): it said", ""),
        (["state ended", "result signal", "status 9"], "The package manager was ended from outside (signal, 9)", ""),
    ],
)
@pytest.mark.parametrize("printed", [b"", POSTINST.encode("latin-1")])
def test_how_it_ended(said: list[str], begins: str, told: str, printed: bytes) -> None:
    printed_lines = [f"printed {encoded(printed)}"] if printed and said[:1] == ["state ended"] else []
    if printed_lines:
        begins = begins.replace("it said", "shop-db: cannot connect to the database: caf\\xe9 / dpkg: error processing")
    failure = record.ended(host(), {"run": {"stdout_lines": [*said, *printed_lines]}})["failure"]
    assert (failure is not None) == bool(begins)
    if failure:
        assert failure["phase"] == "update"
        assert failure["reason"].startswith(begins)
        assert told in failure["reason"]
        assert "zlib1g" not in failure["reason"]


def test_a_long_reason_keeps_its_two_ends() -> None:
    lines = ["Setting up x (1) ...", "the cause", *["noise of a script"] * 999, "E: the end"]
    told = update.reason("\n".join(lines))
    assert told.startswith("the cause / ")
    assert told.endswith("E: the end")
    assert len(told) < update.LONGEST + 10


def test_without_an_error_the_last_step_is_told() -> None:
    assert update.reason("Setting up x (1) ...\nfine\nSetting up y (1) ...\nwaiting for z\n") == "waiting for z"
