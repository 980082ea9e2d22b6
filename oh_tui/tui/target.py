"""What a key acts on: the conversation under the cursor at the time of the key, and its run.

The run at the right lags behind the cursor of the list: it is read when the cursor rests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from oh_tui.api.models import Conversation, same_id
from oh_tui.trajectory.analysis.study import Study
from oh_tui.tui.widgets.conversation_list import title_of
from oh_tui.tui.widgets.drawing import shorten

if TYPE_CHECKING:
    from oh_tui.tui.main_screen import MainScreen

NEEDS_RUN = frozenset(
    {"step", "scroll_result", "next_error", "next_user", "select", "follow", "load_all"}
    | {"pager", "editor", "images"}
)
"""Actions on a run at its place: from a list they wait until the run under the cursor is there."""

SHOWS_RUN = frozenset({"json", "refresh", "copy", "filter", "goto"})
"""Actions that are about the run under the cursor, and wait for it themselves if they have to."""


def show_target(screen: MainScreen, *, wanted: bool = False) -> Conversation | None:
    """Bring the run that a key acts on to the right; None when there is none. It is read now if
    that is cheap, whatever it costs if it is `wanted`."""
    session = screen.session
    conversation = session.target()
    if conversation is None:
        return None
    if not session.is_open(conversation):
        screen.open_run(conversation, preview=True, wanted=wanted)
    elif wanted and not screen.timeline.row_count() and session.reader in (None, "preview"):
        screen.read_run(conversation)
    return conversation


def study_of(screen: MainScreen, conversation: Conversation) -> Study | None:
    """What is told of its run, once that is at the right."""
    study = screen.run_view.study
    if study is None or not screen.session.is_open(conversation):
        return None
    return study if study.trajectory is screen.timeline.trajectory else None


def has_run(screen: MainScreen, conversation: Conversation) -> bool:
    """Its run is at the right, as far as it is read."""
    return screen.session.is_open(conversation) and screen.timeline.trajectory is not None


async def until_shown(screen: MainScreen, conversation: Conversation) -> Study | None:
    """Wait until its run is at the right; None when it does not come: it cannot be read, the
    reading was stopped, or another run was turned to."""
    session = screen.session
    while screen.session.is_open(conversation):
        if study := study_of(screen, conversation):
            return study
        if session.reader is None:
            return None
        await session.run_news.wait()
    return None


async def run_is_there(screen: MainScreen, conversation: Conversation) -> bool:
    """Wait for the run under the cursor after something was asked for that needs it; says why when
    it does not come."""
    session = screen.session
    if not has_run(screen, conversation):
        if session.reader in (None, "preview") and session.is_open(conversation):
            screen.read_run(conversation)
        screen.tell(reading_words(conversation), log=False)
        if await until_shown(screen, conversation) is None:
            screen.tell("this run is not read: enter reads it")
            return False
        screen.tell("", log=False)
    return True


def act_on_run(screen: MainScreen, do: Callable[..., Any], *arguments: str | int) -> None:
    """Do something with the run under the cursor: at once if it is there, else when it is, unless
    the cursor has gone on meanwhile."""
    session = screen.session
    conversation = show_target(screen, wanted=session.pane in ("conversations", "sandboxes"))
    if conversation is None or has_run(screen, conversation) or session.reader is None:
        do(screen, *arguments)
    else:
        screen.work_on("ask", _later, screen, conversation, do, *arguments)


async def _later(
    screen: MainScreen, conversation: Conversation, do: Callable[..., Any], *arguments: str | int
) -> None:
    screen.tell(reading_words(conversation), log=False)
    study = await until_shown(screen, conversation)
    now = screen.session.target()
    if study and now and same_id(now.id, conversation.id):
        screen.tell("", log=False)
        do(screen, *arguments)


def reading_words(conversation: Conversation) -> str:
    return f"reading {shorten(title_of(conversation), 40)} …"
