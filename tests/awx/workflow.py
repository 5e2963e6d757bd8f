# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the templates that setup.yml has made as AWX 24.6.1 does: each job by ansible-runner, in AWX's own shape.

After main/tasks/jobs.py (the folder of a job), main/models/credential (injectors), main/utils/safe_yaml.py (extra
variables), main/models/workflow.py and main/scheduler/dag_workflow.py (what a node gets, and which one is next).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from jinja2.sandbox import ImmutableSandboxedEnvironment

from .stand_in import Item, StandIn

BIN = Path(sys.executable).parent
# Seconds for one job.
TIMEOUT = 600
PREFIX = "VPS.org: "


class UnsafeDumper(yaml.SafeDumper):
    """Marks every text, so that Ansible does not run it as a template."""

    def represent_data(self, data: Any) -> Any:
        return self.represent_scalar("!unsafe", data) if isinstance(data, str) else super().represent_data(data)


@dataclass
class Job:
    """A job that has ended: what AWX knows of it."""

    status: str
    output: str = ""
    artifacts: dict[str, Any] = field(default_factory=dict)
    events: list[Item] = field(default_factory=list)

    def messages(self, event: str) -> list[str]:
        """The messages of the results of one kind of event."""
        found = (each["event_data"]["res"] for each in self.events if each["event"] == event)
        return [str(result.get("msg", "")) for result in found]


