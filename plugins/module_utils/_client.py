# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""The VPS.org API over HTTP: the one place that knows calls, retries and pages."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from . import _http, _shapes
from ._errors import ADVICE_ON_NONSENSE, ApiError, BadAnswerError, NoAnswerError, OperationError, VpsError, advice
from ._progress import Progress
from ._shapes import Kind, identities, is_of_server, is_server

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60
# The most that is asked for; a service that ignores it sends shorter pages.
PAGE_SIZE = 100
# A list of 100,000 items: far more than an account can have, so the pages would never end.
MOST_PAGES = 1000
# How often a list is read that others change meanwhile.
READS = 3


class ListChangedError(VpsError):
    """A list changed while it was read, so an item may have been left out or come twice."""


def retry_pause(method: str, error: VpsError, attempt: int) -> float | None:
    """Seconds to pause before a request is sent again, or None where it must not be or where that cannot help.

    GET and DELETE are repeated after a lost connection, a time-out, 429 and 5xx; a POST only after 429 and where no
    connection came about: whether any other one was processed is for the caller to find out (`VpsError.ambiguous`).

    :param attempt: How often it was sent again already.
    """
    is_safe = method in ("GET", "DELETE") or not error.ambiguous
    if not is_safe or not error.transient or isinstance(error, BadAnswerError):
        return None
    return min(max(FIRST_PAUSE * 2**attempt, error.retry_after or 0), LONGEST_PAUSE)


class VpsClient:
    """The calls of the VPS.org API, each a method that returns decoded JSON or raises `VpsError`.

    :param http: How they travel.
    :param retries: How often one request is repeated at most; `retry_pause` says which.
    :param progress: Gets how a wait stands, or None where nobody listens.
    """

    def __init__(self, http: _http.Http, retries: int = 5, progress: Progress | None = None) -> None:
        self._http = http
        self._retries = retries
        self.progress = progress
        #: Whether a write has had an effect, as far as an answer or a look has told.
        self.has_written = False

    def now(self) -> datetime:
        """The present moment (UTC) by the service's clock, as far as an answer has told it."""
        return datetime.now(timezone.utc) + (self._http.clock_difference or timedelta(0))

    # The endpoints. `within` bounds a GET to so many seconds and one try: what polls repeats anyway.

    def list_snapshots(self, server_id: int | str | None = None, within: float | None = None) -> list[dict]:
        """All snapshots of the account, or of one server."""
        return self._list(_shapes.SNAPSHOTS, {"server_id": server_id}, within)

    def create_snapshot(self, server_id: int | str, name: str, description: str | None = None) -> dict:
        """Start a snapshot; the answer shows it ``in_progress``."""
        answer = self._request(
            "POST", "/snapshots/", body=_given(server_id=server_id, name=name, description=description)
        )
        snapshot = _shapes.snapshot(answer)
        if snapshot is None:
            raise BadAnswerError(f"POST /snapshots/ was accepted, but the answer is no snapshot. {ADVICE_ON_NONSENSE}")
        return {key: value for key, value in snapshot.items() if key != "message"}

    def restore_snapshot(self, snapshot: dict) -> dict:
        """Start overwriting the snapshot's server with it; the answer shows the server ``restoring``.

        :raises OperationError: Where the answer is about anything else.
        """
        path = f"/snapshots/{snapshot['id']}/restore/"
        answer = self._request("POST", path)
        odd = _shapes.oddity_of_restore(answer, snapshot)
        if odd:
            raise OperationError(
                f"POST {path} was accepted, but the answer {odd}. Nobody can tell what was started: look at the server "
                "at the provider before anything else, and do not start another restore.",
                api_error=answer,
            )
        server = _shapes.server(answer.get("server")) if isinstance(answer, dict) else None
        return {"server": server} if server else {}

    def delete_snapshot(self, snapshot_id: int, server_id: int | str) -> bool:
        """Delete a snapshot of a server for good; False where it was gone already.

        :raises ApiError: Also where the answer is that there is none, and the server's list still shows it.
        """
        try:
            self._request("DELETE", f"/snapshots/{snapshot_id}/")
        except ApiError as error:
            if error.status_code != 404:
                raise
            if any(snapshot["id"] == snapshot_id for snapshot in self.list_snapshots(server_id)):
                error.message += (
                    f" Snapshot {snapshot_id} is still listed, so it was not deleted. Try again, or ask VPS.org."
                )
                raise
            # Gone by an earlier try of this very call, whose answer was lost.
            self.has_written = self.has_written or error.after_doubt
            return error.after_doubt
        return True

    def list_servers(self, status: str | None = None, location: str | None = None) -> list[dict]:
        """All servers of the account; the service filters by status and location."""
        return self._list(_shapes.SERVERS, {"status": status, "location": location})

    def get_server(self, server_id: int | str, within: float | None = None) -> dict:
        """One server.

        :raises BadAnswerError: Also where the answer is about another one.
        """
        server = _shapes.server(self._request("GET", f"/servers/{server_id}/", within=within))
        if server is None:
            raise BadAnswerError(
                f"GET /servers/{server_id}/ answered something that is no server. {ADVICE_ON_NONSENSE}"
            )
        if is_server(server, server_id) is False:
            raise BadAnswerError(
                f"GET /servers/{server_id}/ asked for server {server_id}, and was told of server "
                f"{identities(server)[0]}: nothing was decided. {ADVICE_ON_NONSENSE}"
            )
        return server

    def power_server(self, server_id: int | str, action: str) -> None:
        """Start a power action: ``start``, ``stop``, ``restart`` or ``hard_stop``."""
        self._request("POST", f"/servers/{server_id}/power/", body={"action": action})

    def list_backups(self, server_id: int | str | None = None, backup_type: str | None = None) -> list[dict]:
        """All backups of the account, or of one server, or of one type."""
        backups = self._list(_shapes.BACKUPS, {"server_id": server_id, "backup_type": backup_type})
        return [backup for backup in backups if backup_type in (None, backup.get("backup_type"))]

    # How they are read.

    def _list(self, kind: Kind, query: dict, within: float | None = None) -> list[dict]:
        """Every item of a list, of one server where the query names it; one that changed meanwhile is read again."""
        query = {"page_size": PAGE_SIZE, **_given(**query)}
        for read in range(1, READS + 1):
            try:
                items = self._read(kind, query, within)
                break
            except ListChangedError as error:
                if read == READS:
                    raise NoAnswerError(
                        f"GET {kind.path} was read {READS} times, and changed each time: {error} Nothing was decided "
                        "from an incomplete list; run the task again when nobody else is at work on the account."
                    ) from None
        if query.get("server_id") is None:
            return items
        belongs = [is_of_server(item, query["server_id"]) for item in items]
        if None in belongs:
            item = items[belongs.index(None)]
            raise BadAnswerError(
                f"GET {kind.path} names server {query['server_id']} in another way: {kind.plural[:-1]} {item['id']} is "
                f"said to be of {item['server']}. Nothing was decided; give server_id in that way."
            )
        # A service that ignores the query sends the whole account.
        return [item for item, is_ours in zip(items, belongs) if is_ours]

    def _read(self, kind: Kind, query: dict, within: float | None) -> list[dict]:
        """All pages of a list; only the query of `next` is used, so that no page leaves the host.

        :raises ListChangedError: Where it is not certain that these are all, each once.
        """
        items: dict[str, dict] = {}
        counts = set()
        for page_number in range(MOST_PAGES):
            try:
                page = self._request("GET", kind.path, query=query, within=within)
            except ApiError as error:
                if error.status_code != 404 or not page_number:
                    raise
                raise ListChangedError(f"page {page_number + 1} was gone.") from None
            results, count, following = _checked_page(kind, page)
            counts.add(count)
            for result in results:
                item = kind.shape(result)
                if item is None:
                    raise BadAnswerError(
                        f"GET {kind.path} answered items that are no {kind.plural}; nothing was decided. The first: "
                        f"{json.dumps(result)[:300]}. {ADVICE_ON_NONSENSE}"
                    )
                key = str(_shapes.identities(item)[0])
                if key in items:
                    raise ListChangedError(f"{kind.plural[:-1]} {key} came twice.")
                items[key] = item
            if following and not results:
                raise ListChangedError("an empty page named a further one.")
            if len(counts) > 1 or (not following and counts - {None, len(items)}):
                raise ListChangedError(
                    f"the API counted {' and '.join(map(str, counts))} items, and sent {len(items)}."
                )
            if not following:
                return list(items.values())
            query = {**query, **following}
        raise BadAnswerError(
            f"GET {kind.path}: more than {MOST_PAGES} pages came, and no end. Nothing was decided. {ADVICE_ON_NONSENSE}"
        )

    # How they travel.

    def _request(
        self,
        method: str,
        path: str,
        *,
        query: dict | None = None,
        body: dict | None = None,
        within: float | None = None,
    ) -> Any:
        """Send one request, again where that is safe and may help; return the decoded body (None if there is none)."""
        attempt, is_doubtful = 0, False
        while True:
            try:
                decoded = _read_answer(method, path, self._http.send(method, path, query, body, within))
                self.has_written = self.has_written or method != "GET"
                return decoded
            except VpsError as error:
                error.after_doubt, is_doubtful = is_doubtful, is_doubtful or error.ambiguous
                pause = retry_pause(method, error, attempt)
                if pause is None or within is not None or attempt >= self._retries:
                    error.message += f" It was tried {attempt + 1} times." if attempt else ""
                    raise
            time.sleep(pause)
            attempt += 1


