# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""Runs a module in Ansible's own worker where that makes no difference: it saves an archive and a second Python."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from ansible import constants
from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.module_utils.parsing.convert_bool import BOOLEANS_FALSE
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._http import REQUESTS_IMPORT_ERROR
from ..module_utils._module import Module, given, is_missing, perform, refusal, secrets
from ..module_utils._progress import Progress

SWITCH = "VPS_DIRECT"
# No Python is asked for: Ansible looks for one.
DISCOVERED = ("auto", "auto_silent", "auto_legacy", "auto_legacy_silent")


class DirectAction(ActionBase):
    """The action of a module; `module` is all that differs from one to the next."""

    module: Module

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        if self._runs_here(task_vars):
            return {**result, **self._perform(task_vars)}
        result.update(self._execute_module(task_vars=task_vars, wrap_async=bool(self._task.async_val)))
        if not self._is_local():
            self._advise(result, task_vars)
        return result

    # Where it may run.

    def _runs_here(self, task_vars: dict[str, Any]) -> bool:
        """Whether the module would run on the controller, as this user, in this environment and by this Python."""
        return (
            self._is_local()
            and not self._connection.become
            and not self._task.async_val
            and not any(self._task.environment or [])
            and self._interpreter(task_vars) in (*DISCOVERED, *_own_pythons(task_vars))
            and not REQUESTS_IMPORT_ERROR
            # A forked process that uses the network may crash there.
            and sys.platform != "darwin"
            and _is_wanted()
        )

    def _is_local(self) -> bool:
        return self._connection.transport in ("local", "ansible.builtin.local")

    def _interpreter(self, task_vars: dict[str, Any]) -> str:
        """The Python that the task asks for, after delegation."""
        host = self._task.delegate_to
        known = task_vars.get("ansible_delegated_vars", {}).get(host, {}) if host else task_vars
        value = known.get("ansible_python_interpreter")
        if is_missing(value):
            value = constants.config.get_config_value("INTERPRETER_PYTHON", variables={})
        return str(self._templar.template(value))

    # How it runs here.

    def _perform(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """What the module would do and return."""
        arguments = _plain(self._task.args)
        requirements = {"mutually_exclusive": None, **self.module.requirements}
        validation = ArgumentSpecValidator(self.module.spec, **requirements).validate(given(arguments))
        params = validation.validated_parameters
        if validation.error_messages:
            text = validation.error_messages[0]
            if isinstance(validation.errors[0], UnsupportedError):
                text = f"Unsupported parameters for ({self._task.action}) module: {text}"
            said = refusal(text, arguments)
            result: dict[str, Any] = {"failed": True, "changed": False, "msg": said, **self.module.promised}
        else:
            progress = Progress(str(task_vars.get("inventory_hostname")), params.get("progress_interval", 0), _tell)
            result = perform(self.module, arguments, params, self._task.check_mode, progress)
        if not _setting("DISPLAY_TRACEBACK", ["always"], task_vars) & {"always", "error"}:
            result.pop("exception", None)
        if _setting("INJECT_INVOCATION", True, task_vars) & {True}:
            result["invocation"] = {"module_args": params}
        if not result.get("warnings"):
            result.pop("warnings", None)
        return _plain(remove_values(result, secrets(params)))

    # What to say where it ran elsewhere.

    def _advise(self, result: dict[str, Any], task_vars: dict[str, Any]) -> None:
        """Say that the module does not belong on a server, and put that first where it failed there."""
        host = self._task.delegate_to or task_vars.get("inventory_hostname")
        name = self._task.action.rpartition(".")[2]
        advice = f"{name} calls the API from where it runs: run it on the controller (delegate_to: localhost)."
        if result.get("failed") and "status_code" not in result:
            said = str(result.get("msg") or result.get("module_stderr") or "it said nothing")
            result["msg"] = f"{advice} It ran on {host}, and failed there: {said}"
        else:
            Display().warning(f"{advice} It ran on {host}, so the API token was sent to that host.")


def _tell(line: str) -> None:
    Display().display(line)


def _is_wanted() -> bool:
    """What VPS_DIRECT says; anything but a clear no is a yes."""
    value = os.environ.get(SWITCH)
    return is_missing(value) or str(value).strip().lower() not in BOOLEANS_FALSE


def _own_pythons(task_vars: dict[str, Any]) -> set[str]:
    """The Python that Ansible runs by, not another one that it resolves to: a link in an environment is its own."""
    return {sys.executable, str(task_vars.get("ansible_playbook_python"))}


def _setting(name: str, default: Any, task_vars: dict[str, Any]) -> set:
    """The values of a setting of Ansible that not every release has."""
    try:
        value = constants.config.get_config_value(name, variables=task_vars)
    except AnsibleError:
        value = default
    return set(value) if isinstance(value, list) else {value}


def _plain(value: Any) -> Any:
    """The value as it would be after its way to a module or back: without marks, ciphers and Python's own types."""
    return json.loads(json.dumps(value, default=lambda each: getattr(each, "isoformat", each.__str__)()))
