"""What `oh-tui` prints where it cannot draw: the conversations, and the steps of one run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from oh_tui.api.models import bare_id
from oh_tui.commands.shared.ids import find
from oh_tui.commands.shared.printing import Style, fit, say, width
from oh_tui.commands.shared.reading import name, read_run, short_id, title, whole, with_state
from oh_tui.commands.shared.standing import NOTHING, outcome, remembered
from oh_tui.sources.remembered import Seen
from oh_tui.text.clean import safe_line
from oh_tui.text.human import age, clock, tenths
from oh_tui.text.problem import Problem
from oh_tui.trajectory.content.describe import describe
from oh_tui.trajectory.model.events import seconds
from oh_tui.trajectory.model.steps import Outcome, Trajectory, find_step

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation
    from oh_tui.commands.shared.frame import Call

WANTS_TERMINAL = "The explorer wants a terminal; this is the plain list."

_STATES = {
    "waiting": "waits for you",
    "deleting": "being deleted",
}

_MARKS = {
    Outcome.COMMAND_FAILED: "!",
    Outcome.ERROR: "x",
    Outcome.REJECTED: "-",
    Outcome.WAITING: "?",
    Outcome.RUNNING: "*",
    Outcome.NO_RESULT: "/",
}

PLAIN = Style(ascii=True)

_WIDEST, _LAST = 60, 100
"""Columns that a cell may have, and one in the last column."""


async def show_plain(call: Call) -> int:
    """Prints the newest conversations and the steps of one: the one asked for, else the one that
    the source shows first."""
    source = call.source
    identifier = call.identifier or source.opening
    asked_for = await find(source, identifier) if identifier else None
    page = await source.newest()
    for problem in source.problems:
        say(problem)
    print(f"Conversations: {source.label}")
    rows = [with_state(source, row) for row in page.items]
    _print_table(_conversation_rows(rows, remembered(call)), "<<>><<")
    if page.next_page_id:
        print(f"... the {len(page.items)} created last; there are more")
    opened = asked_for or next(iter(page.items), None)
    if opened:
        loaded = await read_run(call, opened)
        print(f"\n{name(opened)}")
        if loaded.note:
            print(f"note: {loaded.note}")
        _print_table(_step_rows(whole(loaded)), ">>><<<")
    print(f"\n{WANTS_TERMINAL}")
    place = call.asked.at
    if opened and place and find_step(whole(loaded), place) is None:
        steps = len(whole(loaded))
        there = f"its steps are 1 to {steps}" if steps else "nothing was asked yet"
        raise Problem(f"This run has no step or event {safe_line(place)}", there)
    return 0


def _conversation_rows(
    conversations: Sequence[Conversation], seen: Mapping[str, Seen]
) -> Iterator[tuple[str, ...]]:
    if not conversations:
        yield ("none yet",)
        return
    yield "id", "state", "changed", "cost", "repository", "title"
    now = time.time()
    for conversation in conversations:
        state, _ = outcome(conversation, seen.get(bare_id(conversation.id), NOTHING))
        then = seconds(conversation.updated_at or conversation.created_at or "")
        cost = conversation.cost or 0.0
        yield (
            short_id(conversation),
            _STATES.get(state, state),
            "" if then is None else age(then, now),
            f"${cost:.2f}" if cost >= 0.005 else "",
            safe_line(conversation.selected_repository or ""),
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
    widths = [min(_WIDEST, max(width(row[i]) for row in held)) for i in range(last)]
    for row in held:
        cells = [_cell(row[i], widths[i], sides[i]) for i in range(last)]
        print("  ".join([*cells, fit(row[last], _LAST, PLAIN)]).rstrip())


def _cell(text: str, room: int, side: str) -> str:
    text = fit(text, room, PLAIN)
    fill = " " * (room - width(text))
    return text + fill if side == "<" else fill + text
