# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""What can go wrong, and the one table of what to do about it.

The exceptions::

    VpsError                 base: what was tried, what came back, what to do
    ├── ApiError             the API answered and refused
    ├── NoAnswerError        no usable answer came back
    │   └── BadAnswerError   an answer came, but it is none that the API documents
    └── OperationError       an operation failed on the service's side, or its wait ran out
"""

from __future__ import annotations

from typing import Any

ADVICE = {
    400: "Correct what the API names.",
    401: "Check the token (api_token or VPS_API_TOKEN): it is missing, mistyped, expired or revoked.",
    403: "Grant the token the permission for this call, or use another token; this one is valid.",
    404: "Check the id (vps_server_info and vps_snapshot_info show what there is), and that api_url ends in /api/v1.",
    405: "Check that api_url ends in /api/v1 and names the API itself, not a page in front of it.",
    407: "Set the proxy's credentials in its environment variable, or exclude the host with NO_PROXY.",
    408: "Try again, and look at the network if it happens again: the connection was too slow for the service.",
    409: "Wait until whatever else is at work on this server or snapshot is done, then run the task again.",
    410: "Look at what there is with vps_snapshot_info or vps_server_info: what the call is about is gone for good.",
    429: "Run fewer hosts at once (forks, serial), or try again later: the API limits the rate of calls.",
    451: "Ask VPS.org: access is refused for legal reasons.",
}
# By the status, the verb, and what the path ends in.
ADVICE_BY_CALL = {
    (400, "POST", "snapshots"): "Correct what the API names. A server can have five snapshots: see what is there with "
    "vps_snapshot_info.",
    (400, "POST", "restore"): "Look at the server with vps_server_info: the API restores one only in a state that "
    "allows it.",
    (400, "POST", "power"): "Look at the server's status with vps_server_info: it may not allow this action.",
    (413, "POST", "snapshots"): "Shorten the description: the request is too large for the service.",
}
ADVICE_BY_CLASS = {
    3: "Check scheme, host and path of api_url. Redirects are never followed, as they could carry the token elsewhere.",
    4: "Correct the task as the API's words say, and do not repeat it unchanged.",
    5: "Try again later, and ask VPS.org if it stays so: the service, or a proxy in front of it, is in trouble.",
}
ADVICE_ON_WRONG_URL = "Correct api_url, as no API answers there: it ends in /api/v1."
ADVICE_ON_NONSENSE = "Check api_url, and what stands between this machine and the API: a proxy, a captive portal."


def advice(status: int, method: str, path: str, is_readable: bool = True) -> str:
    """What to do about a status that is no success.

    :param is_readable: Whether the answer is one that an API gives, and not a page for browsers.
    """
    if status == 404 and not is_readable:
        return ADVICE_ON_WRONG_URL
    by_call = ADVICE_BY_CALL.get((status, method, path.rstrip("/").rpartition("/")[2]))
    return by_call or ADVICE.get(status) or ADVICE_BY_CLASS.get(status // 100) or ADVICE_ON_NONSENSE


def printable(text: str) -> str:
    """The text with everything that a terminal would obey, or nobody could see, written out: ``\\x1b``, ``\\n``."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


class VpsError(Exception):
    """Something that the user has to know.

    :param message: What was tried, what came back and what to do, in plain words; always printable.
    :param details: What a module returns beside ``msg``.
    """

    # Whether it is open if the request was processed.
    ambiguous = False
    # Whether the same call may succeed later.
    transient = False
    # Whether an earlier try of the same request may have been processed.
    after_doubt = False
    # Seconds that the API asks to wait before the next call, if it does.
    retry_after: float | None = None

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    @property
    def message(self) -> str:
        """The words for the user."""
        return self._message

    @message.setter
    def message(self, text: str) -> None:
        self._message = printable(text)

    def __str__(self) -> str:
        return self.message


class ApiError(VpsError):
    """The API answered and refused.

    :param status_code: The HTTP status.
    :param body: The decoded body, or its text.
    :param retry_after: Seconds that the API asks to wait, or None.
    """

    def __init__(self, message: str, status_code: int, body: Any, retry_after: float | None = None) -> None:
        super().__init__(message, status_code=status_code, api_error=body)
        self.status_code = status_code
        self.retry_after = retry_after
        self.ambiguous = status_code >= 500
        # What is not implemented (501, 505) stays so.
        self.transient = status_code == 429 or (status_code >= 500 and status_code not in (501, 505))


class NoAnswerError(VpsError):
    """No usable answer came back.

    :param sent: False where the request certainly never reached the API.
    :param transient: False where sending it again cannot help.
    """

    def __init__(self, message: str, sent: bool = True, transient: bool = True, **details: Any) -> None:
        super().__init__(message, **details)
        self.ambiguous = sent
        self.transient = transient


class BadAnswerError(NoAnswerError):
    """An answer came, but it is none that the API documents; nothing was decided from it."""


class OperationError(VpsError):
    """An operation failed on the service's side, or was not finished in time."""
