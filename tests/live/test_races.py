"""Another client of the real server approves first: what our approval runs and reports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from oh_tui.actions.agent_actions import Agents, HalfDone
from oh_tui.actions.agent_state import AgentState
from oh_tui.api import AppServer, Conversation
from oh_tui.sources.server import ServerSource
from oh_tui.text.problem import Problem
from tests.contract.acting import Stage, agents_of
from tests.tui.explorer import explore

from .conftest import Live
from .servers.proxy import Proxy
from .servers.scripts import AGAIN, PROOF
from .test_answering import SOON, asked

pytestmark = pytest.mark.live

RUN = "POST */run"


@dataclass
class Race:
    stage: Stage
    conversation: Conversation
    proxy: Proxy
    api: AppServer
    """Our client, behind the proxy; the stage is the other one."""
    work: Path

    async def approves(self) -> None:
        """The other client approves, and the call runs for two seconds."""
        await self.stage.agent(self.conversation).run()
        await self.stage.until_status(self.conversation, "running")

    async def asks_anew(self) -> None:
        """Until the agent waits with its second call."""

        async def there() -> bool:
            agent = agents_of(self.stage.api)
            now = await agent.state(self.conversation.id)
            return now.waits and any(AGAIN in str(call.event.body()) for call in now.calls)

        await self.stage.until(there)

    async def approves_and_it_asks_anew(self) -> None:
        await self.approves()
        await self.asks_anew()

    async def ran(self) -> list[str]:
        """Which of the two calls were run, when nothing runs any more."""
        await self.stage.until_over(self.conversation)
        await self.stage.sleep(1)
        return [name for name in (PROOF, AGAIN) if (self.work / name).exists()]


@pytest.fixture
async def race(stage: Stage, live: Live, folder: Path) -> AsyncIterator[Race]:
    work, proxy = folder / "work", Proxy()
    conversation = await stage.started()
    await stage.confirms(conversation)
    (work / AGAIN).unlink(missing_ok=True)
    await stage.api.send_message(conversation.id, "script:twice")
    await stage.until_status(conversation, "waiting_for_confirmation")
    await stage.sleep(2)
    async with AppServer(live.url, app=proxy) as api:
        yield Race(stage, conversation, proxy, api, work)
    await stage.agent(conversation).respond_to_confirmation(False, "The test is over.")
    await proxy.aclose()


async def approved(race: Race) -> None:
    agents = agents_of(race.api)
    seen = await agents.state(race.conversation.id)
    assert PROOF in str(seen.calls[0].event.body())
    await answered(agents, seen)


async def answered(agents: Agents, seen: AgentState) -> None:
    async for _ in agents.answer(seen, accept=True):
        pass
    now = await agents.settled(seen, lambda now: not now.waits)
    now.require_answered(seen, accept=True)


async def test_an_approval_that_is_refused_does_not_run_the_next_call(race: Race) -> None:
    """As it was seen: the other client approves, our run gets 409, and a new call waits."""
    race.proxy.before(RUN, race.approves)
    race.proxy.after(RUN, race.asks_anew)
    with pytest.raises(Problem, match=f"Answered by somebody else; now it asks: .*{AGAIN}"):
        await approved(race)
    assert race.proxy.asked == [("run", 409)]
    assert await race.ran() == [PROOF]


async def test_what_was_approved_before_we_look_is_not_approved_again(race: Race) -> None:
    agents = agents_of(race.api)
    seen = await agents.state(race.conversation.id)
    await race.approves_and_it_asks_anew()
    with pytest.raises(Problem, match=f"Answered by somebody else; now it asks: .*{AGAIN}"):
        await answered(agents, seen)
    assert race.proxy.asked == []
    assert await race.ran() == [PROOF]


async def test_what_runs_in_the_gap_of_the_server_is_named(race: Race) -> None:
    race.proxy.before(RUN, race.approves_and_it_asks_anew)
    with pytest.raises(Problem, match=f"a call that was not shown got an answer too: .*{AGAIN}"):
        await approved(race)
    assert race.proxy.asked == [("run", 200)]
    assert await race.ran() == [PROOF, AGAIN]


async def test_a_message_that_approves_does_not_run_the_next_call(race: Race) -> None:
    agents = agents_of(race.api)
    seen = await agents.state(race.conversation.id)
    race.proxy.before("POST */send-message", race.approves)
    with pytest.raises(HalfDone, match="The message arrived"):
        async for _ in agents.send(seen, "script:reply", approve=True):
            pass
    assert [name for name, _ in race.proxy.asked] == ["send-message"]
    assert await race.ran() == [PROOF]


@pytest.mark.parametrize("moment", ["refused", "gap"])
async def test_the_explorer_says_what_came_of_y(race: Race, live: Live, moment: str) -> None:
    def make() -> ServerSource:
        return ServerSource(AppServer(live.url, app=race.proxy), "live")

    does: Callable[[], Awaitable[object]] = (
        race.approves if moment == "refused" else race.approves_and_it_asks_anew
    )
    async with explore(source=make, open_id=race.conversation.id) as it:
        await it.until(lambda: it.screen.timeline.row_count(), SOON)
        assert PROOF in await asked(it, "a")
        race.proxy.before(RUN, does)
        if moment == "refused":
            race.proxy.after(RUN, race.asks_anew)
        await it.send("y")
        words = "now it asks" if moment == "refused" else "was not shown got an answer too"
        await it.until(
            lambda: any(words in text for text, error in it.screen.footer.history if error), SOON
        )
        assert "approved ·" not in str(it.screen.footer.history)
    assert await race.ran() == [PROOF] + ([AGAIN] if moment == "gap" else [])
