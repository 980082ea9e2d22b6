"""The explorer in a terminal, on hostile texts: it writes no byte that it does not intend."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from oh_tui.demo import Demo
from tests.hostile.kinds import Say, run, write_zip
from tests.hostile.sent import FRAME, Grid
from tests.hostile.server import Spoiler, changed, serving
from tests.hostile.texts import CORPUS
from tests.terminal.terminal import LONGEST, OH_TUI, Terminal

SIZE = 120, 36
DIVIDER = 30
"""The column of the line between the left side and the right one."""

ASKS = b"quit anyway"

DRAWN = frozenset("│─━")


class Looker:
    """A person at the terminal, who looks at what was written after each key."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.grid = Grid(*SIZE)

    def press(self, *keys: str) -> None:
        """Keys one after the other, each with the frame it brings about, if it does."""
        for key in keys:
            before = len(self.terminal.drawn)
            self.terminal.press(key)
            end = time.monotonic() + 0.08
            while FRAME not in self.terminal.drawn[before:] and time.monotonic() < end:
                self.terminal.pump(0.02)
            if key == "esc":  # what comes close after it would be one key with it
                self.terminal.settle(0.12)
            self.grid.take(self.terminal.drawn)

    def rest(self) -> None:
        self.terminal.settle(0.1)
        self.grid.take(self.terminal.drawn)

    def type(self, text: str) -> None:
        self.press(*text)

    def check_columns(self) -> None:
        """Of the main view with no question open: the divider stands in one column."""
        assert "1 Conversations" in self.grid.text
        for y, char in enumerate(self.grid.column(DIVIDER)[1:-1], 1):
            assert char in DRAWN, f"row {y} is out of line:\n{self.grid.text}"

    def quit(self) -> None:
        self.press("esc", "esc", "ctrl+q")
        end = time.monotonic() + LONGEST
        while ASKS not in self.terminal.drawn and self.terminal.pump():
            assert time.monotonic() < end, "it neither ended nor asked"
        if ASKS in self.terminal.drawn:  # a message was kept, if its key came early enough
            self.rest()
            self.press("enter")
        assert self.terminal.ends() == 0 and self.terminal.is_restored()
        self.grid.take(self.terminal.drawn, all=True)
        assert "Traceback" not in self.terminal.said


@contextmanager
def looking(*words: str | Path) -> Iterator[Looker]:
    with Terminal(OH_TUI, *words, size=SIZE) as terminal:
        yield Looker(terminal)


def saying(start: int) -> Say:
    """The texts of the corpus in turn, from one of them on."""
    texts = list(CORPUS.values())
    return itertools.cycle(texts[start:] + texts[:start]).__next__


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A folder of runs whose titles, file names and events are all hostile."""
    folder = tmp_path / "runs\x1b]0;owned\x07"
    folder.mkdir()
    for number, (name, text) in enumerate(CORPUS.items()):
        bad = "".join(char for char in text[:20] if char not in "\0/" and not is_half(char))
        events = run(saying(number)) if number in (3, 17, 29) else ()
        title = f"{number:02} {text}" if number else "first"
        id = f"{number:032x}" if number % 2 else f"{text}{name}"
        write_zip(folder / f"{number:02}{bad}.zip", events, id=id, title=title)
    (folder / "99").with_name(b"99\xff\x9b2J.zip".decode("utf-8", "surrogateescape")).touch()
    return folder


def long_run(texts: list[str]) -> Iterator[dict[str, object]]:
    """A call with its result for each text, which is all that either says."""
    for number, text in enumerate(texts):
        call = {"id": f"{number}", "kind": "ActionEvent", "tool_name": text, "thought": []}
        action = {"kind": "TerminalAction", "command": text}
        yield {**call, "action": action, "summary": text, "llm_response_id": f"r{number}"}
        told = {"kind": "TerminalObservation", "content": [{"type": "text", "text": text}]}
        about = {"action_id": f"{number}", "tool_name": text, "observation": told}
        yield {"id": f"r{number}", "kind": "ObservationEvent", **about}


def is_half(char: str) -> bool:
    return "\ud800" <= char <= "\udfff"


@pytest.mark.slow
def test_files_with_hostile_names_titles_and_events_of_every_kind(runs: Path) -> None:
    with looking("open", runs) as it:
        it.terminal.wait_for("1 Conversations")
        it.terminal.settle()
        it.press("1")
        for _ in range(len(CORPUS)):
            it.press("j")
            it.check_columns()
        it.quit()


LONG = 500_000


@pytest.mark.slow
def test_lines_of_half_a_megabyte_each(tmp_path: Path) -> None:
    pieces = [
        "x",
        "漢",
        "\u0301",
        "\u200b\u202e",
        "[b]",
        "\x1b]0;",
        "\x1b[1m",
        "🇩🇪",
        "\u1161\u0301",
    ]
    texts = [piece * (LONG // len(piece)) for piece in pieces]
    path = write_zip(tmp_path / "long.zip", long_run(texts), title=texts[1])
    with looking("open", path) as it:
        it.terminal.wait_for(f"{len(texts)} steps")
        it.rest()
        it.check_columns()
        for _ in texts:
            it.press("k")
            it.check_columns()
        it.press("3", "g", "w", "R", "R", "4", "G", "esc", "1")
        it.rest()
        it.check_columns()
        it.quit()


@pytest.mark.parametrize(
    ("number", "keys"),
    [
        (3, "x"),
        (17, ""),
        (29, "w"),
    ],
)
@pytest.mark.slow
def test_every_step_of_a_run_of_every_kind(number: int, keys: str, runs: Path) -> None:
    (path,) = runs.glob(f"{number:02}*")
    with looking("open", path) as it:
        it.terminal.wait_for("56 steps")
        it.press("3", *keys, "g")
        for _ in range(60):
            it.press("j")
        it.check_columns()
        it.press("G", "R", "R", "y", "j", "g", "y", "m", "enter", "J", "K", "esc")
        it.press("v", "G", "y", "m")
        it.rest()
        assert it.grid.copied
        it.press("esc", "c", "j", "j", "enter", "esc", "esc", "T", "j", "esc", "t", "z", "z")
        it.type("/owned")
        it.press("enter", "n", "N", "esc")
        it.type("&text")
        it.press("enter", "esc", "e", "E", "u", "?", "esc", "ctrl+p")
        it.type("first")
        it.press("esc", "esc", "esc", "1")
        it.rest()
        it.check_columns()
        it.quit()


@pytest.mark.slow
def test_a_server_whose_every_word_is_hostile() -> None:
    demo = Demo(shows="everything")
    demo.rate_limited = False
    spoiler = Spoiler()
    with (
        serving(changed(demo.app, lambda call, value: spoiler.spoil(value))) as url,
        looking("--server", url) as it,
    ):
        it.terminal.wait_for("━ 42 ━")
        it.terminal.settle()
        for _ in range(4):
            it.press("j", "enter")
            it.check_columns()
            it.press("3", "G", "k", "k", "1")
        it.press("2", "j", "j", "p", "esc", "x", "j", "enter", "1", "o")
        it.press("g", "enter", "a", "esc", "m", "x", "esc", "esc", "P", "esc", "d", "y", "i")
        it.press("ctrl+p")
        it.type("ow")
        it.press("esc", "!")
        it.type("ls\r")
        it.press("esc", "esc", "esc", "r")
        it.quit()
