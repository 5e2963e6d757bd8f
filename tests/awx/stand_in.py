# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for AWX: the part of its API that setup.yml calls, and what AWX 24.6.1 makes of what it is given.

What AWX refuses, alters or hides is written after its source (api/serializers.py, main/fields.py, and in main/models
mixins.py and credential), as that is what setup.yml has to get right. Everything else is a store of objects.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from dateutil.rrule import rrulestr
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

Item = dict[str, Any]

API = "/api/v2/"
TOKEN = "awx_4f1c7d0e9b"
ENCRYPTED = "$encrypted$"
TEMPLATES = ("job_templates", "workflow_job_templates", "projects", "inventory_sources", "workflow_approval_templates")
ANSWERS = {"text": str, "textarea": str, "multiplechoice": str, "integer": int}


class RefusedError(Exception):
    """AWX answers 400."""


class StandIn:
    """The API on loopback, and what is behind it: `objects` by endpoint and id, `links` by endpoint, id and kind."""

    def __init__(self, project: Path) -> None:
        self.objects: dict[str, dict[int, Item]] = {}
        self.links: dict[tuple[str, int, str], list[int]] = {}
        self.writes: list[str] = []
        self._project = project
        self._last_id = 0
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                status, body = stand_in._answer(self)
                content = b"" if body is None else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("X-API-Product-Name", "AWX")
                self.send_header("X-API-Product-Version", "24.6.1")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - so http.server wants it

            def log_message(self, *_arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.me = self.add("me", {"username": "admin", "is_superuser": True})
        self.add("organizations", {"name": "Default"})
        self.add("credentials", {"name": "Ansible Galaxy", "inputs": {}})
        self.add("credentials", {"name": "Servers", "inputs": {}})

    def __enter__(self) -> StandIn:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def environ(self) -> dict[str, str]:
        """What the modules of awx.awx read."""
        return {"CONTROLLER_HOST": f"http://127.0.0.1:{self._server.server_port}", "CONTROLLER_OAUTH_TOKEN": TOKEN}

    def add(self, endpoint: str, item: Item) -> Item:
        """Store an object and give it what every object has."""
        self._last_id += 1
        url = f"{API}{endpoint}/{self._last_id}/"
        related = {"survey_spec": f"{url}survey_spec/", "update": f"{url}update/"}
        kind = endpoint.replace("ies", "ys").removesuffix("s")
        item = {
            "description": "",
            **item,
            "id": self._last_id,
            "url": url,
            "type": kind,
            "related": related,
            "summary_fields": {},
        }
        return self.objects.setdefault(endpoint, {}).setdefault(self._last_id, item)

    def named(self, endpoint: str, name: str, organization: int | None = None) -> Item:
        """The one object of this name, in one organization if it is given."""
        (found,) = (
            item
            for item in self.objects[endpoint].values()
            if name in (item.get("name"), item.get("identifier")) and organization in (None, item.get("organization"))
        )
        return found

    def _answer(self, request: BaseHTTPRequestHandler) -> tuple[int, Any]:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"detail": "Authentication credentials were not provided."}
        url = urlsplit(request.path)
        path = url.path.removeprefix(API).strip("/").split("/")
        body = json.loads(request.rfile.read(int(request.headers.get("Content-Length") or 0)) or "null")
        if request.command != "GET":
            self.writes.append(f"{request.command} {url.path}")
        try:
            return self._route(request.command, path, dict(parse_qsl(url.query)), body)
        except RefusedError as refused:
            return 400, {"detail": str(refused), "error": str(refused)}
        except KeyError:
            return 404, {"detail": "Not found."}

    def _route(self, method: str, path: list[str], query: Mapping[str, str], body: Any) -> tuple[int, Any]:
        match method, path:
            case "GET", _:
                return 200, self._get(path, query)
            case "POST", [endpoint]:
                return 201, shown(self.add(endpoint, self._checked(endpoint, body)))
            case "POST", [endpoint, key, kind]:
                return self._post(endpoint, int(key), kind, body)
            case "PATCH", [endpoint, key]:
                item = self.objects[endpoint][int(key)]
                item.update(self._checked(endpoint, {**item, **body}))
                return 200, shown(item)
            case "DELETE", [endpoint, key]:
                self._delete(endpoint, int(key))
                return 204, None
        raise KeyError(path)

    def _delete(self, endpoint: str, key: int) -> None:
        """Delete an object, and what AWX deletes with it."""
        if endpoint == "credential_types" and any(
            each.get("credential_type") == key for each in self._all("credentials")
        ):
            raise RefusedError("Credential types that are in use cannot be deleted")
        del self.objects[endpoint][key]
        owners = {
            "workflow_job_templates": ("workflow_job_template_nodes", "workflow_job_template"),
            "inventories": ("inventory_sources", "inventory"),
        }
        if endpoint in owners:
            kind, owner = owners[endpoint]
            for each in [each for each in self._all(kind) if each[owner] == key]:
                self._delete(kind, each["id"])
        for each in [each for each in self._all("schedules") if each["unified_job_template"] == key]:
            self._delete("schedules", each["id"])

    def _get(self, path: list[str], query: Mapping[str, str]) -> Any:
        match path:
            case [endpoint]:
                return page([shown(item) for item in self._all(endpoint) if agrees(item, query)])
            case ["project_updates", _]:
                return {"id": 1, "status": "successful", "failed": False, "finished": True, "scm_revision": "1"}
            case [endpoint, key]:
                return shown(self.objects[endpoint][int(key)])
            case [endpoint, key, "survey_spec"]:
                return self.objects[endpoint][int(key)].get("survey_spec", {})
            case [endpoint, key, kind]:
                return page([{"id": target} for target in self.links.get((endpoint, int(key), kind), [])])
        raise KeyError(path)

    def _post(self, endpoint: str, key: int, kind: str, body: Any) -> tuple[int, Any]:
        item = self.objects[endpoint][key]
        match kind:
            case "update":
                return 202, {"url": f"{API}project_updates/1/"}
            case "survey_spec":
                item["survey_spec"] = checked_survey(body)
                return 200, {}
            case "create_approval_template":
                approval = self.add("workflow_approval_templates", body)
                item["unified_job_template"] = approval["id"]
                item["related"]["unified_job_template"] = approval["url"]
                return 201, approval
        targets = self.links.setdefault((endpoint, key, kind), [])
        (targets.remove if body.get("disassociate") else targets.append)(body["id"])
        return 204, None

    def _all(self, endpoint: str) -> list[Item]:
        endpoints = TEMPLATES if endpoint == "unified_job_templates" else [endpoint]
        return [item for name in endpoints for item in self.objects.get(name, {}).values()]

    def _checked(self, endpoint: str, item: Item) -> Item:
        """The object as AWX stores it, or RefusedError."""
        match endpoint:
            case "credential_types":
                if not self.me["is_superuser"]:
                    raise RefusedError("You do not have permission to perform this action.")
                check_credential_type(item)
            case "credentials":
                fields = self.objects["credential_types"][item["credential_type"]]["inputs"]["fields"]
                if unknown := set(item["inputs"]) - {field["id"] for field in fields}:
                    raise RefusedError(f"Additional properties are not allowed ({unknown} were unexpected)")
                secrets = [field["id"] for field in fields if field.get("secret")]
                return {**item, "secrets": secrets}
            case "projects":
                return {"scm_revision": "1", **item}
            case "job_templates":
                if not (self._project / item["playbook"]).is_file():
                    raise RefusedError("Playbook not found for project.")
            case "schedules":
                check_rrule(item["rrule"])
                self.check_answers(item, required=True)
            case "workflow_job_template_nodes" if "unified_job_template" in item:
                self.check_answers(item, required=False)
        return item

    def check_answers(self, item: Item, *, required: bool) -> None:
        """What a schedule or a node of a workflow wants to launch its template with."""
        template = next(
            each for each in self._all("unified_job_templates") if each["id"] == item["unified_job_template"]
        )
        questions = {each["variable"]: each for each in template.get("survey_spec", {}).get("spec", [])}
        answers = item.get("extra_data", {})
        for name, value in answers.items():
            if name in questions:
                check_answer(questions[name], value)
            elif not template.get("ask_variables_on_launch"):
                raise RefusedError(f"Variables {name} are not allowed on launch. Check the Prompt on Launch setting.")
        missing = [name for name, each in questions.items() if each["required"] and name not in answers]
        if missing and required:
            raise RefusedError(f"'{missing[0]}' value missing")


