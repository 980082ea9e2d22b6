"""`$`: the budget of a run. At four fifths of it the user is told; at the whole the explorer asks,
and stops the agent after its step if nobody answers within a minute: while it runs, for the runs of
its list."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING

from oh_tui.sources.budget import read_budget
from oh_tui.text.human import dollars
from oh_tui.tui.controllers.agent.agents import STOPPING, AgentActions, state_words
from oh_tui.tui.controllers.controller import Controller, in_worker, short_title
from oh_tui.tui.messages import AnnotationsChanged
from oh_tui.tui.state.loaded_conversations import Change
from oh_tui.tui.ui import NotNow
from oh_tui.tui.widgets.question_bar import Answer, Question, Stake

if TYPE_CHECKING:
    from oh_tui.conversation import Conversation
    from oh_tui.sources.source import Source
    from oh_tui.tui.controllers.lists.notices import Notices
    from oh_tui.tui.state.conversation_rows import Row

PATIENCE = 60.0
"""Seconds for an answer before the agent is stopped."""

LOOK = 0.2
"""Seconds between two looks at the clock while a question waits."""


class Budgets(Controller):
    _agent_actions: AgentActions
    _notices: Notices
    clock = staticmethod(time.monotonic)

    # Setting one

    @in_worker("ask")
    async def action_set(self) -> None:
        """Ask for the budget of the conversation until it can be read; an empty line removes it."""
        session, ui = self._session, self._ui
        if session.source is None or not session.source.agents:
            raise NotNow("these are files: a budget is for a run on a server")
        conversation = self._meant()
        own = session.annotations.of(conversation).budget

        async def take(typed: str) -> bool:
            limit = read_budget(typed) if typed.strip() else None
            session.annotations.set_budget(conversation, limit)
            return True

        hint, typed = "dollars, such as 5.00; empty removes it", f"{own:.2f}" if own else ""
        cost = conversation.cost
        so_far = f"which has cost {dollars(cost)}" if cost else "whose cost is not known"
        title = f"Budget of {short_title(conversation)}, {so_far}"
        pane = session.pane
        if not await ui.prompt_until(take, hint, typed, enter="set", title=title, pane=pane):
            return
        session.budgets_told.forget(conversation)
        ui.tell(self._told_of(conversation))
        ui.post_message(AnnotationsChanged())
        ui.work_on("keep", self.save_annotations, "the budget")
        self.watch()

    def _told_of(self, conversation: Conversation) -> str:
        budget = self._session.budget(conversation)
        if budget is None:
            return "no budget"
        if budget.cost is None:
            return f"price unknown: {budget.words}"
        until = self._session.annotations.for_now
        row = self._session.loaded.row(conversation.id)
        if row is None or not row.is_at_work:
            return f"{budget.words}: nothing to watch until the agent works again{until}"
        return f"{budget.words}: watched while oh-tui runs{until}"

    # Watching

    def watch(self) -> None:
        session = self._session
        if not session.loaded.sums().counts.running:
            return
        for row in session.loaded.rows:
            if row.is_at_work:
                self._look(row)

    def _look(self, row: Row) -> None:
        session, ui = self._session, self._ui
        budget = session.budget(row.conversation)
        if budget is None or budget.spending is None:
            return
        if not session.budgets_told.add(row.conversation, budget):
            return
        self._notices.ring([Change(row.conversation, budget.spending)])
        told = f"{short_title(row.conversation)} has cost {budget.words}"
        if budget.is_over and not session.no_change_of(row.conversation):
            ui.work_on("budget", self._stop_unless_told, row.conversation, session.source)
        elif budget.is_over:
            ui.tell(f"{told}; read-only: nothing is stopped from here")
        else:
            ui.tell(told)

    async def _stop_unless_told(self, conversation: Conversation, source: Source) -> None:
        """Ask, and without an answer stop the agent of a run that is still over its budget."""
        answer = await self._answer(conversation, source, self.clock() + PATIENCE)
        if self._session.source is not source:
            return
        if answer == "on":
            self._ui.tell("it goes on over its budget: $ gives it another, P stops it")
        elif answer == "stop" or self._is_over(conversation, source):
            with self._ui.reporting():
                await self._stop(conversation, source)
        elif (row := self._session.loaded.row(conversation.id)) and not row.is_at_work:
            told = row.status.value or "not at work"
            self._ui.tell(f"nothing to stop at its budget: {short_title(conversation)} is {told}")

    async def _answer(self, conversation: Conversation, source: Source, end: float) -> str:
        """The answer, or "" when it is late or nothing is left to ask about."""
        asking: asyncio.Future[str] | None = None
        while self.clock() < end and self._is_over(conversation, source):
            asking = asking or asyncio.ensure_future(self._ask(conversation, end))
            if not (await asyncio.wait({asking}, timeout=LOOK))[0]:
                continue
            if answer := asking.result():
                return answer
            asking = None
            await asyncio.sleep(LOOK)
        if asking is not None:
            asking.cancel()
            await asyncio.wait({asking})
        return ""

    async def _ask(self, conversation: Conversation, end: float) -> str:
        """The answer, "" while the keys are meant for something else."""
        if self._ui.is_elsewhere:
            return ""
        return await self._ui.ask(self._question(conversation, end)) or "on"

    def _question(self, conversation: Conversation, end: float) -> Question:
        row = self._session.loaded.row(conversation.id)
        budget = self._session.budget(row.conversation) if row else None
        cost = f"It has cost {budget.words}. " if budget else ""
        left = max(0, round(end - self.clock()))
        without = f"Without an answer it stops after this step, in {left} s."
        return Question(
            f"Over its budget: {short_title(conversation)}", [[(cost, "warn"), (without, "")]],
            (Answer("stop it after this step", "stop"),), "let it go on", Stake.WORK,
            again=partial(self._question, conversation, end),
        )  # fmt: skip

    def _is_over(self, conversation: Conversation, source: Source) -> bool:
        """Whether there is still something to stop, as far as the list knows."""
        session = self._session
        row = session.loaded.row(conversation.id)
        if session.source is not source or row is None or not row.is_at_work:
            return False
        budget = session.budget(row.conversation)
        is_stopping = session.writes.is_doing(STOPPING, conversation.id)
        return budget is not None and budget.is_over and not is_stopping

    async def _stop(self, conversation: Conversation, source: Source) -> None:
        """Stop the agent after its step, if it still works by then."""
        agents = source.holder(conversation).agents
        assert agents is not None
        title = short_title(conversation)
        state = await agents.state(conversation.id)
        if not state.runs:
            self._ui.tell(f"{title} was not stopped at its budget: {state_words(state)}")
            return
        steps = agents.stop(state, at_once=False)
        now = await self._agent_actions.carry_out(state, steps, what=STOPPING)
        self._agent_actions.tell_state(f"stopped at its budget: {title} · {state_words(now)}", now)
