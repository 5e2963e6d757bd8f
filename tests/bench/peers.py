# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One server that answers the same question to every peer, after the same delay."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Seconds that an answer takes.
DELAY = 0.05
CREATED = "2026-01-31T02:00:00Z"
ANSWERS = {
    "/api/v1/snapshots/": {
        "count": 1,
        "results": [
            {
                "id": 801,
                "server": {"id": 1, "name": "web-1"},
                "name": "before-update",
                "status": "completed",
                "size_mb": 5120,
                "created_at": CREATED,
                "description": "",
            }
        ],
    },
    "/vultr/snapshots": {
        "snapshots": [
            {"id": "a", "date_created": CREATED, "description": "before-update", "size": 1, "status": "complete"}
        ],
        "meta": {"total": 1, "links": {"next": "", "prev": ""}},
    },
    "/hetzner/images": {
        "images": [
            {
                "id": 1,
                "type": "snapshot",
                "status": "available",
                "name": None,
                "description": "before-update",
                "image_size": 1.0,
                "disk_size": 10.0,
                "created": CREATED,
                "created_from": {"id": 1, "name": "web-1"},
                "bound_to": None,
                "os_flavor": "debian",
                "os_version": "12",
                "architecture": "x86",
                "rapid_deploy": False,
                "protection": {"delete": False},
                "deprecated": None,
                "labels": {},
            }
        ],
        "meta": {
            "pagination": {
                "page": 1,
                "per_page": 50,
                "previous_page": None,
                "next_page": None,
                "last_page": 1,
                "total_entries": 1,
            }
        },
    },
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        time.sleep(DELAY)
        body = json.dumps(ANSWERS[self.path.partition("?")[0]]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""


@contextmanager
def served() -> Iterator[str]:
    """The server's address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def tasks(url: str) -> dict[str, dict]:
    """The same question, as each peer asks it; ping asks nothing and is the floor."""
    return {
        "ansible.builtin.ping": {},
        "ansible.builtin.uri": {"url": f"{url}/api/v1/snapshots/", "headers": {"Authorization": "Bearer vps_bench"}},
        "vpsdotorg.cloud.vps_snapshot_info": {"api_url": f"{url}/api/v1", "api_token": "vps_bench"},
        "vultr.cloud.snapshot_info": {"api_endpoint": f"{url}/vultr", "api_key": "bench"},
        "hetzner.hcloud.image_info": {"api_endpoint": f"{url}/hetzner", "api_token": "b" * 64, "type": "snapshot"},
    }
