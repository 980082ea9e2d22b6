"""How a command on one run begins: it reads the run, and says of which it tells."""

from __future__ import annotations

from collections.abc import Callable

from oh_tui.batch.reports.one_run import chosen, find, read_run
from oh_tui.catalog.names import name
from oh_tui.commands.framework.acting import short
from oh_tui.commands.framework.command import Call
from oh_tui.conversation import Conversation
from oh_tui.sources.results import Loaded
from oh_tui.text.remarks import say


async def meant(call: Call) -> Conversation:
    """The conversation to act on, which hints name from here on. Raises Problem."""
    conversation = await find(call.source, call.identifier)
    call.about = short(conversation)
    return conversation


async def open_run(
    call: Call, *, sub_agents: bool = False, damaged: bool = False
) -> tuple[Conversation, Loaded]:
    """The conversation that a command was given, and its run with all events. The note says that
    `sub_agents` are not shown, unless they are. Raises Problem if no event can be read, unless it
    may be `damaged`."""
    conversation = await chosen(call.source, call.identifier)
    return conversation, await read_run(call, conversation, sub_agents=sub_agents, damaged=damaged)


def say_damage(loaded: Loaded) -> None:
    if loaded.via == "file" and loaded.note:
        say(loaded.note)


def begin_table(call: Call, conversation: Conversation, note: str = "") -> Callable[[str], None]:
    """Prints of which run a table is, and a note on it. Returns what prints its remarks: a pipe
    gets the rows alone, and remarks go to stderr."""
    remark = say if call.style.piped else print
    if not call.style.piped:
        print(call.style.paint(name(conversation), "bold"))
    if note:
        remark(f"note: {note}")
    return remark
