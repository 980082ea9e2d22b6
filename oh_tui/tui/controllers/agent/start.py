"""`ctrl+n`: start a new conversation, from the form to the run that is followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.api.models import Conversation, same_id
from oh_tui.sources.actions.start_draft import Draft, choices
from oh_tui.sources.actions.starting import stage_of
from oh_tui.text.problem import Problem
from oh_tui.tui.messages import ListsChanged, ListsWanted, RunWanted
from oh_tui.tui.remedies import words_of
from oh_tui.tui.screens.start import StartScreen
from oh_tui.tui.widgets.conversation_list import title_of

if TYPE_CHECKING:
    from oh_tui.api.requests import StartRequest
    from oh_tui.tui.session import Session
    from oh_tui.tui.ui import Ui


class NewConversations:
    def __init__(self, session: Session, ui: Ui) -> None:
        self._session = session
        self._ui = ui

    def action_open(self) -> None:
        """Ask what to start; one start at a time, as two at once may take each other's port
        (measured, process sandboxes)."""
        session = self._session
        source = session.source
        if session.no_changes or source is None:
            self._ui.tell(session.no_changes)
            return
        if session.starting:
            self._ui.tell(f"a conversation is being started: {session.starting}")
            return

        def begin(request: StartRequest) -> None:
            session.draft = form.draft
            self._ui.work_on("start", self._watch, form, request)

        def closed(_: None) -> None:
            session.draft = None if form.finished else form.draft
            if session.starting:
                self._ui.tell("the start goes on; the list will show it")

        known = choices(session.conversations)
        draft, alone = session.draft or Draft(), source.sandboxes is None
        if alone:  # what was typed for another server would be refused unseen
            draft = Draft(draft.prompt, title=draft.title)
        form = StartScreen(draft, known, source.label, begin, title_alone=alone)
        self._ui.push_screen(form, closed)

    async def _watch(self, form: StartScreen, request: StartRequest) -> None:
        """Follow a start to its end, whether or not the form is still open."""
        session = self._session
        source = session.source
        assert source is not None and source.agents is not None
        session.starting = "asking the server"
        conversation: Conversation | None = None
        try:
            with session.writes.doing("starting a conversation"):
                async for step in source.agents.start(request):
                    if isinstance(step, Conversation):
                        conversation = step
                        continue
                    session.starting = stage_of(step.status)
                    if not form.left:
                        form.show_stage(session.starting)
        except Problem as problem:
            if form.left:
                self._ui.tell(f"{words_of(problem)} · ctrl+n has the text", error=True)
            else:
                form.fail(problem)
            self._ui.post_message(ListsWanted())
            return
        finally:
            session.starting = ""
        assert conversation is not None
        if session.source is source:
            self._started(form, conversation)
        else:
            self._ui.tell(f"started on {source.label}: {title_of(conversation)}")

    def _started(self, form: StartScreen, conversation: Conversation) -> None:
        """Open it, unless the user went on to something else."""
        session = self._session
        session.draft = None
        if not any(same_id(c.id, conversation.id) for c in session.conversations):
            session.loaded.take([conversation])
            session.loaded.reorder(keep=conversation.id)
            self._ui.post_message(ListsChanged())
        self._ui.post_message(ListsWanted())
        if form.left:
            self._ui.tell(f"started: {title_of(conversation)}")
            return
        form.finish()
        session.follow = True
        self._ui.post_message(RunWanted(conversation, go=True))
