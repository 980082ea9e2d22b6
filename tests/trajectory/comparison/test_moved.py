"""Lines that the terminal gives with another call, and real differences that look like them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from oh_tui.trajectory.comparison.plain import How
from oh_tui.trajectory.comparison.seen import Context, differing
from oh_tui.trajectory.replay.requests import Said

COMMANDS = ("python -m pytest", "cat a.py", "git status", "ls", "make")


def context(outputs: Sequence[str], tool: str = "terminal") -> Context:
    """One that calls a tool for each output."""
    messages = []
    for number, output in enumerate(outputs):
        command = COMMANDS[number % len(COMMANDS)]
        given = f'{{"command": "{command}"}}'
        call = {"id": f"c{number}", "name": tool, "arguments": given}
        asked: dict[str, Any] = {"role": "assistant", "content": [], "tool_calls": [call]}
        shown = {
            "role": "tool",
            "content": [{"type": "text", "text": f"{output}\n[exit code 0]"}],
            "tool_call_id": f"c{number}",
            "name": tool,
        }
        messages += [Said("model", asked), Said("result", shown)]
    return Context(messages)


def hows(a: Sequence[str], b: Sequence[str], tool: str = "terminal") -> list[How]:
    return [one.told.how for one in differing(context(a, tool), context(b, tool))]


RECORD = ("1 failed\nsee above", "def add(a, b):\n    return a", "clean\nnothing to commit", "a.py")

MOVED: dict[str, tuple[Sequence[str], int]] = {
    "one line a call later": (("1 failed", "see above\ndef add(a, b):\n    return a",
                               *RECORD[2:]), 2),
    "each output a call later": (("", RECORD[0], RECORD[1], f"{RECORD[2]}\na.py"), 4),
    "with leftovers beside it": (("1 failed\nclear", "python -m pytest\nsee above\ndef add(a, b):\n"
                                  "    return a", *RECORD[2:]), 2),
}  # fmt: skip
"""What came, and how many results differ."""


@pytest.mark.parametrize("what", MOVED)
def test_lines_that_come_with_a_later_call_are_moved_on_either_side(what: str) -> None:
    came, count = MOVED[what]
    for found in (hows(came, RECORD), hows(RECORD, came)):
        assert found == [How.MOVED] * count


PLANTED: dict[str, Sequence[str]] = {
    "a line is lost": ("1 failed", *RECORD[1:]),
    "a line is lost, and another is doubled": (
        "1 failed", RECORD[1], "clean\nclean\nnothing to commit", RECORD[3]),
    "it comes changed": ("1 failed", "see below\ndef add(a, b):\n    return a", *RECORD[2:]),
    "it comes twice": ("1 failed", "see above\nsee above\ndef add(a, b):\n    return a",
                       *RECORD[2:]),
    "a line more beside it": ("1 failed", "see above\nBOOM\ndef add(a, b):\n    return a",
                              *RECORD[2:]),
    "two say what the other did": ("clean\nsee above", RECORD[1], "1 failed\nnothing to commit",
                                   RECORD[3]),
    "another verdict": ("1 passed\nsee above", RECORD[1], "dirty\nnothing to commit", RECORD[3]),
    "an error": ("bash: python: command not found", *RECORD[1:]),
    "nothing at all": ("", *RECORD[1:]),
    "an output is that of another command": (RECORD[0], "Traceback\n    return a", *RECORD[2:]),
}  # fmt: skip


@pytest.mark.parametrize("what", PLANTED)
def test_a_real_difference_is_never_called_moved(what: str) -> None:
    for found in (hows(PLANTED[what], RECORD), hows(RECORD, PLANTED[what])):
        assert How.REAL in found and How.MOVED not in found


def test_no_other_tool_moves_lines() -> None:
    came, _ = MOVED["one line a call later"]
    assert set(hows(came, RECORD, "file_editor")) == {How.REAL}


def test_many_results_that_differ_take_no_time() -> None:
    a, b = ([f"{side}\n{number}x" for number in range(3_000)] for side in "ab")
    assert set(hows(a, b)) == {How.REAL}
