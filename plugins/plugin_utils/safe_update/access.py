# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""What Ansible's words mean where a host that answered before lets nobody in any more. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# What is said, what it means, and what to look at.
LOST = (
    (
        r"REMOTE HOST IDENTIFICATION HAS CHANGED|host key verification failed|host key .* (has changed|does not match)",
        "The host does not show the ssh key that it had",
        "Look at it on the server's console before you accept a new key",
    ),
    (
        r"missing sudo password|(incorrect|wrong) sudo password|sudo: a password is required|is not in the sudoers file"
        r"|sudo: (command )?not found|sudo: not found|(missing|incorrect) (su|doas) password|\bsudo: no valid sudoers",
        "The user that Ansible logs in as may not become root any more (sudo)",
        "Look at sudo and its rules on the server's console",
    ),
    (
        r"python[0-9.]*: (command )?not found|python[0-9.]*: no such file|failed to find (the )?interpreter"
        r"|no python interpreters found|discovered python interpreter .* not found|env: .?python",
        "The host's Python is gone, without which Ansible can do nothing there",
        "Install it on the server's console",
    ),
    (
        r"no start of json char found|no space left on device|read-only file system|disk quota exceeded",
        "The host's file system takes no files, without which Ansible can run nothing there",
        "Look at it on the server's console: df -h, df -i, dmesg",
    ),
    (
        r"permission denied \(|authentication fail|too many authentication failures",
        "ssh does not let Ansible's user in any more",
        "Look at sshd, its keys and the user on the server's console",
    ),
)
TEXTS = ("msg", "module_stderr", "module_stdout", "stderr", "stdout")


def lost(result: Mapping[str, Any]) -> str:
    """What a failed task shows to be lost, in two sentences; empty where it shows nothing of the kind.

    :param result: As Ansible registers it, or as a rescue gets it; a loop's ``results`` count too.
    """
    each = [result, *(one for one in result.get("results") or [] if isinstance(one, Mapping))]
    said = "\n".join(str(one.get(key) or "") for one in each for key in TEXTS)
    for pattern, meaning, advice in LOST:
        if re.search(pattern, said, re.IGNORECASE):
            return f"{meaning}. It did before the update, so this is the update's doing. {advice}"
    return ""
