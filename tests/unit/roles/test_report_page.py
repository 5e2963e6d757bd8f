# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of the report in a real browser: widths, dark and light, 300 hosts, the keyboard alone, no console error."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.vpsdotorg.cloud.plugins.plugin_utils.safe_update.report import report
from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).resolve().parents[3] / "roles" / "safe_update" / "templates"
DRIVER, BROWSER = shutil.which("chromedriver"), shutil.which("chromium") or shutil.which("google-chrome")
HOSTILE = "<script>document.title = 'taken'</script><img src=x onerror=alert(1)> \x1b[31m \u202eexe.gpj \"'`&amp;"
OUTCOMES = (
    "updated",
    "up_to_date",
    "postponed",
    "refused",
    "snapshot_failed",
    "kept",
    "rolled_back",
    "rollback_failed",
)
TAB, ENTER = "\ue004", "\ue007"


def made_up(outcome: str, number: int) -> dict[str, Any]:
    """The result of a host, with much to show."""
    bad = outcome in ("kept", "rolled_back", "rollback_failed")
    begin = f"2026-01-31T2{number % 3}"
    timeline = [
        ("begin", "00:00"),
        ("preflight", "00:20"),
        ("snapshot", "06:40"),
        ("update", "11:05"),
        ("verify", "12:00"),
    ]
    timeline += [("rollback", "28:40")] if bad else [("cleanup", "12:03")]
    return {
        "outcome": outcome,
        "server_id": 12000 + number,
        "snapshot_id": 800 + number,
        "snapshot_name": "safe-update-20260131T230020Z",
        "message": "The update failed: Check that the host is healthy: 502 Bad Gateway. The snapshot is kept.",
        "reason": "Refused, and nothing was touched. The host does not answer.",
        "failed_phase": "verify" if bad else "",
        "failed_task": "Check what the URLs answer" if bad else "",
        "deleted": [{"id": 800 + number, "name": "safe-update-20260131T230020Z"}] if outcome == "updated" else [],
        "packages": [{"name": "libssl3", "old": "3.0.15-1~deb12u1", "new": "3.0.16-1~deb12u1"}],
        "differences": ["service backup.service is not active"] if bad else [],
        "checks": ["url http://10.0.0.1:8080/health", "service nginx"],
        "warnings": [HOSTILE] if number == 7 else [],
        "evidence": [HOSTILE, "Jan 31 23:12:00 web nginx: bind() failed"] if bad else [],
        "timeline": [{"phase": phase, "end": f"{begin}:{end}Z"} for phase, end in timeline],
        "run_id": "4711",
    }


def page(hosts: int) -> str:
    """The page of a run; every eighth host has the same outcome."""
    names = [HOSTILE if number == 7 else f"web-{number}.example.org" for number in range(hosts)]
    results = {name: made_up(OUTCOMES[number % len(OUTCOMES)], number) for number, name in enumerate(names)}
    run = {"written": "2026-01-31T23:59:00Z", "by": "deploy@control", "options": {"on_failure": "rollback"}}
    # As Ansible's own engine: it escapes nothing, the template does.
    engine = Environment(loader=FileSystemLoader(TEMPLATES), trim_blocks=True, undefined=StrictUndefined)
    return engine.get_template("report.html.j2").render(__safe_update_report=report(results, run))


@pytest.mark.parametrize("hosts", [0, 1, 9])
def test_page_is_self_contained_and_escaped(hosts: int) -> None:
    text = page(hosts)
    assert text.count('<details class="host"') == hosts
    assert text.count("<script") == 1
    assert not re.search(r"<(link|img|iframe|object|embed|base)\b|\bsrc\s*=\s*[\"']|href=\"[^#]|@import|url\(", text)


