# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two runs against the same server at once."""

from __future__ import annotations

from ..playbooks.fleet import outcome, result
from .site import Site


def test_two_runs_at_once_do_no_harm(site: Site) -> None:
    site.prepare("web1")
    site.destine({"web1": "2.0"})
    runs = [running.finish() for running in [site.start(), site.start()]]
    outcomes = [outcome(run, "web1") for run in runs]
    # One of them wins; the other one gives way, or finds what is left to do: nothing.
    assert "updated" in outcomes, runs[0].output + runs[1].output
    assert set(outcomes) <= {"updated", "up_to_date", "refused", "snapshot_failed"}
    assert outcomes.count("updated") == 1, runs[0].output + runs[1].output
    assert site.version("web1") == "2.0 installed"
    assert site.health("web1") == 200
    # A snapshot that is left is named by the run that left it.
    left = set(site.snapshots("web1"))
    assert left <= {result(run, "web1")["snapshot_name"] for run in runs if result(run, "web1")["outcome"] != "updated"}
    assert not any("/restore/" in write for write in site.writes())
