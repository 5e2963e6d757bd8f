# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client against the emulator, and against a small server where headers, hosts or certificates matter."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml
from ansible_collections.vpsdotorg.cloud.plugins.module_utils import _http
from ansible_collections.vpsdotorg.cloud.plugins.module_utils._client import VpsClient, retry_pause
from ansible_collections.vpsdotorg.cloud.plugins.module_utils._errors import (
    ADVICE,
    ApiError,
    BadAnswerError,
    NoAnswerError,
    OperationError,
    VpsError,
    advice,
    printable,
)

CLONE = Path(__file__).resolve().parents[4]
TOKEN = "vps_unit_9f2c7a61d0e84b35"
UUID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
EMPTY_LIST = {"count": 0, "next": None, "previous": None, "results": []}

Connect = Callable[..., VpsClient]


def make(token: str, url: str = _http.DEFAULT_URL, *, retries: int = 5, **options: Any) -> VpsClient:
    """Make a client as the modules do."""
    return VpsClient(_http.Http(token, url, **options), retries)


def item(number: int, server: Any = 7, **fields: Any) -> dict:
    """Return a snapshot as the API lists it."""
    return {"id": number, "server": {"id": server, "name": "web"}, "name": "a", "status": "completed", **fields}


@pytest.fixture
def connect(service: Any) -> Connect:
    """Make a client of the emulator."""
    return lambda **options: make(options.pop("token", TOKEN), options.pop("url", service.url), **options)


@pytest.fixture
def client(connect: Connect) -> VpsClient:
    """Return a client of the emulator, as the modules make it by default."""
    return connect()


# A server that answers what it is told and remembers what it was asked.


class Web(ThreadingHTTPServer):
    """Answers every request with `answer` (status, headers, body); `seen` are the requests' lines and headers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _WebHandler)
        self.answer: tuple[int, dict[str, str], Any] = (200, {}, EMPTY_LIST)
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.scheme = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://localhost:{self.server_port}/api/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that refuses the certificate is no news."""


