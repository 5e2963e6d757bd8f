# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module supports."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the result that is to be expected, without sending a write.
    support: full
  diff_mode:
    description: Returns what has changed, or would change, in diff mode.
  idempotent:
    description: When run twice in a row with the same arguments, the second run changes nothing.
"""

    ACTIONGROUP_VPS = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/vpsdotorg.cloud.vps) in C(module_defaults) to set token and URL once for all modules.
    support: full
    membership:
      - vpsdotorg.cloud.vps
"""

    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the result that is to be expected, without sending a write.
    support: full
    details: This module only reads.
  diff_mode:
    description: Returns what has changed, or would change, in diff mode.
    support: N/A
    details: This module only reads.
  idempotent:
    description: When run twice in a row with the same arguments, the second run changes nothing.
    support: full
    details: This module only reads.
"""
