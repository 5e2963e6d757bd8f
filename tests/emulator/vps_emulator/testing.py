# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""For tests: an emulator of one's own, in a process of its own, on a free port."""

from __future__ import annotations

import functools
import json
import os
import selectors
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from . import DEFAULT_TOKEN

# Seconds; a start takes less than one on an idle machine.
START_TIMEOUT = 60
STOP_TIMEOUT = 30


@functools.cache
def _opener() -> urllib.request.OpenerDirector:
    """A proxy in the environment is not for loopback. Made once: it loads all CA certificates."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Emulator:
    """A context manager around `python -m vps_emulator --port 0`.

    `seed` is a mapping or a YAML file (None: the embedded two servers), `time_scale` how much faster the documented
    minutes pass (600: a snapshot in 0.5 s, a restore in 1 s), `arguments` any further ones of the command line.
    """

    def __init__(
        self,
        seed: Mapping[str, Any] | str | Path | None = None,
        *,
        token: str = DEFAULT_TOKEN,
        time_scale: float = 600,
        db: str | Path | None = None,
        arguments: Iterable[str] = (),
        python: str = sys.executable,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.token = token
        self.url = ""
        self._seed = seed
        self._environ = dict(os.environ if env is None else env)
        self._command = [python, "-m", "vps_emulator", "--port=0", f"--token={token}", f"--time-scale={time_scale}"]
        if db is not None:
            self._command.append(f"--db={db}")
        self._command += arguments
        self.process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Emulator:
        # The process reads the seed and writes to stderr as files, so neither can block it.
        self._folder = tempfile.TemporaryDirectory(prefix="vps_emulator-testing-")
        self._stderr = Path(self._folder.name, "stderr")
        with self._stderr.open("w") as stderr:
            self.process = subprocess.Popen(
                self._command + self._seed_option(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env=self._environ,
            )
        line = self._first_line()
        if not line.startswith("vps_emulator: "):
            output = self._stop()
            raise RuntimeError(f"the emulator did not start (exit {self.process.returncode}): {output.strip()}")
        self.url = line.removeprefix("vps_emulator: ").strip()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.stderr.write(self._stop())

    @property
    def environ(self) -> dict[str, str]:
        """The two variables that VPS.org's clients read."""
        return {"VPS_API_URL": self.url, "VPS_API_TOKEN": self.token}

    def requests(self) -> list[dict[str, Any]]:
        """Every API call so far, in order: `method`, `path`, `query` (as sent), `status` (None: dropped), `at`."""
        return self._control("GET", "requests/")

    def writes(self) -> list[dict[str, Any]]:
        """The API calls that were not a GET."""
        return [request for request in self.requests() if request["method"] != "GET"]

    def clear_requests(self) -> None:
        """Forget the calls so far."""
        self._control("DELETE", "requests/")

    def fault(self, **fault: Any) -> None:
        """Set a fault: `kind`, and what the README lists for it; ValueError if it is none."""
        self._control("POST", "faults/", fault)

    def clear_faults(self) -> None:
        """Take back every fault."""
        self._control("DELETE", "faults/")

    def reset(self) -> None:
        """Back to the seed, without faults and with an empty log."""
        self._control("POST", "reset/")

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        base = self.url.removesuffix("/api/v1")
        request = urllib.request.Request(f"{base}/_emulator/{path}", method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with _opener().open(request, timeout=60) as response:
                content = response.read()
        except urllib.error.HTTPError as error:
            with error:
                raise ValueError(f"{method} {path} with {body}: {error.code} {error.read().decode()}") from error
        return json.loads(content) if content else None

    def _seed_option(self) -> list[str]:
        if self._seed is None:
            return []
        if not isinstance(self._seed, Mapping):
            return [f"--seed={self._seed}"]
        file = Path(self._folder.name, "seed.yml")
        # JSON is YAML; str() for dates and paths.
        file.write_text(json.dumps(self._seed, default=str), encoding="utf-8")
        return [f"--seed={file}"]

    def _first_line(self) -> str:
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            return self.process.stdout.readline() if selector.select(START_TIMEOUT) else ""

    def _stop(self) -> str:
        """End the process; what it wrote to stderr."""
        self.process.terminate()
        try:
            self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        output = self._stderr.read_text(encoding="utf-8")
        self._folder.cleanup()
        return output
