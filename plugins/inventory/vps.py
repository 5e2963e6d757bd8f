# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: vps
short_description: VPS.org servers as inventory hosts
version_added: 0.1.0
description:
  - Makes each server of a VPS.org account a host, so that nobody keeps a list of servers and their ids by hand.
  - The configuration is a YAML file whose name ends in C(.vps.yml) or C(.vps.yaml).
  - A host bears the name of its server. Servers that share one name become hosts called C(NAME-ID), and so does a
    server called C(localhost), which would otherwise take the place of the controller, or like a group (C(all),
    C(ungrouped), one of O(groups) or O(keyed_groups), or one of another inventory file that was read before).
  - Each host has the keys of RV(vpsdotorg.cloud.vps_server_info#module:servers[]) as variables with C(vps_) before
    them (C(vps_id), C(vps_uuid), C(vps_name), C(vps_hostname), C(vps_status), C(vps_ipv4), C(vps_ipv6),
    C(vps_location), C(vps_plan), C(vps_os), C(vps_created_at), C(vps_raw)), and C(vps_server_id), which is the integer
    id if there is one, else the UUID.
  - C(ansible_host) is the first IPv4 address, else the first IPv6 address. Set it in O(compose) to connect otherwise.
    What is neither an IP address nor a host name is never connected to, as ssh might obey it. Such a host gets
    C(no-address.invalid), with a warning.
author:
  - The vpsdotorg.cloud authors (@vpsdotorg)
extends_documentation_fragment:
  - vpsdotorg.cloud.vps
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description:
      - Tells that the file is meant for this plugin.
    type: str
    required: true
    choices: [vpsdotorg.cloud.vps]
  api_token:
    required: false
    env:
      - name: VPS_API_TOKEN
  api_url:
    env:
      - name: VPS_API_URL
  validate_certs:
    type: raw
  ca_path:
    type: raw
    env:
      - name: VPS_API_CA_PATH
  api_timeout:
    type: raw
    env:
      - name: VPS_API_TIMEOUT
  api_retries:
    type: raw
    env:
      - name: VPS_API_RETRIES
  status:
    description:
      - Only servers with one of these statuses, as a list, or as one text with commas. The API documents V(active),
        V(stopped), V(suspended), and V(restoring) while a restore runs.
    type: raw
  location:
    description:
      - Only servers in one of these locations, by the name that C(vps_location) shows, as a list, or as one text with
        commas.
    type: raw
notes:
  - The API options, such as O(api_token), and O(status) and O(location) may be templates, of which the result is then
    checked. They see extra variables and nothing else.
  - With O(cache), the servers of the account are kept, never the token. The filters apply to what comes from the cache,
    too.
  - Nothing that the API says is ever run as a template. All host variables are marked as unsafe, and so are names of
    hosts and groups that could become code. C(ansible-inventory --list) prints what is marked as an object with the key
    C(__ansible_unsafe).
seealso:
  - module: vpsdotorg.cloud.vps_server_info
"""

EXAMPLES = r"""
# Every server of the account. The token comes from VPS_API_TOKEN.
plugin: vpsdotorg.cloud.vps
# ---
# # With the token from a file.
# plugin: vpsdotorg.cloud.vps
# api_token: "{{ lookup('ansible.builtin.file', '~/.config/vps-token') }}"
# ---
# # Some of the servers, in groups.
# plugin: vpsdotorg.cloud.vps
# status: [active]
# location: [Amsterdam, Frankfurt]
# keyed_groups:
#   - key: vps_location
#     prefix: location
#   - key: vps_os | replace(' ', '_')
#     prefix: os
# groups:
#   web: vps_name is match('web-')
# compose:
#   ansible_user: "'root'"
# strict: true
# ---
# # Asked for once an hour.
# plugin: vpsdotorg.cloud.vps
# cache: true
# cache_plugin: ansible.builtin.jsonfile
# cache_connection: ~/.cache/vps-inventory
# cache_timeout: 3600
"""

import contextlib
import ipaddress
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ansible import constants
from ansible.errors import AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.inventory.group import to_safe_group_name
from ansible.module_utils.ansible_release import __version__ as ansible_version
from ansible.module_utils.basic import missing_required_lib
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.unsafe_proxy import wrap_var

from ..module_utils._errors import VpsError, printable
from ..module_utils._http import REQUESTS_IMPORT_ERROR
from ..module_utils._module import API_OPTIONS, WITHOUT_TOKEN, check_ranges, check_types, connect, given
from ..module_utils._servers import describe

# Names of these characters alone can never become a template or a call.
HARMLESS = re.compile(r"[\w .,:/@+-]*")
# What ssh never obeys, and what nothing answers to.
TARGET_NAME = re.compile(r"(?!-)[\w.-]+")
NOWHERE = "no-address.invalid"
FILTERS = {name: {"type": "list", "elements": "str"} for name in ("status", "location")}


def safe_name(name: str) -> str:
    """The name, marked as unsafe if it could become code (nothing from outside is trusted from 2.19 on).

    Not always: ansible-inventory of 2.16 to 2.18 prints a marked name as an object, on which AWX's import fails.
    """
    return name if HARMLESS.fullmatch(name) else wrap_var(name)


def identity(server: dict) -> int | str | None:
    """What names the server to the modules: its integer id, else its UUID."""
    return server["uuid"] if server["id"] is None else server["id"]


def target(server: dict) -> str | None:
    """What ssh connects to instead of the host's name; None where that name will do.

    A name that ssh might obey never gets there: nothing is ever found below ``.invalid``.
    """
    addresses = usable(server)
    if addresses:
        return addresses[0]
    name = server["name"] or "server"
    if isinstance(name, str) and TARGET_NAME.fullmatch(f"{name}-{identity(server)}"):
        return None
    return NOWHERE


def usable(server: dict) -> list[str]:
    """The addresses of a server that are some."""
    return [each for each in server["ipv4"] + server["ipv6"] if is_address(each)]


def is_address(value: Any) -> bool:
    """Whether this is an IP address; one with a zone is none, as anything may stand there."""
    try:
        return "%" not in str(value) and bool(ipaddress.ip_address(str(value)))
    except ValueError:
        return False


def host_names(servers: list[dict], reserved: Iterable[str] = ()) -> list[str]:
    """The name of each server's host, no two of them alike and none of them reserved, in the order of the servers."""
    reserved = {*reserved, *constants.LOCALHOST}
    names = [str(server["name"] or "server") for server in servers]
    longer = [f"{name}-{identity(server)}" for name, server in zip(names, servers)]
    while True:
        uses = Counter(names)
        clashing = [
            place
            for place, name in enumerate(names)
            if name != longer[place] and (uses[name] > 1 or name in reserved or not servers[place]["name"])
        ]
        if not clashing:
            return names
        # A longer name may be another server's own name, which then has to become longer too.
        for place in clashing:
            names[place] = longer[place]


def host_vars(server: dict) -> dict[str, Any]:
    """The variables of a server's host."""
    variables = {f"vps_{key}": value for key, value in server.items()}
    variables["vps_server_id"] = identity(server)
    address = target(server)
    if address:
        variables["ansible_host"] = address
    return variables


def oddities(server: dict) -> list[str]:
    """What the user has to know about a server that is not connected to as the API describes it."""
    addresses = [each for each in server["ipv4"] + server["ipv6"] if not is_address(each)]
    said = [f"the address {each!r} is no IP address, and is left out" for each in addresses]
    if target(server) == NOWHERE:
        said.insert(0, f"it has no address, and its name {server['name']!r} is no host name, so nothing connects to it")
    return [printable(f"VPS.org server {identity(server)}: {each}.") for each in said]


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    NAME = "vpsdotorg.cloud.vps"

    @staticmethod
    def _sanitize_group_name(name: str) -> str:
        # Groups are named after values of the API, whose mark ansible-core loses on its way here.
        return safe_name(to_safe_group_name(name))

    def verify_file(self, path: str) -> bool:
        """Whether the file may be a configuration of this plugin."""
        return super().verify_file(path) and path.endswith((".vps.yml", ".vps.yaml"))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Fill the inventory with the servers of the account."""
        super().parse(inventory, loader, path, cache)
        if REQUESTS_IMPORT_ERROR:
            raise AnsibleParserError(missing_required_lib("requests"))
        self._read_config_data(path)
        try:
            options = self._checked_options(path)
            servers = self._servers(path, options, cache)
        except VpsError as error:
            raise AnsibleParserError(error.message) from None
        for name, server in self._named(servers, options):
            host = safe_name(name)
            self._add_host(host, host_vars(server))
            for warning in [*oddities(server), *self._without_odd_target(host)]:
                self.display.warning(warning)

    def _without_odd_target(self, host: str) -> list[str]:
        """Connect to nothing where users composed an ansible_host of what ssh might obey; the warnings about it."""
        variables = self.inventory.get_host(host).vars
        composed = str(variables.get("ansible_host", host))
        if is_address(composed) or TARGET_NAME.fullmatch(composed):
            return []
        variables["ansible_host"] = NOWHERE
        said = f"Host {host}: {composed!r} is neither an IP address nor a host name, so nothing connects to it."
        return [printable(said)]

    def _checked_options(self, path: str) -> dict[str, Any]:
        """The options of the API and the filters, after templating, checked as the modules check theirs."""
        self.templar.available_variables = self._vars
        spec = {**API_OPTIONS, **FILTERS}
        arguments = given({name: self.templar.template(self.get_option(name)) for name in spec})
        check_types(spec, arguments)
        validation = ArgumentSpecValidator(spec).validate(arguments)
        if validation.error_messages:
            message = validation.error_messages[0]
            if "api_token" in message and "missing" in message:
                message = WITHOUT_TOKEN.format(path)
            raise VpsError(message)
        check_ranges(validation.validated_parameters)
        return validation.validated_parameters

    def _named(self, servers: list[dict], options: dict[str, Any]) -> list[tuple[str, dict]]:
        """The servers that pass the filters, each with the name of its host, which is the name of no group."""

        def wanted(names: list[str]) -> list[tuple[str, dict]]:
            return [
                (name, server)
                for name, server in zip(names, servers)
                # The filters know the names that users see, whatever the API filters by.
                if all(not options[key] or server[key] in options[key] for key in FILTERS)
            ]

        names = host_names(servers, self.inventory.groups)
        # Groups may be named after hosts, so whoever gets a longer name may make another group.
        for _attempt in range(3):
            longer = host_names(servers, self._group_names(wanted(names)))
            if longer == names:
                break
            names = longer
        return wanted(names)

    def _group_names(self, hosts: list[tuple[str, dict]]) -> set[str]:
        """The groups that there are, and those that these hosts would make."""
        real, self.inventory = self.inventory, InventoryData()
        try:
            for number, (name, server) in enumerate(hosts):
                # Beside a group of its own name, a host would not be found.
                self._add_host(f"{number}", {**host_vars(server), "inventory_hostname": safe_name(name)})
            return {*real.groups, *self.inventory.groups}
        finally:
            self.inventory = real

    def _servers(self, path: str, options: dict[str, Any], cache: bool) -> list[dict]:
        """All servers of the account, from the cache where that is wanted and they are there."""
        if not self.get_option("cache"):
            return self._fetch(options)
        # Another account's servers must not come from the cache. Of the digest, too few digits are used to guess from.
        key = self.get_cache_key(f"{path} {options['api_url']} {options['api_token']}")
        if cache:
            with contextlib.suppress(KeyError):
                return self._cache[key]
        self._cache[key] = self._fetch(options)
        return self._cache[key]

    def _fetch(self, options: dict[str, Any]) -> list[dict]:
        """Ask the API."""
        client = connect(options, f"ansible-core/{ansible_version}")
        return [describe(server) for server in client.list_servers()]

    def _add_host(self, host: str, variables: dict[str, Any]) -> None:
        """Add one host with its variables, and what users construct from them."""
        self.inventory.add_host(host)
        for name, value in variables.items():
            self.inventory.set_variable(host, name, wrap_var(value))
        strict = self.get_option("strict")
        known = self.inventory.get_host(host).get_vars()
        self._set_composite_vars(self.get_option("compose"), known, host, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), {}, host, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), {}, host, strict=strict)
