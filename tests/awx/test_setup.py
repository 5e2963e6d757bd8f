# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""setup.yml: what it makes, that it makes it once, and that what it makes fits our playbooks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.vpsdotorg.cloud.plugins.plugin_utils.safe_update import commands

from .conftest import CLONE, Setup
from .stand_in import RefusedError, StandIn, check_rrule
from .workflow import PREFIX, inject

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"


@pytest.fixture(scope="module", autouse=True)
def first(setup: Setup) -> dict[str, int]:
    return setup()


def test_second_run_changes_nothing(awx: StandIn, first: dict[str, int], setup: Setup) -> None:
    assert first["changed"] > 10
    del awx.writes[:]
    # That this is another token, nobody can tell.
    assert setup(vps_awx_api_token="a new one")["changed"] == 0
    # A sync of the project is no change.
    assert [write for write in awx.writes if not write.endswith("/update/")] == []
    credential = awx.named("credentials", f"{PREFIX}API")
    assert credential["inputs"]["api_token"] == "from the environment"
    setup(vps_awx_api_token="a new one", vps_awx_update_token=True)
    assert credential["inputs"]["api_token"] == "a new one"


def test_without_a_token_nothing_is_changed(awx: StandIn, setup: Setup) -> None:
    """Written without one, the credential would lose the token that it has."""
    del awx.writes[:]
    with pytest.raises(AssertionError, match="There is no API token"):
        setup(vps_awx_api_token="")
    assert awx.writes == []


def test_token_is_a_secret(awx: StandIn) -> None:
    fields = awx.named("credential_types", f"{PREFIX}API")["inputs"]["fields"]
    assert [field["id"] for field in fields if field.get("secret")] == ["api_token"]


def test_no_template_is_sliced(awx: StandIn) -> None:
    """AWX hands on only what the last slice left in set_stats."""
    for template in awx.objects["job_templates"].values():
        assert (template["job_slice_count"], template["ask_job_slice_count_on_launch"]) == (1, False)


def test_workflow_is_linked(awx: StandIn) -> None:
    nodes = awx.objects["workflow_job_template_nodes"]
    links = {
        (nodes[key]["identifier"], kind, nodes[target]["identifier"])
        for (endpoint, key, kind), targets in awx.links.items()
        for target in targets
        if endpoint == "workflow_job_template_nodes"
    }
    assert links == {
        ("audit", "success_nodes", "update"),
        ("update", "success_nodes", "approval"),
        ("update", "failure_nodes", "restore_failed"),
        ("approval", "success_nodes", "cleanup"),
        ("approval", "failure_nodes", "restore_denied"),
    }


def test_credential_without_a_certificate_names_none(awx: StandIn, tmp_path: Path) -> None:
    environment = inject(awx, awx.named("credentials", f"{PREFIX}API")["id"], tmp_path)
    assert environment["VPS_API_URL"] == "https://admin.vps.org/api/v1"
    assert environment["VPS_API_CA_PATH"] == ""


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_certificate_keeps_its_last_line_break(awx: StandIn, tmp_path: Path, end: str) -> None:
    credential = awx.named("credentials", f"{PREFIX}API")
    own = {"api_token": "a token", "ca_certificate": CERTIFICATE + end}
    environment = inject(awx, awx.add("credentials", {**credential, "name": "Own CA", "inputs": own})["id"], tmp_path)
    assert Path(environment["VPS_API_CA_PATH"]).read_text() == f"{CERTIFICATE}\n"


def test_survey_asks_for_what_the_playbook_reads(awx: StandIn) -> None:
    for template in awx.objects["job_templates"].values():
        asked = {question["variable"] for question in template.get("survey_spec", {}).get("spec", [])}
        assert asked <= read_by(template["playbook"]), template["name"]
    workflow = awx.named("workflow_job_templates", f"{PREFIX}Safe update with approval")["survey_spec"]["spec"]
    assert {question["variable"] for question in workflow} <= read_by("safe_update.yml")


def test_messages_ask_what_the_surveys_ask(awx: StandIn) -> None:
    """What a message says to launch can be launched so."""
    for command in (commands.restore("web", 1, 801, PREFIX), commands.delete("web", 1, 801, PREFIX)):
        name, answers = re.fullmatch(r"launch the template '(.*)' with (.*)", command).groups()
        questions = awx.named("job_templates", name)["survey_spec"]["spec"]
        given = dict(answer.split(": ") for answer in answers.split(", "))
        assert set(given) <= {question["question_name"] for question in questions}
        asked = {question["question_name"] for question in questions if question["required"]}
        assert asked <= set(given)
        assert all(
            given.get(each["question_name"], "true") in each["choices"] for each in questions if "choices" in each
        )


def test_names_begin_with_the_prefix_and_descriptions_end_with_the_mark(awx: StandIn) -> None:
    kinds = ("credential_types", "execution_environments", "projects", "inventories", "job_templates")
    for kind in (*kinds, "workflow_job_templates"):
        for item in awx.objects[kind].values():
            assert item["name"].startswith(PREFIX), item["name"]
            assert item["description"].endswith("(made by vpsdotorg.cloud)"), item["name"]


def test_verbosity_and_diff_are_asked_at_a_launch(awx: StandIn) -> None:
    for template in awx.objects["job_templates"].values():
        assert template["ask_verbosity_on_launch"] is template["ask_diff_mode_on_launch"] is True


def read_by(playbook: str) -> set[str]:
    """The variables that a playbook of the collection, and the role if it uses it, know."""
    text = (CLONE / "playbooks" / playbook).read_text()
    specs = yaml.safe_load((CLONE / "roles/safe_update/meta/argument_specs.yml").read_text())
    role = set(specs["argument_specs"]["main"]["options"]) if "vpsdotorg.cloud.safe_update\n" in text else set()
    # What is only told about in a comment does not count.
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return role | set(re.findall(r"\b(?:(?:audit|cleanup|delete_snapshot|restore|safe_update)_\w+|run_id\b)", code))


@pytest.mark.parametrize(
    "rule",
    [
        "DTSTART:20260101T023000Z RRULE:FREQ=DAILY",
        "DTSTART:20260101T023000 RRULE:FREQ=DAILY;INTERVAL=1",
        "RRULE:FREQ=DAILY;INTERVAL=1",
    ],
)
def test_stand_in_refuses_rules_that_awx_refuses(rule: str) -> None:
    with pytest.raises(RefusedError):
        check_rrule(rule)


@pytest.mark.parametrize("answers", [{}, {"safe_update_hosts": 1}, {"safe_update_hosts": "all", "unknown": 1}])
def test_stand_in_refuses_answers_that_awx_refuses(awx: StandIn, answers: dict[str, object]) -> None:
    closed = awx.add(
        "job_templates", {**awx.named("job_templates", f"{PREFIX}Safe update"), "ask_variables_on_launch": False}
    )
    with pytest.raises(RefusedError):
        awx.check_answers({"unified_job_template": closed["id"], "extra_data": answers}, required=True)
    del awx.objects["job_templates"][closed["id"]]
