"""An unexpected bug: the terminal is restored, with one sentence and a report without secrets."""

from __future__ import annotations

import contextlib
import re
import stat
import sys
from pathlib import Path

import pytest

from tests.terminal.runs import make_zip
from tests.terminal.terminal import Terminal

SLOW = pytest.mark.slow

LOCAL, KEY, SET_KEY = "canary-in-a-local", "sk-canary0123456789abcdef", "plain-canary-of-settings"

DRIVER = """
import sys, tempfile
from oh_tui import cli
from oh_tui.sources.file_source import FileSource
from oh_tui.tui import app, main_screen
from oh_tui.tui.platform import base_app
from oh_tui.tui.controllers.lists import conversations
from oh_tui.tui.controllers.run import find
from oh_tui.tui.controllers import controller, navigation
from oh_tui.tui.widgets import conversation_list, timeline

def breaks(*_, **__):
    held = "canary-in-" + "a-local"
    raise ValueError(" ".join(["no such thing:", "sk-canary" + "0123456789abcdef", *KEYS]))

async def breaks_later(*_, **__):
    breaks()

KEYS = []
Screen = main_screen.MainScreen
{change}
sys.exit(cli.main({words}))
"""


def crash(folder: Path, change: str, key: str = "") -> Terminal:
    """oh-tui with a part of it replaced by `change`; it ends by itself, after `key`."""
    driver = folder / "driver.py"
    words = ["open", str(make_zip(folder / "run.zip"))]
    driver.write_text(DRIVER.format(change=change, words=words))
    terminal = Terminal(sys.executable, driver, home=folder, answers=bool(key))
    if key:
        terminal.wait_for("30 steps")
        terminal.press(key)
    return terminal


def check_end(terminal: Terminal, folder: Path) -> None:
    """The terminal is as before, one sentence names the report, no secret is anywhere."""
    assert terminal.ends() == 1
    assert terminal.is_restored()
    told = re.fullmatch(r"oh-tui crashed: ValueError; the report is in (\S+)", terminal.said)
    assert told, terminal.said
    report = Path(told[1])
    assert [report] == list(folder.glob("oh-tui-*"))
    text = report.read_text()
    assert "in breaks\n" in text and "ValueError: no such thing: [hidden]" in text
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    for secret in (LOCAL, KEY):
        assert secret not in text and secret.encode() not in terminal.drawn


@pytest.mark.parametrize(
    ("change", "key"),
    [
        pytest.param("navigation.ViewActions.action_hidden = breaks", "x", id="a key"),
        pytest.param(
            "find.Find.action_ask = controller.in_worker('ask')(breaks_later)",
            "/",
            id="a worker",
            marks=SLOW,
        ),
        pytest.param("FileSource.close = breaks_later", "q", id="closing the source", marks=SLOW),
        pytest.param("Screen.on_unmount = breaks", "q", id="closing the screen", marks=SLOW),
    ],
)
def test_a_bug_in_use_gives_the_terminal_back_and_one_sentence_and_a_report(
    tmp_path: Path, change: str, key: str
) -> None:
    with crash(tmp_path, change, key) as terminal:
        check_end(terminal, tmp_path)


@pytest.mark.slow  # a dozen programs at once
def test_a_bug_at_the_start_does_so_too_wherever_it_is(tmp_path: Path) -> None:
    changes = {
        "a worker": "FileSource.count = breaks_later",
        "a worker that reads": "FileSource.pages = breaks",
        "a thread": "conversations.last_known_states = breaks",
        "drawing": "timeline.Timeline.render_line = breaks",
        "a change of state": "Screen.watch_arrangement = breaks",
        "after the first paint": "Screen._begin = breaks",
        "a message of Textual": "Screen.on_resize = breaks",
        "composing": "Screen.compose = breaks",
        "mounting": "Screen.on_mount = breaks",
        "mounting the app": "app.OhTui.on_mount = breaks",
        "before the screen": "app.OhTui.on_load = breaks",
        "reading keys": "base_app.TerminalDriver.run_input_thread = breaks",
    }
    with contextlib.ExitStack() as stack:
        started: dict[str, tuple[Terminal, Path]] = {}
        for name, change in changes.items():
            folder = tmp_path / name.replace(" ", "-")
            folder.mkdir()
            started[name] = stack.enter_context(crash(folder, change)), folder
        for name, (terminal, folder) in started.items():
            with terminal.named(name):
                check_end(terminal, folder)


def test_the_key_in_use_is_not_in_the_report_whatever_its_shape(tmp_path: Path) -> None:
    change = f"Screen._begin = breaks; KEYS.append({SET_KEY!r})"
    driver = tmp_path / "driver.py"
    driver.write_text(DRIVER.format(change=change, words=["--server", "127.0.0.1:1"]))
    with Terminal(sys.executable, driver, home=tmp_path, OPENHANDS_API_KEY=SET_KEY) as terminal:
        assert terminal.ends() == 1 and terminal.is_restored()
        (report,) = tmp_path.glob("oh-tui-*")
        assert "no such thing: [hidden] [hidden]" in report.read_text()
        assert SET_KEY.encode() not in terminal.drawn


@pytest.mark.slow
def test_styles_that_cannot_be_read_end_as_a_bug_does(tmp_path: Path) -> None:
    with crash(tmp_path, "app.OhTui.CSS = 'Screen { colour: red; '") as terminal:
        assert terminal.ends() == 1 and terminal.is_restored()
        assert re.fullmatch(r"oh-tui crashed: \w+; the report is in \S+", terminal.said)


@pytest.mark.slow
def test_without_a_place_for_the_report_the_sentence_stands_alone(tmp_path: Path) -> None:
    change = """
def full(**_):
    raise OSError
navigation.ViewActions.action_hidden, tempfile.mkstemp = breaks, full
"""
    with crash(tmp_path, change, "x") as terminal:
        assert terminal.ends() == 1 and terminal.is_restored()
        assert terminal.said == "oh-tui crashed: ValueError"
