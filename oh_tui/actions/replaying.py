"""Runs a recorded run again on an agent server, and does again what its user did."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from oh_tui.actions.replay_endpoint import Endpoint
from oh_tui.actions.replay_plan import Plan, Then
from oh_tui.api.agent_server import AgentServer
from oh_tui.api.bare_server import BareAgentServer
from oh_tui.api.errors import Conflict
from oh_tui.conversation import Conversation
from oh_tui.text.problem import Problem
from oh_tui.trajectory.replay.recorded_model import Outcome
from oh_tui.trajectory.replay.start import Deeds, deeds_of

POLL = 0.3
"""Seconds between two looks at the agent."""

IDLE = 30.0
"""Seconds after which an idle agent does not begin any more."""

PAUSES = 5.0
"""Seconds in which a server has to pause an agent that waits for its model."""

_OVER = ("finished", "error", "stuck", "paused")


class Started(NamedTuple):
    conversation: Conversation


class Waited(NamedTuple):
    """The agent waited for a yes, and gets what the record has."""

    at: int
    """The place of the answer whose calls wait; -1 before the first."""
    rejected: str | None
    """The reason, if the user rejected them; None for a yes."""


class Switched(NamedTuple):
    """The record is left: the agent goes on with the profile of the plan."""


class Ended(NamedTuple):
    status: str
    """How the agent ended, as the server names it."""
    cost: float | None = None
    """What the profile has cost in US dollars; None where no price is known."""
    is_stopped: bool = False
    """It has cost what the plan allows."""


Happening: TypeAlias = Started | Outcome | Waited | Switched | Ended


async def run_again(
    api: BareAgentServer, plan: Plan, *, port: int = 0, pace: float = 0.0
) -> AsyncGenerator[Happening, None]:
    """Starts a run on a server and follows it; what happens comes as it happens, the end last. To
    cancel or close it (`contextlib.aclosing`) stops the agent that it started. Raises Problem where
    the server fails."""
    told = asyncio.Queue[Happening | None]()
    again = Replaying(api, deeds_of(plan.model.records[0]), told.put_nowait, plan.then)
    loop, hear = asyncio.get_running_loop(), in_loop(again.hear)

    def hear_in_thread(outcome: Outcome) -> None:
        hear(outcome)
        if plan.then and outcome.given and outcome.at == (0, plan.then.after - 1):
            # paused while it waits for the answer, it stops after the step (measured)
            with contextlib.suppress(Exception):  # without a pause the record ends here
                asyncio.run_coroutine_threadsafe(again.pause(), loop).result(PAUSES)

    endpoint = Endpoint(plan.model, hear_in_thread, port=port, pace=pace)
    running = asyncio.ensure_future(again.run(plan.body(endpoint)))
    running.add_done_callback(lambda _: told.put_nowait(None))
    try:
        while (one := await told.get()) is not None:
            yield one
        yield await running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        endpoint.close()


def in_loop(tell: Callable[[Outcome], None]) -> Callable[[Outcome], None]:
    """`tell` for a thread of the endpoint: it is called in the loop that runs now."""
    loop = asyncio.get_running_loop()

    def hear(outcome: Outcome) -> None:
        loop.call_soon_threadsafe(tell, outcome)

    return hear


class Replaying:
    """One run that runs again. `hear` what the recorded model was asked, from any task of the
    loop; `run` starts it and returns how it ended."""

    def __init__(
        self,
        api: BareAgentServer,
        deeds: Sequence[Deeds],
        tell: Callable[[Happening], None],
        then: Then | None = None,
    ) -> None:
        self._api, self._deeds, self._tell, self._then = api, deeds, tell, then
        self._starting: asyncio.Future[Conversation] | None = None
        self._before: float | None = None
        """What the run had cost when the record was left, by the prices of the server."""
        self._goes_on = False
        """The profile has the word: what the user of the record did is over."""
        self.conversation: Conversation | None = None
        self._last = -1
        """The place of the last answer of the run itself that was given."""
        self._done: set[int] = set()
        """Places of answers after which the user has done everything again."""
        self._waited: set[int] = set()
        self._sending: list[asyncio.Task[None]] = []
        """Messages on their way to an agent that works."""

    def hear(self, outcome: Outcome) -> None:
        self._tell(outcome)
        if outcome.given is None or outcome.at is None or outcome.at[0]:
            return
        self._last = outcome.at[1]
        deed = self._deeds[self._last]
        if deed.goes_on and deed.said and self._last not in self._done and self.conversation:
            # it lands after the step that runs now, where the record has it (measured)
            self._done.add(self._last)
            agent = self._api.agent_server(self.conversation)
            self._sending.append(asyncio.ensure_future(self._say(agent, deed.said, run=False)))

    async def pause(self) -> None:
        if self._starting:
            await self._api.agent_server(await self._starting).pause()

    async def run(self, body: Mapping[str, object]) -> Ended:
        """What it started is stopped if this is cancelled."""
        self._starting = starting = asyncio.ensure_future(self._api.start_with(body))
        ended = Ended("")
        try:
            # to cancel a request on its way would leave an agent that nobody stops
            self.conversation = await asyncio.shield(starting)
            self._tell(Started(self.conversation))
            ended = await self._until_over(self._api.agent_server(self.conversation))
        finally:
            if ended.status not in _OVER:
                with contextlib.suppress(Problem):
                    await self._api.agent_server(await starting).interrupt()
        return ended

    async def _until_over(self, agent: AgentServer) -> Ended:
        idle = 0.0
        while True:
            await asyncio.sleep(POLL)
            for sent in filter(asyncio.Task.done, [*self._sending]):
                self._sending.remove(sent)
                sent.result()  # raises what kept the server from taking it
            record = await agent.conversation()
            status = record.execution_status or ""
            at = self._last
            deed = self._deeds[at] if at >= 0 else Deeds()
            is_own = status == "waiting_for_confirmation" and self._goes_on
            idle = idle + POLL if status == "idle" or is_own else 0.0
            if await self._leaves(agent, status, record.cost):
                continue
            cost = None
            if self._before is not None and record.cost is not None:
                cost = max(0.0, record.cost - self._before)
            most = self._then.most if self._then else None
            if status == "running" and most is not None and (cost or 0.0) >= most:
                await agent.pause()
                return Ended("paused", cost, is_stopped=True)
            if status == "waiting_for_confirmation" and not is_own:
                await self._confirm(agent, at, deed)
            elif status in ("idle", "finished") and at not in self._done and deed.said:
                self._done.add(at)
                await self._say(agent, deed.said, run=True)
                self._goes_on = self._before is not None
            elif (status in _OVER and not self._sending) or idle > IDLE:
                return Ended(status, cost)

    async def _leaves(self, agent: AgentServer, status: str, cost: float | None) -> bool:
        """Whether it did something to leave the record, after its last answer."""
        then = self._then
        if not then or self._last < then.after - 1 or self._goes_on:
            return False
        if self._before is None and status not in ("running", "error", "stuck"):
            await agent.switch_profile(then.profile)  # the server does it at the end of its step
            self._before = cost or 0.0
            self._tell(Switched())
            return True
        if self._before is None or status != "paused":
            return False
        with contextlib.suppress(Conflict):  # its step has not ended
            await agent.run()
            self._goes_on = True
        return True

    async def _confirm(self, agent: AgentServer, at: int, deed: Deeds) -> None:
        if at not in self._waited:
            self._waited.add(at)
            self._tell(Waited(at, deed.rejected))
        with contextlib.suppress(Conflict):  # not ready yet
            if deed.rejected is None:
                await agent.approve()
            else:
                await agent.respond_to_confirmation(False, deed.rejected)
                if not deed.said:
                    await agent.run()
            self._goes_on = self._before is not None and not (deed.rejected and deed.said)

    async def _say(self, agent: AgentServer, texts: Sequence[str], *, run: bool) -> None:
        for text in texts:
            await agent.send_message(text, run=run)