def _read_answer(method: str, path: str, answer: _http.Answer) -> Any:
    """Return the decoded body of a good answer; the only place that looks at a status."""
    status = answer.status
    if 200 <= status < 300:
        if answer.is_readable:
            return answer.body
        raise BadAnswerError(
            f"{method} {path} answered {status}, but {answer.text}. {ADVICE_ON_NONSENSE}",
            status_code=status,
            api_error=answer.body,
        )
    said = "a redirect" if 300 <= status < 400 else answer.text
    raise ApiError(
        f"{method} {path} answered {status}: {said}. {advice(status, method, path, answer.is_readable)}",
        status,
        answer.body,
        answer.retry_after,
    )


def _checked_page(kind: Kind, page: Any) -> tuple[list, int | None, dict]:
    """A page's results, the count of the whole list if it is told, and the query of the next page (empty: none).

    :raises BadAnswerError: Where it is no page.
    """
    if isinstance(page, dict) and isinstance(page.get("results"), list):
        count, following = page.get("count"), page.get("next")
        try:
            query = (
                dict(parse_qsl(urlsplit(following or "").query)) if isinstance(following, (str, type(None))) else None
            )
        except ValueError:
            query = None
        is_page = query if following else query is not None
        if is_page and (count is None or _shapes.number(count) is not None):
            return page["results"], _shapes.number(count), query
    raise BadAnswerError(
        f"GET {kind.path} answered something that is no list of {kind.plural}; nothing was decided. "
        f"{ADVICE_ON_NONSENSE}"
    )


def _given(**values: Any) -> dict:
    return {key: value for key, value in values.items() if value is not None}