def page(items: list[Item]) -> Item:
    """A list as the API gives it."""
    return {"count": len(items), "next": None, "results": items}


def agrees(item: Item, query: Mapping[str, str]) -> bool:
    """Whether the object passes the filters: all of them, and of those that begin with or__ one."""
    query = {name: value for name, value in query.items() if name != "page_size"}
    either = [holds(item, name[4:], value) for name, value in query.items() if name.startswith("or__")]
    every = [holds(item, name, value) for name, value in query.items() if not name.startswith("or__")]
    return all(every) and (any(either) or not either)


def holds(item: Item, name: str, value: str) -> bool:
    """Whether the object passes one filter."""
    if name.endswith("__startswith"):
        return str(item.get(name.removesuffix("__startswith"))).startswith(value)
    return str(item.get(name)) == value


def shown(item: Item) -> Item:
    """The object as AWX shows it: without its secrets."""
    hidden = {name: ENCRYPTED for name in item.get("secrets", []) if name in item["inputs"]}
    return {**item, "inputs": {**item["inputs"], **hidden}} if hidden else item


def check_credential_type(item: Item) -> None:
    """Complete the fields, and render the injectors with an example."""
    for field in item["inputs"]["fields"]:
        field.setdefault("type", "string")
    namespace: dict[str, Any] = {field["id"]: "EXAMPLE" for field in item["inputs"]["fields"]}
    namespace["tower"] = {"filename": "EXAMPLE_FILENAME"}
    for injector in item["injectors"].values():
        for name, template in injector.items():
            if name.startswith("ANSIBLE_") or not template.isascii():
                raise RefusedError(f"Environment variable {name} is not allowed.")
            ImmutableSandboxedEnvironment(undefined=StrictUndefined).from_string(template).render(namespace)


