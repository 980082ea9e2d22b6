"""What can be done to the agents of a server: answer, stop, go on, say; decided on how one stands.

Facts without another source are measured on agent server 1.34.0.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TYPE_CHECKING, Any

import msgspec

from oh_tui.api.errors import Conflict
from oh_tui.problem import Problem
from oh_tui.sources import PAGE, build
from oh_tui.text import safe_line
from oh_tui.trajectory.bodies import field
from oh_tui.trajectory.steps import Step, Trajectory

if TYPE_CHECKING:
    from oh_tui.api import AgentServer, AppServer
    from oh_tui.api.models import Conversation

PATIENCE = 5.0
"""Seconds in which both servers must tell how an agent stands."""

WATCH = 2.0
"""Seconds between two looks at an agent server that answers only when a step is over."""

SETTLE = 3.0
"""Seconds within which an agent that was told something stands otherwise."""

THINKS = 30.0
"""Seconds that a model gets to answer after its agent was stopped; it may not be asked any more."""

LASTS = 600.0
"""Seconds that a call which an agent makes after it was stopped may take: some never get a result,
and nothing tells which."""

LOOK_BACK = 10
"""Pages of events in which a call that waits is looked for."""

REASON = "The user rejected it."
"""Told to the agent when no reason is given."""

WAITING = "waiting_for_confirmation"
_CONDENSED = "Condensation"


class Standing(msgspec.Struct, frozen=True):
    """How the agent of a conversation stands, read from both servers just now."""

    conversation: Conversation
    status: str = ""
    """The agent's `execution_status`; "" when its sandbox does not run."""
    calls: tuple[Step, ...] = ()
    """The calls without a result, the oldest first. The server runs them all, however old, as soon
    as the agent goes on (source), with whatever that was brought about: a yes, a message, `run`."""
    unread: bool = False
    """The last thing that happened is for the agent to answer: a message, a rejection, a result."""
    said: str = ""
    """The id of the last event that a step of the agent made."""

    @property
    def runs(self) -> bool:
        return self.status == "running"

    @property
    def waits(self) -> bool:
        return self.status == WAITING

    @property
    def obstacle(self) -> Problem | None:
        """Why nothing can be told to the agent; None when it can."""
        match self.conversation.sandbox_status:
            case "RUNNING":
                return None
            case "PAUSED":
                return Problem("The sandbox is paused", "p resumes it")
            case "STARTING":
                return Problem("The sandbox is starting", "try again in a moment")
            case "ERROR":
                return Problem("The sandbox failed", "its history stays readable")
            case "MISSING" | None:
                return Problem("The sandbox is gone", "its history stays readable")
            case other:
                state = safe_line(other).lower()[:20]
                return Problem(f"The sandbox is {state}", "wait, then press r")

    def same_calls(self, other: Standing) -> bool:
        return [c.event.id for c in self.calls] == [c.event.id for c in other.calls]

    def still_waits(self, before: Standing) -> bool:
        """With calls that are known: what waits without one may be something else by now."""
        return self.waits and bool(self.calls) and self.same_calls(before)

    def require_answered(self, before: Standing) -> None:
        """Raises Problem when the server took an answer, and what waited `before` still waits."""
        if self.still_waits(before):
            raise Problem(
                "The server took the answer, but what waited still waits", "look, and answer again"
            )

    def require_stopped(self) -> None:
        if self.runs:
            raise Problem("The agent was asked to stop, and works on", "P asks again")

    def require_gone_on(self, before: Standing) -> None:
        """Raises Problem when the agent does not work, and nothing has changed since `before`."""
        same = (self.status, self.unread, self.said) == (before.status, before.unread, before.said)
        if same and self.same_calls(before) and not self.runs:
            raise Problem("The agent was asked to go on, and stands as before", "P tries again")