class Controller:
    """What runs jobs: the project with its collections, an inventory, and what stands in AWX."""

    def __init__(self, folder: Path, awx: StandIn, project: Path) -> None:
        self._folder = folder
        self._awx = awx
        self._project = project
        self._jobs = 0
        self._inventory: Item = {}

    def update_inventory(self, variables: Mapping[str, Any]) -> Item:
        """Run the inventory source, and keep what comes out with the variables of the inventory."""
        source = self._awx.named("inventory_sources", f"{PREFIX}servers")
        job, environment = self._prepare(source["credential"])
        # As text, and under the name that the container gives to the folder.
        own = {
            name: str(value).replace("/runner", str(job)) for name, value in json.loads(source["source_vars"]).items()
        }
        output = job / "artifacts" / "output.json"
        output.parent.mkdir()
        command = ["ansible-inventory", "--list", "--export", "-i", str(job / "project" / source["source_path"])]
        # For inventory updates, AWX sets the old name alone.
        environment |= {
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
            "ANSIBLE_COLLECTIONS_PATHS": collections(job),
            **own,
        }
        done = self._run(
            [*command, "--output", str(output), "--playbook-dir", str(job / "project")], {**environment, **own}
        )
        assert done.returncode == 0, done.stderr
        listed = json.loads(output.read_text())
        groups = {name: group for name, group in listed.items() if name not in ("_meta", "all")}
        hosts = listed["_meta"]["hostvars"]
        script = {name: group for name, group in groups.items() if name != "ungrouped"}
        children = sorted(script)
        self._inventory = {
            **script,
            "all": {
                "vars": dict(variables),
                "hosts": groups.get("ungrouped", {}).get("hosts", []),
                "children": children,
            },
            "_meta": {"hostvars": {name: {**known, "remote_tower_enabled": "true"} for name, known in hosts.items()}},
        }
        return self._inventory

    def launch(
        self,
        template: Item,
        variables: Mapping[str, Any],
        *,
        limit: str = "",
        verbosity: int = 0,
        cancel: Callable[[], bool] | None = None,
    ) -> Job:
        """Run a job template.

        :param variables: Those that AWX has accepted, and artifacts.
        :param limit: Dropped, as in a workflow, where the template does not ask for it.
        :param cancel: Says when somebody cancels the job.
        """
        machine, api = "Servers", f"{PREFIX}API"
        attached = [self._awx.objects["credentials"][key]["name"] for key in self._credentials(template)]
        assert sorted(attached) == [machine, api]
        job, environment = self._prepare(self._awx.named("credentials", api)["id"])
        environment |= {name: collections(job) for name in ("ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_COLLECTIONS_PATHS")}
        (job / "env" / "envvars").write_text(json.dumps(environment))
        meta = {"awx_job_id": self._jobs, "awx_job_launch_type": "workflow", "tower_job_id": self._jobs}
        extra = {**json.loads(template["extra_vars"]), **defaults(template), **variables, **meta}
        (job / "env" / "extravars").write_text(yaml.dump(extra, Dumper=UnsafeDumper))
        limits = ["-l", limit] if limit and template["ask_limit_on_launch"] else []
        verbose = [f"-{'v' * verbosity}"] if verbosity else []
        (job / "env" / "cmdline").write_text(" ".join(["-u", "root", *limits, *verbose]))
        (job / "env" / "settings").write_text(json.dumps({"job_timeout": 0, "suppress_ansible_output": True}))
        hosts = job / "inventory" / "hosts"
        hosts.write_text(f"#! /usr/bin/env python3\nprint({json.dumps(self._inventory)!r})\n")
        hosts.chmod(0o700)
        ident = str(self._jobs)
        command = ["ansible-runner", "run", str(job), "--playbook", template["playbook"], "--ident", ident]
        done = self._run([*command, "--inventory", str(hosts)], {}, cancel)
        artifacts = job / "artifacts" / ident
        names = sorted((artifacts / "job_events").glob("*.json"), key=lambda path: int(path.name.split("-")[0]))
        events = [json.loads(path.read_text()) for path in names]
        ends = [each["event_data"] for each in events if each["event"] == "playbook_on_stats"]
        status = (artifacts / "status").read_text()
        output = (artifacts / "stdout").read_text() + done.stderr
        return Job(status, output, ends[-1]["artifact_data"] if ends else {}, events)

    def run_workflow(
        self,
        *,
        approve: bool,
        variables: Mapping[str, Any],
        limit: str = "",
        cancel_update: Callable[[], bool] | None = None,
    ) -> dict[str, Job]:
        """Launch the workflow with these variables; return the jobs of the nodes that were run."""
        workflow = self._awx.named("workflow_job_templates", f"{PREFIX}Safe update with approval")
        # What a workflow is launched with, the defaults of its survey included, reaches every node, asked for or not.
        variables = {**defaults(workflow), **variables}
        nodes = self._awx.objects["workflow_job_template_nodes"]
        jobs: dict[str, Job] = {}
        handed: dict[int, dict[str, Any]] = {}
        targets = {target for key in nodes for kind in ("success", "failure") for target in self._next(key, kind)}
        waiting = [(key, {}) for key in nodes if key not in targets]
        while waiting:
            key, artifacts = waiting.pop(0)
            node = nodes[key]
            template = self._awx.objects["job_templates"].get(node["unified_job_template"])
            if template is None:
                job = Job("successful" if approve else "failed")
            else:
                cancel = cancel_update if node["identifier"] == "update" else None
                given = {**node.get("extra_data", {}), **artifacts, **variables}
                job = self.launch(template, given, limit=limit, cancel=cancel)
            jobs[node["identifier"]] = job
            # One level deep: a later node's replaces an earlier one's of the same name.
            handed[key] = {**artifacts, **job.artifacts}
            kind = "success" if job.status == "successful" else "failure"
            waiting += [(target, handed[key]) for target in self._next(key, kind)]
        return jobs

    def _next(self, key: int, kind: str) -> list[int]:
        return self._awx.links.get(("workflow_job_template_nodes", key, f"{kind}_nodes"), [])

    def _credentials(self, template: Item) -> list[int]:
        return self._awx.links[("job_templates", template["id"], "credentials")]

    def _prepare(self, credential: int) -> tuple[Path, dict[str, str]]:
        """Make the folder of a job, with the project and its collections; return it and the job's environment."""
        self._jobs += 1
        job = self._folder / f"job-{self._jobs}"
        for name in ("env", "inventory", "home"):
            (job / name).mkdir(parents=True)
        shutil.copytree(self._project, job / "project")
        install = ["ansible-galaxy", "collection", "install", "-r", str(job / "project/collections/requirements.yml")]
        done = self._run([*install, "--offline", "-p", str(job / "requirements_collections")], {})
        assert done.returncode == 0, done.stderr
        return job, {
            **inject(self._awx, credential, job / "env"),
            "HOME": str(job / "home"),
            "PATH": f"{BIN}:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "AWX_PRIVATE_DATA_DIR": str(job),
            "ANSIBLE_FORCE_COLOR": "True",
            "ANSIBLE_HOST_KEY_CHECKING": "False",
            "ANSIBLE_PARAMIKO_RECORD_HOST_KEYS": "False",
        }

    def _run(
        self, command: list[str], environment: Mapping[str, str], cancel: Callable[[], bool] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command with an environment that holds no more than a container's; end it when cancel says so."""
        bare = {"PATH": f"{BIN}:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(self._folder)}
        command = [str(BIN / command[0]), *command[1:]]
        deadline = time.monotonic() + TIMEOUT
        with subprocess.Popen(
            command,
            env={**bare, **environment},
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                while cancel and process.poll() is None and time.monotonic() < deadline:
                    if cancel():
                        # ansible-runner then kills Ansible, as it does when AWX tells it to cancel.
                        process.terminate()
                        break
                    time.sleep(0.2)
                stdout, stderr = process.communicate(timeout=deadline - time.monotonic())
            except BaseException:
                process.kill()
                raise
        return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)


def defaults(template: Item) -> dict[str, Any]:
    """What a template's survey answers by itself."""
    questions = template.get("survey_spec", {}).get("spec", [])
    return {each["variable"]: each["default"] for each in questions if "default" in each}


def collections(job: Path) -> str:
    """Where a job looks for collections."""
    return f"{job}/requirements_collections:~/.ansible/collections:/usr/share/ansible/collections"


def inject(awx: StandIn, credential: int, folder: Path) -> dict[str, str]:
    """What a credential puts into a job's environment, with its files in a folder."""
    item = awx.objects["credentials"][credential]
    injectors = awx.objects["credential_types"][item["credential_type"]]["injectors"]
    engine = ImmutableSandboxedEnvironment()
    known: dict[str, Any] = {name: value for name, value in item["inputs"].items() if value}
    file = folder / "credential"
    file.write_text(engine.from_string(injectors["file"]["template"]).render(known))
    os.chmod(file, 0o600)  # noqa: PTH101
    known["tower"] = {"filename": str(file)}
    return {name: engine.from_string(template).render(known) for name, template in injectors["env"].items()}
