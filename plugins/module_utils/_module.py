# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""The runner: the one place that knows AnsibleModule, and the one that exits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ansible.module_utils.ansible_release import __version__ as ansible_version
from ansible.module_utils.basic import AnsibleModule, env_fallback, missing_required_lib
from ansible.module_utils.common.parameters import sanitize_keys

from ._client import DEFAULT_URL, REQUESTS_IMPORT_ERROR, VpsClient, VpsError

API_OPTIONS = {
    "api_token": {"type": "str", "required": True, "no_log": True, "fallback": (env_fallback, ["VPS_API_TOKEN"])},
    "api_url": {"type": "str", "default": DEFAULT_URL, "fallback": (env_fallback, ["VPS_API_URL"])},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path", "fallback": (env_fallback, ["VPS_API_CA_PATH"])},
    "api_timeout": {"type": "int", "default": 30, "fallback": (env_fallback, ["VPS_API_TIMEOUT"])},
    "api_retries": {"type": "int", "default": 5, "fallback": (env_fallback, ["VPS_API_RETRIES"])},
}

# For the modules that can wait. The action plugin of the same name makes use of it, on the controller.
PROGRESS_OPTION = {
    "progress_interval": {"type": "int", "default": 20, "fallback": (env_fallback, ["VPS_PROGRESS_INTERVAL"])},
}

Verb = Callable[[VpsClient, dict[str, Any], bool], dict[str, Any]]


@dataclass(frozen=True)
class Module:
    """All that makes a module, wherever it runs.

    :param verb: Gets the client, the parameters and whether this is check mode; returns the module's result.
    :param options: The module's own argument spec.
    :param requirements: ``required_if`` and its like.
    :param guards: Options that narrow what is destroyed: given but empty, they are refused, never left out.
    """

    verb: Verb
    options: dict[str, Any]
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
    """The arguments without those that are missing; Ansible's own (``_ansible_...``) are left alone."""
    return {name: value for name, value in arguments.items() if name.startswith("_ansible_") or not is_missing(value)}


def empty_guards(module: Module, arguments: dict[str, Any]) -> str | None:
    """The words that refuse a guard which is given but empty, or None."""
    empty = [name for name in module.guards if name in arguments and is_missing(arguments[name])]
    if not empty:
        return None
    return (
        f"{' and '.join(empty)} is given, but empty, so nobody can tell which server is meant. Nothing was sent. "
        "Give it a value (is the variable behind it set?), or leave the option out."
    )


def read_only(read: Callable[[VpsClient, dict[str, Any]], dict[str, Any]]) -> Verb:
    """The verb of a module that only reads."""

    def verb(client: VpsClient, params: dict[str, Any], check_mode: bool) -> dict[str, Any]:  # noqa: ARG001
        return {"changed": False, **read(client, params)}

    return verb


def connect(params: dict[str, Any], user: str) -> VpsClient:
    """A client from the shared options."""
    for option, least in (("api_timeout", 1), ("api_retries", 0)):
        if params[option] < least:
            raise VpsError(f"{option} must be at least {least}, not {params[option]}.")
    return VpsClient(
        params["api_token"],
        params["api_url"],
        validate_certs=params["validate_certs"],
        ca_path=params["ca_path"],
        timeout=params["api_timeout"],
        retries=params["api_retries"],
        user_agent=user,
    )


class _AnsibleModule(AnsibleModule):
    """Leaves out what is missing before anything is validated, so that requirements, defaults and fallbacks hold."""

    def _load_params(self) -> None:
        super()._load_params()
        self.arguments = self.params
        self.params = given(self.params)


def run(module: Module) -> None:
    """Run a module: validate, connect, hand over to the verb, exit."""
    ansible = _AnsibleModule(module.spec, supports_check_mode=True, **module.requirements)
    if REQUESTS_IMPORT_ERROR:
        ansible.fail_json(msg=missing_required_lib("requests"), exception=REQUESTS_IMPORT_ERROR)
    refusal = empty_guards(module, ansible.arguments)
    if refusal:
        ansible.fail_json(msg=refusal)
    # A token from a file may end in a line break, and what the API echoes then does not.
    ansible.no_log_values.update({ansible.params["api_token"].strip()} - {""})
    try:
        client = connect(ansible.params, f"ansible-core/{ansible_version}")
        result, leave = module.verb(client, ansible.params, ansible.check_mode), ansible.exit_json
    except VpsError as error:
        result, leave = {"msg": error.message, **error.details}, ansible.fail_json
    # As an argument of exit_json they are deprecated from ansible-core 2.19 on.
    for warning in result.pop("warnings", []):
        ansible.warn(warning)
    # Ansible hides the token in values, but not in keys.
    leave(**sanitize_keys(result, ansible.no_log_values))
