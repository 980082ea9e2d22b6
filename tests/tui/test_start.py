"""Start-up time: nothing is loaded that the first paint does not need."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import termios
import zipfile
from pathlib import Path

import pytest

PROGRAM = """
import gc, json, sys
from collections import Counter
from oh_tui import lazy
lazy.install()
from oh_tui import cli
from oh_tui.tui.platform import textual_app
textual_app.load()
from textual.app import App
from textual.css import stylesheet
from textual.screen import Screen
from oh_tui.tui.main_screen import MainScreen

begin = MainScreen._begin
work = Counter()

def counted(owner, name, key):
    call = getattr(owner, name)
    def count(*words, **named):
        work[key(*words)] += 1
        return call(*words, **named)
    setattr(owner, name, count)

counted(stylesheet, "parse", lambda scope, css, read_from, *_: f"read {read_from[0]}")
counted(stylesheet.Stylesheet, "apply", lambda _, node: f"styled {node}")
counted(App, "_display", lambda *_: "drawn")
counted(Screen, "_refresh_layout", lambda _, size=None, **__: f"laid out for {size}")

def painted(screen):
    loaded = sorted(lazy.executed())
    begin(screen)
    with open(sys.argv[1], "w") as out:
        json.dump([loaded, gc.get_freeze_count(), gc.isenabled(), work], out)
    screen.app.exit(0)

MainScreen._begin = painted
sys.exit(cli.main(sys.argv[2:]))
"""

LATER = {
    "httpx", "starlette", "pygments", "markdown_it", "rich.markdown", "aiolimiter",
    "textual.widgets._markdown", "textual.widgets._text_area", "oh_tui.demo.world",
    "oh_tui.commands.framework.printing", "sqlite3", "multiprocessing", "oh_tui.library.library",
    # what only a run needs
    "oh_tui.trajectory.presentation.blocks", "oh_tui.tui.widgets.step_lines",
    "oh_tui.trajectory.findings.phases.phases", "oh_tui.trajectory.reading.intents",
    "oh_tui.trajectory.shell.programs", "oh_tui.trajectory.rules.answers",
    "oh_tui.trajectory.findings.review_hints.hints",
    "oh_tui.trajectory.findings.review_hints.hint",
    # what a key leads to
    "textual.command", "textual.types", "textual.widgets._input", "platformdirs", "rich.table",
}  # fmt: skip


Told = tuple[list[str], int, bool, dict[str, int]]
"""The modules loaded, how many objects are never collected, whether the others are, and the work
that was done, by the first paint."""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return start(tmp_path_factory.mktemp("start") / "told", "--demo")


def start(told: Path, *words: str) -> Told:
    environment = {**os.environ, "TEXTUAL_DRIVER": "textual.drivers.headless_driver:HeadlessDriver"}
    leader, follower = os.openpty()
    termios.tcsetwinsize(follower, (48, 160))
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(told), *words],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environment,
        timeout=60,
        check=False,
    )
    os.close(leader)
    os.close(follower)
    assert run.returncode == 0
    loaded, frozen, collects, work = json.loads(told.read_text())
    return loaded, frozen, collects, work


def test_the_first_paint_needs_neither_httpx_nor_markdown_nor_pygments(started: Told) -> None:
    loaded, frozen, collects, _ = started
    assert "textual.app" in loaded
    assert LATER & set(loaded) == set()
    assert frozen > 10_000
    assert collects


def test_styles_are_read_once(started: Told) -> None:
    read = [times for what, times in started[3].items() if what.endswith("app.tcss")]
    assert read == [1]


def test_styles_are_given_to_a_part_once(started: Told) -> None:
    work = started[3]
    again = [what for what, times in work.items() if what.startswith("styled") and times > 1]
    assert again == ["styled ConversationList(id='conversations')"]  # the focus came to it


def test_the_first_size_is_laid_out_once(started: Told) -> None:
    for_sizes = {what: n for what, n in started[3].items() if what.startswith("laid out for Size")}
    assert list(for_sizes.values()) == [1]


def test_a_file_is_listed_after_the_first_paint(tmp_path: Path) -> None:
    path = tmp_path / "run.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("event_000000_x.json", '{"id": "x", "kind": "MessageEvent"}')
    assert start(tmp_path / "told", "open", str(path))[3].get("drawn")


LOADING = """
import gc, sys
from oh_tui.__main__ import main

looks = []
gc.callbacks.append(lambda phase, _: looks.append(gc.isenabled()))
sys.argv = ["oh-tui", *sys.argv[1:]]
main()
print(len(looks), gc.isenabled())
"""


def test_nothing_is_collected_while_a_command_is_loaded_but_again_while_it_runs() -> None:
    def told(*words: str) -> str:
        run = subprocess.run(
            [sys.executable, "-c", LOADING, *words], capture_output=True, text=True, check=True
        )
        return run.stdout.splitlines()[-1]

    assert told("--version") == "0 False"
    assert told("cache").endswith("True")