class _WebHandler(BaseHTTPRequestHandler):
    server: Web

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((f"{self.command} {self.path}", dict(self.headers)))
        status, headers, body = self.server.answer
        content = json.dumps(body).encode()
        self.send_response_only(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = answer  # noqa: N815

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(authority: trustme.CA | None = None) -> Iterator[Web]:
    """Serve on a free port, with a certificate of the authority."""
    with Web() as web:
        if authority:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert("localhost").configure_cert(context)
            web.socket = context.wrap_socket(web.socket, server_side=True)
            web.scheme = "https"
        threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield web
        finally:
            web.shutdown()


@pytest.fixture
def web() -> Iterator[Web]:
    """Serve without TLS."""
    with serving() as server:
        yield server


# What is sent


def test_the_user_agent_names_the_collection_in_the_version_of_galaxy_yml(web: Web) -> None:
    make(TOKEN, web.url, user_agent="ansible-core/2.19.0").list_snapshots()
    version = yaml.safe_load((CLONE / "galaxy.yml").read_text())["version"]
    assert web.seen[0][1]["User-Agent"] == f"vpsdotorg.cloud/{version} ansible-core/2.19.0"


def test_a_netrc_file_does_not_replace_the_token(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    make(TOKEN, web.url).list_snapshots()
    assert web.seen[0][1]["Authorization"] == f"Bearer {TOKEN}"


def test_a_line_break_after_the_token_is_not_sent(web: Web) -> None:
    make(f"{TOKEN}\n", web.url).list_snapshots()
    assert web.seen[0][1]["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("token", ["", "  ", "vps_a b", "vps_a\nX-Evil: 1", "vps_\u00e4"])
def test_a_token_that_cannot_be_one_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(VpsError, match="api_token") as caught:
        make(token, "http://127.0.0.1:1/api/v1")
    assert not token.strip() or token not in str(caught.value)


def test_an_integer_id_is_sent_as_an_integer(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    bodies: list[Any] = []
    sent = _http.requests.adapters.HTTPAdapter.send

    def send(self: Any, request: Any, **kwargs: Any) -> Any:
        bodies.append(json.loads(request.body))
        return sent(self, request, **kwargs)

    monkeypatch.setattr(_http.requests.adapters.HTTPAdapter, "send", send)
    web.answer = (201, {}, {**item(1), "message": "Snapshot is being created."})
    created = make(TOKEN, web.url).create_snapshot(12345, "before-update", "why")
    assert bodies == [{"server_id": 12345, "name": "before-update", "description": "why"}]
    assert created == item(1)


# Where it is sent


@pytest.mark.parametrize(
    "url",
    [
        "https://admin.vps.org/api/v1",
        "https://vps.example.com:8443/api/v1/",
        "http://localhost:8099/api/v1",
        "http://127.0.0.1:8099/api/v1",
        "http://127.8.9.10/api/v1",
        "http://[::1]:8099/api/v1",
    ],
)
def test_https_goes_anywhere_and_http_to_loopback_hosts(url: str) -> None:
    make(TOKEN, url)


@pytest.mark.parametrize(
    "url",
    [
        "http://admin.vps.org/api/v1",
        "http://127.0.0.1.evil.com/api/v1",
        "http://localhost.evil.com/api/v1",
        "http://192.0.2.1/api/v1",
        "http://0.0.0.0/api/v1",
        "http://evil.com/127.0.0.1",
        "http://127.0.0.1\n.evil.com/api/v1",
    ],
)
def test_http_to_any_other_host_is_refused(url: str) -> None:
    with pytest.raises(VpsError, match="in the clear"):
        make(TOKEN, url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "admin.vps.org",
        "ftp://admin.vps.org/api/v1",
        "https:///api/v1",
        "https://user@admin.vps.org/api/v1",
        "https://user:secret@admin.vps.org/api/v1",
        "https://:secret@admin.vps.org/api/v1",
        "http://127.0.0.1@evil.com/api/v1",
        "http://127.0.0.1\\@evil.com/api/v1",
        "https://admin.vps.org/api/v1?token=1",
        "https://admin.vps.org/api/v1#top",
        "https://admin.vps.org:0/api/v1",
        "https://admin.vps.org:port/api/v1",
        "https://[::1/api/v1",
    ],
)
def test_a_url_that_cannot_be_the_api_or_holds_a_password_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(VpsError, match="api_url must look like https://") as caught:
        make(TOKEN, url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("call", [VpsClient.list_snapshots, lambda c: c.create_snapshot(1, "a")], ids=["GET", "POST"])
def test_no_redirect_is_followed(client: VpsClient, service: Any, web: Web, status: int, call: Callable) -> None:
    service.fault(kind="status", code=status, headers={"Location": web.url + "/snapshots/"})
    with pytest.raises(ApiError, match="redirect") as caught:
        call(client)
    assert caught.value.status_code == status
    assert not caught.value.ambiguous
    assert web.seen == []
    assert len(service.requests()) == 1


# Certificates


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Return a certificate authority that nobody knows."""
    return trustme.CA()


@pytest.fixture(scope="module")
def secure(authority: trustme.CA) -> Iterator[Web]:
    """Serve with a certificate of that authority."""
    with serving(authority) as server:
        yield server


@pytest.fixture
def ca_path(authority: trustme.CA, tmp_path: Path) -> str:
    """Return the authority's own certificate."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return str(tmp_path / "ca.pem")


@pytest.fixture
def other_ca_path(tmp_path: Path) -> str:
    """Return the certificate of somebody else."""
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    return str(tmp_path / "other.pem")


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_ca_path_wins_over_the_environment(
    secure: Web, ca_path: str, other_ca_path: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, other_ca_path)
    assert make(TOKEN, secure.url, ca_path=ca_path).list_snapshots() == []
    monkeypatch.setenv(variable, ca_path)
    with pytest.raises(NoAnswerError, match=r"(?i)certificate"):
        make(TOKEN, secure.url, ca_path=other_ca_path).list_snapshots()


def test_validate_certs_false_wins_over_the_environment_and_is_silent(
    secure: Web, other_ca_path: str, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", other_ca_path)
    assert make(TOKEN, secure.url, validate_certs=False).list_snapshots() == []
    assert recwarn.list == []


@pytest.mark.parametrize("call", [VpsClient.list_snapshots, lambda c: c.create_snapshot(1, "a")], ids=["GET", "POST"])
def test_an_unknown_authority_is_refused_at_once_and_nothing_was_sent(secure: Web, call: Callable, clock: Any) -> None:
    secure.seen.clear()
    with pytest.raises(NoAnswerError, match=r"(?i)certificate") as caught:
        call(make(TOKEN, secure.url))
    assert not caught.value.ambiguous
    assert (secure.seen, clock.pauses) == ([], [])


def test_a_ca_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(VpsError, match=r"ca_path .*missing\.pem does not exist"):
        make(TOKEN, ca_path=str(tmp_path / "missing.pem"))


# What comes back: errors


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"detail": "Invalid token."}, "Invalid token"),
        ({"name": ["Too long.", "Too odd."]}, "name: Too long, Too odd"),
        ({"non_field_errors": ["Limit reached."]}, "Limit reached"),
        ({"server": {"id": ["Unknown."]}}, "server: id: Unknown"),
        (["One.", "Two."], "One, Two"),
        ({}, "no reason given"),
        ("", "no reason given"),
    ],
)
def test_the_message_says_what_the_api_said(client: VpsClient, service: Any, body: Any, said: str) -> None:
    service.fault(kind="status", code=400, body=body)
    with pytest.raises(ApiError) as caught:
        client.list_snapshots()
    assert caught.value.message == f"GET /snapshots/ answered 400: {said}. {ADVICE[400]}"
    assert caught.value.details == {"status_code": 400, "api_error": None if body == "" else body}


@pytest.mark.parametrize(
    ("code", "advice"), [(401, "VPS_API_TOKEN"), (403, "permission"), (404, "api_url"), (429, "fewer hosts")]
)
def test_the_message_says_what_to_do(connect: Connect, service: Any, code: int, advice: str) -> None:
    service.fault(kind="status", code=code, body={"detail": "No."})
    with pytest.raises(ApiError, match=advice):
        connect(retries=0).list_snapshots()


def test_a_page_of_a_proxy_is_named_by_its_title(connect: Connect, service: Any) -> None:
    service.fault(kind="html", code=502)
    with pytest.raises(ApiError, match="502: the body is no JSON, but a page called '502 Bad Gateway'"):
        connect(retries=0).list_snapshots()


@pytest.mark.parametrize(
    ("body", "complaint"),
    [("<html>Welcome</html>", "no JSON"), ([], "no list"), ({"results": None}, "no list"), ("", "no list")],
    ids=["a page", "an array", "no results", "nothing"],
)
def test_a_good_status_with_something_else_than_a_list_is_no_answer(
    client: VpsClient, service: Any, body: Any, complaint: str
) -> None:
    service.fault(kind="status", code=200, body=body)
    with pytest.raises(NoAnswerError, match=complaint):
        client.list_snapshots()


def test_a_404_on_create_is_no_success(client: VpsClient) -> None:
    with pytest.raises(ApiError, match="Server not found") as caught:
        client.create_snapshot(999, "before-update")
    assert (caught.value.status_code, caught.value.ambiguous) == (404, False)


def test_deleting_what_is_gone_is_no_error(client: VpsClient, service: Any, servers: dict) -> None:
    assert client.delete_snapshot(999999, servers["completed"]) is False
    assert service.calls() == ["DELETE /snapshots/999999/", "GET /snapshots/"]


@pytest.mark.parametrize("body", [{"detail": "Not found."}, "<html>"])
def test_what_is_said_to_be_gone_and_is_listed_is_an_error(
    client: VpsClient, service: Any, servers: dict, body: Any
) -> None:
    service.fault(method="DELETE", kind="status", code=404, body=body)
    with pytest.raises(ApiError, match="is still listed, so it was not deleted") as caught:
        client.delete_snapshot(servers["completed"] * 10 + 1, servers["completed"])
    assert caught.value.status_code == 404
    assert not client.has_written


@pytest.mark.parametrize("code", [400, 401, 403])
def test_a_refused_deletion_is_an_error(client: VpsClient, service: Any, servers: dict, code: int) -> None:
    service.fault(method="DELETE", kind="status", code=code)
    with pytest.raises(ApiError):
        client.delete_snapshot(servers["completed"] * 10 + 1, servers["completed"])
    assert service.names("completed") == ["before-update"]


# What is sent again, and what is not


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_a_get_is_repeated_after(client: VpsClient, service: Any, servers: dict, code: int) -> None:
    service.fault(kind="status", code=code, times=3)
    assert client.list_snapshots(servers["completed"])
    assert len(service.requests()) == 4


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "truncate"])
def test_a_get_is_repeated_after_a_lost_or_cut_answer(
    client: VpsClient, service: Any, servers: dict, kind: str
) -> None:
    service.fault(kind=kind, times=2)
    assert client.list_snapshots(servers["completed"])
    assert len(service.requests()) == 3


