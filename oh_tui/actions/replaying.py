"""Runs a recorded run again on an agent server, and does again what its user did."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence

from oh_tui.api.agent_server import AgentServer
from oh_tui.api.bare_server import BareAgentServer
from oh_tui.api.errors import Conflict
from oh_tui.conversation import Conversation
from oh_tui.text.problem import Problem
from oh_tui.trajectory.replay.recorded_model import Outcome
from oh_tui.trajectory.replay.start import Deeds

POLL = 0.3
"""Seconds between two looks at the agent."""

IDLE = 30.0
"""Seconds after which an idle agent does not begin any more."""

_OVER = ("finished", "error", "stuck", "paused")


class Replaying:
    """One run that runs again. `hear` what the recorded model was asked, from any task of the
    loop; `run` starts it and returns how it ended."""

    def __init__(self, api: BareAgentServer, deeds: Sequence[Deeds]) -> None:
        self._api, self._deeds = api, deeds
        self.conversation: Conversation | None = None
        self._last = -1
        """The place of the last answer of the run itself that was given."""
        self._done: set[int] = set()
        """Places of answers after which the user has done everything again."""
        self._sending: list[asyncio.Task[None]] = []
        """Messages on their way to an agent that works."""

    def hear(self, outcome: Outcome) -> None:
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
        self.conversation = conversation = await self._api.start_with(body)
        agent = self._api.agent_server(conversation)
        status = ""
        try:
            status = await self._until_over(agent)
        finally:
            if status not in _OVER:
                with contextlib.suppress(Problem):
                    await agent.interrupt()
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
