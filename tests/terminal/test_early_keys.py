"""Keys typed before a question was on the terminal do not answer it."""

from __future__ import annotations

import time

import pytest

from tests.terminal.terminal import OH_TUI, Terminal

ASKS = "approve: it runs now"


def at_oauth(terminal: Terminal) -> None:
    """The conversation that waits is under the cursor, and nothing more is to be drawn."""
    terminal.wait_for("61 steps")
    terminal.press("k")
    terminal.wait_for("a answer")
    terminal.settle()


@pytest.mark.slow
def test_a_yes_in_one_write_with_what_asks_approves_nothing() -> None:
    with Terminal(OH_TUI, "--demo", size=(120, 36)) as terminal:
        at_oauth(terminal)
        terminal.child.send(b"a" + b"w" * 600 + b"y")
        terminal.wait_for(ASKS)
        terminal.wait_for("typed before this question: now answer")
        terminal.settle()
        assert ASKS in terminal.text and "approved" not in terminal.text
        terminal.press("y", "enter")
        terminal.wait_for("approved")
        terminal.press("q")
        assert terminal.ends() == 0


@pytest.mark.slow
def test_more_than_one_read_of_typed_keys_approves_nothing() -> None:
    with Terminal(OH_TUI, "--demo", size=(120, 36)) as terminal:
        at_oauth(terminal)
        data = b"a" + b"w" * 9_000 + b"y"
        while data:
            data = data[terminal.child.send(data[:1024]) :]
        terminal.wait_for("typed before this question")
        assert ASKS in terminal.text and "approved" not in terminal.text
        terminal.press("esc")
        terminal.wait_without(ASKS)


@pytest.mark.slow
def test_a_frame_that_is_not_written_yet_takes_no_key() -> None:
    """A slow line: the terminal does not accept the output."""
    with Terminal(OH_TUI, "--demo", size=(160, 48)) as terminal:
        at_oauth(terminal)
        for _ in range(2):  # whole screens, which fill the line while nobody reads
            terminal.press("z")
            time.sleep(0.2)
        terminal.press("a")
        time.sleep(0.7)
        terminal.press("y")
        time.sleep(0.3)
        terminal.wait_for(ASKS)
        terminal.wait_for("Ignored 1 key")
        assert "approved" not in terminal.text


@pytest.mark.slow
def test_text_typed_ahead_arrives_in_its_field_and_a_menu_that_only_copies_takes_its_key() -> None:
    with Terminal(OH_TUI, "--demo", size=(120, 36)) as terminal:
        at_oauth(terminal)
        terminal.child.send(b"/push\r")
        terminal.wait_for("push")
        terminal.child.send(b"3yi")
        terminal.wait_for("sent to the terminal's clipboard")
        terminal.child.send(b"mnot on a Friday")
        terminal.wait_for("not on a Friday")
        terminal.child.send(b"\x1b")
        terminal.wait_for("draft kept")


@pytest.mark.slow
def test_a_paste_outside_a_field_does_nothing_and_says_so() -> None:
    with Terminal(OH_TUI, "--demo", size=(120, 36)) as terminal:
        at_oauth(terminal)
        terminal.child.send(b"\x1b[200~ayq\r\x1b[201~")
        terminal.wait_for("pasting does nothing here")
        terminal.press("a")
        terminal.wait_for(ASKS)
        terminal.child.send(b"\x1b[200~y\x1b[201~")
        terminal.settle()
        assert ASKS in terminal.text