def test_a_get_is_repeated_after_a_timeout(connect: Connect, service: Any) -> None:
    service.fault(kind="delay", seconds=2)
    assert connect(timeout=0.2).list_snapshots()


@pytest.mark.parametrize("code", [400, 401, 403, 404, 501])
def test_a_get_is_not_repeated_after(client: VpsClient, service: Any, code: int) -> None:
    service.fault(kind="status", code=code, times=0)
    with pytest.raises(ApiError):
        client.list_snapshots()
    assert len(service.requests()) == 1


@pytest.mark.parametrize("retries", [0, 1, 3])
@pytest.mark.parametrize("fault", [{"kind": "status", "code": 503}, {"kind": "drop_before"}, {"kind": "truncate"}])
def test_a_get_is_repeated_as_often_as_said_and_each_pause_is_followed_by_a_try(
    connect: Connect, service: Any, clock: Any, fault: dict, retries: int
) -> None:
    service.fault(times=0, **fault)
    with pytest.raises(VpsError):
        connect(retries=retries).list_snapshots()
    assert len(service.requests()) == retries + 1
    assert len(clock.pauses) == retries


def test_a_delete_is_repeated_and_then_finds_nothing_left_to_do(client: VpsClient, service: Any, servers: dict) -> None:
    service.fault(method="DELETE", kind="drop_after")
    # Gone by the try whose answer was lost, so it was this call that deleted it.
    assert client.delete_snapshot(servers["completed"] * 10 + 1, servers["completed"]) is True
    assert client.has_written
    assert [call["status"] for call in service.writes()] == [None, 404]
    assert service.names("completed") == []


