"""Pictures of the HTML page of a demo run, for docs/sharing.md, after `make setup-slow`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from scripts.screenshots import FOLDER

RUN = "477fd35154a95578b15cc799352fdda4"
"""The run that got stuck."""

PICTURES = (("page-1200-light", "light", ""), ("page-1200-step", "dark", "#step-34"))
"""Name, colours, and the place in the page."""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "run.html"
        words = ("--demo", "export", RUN, "--to", "html", "--yes", "-o", str(file))
        subprocess.run([sys.executable, "-m", "oh_tui", *words], check=True)
        with import_module("playwright.sync_api").sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            for name, scheme, place in PICTURES:
                size = {"width": 1200, "height": 900}
                opened = browser.new_page(viewport=size, color_scheme=scheme)
                opened.goto(f"{file.as_uri()}{place}")
                opened.screenshot(path=FOLDER / f"{name}.png")
            browser.close()


if __name__ == "__main__":
    main()
