"""How commands get at one run: the conversation meant, and all its events."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from oh_tui.commands.ids import SHOWN, WHOLE, find, read_id
from oh_tui.problem import Problem
from oh_tui.sources import Loaded, Source
from oh_tui.text import clean_line, redact
from oh_tui.trajectory.steps import Trajectory

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation


async def chosen(source: Source, identifier: str) -> Conversation:
    """The conversation with this id; without one, the only one there is. Raises Problem."""
    if identifier:
        return await find(source, identifier)
    rows = (await source.newest()).items
    if len(rows) != 1:
        names = ", ".join(name(row) for row in rows[:5])
        raise Problem(
            f"There are {len(rows)} runs in {source.label}, and this looks at one",
            f"name one of them: {names}{', ...' if len(rows) > 5 else ''}",
        )
    return rows[0]


async def read_run(source: Source, conversation: Conversation) -> Loaded:
    """The run with all its events. One too long for a download is read page by page, which takes
    minutes: a terminal is told how far it is."""
    read: Loaded | None = None
    async for state in source.load(conversation):
        if state.trajectory is not None:
            read = state
        _tell(state)
    if read is None or read.trajectory is None:
        raise Problem(f"{name(conversation)} gave no events", "try again")
    if read.via == "file" and read.note and not read.trajectory.events:
        raise Problem(f"No event of this file can be read: {read.note}", "download it again")
    while read.trajectory is not None and not read.trajectory.complete:
        held = len(read.trajectory.events)
        read = await source.older(conversation, read.trajectory)
        if read.trajectory is None or len(read.trajectory.events) <= held:
            break
        _tell(read)
    if sys.stderr.isatty():
        print(end="\r\x1b[K", file=sys.stderr, flush=True)
    return read


def whole(loaded: Loaded) -> Trajectory:
    """The run that `read_run` gave; one without a step is a run all the same, with its events."""
    assert loaded.trajectory is not None
    return loaded.trajectory


def _tell(state: Loaded) -> None:
    if sys.stderr.isatty() and state.total:
        told = f"reading {state.loaded:,} of {state.total:,} events"
        print(end=f"\r{told}", file=sys.stderr, flush=True)


def name(conversation: Conversation) -> str:
    """Title and short id of a conversation, for people."""
    return "  ".join(filter(None, (title(conversation), short_id(conversation))))


def title(conversation: Conversation) -> str:
    return clean_line(redact(conversation.title or "")) or "(no title)"


def short_id(conversation: Conversation) -> str:
    """The first characters of the id, enough to name it by; "" for a file that holds no id."""
    bare = read_id(conversation.id)
    return bare[:SHOWN] if len(bare) == WHOLE else ""
