# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: safe_update
short_description: Decide what the role safe_update does next
version_added: 0.1.0
description:
  - Takes the record of a host, as an earlier step has returned it, and what a phase of the role
    P(vpsdotorg.cloud.safe_update#role) has seen, and returns the new record.
  - It is for the role's own tasks. Its input and output may change in any release; what users may rely on is
    C(safe_update_result).
author:
  - The vpsdotorg.cloud authors (@vpsdotorg)
positional: _input, step, seen
options:
  _input:
    description: The record so far; an empty one to begin with.
    type: dict
    required: true
  step:
    description:
      - What has happened, such as V(begin), V(snapshot) or V(failed).
      - V(result) returns what is to be C(safe_update_result), instead of a record; V(assessment) the same and more;
        V(title) what a task is called.
    type: str
    required: true
  seen:
    description: What was seen, such as registered results.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Begin the record of a host
  ansible.builtin.set_fact:
    record: "{{ {} | vpsdotorg.cloud.safe_update('begin', seen) }}"
  vars:
    seen:
      entry: main
      variables: {safe_update_server_id: 12345}
      host: web-1
      address: 192.0.2.10
      check_mode: false
      places: []
      user: me
"""

RETURN = r"""
_value:
  description: The record after the step, the result or the title. Plain data, none of which is ever a template.
  type: raw
"""

import json
import platform
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var

from ..plugin_utils.safe_update import record as records
from ..plugin_utils.safe_update import snapshots

# Of a registered result: what is said in it already, and what nobody here reads.
LEFT_OUT = {"stdout_lines", "stderr_lines", "invocation"}


def plain(value: Any) -> Any:
    """Plain dicts and lists: newer cores hand over ones that evaluate each item when it is read, which takes long."""
    if isinstance(value, Mapping):
        found = {str(key): plain(value[key]) for key in value if key not in LEFT_OUT}
        lines = {f"{name}_lines": str(found[name]).splitlines() for name in ("stdout", "stderr") if name in found}
        return {**found, **lines}
    return [plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def pack(record: dict[str, Any]) -> dict[str, Any]:
    """The record as a fact: what tasks read, and all of it as one text, since Ansible visits each item of a fact."""
    return wrap_var({**{key: record[key] for key in records.READ_BY_TASKS}, "state": json.dumps(record)})


def safe_update(fact: dict[str, Any], step: str, seen: dict[str, Any] | None = None) -> Any:
    record = json.loads(fact["state"]) if fact else {}
    known = plain(seen or {})
    if step == "title":
        return records.title(known)
    if step == "failures":
        return wrap_var(records.failures(known["records"]))
    if step == "of_run":
        return wrap_var(snapshots.of_run(known))
    if step == "result":
        return wrap_var(records.result(record))
    if step == "assessment":
        return wrap_var(records.assessment(record))
    # Who runs this stands in a snapshot's description, so that a later run can say whose it is.
    known.setdefault("node", platform.node())
    # The order in which a task file is looked for: where the playbook, the inventory and the user stand.
    places = [str(place) for place in [*known.get("places", []), Path.cwd()] if place]
    known["places"] = list(dict.fromkeys(places))

    def find(name: str) -> str | None:
        # Joined to an absolute path, a place counts for nothing.
        paths = (Path(place, Path(name).expanduser()) for place in known["places"])
        return next((str(path.absolute()) for path in paths if path.is_file()), None)

    try:
        return pack(records.advance(record, step, known, datetime.now(timezone.utc), find))
    except KeyError as error:
        raise AnsibleFilterError(
            f"safe_update: there is no {error} in the step {step} or in what it has seen."
        ) from error


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"safe_update": safe_update}
