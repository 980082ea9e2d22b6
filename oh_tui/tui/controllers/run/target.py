"""The target of a key: the conversation under the cursor when it is pressed, and its run, which is
shown at the right only when the cursor rests."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from oh_tui.conversation import Conversation, same_id
from oh_tui.tui.controllers.controller import Controller, short_title

if TYPE_CHECKING:
    from oh_tui.trajectory.findings.study import Study
    from oh_tui.trajectory.model.steps import Step
    from oh_tui.tui.controllers.run.reader import RunReader
    from oh_tui.tui.widgets.timeline import Timeline

NOT_READ = "this run is not read: enter reads it"


class TargetRun(Controller):
    """Shows the run that a key means at the right, and waits for it."""

    _steps: Timeline
    _reader: RunReader

    def show_target(self, *, wanted: bool = False) -> Conversation | None:
        """Show the targeted run, if any. It is read if that is cheap, or if it is `wanted`."""
        session = self._session
        conversation = session.target()
        if conversation is None:
            return None
        if not session.is_open(conversation):
            self._reader.open(conversation, preview=True, wanted=wanted)
        elif wanted and not session.has_events and session.reader in (None, "preview"):
            self._reader.read(conversation)
        return conversation

    def show_wanted(self) -> Conversation:
        """Show the targeted run and read it. Raises NotNow when there is none."""
        self.show_target(wanted=True)
        return self._meant()

    def study_of(self, conversation: Conversation) -> Study | None:
        """The analysis of this run, once it is drawn at the right."""
        study = self._steps.study
        if study is None or not self._session.is_open(conversation):
            return None
        return study if study.trajectory is self._session.trajectory else None

    def _has(self, conversation: Conversation) -> bool:
        """Whether its run is at the right, as far as it is read."""
        is_shown = self._steps.trajectory is not None and self._is_drawn
        return is_shown and self._session.is_open(conversation)

    @property
    def _is_drawn(self) -> bool:
        """Whether the timeline shows the session's trajectory, which it receives a turn later."""
        return self._steps.trajectory is self._session.trajectory

    @property
    def _comes(self) -> bool:
        """Whether a run is being read or about to be drawn."""
        return self._session.reader is not None or not self._is_drawn

    async def until_shown(self, conversation: Conversation) -> Study | None:
        """Wait for this run; None if it cannot be read, reading stops, or another is opened."""
        session = self._session
        while session.is_open(conversation):
            if study := self.study_of(conversation):
                return study
            if not self._comes:
                return None
            await session.run_news.wait()
        return None

    async def show_branch_of(self, event_id: str) -> Step | None:
        """Show the branch of this run that has an event; its step, None if no branch has it."""
        run = self._session.run
        if run is None or not run.choose_branch_of(event_id):
            return None
        await self._reader.show_branch(run)
        return run.trajectory.step_of(event_id)

    async def is_there(self, conversation: Conversation) -> bool:
        """Wait for this run, reading it if nobody does; tell when it does not come."""
        session = self._session
        if not self._has(conversation):
            if session.reader in (None, "preview") and session.is_open(conversation):
                self._reader.read(conversation)
            self._ui.tell(f"reading {short_title(conversation)} …", log=False)
            if await self.until_shown(conversation) is None:
                self._ui.tell(NOT_READ)
                return False
            self._ui.tell("", log=False)
        return True

    def act(self, do: Callable[[], object], *, opens: bool = False) -> None:
        """Act on the run under the cursor as soon as it is loaded, unless the cursor has moved by
        then. If that `opens` a field or a menu, keys typed meanwhile wait for it."""
        session = self._session
        conversation = self.show_target(wanted=not session.in_run)
        if conversation is None or self._has(conversation) or not self._comes:
            do()
        else:
            self._ui.work_on("ask", self._act_later, conversation, do, opens)

    async def _act_later(
        self, conversation: Conversation, do: Callable[[], object], opens: bool
    ) -> None:
        self._ui.tell(f"reading {short_title(conversation)} …", log=False)
        with self._ui.expecting() if opens else contextlib.nullcontext():
            study = await self.until_shown(conversation)
        now = self._session.target()
        if study and now and same_id(now.id, conversation.id):
            self._ui.tell("", log=False)
            with self._ui.telling():
                do()
