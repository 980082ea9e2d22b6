"""The divider in a terminal: dragged with the mouse, also while the terminal is resized."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.terminal.terminal import OH_TUI, Terminal

DOWN, MOVED, UP = (0, "M"), (32, "M"), (0, "m")
"""What the left button did, as terminals report it: with SGR coordinates."""


def mouse(terminal: Terminal, what: tuple[int, str], x: int, y: int = 10) -> None:
    code, final = what
    terminal.press(f"\x1b[<{code};{x + 1};{y + 1}{final}")


def divider(terminal: Terminal) -> int:
    """The column of the line between the lists and the run."""
    return terminal.text.split("\n")[10].find("│", 20)


@pytest.mark.slow
def test_dragged_resized_under_the_drag_and_remembered(tmp_path: Path) -> None:
    with Terminal(OH_TUI, "--demo", size=(160, 30), home=tmp_path) as terminal:
        terminal.wait_for("1 Conversations")
        terminal.wait_for("3 running")
        terminal.until(lambda: divider(terminal) == 40, "the divider in its usual place")
        mouse(terminal, DOWN, 40)
        terminal.settle()  # moves that come with it in one go are not the divider's yet
        for x in range(42, 62, 2):
            mouse(terminal, MOVED, x)
        terminal.until(lambda: divider(terminal) == 60, "the divider under the mouse")
        terminal.resize(120, 30)
        terminal.until(lambda: divider(terminal) == 30, "the usual place at another width")
        mouse(terminal, MOVED, 44)
        terminal.until(lambda: divider(terminal) == 44, "the drag to go on")
        mouse(terminal, UP, 44)
        terminal.press("\x1b[<35;80;11M")  # moved with no button down
        terminal.settle()
        assert divider(terminal) == 44
        terminal.press("q")
        terminal.until(lambda: not terminal.child.isalive(), "the end")
    with Terminal(OH_TUI, "--demo", size=(160, 30), home=tmp_path) as terminal:
        terminal.wait_for("3 running")
        terminal.until(lambda: divider(terminal) == 60, "the divider where it was put")
    with Terminal(OH_TUI, "--demo", "--no-state", size=(160, 30), home=tmp_path) as terminal:
        terminal.wait_for("3 running")
        terminal.until(
            lambda: divider(terminal) == 40, "the usual place without what is remembered"
        )
