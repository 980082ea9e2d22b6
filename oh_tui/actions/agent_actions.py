"""Actions on agents: answer, stop, continue, send a message. Each starts from the state that the
user saw.

Only `run` lets an agent continue. Before each `run`, its calls without a result are compared with
those that the user saw. Facts without another source are measured on agent server 1.34.0.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from oh_tui.actions.agent_state import AgentState, read
from oh_tui.api.errors import ApiError, Conflict, TimedOut
from oh_tui.api.models import IN_SANDBOX, StartTask
from oh_tui.api.paging import PAGE
from oh_tui.catalog.clocks import clock_of_record
from oh_tui.text.problem import Problem, Refused, Remedy
from oh_tui.trajectory.model.trajectory import build

if TYPE_CHECKING:
    from oh_tui.actions.start_offers import StartOffers
    from oh_tui.api import AgentServer
    from oh_tui.api.requests import StartRequest
    from oh_tui.api.server import Server
    from oh_tui.conversation import Conversation
    from oh_tui.trajectory.model.events import Event

T = TypeVar("T")

PATIENCE = 5.0
"""Seconds within which both servers must report the state of an agent."""

WATCH = 2.0
"""Seconds between two checks of an agent server that answers only at the end of a step."""

SETTLE = 3.0
"""Seconds within which the state of an agent changes after an action."""

THINKS = 30.0
"""Seconds that the model of a stopped agent has to answer. It may not even have been asked."""

LASTS = 600.0
"""Seconds that a call of a stopped agent may take. Some calls never get a result, and nothing shows
which."""

LOOK_BACK = 10
"""Pages of events that are searched for a waiting call."""

REASON = "The user rejected it."
"""The reason for the agent when the user gives none."""

READY = 10.0
"""Seconds to keep trying: an agent that has just begun to wait, or ended its run, may not be ready
yet."""


class AgentStage(StrEnum):
    """A stage of an action on an agent, in words that fit anywhere."""

    APPROVING = "approving"
    REJECTING = "rejecting"
    REJECTED = "rejected"
    STOPPING = "the agent stops after this step"
    STOPPING_NOW = "stopping the agent now"
    GOING_ON = "the agent goes on"
    SENDING = "sending"
    SENDING_LATER = "sending: it arrives when this step ends"


Steps = AsyncIterator[AgentStage | AgentState]
"""The stages of an action, then the state of the agent. An error after the state says how the
outcome differs from the action."""


class HalfDone(Refused):
    """The action was done and must not be repeated, but something failed after it."""


Starts = AsyncGenerator["StartTask | Conversation", None]
"""The task of a start at each new status, then the conversation."""


class Agents:
    """The agents of a server's conversations. Each action yields its stages and then the state of
    the agent, which is read again and never assumed."""

    def __init__(
        self, api: Server, start: Callable[[StartRequest], Starts], offers: StartOffers
    ) -> None:
        self.api = api
        self.start = start
        """Starts a conversation, in the way of this server: see `starting.start`."""
        self.offers = offers
        """What there is to choose from for a start."""

    async def state(self, conversation_id: str) -> AgentState:
        """The current state of an agent, in one call to the app server and two to the agent server.
        Raises Problem within 5 s when a server is frozen, dead or slow."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._state(conversation_id)
        except TimeoutError:
            raise Refused(
                f"The server did not tell within {PATIENCE:.0f} s how the agent stands",
                Remedy.THAW if self.api.workplace is IN_SANDBOX else Remedy.STEP_OVER,
            ) from None

    async def _state(self, conversation_id: str) -> AgentState:
        now = await present(self.api, conversation_id)
        if now.sandbox_status != "RUNNING":
            return AgentState(now)
        return await self._of_agent(now, self.agent_server(now))

    async def _of_agent(self, conversation: Conversation, agent: AgentServer) -> AgentState:
        """The state of an agent. Both calls go out together: an action can follow at once."""
        record, page = await asyncio.gather(
            agent.conversation(), agent.search_events(sort_order="TIMESTAMP_DESC", limit=PAGE)
        )
        clock = clock_of_record(conversation, page.items[::-1], not page.next_page_id)
        pages_left = LOOK_BACK if record.execution_status != "running" else 0
        events: list[Event] = []
        while True:
            events += page.items
            cursor = page.next_page_id
            run = build(reversed(events), live=True, complete=not cursor, clock=clock)
            now = read(conversation, record, run)
            if now.known or not cursor or not pages_left:
                return now
            pages_left -= 1
            page = await agent.search_events(
                sort_order="TIMESTAMP_DESC", page_id=cursor, limit=PAGE
            )

    async def answer(self, state: AgentState, *, accept: bool, reason: str = "") -> Steps:
        """Approves or rejects all waiting calls: the server takes no answer to a single call.
        Raises Refused at the end if they got another answer."""
        now = await self._as_shown(state)
        if not now.waits:
            raise _changed()
        agent = self.agent_server(now.conversation)
        if accept:
            now.require_in_sight()
            yield AgentStage.APPROVING
            await self._run(agent, now, agent.approve)
        else:
            yield AgentStage.REJECTING
            await agent.respond_to_confirmation(False, reason or REASON)
        # an agent that asks again at once may be about to run because of this answer: wait for that
        after = await self._after(state, lambda one: not one.waits)
        yield after
        after.require_answered(state, accept=accept, reason=reason)

    async def _run(
        self,
        agent: AgentServer,
        shown: AgentState,
        run: Callable[[], Coroutine[object, object, None]],
        patience: float | None = None,
    ) -> None:
        """Lets an agent continue that was just read in the state shown to the user.

        If it is not ready yet, tries again. Compares the state before each try: meanwhile somebody
        else may have answered, and another call may wait.
        """
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

    async def stop(self, state: AgentState, *, at_once: bool) -> Steps:
        """Stops the agent `at_once`, or after the current step, however long that takes. One that
        has stopped meanwhile is left alone."""
        agent = self.agent_server(state.conversation)
        if at_once:
            yield AgentStage.STOPPING_NOW
            await agent.interrupt()
        else:
            yield AgentStage.STOPPING
            now = await self.state(state.conversation.id)
            if not now.runs:
                yield now
                return
            await watched(agent, agent.pause())
            if not now.calls:
                await self._step_over(now)
        after = await self._after(state, lambda one: not one.runs)
        yield after
        after.require_stopped()

    async def _step_over(self, before: AgentState) -> None:
        """Waits for the end of the step in which the agent was stopped.

        While the model thinks, the server grants a stop at once: the agent is "paused" and still
        does what the model answers (measured). Nothing shows whether the model was asked at all.
        """
        loop = asyncio.get_running_loop()
        last, end = before.last_agent_event, loop.time() + THINKS
        while True:
            now = await self.state(before.conversation.id)
            if now.last_agent_event != last:
                last, end = now.last_agent_event, loop.time() + LASTS
            late = loop.time() >= end
            if now.status != "paused" or (
                (late or last != before.last_agent_event) and not now.calls
            ):
                return
            if late:
                raise Refused(
                    "The agent is stopped, but its last call had no result within "
                    f"{LASTS / 60:.0f} min",
                    Remedy.CONTINUE,
                )
            await asyncio.sleep(WATCH / 2)

    async def go_on(self, state: AgentState) -> Steps:
        """Lets the agent continue. Runs calls without a result, again if need be."""
        now = await self._as_shown(state)
        if now.runs:
            raise _runs()
        now.require_in_sight()
        agent = self.agent_server(now.conversation)
        yield AgentStage.GOING_ON
        try:
            await self._run(agent, now, agent.run, 0)
        except Conflict as refused:
            if (await self.state(now.conversation.id)).runs:  # another client was first
                raise _runs() from refused
            if now.status == "paused":  # it is still at work: see `_step_over`
                refused.hint = Remedy.CONTINUE_LATER
            raise
        after = await self._after(state)
        yield after
        after.require_gone_on(state)

    async def send(
        self, state: AgentState, text: str, *, approve: bool = False, reject: bool = False
    ) -> Steps:
        """Sends a message and lets the agent read it. For an agent that `is_held`, `approve` or
        `reject` decides about its calls. Raises HalfDone if the message arrived but is not read, or
        if it answered a call that was not shown.

        An agent that continues after a message runs its waiting calls before it reads the message.
        So the message is sent only if no call waits, or with `approve`, and never with `run`: the
        server would remember that for later, when another call may wait (source). Afterwards the
        agent is let go on if its state is unchanged. A working agent reads the message by itself;
        its current step may end with a question.
        """
        if reject and state.is_held:
            yield AgentStage.REJECTING
            state = await self.reject_for_message(state)
            yield AgentStage.REJECTED
        now = await self._as_shown(state)
        if now.calls and not (approve or now.runs):
            raise _changed()
        agent = self.agent_server(now.conversation)
        if now.runs:
            yield AgentStage.SENDING_LATER
            with _may_arrive():
                await watched(agent, agent.send_message(text, run=False))
        else:
            now.require_in_sight()
            yield AgentStage.SENDING
            with _may_arrive():
                await self.leave(now.conversation.id, text)
        try:
            goes_on = not now.runs
            if now.runs:
                now = await self.state(now.conversation.id)
                goes_on = now.unread and not (now.runs or now.waits or now.calls or now.obstacle)
                if goes_on:
                    yield AgentStage.GOING_ON
            if goes_on:
                await self._let_read(agent, now)
        except Problem as problem:
            why = f"{problem.sentence[0].lower()}{problem.sentence[1:]}"
            raise HalfDone(
                f"The message arrived, but the agent did not continue: {why}", problem.hint
            ) from problem
        after = await self._after(state)
        yield after
        if unseen := after.unseen(state):
            raise HalfDone(unseen.sentence, unseen.hint)

    async def leave(self, conversation_id: str, text: str) -> None:
        """Sends a message that the agent reads when it continues."""
        await self.api.send_message(conversation_id, text, run=False)

    async def _let_read(self, agent: AgentServer, shown: AgentState) -> None:
        """Lets an agent go on that got a message. Others may be first, but answer no call."""
        now = await self._of_agent(shown.conversation, agent)
        now.require_as_shown(shown)
        if now.runs:
            return
        try:
            await self._run(agent, shown, agent.run)
        except Conflict:
            if not (await self._of_agent(shown.conversation, agent)).runs:
                raise

    async def reject_for_message(self, state: AgentState) -> AgentState:
        """Rejects the waiting calls, so that a message can be sent. Returns the state after it."""
        now = await self._as_shown(state)
        reason = "The user says something instead."
        await self.agent_server(now.conversation).respond_to_confirmation(False, reason)
        after = await self.settled(now)
        if after.still_waits(now):
            raise Refused("The rejected call still waits, so nothing was sent", Remedy.SEND_AGAIN)
        after.require_answered(now, accept=False, reason=reason)
        after.require_as_shown(replace(now, status="idle", calls=()))
        return after

    async def settled(
        self, before: AgentState, as_asked: Callable[[AgentState], bool] = lambda _: True
    ) -> AgentState:
        """The state once something has changed and it is `as_asked`, or after 3 s at the latest:
        the error of an interrupted call may show before the agent has stopped."""
        end = asyncio.get_running_loop().time() + SETTLE
        wait = 0.1
        while True:
            now = await self.state(before.conversation.id)
            changed = now.status != before.status or not now.same_calls(before)
            if (changed or now.unread != before.unread) and as_asked(now):
                return now
            if asyncio.get_running_loop().time() >= end:
                return now
            await asyncio.sleep(wait)
            wait = min(wait * 2, 0.5)

    async def _after(
        self, before: AgentState, as_asked: Callable[[AgentState], bool] = lambda _: True
    ) -> AgentState:
        """`settled` after an action. Raises HalfDone on failure: it must not be repeated."""
        try:
            return await self.settled(before, as_asked)
        except Problem as problem:
            raise HalfDone(f"It was done, but then: {problem.sentence}", problem.hint) from problem

    async def _as_shown(self, state: AgentState) -> AgentState:
        """The current state. Raises Refused if the user saw another: no call is answered unseen."""
        now = await self.state(state.conversation.id)
        now.require_as_shown(state)
        return now

    def agent_server(self, conversation: Conversation) -> AgentServer:
        """The agent server of a conversation whose sandbox runs."""
        agent = self.api.agent_server(conversation)
        if agent is None:
            raise Refused(
                "The server does not tell where the agent is, though its sandbox runs",
                Remedy.REFRESH,
            )
        return agent


