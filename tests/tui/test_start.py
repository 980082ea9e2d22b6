"""What the start takes: nothing that the first paint does not need."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import gc, json, sys
from oh_tui import cli
from oh_tui.tui.main_screen import MainScreen

begin = MainScreen._begin

def painted(screen):
    loaded = sorted(sys.modules)
    begin(screen)
    with open(sys.argv[1], "w") as out:
        json.dump([loaded, gc.get_freeze_count(), gc.isenabled()], out)
    screen.app.exit(0)

MainScreen._begin = painted
sys.exit(cli.main(["--demo"]))
"""

LATER = {
    "httpx", "starlette", "pygments", "markdown_it", "rich.markdown", "stamina", "aiolimiter",
    "textual.widgets._markdown", "textual.widgets._text_area", "oh_tui.demo.world",
}  # fmt: skip


def test_the_first_paint_needs_neither_httpx_nor_markdown_nor_pygments(tmp_path: Path) -> None:
    environment = {**os.environ, "TEXTUAL_DRIVER": "textual.drivers.headless_driver:HeadlessDriver"}
    leader, follower = os.openpty()
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "told")],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environment,
        timeout=30,
        check=False,
    )
    os.close(leader)
    os.close(follower)
    assert run.returncode == 0
    loaded, frozen, collects = json.loads((tmp_path / "told").read_text())
    assert "textual.app" in loaded
    assert LATER & set(loaded) == set()
    assert frozen > 10_000
    assert collects
