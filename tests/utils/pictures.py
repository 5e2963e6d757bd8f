# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take the guides' picture of the report from a run of the demo, so that it shows what this version writes."""

from __future__ import annotations

import html
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
DEMO = TESTS / "demo" / "run.py"
REPORT = TESTS / "output" / "demo" / "report.html"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTH = 1000
# The page tells its height where nothing else does: in its title.
MEASURE = "<script>document.title = 'height ' + document.documentElement.scrollHeight</script>"


def main(folder: Path) -> None:
    """Write report.png into a folder; where no browser is here, say so and leave what is there."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print("No chromium here: the guides show the picture of the report as it was committed.")
        return
    subprocess.run([sys.executable, str(DEMO)], check=True, env={**os.environ, "USER": "admin"})
    with tempfile.TemporaryDirectory(prefix="vps-pictures-") as scratch:
        page = Path(scratch, "report.html")
        page.write_text(anonymous(REPORT.read_text(encoding="utf-8")) + MEASURE, encoding="utf-8")
        told = look(browser, scratch, page, WIDTH, 100, "--dump-dom")
        height = int(re.search(r"<title>height (\d+)", told)[1])
        look(browser, scratch, page, WIDTH, height, f"--screenshot={folder / 'report.png'}")
    print(f"{folder / 'report.png'}: {WIDTH} x {height}")


def anonymous(text: str) -> str:
    """The page without what is of this machine alone."""
    text = text.replace(html.escape(sys.executable), "python3").replace(f"@{platform.node()}", "@controller")
    return re.sub(r"[^\s\"'<>]*/vps-demo-\w+", "/srv", text)


def look(browser: str, scratch: str, page: Path, width: int, height: int, what: str) -> str:
    """Open a page in a window of a size; return what the browser prints."""
    options = ["--headless", "--no-sandbox", "--hide-scrollbars", f"--user-data-dir={scratch}/profile"]
    command = [browser, *options, f"--window-size={width},{height}", what, page.as_uri()]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
