"""`ctrl+n`: a new conversation, from the form that asks for it to the run that is followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.api.models import Conversation, same_id
from oh_tui.problem import Problem
from oh_tui.sources.starting import Draft, choices, stage_of
from oh_tui.tui.remedies import words_of
from oh_tui.tui.start_screen import StartScreen
from oh_tui.tui.widgets.conversation_list import title_of

if TYPE_CHECKING:
    from oh_tui.api.requests import StartRequest
    from oh_tui.tui.main_screen import MainScreen


def new_conversation(screen: MainScreen) -> None:
    """Ask what to start; one at a time, as two starts at once may take each other's port
    (measured, process sandboxes)."""
    session = screen.session
    source = session.source
    if session.no_changes or source is None or not source.sandboxes:
        screen.tell(session.no_changes)
        return
    if session.starting:
        screen.tell(f"a conversation is being started: {session.starting}")
        return

    def begin(request: StartRequest) -> None:
        session.draft = form.draft
        screen.work_on("start", _watch, screen, form, request)

    def closed(_: None) -> None:
        session.draft = None if form.finished else form.draft
        if session.starting:
            screen.tell("the start goes on; the list will show it")

    known = choices(screen.session.conversations)
    form = StartScreen(session.draft or Draft(), known, source.label, begin)
    screen.app.push_screen(form, closed)


async def _watch(screen: MainScreen, form: StartScreen, request: StartRequest) -> None:
    """Follow a start to its end, whether or not the form is still there."""
    session = screen.session
    source = session.source
    assert source is not None and source.sandboxes is not None
    session.starting = "asking the server"
    conversation: Conversation | None = None
    try:
        with session.writing("starting a conversation"):
            async for step in source.sandboxes.start(request):
                if isinstance(step, Conversation):
                    conversation = step
                    continue
                session.starting = stage_of(step.status)
                if not form.left:
                    form.show_stage(session.starting)
    except Problem as problem:
        if form.left:
            screen.tell(f"{words_of(problem)} · ctrl+n has the text", error=True)
        else:
            form.fail(problem)
        screen.refresh_lists()
        return
    finally:
        session.starting = ""
    assert conversation is not None
    if session.source is source:
        await _started(screen, form, conversation)
    else:
        screen.tell(f"started on {source.label}: {title_of(conversation)}")


async def _started(screen: MainScreen, form: StartScreen, conversation: Conversation) -> None:
    """Open it, unless the reader went on to something else."""
    session = screen.session
    session.draft = None
    if not any(same_id(c.id, conversation.id) for c in session.conversations):
        session.board.take([conversation])
        session.board.reorder(keep=conversation.id)
        screen.show_lists()
    screen.refresh_lists()
    if form.left:
        screen.tell(f"started: {title_of(conversation)}")
        return
    form.finished = True
    form.dismiss(None)
    session.follow = True
    screen.tell_following()
    screen.sidebar.highlight(conversation.id)
    screen.open_run(conversation)
    screen.focus_pane("timeline")