def test_a_post_is_repeated_after_429_when_the_api_says(
    client: VpsClient, service: Any, servers: dict, clock: Any
) -> None:
    service.fault(method="POST", kind="status", code=429, headers={"Retry-After": "7"}, times=2)
    client.create_snapshot(servers["empty"], "before-update")
    assert clock.pauses == [7, 7]
    assert service.names("empty") == ["before-update"]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "code": 500},
        {"kind": "status", "code": 503, "headers": {"Retry-After": "1"}},
        {"kind": "html", "code": 504, "after": True},
        {"kind": "drop_before"},
        {"kind": "drop_after"},
        {"kind": "truncate"},
        {"kind": "delay", "seconds": 1, "after": True},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values() if not isinstance(value, dict)),
)
def test_a_post_that_may_have_been_processed_is_not_repeated_but_called_ambiguous(
    connect: Connect, service: Any, servers: dict, fault: dict
) -> None:
    service.fault(method="POST", times=0, **fault)
    with pytest.raises(VpsError) as caught:
        connect(timeout=0.3).create_snapshot(servers["empty"], "before-update")
    assert caught.value.ambiguous
    assert service.posts() == ["/snapshots/"]


def test_an_answer_to_a_create_that_describes_no_snapshot_is_ambiguous(client: VpsClient, service: Any) -> None:
    service.fault(method="POST", kind="status", code=200, body={"ok": True})
    with pytest.raises(NoAnswerError) as caught:
        client.create_snapshot(101, "before-update")
    assert caught.value.ambiguous


@pytest.mark.parametrize("code", [400, 401, 403, 404])
def test_a_post_that_was_refused_is_not_ambiguous(client: VpsClient, service: Any, code: int) -> None:
    service.fault(method="POST", kind="status", code=code)
    with pytest.raises(ApiError) as caught:
        client.create_snapshot(101, "before-update")
    assert not caught.value.ambiguous


def test_where_nobody_listens_a_post_is_repeated_and_certainly_not_processed(clock: Any) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/api/v1"
        with pytest.raises(NoAnswerError, match="it was never sent") as caught:
            make(TOKEN, url, retries=3).create_snapshot(101, "before-update")
    assert not caught.value.ambiguous
    assert clock.pauses == [0.5, 1, 2]


def test_an_api_that_asks_for_hours_gets_a_minute(connect: Connect, service: Any, clock: Any) -> None:
    service.fault(kind="status", code=429, headers={"Retry-After": "3600"}, times=0)
    with pytest.raises(ApiError) as caught:
        connect(retries=3).list_snapshots()
    assert clock.pauses == [60, 60, 60]
    assert (caught.value.status_code, caught.value.retry_after) == (429, 60)


