# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""What an operator runs next: a command for a terminal, or a template of AWX and its answers."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

DEFAULT_PREFIX = "VPS.org: "


def awx_prefix(variables: Mapping[str, Any]) -> str | None:
    """What the names of our templates begin with in the AWX that runs this.

    :param variables: Those of the host; AWX sets ``awx_job_id``, our templates set ``vps_awx_prefix``.
    :return: None where AWX does not run this.
    """
    if not variables.get("awx_job_id"):
        return None
    prefix = variables.get("vps_awx_prefix")
    return DEFAULT_PREFIX if prefix is None else str(prefix)


def restore(host: str, server_id: Any, snapshot_id: Any, awx: str | None = None) -> str:
    """How to restore a server to a snapshot.

    :param awx: What `awx_prefix` says.
    """
    if awx is None:
        return _module("vps_snapshot_restore", server_id=server_id, snapshot_id=snapshot_id)
    answers = {"Hosts": host, "Id of the snapshot": snapshot_id, "Lose all data since the snapshot": "true"}
    return _template(awx, "Restore a snapshot", answers)


def delete(host: str, server_id: Any, snapshot_id: Any, awx: str | None = None) -> str:
    """How to delete a snapshot, whatever its status."""
    if awx is None:
        return _module("vps_snapshot", state="absent", server_id=server_id, snapshot_id=snapshot_id)
    answers = {"Hosts": host, "Id of the snapshot": snapshot_id, "Delete it for good": "true"}
    return _template(awx, "Delete a snapshot", answers)


def start(server_id: Any, awx: str | None = None) -> str:
    """How to start a server that was left stopped."""
    if awx is None:
        return _module("vps_server_power", server_id=server_id, state="started")
    return f"start the server {server_id} in the control panel of VPS.org"


def is_in(text: str) -> bool:
    """Whether a text names one of these commands."""
    return "ansible localhost -m vpsdotorg.cloud." in text or "launch the template '" in text


def _module(name: str, **options: Any) -> str:
    arguments = " ".join(f"{option}={shlex.quote(str(value))}" for option, value in options.items())
    return f"ansible localhost -m vpsdotorg.cloud.{name} -a {shlex.quote(arguments)}"


def _template(prefix: str, name: str, answers: dict[str, Any]) -> str:
    given = ", ".join(f"{question}: {answer}" for question, answer in answers.items())
    return f"launch the template '{prefix}{name}' with {given}"
