# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ..modules.vps_server_power import MODULE
from ..plugin_utils._direct import DirectAction


class ActionModule(DirectAction):
    """Runs the module of the same name, in this process where it may."""

    module = MODULE