class Browser:
    """A session of chromedriver: just the calls that are needed here."""

    def __init__(self, url: str, folder: str) -> None:
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
        arguments += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
        arguments += [f"--user-data-dir={folder}"]
        options = {"binary": BROWSER, "args": arguments}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        self._url = url
        started = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._url = f"{url}/session/{started['sessionId']}"

    def show(self, file: Path, width: int = 1280, scheme: str = "light") -> None:
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.devtools("Emulation.setEmulatedMedia", features=features)
        self._call("POST", "/url", {"url": file.as_uri()})

    def devtools(self, command: str, **parameters: Any) -> Any:
        return self._call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def run(self, script: str) -> Any:
        return self._call("POST", "/execute/sync", {"script": script, "args": []})

    def press(self, *keys: str) -> None:
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._call("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def log(self) -> list[dict[str, Any]]:
        return self._call("POST", "/se/log", {"type": "browser"})

    def close(self) -> None:
        self._call("DELETE", "", None)

    def _call(self, method: str, path: str, body: Any) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, {"Content-Type": "application/json"}, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=120) as response:
            return json.load(response)["value"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not DRIVER or not BROWSER:
        pytest.skip("no chromium with chromedriver here (Debian: chromium-driver): the report's page was not looked at")
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        subprocess.Popen(
            [DRIVER, "--port=0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "HOME": folder},
        ) as driver,
    ):
        try:
            assert driver.stdout
            ports = (found[1] for line in driver.stdout if (found := re.search(r"successfully on port (\d+)", line)))
            port = next(ports, None)
            assert port, "chromedriver did not start"
            session = Browser(f"http://127.0.0.1:{port}", folder)
            yield session
            session.close()
        finally:
            driver.terminate()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(page(16), encoding="utf-8")
    return file


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_page_fits_its_window(browser: Browser, small: Path, width: int, scheme: str) -> None:
    browser.show(small, width, scheme)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    paper = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 27, 34)"}[scheme]
    assert "taken" not in browser.run("return document.title")
    assert browser.log() == []
    if folder := os.environ.get("REPORT_PICTURES"):
        clip = {"x": 0, "y": 0, "width": width, "height": 1400, "scale": 1}
        picture = browser.devtools("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
        Path(folder, f"report-{width}-{scheme}.png").write_bytes(base64.b64decode(picture))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_from_the_paper(browser: Browser, small: Path, scheme: str) -> None:
    """By the contrast that WCAG asks for: 4.5."""
    browser.show(small, 1280, scheme)
    colours = browser.run(
        "return [...document.querySelectorAll('p, h2, dt, dd, .badge, pre, button, .steps li')].map(element => {"
        " let paper = element;"
        " while (getComputedStyle(paper).backgroundColor === 'rgba(0, 0, 0, 0)') paper = paper.parentElement;"
        " return [getComputedStyle(element).color, getComputedStyle(paper).backgroundColor] })"
    )
    assert len(colours) > 50
    assert [pair for pair in colours if contrast(*pair) < 4.5] == []


def contrast(*colours: str) -> float:
    def light(colour: str) -> float:
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, bright = sorted(map(light, colours))
    return (bright + 0.05) / (dark + 0.05)


VISIBLE = (
    "return [...document.querySelectorAll('.host')].filter(host => !host.hidden).map(host => host.dataset.outcome)"
)


def test_keyboard_alone_filters_opens_and_copies(browser: Browser, small: Path) -> None:
    browser.show(small)
    focus = "const a = document.activeElement; return a.dataset.show ?? a.tagName"
    everything = browser.run(VISIBLE)
    assert len(everything) == 16
    assert everything[0] == "rollback_failed"
    browser.press(TAB, TAB)
    assert browser.run(focus) == "rollback_failed"
    browser.press(ENTER)
    assert browser.run(VISIBLE) == ["rollback_failed"] * 2
    # The filter's other badges, the field for a name, the first host, its badge, the button.
    for _press in range(20):
        browser.press(TAB)
        if browser.run(focus) == "BUTTON":
            break
    browser.press(ENTER)
    for _look in range(50):
        label = browser.run("return document.activeElement.textContent")
        if label != "Copy":
            break
        time.sleep(0.1)
    assert label in ("Copied", "Selected")
    assert "vps_snapshot_restore" in browser.run("return String(getSelection())")
    browser.run("document.querySelector('main details summary').focus()")
    browser.press(ENTER)
    assert browser.run("return document.querySelector('.host').open") is False
    assert browser.log() == []


def test_name_narrows_what_the_badge_has_left(browser: Browser, small: Path) -> None:
    browser.show(small)
    browser.run("document.querySelector('[data-show=kept]').click(); document.querySelector('input').focus()")
    browser.press(*"WEB-5")
    assert browser.run(VISIBLE) == ["kept"]
    browser.run("document.querySelector('[data-show=\"\"]').click()")
    assert browser.run(VISIBLE) == ["kept"]


def test_page_of_300_hosts_is_quick(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(page(300), encoding="utf-8")
    assert file.stat().st_size < 3_000_000
    browser.show(file, 390)
    assert len(browser.run(VISIBLE)) == 300
    assert browser.run("return document.documentElement.scrollWidth") <= 390
    took = browser.run(
        "const begin = performance.now(); document.querySelector('[data-show=kept]').click();"
        " document.body.offsetHeight; return performance.now() - begin"
    )
    assert took < 2000
    assert browser.log() == []
