"""`ctrl+n`: start a new conversation, from the form to the run that is followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.actions.start_draft import Draft, choices, draft_like
from oh_tui.actions.start_offers import may_pause
from oh_tui.actions.starting import stage_of, title_lost
from oh_tui.conversation import Conversation, same_id
from oh_tui.text.problem import Problem
from oh_tui.tui.controllers.controller import Controller, in_worker
from oh_tui.tui.messages import ListsChanged, ListsWanted, RunWanted
from oh_tui.tui.remedies import words_of
from oh_tui.tui.screens.start.screen import StartScreen
from oh_tui.tui.ui import NotNow
from oh_tui.tui.widgets.conversation_list import title_of

if TYPE_CHECKING:
    from oh_tui.api.requests import StartRequest
    from oh_tui.tui.controllers.run.target import TargetRun
    from oh_tui.tui.controllers.system.external import ExternalPrograms


COST = "makes a new sandbox and starts the agent in it: this may cost money"

COST_ALONE = "starts an agent on the server: this may cost money"

UNREAD = "The first message of that run is not read: L in its timeline reads all. "


class NewConversations(Controller):
    _run: TargetRun
    _programs: ExternalPrograms

    @in_worker("ask")
    async def action_open(self) -> None:
        self._require_start()
        self._open(self._session.draft or Draft())

    def action_like(self) -> None:
        """Ask what to start, the form filled from the run on screen."""
        draft = self._session.draft
        if draft and draft.prompt.strip():
            raise NotNow("ctrl+n has a text that was not sent: start it, or empty it, first")
        self._require_start()
        self._run.act(self._like, opens=True)

    def _like(self) -> None:
        conversation = self._target()
        study = self._run.study_of(conversation)
        draft = draft_like(conversation, study.trajectory if study else None)
        self._open(draft, "" if draft.prompt else UNREAD)

    def _require_start(self) -> None:
        """One start at a time, as two at once may take each other's port (measured, process
        sandboxes). Raises NotNow."""
        session = self._session
        if session.no_changes or session.source is None:
            raise NotNow(session.no_changes)
        if session.starting:
            raise NotNow(f"a conversation is being started: {session.starting}")

    def _open(self, draft: Draft, remark: str = "") -> None:
        session = self._session
        source = session.source
        assert source is not None and source.agents is not None

        def begin(request: StartRequest) -> None:
            session.draft = form.draft
            self._ui.work_on("start", self._watch, form, request)

        def closed(_: None) -> None:
            session.draft = None if form.finished else form.draft
            if session.starting:
                self._ui.tell("the start goes on; the list will show it")

        stakes = COST_ALONE
        if source.sandboxes is not None:
            pauses = may_pause(session.sandboxes.all, session.conversations)
            stakes = f"{COST}. {pauses}" if pauses else COST
        form = StartScreen(
            draft,
            choices(session.conversations),
            source.label,
            begin,
            offers=source.agents.offers,
            stakes=f"{remark}{stakes}",
            edit=self._programs.edited_text,
        )
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
                told = f"{words_of(problem)} · ctrl+n has the text"
                self._ui.tell(told, error=True, about="start")
            else:
                form.fail(problem)
            self._ui.post_message(ListsWanted())
            return
        finally:
            session.starting = ""
        assert conversation is not None
        if session.source is source:
            self._started(form, conversation)
            if lost := title_lost(request, conversation):
                self._ui.tell(f"started, but {lost}", error=True, about="start")
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
        told = f"started: {title_of(conversation)}" if form.left else ""
        self._ui.tell(told, about="start")
        if form.left:
            return
        form.finish()
        session.follow = True
        self._ui.post_message(RunWanted(conversation, go=True))
