"""The mouse in a terminal: the wheel, the names of columns, the counts of the header."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.terminal.terminal import OH_TUI, Terminal

WHEEL_UP, WHEEL_DOWN = 64, 65
"""Buttons of the wheel, as terminals report them."""


def click(terminal: Terminal, text: str, times: int = 1) -> None:
    """Press and release the left button on the first place that shows a text.

    What is drawn first of a run may stand elsewhere a moment later, so the screen is to be still.
    """
    terminal.settle()
    y, line = next((y, line) for y, line in enumerate(terminal.text.split("\n")) if text in line)
    place = f"\x1b[<0;{line.index(text) + 1};{y + 1}"
    terminal.press(f"{place}M{place}m" * times)


def double_click(terminal: Terminal, text: str) -> None:
    """Two clicks on it, sent at once: a loaded machine may put half a second between two."""
    click(terminal, text, times=2)


def wheel(terminal: Terminal, button: int, x: int, y: int) -> None:
    terminal.press(f"\x1b[<{button};{x + 1};{y + 1}M")


def cursor(terminal: Terminal) -> str:
    """The row under the cursor of the timeline, from the divider on."""
    return next((line for line in terminal.text.split("\n") if "▌" in line[41:]), "")[41:]


@pytest.mark.slow
def test_wheel_names_of_columns_and_counts(tmp_path: Path) -> None:
    with Terminal(OH_TUI, "--demo", size=(160, 40), home=tmp_path) as terminal:
        terminal.wait_for("35 conversations")
        terminal.wait_for("61 steps")
        terminal.press("3", "g")
        terminal.until(lambda: "dates:" in cursor(terminal), "the cursor on the first step")
        row = cursor(terminal)
        wheel(terminal, WHEEL_DOWN, 100, 14)
        terminal.until(lambda: not cursor(terminal), "the rows to scroll from under the cursor")
        wheel(terminal, WHEEL_UP, 100, 14)
        terminal.until(lambda: cursor(terminal) == row, "the cursor on the row where it was")
        click(terminal, "ran  what")
        terminal.until(lambda: "ran ▼" in terminal.text, "the longest step first")
        click(terminal, "ran ▼")
        terminal.until(lambda: "ran ▲" in terminal.text, "the shortest step first")
        click(terminal, "ran ▲")
        terminal.until(lambda: "by duration" not in terminal.text, "the order of the run")
        click(terminal, "4 failed")
        terminal.until(lambda: "is:failed" in terminal.text, "the filter of the count")
        terminal.wait_for("4 of 35")
        wheel(terminal, WHEEL_DOWN, 10, 5)
        terminal.press("q")
        terminal.until(lambda: not terminal.child.isalive(), "the end")


@pytest.mark.slow
def test_a_click_chooses_and_a_double_click_opens(tmp_path: Path) -> None:
    with Terminal(OH_TUI, "--demo", size=(160, 40), home=tmp_path) as terminal:
        terminal.wait_for("35 conversations")
        terminal.wait_for("61 steps")
        click(terminal, "◆ Add OAuth login")
        terminal.wait_for("18 steps")
        assert "━ 1 Conversations" in terminal.text, "one click stays in the list"
        double_click(terminal, "Nightly dependency bump")
        terminal.wait_for("━ 3 Timeline")
        terminal.wait_for("Nightly dependency bump  ")
        click(terminal, "◆ Add OAuth login")
        terminal.wait_for("18 steps")
        double_click(terminal, "$ git rebase origin/auth")
        terminal.until(lambda: "1 Conversations" not in terminal.text, "the step on all the screen")
        terminal.wait_for("Successfully rebased and updated")
        terminal.press("esc")
        terminal.wait_for("━ 3 Timeline")
        terminal.press("q")
        terminal.until(lambda: not terminal.child.isalive(), "the end")
