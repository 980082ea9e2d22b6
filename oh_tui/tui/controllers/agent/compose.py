"""Messages to an agent (`m`): write one, keep the draft until it is sent, and check the agent's
current state before sending."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from msgspec.structs import replace

from oh_tui.actions.agent_actions import Agents, HalfDone
from oh_tui.actions.agent_state import AgentState
from oh_tui.conversation import Conversation, bare_id
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem, Remedy
from oh_tui.tui.controllers.agent.agents import (
    AGENT,
    SENDING,
    TELLING,
    AgentActions,
    stake_of,
    state_words,
)
from oh_tui.tui.controllers.controller import Controller, in_worker, short_title
from oh_tui.tui.messages import ListsWanted, RunWanted
from oh_tui.tui.ui import NotNow
from oh_tui.tui.widgets import editor as editing
from oh_tui.tui.widgets.drawing import Piece, shorten
from oh_tui.tui.widgets.question_bar import Answer, Question, Stake

if TYPE_CHECKING:
    from oh_tui.sources.source import Source
    from oh_tui.tui.controllers.sandbox.sandboxes import SandboxActions


READING = "reading its state"
"""What errors below a message are about."""


class Composer(Controller):
    _agent_actions: AgentActions
    _sandbox_actions: SandboxActions

    @in_worker("write")
    async def action_write(self) -> None:
        """Write to the agent; the draft is kept until it is sent. The editor opens at once, so that
        text typed ahead goes into it; it shows the agent's state once that is known."""
        session = self._session
        if self._ui.focus_editor():
            return
        source = session.source
        if session.no_agent or source is None or source.agents is None:
            raise NotNow(session.no_agent)
        agents, conversation = self._agents_meant()
        if session.writes.is_doing(SENDING, conversation.id):
            raise NotNow("the previous message is still being sent")
        with self._ui.reporting(about=AGENT):
            if _cannot_read(AgentState(conversation)):  # according to the list, which may be old
                _, state = await self._agent_actions.read_standing()
                _require_reader(state)
            while True:
                sent, asks = await self._write(agents, conversation)
                if not sent:
                    return
                with self._ui.reporting(about=AGENT):
                    if await self.send_draft(source, agents, conversation, asks=asks):
                        return
                if session.source is not source:  # the user switched servers: keep the text
                    return
                # After a failure or a change of mind, offer the text again.

    async def send_draft(
        self, source: Source, agents: Agents, conversation: Conversation, *, asks: bool = False
    ) -> bool:
        """Send what was written to an agent; False when it is not to be sent as it is."""
        # said before it is sent: a second `m` would send it again while the server is silent
        with self._session.writes.doing(SENDING, conversation.id):
            draft = self._session.drafts[bare_id(conversation.id)]
            return await self._send(source, agents, conversation, draft, asks=asks)

    async def _write(self, agents: Agents, conversation: Conversation) -> tuple[bool, bool]:
        """Write a message: whether it is to be sent, and whether the editor told of a question."""
        session = self._session
        name = bare_id(conversation.id)
        editor = editing.Editor(
            self._title(conversation), text=session.drafts.get(name, ""),
            hint="a task or information for the agent", empty="There is nothing to send yet.",
        )  # fmt: skip
        checking = asyncio.ensure_future(self._show_when_read(agents, conversation, editor))
        sent = False
        try:
            text, sent = await self._agent_actions.write(editor)
        finally:
            if not checking.done():
                checking.cancel()
                with session.writes.doing(SENDING, name) if sent else contextlib.nullcontext():
                    await asyncio.wait([checking])
        if text.strip():
            session.drafts[name] = text
        else:
            session.drafts.pop(name, None)
        if not sent and text.strip():
            self._ui.tell("draft kept: m continues it")
        return sent, not checking.cancelled() and checking.result()

    async def _show_when_read(
        self, agents: Agents, conversation: Conversation, editor: editing.Editor
    ) -> bool:
        """Show when the agent would read the message, or why never. True if it asks first."""
        session, read = self._session, list[AgentState]()
        # it ends no error of sending, and the editor stays: what is typed would be keys
        with self._ui.reporting(about=READING):
            state = await agents.state(conversation.id)
            _require_reader(state)
            when = _read_when(state)
            editor.tell(self._title(conversation, when), ((when, "dim"),))
            if not session.is_open(conversation):
                self._ui.post_message(RunWanted(state.conversation))
            read.append(state)
        return any(one.obstacle is not None or one.is_held for one in read)

    def _title(self, conversation: Conversation, when: str = "") -> tuple[Piece, ...]:
        room = max(12, self._ui.columns - len(when) - 18)
        return ("Message to ", "title"), (shorten(short_title(conversation), room), "title")

    async def _send(
        self,
        source: Source,
        agents: Agents,
        conversation: Conversation,
        text: str,
        *,
        asks: bool,
    ) -> bool:
        """Send a message, after checking the current state; False when it should not be sent as it
        is. If it `asks` as far as is known, keys typed meanwhile wait for the question."""
        session = self._session
        if session.writes.is_doing(TELLING, conversation.id):
            self._ui.tell(f"not yet: still {TELLING}")
            return False
        self._ui.tell("asking for the agent's state", passing=True)
        with self._ui.expecting() if asks else contextlib.nullcontext():
            state = await agents.state(conversation.id)
        self._ui.tell("")
        if state.conversation.sandbox_status == "PAUSED":
            if not await self._resume(source, state.conversation):
                return False
            state = await agents.state(conversation.id)
        state.require_reachable()
        chosen = await self._ask_before_message(state)
        if not chosen:
            return False
        self._agent_actions.allow_over_budget(state)
        steps = agents.send(state, text, approve=chosen == "approve", reject=chosen == "reject")
        try:
            now = await self._agent_actions.carry_out(state, steps, what=SENDING)
        except HalfDone as problem:  # the message arrived: sending it again would repeat it
            session.drafts.pop(bare_id(conversation.id), None)
            self._ui.report(problem, about=AGENT)
            return True
        session.drafts.pop(bare_id(conversation.id), None)
        effect = "the agent reads it with its next step" if state.runs else "the agent began"
        effect = effect if now.runs else state_words(now)
        self._agent_actions.tell_state(f"sent · {effect}", now)
        return True

    async def _ask_before_message(self, state: AgentState) -> str:
        """Agents run pending calls before they read a message (measured, agent server 1.34.0)."""
        costs = [] if state.runs else self._agent_actions.over_budget(state)
        if not state.is_held:
            if not costs:
                return "send"
            title, send = "A message lets the agent continue", (Answer("send", "send"),)
            return await self._ui.ask(Question(title, costs, send, "back to the text", Stake.WORK))
        count = plural(len(state.calls) or 1, "call")
        lines: list[list[Piece]] = [
            [("A message lets the agent continue: calls without result run first.", "warn")],
            *costs,
        ]
        answers = [Answer(f"reject {count}, then send", "reject")]
        if state.in_sight:
            stake = max(Stake.WORK, stake_of(state.calls))
            answers.append(Answer("approve and send", "approve", "a", stake))
        question = Question("", lines, answers, "back to the text", Stake.WORK)
        return await self._agent_actions.ask_about_calls(state, question)

    async def _resume(self, source: Source, conversation: Conversation) -> bool:
        """Resume the sandbox that a message is for; False when the user declines."""
        sandboxes = source.sandboxes
        if sandboxes is None or not conversation.sandbox_id:
            raise Problem("The sandbox of this conversation is not known", Remedy.REFRESH)
        session, sandbox_id = self._session, conversation.sandbox_id
        if doing := session.changing.get(sandbox_id):
            told = f"The message was not sent: the sandbox is still {doing}"
            raise Problem(told, Remedy.WAIT)
        with session.claiming([sandbox_id]):
            with self._ui.expecting():
                plan = await sandboxes.plan(sandbox_id)
            if plan.action == "pause":  # it has been resumed meanwhile
                return True
            if plan.action != "resume":
                raise Problem(f"The message was not sent: {plan.reason}", plan.hint)
            if plan.at_stake:
                why = "The agent reads messages only while its sandbox runs. "
                question = replace(
                    self._sandbox_actions.question(plan, why),
                    answers=(Answer("resume it, then send", "now"),),
                    refusal="back to the text",
                )
                if not await self._ui.ask(question):
                    return False
            await self._sandbox_actions.as_planned(sandboxes, plan)
        self._ui.post_message(ListsWanted())
        return True


def _cannot_read(state: AgentState) -> bool:
    """Whether no agent can read a message. One in a paused sandbox can: it is resumed first."""
    return state.obstacle is not None and state.conversation.sandbox_status != "PAUSED"


def _require_reader(state: AgentState) -> None:
    if _cannot_read(state):
        state.require_reachable()


def _read_when(state: AgentState) -> str:
    if state.obstacle:
        return "resumes the sandbox first"
    if state.runs:
        return "it reads this when its step is over"
    if state.waits:
        return "you answer the pending calls first"
    if state.calls:
        return "you decide about the call without result first"
    return ""
