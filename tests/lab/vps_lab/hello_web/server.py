# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""hello-web: a small web service whose health depends on the data that it finds."""

from __future__ import annotations

import http.server
import json
from pathlib import Path

VERSION = "@VERSION@"
SCHEMA = int("@SCHEMA@")
PORT = 8080
SCHEMA_FILE = Path("/var/lib/hello-web/schema")


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers / with a greeting and /health with 200 or, if the data are of another version, 503."""

    def do_GET(self) -> None:
        schema = int(SCHEMA_FILE.read_text())
        status = {"version": VERSION, "schema": schema, "healthy": schema == SCHEMA}
        if self.path == "/health":
            self._answer(200 if status["healthy"] else 503, json.dumps(status))
        elif self.path == "/":
            self._answer(200, f"hello-web {VERSION}\n")
        else:
            self._answer(404, "not found\n")

    def _answer(self, code: int, text: str) -> None:
        body = text.encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """The journal has better things to keep."""


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("", PORT), Handler).serve_forever()
