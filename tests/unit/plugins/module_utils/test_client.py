# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client against the emulator, and against a small server where headers, hosts or certificates matter."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml
from ansible_collections.vpsdotorg.cloud.plugins.module_utils import _client
from ansible_collections.vpsdotorg.cloud.plugins.module_utils._client import (
    ApiError,
    NoAnswerError,
    VpsClient,
    VpsError,
)

CLONE = Path(__file__).resolve().parents[4]
TOKEN = "vps_unit_9f2c7a61d0e84b35"
EMPTY_LIST = {"count": 0, "next": None, "previous": None, "results": []}

Connect = Callable[..., VpsClient]


@pytest.fixture
def connect(service: Any) -> Connect:
    """Make a client of the emulator."""
    return lambda **options: VpsClient(options.pop("token", TOKEN), options.pop("url", service.url), **options)


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
        self.send_response(status)
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
    VpsClient(TOKEN, web.url, user_agent="ansible-core/2.19.0").list_snapshots()
    version = yaml.safe_load((CLONE / "galaxy.yml").read_text())["version"]
    assert web.seen[0][1]["User-Agent"] == f"vpsdotorg.cloud/{version} ansible-core/2.19.0"


def test_a_netrc_file_does_not_replace_the_token(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    VpsClient(TOKEN, web.url).list_snapshots()
    assert web.seen[0][1]["Authorization"] == f"Bearer {TOKEN}"


def test_a_line_break_after_the_token_is_not_sent(web: Web) -> None:
    VpsClient(f"{TOKEN}\n", web.url).list_snapshots()
    assert web.seen[0][1]["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("token", ["", "  ", "vps_a b", "vps_a\nX-Evil: 1", "vps_\u00e4"])
def test_a_token_that_cannot_be_one_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(VpsError, match="api_token") as caught:
        VpsClient(token, "http://127.0.0.1:1/api/v1")
    assert not token.strip() or token not in str(caught.value)


def test_an_integer_id_is_sent_as_an_integer(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    bodies: list[Any] = []
    sent = _client.HTTPAdapter.send

    def send(self: Any, request: Any, **kwargs: Any) -> Any:
        bodies.append(json.loads(request.body))
        return sent(self, request, **kwargs)

    monkeypatch.setattr(_client.HTTPAdapter, "send", send)
    web.answer = (201, {}, {"id": 1, "message": "Snapshot is being created."})
    created = VpsClient(TOKEN, web.url).create_snapshot(12345, "before-update", "why")
    assert bodies == [{"server_id": 12345, "name": "before-update", "description": "why"}]
    assert created == {"id": 1}


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
    VpsClient(TOKEN, url)


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
        VpsClient(TOKEN, url)


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
        VpsClient(TOKEN, url)
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
    assert VpsClient(TOKEN, secure.url, ca_path=ca_path).list_snapshots() == []
    monkeypatch.setenv(variable, ca_path)
    with pytest.raises(NoAnswerError, match=r"(?i)certificate"):
        VpsClient(TOKEN, secure.url, ca_path=other_ca_path).list_snapshots()


def test_validate_certs_false_wins_over_the_environment_and_is_silent(
    secure: Web, other_ca_path: str, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", other_ca_path)
    assert VpsClient(TOKEN, secure.url, validate_certs=False).list_snapshots() == []
    assert recwarn.list == []


@pytest.mark.parametrize("call", [VpsClient.list_snapshots, lambda c: c.create_snapshot(1, "a")], ids=["GET", "POST"])
def test_an_unknown_authority_is_refused_at_once_and_nothing_was_sent(secure: Web, call: Callable, clock: Any) -> None:
    secure.seen.clear()
    with pytest.raises(NoAnswerError, match=r"(?i)certificate") as caught:
        call(VpsClient(TOKEN, secure.url))
    assert not caught.value.ambiguous
    assert (secure.seen, clock.pauses) == ([], [])


def test_a_ca_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(VpsError, match=r"ca_path .*missing\.pem does not exist"):
        VpsClient(TOKEN, ca_path=str(tmp_path / "missing.pem"))


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
    assert caught.value.message == f"GET /snapshots/ answered 400: {said}."
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
    with pytest.raises(ApiError, match=r"502: no JSON, but a page of a proxy \(502 Bad Gateway\)"):
        connect(retries=0).list_snapshots()


@pytest.mark.parametrize(
    ("body", "complaint"),
    [("<html>Welcome</html>", "not JSON"), ([], "no list"), ({"results": None}, "no list"), ("", "no list")],
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


def test_deleting_what_is_gone_is_no_error(client: VpsClient, service: Any) -> None:
    client.delete_snapshot(999999)
    assert service.calls() == ["DELETE /snapshots/999999/"]


@pytest.mark.parametrize("code", [400, 401, 403])
def test_a_refused_deletion_is_an_error(client: VpsClient, service: Any, servers: dict, code: int) -> None:
    service.fault(method="DELETE", kind="status", code=code)
    with pytest.raises(ApiError):
        client.delete_snapshot(servers["completed"] * 10 + 1)
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
    assert len(clock.pauses) <= retries


def test_a_delete_is_repeated_and_then_finds_nothing_left_to_do(client: VpsClient, service: Any, servers: dict) -> None:
    service.fault(method="DELETE", kind="drop_after")
    client.delete_snapshot(servers["completed"] * 10 + 1)
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
            VpsClient(TOKEN, url, retries=3).create_snapshot(101, "before-update")
    assert not caught.value.ambiguous
    # The first repetition comes at once.
    assert clock.pauses == [1, 2]


def test_an_api_that_asks_for_hours_gets_a_minute(connect: Connect, service: Any, clock: Any) -> None:
    service.fault(kind="status", code=429, headers={"Retry-After": "3600"}, times=0)
    with pytest.raises(ApiError) as caught:
        connect(retries=3).list_snapshots()
    assert clock.pauses == [60, 60, 60]
    assert (caught.value.status_code, caught.value.retry_after) == (429, 3600)


def test_a_bounded_get_has_one_try_of_so_many_seconds(connect: Connect, service: Any, clock: Any) -> None:
    service.fault(kind="delay", seconds=3, times=0)
    with pytest.raises(NoAnswerError, match="timed out"):
        connect(timeout=30).list_snapshots(within=0.2)
    assert (len(service.requests()), clock.pauses) == (1, [])


# Pages


def test_every_page_is_read(connect: Connect, service: Any) -> None:
    first = {"count": 3, "next": f"{service.url}/snapshots/?page=2", "results": [{"id": 1}]}
    second = {"count": 3, "next": f"{service.url}/snapshots/?page=3", "results": [{"id": 2}]}
    third = {"count": 3, "next": None, "results": [{"id": 3}]}
    for page in (first, second, third):
        service.fault(kind="status", code=200, body=page)
    assert [each["id"] for each in connect().list_snapshots()] == [1, 2, 3]
    assert [call["query"] for call in service.requests()] == ["", "page=2", "page=3"]


def test_the_filters_go_with_every_page(connect: Connect, service: Any) -> None:
    service.fault(kind="status", code=200, body={"count": 2, "next": "?page=2", "results": [{"server": {"id": 7}}]})
    service.fault(kind="status", code=200, body={"count": 2, "next": None, "results": [{"server": {"id": 7}}]})
    assert len(connect().list_snapshots(7)) == 2
    assert [call["query"] for call in service.requests()] == ["server_id=7", "server_id=7&page=2"]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_page_leaves_the_configured_host(connect: Connect, service: Any, web: Web, scheme: str) -> None:
    elsewhere = web.url.replace("http", scheme) + "/snapshots/?page=2"
    service.fault(kind="status", code=200, body={"count": 2, "next": elsewhere, "results": [{"id": 1}]})
    service.fault(kind="status", code=200, body={"count": 2, "next": None, "results": [{"id": 2}]})
    assert len(connect().list_snapshots()) == 2
    assert web.seen == []
    assert [call["query"] for call in service.requests()] == ["", "page=2"]


@pytest.mark.parametrize("body", [{"count": 3, "results": [{"id": 1}]}, {"count": 1, "next": None, "results": []}])
def test_a_list_that_ends_before_its_count_is_an_error(client: VpsClient, service: Any, body: dict) -> None:
    service.fault(kind="status", code=200, body=body, times=0)
    with pytest.raises(NoAnswerError, match="incomplete"):
        client.list_snapshots()


def test_a_list_that_shrank_while_it_was_read_is_read_again(client: VpsClient, service: Any) -> None:
    service.fault(kind="status", code=200, body={"count": 3, "next": "?page=2", "results": [{"id": 1}]})
    service.fault(kind="status", code=200, body={"count": 2, "next": None, "results": []})
    service.fault(kind="status", code=200, body={"count": 2, "next": None, "results": [{"id": 1}, {"id": 3}]})
    assert client.list_snapshots() == [{"id": 1}, {"id": 3}]


def test_a_list_without_count_and_next_is_whole(client: VpsClient, service: Any) -> None:
    service.fault(kind="status", code=200, body={"results": [{"id": 1}]})
    assert client.list_snapshots() == [{"id": 1}]


@pytest.mark.parametrize("query", ["page=2", "", "page=1"])
def test_pages_that_lead_back_are_an_error(client: VpsClient, service: Any, query: str) -> None:
    body = {"count": 99, "next": f"{service.url}/snapshots/?{query}", "results": [{"id": 1}]}
    service.fault(kind="status", code=200, body=body, times=0)
    with pytest.raises(NoAnswerError, match="lead back"):
        client.list_snapshots()
    assert len(service.requests()) <= 2


def test_an_api_that_ignores_the_filter_is_filtered_here(client: VpsClient, service: Any) -> None:
    mixed = [{"id": 1, "server": {"id": 7}}, {"id": 2, "server": {"id": 8}}, {"id": 3}, {"id": 4, "server": None}]
    service.fault(kind="status", code=200, body={"count": 4, "next": None, "results": mixed})
    assert client.list_snapshots(7) == mixed[:1]


def test_servers_are_asked_for_in_large_pages(client: VpsClient, service: Any, servers: dict) -> None:
    assert len(client.list_servers()) == len(servers)
    assert [call["query"] for call in service.requests()] == ["page_size=100"]


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
    assert TOKEN not in repr(client._patient.auth)


def test_the_message_of_an_error_is_also_its_text() -> None:
    error = VpsError("It failed.")
    error.message = "Creating a snapshot: It failed."
    assert str(error) == error.message
