# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let the documentation site refer to Ansible's own pages without asking for their index over the network."""

from __future__ import annotations

import sys
from pathlib import Path

import sphobjinv

ANSIBLE = "https://docs.ansible.com/projects/ansible/devel/"
# The labels of Ansible's documentation that the generated pages refer to.
LABELS = {
    "action_plugins": ("plugins/action.html#action-plugins", "Action plugins"),
    "ansible_configuration_settings": (
        "reference_appendices/config.html#ansible-configuration-settings",
        "Ansible Configuration Settings",
    ),
    "ansible_collections.ansible.builtin.local_connection": (
        "collections/ansible/builtin/local_connection.html#ansible-collections-ansible-builtin-local-connection",
        "ansible.builtin.local connection",
    ),
    "common_return_values": ("reference_appendices/common_return_values.html#common-return-values", "Return Values"),
}
# Its settings, of which the inventory's cache has some.
VARIABLES = (
    "ANSIBLE_CACHE_PLUGIN",
    "ANSIBLE_CACHE_PLUGIN_CONNECTION",
    "ANSIBLE_CACHE_PLUGIN_PREFIX",
    "ANSIBLE_CACHE_PLUGIN_TIMEOUT",
)
SETTINGS = """
html_title = html_short_title = "vpsdotorg.cloud"
intersphinx_mapping = {{"ansible": ({url!r}, "../ansible.inv")}}
suppress_warnings = ["config.cache"]
"""


def main(site: Path) -> None:
    """Put an index of those labels beside the site's configuration, and point it there."""
    inventory = sphobjinv.Inventory()
    inventory.project, inventory.version = "Ansible", "devel"
    for name, (uri, title) in LABELS.items():
        inventory.objects.append(
            sphobjinv.DataObjStr(name=name, domain="std", role="label", priority="-1", uri=uri, dispname=title)
        )
    for name in VARIABLES:
        uri = f"reference_appendices/config.html#envvar-{name}"
        inventory.objects.append(
            sphobjinv.DataObjStr(name=name, domain="std", role="envvar", priority="1", uri=uri, dispname="-")
        )
    sphobjinv.writebytes(site / "ansible.inv", sphobjinv.compress(inventory.data_file()))
    configuration = site / "conf.py"
    configuration.write_text(configuration.read_text(encoding="utf-8") + SETTINGS.format(url=ANSIBLE), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
