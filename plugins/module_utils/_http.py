# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""One request and its answer, bounded in time and size: the one place that knows `requests`, URLs and the token."""

from __future__ import annotations

import ipaddress
import json
import queue
import re
import ssl
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ._errors import ADVICE_ON_NONSENSE, BadAnswerError, NoAnswerError, VpsError

try:
    import requests
    from requests.auth import AuthBase
    from urllib3.exceptions import ConnectTimeoutError, HTTPError, InsecureRequestWarning, ReadTimeoutError, SSLError

    REQUESTS_IMPORT_ERROR = None
except ImportError:
    AuthBase = object
    REQUESTS_IMPORT_ERROR = traceback.format_exc()

COLLECTION_VERSION = "0.1.0"
DEFAULT_URL = "https://admin.vps.org/api/v1"
LARGEST_BODY = 32 * 2**20
DEEPEST_BODY = 20
LONGEST_RETRY_AFTER = 60
MASK = "********"
# What is shorter is no token, and would be masked in the middle of words.
SHORTEST_TOKEN = 3


@dataclass(frozen=True)
class Answer:
    """What came back.

    :param body: The decoded body, None if there is none, or the beginning of its text where it is no JSON.
    :param is_readable: Whether it is JSON, or empty.
    :param retry_after: Seconds that the API asks to wait, or None.
    """

    status: int
    body: Any
    is_readable: bool
    retry_after: float | None

    @property
    def text(self) -> str:
        """The body's message in plain words, on one line."""
        if self.is_readable:
            return _error_text(self.body).rstrip(".")
        title = re.search(r"<title>(.*?)</title>", self.body, re.IGNORECASE | re.DOTALL)
        if title:
            return f"the body is no JSON, but a page called '{title.group(1).strip()[:100]}'"
        return "the body is cut, or no JSON"


class _BearerAuth(AuthBase):
    """Sets the header at the last moment, so that no ~/.netrc can replace it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: Any) -> Any:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Http:
    """A connection to the API.

    :param token: The bearer token; it appears in no message, no exception and no answer.
    :param url: The base URL, which ends in ``/api/v1``; plain ``http://`` for loopback hosts only.
    :param validate_certs: Whether TLS certificates are checked.
    :param ca_path: A CA bundle to check them with, instead of the system's.
    :param timeout: Seconds for one request, all of it: connecting, sending, reading.
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
        user_agent: str = "",
    ) -> None:
        self._url = _checked_url(url)
        self._token = _checked_token(token)
        self._timeout = timeout
        self._verify = _checked_ca_path(ca_path) if validate_certs and ca_path else validate_certs
        # A proxy would get the token in the clear.
        self._proxies = (
            {"http": None, "https": None, "all": None} if _is_loopback(urlsplit(url).hostname or "") else None
        )
        if not validate_certs:
            requests.packages.urllib3.disable_warnings(InsecureRequestWarning)
        self._session = requests.Session()
        self._session.auth = _BearerAuth(self._token)
        self._session.headers.update(
            {
                "Accept": "application/json",
                "User-Agent": f"vpsdotorg.cloud/{COLLECTION_VERSION} {user_agent}".strip(),
            }
        )
        #: By how much the service's clock is ahead of this machine's, once an answer has told it.
        self.clock_difference: timedelta | None = None

    def send(
        self, method: str, path: str, query: dict | None = None, body: dict | None = None, within: float | None = None
    ) -> Answer:
        """Send one request, once.

        :param within: Seconds for it, if they are fewer than its usual ones.
        :raises NoAnswerError: Where no whole answer came in time.
        """
        timeout = self._timeout if within is None else max(0.1, min(within, self._timeout))
        try:
            # A little longer, so that the more exact words of the library come first.
            status, headers, content = _call_within(
                timeout * 1.1, lambda: self._exchange(method, path, query, body, timeout)
            )
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise self._no_answer(method, path, error, timeout) from None
        self._note_clock(headers.get("Date"))
        text = content.decode("utf-8", errors="replace")
        try:
            body, is_readable = masked(json.loads(text), self._token) if text.strip() else None, True
        except (ValueError, RecursionError):
            body, is_readable = masked(text, self._token)[:500], False
        return Answer(status, body, is_readable, self._retry_after(headers.get("Retry-After") or ""))

    def _exchange(
        self, method: str, path: str, query: dict | None, body: dict | None, timeout: float
    ) -> tuple[int, Any, bytes]:
        """Status, headers and body of one exchange."""
        # `verify` goes with each request because REQUESTS_CA_BUNDLE overrides a session's; a redirected POST would
        # become a GET that may answer 200.
        with self._session.request(
            method,
            self._url + path,
            params=query,
            json=body,
            timeout=timeout,
            verify=self._verify,
            proxies=self._proxies,
            allow_redirects=False,
            stream=True,
        ) as response:
            content = bytearray()
            for chunk in response.iter_content(2**16):
                content += chunk
                if len(content) > LARGEST_BODY:
                    raise BadAnswerError(
                        f"{method} {path} answered {response.status_code} with more than {LARGEST_BODY // 2**20} MiB, "
                        f"and was not read to its end. {ADVICE_ON_NONSENSE}"
                    )
            return response.status_code, response.headers, bytes(content)

    def _no_answer(self, method: str, path: str, error: Exception, timeout: float) -> NoAnswerError:
        """The words for a request without an answer."""
        why, what_to_do, sent, transient = explain(error, timeout)
        # A GET changes nothing, whether it arrived or not.
        doubt = "" if method == "GET" else " (it may have been processed)"
        message = (
            f"{method} {path} got no answer from {self._url}{doubt if sent else ' (it was never sent)'}: {why}. "
            f"{what_to_do}"
        )
        return NoAnswerError(message.replace(self._token, MASK), sent, transient)

    def _note_clock(self, date: str | None) -> None:
        moment = _moment(date)
        if moment:
            self.clock_difference = moment - datetime.now(timezone.utc)

    def _retry_after(self, text: str) -> float | None:
        """Seconds that a Retry-After header asks for, as digits or as a date; anything else counts as none."""
        text = text.strip()
        if re.fullmatch(r"[0-9]{1,9}", text):
            return min(int(text), LONGEST_RETRY_AFTER)
        moment = _moment(text)
        if moment is None:
            return None
        pause = moment - datetime.now(timezone.utc) - (self.clock_difference or timedelta(0))
        return min(max(pause.total_seconds(), 0), LONGEST_RETRY_AFTER)


