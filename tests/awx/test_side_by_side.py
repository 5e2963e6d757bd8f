# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""setup.yml and teardown.yml in an AWX that holds more than one account, and what others have made."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from .conftest import Setup
from .stand_in import StandIn
from .workflow import PREFIX

STAGING = {"vps_awx_organization": "Staging", "vps_awx_api_token": "another token"}
TESTING = {"vps_awx_prefix": "Testing: ", "vps_awx_api_token": "a third token", "vps_awx_notifications": ["Chat"]}


def own(awx: StandIn, organization: int, prefix: str = PREFIX) -> dict[str, dict[int, Any]]:
    """A copy of what stands in one organization under one prefix."""
    return {
        endpoint: {
            key: copy.deepcopy(item)
            for key, item in items.items()
            if item.get("organization") == organization and item.get("name", "").startswith(prefix)
        }
        for endpoint, items in awx.objects.items()
    }


def refused(awx: StandIn, setup: Setup, words: str, playbook: str = "setup.yml", **variables: Any) -> None:
    """The playbook fails with these words, and has written nothing."""
    del awx.writes[:]
    with pytest.raises(AssertionError, match=words):
        setup(playbook, **variables)
    assert awx.writes == []


def test_administrator_of_an_organization_is_told_what_he_may_not_do(awx: StandIn, setup: Setup) -> None:
    awx.me["is_superuser"] = False
    refused(awx, setup, "no system administrator.*token of a system administrator")
    awx.me["is_superuser"] = True


def test_what_somebody_else_has_made_is_not_taken_over(awx: StandIn, setup: Setup) -> None:
    (default,) = [key for key, item in awx.objects["organizations"].items() if item["name"] == "Default"]
    name = f"{PREFIX}Clean up"
    mine = awx.add("job_templates", {"name": name, "organization": default, "playbook": "mine.yml"})
    before = copy.deepcopy(mine)
    refused(awx, setup, f"job_templates {name}.*vps_awx_prefix")
    assert mine == before
    del awx.objects["job_templates"][mine["id"]]
    # One without the prefix is no matter.
    mine = awx.add("job_templates", {"name": "Clean up", "organization": default, "playbook": "mine.yml"})
    before = copy.deepcopy(mine)
    assert setup()["changed"] > 8
    assert mine == before


def test_accounts_stand_side_by_side(awx: StandIn, setup: Setup) -> None:
    default = awx.named("organizations", "Default")["id"]
    awx.add("notification_templates", {"name": "Chat", "organization": default})
    first = own(awx, default)
    for others in (STAGING, TESTING):
        assert setup(**others)["changed"] > 8
        assert own(awx, default) == first
    staging = awx.named("organizations", "Staging")["id"]
    name = f"{PREFIX}Safe update"
    templates = [awx.named("job_templates", name, each) for each in (default, staging)]
    templates.append(awx.named("job_templates", "Testing: Safe update"))
    # Each has a project, an inventory and a credential of its own.
    for kind in ("project", "inventory"):
        assert len({template[kind] for template in templates}) == 3
    keys = [key for template in templates for key in awx.links["job_templates", template["id"], "credentials"]]
    tokens = {awx.objects["credentials"][key]["inputs"].get("api_token") for key in keys}
    assert tokens == {None, "from the environment", "another token", "a third token"}
    nodes = awx.objects["workflow_job_template_nodes"].values()
    for workflow in awx.objects["workflow_job_templates"].values():
        own_nodes = [node for node in nodes if node["workflow_job_template"] == workflow["id"]]
        used = [awx.objects["job_templates"].get(node["unified_job_template"]) for node in own_nodes]
        assert len(used) == 6
        assert {template["organization"] for template in used if template} == {workflow["organization"]}


def test_where_a_system_administrator_has_begun_another_one_goes_on(awx: StandIn, setup: Setup) -> None:
    awx.me["is_superuser"] = False
    assert setup()["changed"] == 0
    awx.me["is_superuser"] = True


def test_notifications_tell_of_failures_denials_and_restores(awx: StandIn) -> None:
    chat = awx.named("notification_templates", "Chat")["id"]
    prefix = TESTING["vps_awx_prefix"]
    told = {
        (kind, awx.objects["job_templates"][key]["name"].removeprefix(prefix))
        for (endpoint, key, kind), targets in awx.links.items()
        if endpoint == "job_templates" and targets == [chat]
    }
    names = {each["name"] for each in awx.objects["job_templates"].values() if each["name"].startswith(prefix)}
    failed = {("notification_templates_error", name.removeprefix(prefix)) for name in names}
    assert told == failed | {("notification_templates_started", "Restore after a run")}
    workflow = awx.named("workflow_job_templates", f"{prefix}Safe update with approval")["id"]
    for kind in ("approvals", "error"):
        assert awx.links["workflow_job_templates", workflow, f"notification_templates_{kind}"] == [chat]


def test_teardown_deletes_what_is_ours_and_nothing_else(awx: StandIn, setup: Setup) -> None:
    refused(awx, setup, "Nothing was deleted.*vps_awx_teardown_confirm", "teardown.yml")
    default, staging = (awx.named("organizations", name)["id"] for name in ("Default", "Staging"))
    others = own(awx, staging), own(awx, default, "Testing: ")
    mine = awx.add("projects", {"name": f"{PREFIX}mine", "organization": default})
    assert setup("teardown.yml", vps_awx_teardown_confirm=True)["failed"] == 0
    assert (own(awx, staging), own(awx, default, "Testing: ")) == others
    left = [item for items in own(awx, default).values() for item in items.values()]
    assert left == [mine]
    assert awx.named("credential_types", f"{PREFIX}API")
    for rest in (STAGING, TESTING):
        setup("teardown.yml", vps_awx_teardown_confirm=True, **rest)
    assert awx.objects["credential_types"] == {}
    assert awx.objects["schedules"] == {}
    assert {item["name"] for item in awx.objects["credentials"].values()} == {"Ansible Galaxy", "Servers"}