def test_a_bounded_get_has_one_try_of_so_many_seconds(connect: Connect, service: Any, clock: Any) -> None:
    service.fault(kind="delay", seconds=3, times=0)
    with pytest.raises(NoAnswerError, match=r"no whole answer within 0\.2 s"):
        connect(timeout=30).list_snapshots(within=0.2)
    assert (len(service.requests()), clock.pauses) == (1, [])


# Pages


def pages(service: Any, *bodies: dict) -> None:
    """Have the next calls answered by these pages."""
    for body in bodies:
        service.fault(kind="status", code=200, body=body)


def page(count: Any, *items: dict, following: Any = None) -> dict:
    return {"count": count, "next": following, "results": list(items)}


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_every_page_is_read_from_the_configured_host_with_the_filters(
    client: VpsClient, service: Any, web: Web, scheme: str
) -> None:
    elsewhere = web.url.replace("http", scheme) + "/snapshots/?page={}"
    pages(
        service,
        page(3, item(1), following=elsewhere.format(2)),
        page(3, item(2), following=elsewhere.format(3)),
        page(3, item(3)),
    )
    assert [each["id"] for each in client.list_snapshots(7)] == [1, 2, 3]
    query = "page_size=100&server_id=7"
    assert [call["query"] for call in service.requests()] == [query, f"{query}&page=2", f"{query}&page=3"]
    assert web.seen == []


@pytest.mark.parametrize(
    "first_reading",
    [
        [page(3, item(1), item(2), following="?page=2"), page(3, item(2))],
        [page(2, item(1), following="?page=2"), page(3, item(2), item(3))],
        [page(3, item(1), following="?page=2"), page(2, item(3))],
        [page(2, item(1), item(1))],
        [page(3, item(1), item(2))],
        [page(1, item(1), item(2))],
        [page(2, following="?page=2")],
        [page(2, item(1), following="?page=1"), page(2, item(1), following="?page=1")],
    ],
    ids=["repeated", "grew", "shrank", "twice on a page", "too few", "too many", "empty, and more", "leads back"],
)
def test_a_list_that_changes_while_it_is_read_is_read_again(
    client: VpsClient, service: Any, first_reading: list[dict]
) -> None:
    pages(service, *first_reading, page(2, item(1), item(3)))
    assert client.list_snapshots() == [item(1), item(3)]


def test_a_page_that_is_gone_is_read_again_and_a_list_that_is_gone_is_not(client: VpsClient, service: Any) -> None:
    pages(service, page(2, item(1), following="?page=2"))
    service.fault(kind="status", code=404, body={"detail": "Invalid page."})
    pages(service, page(1, item(1)))
    assert client.list_snapshots() == [item(1)]
    service.fault(kind="status", code=404, body={"detail": "Not found."})
    with pytest.raises(ApiError):
        client.list_snapshots()


def test_a_list_that_changes_at_each_reading_decides_nothing(client: VpsClient, service: Any) -> None:
    service.fault(kind="status", code=200, body=page(3, item(1)), times=0)
    with pytest.raises(NoAnswerError, match=r"read 3 times, and changed each time.*Nothing was decided"):
        client.list_snapshots()
    assert len(service.requests()) == 3


@pytest.mark.parametrize("following", [5, True, ["x"], {"page": 2}, "http://["])
def test_a_next_that_is_no_address_is_no_list(client: VpsClient, service: Any, following: Any) -> None:
    pages(service, page(2, item(1), following=following))
    with pytest.raises(BadAnswerError, match="no list of snapshots; nothing was decided"):
        client.list_snapshots()


@pytest.mark.parametrize("count", [None, "1", 1])
def test_a_count_may_be_missing_or_text(client: VpsClient, service: Any, count: Any) -> None:
    pages(service, page(count, item(1)))
    assert client.list_snapshots() == [item(1)]


