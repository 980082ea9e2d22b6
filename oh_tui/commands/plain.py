"""What `oh-tui` prints where it does not draw: the conversations, and the steps of one run."""

from __future__ import annotations

from collections.abc import Iterable

from oh_tui.batch.reports.one_run import find, read_run, whole, with_state
from oh_tui.batch.reports.seen import Seen
from oh_tui.catalog.names import name
from oh_tui.catalog.usage_cache import with_spent
from oh_tui.commands.conversations import COLUMNS as CONVERSATION
from oh_tui.commands.framework.command import Call
from oh_tui.commands.framework.printing import Row, Style, fit, print_table
from oh_tui.commands.steps import COLUMNS as STEP
from oh_tui.commands.steps import step_row
from oh_tui.tables.column import Cell, Columns
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.text.remarks import say
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.trajectory import find_step

WANTS_TERMINAL = "The explorer needs a terminal; this is the plain list."

_WIDEST, _LAST = 60, 100
"""The most columns of a cell, and of one in the last column."""


async def show_plain(call: Call) -> int:
    """Prints the newest conversations and the steps of one: that asked for, else the first."""
    source = call.source
    identifier = call.identifier or source.opening
    asked_for = await find(source, identifier) if identifier else None
    page = await source.newest()
    for sentence in (*source.problems, *source.remarks):
        say(sentence)
    print(f"Conversations: {source.label}")
    style = Style(room=10**6, ascii=True, times="relative", now=call.style.now)
    seen = Seen(call)
    found = (with_state(source, one) for one in page.items)
    shown = (with_spent(one, seen.of(one).spent) for one in found)
    listed = ((one, seen.of(one)) for one in shown)
    rows = ([column.cell(one, style) for column in CONVERSATION] for one in listed)
    _print_table(style, CONVERSATION, rows, "none yet")
    if page.next_page_id:
        print(f"... the {len(page.items)} created last; there are more")
    opened = asked_for or next(iter(page.items), None)
    if opened is None:
        _say_why(call)
        return 0
    loaded = await read_run(call, opened)
    trajectory = whole(loaded)
    print(f"\n{name(opened)}")
    if loaded.note:
        print(f"note: {loaded.note}")
    study = Study(trajectory)
    steps = (step_row(style, study, step)[:-1] for step in trajectory.steps)
    _print_table(style, STEP[:-1], steps, "nothing was asked yet")
    _say_why(call)
    wanted = call.args.at
    if wanted and find_step(trajectory, wanted) is None:
        count = len(trajectory)
        there = f"its steps are 1 to {count}" if count else "nothing was asked yet"
        raise Problem(f"This run has no step or event {safe_line(wanted)}", there)
    return 0


def _say_why(call: Call) -> None:
    if not call.args.plain:
        print(f"\n{WANTS_TERMINAL}")


def _print_table(style: Style, columns: Columns, rows: Iterable[Row], none: str) -> None:
    """The table without colours, with nothing cut; `none` where there are no rows."""
    held = [[cell.text if isinstance(cell, Cell) else cell for cell in row] for row in rows]
    if not held:
        print(none)
    widths = [_WIDEST] * (len(columns) - 1) + [_LAST]
    print_table(
        style,
        columns,
        [[fit(*cell, style) for cell in zip(row, widths, strict=True)] for row in held],
    )
