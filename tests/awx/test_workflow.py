# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The workflow from the launch to its end: approved, denied, failed, cancelled. Jobs run as in AWX, on the emulator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..playbooks.conftest import TOKEN
from ..playbooks.fleet import BAD, HOST, QUICK, Fleet
from .conftest import Setup
from .stand_in import StandIn
from .workflow import PREFIX, Controller, Job

# Half done until the test has cancelled the job and lets it end; it gives up by itself.
HALF = """
if [ -e let-it-end ]; then echo new >version; exit; fi
touch half
for _ in $(seq 1200); do if [ -e let-it-end ]; then exit; fi; sleep 0.1; done
"""
PAST = "2020-01-01T00:00:00+00:00"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, collections_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path_factory.mktemp("fleet"), collections_path) as fleet:
        fleet.add("bystander", snapshots=[{"name": "nightly"}])
        fleet.add("approved")
        fleet.add("denied")
        fleet.add("good", snapshots=[{"name": "by-hand"}])
        fleet.add("bad", BAD)
        fleet.add("cancelled", HALF)
        fleet.start()
        yield fleet


@pytest.fixture(scope="module")
def controller(
    awx: StandIn, setup: Setup, fleet: Fleet, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Controller:
    """AWX, set up, its inventory updated; what the hosts need to be folders stands in the inventory's variables."""
    setup(vps_awx_api_url=fleet.service.url, vps_awx_api_token=fleet.service.token)
    controller = Controller(tmp_path_factory.mktemp("awx"), awx, project)
    own = {name: "{{ fleet[inventory_hostname]." + name + " }}" for name in ("folder", "update_script")}
    python = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    controller.update_inventory({**HOST, **python, **own, "fleet": fleet.hosts})
    return controller


def run(controller: Controller, hosts: str, answers: Any = None, **options: Any) -> dict[str, Job]:
    variables = {**QUICK, "safe_update_hosts": hosts, **(answers or {})}
    return controller.run_workflow(variables=variables, **options)


@pytest.fixture(scope="module")
def approved(controller: Controller) -> dict[str, Job]:
    return run(controller, "approved", approve=True)


@pytest.fixture(scope="module")
def denied(controller: Controller) -> dict[str, Job]:
    """Of all hosts, but limited to one."""
    return run(controller, "all", approve=False, limit="denied")


@pytest.fixture(scope="module")
def postponed(controller: Controller) -> dict[str, Job]:
    """A run that has nothing to do, denied."""
    return run(controller, "bystander", {"safe_update_window_end": PAST}, approve=False)


@pytest.fixture(scope="module")
def cancelled(controller: Controller, fleet: Fleet) -> dict[str, Job]:
    folder = Path(fleet.hosts["cancelled"]["folder"])
    jobs = run(controller, "cancelled", approve=True, cancel_update=(folder / "half").exists)
    (folder / "let-it-end").touch()
    return jobs


@pytest.fixture(scope="module")
def failed(controller: Controller) -> dict[str, Job]:
    return run(controller, "good:bad", approve=True)


@pytest.fixture(scope="module")
def all_jobs(
    approved: dict[str, Job], denied: dict[str, Job], failed: dict[str, Job], postponed: dict[str, Job]
) -> list[Job]:
    return [job for jobs in (approved, denied, failed, postponed) for job in jobs.values()]


def statuses(jobs: dict[str, Job]) -> dict[str, str]:
    return {name: job.status for name, job in jobs.items()}


def test_approved_update_stays_and_its_snapshot_goes(fleet: Fleet, approved: dict[str, Job]) -> None:
    expected = dict.fromkeys(("audit", "update", "approval", "cleanup"), "successful")
    assert statuses(approved) == expected, approved["update"].output
    assert approved["update"].artifacts["safe_update"]["approved"]["outcome"] == "updated"
    assert fleet.version("approved") == "new"
    assert fleet.snapshots("approved") == {}


def test_denied_update_is_taken_back(fleet: Fleet, denied: dict[str, Job]) -> None:
    expected = {"audit": "successful", "update": "successful", "approval": "failed", "restore_denied": "successful"}
    assert statuses(denied) == expected, denied["restore_denied"].output
    result = denied["update"].artifacts["safe_update"]["denied"]
    assert denied["restore_denied"].artifacts["safe_update"]["denied"]["outcome"] == "rolled_back"
    assert fleet.version("denied") == "old"
    assert fleet.snapshots("denied") == {result["snapshot_name"]: "completed"}


def test_limit_holds_for_every_job_but_the_audit(denied: dict[str, Job]) -> None:
    assert set(denied["update"].artifacts["safe_update"]) == {"denied"}
    assert any("bystander" in message for message in denied["audit"].messages("runner_on_ok")), denied["audit"].output


def test_nothing_done_is_nothing_to_take_back(fleet: Fleet, postponed: dict[str, Job]) -> None:
    assert postponed["update"].artifacts["safe_update"]["bystander"]["outcome"] == "postponed"
    assert statuses(postponed)["restore_denied"] == "successful"
    assert fleet.snapshots("bystander") == {"nightly": "completed"}


def test_cancelled_update_restores_nothing(fleet: Fleet, cancelled: dict[str, Job]) -> None:
    assert statuses(cancelled) == {"audit": "successful", "update": "canceled", "restore_failed": "failed"}
    assert any("A run that was cancelled" in text for text in cancelled["restore_failed"].messages("runner_on_failed"))
    assert list(fleet.snapshots("cancelled").values()) == ["completed"]


def test_run_after_a_cancelled_one_leaves_nothing_behind(
    controller: Controller, fleet: Fleet, cancelled: dict[str, Job]
) -> None:
    assert statuses(cancelled)["update"] == "canceled"
    again = run(controller, "cancelled", approve=True)
    assert statuses(again)["cleanup"] == "successful", again
    assert fleet.version("cancelled") == "new"
    assert fleet.snapshots("cancelled") == {}


def test_failed_update_takes_back_the_host_that_failed(fleet: Fleet, failed: dict[str, Job]) -> None:
    expected = {"audit": "successful", "update": "failed", "restore_failed": "successful"}
    assert statuses(failed) == expected, failed["restore_failed"].output
    assert fleet.version("bad") == "old"
    assert set(failed["restore_failed"].artifacts["safe_update"]) == {"bad"}
    # The canary was updated and verified, and nobody has denied it.
    assert fleet.version("good") == "new"
    snapshot = failed["update"].artifacts["safe_update"]["good"]["snapshot_name"]
    assert fleet.snapshots("good") == {"by-hand": "completed", snapshot: "completed"}


def test_other_hosts_are_left_alone(fleet: Fleet, all_jobs: list[Job]) -> None:
    assert len(all_jobs) == 15
    assert fleet.version("bystander") == "old"
    assert fleet.snapshots("bystander") == {"nightly": "completed"}


def test_output_of_the_update_ends_with_what_to_launch(failed: dict[str, Job]) -> None:
    (closing,) = [text for text in failed["update"].messages("runner_on_ok") if "WHAT TO DO" in text]
    result = failed["update"].artifacts["safe_update"]["bad"]
    assert f"launch the template '{PREFIX}Restore a snapshot' with Hosts: bad" in closing
    assert f"Id of the snapshot: {result['snapshot_id']}," in closing


def test_no_job_shows_the_token(controller: Controller, awx: StandIn, all_jobs: list[Job]) -> None:
    audit = controller.launch(awx.named("job_templates", f"{PREFIX}Audit"), {}, verbosity=3)
    assert audit.status == "successful", audit.output
    for job in [audit, *all_jobs]:
        assert TOKEN not in job.output + str(job.events)


@pytest.mark.parametrize("name", ["Clean up after a run", "Restore after a run"])
def test_without_results_nothing_is_touched(controller: Controller, awx: StandIn, fleet: Fleet, name: str) -> None:
    """A cancelled job never comes to its recap, so that AWX has nothing to hand on."""
    before = fleet.writes()
    job = controller.launch(awx.named("job_templates", PREFIX + name), {"restore_run_outcome": "updated"})
    assert job.status == "failed"
    assert any("A run that was cancelled leaves" in message for message in job.messages("runner_on_failed")), job.output
    assert fleet.writes() == before


def test_text_of_a_survey_is_no_template(controller: Controller, awx: StandIn, fleet: Fleet) -> None:
    template = awx.named("job_templates", f"{PREFIX}Clean up")
    hostile = {"cleanup_hosts": "bystander", "cleanup_prefix": "{{ lookup('ansible.builtin.env', 'VPS_API_TOKEN') }}-"}
    job = controller.launch(template, hostile)
    assert job.status == "failed"
    assert TOKEN not in job.output + str(job.events)
    assert fleet.snapshots("bystander") == {"nightly": "completed"}
