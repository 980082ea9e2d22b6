"""`a` and `P`: answer, stop or continue an agent; see `compose` for `m`."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from oh_tui.actions.agent_actions import Agents, AgentStage, Steps
from oh_tui.actions.agent_state import AgentState, AgentStatus
from oh_tui.catalog.run_status import RunStatus
from oh_tui.conversation import Conversation, same_id
from oh_tui.text.human import duration, plural
from oh_tui.trajectory.findings.ending import with_outcome
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.presentation.block import Block, Heading
from oh_tui.trajectory.presentation.blocks import call_blocks, call_title
from oh_tui.trajectory.reading.describe import describe
from oh_tui.trajectory.reading.lasting import cannot_be_undone
from oh_tui.tui.controllers.controller import Controller, in_worker, short_title
from oh_tui.tui.messages import AgentChanged, ListsChanged, RunWanted
from oh_tui.tui.state.work import Wait
from oh_tui.tui.ui import NotNow
from oh_tui.tui.widgets import editor as editing
from oh_tui.tui.widgets.drawing import Piece, shorten
from oh_tui.tui.widgets.question_bar import Answer, Question, Stake

if TYPE_CHECKING:
    from oh_tui.tui.controllers import Controllers

TELLING, STOPPING = "telling an agent what to do", "telling an agent to stop"
AGENT = "agent"
"""What errors are about that answers, stops and messages share."""

SENDING = "sending a message"

RISKS = {"HIGH": "bad", "not told": "warn", "MEDIUM": "warn"}
"""Risks shown in a question, the highest first, with their colours."""

_STAKES = {"LOW": Stake.NOTHING, "MEDIUM": Stake.WORK}
"""Risk -> what is at stake in a call that can be undone; of others it is not known."""

MOST_NAMED = 3
"""Waiting conversations that a question names."""


class AgentActions(Controller):
    _controllers: Controllers

    async def read_standing(self) -> tuple[Agents, AgentState]:
        """The state of the agent that a key means, with its run at the right. Raises NotNow."""
        session = self._session
        if session.no_agent or session.source is None or not session.source.agents:
            raise NotNow(session.no_agent)
        agents, conversation = self._agents_meant()
        with self._ui.preparing("asking for the agent's state"):
            state = await agents.state(conversation.id)
        if not session.is_open(conversation):
            self._ui.post_message(RunWanted(state.conversation))
        return agents, state

    # Answering

    @in_worker("write")
    async def action_answer(self) -> None:
        with self._ui.reporting(about=AGENT):
            agents, state = await self.read_standing()
            if not state.waits and await self._goes_where_one_waits(state):
                return
            state.require_reachable()
            self.require_silence(state.conversation)
            if not state.waits:
                raise NotNow(f"nothing waits for your answer: {state_words(state)}")
            runs = "they run" if len(state.calls) > 1 else "it runs"
            answers = [Answer("reject, with a reason", "no", "n", Stake.NOTHING)]
            if state.in_sight:
                answers.insert(0, Answer(f"approve: {runs} now", "yes"))
            lines = [*_one_answer(state), *self.over_budget(state)]
            question = Question("", lines, answers, "later", stake_of(state.calls))
            chosen = await self.ask_about_calls(state, question)
            if not chosen:
                return
            reason = ""
            if chosen == "no":
                reason, sent = await self._reason(state)
                if not sent:
                    raise NotNow("not answered: a asks again")
            if chosen == "yes":
                self.allow_over_budget(state)
            steps = agents.answer(state, accept=chosen == "yes", reason=reason.strip())
            now = await self.carry_out(state, steps)
            done = "approved" if chosen == "yes" else "rejected"
            self.tell_state(f"{done} · {state_words(now)}", now)

    async def _goes_where_one_waits(self, state: AgentState) -> bool:
        """Offer to open a conversation that waits, as this one does not; False without one."""
        rows = [
            row
            for row in self._session.loaded.rows
            if row.status is RunStatus.WAITING
            and row.conversation.sandbox_status in ("RUNNING", "PAUSED")
            and not same_id(row.id, state.conversation.id)
        ]
        if not rows:
            return False
        named: list[list[Piece]] = [
            [(f"{self._ui.glyphs.waiting} ", "warn"), (short_title(row.conversation), ""),
             (f"   {row.line}" if row.line else "", "dim")]
            for row in rows[:MOST_NAMED]
        ]  # fmt: skip
        if len(rows) > MOST_NAMED:
            named.append([(f"and {len(rows) - MOST_NAMED:,} more", "dim")])
        title = f"Nothing waits for your answer here: {state_words(state)}"
        there = "go there" if len(rows) == 1 else "go to the first"
        if await self._ui.ask(Question(title, named, (Answer(there, "go"),), "stay here")):
            self._ui.post_message(RunWanted(rows[0].conversation, go=True))
        return True

    async def ask_about_calls(self, state: AgentState, question: Question) -> str:
        calls = state.calls
        one = len(calls) == 1
        if state.waits:
            what = "waits for your answer" if one or not calls else "wait for your answer"
        else:
            what = "has no result" if one else "have no result"
        title = f"{plural(len(calls), 'call') if calls else 'the agent'} {what}"
        if self._session.pane == "wall":  # beside others
            title += f" in {short_title(state.conversation)}"
        elif state.conversation.server:
            title += f" on {state.conversation.server}"
        if not calls:
            return await self._ui.ask(replace(question, title=title))
        risks = [risk for risk in RISKS if any(_risk(call) == risk for call in calls)]
        facts = ((f"risk {risks[0]}", RISKS[risks[0]]),) if risks else ()
        return await self._ui.ask_about(_calls_blocks(calls), question, ((title, "title"),), facts)

    async def _reason(self, state: AgentState) -> tuple[str, bool]:
        count = plural(len(state.calls) or 1, "call")
        editor = editing.Editor(
            ((f"Reason for the agent (rejects {count})", "title"),),
            hint="no reason", send="reject", keep="answer later",
        )  # fmt: skip
        return await self.write(editor)

    # Stopping and continuing

    @in_worker("write")
    async def action_stop_or_continue(self) -> None:
        if self._session.pane == "automations":
            await self._controllers.automations.stop()
            return
        with self._ui.reporting(about=AGENT):
            agents, state = await self.read_standing()
            state.require_reachable()
            if state.runs:
                if not await self._controllers.automations.stop_run(state.conversation):
                    await self._stop(agents, state)
            elif state.waits:
                raise NotNow(state_words(state))
            else:
                self.require_silence(state.conversation)
                if not state.can_continue:
                    raise NotNow(state_words(state))
                await self._continue(agents, state)

    async def _stop(self, agents: Agents, state: AgentState) -> None:
        chosen = await self._ui.ask(self._stop_question(state))
        if not chosen:
            return
        steps = agents.stop(state, at_once=chosen == "now")
        now = await self.carry_out(state, steps, what=STOPPING)
        self.tell_state(state_words(now), now)

    def _stop_question(self, state: AgentState) -> Question:
        """Names the call that runs: now, if the run is open; else as the run was last read."""
        run = self._session.run if self._session.is_open(state.conversation) else None
        calls, was = state.calls, "" if run else "was "
        if run and all(run.trajectory.holds(call.event.id) for call in calls):  # as new as that
            calls = tuple(with_outcome(run.trajectory, Outcome.RUNNING))
        glyph = self._ui.glyphs.running
        named: list[Piece] = [(f"{glyph} ", "good"), (short_title(state.conversation), "")]
        cut = "dropping what the model says"
        if calls:
            what = describe(calls[-1], Outcome.RUNNING).what
            began = calls[-1].event.seconds()
            span = None if began is None else max(0.0, self._session.clock() - began)
            since = "" if span is None else f"{was}{duration(span)} into "
            more = f" and {plural(len(calls) - 1, 'other call')}" if len(calls) > 1 else ""
            named.append((f"   {since}{shorten(what, 48)}{more}", "dim"))
            room = max(8, min(24, self._ui.columns - 60))
            cut = f"cutting {shorten(what.removeprefix('$ '), room)} off"
        return Question(
            "Stop the agent", [named],
            (Answer("after this step", "step"), Answer(f"now, {cut}", "now", "f")),
            stake=Stake.WORK, again=partial(self._stop_question, state) if run else None,
        )  # fmt: skip

    async def _continue(self, agents: Agents, state: AgentState) -> None:
        stakes: list[list[Piece]] = []
        title, session = short_title(state.conversation), self._session
        if session.means_marked and any(
            not same_id(one.id, state.conversation.id) for one in session.marked
        ):
            stakes.append([(f"This continues only {title}, not the other marked ones.", "")])
        if repeats := state.repeats:
            stakes.append([(f"It is stuck: {repeats}.", "warn")])
            tell_it = ("m tells it what to do instead.", "dim")
            stakes.append([("It may do that again, which costs money. ", ""), tell_it])
        stakes += self.over_budget(state)
        rejected = state.key_was_rejected
        if rejected and not await self._controllers.agent_setups.goes_on(agents, state, stakes):
            return
        if state.calls:
            count = len(state.calls)
            again = f"Continuing runs {'it' if count == 1 else f'all {count}'} again."
            stake = max(Stake.WORK, stake_of(state.calls))
            lines = [*stakes, [(again, "warn")]]
            question = Question("", lines, (Answer("go on", "yes"),), stake=stake)
            if not await self.ask_about_calls(state, question):
                return
        elif not rejected:
            lines = stakes or [[("The agent goes on with its task, which costs money.", "")]]
            question = Question(f"Continue {title}", lines, (Answer("go on", "yes"),))
            if not await self._ui.ask(replace(question, stake=Stake.WORK)):
                return
        self.allow_over_budget(state)
        now = await self.carry_out(state, agents.go_on(state))
        self.tell_state(state_words(now), now)

    # Waiting

    def stop_waiting(self) -> bool:
        """Esc: stop showing the most recent wait, whose request goes on; False without one."""
        if not self._session.waits:
            return False
        wait = self._session.waits.pop()
        self._ui.tell(f"{wait.stage}; the outcome appears here")
        return True

    @contextlib.contextmanager
    def waiting(self, stage: str) -> Iterator[None]:
        """Show the elapsed seconds until Esc; the server may need as long as a step takes."""
        wait = Wait(stage, time.monotonic())
        self._session.waits.append(wait)

        async def show_seconds() -> None:
            while wait in self._session.waits:
                await asyncio.sleep(1.0)
                self.show_wait(wait)

        telling = asyncio.ensure_future(show_seconds())
        try:
            yield
        finally:
            telling.cancel()
            if wait in self._session.waits:
                self._session.waits.remove(wait)

    def show_wait(self, wait: Wait) -> None:
        """Show the most recent wait alone, and none where Esc means something else."""
        if self._session.waits[-1:] == [wait] and not self._ui.is_elsewhere:
            span = time.monotonic() - wait.began
            self._ui.tell(f"{span:.0f} s: {wait.stage} · esc stops waiting", log=False)

    # Budgets

    def over_budget(self, state: AgentState) -> list[list[Piece]]:
        """What a question says of a run that has cost its budget; nothing of another."""
        budget = self._session.budget(state.conversation, state.cost)
        return [[(f"It has cost {budget.words}.", "warn")]] if budget and budget.is_over else []

    def allow_over_budget(self, state: AgentState) -> None:
        """The user let the run go on, whatever it has cost of its budget: do not ask again."""
        if budget := self._session.budget(state.conversation, state.cost):
            self._session.budgets_told.add(state.conversation, budget)

    # For all that is told to an agent

    def require_silence(self, conversation: Conversation) -> None:
        """Raises NotNow if something is on its way to the agent: until it arrives the call looks
        pending, and a second `run` could hit the next call."""
        for verb in (TELLING, SENDING):
            if self._session.writes.is_doing(verb, conversation.id):
                raise NotNow(f"not yet: still {verb}")

    def tell_state(self, told: str, now: AgentState) -> None:
        """Show what an agent was made to do, until its row says that it does something else."""

        def status() -> RunStatus | None:
            row = self._session.loaded.row(now.conversation.id)
            return row.status if row else None

        was = status()
        self._ui.tell(told, about=AGENT, holds=lambda: status() is was)

    async def carry_out(
        self, before: AgentState, steps: Steps, *, what: str = TELLING
    ) -> AgentState:
        """Show each stage with its seconds; refresh lists and run, whatever the outcome."""
        session = self._session
        now = before
        try:
            with session.writes.doing(what, before.conversation.id):
                step = await anext(steps, None)
                while isinstance(step, AgentStage):
                    self._ui.tell(step, passing=True)
                    with self.waiting(step):
                        step = await anext(steps, None)
            if step is not None:
                now = step
                status = now.status or now.conversation.execution_status
                session.loaded.acted(
                    replace(now.conversation, execution_status=status), time.monotonic()
                )
                session.reorder_unwatched()
                self._ui.post_message(ListsChanged())
                await anext(steps, None)
            return now
        finally:
            self._ui.post_message(AgentChanged(before.conversation.id))

    async def write(self, editor: editing.Editor) -> tuple[str, bool]:
        with self._session.writes.doing("writing to an agent"):
            return await self._ui.write_text(editor)


def stake_of(calls: Sequence[Step]) -> Stake:
    """What is at stake where calls run: most of them decides."""
    stakes = (
        Stake.FINAL if cannot_be_undone(call) else _STAKES.get(_risk(call), Stake.FINAL)
        for call in calls
    )
    return max(stakes, default=Stake.FINAL)


def _risk(call: Step) -> str:
    return call.event.risk if call.event.risk in ("HIGH", *_STAKES) else "not told"


def _one_answer(state: AgentState) -> list[list[Piece]]:
    """What to know before answering; nothing for a single call, which is fully visible."""
    if not state.in_sight:
        older = "Some of its calls are older than the events read here: look at the run first."
        return [[(older, "warn")]]
    if len(state.calls) > 1:
        return [[(f"One answer covers all {len(state.calls)} calls.", "")]]
    return []


def _calls_blocks(calls: tuple[Step, ...]) -> list[Block]:
    blocks: list[Block] = []
    for number, call in enumerate(calls, 1):
        if len(calls) > 1:
            risk = f" · risk {call.event.risk}" if call.event.risk in RISKS else ""
            blocks.append(
                Heading(f"{number} of {len(calls)} · {call_title(call, numbered=False)}{risk}")
            )
        blocks += call_blocks(call, alone=True)
    return blocks


_STATE_WORDS = {
    AgentStatus.WAITS: "the agent waits for your answer: a",
    AgentStatus.STOPPED: "the agent is stopped: P continues it",
    AgentStatus.FINISHED: "the agent has finished: m sends it another message",
    AgentStatus.FAILED: "the run ended in an error: P tries to continue it",
    AgentStatus.STUCK: "the agent is stuck: P continues it, m tells it what to do",
    AgentStatus.UNREAD: "the agent is idle: P continues it, m tells it more",
    AgentStatus.IDLE: "the agent is idle, with nothing to do: m gives it a task",
}


def state_words(state: AgentState) -> str:
    """The agent's state, with the key that continues from there."""
    words = state.in_words
    return words if state.obstacle else _STATE_WORDS.get(state.agent_status, words)