def explain(error: BaseException, timeout: float) -> tuple[str, str, bool, bool]:
    """Why a request got no answer.

    :return: What happened; what to do; whether the request may have been sent; whether sending it again may help.
    """
    cause = _cause(error)
    reason = _innermost(error)
    if isinstance(cause, SSLError) and isinstance(cause.args[0], ssl.SSLCertVerificationError):
        how = "Name the CA that signed it in ca_path, or correct the host in api_url; a wrong clock breaks it, too."
        return f"its certificate is not trusted ({reason})", how, False, False
    if isinstance(error, requests.exceptions.InvalidSchema) and "SOCKS" in str(error):
        how = "Install PySocks beside requests (pip install 'requests[socks]'), or unset the SOCKS proxy."
        return "a SOCKS proxy is set, and the library for it is missing", how, False, False
    if isinstance(error, (requests.exceptions.InvalidProxyURL, requests.exceptions.ProxyError)):
        never = not isinstance(error, requests.exceptions.ProxyError) or _is_unconnected(cause) or "Tunnel" in reason
        how = "Check the proxy in HTTPS_PROXY and ALL_PROXY, or exclude the host with NO_PROXY."
        return f"the proxy failed ({reason})", how, not never, True
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, UnicodeError)):
        return f"its address cannot be used ({reason})", f"Correct api_url, like {DEFAULT_URL}.", False, False
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return (
            f"no connection within {timeout:g} s",
            "Check api_url, the network and firewalls, or try again.",
            False,
            True,
        )
    if isinstance(error, (requests.exceptions.Timeout, TimeoutError)) or isinstance(cause, ReadTimeoutError):
        how = "Try again, with a larger api_timeout if it happens again."
        return f"no whole answer within {timeout:g} s", how, True, True
    if _is_unconnected(cause):
        return f"no connection ({reason})", "Check api_url, the network and firewalls, or try again.", False, True
    return f"the connection broke ({reason})", "Check the network and proxies, or try again.", True, True


