# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""The runner: the one place that knows AnsibleModule, and the one that exits."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ansible.module_utils.ansible_release import __version__ as ansible_version
from ansible.module_utils.basic import AnsibleFallbackNotFound, AnsibleModule, missing_required_lib

from ._client import VpsClient
from ._errors import VpsError, printable
from ._http import DEFAULT_URL, MASK, REQUESTS_IMPORT_ERROR, SHORTEST_TOKEN, Http, masked
from ._progress import Progress
from ._shapes import LARGEST_ID


def environment(*names: str) -> str:
    """The first of these environment variables that is set; an empty one counts as unset.

    :raises AnsibleFallbackNotFound: Where none is.
    """
    for name in names:
        if not is_missing(os.environ.get(name)):
            return os.environ[name]
    raise AnsibleFallbackNotFound


API_OPTIONS = {
    "api_token": {"type": "str", "required": True, "no_log": True, "fallback": (environment, ["VPS_API_TOKEN"])},
    "api_url": {"type": "str", "default": DEFAULT_URL, "fallback": (environment, ["VPS_API_URL"])},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path", "fallback": (environment, ["VPS_API_CA_PATH"])},
    "api_timeout": {"type": "int", "default": 30, "fallback": (environment, ["VPS_API_TIMEOUT"])},
    "api_retries": {"type": "int", "default": 5, "fallback": (environment, ["VPS_API_RETRIES"])},
}

WITHOUT_TOKEN = "There is no API token: set VPS_API_TOKEN in the environment of the controller, or api_token in {}."
# What Ansible says of options that are not there: the names stand at its end.
LACKING = re.compile(r".*(missing|required|arguments): (?P<names>[a-z_, ]+)")

# For the modules that can wait.
PROGRESS_OPTION = {
    "progress_interval": {"type": "int", "default": 20, "fallback": (environment, ["VPS_PROGRESS_INTERVAL"])},
}

# A number as text; Ansible would also take 1e0, 1_0, +1, true and 1.0.
WHOLE = re.compile(r"0|-?[1-9][0-9]*")

# The least and the most of each number, for whichever module has it.
RANGES = {
    "api_timeout": (1, 3600),
    "api_retries": (0, 100),
    "progress_interval": (0, 86400),
    "wait_timeout": (0, 604800),
    "snapshot_limit": (0, 1000),
    "snapshot_id": (1, LARGEST_ID),
    "keep": (0, 1000000),
}

# What is kept in the account, or compared with what is: there the token is masked in every answer.
TEXTS = ("name", "description", "name_prefix", "rotate_prefix")

Verb = Callable[[VpsClient, dict[str, Any], bool], dict[str, Any]]


@dataclass(frozen=True)
class Module:
    """All that makes a module, wherever it runs.

    :param verb: Gets the client, the parameters and whether this is check mode; returns the module's result.
    :param options: The module's own argument spec.
    :param promised: What a failure returns where it is not known, beside ``msg`` and ``changed``.
    :param requirements: ``required_if`` and its like.
    :param guards: Options that narrow what is destroyed: given but empty, they are refused, never left out.
    """

    verb: Verb
    options: dict[str, Any]
    promised: dict[str, Any] = field(default_factory=dict)
    requirements: dict[str, Any] = field(default_factory=dict)
    guards: tuple[str, ...] = ()

    @property
    def spec(self) -> dict[str, Any]:
        """The whole argument spec."""
        return {**API_OPTIONS, **self.options}


def is_missing(value: Any) -> bool:
    """Whether a value counts as not given: a null, or a text of nothing but blanks."""
    return value is None or (isinstance(value, str) and not value.strip())


