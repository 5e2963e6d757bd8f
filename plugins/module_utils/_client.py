# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""The VPS.org API over HTTP: the one place that knows URLs, status codes, retries and pages.

The exceptions::

    VpsError                 base: what was tried, what came back, what to do
    ├── ApiError             the API answered and refused
    ├── NoAnswerError        no usable answer came back
    └── OperationError       an operation failed on the service's side, or its wait ran out
"""

from __future__ import annotations

import ipaddress
import re
import ssl
import traceback
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

try:
    import requests
    from requests.adapters import HTTPAdapter
    from requests.auth import AuthBase
    from urllib3.exceptions import (
        ConnectTimeoutError,
        HTTPError,
        InsecureRequestWarning,
        ProtocolError,
        ProxyError,
        SSLError,
    )
    from urllib3.util.retry import Retry

    REQUESTS_IMPORT_ERROR = None
except ImportError:
    HTTPAdapter = AuthBase = Retry = object
    REQUESTS_IMPORT_ERROR = traceback.format_exc()

COLLECTION_VERSION = "0.1.0"
DEFAULT_URL = "https://admin.vps.org/api/v1"
LONGEST_RETRY_AFTER = 60
SERVERS_PER_PAGE = 100
# How often a list is read until it is as long as its own count: others delete while it is read.
READS = 3

ADVICE = {
    401: "Check the token (api_token or VPS_API_TOKEN): it is missing, mistyped, expired or revoked.",
    403: "The token is valid but lacks a permission for this call; grant it or use another token.",
    404: "Check the id, and that api_url ends in /api/v1.",
    429: "The API limits the rate of calls; run fewer hosts at once (forks, serial) or try again later.",
}


class VpsError(Exception):
    """Something that the user has to know.

    :param message: What was tried, what came back and what to do, in plain words.
    :param details: What a module returns beside ``msg``.
    """

    ambiguous = False
    transient = False

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

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
        self.transient = status_code == 429 or status_code >= 500


class NoAnswerError(VpsError):
    """No usable answer came back.

    :param sent: False where the request certainly never reached the API.
    """

    transient = True

    def __init__(self, message: str, sent: bool = True, **details: Any) -> None:
        super().__init__(message, **details)
        self.ambiguous = sent


class OperationError(VpsError):
    """An operation failed on the service's side, or was not finished in time."""


