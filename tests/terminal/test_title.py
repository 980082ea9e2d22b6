"""The title of the terminal's window: who needs attention, and the old title at the end."""

from __future__ import annotations

import re

import pytest

from tests.terminal.terminal import OH_TUI, Terminal

TITLE = re.compile(rb"\x1b\]2;([^\x07]*)\x07")


def titles(terminal: Terminal) -> list[str]:
    return [title.decode() for title in TITLE.findall(bytes(terminal.drawn))]


def test_the_title_counts_and_is_given_back() -> None:
    with Terminal(OH_TUI, "--demo") as terminal:
        terminal.wait_for("3 running")
        terminal.press("q")
        assert terminal.ends() == 0
        assert titles(terminal) == ["oh-tui", "oh-tui ◆1 ✗4 ●3", ""]
        drawn = bytes(terminal.drawn)
        assert drawn.count(b"\x1b[22;2t") == drawn.count(b"\x1b[23;2t") == 1
        assert drawn.index(b"\x1b[22;2t") < drawn.index(b"\x1b]2;")
        assert drawn.index(b"\x1b]2;\x07") < drawn.index(b"\x1b[23;2t")


@pytest.mark.slow
@pytest.mark.parametrize("term", ["linux"])
def test_a_console_without_titles_is_left_alone(term: str) -> None:
    with Terminal(OH_TUI, "--demo", TERM=term) as terminal:
        terminal.wait_for("3 running")
        terminal.press("q")
        terminal.ends()
        assert titles(terminal) == []
        assert b";2t" not in terminal.drawn


def test_the_cursor_of_the_terminal_stands_on_the_current_row() -> None:
    """A screen reader reads the line of the terminal's cursor, hidden or not."""

    def row() -> str:
        return terminal.screen.display[terminal.screen.cursor.y][terminal.screen.cursor.x :]

    with Terminal(OH_TUI, "--demo") as terminal:
        terminal.wait_for("3 running")
        terminal.until(lambda: row().startswith("▌✗ Parse ISO week dates"), "the opened run")
        terminal.press("k")
        terminal.until(lambda: row().startswith("▌◆ Add OAuth login"), "the row above")
        terminal.press("W")
        terminal.wait_for("1 ◆ waiting")
        terminal.press("\x1b")
        terminal.until(lambda: row().startswith("▌◆ Add OAuth login"), "it again")
        terminal.press("/", "o", "a", "u")
        terminal.until(lambda: row().strip() == "" and "oau" in terminal.text, "the typed text")