def given(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments without those that are missing; Ansible's own (``_ansible_...``) are left alone.

    What is missing in a list is left out of it; an ansible-core before 2.19 refuses a null there.
    """
    theirs = {name: value for name, value in arguments.items() if name.startswith("_ansible_")}
    ours = {name: value for name, value in arguments.items() if name not in theirs and not is_missing(value)}
    for name, value in ours.items():
        if isinstance(value, list):
            ours[name] = [each for each in value if not is_missing(each)]
    return {**theirs, **ours}


def refuse_empty_guards(module: Module, arguments: dict[str, Any]) -> None:
    """Refuse a guard that is given but empty.

    :raises VpsError: With the words for the user.
    """
    for name in module.guards:
        if name in arguments and is_missing(arguments[name]):
            raise VpsError(
                f"{name} is given, but empty, so nobody can tell which server is meant. Nothing was sent. Give it a "
                "value (is the variable behind it set?), or leave the option out."
            )


def read_only(read: Callable[[VpsClient, dict[str, Any]], dict[str, Any]]) -> Verb:
    """The verb of a module that only reads."""

    def verb(client: VpsClient, params: dict[str, Any], check_mode: bool) -> dict[str, Any]:  # noqa: ARG001
        found = read(client, params)
        return {"changed": False, **found, "api_time": f"{client.now():%Y-%m-%dT%H:%M:%SZ}"}

    return verb


def connect(params: dict[str, Any], user: str, progress: Progress | None = None) -> VpsClient:
    """A client from the shared options.

    :raises VpsError: Where one of them cannot be used.
    """
    http = Http(
        params["api_token"],
        params["api_url"],
        validate_certs=params["validate_certs"],
        ca_path=params["ca_path"],
        timeout=params["api_timeout"],
        user_agent=user,
    )
    return VpsClient(http, params["api_retries"], progress)


def check_types(spec: dict[str, Any], arguments: dict[str, Any]) -> None:
    """Refuse what Ansible would turn into a number or a token, and is none.

    :param arguments: As they are given, before Ansible converts them; what is missing may come from the environment.
    :raises VpsError: With the words for the user.
    """
    for option, of in spec.items():
        value = arguments.get(option)
        if is_missing(value) and "fallback" in of:
            with suppress(AnsibleFallbackNotFound):
                value = environment(*of["fallback"][1])
        if is_missing(value):
            continue
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if of["type"] == "int" and not is_number and not (isinstance(value, str) and WHOLE.fullmatch(value.strip())):
            raise VpsError(f"{option} has to be a whole number, not {repr(value)[:40]}. Nothing was sent; correct it.")
        if option == "api_token" and not isinstance(value, str):
            raise VpsError(f"api_token has to be text, not a {type(value).__name__}. Nothing was sent; correct it.")


def check_ranges(params: dict[str, Any]) -> None:
    """Refuse a number that is out of its range.

    :raises VpsError: With the words for the user.
    """
    for option, (least, most) in RANGES.items():
        value = params.get(option)
        if value is not None and not least <= value <= most:
            raise VpsError(
                f"{option} must be at least {least} and at most {most}, not {str(value)[:40]}. Nothing was sent; "
                "correct it."
            )


def refuse_token_in_texts(params: dict[str, Any]) -> None:
    """Refuse a text that holds the token: the account would show it, and no answer could be compared with it.

    :raises VpsError: With the words for the user.
    """
    for option in TEXTS:
        if params["api_token"].strip() in (params.get(option) or ""):
            raise VpsError(
                f"{option} contains the API token, which the account would show to all who may list it. Nothing was "
                "sent; choose another text (is a variable mistaken?)."
            )


def refusal(text: str, arguments: dict[str, Any]) -> str:
    """The words with which Ansible refuses the arguments, and what to do where they do not say it."""
    lacking = LACKING.fullmatch(text)
    names = lacking["names"].split(", ") if lacking else []
    if "api_token" in names:
        without = WITHOUT_TOKEN.format("the task (for all tasks: module_defaults, group/vpsdotorg.cloud.vps)")
        return without if names == ["api_token"] else f"{text}. {without}"
    empty = [name for name in names if name in arguments]
    if empty:
        return f"{text}. Given, but empty, which counts as missing: {', '.join(empty)} (is the variable behind it set?)"
    return text


def perform(
    module: Module,
    arguments: dict[str, Any],
    params: dict[str, Any],
    check_mode: bool,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Do what a module is for, wherever it runs; the one place that turns exceptions into a result.

    :param arguments: As the task gives them.
    :param params: The same, validated, with defaults and fallbacks.
    :param progress: Gets how a wait stands.
    :return: The module's result; with ``failed`` and ``msg`` where it failed, and ``warnings``, a list of texts.
    """
    client = None
    try:
        check_types(module.spec, arguments)
        refuse_empty_guards(module, arguments)
        check_ranges(params)
        refuse_token_in_texts(params)
        client = connect(params, f"ansible-core/{ansible_version}", progress)
        result = module.verb(client, params, check_mode)
    except VpsError as error:
        result = {**_failure(module, client), "msg": error.message, **error.details}
    except Exception as error:
        result = {
            **_failure(module, client),
            "msg": f"This is a bug of vpsdotorg.cloud: {type(error).__name__}: {printable(str(error))}. What was sent "
            "before it stands; look at the state with vps_snapshot_info, and report the bug with the traceback: -vvv, "
            "from ansible-core 2.19 on with ANSIBLE_DISPLAY_TRACEBACK=always.",
            "exception": traceback.format_exc(),
        }
    result = masked(result, secret(params) or MASK, depth=100)
    return {**result, "warnings": [printable(warning) for warning in result.get("warnings", [])]}


def _failure(module: Module, client: VpsClient | None) -> dict[str, Any]:
    """What every failure has; a task that failed halfway has changed something all the same."""
    return {"failed": True, "changed": client is not None and client.has_written, **module.promised}


def secret(params: dict[str, Any]) -> str:
    """The token, as it is masked in all that is returned; empty where it is too short to be one, and left in no place.

    Masking a letter or two would leave no word whole.
    """
    token = str(params.get("api_token") or "").strip()
    if len(token) >= SHORTEST_TOKEN and token != MASK:
        return token
    if token:
        params["api_token"] = MASK
    return ""


def secrets(params: dict[str, Any]) -> set[str]:
    """The texts that Ansible hides in all that is returned."""
    token = secret(params)
    return {token, str(params["api_token"])} if token else set()


class _AnsibleModule(AnsibleModule):
    """Leaves out what is missing before anything is validated, so that requirements, defaults and fallbacks hold."""

    arguments: dict[str, Any]

    def __init__(self, module: Module) -> None:
        self.of = module
        super().__init__(module.spec, supports_check_mode=True, **module.requirements)

    def _load_params(self) -> None:
        super()._load_params()
        self.arguments = self.params
        self.params = given(self.params)

    def fail_json(self, msg: str, **details: Any) -> NoReturn:
        super().fail_json(refusal(msg, self.arguments), **{"changed": False, **self.of.promised, **details})


def run(module: Module) -> None:
    """Run a module as a process of its own: validate, perform, exit."""
    ansible = _AnsibleModule(module)
    if REQUESTS_IMPORT_ERROR:
        ansible.fail_json(msg=missing_required_lib("requests"), exception=REQUESTS_IMPORT_ERROR)
    result = perform(module, ansible.arguments, ansible.params, ansible.check_mode)
    hidden = secrets(ansible.params)
    ansible.no_log_values = {*ansible.no_log_values, *hidden} if hidden else hidden
    # As an argument of exit_json they are deprecated from ansible-core 2.19 on.
    for warning in result.pop("warnings"):
        ansible.warn(warning)
    leave = ansible.fail_json if result.pop("failed", False) else ansible.exit_json
    leave(**result)
