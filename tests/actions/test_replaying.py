"""A run that runs again: what happens, what becomes of the messages of its user, and its stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from oh_tui.actions import replaying
from oh_tui.actions.replay_plan import Plan, make_plan
from oh_tui.actions.replaying import Ended, Replaying, Started, run_again
from oh_tui.conversation import Conversation
from oh_tui.text.problem import Problem
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.replay.check import check
from oh_tui.trajectory.replay.record import Given
from oh_tui.trajectory.replay.recorded_model import Match, Outcome
from oh_tui.trajectory.replay.requests import Purpose
from oh_tui.trajectory.replay.start import Deeds
from tests.demo_runs import demo_run
from tests.trajectory.replay.made import body_at


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "POLL", 0.001)


class Server:
    """An agent that works until it is stopped, on a server that takes no message."""

    def __init__(self) -> None:
        self.status = "running"
        self.looked: Callable[[], object] = bool
        self.was_stopped = False

    async def start_with(self, body: Any) -> object:
        return Conversation("1")

    def agent_server(self, conversation: object) -> Server:
        return self

    async def conversation(self) -> object:
        self.looked()
        return SimpleNamespace(execution_status=self.status)

    async def send_message(self, text: str, *, run: bool) -> None:
        raise Problem(f"The server does not take {text}")

    async def interrupt(self) -> None:
        self.was_stopped = True


async def test_a_message_that_is_not_taken_ends_it() -> None:
    server: Any = Server()
    again = Replaying(server, [Deeds(said=("go on",), goes_on=True)], lambda one: None)
    server.looked = lambda: again.hear(Outcome(Purpose.AGENT, Given("first"), at=(0, 0)))
    with pytest.raises(Problem, match="does not take go on"):
        await again.run({})
    assert server.was_stopped


class Asking(Server):
    """Its agent asks the recorded model as the record has it, `count` times."""

    def __init__(self, study: Study, count: int) -> None:
        super().__init__()
        self.study, self.count = study, count
        self.llm: dict[str, Any] = {}
        self.work: asyncio.Task[None] | None = None

    async def start_with(self, body: Any) -> object:
        self.llm = body["agent"]["llm"]
        self.work = asyncio.ensure_future(self._ask())
        return await super().start_with(body)

    async def _ask(self) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            for number in range(self.count):
                answer = await client.post(
                    f"{self.llm['base_url']}/chat/completions",
                    json=body_at(self.study, number),
                    headers={"Authorization": f"Bearer {self.llm['api_key']}"},
                )
                assert answer.status_code == 200, answer.text
        if self.count > 1:
            self.status = "error"


def planned(study: Study) -> Plan:
    return make_plan(study, Conversation("1"), check(study, ""), place="/tmp/elsewhere")


async def test_what_happens_comes_in_order_and_its_end_last() -> None:
    study = Study(demo_run("week-dates", "agent"))
    server: Any = Asking(study, 3)
    async with aclosing(run_again(server, planned(study))) as happenings:
        first, *outcomes, last = [one async for one in happenings]
    assert isinstance(first, Started) and last == Ended("error")
    assert [isinstance(one, Outcome) and one.at for one in outcomes] == [(0, 0), (0, 1), (0, 2)]
    assert isinstance(outcomes[0], Outcome) and isinstance(outcomes[0].match, Match)
    assert not server.was_stopped


async def test_to_close_it_stops_the_agent_and_the_model() -> None:
    study = Study(demo_run("week-dates", "agent"))
    server: Any = Asking(study, 1)
    async with aclosing(run_again(server, planned(study))) as happenings:
        async for one in happenings:
            if isinstance(one, Outcome):
                break
    assert server.was_stopped
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(server.llm["base_url"])


async def test_an_agent_that_starts_while_it_is_cancelled_is_stopped() -> None:
    server: Any = Server()
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def start_with(body: object) -> object:
        begun.set()
        await goes_on.wait()
        return Conversation("1")

    server.start_with = start_with
    running = asyncio.ensure_future(Replaying(server, [], lambda one: None).run({}))
    await begun.wait()
    running.cancel()
    await asyncio.sleep(0)
    goes_on.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert server.was_stopped