def test_pages_without_an_end_end(client: VpsClient, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter(range(10**6))
    monkeypatch.setattr(client, "_request", lambda *_a, **_k: page(None, item(next(numbers)), following="?page=2"))
    with pytest.raises(BadAnswerError, match="no end"):
        client.list_snapshots()


@pytest.mark.parametrize(
    "odd",
    [
        "text",
        5,
        None,
        [],
        {},
        {"id": None},
        {"id": True},
        {"id": 1.5},
        {"id": "one"},
        {"id": -1},
        {"id": 10**30},
        {"name": None},
        {"name": 5},
        {"status": None},
        {"status": ["completed"]},
        {"server": None},
        {"server": {}},
        {"server": {"id": None}},
        {"server": {"id": [7]}},
        {"server": []},
        {"server": True},
    ],
    ids=str,
)
def test_an_item_that_is_no_snapshot_decides_nothing(client: VpsClient, service: Any, odd: Any) -> None:
    odd = {**item(1), **odd} if odd and isinstance(odd, dict) else odd
    pages(service, page(2, item(2), odd))
    with pytest.raises(BadAnswerError, match="items that are no snapshots; nothing was decided"):
        client.list_snapshots(7)


@pytest.mark.parametrize("server", [7, "7", {"id": "7"}, {"id": 7, "uuid": "x-y"}])
def test_an_id_may_be_text_and_a_server_its_bare_id(client: VpsClient, service: Any, server: Any) -> None:
    pages(service, page(2, {**item("1"), "server": server}, item(2, server=8)))
    found = client.list_snapshots(7)
    assert [(each["id"], each["server"]["id"]) for each in found] == [(1, 7)]


def test_a_server_that_is_named_in_another_way_is_not_dropped_in_silence(client: VpsClient, service: Any) -> None:
    pages(service, page(1, item(1, server="7c9e6679-7425-40de-944b-e07fc1f90ae7")))
    with pytest.raises(BadAnswerError, match="names server 7 in another way"):
        client.list_snapshots(7)


def test_servers_are_asked_for_in_large_pages(client: VpsClient, service: Any, servers: dict) -> None:
    assert len(client.list_servers()) == len(servers)
    assert [call["query"] for call in service.requests()] == ["page_size=100"]


@pytest.mark.parametrize("body", [{"id": 8, "uuid": UUID}, {"id": "8"}, {"id": 8, "status": "stopped"}])
def test_an_answer_about_another_server_decides_nothing(client: VpsClient, service: Any, body: Any) -> None:
    service.fault(kind="status", code=200, body=body, times=0)
    with pytest.raises(BadAnswerError, match="asked for server 7, and was told of server 8: nothing was decided"):
        client.get_server(7)


@pytest.mark.parametrize(
    "body", [{"id": 7}, {"id": "7", "uuid": UUID}, {"uuid": UUID}, {"uuid": UUID.upper(), "id": 7}]
)
def test_a_server_may_be_named_in_either_form(client: VpsClient, service: Any, body: Any) -> None:
    service.fault(kind="status", code=200, body=body)
    assert client.get_server(7)
    if "uuid" in body:
        service.fault(kind="status", code=200, body=body)
        assert client.get_server(UUID)


@pytest.mark.parametrize(
    ("odd", "complaint"),
    [
        ({"status": "error", "message": "It broke."}, "says 'error': It broke."),
        ({"snapshot": {"id": 99}}, "names snapshot 99"),
        ({"server": {"id": 8, "status": "restoring"}}, "names server 8"),
    ],
    ids=str,
)
def test_an_answer_to_a_restore_that_is_about_anything_else_is_a_failure(
    client: VpsClient, service: Any, odd: dict, complaint: str
) -> None:
    answer = {"status": "success", "snapshot": {"id": 1}, "server": {"id": 7, "status": "restoring"}}
    service.fault(method="POST", kind="status", code=200, body={**answer, **odd})
    with pytest.raises(OperationError, match=complaint) as caught:
        client.restore_snapshot(item(1))
    assert "look at the server at the provider before anything else" in caught.value.message
    assert (client.has_written, caught.value.ambiguous) == (True, False)
    service.fault(method="POST", kind="status", code=200, body=answer)
    assert client.restore_snapshot(item(1)) == {"server": {"id": 7, "status": "restoring"}}


@pytest.mark.parametrize(
    ("call", "advised"), [("create_snapshot", True), ("restore_snapshot", False), ("power_server", False)]
)
def test_the_advice_fits_the_call(client: VpsClient, service: Any, call: str, advised: bool) -> None:
    service.fault(method="POST", kind="status", code=400, body={"detail": "No."})
    arguments = {"restore_snapshot": (item(1),)}.get(call, (7, "start"))
    with pytest.raises(ApiError) as caught:
        getattr(client, call)(*arguments)
    assert ("five snapshots" in caught.value.message) is advised


def test_half_a_character_becomes_a_question_mark(client: VpsClient, service: Any) -> None:
    body = json.dumps(page(1, {**item(1), "name": "n-\ud800x"}))
    service.fault(kind="status", code=200, body=body)
    assert client.list_snapshots(7)[0]["name"] == "n-?x"


# The token is a secret


def fail_in_every_way(client: VpsClient, service: Any) -> Iterator[VpsError]:
    echo = {"detail": "Bad credentials."}
    faults = [
        {"kind": "status", "code": 401, "body": echo},
        {"kind": "status", "code": 503, "body": echo, "times": 0},
        {"kind": "status", "code": 200, "body": "<html>"},
        {"kind": "drop_before", "times": 0},
        {"kind": "truncate", "times": 0},
        {"kind": "delay", "seconds": 1, "times": 0},
    ]
    for fault in faults:
        service.clear_faults()
        service.fault(**fault)
        with pytest.raises(VpsError) as caught:
            client.list_snapshots()
        yield caught.value


def test_the_token_is_in_no_exception_no_traceback_and_no_repr(connect: Connect, service: Any) -> None:
    client = connect(timeout=0.3, retries=0)
    for error in fail_in_every_way(client, service):
        for shown in (str(error), repr(error), repr(error.details), "".join(traceback.format_exception(error))):
            assert TOKEN not in shown
        # What was caught on the way carries the request with its headers.
        assert error.__cause__ is None
        assert error.__suppress_context__ or error.__context__ is None
    assert TOKEN not in repr(client)
    assert TOKEN not in repr(vars(client))
    assert TOKEN not in repr(client._http._session.auth)


def test_the_message_of_an_error_is_also_its_text() -> None:
    error = VpsError("It failed.")
    error.message = "Creating a snapshot: It failed."
    assert str(error) == error.message


# What to do, for everything that can come back


@pytest.mark.parametrize("status", [*range(300, 600), 999])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/snapshots/"), ("POST", "/servers/7/power/"), ("DELETE", "/snapshots/7/")]
)
def test_every_status_has_its_advice(status: int, method: str, path: str) -> None:
    assert len(advice(status, method, path)) > 20
    assert advice(status, method, path).endswith(".")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x\x1b[31m\x07\nfake: [ok]", "x\\x1b[31m\\x07\\nfake: [ok]"),
        ("\x9b\x7f\u202e\u2028", "\\x9b\\x7f\\u202e\\u2028"),
        ("größe 東京", "größe 東京"),
    ],
)
def test_what_a_terminal_would_obey_is_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown
    error = VpsError("It failed")
    error.message += f": {text}"
    assert error.message == f"It failed: {shown}"


