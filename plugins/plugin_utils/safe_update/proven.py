# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""Exactly the versions that an earlier run has proven: what its report.json says, and what may become of it. Pure."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

# What apt and zypper say of what they cannot install; apt 3 writes the mark out.
TROUBLE = re.compile(r'(?:E|Error): (?P<words>.*)|<message type="error">(?P<xml>[^<]*)')


def versions(report: str, installed: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Read which versions are proven for a host.

    :param report: The text of a report.json.
    :param installed: Version by ``NAME:ARCHITECTURE`` (rpm: ``NAME.ARCHITECTURE``); what is not there stays away.
    :return: The proven version of each installed package that has another one, and what is wrong with the report, or
        an empty text.
    """
    try:
        hosts = json.loads(report)["hosts"]
        good = [each for each in hosts.values() if each["outcome"] == "updated" and not each.get("check_mode")]
        changes = [(change["name"], change["new"]) for each in good for change in each["packages"] if change["new"]]
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}, "is no report.json of safe_update. Name the one in the safe_update_report_dir of the earlier run"
    if not good:
        return {}, f"proves nothing: of its {len(hosts)} hosts none was updated. Name the report of a run that was good"
    found: dict[str, set[str]] = {}
    for name, version in changes:
        if name in installed:
            found.setdefault(name, set()).add(version)
    if doubled := {name: of for name, of in found.items() if len(of) > 1}:
        said = "; ".join(f"{name}: {' and '.join(sorted(of))}" for name, of in sorted(doubled.items()))
        return {}, f"has several versions of a package, so none of them is proven: {said}. Name the report of one batch"
    return {name: version for name, (version,) in sorted(found.items()) if version != installed[name]}, ""


def refusal(asked: Mapping[str, Any], pending: Iterable[Mapping[str, str]], known: Mapping[str, str]) -> str:
    """Why exactly the proven versions cannot be installed, in a sentence; empty where they can.

    :param asked: What the package manager said, as registered.
    :param pending: What it would change.
    :param known: What `versions` gives.
    """
    lines = [*(asked.get("stdout_lines") or []), *(asked.get("stderr_lines") or [])]
    words = [match["words"] or html.unescape(match["xml"] or "") for match in map(TROUBLE.match, lines) if match]
    words += [str(each) for each in asked.get("failures") or []]
    if words or asked.get("failed") or asked.get("rc"):
        said = "; ".join(words) or str(asked.get("msg") or "no reason given")
        return (
            f"What was proven cannot be installed here (safe_update_versions_from): {said}. Refresh the proof with a "
            "run on the staging hosts, or give this host the repository that still has these versions"
        )
    others = [
        f"{each['name']} {each['new']}"
        for each in pending
        if each["old"] != "unfinished" and not _is_proven(each, known)
    ]
    if others:
        return (
            "Installing what was proven would also change what was not (safe_update_versions_from): "
            f"{', '.join(others)}. Refresh the proof with a run on the staging hosts"
        )
    return ""


def warnings(asked: Mapping[str, Any]) -> list[str]:
    """What is newer here than what was proven, and stays."""
    lines = asked.get("stdout_lines") or []
    newer = [line.split(" ")[1:] for line in lines if re.fullmatch(r"newer-here( \S+){3}", line)]
    if not newer:
        return []
    said = ", ".join(f"{name} {here} (proven: {there})" for name, here, there in newer)
    return [f"Newer here than what was proven, and left as it is: {said}."]


def _is_proven(change: Mapping[str, str], known: Mapping[str, str]) -> bool:
    # apt leaves the architecture out where it is the system's own; dnf and zypper leave out an epoch of 0.
    bare = {name.rpartition(":")[0] or name: version for name, version in known.items()}
    versions_of_it = {known.get(change["name"]), bare.get(change["name"])} - {None}
    return {change["new"], f"0:{change['new']}"} & versions_of_it != set()
