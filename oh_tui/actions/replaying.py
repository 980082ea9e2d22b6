"""Runs a recorded run again on an agent server, and does again what its user did."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from oh_tui.actions.replay_endpoint import Endpoint
from oh_tui.actions.replay_plan import Plan
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

_OVER = ("finished", "error", "stuck", "paused")


class Started(NamedTuple):
    conversation: Conversation


class Waited(NamedTuple):
    """The agent waited for a yes, and gets what the record has."""

    at: int
    """The place of the answer whose calls wait; -1 before the first."""
    rejected: str | None
    """The reason, if the user rejected them; None for a yes."""


class Ended(NamedTuple):
    status: str
    """How the agent ended, as the server names it."""


Happening: TypeAlias = Started | Outcome | Waited | Ended


async def run_again(
    api: BareAgentServer, plan: Plan, *, port: int = 0, pace: float = 0.0
) -> AsyncGenerator[Happening, None]:
    """Starts a run on a server and follows it; what happens comes as it happens, the end last. To
    cancel or close it (`contextlib.aclosing`) stops the agent that it started. Raises Problem where
    the server fails."""
    told = asyncio.Queue[Happening | None]()
    again = Replaying(api, deeds_of(plan.model.records[0]), told.put_nowait)
    endpoint = Endpoint(plan.model, in_loop(again.hear), port=port, pace=pace)
    running = asyncio.ensure_future(again.run(plan.body(endpoint)))
    running.add_done_callback(lambda _: told.put_nowait(None))
    try:
        while (one := await told.get()) is not None:
            yield one
        yield Ended(await running)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        endpoint.close()


def in_loop(told: Callable[[Outcome], None]) -> Callable[[Outcome], None]:
    """`told` for a thread of the endpoint: it is called in the loop that runs now."""
    loop = asyncio.get_running_loop()

    def hear(outcome: Outcome) -> None:
        loop.call_soon_threadsafe(told, outcome)

    return hear


class Replaying:
    """One run that runs again. `hear` what the recorded model was asked, from any task of the
    loop; `run` starts it and returns how it ended."""

    def __init__(
        self, api: BareAgentServer, deeds: Sequence[Deeds], told: Callable[[Happening], None]
    ) -> None:
        self._api, self._deeds, self._told = api, deeds, told
        self.conversation: Conversation | None = None
        self._last = -1
        """The place of the last answer of the run itself that was given."""
        self._done: set[int] = set()
        """Places of answers after which the user has done everything again."""
        self._waited: set[int] = set()
        self._sending: list[asyncio.Task[None]] = []
        """Messages on their way to an agent that works."""

    def hear(self, outcome: Outcome) -> None:
        self._told(outcome)
        if outcome.given is None or outcome.at is None or outcome.at[0]:
            return
        self._last = outcome.at[1]
        deed = self._deeds[self._last]
        if deed.goes_on and deed.said and self._last not in self._done and self.conversation:
            # it lands after the step that runs now, where the record has it (measured)
            self._done.add(self._last)
            agent = self._api.agent_server(self.conversation)
            self._sending.append(asyncio.ensure_future(self._say(agent, deed.said, run=False)))

    async def run(self, body: Mapping[str, object]) -> str:
        """The status with which it ended. What it started is stopped if this is cancelled."""
        starting = asyncio.ensure_future(self._api.start_with(body))
        status = ""
        try:
            # to cancel a request on its way would leave an agent that nobody stops
            self.conversation = await asyncio.shield(starting)
            self._told(Started(self.conversation))
            status = await self._until_over(self._api.agent_server(self.conversation))
        finally:
            if status not in _OVER:
                with contextlib.suppress(Problem):
                    await self._api.agent_server(await starting).interrupt()
        return status

    async def _until_over(self, agent: AgentServer) -> str:
        idle = 0.0
        while True:
            await asyncio.sleep(POLL)
            for sent in filter(asyncio.Task.done, [*self._sending]):
                self._sending.remove(sent)
                sent.result()  # raises what kept the server from taking it
            status = (await agent.conversation()).execution_status or ""
            at = self._last
            deed = self._deeds[at] if at >= 0 else Deeds()
            idle = idle + POLL if status == "idle" else 0.0
            if status == "waiting_for_confirmation":
                await self._confirm(agent, at, deed)
            elif status in ("idle", "finished") and at not in self._done and deed.said:
                self._done.add(at)
                await self._say(agent, deed.said, run=True)
            elif (status in _OVER and not self._sending) or idle > IDLE:
                return status

    async def _confirm(self, agent: AgentServer, at: int, deed: Deeds) -> None:
        if at not in self._waited:
            self._waited.add(at)
            self._told(Waited(at, deed.rejected))
        with contextlib.suppress(Conflict):  # not ready yet
            if deed.rejected is None:
                await agent.approve()
                return
            await agent.respond_to_confirmation(False, deed.rejected)
            if not deed.said:
                await agent.run()

    async def _say(self, agent: AgentServer, texts: Sequence[str], *, run: bool) -> None:
        for text in texts:
            await agent.send_message(text, run=run)
