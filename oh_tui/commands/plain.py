"""What `oh-tui` prints where it cannot draw: the conversations, and the steps of one run."""

from __future__ import annotations

import asyncio
import sys
import time
import unicodedata
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from oh_tui.commands import MakeSource
from oh_tui.commands.ids import find
from oh_tui.commands.reading import name, read_run, short_id, title, whole
from oh_tui.human import age, clock, tenths
from oh_tui.sources.files import FileSource
from oh_tui.text import clean_line
from oh_tui.trajectory.describe import describe
from oh_tui.trajectory.events import seconds
from oh_tui.trajectory.steps import Outcome, Trajectory

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation

WANTS_TERMINAL = "The explorer wants a terminal; this is the plain list."

_STATES = {
    "waiting_for_confirmation": "waits for you",
    "deleting": "being deleted",
    "PAUSED": "paused",
    "MISSING": "gone",
    "STARTING": "starting",
    "ERROR": "sandbox failed",
}

_MARKS = {
    Outcome.COMMAND_FAILED: "!",
    Outcome.ERROR: "x",
    Outcome.WAITING: "?",
    Outcome.RUNNING: "*",
    Outcome.NO_RESULT: "/",
}

_WIDEST, _LAST = 60, 100
"""Columns that a cell may have, and one in the last column."""


def show_plain(make_source: MakeSource, identifier: str) -> int:
    """Prints the newest conversations and the steps of one: that with this id, else
    the one that the source shows first."""
    return asyncio.run(_show(make_source, identifier))


async def _show(make_source: MakeSource, identifier: str) -> int:
    source = make_source()
    try:
        identifier = identifier or source.opening
        asked_for = await find(source, identifier) if identifier else None
        page = await source.newest()
        if isinstance(source, FileSource):
            for problem in source.problems:
                print(f"oh-tui: {problem}", file=sys.stderr)
        print(f"Conversations: {source.label}")
        _print_table(_conversation_rows(page.items), "<<>><<")
        if page.next_page_id:
            print(f"... the {len(page.items)} newest; there are more")
        opened = asked_for or next(iter(page.items), None)
        if opened:
            loaded = await read_run(source, opened)
            print(f"\n{name(opened)}")
            if loaded.note:
                print(f"note: {loaded.note}")
            _print_table(_step_rows(whole(loaded)), ">>><<<")
        print(f"\n{WANTS_TERMINAL}")
    finally:
        await source.close()
    return 0


def _conversation_rows(conversations: Sequence[Conversation]) -> Iterator[tuple[str, ...]]:
    if not conversations:
        yield ("none yet",)
        return
    yield "id", "state", "age", "cost", "repository", "title"
    now = time.time()
    for conversation in conversations:
        state = conversation.execution_status or conversation.sandbox_status or ""
        then = seconds(conversation.updated_at or conversation.created_at or "")
        cost = (conversation.metrics and conversation.metrics.accumulated_cost) or 0.0
        yield (
            short_id(conversation),
            _STATES.get(state, clean_line(state).lower()),
            "" if then is None else age(then, now),
            f"${cost:.2f}" if cost >= 0.005 else "",
            clean_line(conversation.selected_repository or ""),
            title(conversation),
        )


def _step_rows(trajectory: Trajectory) -> Iterator[tuple[str, ...]]:
    if not trajectory.steps:
        yield ("nothing was asked yet",)
        return
    yield "#", "at", "ran", "", "what", "result"
    times = (step.event.seconds() for step in trajectory.steps)
    began = next((when for when in times if when is not None), None)
    for step in trajectory.steps:
        outcome = trajectory.outcome(step)
        about = describe(step, outcome)
        when, ran = step.event.seconds(), step.ran()
        yield (
            str(step.number),
            "" if when is None or began is None else clock(when - began),
            "" if ran is None else tenths(ran),
            _MARKS.get(outcome, ""),
            about.what,
            about.result,
        )


def _print_table(rows: Iterator[tuple[str, ...]], sides: str) -> None:
    """Rows under each other, columns as wide as they need; `sides` has < or > for each column.
    A column that says nothing is left out."""
    held = list(rows)
    head, body = held[0], held[1:]
    if not body:
        print(*head)
        return
    for index in reversed(range(len(head))):
        if not any(row[index] for row in body):
            held = [row[:index] + row[index + 1 :] for row in held]
            sides = sides[:index] + sides[index + 1 :]
    last = len(sides) - 1
    widths = [min(_WIDEST, max(_width(row[i]) for row in held)) for i in range(last)]
    for row in held:
        cells = [_cell(row[i], widths[i], sides[i]) for i in range(last)]
        print("  ".join([*cells, _fit(row[last], _LAST)]).rstrip())


def _cell(text: str, width: int, side: str) -> str:
    text = _fit(text, width)
    fill = " " * (width - _width(text))
    return text + fill if side == "<" else fill + text


def _fit(text: str, width: int) -> str:
    if _width(text) <= width:
        return text
    while _width(text) > width - 3:
        text = text[:-1]
    return text + "..."


def _width(text: str) -> int:
    """Columns that a terminal needs for the text."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