class Agents:
    """The agents of an app server's conversations. What changes something tells its stages; how
    the agent stands after it is read again, never taken for granted."""

    def __init__(self, api: AppServer) -> None:
        self._api = api

    async def standing(self, conversation_id: str) -> Standing:
        """How an agent stands at this moment: one call to the app server, two to the agent server.
        A server that is frozen, dead or slow is a Problem within 5 s."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._standing(conversation_id)
        except TimeoutError:
            raise Problem(
                f"The server did not tell within {PATIENCE:.0f} s how the agent stands",
                "its sandbox may be frozen: r reads again, p pauses or resumes it",
            ) from None

    async def _standing(self, conversation_id: str) -> Standing:
        (now,) = await self._api.get_conversations([conversation_id])
        if now is None:
            raise Problem("This conversation is not on the server any more", "r reads the list")
        if now.sandbox_status != "RUNNING":
            return Standing(now)
        agent = self._agent(now)
        record, page = await asyncio.gather(
            agent.conversation(), agent.search_events(sort_order="TIMESTAMP_DESC", limit=PAGE)
        )
        status = record.execution_status or ""
        events, cursor = page.items, page.next_page_id
        run = build(reversed(events), live=True, complete=not cursor)
        calls = open_calls(run)
        for _ in range(LOOK_BACK if status == WAITING else 0):
            if calls or not cursor:
                break
            page = await agent.search_events(
                sort_order="TIMESTAMP_DESC", page_id=cursor, limit=PAGE
            )
            events, cursor = [*events, *page.items], page.next_page_id
            calls = open_calls(build(reversed(events), live=True))
        return Standing(now, status, calls, _is_unread(run), _last_said(run))

    async def answer(
        self, standing: Standing, *, accept: bool, reason: str = ""
    ) -> AsyncIterator[str]:
        """Answer all calls that wait; the server knows no answer to one of several."""
        now = await self._unchanged(standing)
        if not now.waits:
            raise _changed()
        agent = self._agent(now.conversation)
        if accept:
            yield "approving"
            await agent.approve()
        else:
            yield "rejecting"
            await agent.respond_to_confirmation(False, reason or REASON)

    async def stop(self, standing: Standing, *, at_once: bool) -> AsyncIterator[str]:
        """After the present step, however long that takes, or in the middle of it."""
        agent = self._agent(standing.conversation)
        if at_once:
            yield "stopping the agent now"
            await agent.interrupt()
        else:
            yield "the agent stops after this step"
            now = await self.standing(standing.conversation.id)
            await watched(agent, agent.pause())
            if now.runs and not now.calls:
                await self._step_over(now)

    async def _step_over(self, before: Standing) -> None:
        """While the model thinks a stop is granted at once: the agent is "paused", and still does
        what the model says then (measured). Nothing tells that the model is not asked any more."""
        loop = asyncio.get_running_loop()
        said, end = before.said, loop.time() + THINKS
        while True:
            now = await self.standing(before.conversation.id)
            if now.said != said:
                said, end = now.said, loop.time() + LASTS
            late = loop.time() >= end
            if now.status != "paused" or ((late or said != before.said) and not now.calls):
                return
            if late:
                raise Problem(
                    "The agent is stopped, but the call that it still made had no result within "
                    f"{LASTS / 60:.0f} min",
                    "it may run on there: look at the run, P lets the agent go on",
                )
            await asyncio.sleep(WATCH / 2)

    async def go_on(self, standing: Standing) -> AsyncIterator[str]:
        """Let the agent go on; calls without a result are run (again)."""
        now = await self._unchanged(standing)
        if now.runs:
            raise Problem("The agent runs already", "P stops it")
        yield "the agent goes on"
        try:
            await self._agent(now.conversation).run()
        except Conflict as refused:
            if now.status == "paused":  # and yet at work: see `_step_over`
                refused.hint = "It still ends the step in which it was stopped: P again in a moment"
            raise

    async def send(
        self, standing: Standing, text: str, *, approve: bool = False
    ) -> AsyncIterator[str]:
        """Say something and let the agent read it.

        A message that lets the agent go on runs the calls that wait before it is read, so that it
        is only sent when there are none, or with `approve`. To an agent that works it is sent
        without that: its present step may end with a question.
        """
        now = await self._unchanged(standing)
        if now.calls and not (approve or now.runs):
            raise _changed()
        agent = self._agent(now.conversation)
        if not now.runs:
            yield "sending"
            await self._api.send_message(now.conversation.id, text, run=True)
            return
        yield "sending: it arrives when this step ends"
        await watched(agent, agent.send_message(text, run=False))
        after = await self.standing(now.conversation.id)
        if after.unread and not (after.runs or after.waits or after.calls or after.obstacle):
            yield "the agent goes on"
            await agent.run()

    async def reject_for_message(self, standing: Standing) -> Standing:
        """Reject what waits, so that a message may be sent; how it stands then."""
        now = await self._unchanged(standing)
        reason = "The user says something instead."
        await self._agent(now.conversation).respond_to_confirmation(False, reason)
        after = await self.settled(now)
        if after.calls or after.waits:
            raise Problem("The rejected call still waits, so nothing was sent", "m tries again")
        return after

    async def settled(
        self, before: Standing, as_asked: Callable[[Standing], bool] = lambda _: True
    ) -> Standing:
        """How the agent stands when something has changed and it stands as it was asked to, or
        after 3 s all the same: what a call that was cut off leaves may show before that it was."""
        end = asyncio.get_running_loop().time() + SETTLE
        wait = 0.1
        while True:
            now = await self.standing(before.conversation.id)
            changed = now.status != before.status or not now.same_calls(before)
            if (changed or now.unread != before.unread) and as_asked(now):
                return now
            if asyncio.get_running_loop().time() >= end:
                return now
            await asyncio.sleep(wait)
            wait = min(wait * 2, 0.5)

    async def _unchanged(self, standing: Standing) -> Standing:
        """The state of this moment; what was decided on must still be so, for a call that nobody
        saw must not be answered."""
        now = await self.standing(standing.conversation.id)
        if now.obstacle:
            raise now.obstacle
        # a working agent makes calls and gets results all the time
        if not (now.runs and standing.runs) and not now.same_calls(standing):
            raise _changed()
        return now

    def _agent(self, conversation: Conversation) -> AgentServer:
        agent = self._api.agent_server(conversation)
        if agent is None:
            raise Problem(
                "The server does not tell where the agent is, though its sandbox runs",
                "r reads again",
            )
        return agent


def open_calls(run: Trajectory) -> tuple[Step, ...]:
    """The calls that the server would run: those it could read, and that have no result."""
    return tuple(
        step
        for step in run.steps
        if step.event.kind == "ActionEvent"
        and step.is_open
        and isinstance(field(step.event.body(), "action"), dict)
    )


def _is_unread(run: Trajectory) -> bool:
    """Whether the run ends with something that the agent has not answered."""
    if not run.steps:
        return False
    last = run.steps[-1]
    if last.event.kind == "MessageEvent":
        return last.event.source != "agent"
    # finishing is a call with a result too
    return last.is_call and not last.is_open and last.event.tool_name != "finish"


def _last_said(run: Trajectory) -> str:
    """A step of the agent makes calls or says something; or its history is condensed, no more."""
    own = (
        s for s in reversed(run.steps) if s.event.source == "agent" or s.event.kind == _CONDENSED
    )
    return next((step.event.id for step in own), "")


def _changed() -> Problem:
    return Problem(
        "What waits has changed meanwhile, so nothing was done", "look, and answer again"
    )


async def watched(agent: AgentServer, request: Coroutine[Any, Any, None]) -> None:
    """Wait for an answer that may take as long as a step; an agent server that does not live any
    more raises within some seconds. What was asked of it goes on there."""
    task = asyncio.ensure_future(request)
    try:
        while not (await asyncio.wait({task}, timeout=WATCH))[0]:
            await agent.conversation()
        task.result()
    finally:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # where another error is told already, nobody else takes this one
