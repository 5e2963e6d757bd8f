# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""What stands in the way of an update before it begins, as files/room.sh tells it: room, locks, old failures. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from . import update

# Where an update writes: what a path needs beside its margin is said by the package manager.
ARCHIVES, INSTALLED, KERNELS = "/var", "/usr", "/boot"
PATHS = ("/", INSTALLED, ARCHIVES, KERNELS)
# Free inodes: a package of headers alone has tens of thousands of files. Kernels are few.
INODES = 5000
INODES_OF_KERNELS = 50
KINDS = ("manager", "lists", "room", "readonly", "kernel", "lock", "unit", "unended", "before")
# What Ansible calls the package manager of a command.
MANAGERS = {"apt-get": "apt", "dnf5": "dnf"}
UNITS = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
NEED = re.compile(r"Need to get (?:[\d.,]+ ?[kMGT]?B/)?(?P<get>[\d.,]+ ?[kMGT]?B) of archives")
# What zypper says of both, in bytes.
SUMMARY = re.compile(r'download-size="(?P<get>\d+)" space-usage-diff="(?P<more>-?\d+)"')
MORE = re.compile(r"After this operation, (?P<more>[\d.,]+ ?[kMGT]?B) of additional disk space")
# What brings a kernel, or has the files of one written anew.
KERNEL = re.compile(
    r"(linux-image-\d|linux-firmware|firmware-|initramfs-tools|dracut|kernel(-core|-default|-default-base|-azure|-rt|-64kb)?\.|kernel-firmware|ucode-)"
)


def look(lines: Iterable[str]) -> dict[str, Any]:
    """The facts of files/room.sh, by what they are; ``heard`` says whether it was heard to the end."""
    said = [line.rstrip("\r") for line in lines]
    of = {kind: [line.split(" ", 1)[1] for line in said if line.startswith(f"{kind} ")] for kind in KINDS}
    rooms = []
    for line in of["room"]:
        free, inodes, rest = line.split(" ", 2)
        mount, _tab, path = rest.partition("\t")
        rooms.append(
            {
                "path": path,
                "mount": mount,
                "free": int(free) * 1024,
                "inodes": int(inodes) if inodes.isdigit() else None,
            }
        )
    before, _blank, words = update.readable("".join(of["before"])).partition("\n\n")
    return {
        "heard": "end" in said,
        "manager": next((MANAGERS.get(each, each) for each in of["manager"]), ""),
        # When they were refreshed last, in seconds since 1970; 0 where nobody knows.
        "lists": next((int(each) for each in of["lists"] if each.isdigit()), 0),
        "systemd": "systemd" in said,
        "rooms": rooms,
        "readonly": of["readonly"],
        "remounts": "remounts" in said,
        "kernel": 1024 * int(of["kernel"][0]) if of["kernel"] else 0,
        "busy": [*(_holder(line) for line in of["lock"]), *(_unit(line) for line in of["unit"])],
        # The snapshots from before runs that began to change the host and did not come to their end.
        "unended": of["unended"],
        "before": {"packages": [line for line in before.split("\n") if line], "words": words},
    }


def need(said: Iterable[str], pending: Iterable[Mapping[str, str]], kernel: int) -> dict[str, int]:
    """The bytes that an update needs, by path.

    :param said: What ``apt-get --print-uris``, or zypper's summary, says of its sizes.
    :param kernel: What the files of the running kernel take.
    """
    text = "\n".join(said)
    get, more, both = NEED.search(text), MORE.search(text), SUMMARY.search(text)
    archives = int(both["get"]) if both else _bytes(get["get"]) if get else 0
    # Of what is unpacked, the old files stay until the new ones are there.
    installed = max(int(both["more"]) if both else _bytes(more["more"]) if more else 0, archives)
    boot = kernel if any(KERNEL.match(each["name"]) for each in pending) else 0
    return {ARCHIVES: archives, INSTALLED: installed, KERNELS: boot}


def refusals(found: Mapping[str, Any], margins: Mapping[str, int], needed: Mapping[str, int]) -> list[str]:
    """Why there is no room for an update, a sentence for each file system.

    :param found: What `look` gives.
    :param margins: Bytes that stay free, by path (``safe_update_min_free``).
    :param needed: What `need` gives.
    """
    told = []
    for mount in dict.fromkeys(each["mount"] for each in found["rooms"]):
        here = [each for each in found["rooms"] if each["mount"] == mount]
        paths = [each["path"] for each in here]
        margin = max((margins.get(path, 0) for path in paths), default=0)
        wanted = sum(needed.get(path, 0) for path in paths)
        free = here[0]["free"]
        if free < margin + wanted:
            what = f"{size(wanted)} for the update and {size(margin)} to spare" if wanted else f"{size(margin)}"
            told.append(
                f"{mount} has {size(free)} free, and {what} are wanted (safe_update_min_free). Free some: "
                "downloaded packages, old kernels, journalctl --vacuum-size"
            )
        least = INODES if {"/", INSTALLED, ARCHIVES} & set(paths) else INODES_OF_KERNELS
        inodes = here[0]["inodes"]
        if inodes is not None and inodes < least and margin:
            told.append(
                f"{mount} has {inodes} free inodes, and {least} are wanted: it holds too many files, however small. "
                f"Find them: du --inodes -x {mount} | sort -n"
            )
    closed = [path for path in found["readonly"] if not found["remounts"]]
    if closed:
        told.append(
            f"{', '.join(closed)} cannot be written to. Look at why (dmesg, /etc/fstab): a file system with errors "
            "becomes read-only, and no update mends that"
        )
    return told


def fails_again(
    before: Mapping[str, Any], pending: Iterable[Mapping[str, str]], versions: Mapping[str, str]
) -> tuple[list[str], str]:
    """Whether nothing but what has failed before is pending: the packages, and what was said then.

    :param before: What `look` gives as ``before``: ``packages`` (``NAME VERSION``) and ``words``.
    :param pending: As the record has it.
    :param versions: Of what is installed, or half so: see `evidence.versions`.
    """
    failed = {
        (name.partition(":")[0], version) for name, _blank, version in (x.partition(" ") for x in before["packages"])
    }
    now = {name.partition(":")[0]: version.partition(",")[0] for name, version in versions.items()}
    names = [each["name"].partition(":")[0] for each in pending if each["old"] == "unfinished"]
    is_same = len(names) == len(list(pending)) and all((name, now.get(name)) in failed for name in names)
    return (names, update.reason(before["words"])) if names and is_same else ([], "")


def size(count: int) -> str:
    """Bytes for people."""
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20)):
        if count >= 10 * factor:
            return f"{count // factor} {unit}"
    return f"{count // 1024} KiB"


def _bytes(text: str) -> int:
    number, unit = re.fullmatch(r"([\d.,]+) ?([kMGT]?B)", text).groups()
    return int(float(number.replace(",", "")) * UNITS[unit.lower()])


def _holder(line: str) -> str:
    lock, pid, *command = line.split(" ", 2)
    return f"process {pid} ({' '.join(command).strip() or 'unknown'}) holds {lock}"


def _unit(name: str) -> str:
    return f"{name} runs: the update of an earlier run, which goes on without it (systemctl status {name})"