class _BearerAuth(AuthBase):
    """Sets the header at the last moment, so that no ~/.netrc can replace it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: Any) -> Any:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _SafeRetry(Retry):
    """urllib3's Retry, which repeats no POST, except after 429: a refused request is safe to send again."""

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        return (bool(self.total) and status_code == 429) or super().is_retry(method, status_code, has_retry_after)

    def increment(
        self, method: Any = None, url: Any = None, response: Any = None, error: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        # urllib3 counts a broken TLS stream as "other" and would then repeat a POST that may have been processed.
        is_unsafe = error is not None and method not in self.allowed_methods and not _never_sent(error)
        if is_unsafe or _is_distrust(error):
            raise error
        return super().increment(method, url, response, error, *args, **kwargs)

    def get_retry_after(self, response: Any) -> float | None:
        seconds = super().get_retry_after(response)
        return seconds if seconds is None else min(seconds, LONGEST_RETRY_AFTER)


class _Adapter(HTTPAdapter):
    """Reads the body where the retries are, because a cut body shows only when it is read."""

    def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().send(request, *args, **kwargs)
        try:
            response.content  # noqa: B018
        except requests.RequestException as error:
            try:
                retries = self.max_retries.increment(request.method, request.url, error=ProtocolError(str(error)))
            except HTTPError:
                raise error from None
            retries.sleep()
            return type(self)(max_retries=retries).send(request, *args, **kwargs)
        return response


class VpsClient:
    """The calls of the VPS.org API, each a method that returns decoded JSON or raises `VpsError`.

    GET and DELETE are repeated after a lost connection, a time-out, 429 and 5xx; a POST only after 429 and where no
    connection came about. Whether another POST was processed is for the caller to find out (`VpsError.ambiguous`).

    :param token: The bearer token; it appears in no message and no exception.
    :param url: The base URL, which ends in ``/api/v1``; plain ``http://`` for loopback hosts only.
    :param validate_certs: Whether TLS certificates are checked.
    :param ca_path: A CA bundle to check them with, instead of the system's.
    :param timeout: Seconds for connecting, and for each read, of one try.
    :param retries: How often one request is repeated at most.
    :param user_agent: What the calls introduce themselves with after the collection's own name.
    :raises VpsError: Where the settings cannot be used.
    """

    def __init__(
        self,
        token: str,
        url: str = DEFAULT_URL,
        *,
        validate_certs: bool = True,
        ca_path: str | None = None,
        timeout: float = 30,
        retries: int = 5,
        user_agent: str = "",
    ) -> None:
        self._url = _checked_url(url)
        self._timeout = timeout
        self._verify = _checked_ca_path(ca_path) if validate_certs and ca_path else validate_certs
        if not validate_certs:
            requests.packages.urllib3.disable_warnings(InsecureRequestWarning)
        headers = {
            "Accept": "application/json",
            "User-Agent": f"vpsdotorg.cloud/{COLLECTION_VERSION} {user_agent}".strip(),
        }
        auth = _BearerAuth(_checked_token(token))
        self._patient = _session(headers, auth, retries)
        self._hasty = _session(headers, auth, 0)

    # The endpoints. `within` bounds a GET to so many seconds and one try: what polls repeats anyway.

    def list_snapshots(self, server_id: int | str | None = None, within: float | None = None) -> list[dict]:
        """All snapshots of the account, or of one server."""
        found = self._pages("/snapshots/", _given(server_id=server_id), within)
        return [item for item in found if server_id is None or _is_of_server(item, server_id)]

    def create_snapshot(self, server_id: int | str, name: str, description: str | None = None) -> dict:
        """Start a snapshot; the answer shows it ``in_progress``."""
        body = {"server_id": server_id, "name": name}
        if description is not None:
            body["description"] = description
        snapshot = self._request("POST", "/snapshots/", json=body)
        if not isinstance(snapshot, dict) or "id" not in snapshot:
            raise NoAnswerError("POST /snapshots/ was accepted, but the answer does not describe a snapshot.")
        return {key: value for key, value in snapshot.items() if key != "message"}

    def restore_snapshot(self, snapshot_id: int) -> dict:
        """Start overwriting the snapshot's server with it; the answer shows the server ``restoring``."""
        answer = self._request("POST", f"/snapshots/{snapshot_id}/restore/")
        return answer if isinstance(answer, dict) else {}

    def delete_snapshot(self, snapshot_id: int) -> None:
        """Delete a snapshot for good; one that is gone already is no error."""
        try:
            self._request("DELETE", f"/snapshots/{snapshot_id}/")
        except ApiError as error:
            if error.status_code != 404:
                raise

    def list_servers(self, status: str | None = None, location: str | None = None) -> list[dict]:
        """All servers of the account; the service filters by status and location."""
        return list(
            self._pages("/servers/", {"page_size": SERVERS_PER_PAGE, **_given(status=status, location=location)})
        )

    def get_server(self, server_id: int | str, within: float | None = None) -> dict:
        """One server."""
        server = self._request("GET", f"/servers/{server_id}/", within=within)
        if not isinstance(server, dict):
            raise NoAnswerError(f"GET /servers/{server_id}/ answered something that is no server.")
        return server

    def power_server(self, server_id: int | str, action: str) -> None:
        """Start a power action: ``start``, ``stop``, ``restart`` or ``hard_stop``."""
        self._request("POST", f"/servers/{server_id}/power/", json={"action": action})

    def list_backups(self, server_id: int | str | None = None, backup_type: str | None = None) -> list[dict]:
        """All backups of the account, or of one server, or of one type."""
        query = _given(server_id=server_id, backup_type=backup_type)
        return [
            backup
            for backup in self._pages("/backups/", query)
            if (server_id is None or _is_of_server(backup, server_id))
            and backup_type in (None, backup.get("backup_type"))
        ]

    # How they travel.

    def _pages(self, path: str, query: dict, within: float | None = None) -> list[dict]:
        """Every item of a list; one that shrank while it was read is read again, as an item may have been left out."""
        for _attempt in range(READS):
            items, count = self._read(path, query, within)
            if count <= len(items):
                return items
        raise NoAnswerError(
            f"GET {path}: the API counts {count} items but sent {len(items)} and names no further page. "
            "Nothing was decided from the incomplete list; try again."
        )

    def _read(self, path: str, query: dict, within: float | None) -> tuple[list[dict], int]:
        """All pages of a list, and its count; only the query of `next` is used, so that no page leaves the host."""
        asked, items = [], []
        while query not in asked:
            asked.append(query)
            page = self._request("GET", path, params=query, within=within)
            if not isinstance(page, dict) or not isinstance(page.get("results"), list):
                raise NoAnswerError(f"GET {path} answered something that is no list. Check api_url.")
            items += page["results"]
            if not page.get("next"):
                return items, page["count"] if isinstance(page.get("count"), int) else 0
            query = {**query, **dict(parse_qsl(urlsplit(page["next"]).query))}
        raise NoAnswerError(f"GET {path}: the API's pages lead back to one that was read already: {query}.")

    def _request(self, method: str, path: str, within: float | None = None, **kwargs: Any) -> Any:
        """Send one request and return the decoded body (None if there is none)."""
        session, timeout = self._patient, self._timeout
        if within is not None:
            session, timeout = self._hasty, max(0.1, min(within, timeout))
        try:
            # `verify` goes with each request because REQUESTS_CA_BUNDLE overrides a session's; a redirected POST
            # would become a GET that may answer 200.
            response = session.request(
                method, self._url + path, timeout=timeout, verify=self._verify, allow_redirects=False, **kwargs
            )
        except requests.RequestException as error:
            sent = not isinstance(error, requests.exceptions.InvalidURL) and not _never_sent(_cause(error))
            raise NoAnswerError(
                f"{method} {path} got no answer from {self._url} "
                f"({'it may have been processed' if sent else 'it was never sent'}): {_reason(error)}. "
                "Check api_url, the network, proxy and certificate settings, or try again.",
                sent=sent,
            ) from None
        return _read_response(method, path, response)


def _read_response(method: str, path: str, response: Any) -> Any:
    """Return the decoded body of a good answer; the only place that looks at a status."""
    try:
        body, readable = (response.json() if response.content else None), True
    except ValueError:
        body, readable = response.text[:500], False
    if 200 <= response.status_code < 300:
        if not readable:
            raise NoAnswerError(
                f"{method} {path} answered {response.status_code}, but the body is cut or not JSON. Check api_url.",
                status_code=response.status_code,
                api_error=body,
            )
        return body
    if 300 <= response.status_code < 400:
        said, advice = "a redirect, which is never followed", "Check the scheme, host and path of api_url."
    else:
        said, advice = _error_text(body, readable), ADVICE.get(response.status_code, "")
    raise ApiError(
        f"{method} {path} answered {response.status_code}: {said}. {advice}".strip(),
        response.status_code,
        body,
        _seconds(response.headers.get("Retry-After")),
    )


def _error_text(body: Any, readable: bool = True) -> str:
    """The message in an error body of Django REST framework, on one line."""
    if not readable:
        title = re.search(r"<title>(.*?)</title>", body, re.IGNORECASE | re.DOTALL)
        return f"no JSON, but a page of a proxy ({title.group(1).strip() if title else 'without a title'})"
    if isinstance(body, dict):
        parts = []
        for field, value in body.items():
            text = _error_text(value)
            parts.append(text if field in ("detail", "non_field_errors") else f"{field}: {text}")
        return "; ".join(parts) or "no reason given"
    if isinstance(body, list):
        return ", ".join(_error_text(item) for item in body)
    return "no reason given" if body is None else str(body).rstrip(".")


def _session(headers: dict, auth: Any, retries: int) -> Any:
    """A session whose retries are urllib3's."""
    policy = _SafeRetry(
        total=retries,
        backoff_factor=0.5,
        status_forcelist=(500, 502, 503, 504),
        allowed_methods=frozenset(("GET", "DELETE")),
        # The last answer comes back, so that its message is not lost.
        raise_on_status=False,
    )
    session = requests.Session()
    session.headers.update(headers)
    session.auth = auth
    for prefix in ("https://", "http://"):
        session.mount(prefix, _Adapter(max_retries=policy))
    return session


def _given(**query: Any) -> dict:
    return {key: value for key, value in query.items() if value is not None}


def _is_of_server(item: dict, server_id: int | str) -> bool:
    server = item.get("server")
    return isinstance(server, dict) and str(server_id) in (str(server.get("id")), str(server.get("uuid")))


def _cause(error: BaseException) -> BaseException:
    """The urllib3 error behind an error of requests."""
    inner = error.args[0] if error.args else error
    return getattr(inner, "reason", inner)


def _never_sent(error: Any) -> bool:
    """Whether no connection came about, so that the request cannot have been processed."""
    if isinstance(error, ProxyError):
        error = getattr(error, "original_error", error)
    return isinstance(error, ConnectTimeoutError) or _is_distrust(error)


def _is_distrust(error: Any) -> bool:
    """Whether the certificate was refused: that comes before anything is sent, and repeating does not help."""
    return isinstance(error, SSLError) and isinstance(error.args[0], ssl.SSLCertVerificationError)


def _reason(error: BaseException) -> str:
    """The innermost message, without the object addresses that urllib3 puts before it."""
    return re.sub(r"<[^<>]* object at 0x[0-9a-f]+>:? ?|^[A-Za-z]+Connection\([^)]*\): ", "", str(_cause(error))).rstrip(
        "."
    )


def _seconds(retry_after: str | None) -> float | None:
    return float(retry_after) if retry_after and retry_after.isdecimal() else None


def _checked_token(token: str) -> str:
    token = token.strip()
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise VpsError(
            "api_token is empty or holds spaces or characters that no token has. Copy it again, as one line."
        )
    return token


def _checked_ca_path(path: str) -> str:
    if not Path(path).exists():
        raise VpsError(f"ca_path {path} does not exist on the machine where the module runs.")
    return path


def _checked_url(url: str) -> str:
    """The URL without its last slash."""
    try:
        parts = urlsplit(url)
        host, usable = parts.hostname or "", parts.port != 0
    except ValueError:
        parts, host, usable = urlsplit(""), "", False
    if (
        not usable
        or parts.scheme not in ("http", "https")
        or not host
        or "@" in parts.netloc
        or parts.query
        or parts.fragment
    ):
        raise VpsError(f"api_url must look like {DEFAULT_URL}, without user, password or query.")
    if parts.scheme == "http" and not _is_loopback(host):
        raise VpsError(
            f"api_url uses http:// with the host {host}, which would send the token in the clear. "
            "Use https://; http:// is accepted for loopback hosts only."
        )
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
