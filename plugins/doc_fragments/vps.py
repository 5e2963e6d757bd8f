# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that every module shares."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  api_token:
    description:
      - The API token. It begins with V(vps_) and is made in the account's developer settings.
      - The token never appears in the output. A line break at its end is ignored.
      - If not given, the environment variable E(VPS_API_TOKEN) is used.
    type: str
    required: true
  api_url:
    description:
      - The base URL of the API.
      - Plain V(http://) is accepted for loopback hosts only. Redirects are never followed.
      - If not given, the environment variable E(VPS_API_URL) is used.
    type: str
    default: https://admin.vps.org/api/v1
  validate_certs:
    description:
      - Whether the API's TLS certificate is checked.
    type: bool
    default: true
  ca_path:
    description:
      - A file or folder of CA certificates to check the API's certificate with, instead of the system's.
      - If not given, the environment variable E(VPS_API_CA_PATH) is used.
    type: path
  api_timeout:
    description:
      - Seconds for one request (for connecting, and for each read), not for a wait.
      - If not given, the environment variable E(VPS_API_TIMEOUT) is used.
    type: int
    default: 30
  api_retries:
    description:
      - How often one request is repeated at most, where repeating is safe.
      - Reading and deleting is repeated after a lost connection, a time-out and the statuses 429, 500, 502, 503 and
        504. Anything else is repeated only after 429 and where no connection came about.
      - If not given, the environment variable E(VPS_API_RETRIES) is used.
    type: int
    default: 5
requirements:
  - python >= 3.10
  - requests
notes:
  - On the controller a module runs in Ansible's own process, which takes a tenth of the CPU time. It runs in a process
    of its own, as other modules do, where that could make a difference, which is on a connection that is not
    P(ansible.builtin.local#connection), with C(become), C(async) or C(environment), with a Python that is not Ansible's
    own, and on macOS. With the environment variable E(VPS_DIRECT) of the controller set to V(false) it always does.
  - The API is called from the machine where a plugin runs. Run modules on the controller (C(hosts=localhost) or
    C(delegate_to=localhost)), so that the token never travels to a server; the inventory plugin always runs there.
  - VPS.org documents the Snapshots API and shows the other calls only in examples; where the shape of an answer is
    not documented, the modules accept every shape that is known.
"""

    WAITING = r"""
options:
  progress_interval:
    description:
      - While a wait lasts, a line tells every so many seconds how it stands. V(0) turns that off.
      - There are lines only where the module runs on the controller, and none for a task with C(async).
      - If not given, the environment variable E(VPS_PROGRESS_INTERVAL) of the controller is used.
    type: int
    default: 20
"""