def api_error(status: int, retry_after: float | None = None) -> ApiError:
    return ApiError("", status, None, retry_after)


@pytest.mark.parametrize(
    ("error", "get", "post"),
    [
        *[(api_error(status), 0.5, None) for status in (500, 502, 503, 504, 520, 599)],
        *[(api_error(status), None, None) for status in (301, 400, 401, 403, 404, 409, 501, 505)],
        (api_error(429), 0.5, 0.5),
        (api_error(429, 7), 7, 7),
        (api_error(503, 7), 7, None),
        (NoAnswerError("lost"), 0.5, None),
        (NoAnswerError("never sent", sent=False), 0.5, 0.5),
        (NoAnswerError("distrust", sent=False, transient=False), None, None),
        (BadAnswerError("odd"), None, None),
    ],
)
def test_what_is_sent_again(error: VpsError, get: float | None, post: float | None) -> None:
    assert (retry_pause("GET", error, 0), retry_pause("DELETE", error, 0)) == (get, get)
    assert retry_pause("POST", error, 0) == post


def test_pauses_double_up_to_a_minute() -> None:
    error = api_error(503)
    assert [retry_pause("GET", error, attempt) for attempt in range(9)] == [0.5, 1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize(
    ("text", "pause"),
    [("7", 7), (" 7 ", 7), ("9" * 5000, 0.5), ("soon", 0.5), ("1.5", 0.5), ("-5", 0.5), ("3600", 60)],
)
def test_retry_after_is_whole_seconds_or_nothing(
    client: VpsClient, service: Any, clock: Any, text: str, pause: float
) -> None:
    service.fault(kind="status", code=503, headers={"Retry-After": text})
    client.list_snapshots()
    assert clock.pauses == [pause]


def test_retry_after_may_be_a_date_by_the_clock_of_the_service(web: Web) -> None:
    web.answer = (503, {"Date": DATE, "Retry-After": "Thu, 05 Mar 2026 12:00:30 GMT"}, None)
    with pytest.raises(ApiError) as caught:
        make(TOKEN, web.url, retries=0).list_snapshots()
    assert caught.value.retry_after == pytest.approx(30, abs=5)


DATE = "Thu, 05 Mar 2026 12:00:00 GMT"


@pytest.mark.parametrize("date", [DATE, "yesterday", "Thu, 99 Mar 2026 12:00:00 GMT", ""])
def test_the_time_is_that_of_the_service(web: Web, date: str) -> None:
    web.answer = (200, {"Date": date}, EMPTY_LIST)
    client = make(TOKEN, web.url)
    client.list_snapshots()
    expected = datetime(2026, 3, 5, 12, tzinfo=timezone.utc) if date == DATE else datetime.now(timezone.utc)
    assert abs((client.now() - expected).total_seconds()) < 60


# How it ends, whatever happens


class Dripping(threading.Thread):
    """Accepts connections, and sends a text over each, byte by byte, for ever."""

    def __init__(self, text: str) -> None:
        super().__init__(daemon=True)
        self.text = text
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/api/v1"
        self.start()

    def run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.drip, args=(self.socket.accept()[0],), daemon=True).start()

    def drip(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.sendall(self.text.encode())
            while True:
                connection.sendall(b" ")
                time.sleep(0.05)


@pytest.mark.parametrize(
    "text",
    [
        "HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n{",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n",
        "HTTP/1.1 200 OK\r\nX-Slow: ",
        "HTTP",
    ],
    ids=["body", "chunks", "headers", "status"],
)
def test_an_answer_that_drips_ends_in_time(text: str) -> None:
    dripping = Dripping(text)
    begun = time.monotonic()
    with dripping.socket, pytest.raises(NoAnswerError, match=r"no whole answer within 0\.4 s") as caught:
        make(TOKEN, dripping.url, timeout=0.4, retries=0).create_snapshot(1, "a")
    assert caught.value.ambiguous
    assert time.monotonic() - begun < 10


def test_an_answer_that_is_too_large_is_not_read_to_its_end(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_http, "LARGEST_BODY", 2**20)
    web.answer = (200, {}, "x" * 2**21)
    with pytest.raises(BadAnswerError, match="more than 1 MiB"):
        make(TOKEN, web.url).list_snapshots()


@pytest.mark.parametrize("depth", [30, 900, 100_000])
def test_an_answer_that_is_nested_too_deep_is_no_json(client: VpsClient, service: Any, depth: int) -> None:
    for code in (200, 400):
        service.fault(kind="status", code=code, body="[" * depth + "]" * depth)
        with pytest.raises(VpsError, match="no JSON"):
            client.list_snapshots()


def test_a_proxy_never_sees_what_goes_to_this_machine(
    client: VpsClient, service: Any, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://localhost:{web.server_port}")
    client.list_snapshots()
    assert web.seen == []
    assert service.requests()


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("socks5://127.0.0.1:1", "never sent.*PySocks"),
        ("http://127.0.0.1:1", "never sent.*the proxy failed.*HTTPS_PROXY"),
    ],
)
def test_a_proxy_that_does_not_work_is_named(proxy: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(NoAnswerError, match=words) as caught:
        make(TOKEN, "https://vps.invalid/api/v1", retries=0).create_snapshot(1, "a")
    assert not caught.value.ambiguous


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".org", ".org"])
def test_a_host_that_cannot_be_is_refused(host: str) -> None:
    with pytest.raises(VpsError, match="api_url must look like"):
        make(TOKEN, f"https://{host}/api/v1")


def test_a_ca_path_that_is_too_long_is_refused() -> None:
    with pytest.raises(VpsError, match="ca_path"):
        make(TOKEN, ca_path="x" * 5000)


def test_a_token_that_the_api_sends_back_is_masked(connect: Connect, service: Any) -> None:
    for code in (200, 400, 502):
        service.fault(kind="status", code=code, body={TOKEN: [f"Bearer {TOKEN}"], "detail": TOKEN})
        with pytest.raises(VpsError) as caught:
            connect(retries=0).list_snapshots()
        assert TOKEN not in f"{caught.value.message} {caught.value.details}"