def checked_survey(survey: Item) -> Item:
    """The survey, or RefusedError."""
    for name in ("name", "description"):
        if not isinstance(survey.get(name), str):
            raise RefusedError(f"Field '{name}' is missing from survey spec.")
    for question in survey["spec"]:
        if missing := {"type", "question_name", "variable", "required"} - set(question):
            raise RefusedError(f"{missing} missing from survey question {question}")
        if not isinstance(question["required"], bool) or question["type"] not in ANSWERS:
            raise RefusedError(f"Survey question {question}")
        if any(not isinstance(question.get(bound, 0), int) for bound in ("min", "max")):
            raise RefusedError(f"The limit in survey question {question} expected to be integer.")
        if "default" in question:
            check_answer(question, question["default"])
    return survey


def check_answer(question: Item, value: Any) -> None:
    """Refuse an answer of the wrong type, or none of the choices."""
    # A bool is no integer here.
    if value.__class__ is not ANSWERS[question["type"]]:
        raise RefusedError(f"Value {value!r} for '{question['variable']}' is of the wrong type")
    if question["type"] == "multiplechoice" and value not in question["choices"]:
        raise RefusedError(f"Value {value!r} for '{question['variable']}' expected to be one of {question['choices']}.")


def check_rrule(rule: str) -> None:
    """Refuse what AWX refuses of a recurrence rule."""
    if len(re.findall(r"DTSTART(;[^:]+)?:[0-9]+T[0-9]+Z?", rule)) != 1 or re.search(r"DTSTART:[0-9]+T[0-9]+ ", rule):
        raise RefusedError("Valid DTSTART required in rrule, with a time zone.")
    if not (rules := re.findall(r"RULE:\S*", rule)) or any("INTERVAL" not in each for each in rules):
        raise RefusedError("INTERVAL required in rrule")
    rrulestr(rule, forceset=True)
