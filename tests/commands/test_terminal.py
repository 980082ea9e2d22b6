"""Commands on a terminal: tables that fit, colour, questions."""

from __future__ import annotations

import os
import re
import sys
from functools import cache

import pexpect
import pytest

from oh_tui.commands.framework.printing import width
from tests.commands.conftest import IDS
from tests.terminal.terminal import first_of

COLOUR = re.compile(r"\x1b\[\d+m")
CONTROL = re.compile(r"\r?\x1b\[K|\x1b\[[\d;]*m")


def spawn(*words: str, columns: int = 80, **environment: str) -> pexpect.spawn[str]:
    return pexpect.spawn(
        sys.executable,
        ["-m", "oh_tui", "--demo", *words],
        dimensions=(40, columns),
        encoding="utf-8",
        timeout=60,
        env={**os.environ, **environment},
    )


_HEADS = (
    ["id", "state"],
    ["#", "at"],
    ["what", "step"],
    ["path", "reads"],
    ["what", "files"],
)


def seen(*words: str, columns: int = 80, **environment: str) -> str:
    """All that the terminal got."""
    process = spawn(*words, columns=columns, **environment)
    told = str(process.read())
    process.close()
    assert process.exitstatus == 0
    return told


@pytest.mark.slow_but(1)
def test_the_plain_list_is_there_on_a_terminal_too() -> None:
    told = seen("--plain")
    assert not COLOUR.search(told) and "needs a terminal" not in told
    assert "Add OAuth login" in told and "Conversations: demo" in told


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("columns", first_of([60, 120]))
@pytest.mark.parametrize(
    "words",
    [
        ("conversations",),
        ("steps", IDS["week-dates"]),
        ("status",),
        ("tail", IDS["week-dates"]),
        ("check", IDS["week-dates"]),
        ("changes", IDS["week-dates"]),
        ("cache",),
    ],
)
def test_tables_fit_the_terminal(words: tuple[str, ...], columns: int) -> None:
    told = seen(*words, columns=columns)
    lines = [CONTROL.sub("", line.rpartition("\r\x1b[K")[2]) for line in told.split("\r\n")]
    assert len(lines) >= 5
    (title,) = [n for n, line in enumerate(lines) if line.split()[:2] in _HEADS]
    rows = lines[title:]
    assert max(map(width, rows)) <= columns
    assert any("…" in row for row in rows) or columns == 120 or words[0] in ("status", "cache")


def test_colour_is_there_unless_it_is_not_wanted() -> None:
    told = seen("status")
    assert COLOUR.search(told) and "◆ 1 waits for you" in CONTROL.sub("", told)
    plain = seen("status", NO_COLOR="1", TERM="linux")
    assert not COLOUR.search(plain) and "? 1 waits for you" in plain


def test_steps_for_people_have_the_verdict_above_and_what_is_hidden_below() -> None:
    told = CONTROL.sub("", seen("steps", IDS["week-dates"], "is:loop", columns=120))
    assert "Parse ISO week dates  477fd351" in told
    assert "stuck  Steps 58-61 made the same call" in told
    assert "4 of 61 steps, 67 other events hidden" in told
    assert len(re.findall("∞!", told)) == 4


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("", 2)])
def test_what_is_at_stake_is_asked_about(answer: str, code: int) -> None:
    process = spawn("pause", IDS["pydantic"], "--now")
    process.expect_exact("This stops 1 run: Migrate to pydantic 2. Go on? [y/N] ")
    process.sendline(answer)
    rest = str(process.read())
    process.close()
    assert process.exitstatus == code
    assert ("paused  " in rest) is (code == 0)
    assert ("Nothing was changed" in rest) is (code != 0)


def test_a_question_that_is_interrupted_changes_nothing() -> None:
    process = spawn("pause", IDS["pydantic"])
    process.expect_exact("[y/N] ")
    process.sendintr()
    process.expect(pexpect.EOF)
    process.close()
    assert process.exitstatus == 130


@cache
def plain_help() -> str:
    return seen("conversations", "--help", columns=100)


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("size", ["-5", "0", "99999999999", "abc", "²", ""])
def test_a_size_that_no_terminal_has_is_ignored(size: str) -> None:
    assert seen("conversations", "--help", columns=100, COLUMNS=size, LINES=size) == plain_help()
    told = seen("sandboxes", columns=100, COLUMNS=size, LINES=size).splitlines()
    assert 60 < max(len(CONTROL.sub("", line)) for line in told) <= 100


@pytest.mark.parametrize(
    "named", first_of(["nowhere:Driver", ":", "textual.driver:Driver", "os:path"])
)
def test_a_driver_that_is_none_is_told(named: str) -> None:
    process = spawn(TEXTUAL_DRIVER=named)
    told = CONTROL.sub("", str(process.read()))
    process.close()
    assert process.exitstatus == 2
    assert told.splitlines()[0] == f"oh-tui: TEXTUAL_DRIVER names no driver: {named}"
