"""What can be done to the agents of a server: answer, stop, go on, say; decided on how one stands.

The agent goes on by `run` alone, and before each the calls without a result are compared with those
that the user saw. Facts without another source are measured on agent server 1.34.0.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from oh_tui.api.errors import Conflict
from oh_tui.problem import Problem, Refused, Remedy
from oh_tui.sources import PAGE, build
from oh_tui.sources.agent_state import Standing, read

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

READY = 10.0
"""Seconds in which an agent that has only just begun to wait, or ended its run, can go on."""


class HalfDone(Refused):
    """What was asked was done, and must not be done again; something failed after it."""


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
            raise Refused(
                f"The server did not tell within {PATIENCE:.0f} s how the agent stands",
                Remedy.THAW,
            ) from None

    async def _standing(self, conversation_id: str) -> Standing:
        (now,) = await self._api.get_conversations([conversation_id])
        if now is None:
            raise Refused("This conversation is not on the server any more", Remedy.LIST)
        if now.sandbox_status != "RUNNING":
            return Standing(now)
        return await self._of_agent(now, self._agent(now))

    async def _of_agent(self, conversation: Conversation, agent: AgentServer) -> Standing:
        """How the agent stands in its sandbox; two calls that go out together, so that what is
        decided on them follows as soon as it can."""
        record, page = await asyncio.gather(
            agent.conversation(), agent.search_events(sort_order="TIMESTAMP_DESC", limit=PAGE)
        )
        status = record.execution_status or ""
        events, cursor = page.items, page.next_page_id
        now = read(conversation, status, build(reversed(events), live=True, complete=not cursor))
        for _ in range(LOOK_BACK if status != "running" else 0):
            if now.known or not cursor:
                break
            page = await agent.search_events(
                sort_order="TIMESTAMP_DESC", page_id=cursor, limit=PAGE
            )
            events, cursor = [*events, *page.items], page.next_page_id
            run = build(reversed(events), live=True, complete=not cursor)
            now = read(conversation, status, run)
        return now

    async def answer(
        self, standing: Standing, *, accept: bool, reason: str = ""
    ) -> AsyncIterator[str]:
        """Answer all calls that wait; the server knows no answer to one of several. Whether it was
        this answer that they got tells `Standing.require_answered` of how it stands then."""
        now = await self._as_shown(standing)
        if not now.waits:
            raise _changed()
        agent = self._agent(now.conversation)
        if accept:
            now.require_in_sight()
            yield "approving"
            await self._run(agent, now, agent.approve)
        else:
            yield "rejecting"
            await agent.respond_to_confirmation(False, reason or REASON)

    async def _run(
        self,
        agent: AgentServer,
        shown: Standing,
        run: Callable[[], Coroutine[Any, Any, None]],
        patience: float | None = None,
    ) -> None:
        """Let the agent go on, which has just been read as it was shown. It may not be ready yet:
        then it is tried again, and each time looked at anew, for while it was refused somebody
        else may have answered, and another call may wait."""
        loop = asyncio.get_running_loop()
        end = loop.time() + (READY if patience is None else patience)
        while True:
            try:
                return await run()
            except Conflict:
                now = await self._of_agent(shown.conversation, agent)
                now.require_as_shown(shown)
                if now.runs or loop.time() > end:
                    raise
            await asyncio.sleep(0.2)
            now = await self._of_agent(shown.conversation, agent)
            now.require_as_shown(shown)

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
                raise Refused(
                    "The agent is stopped, but the call that it still made had no result within "
                    f"{LASTS / 60:.0f} min",
                    Remedy.CONTINUE,
                )
            await asyncio.sleep(WATCH / 2)

    async def go_on(self, standing: Standing) -> AsyncIterator[str]:
        """Let the agent go on; calls without a result are run (again)."""
        now = await self._as_shown(standing)
        if now.runs:
            raise Refused("The agent runs already", Remedy.STOP)
        now.require_in_sight()
        agent = self._agent(now.conversation)
        yield "the agent goes on"
        try:
            await self._run(agent, now, agent.run, 0)
        except Conflict as refused:
            if now.status == "paused":  # and yet at work: see `_step_over`
                refused.hint = Remedy.CONTINUE_LATER
            raise

    async def send(
        self, standing: Standing, text: str, *, approve: bool = False
    ) -> AsyncIterator[str]:
        """Say something and let the agent read it. Raises HalfDone when it arrived and is
        not read.

        An agent that goes on with a message runs the calls that wait before it reads it. So it is
        only sent when there are none, or with `approve`, and never with the word to go on: the
        server keeps that for later, when another call may wait (source). The agent is let go on
        when it stands as before. One that works reads the message by itself; its present step may
        end with a question.
        """
        now = await self._as_shown(standing)
        if now.calls and not (approve or now.runs):
            raise _changed()
        agent = self._agent(now.conversation)
        if now.runs:
            yield "sending: it arrives when this step ends"
            await watched(agent, agent.send_message(text, run=False))
        else:
            now.require_in_sight()
            yield "sending"
            await self.leave(now.conversation.id, text)
        try:
            if now.runs:
                now = await self.standing(now.conversation.id)
                if not now.unread or now.runs or now.waits or now.calls or now.obstacle:
                    return
                yield "the agent goes on"
            await self._let_read(agent, now)
        except Problem as problem:
            told = f"{problem.sentence[0].lower()}{problem.sentence[1:]}"
            raise HalfDone(
                f"The message is there, but the agent was not let go on: {told}", problem.hint
            ) from problem

    async def leave(self, conversation_id: str, text: str) -> None:
        """Say something that the agent reads when it is let go on."""
        await self._api.send_message(conversation_id, text, run=False)

    async def _let_read(self, agent: AgentServer, shown: Standing) -> None:
        """Let an agent go on that was told something; done, too, when somebody else did, unless
        that was the answer to a call."""
        now = await self._of_agent(shown.conversation, agent)
        now.require_as_shown(shown)
        if now.runs:
            return
        try:
            await self._run(agent, shown, agent.run)
        except Conflict:
            if not (await self._of_agent(shown.conversation, agent)).runs:
                raise

    async def reject_for_message(self, standing: Standing) -> Standing:
        """Reject what waits, so that a message may be sent; how it stands then."""
        now = await self._as_shown(standing)
        reason = "The user says something instead."
        await self._agent(now.conversation).respond_to_confirmation(False, reason)
        after = await self.settled(now)
        if after.still_waits(now):
            raise Refused("The rejected call still waits, so nothing was sent", Remedy.SEND_AGAIN)
        after.require_answered(now, accept=False, reason=reason)
        after.require_as_shown(replace(now, status="idle", calls=()))
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

    async def _as_shown(self, standing: Standing) -> Standing:
        """The state of this moment; what was decided on must still be so, for a call that nobody
        saw must not be answered."""
        now = await self.standing(standing.conversation.id)
        now.require_as_shown(standing)
        return now

    def _agent(self, conversation: Conversation) -> AgentServer:
        agent = self._api.agent_server(conversation)
        if agent is None:
            raise Refused(
                "The server does not tell where the agent is, though its sandbox runs",
                Remedy.REFRESH,
            )
        return agent


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


def _changed() -> Problem:
    return Refused("What waits has changed meanwhile, so nothing was done", Remedy.LOOK)