def masked(value: Any, secret: str, depth: int = DEEPEST_BODY) -> Any:
    """The value without the secret, in texts and in keys, and without halves of characters, which Ansible refuses.

    :raises ValueError: Where it is nested deeper than anything that the API sends.
    """
    if isinstance(value, str):
        return value.replace(secret, MASK).encode("utf-8", "replace").decode()
    if isinstance(value, (list, dict)) and not depth:
        raise ValueError("nested too deep")
    if isinstance(value, list):
        return [masked(item, secret, depth - 1) for item in value]
    if isinstance(value, dict):
        return {masked(key, secret): masked(item, secret, depth - 1) for key, item in value.items()}
    return value


def _call_within(seconds: float, call: Callable[[], Any]) -> Any:
    """Call in a thread that is left behind when the time is up: one byte now and then outlasts any other limit."""
    outcome: queue.SimpleQueue = queue.SimpleQueue()

    def work() -> None:
        try:
            outcome.put((call(), None))
        except BaseException as error:
            outcome.put((None, error))

    threading.Thread(target=work, daemon=True).start()
    try:
        result, error = outcome.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return result


def _error_text(body: Any) -> str:
    """The message in an error body of Django REST framework."""
    if isinstance(body, dict):
        parts = [
            text if field in ("detail", "non_field_errors") else f"{field}: {text}"
            for field, text in ((field, _error_text(value)) for field, value in body.items())
        ]
        return "; ".join(parts) or "no reason given"
    if isinstance(body, list):
        return ", ".join(_error_text(item) for item in body) or "no reason given"
    return "no reason given" if body is None else str(body).rstrip(".")[:500]


def _cause(error: BaseException) -> BaseException:
    """The urllib3 error behind an error of requests."""
    inner = error.args[0] if error.args else error
    inner = getattr(inner, "reason", inner)
    return inner if isinstance(inner, BaseException) else error


def _is_unconnected(cause: BaseException) -> bool:
    """Whether no connection came about, so that the request cannot have been processed."""
    return isinstance(getattr(cause, "original_error", cause), ConnectTimeoutError)


def _innermost(error: BaseException) -> str:
    """The innermost message, without the objects that urllib3 puts before it."""
    text = re.sub(r"<[^<>]* object at 0x[0-9a-f]+>:? ?|[A-Za-z]+Pool\([^)]*\):? ?", "", str(_cause(error)))
    return re.sub(r"^[A-Za-z]+Connection\([^)]*\):? ?", "", text).strip().rstrip(".") or type(error).__name__


def _moment(date: str | None) -> datetime | None:
    """The moment in an HTTP date, or None."""
    try:
        moment = parsedate_to_datetime(date or "")
        return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _checked_token(token: str) -> str:
    token = token.strip()
    if re.fullmatch(r"""(["']).*\1""", token):
        raise VpsError("api_token is in quotes, which do not belong to the token. Give it without them.")
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise VpsError(
            "api_token holds blanks or characters that no token has. Copy it again, as one line, without 'Bearer'."
        )
    if len(token) < SHORTEST_TOKEN:
        raise VpsError(f"api_token is shorter than {SHORTEST_TOKEN} characters, so it is no token. Copy it again.")
    return token


def _checked_ca_path(path: str) -> str:
    try:
        is_there = Path(path).exists()
    except (OSError, ValueError):
        is_there = False
    if not is_there:
        raise VpsError(
            f"ca_path {path[:200]} does not exist on the machine where the call is made. Name a file or a folder of CA "
            "certificates that is there."
        )
    return path


def _checked_url(url: str) -> str:
    """The URL without its last slash."""
    try:
        parts = urlsplit(url.strip())
        host, usable = parts.hostname or "", parts.port != 0
        host.encode("idna")
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
        raise VpsError(f"api_url must look like {DEFAULT_URL}, without user, password or query. Correct it.")
    if parts.scheme == "http" and not _is_loopback(host):
        raise VpsError(
            f"api_url uses http:// with the host {host}, which would send the token in the clear. "
            "Use https://; http:// is accepted for loopback hosts only."
        )
    return url.strip().rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