async def present(api: Server, conversation_id: str) -> Conversation:
    """The record of a conversation as it is now. Raises Refused if the server has none."""
    (now,) = await api.get_conversations([conversation_id])
    if now is None:
        raise Refused("This conversation is not on the server any more", Remedy.LIST)
    return now


async def watched(agent: AgentServer, request: Coroutine[object, object, T]) -> T:
    """The answer to a request that may take as long as a step. Raises Problem within seconds when
    the agent server dies; otherwise the request goes on there, even after cancellation."""
    task = asyncio.ensure_future(request)
    try:
        while not (await asyncio.wait({task}, timeout=WATCH))[0]:
            await agent.conversation()
        return task.result()
    finally:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # retrieved, or asyncio logs it


@contextlib.contextmanager
def _may_arrive() -> Iterator[None]:
    """Corrects the hint of a failed message: the app server gives up after 30 s, but the message
    still arrives (measured, app server 1.11.0)."""
    try:
        yield
    except ApiError as error:
        given_up = isinstance(error, TimedOut) or error.status in (502, 504)
        if given_up and error.hint == Remedy.MAYBE_DONE:
            error.hint = Remedy.MAY_ARRIVE
        raise


def _runs() -> Problem:
    return Refused("The agent runs already", Remedy.STOP)


def _changed() -> Problem:
    return Refused("What waits has changed meanwhile, so nothing was done", Remedy.LOOK)
