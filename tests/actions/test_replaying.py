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
from oh_tui.actions.replay_plan import Plan, Then, make_plan, require_profile
from oh_tui.actions.replaying import Ended, Replaying, Started, Switched, run_again
from oh_tui.api.errors import NotFound, Unreachable
from oh_tui.api.models import LlmProfile, LlmProfiles
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
        return SimpleNamespace(execution_status=self.status, cost=None)

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


class Switching(Asking):
    """Its agent asks the recorded model until it is paused, and is done two answers after the
    switch, each of which costs a dollar."""

    def __init__(self, study: Study, *, cost: float = 0.0, waits: bool = False) -> None:
        super().__init__(study, 0)
        self.cost, self.waits, self.acts = cost, waits, list[str]()
        self.is_paused, self.asked = False, 0

    async def _ask(self) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            while not self.is_paused:
                answer = await client.post(
                    f"{self.llm['base_url']}/chat/completions",
                    json=body_at(self.study, self.asked),
                    headers={"Authorization": f"Bearer {self.llm['api_key']}"},
                )
                self.asked += answer.status_code == 200
                if answer.status_code != 200:
                    self.status = "error"
                    return
        self.status = "waiting_for_confirmation" if self.waits else "paused"

    async def _go_on(self) -> None:
        self.status = "running"
        for _ in range(40):
            await asyncio.sleep(0.01)
            self.cost += 0.05
        if self.status == "running":
            self.status = "waiting_for_confirmation" if self.waits else "finished"

    async def conversation(self) -> object:
        return SimpleNamespace(execution_status=self.status, cost=self.cost)

    async def pause(self) -> None:
        self.acts.append("pause")
        self.is_paused, self.status = True, "paused"

    async def switch_profile(self, name: str) -> None:
        if self.work:
            await self.work  # as the server: at the end of the step
        self.acts.append(f"switch to {name}")

    async def run(self) -> None:
        self.acts.append("run")
        self.work = asyncio.ensure_future(self._go_on())

    async def approve(self) -> None:
        self.acts.append("approve")
        await self.run()


def planned(study: Study, then: Then | None = None) -> Plan:
    found = check(study, "")
    return make_plan(study, Conversation("1"), found, place="/tmp/elsewhere", then=then)


async def test_after_its_last_answer_the_profile_goes_on() -> None:
    study = Study(demo_run("week-dates", "agent"))
    server: Any = Switching(study, cost=7.0)
    plan = planned(study, Then(3, "big", None))
    assert "after answer 3 big goes on, which costs money" in plan.stake("here")
    async with aclosing(run_again(server, plan)) as happenings:
        told = [one async for one in happenings]
    assert server.acts == ["pause", "switch to big", "run"]
    assert server.asked == 3 == plan.model.answers == plan.model.known
    kinds = [type(one) for one in told]
    assert kinds == [Started, Outcome, Outcome, Outcome, Switched, Ended]
    end = told[-1]
    assert isinstance(end, Ended) and (end.status, end.is_stopped) == ("finished", False)
    assert end.cost == pytest.approx(2.0)


async def test_the_profile_is_stopped_at_what_it_may_cost() -> None:
    study = Study(demo_run("week-dates", "agent"))
    server: Any = Switching(study, cost=7.0)
    async with aclosing(run_again(server, planned(study, Then(2, "big", 0.5)))) as happenings:
        *_, end = [one async for one in happenings]
    assert isinstance(end, Ended) and end.is_stopped and 0.5 <= (end.cost or 0) < 2
    assert server.acts == ["pause", "switch to big", "run", "pause"]


async def test_no_call_of_the_profile_is_approved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "IDLE", 0.05)
    study = Study(demo_run("week-dates", "agent"))
    server: Any = Switching(study, waits=True)
    async with aclosing(run_again(server, planned(study, Then(2, "big", None)))) as happenings:
        *_, end = [one async for one in happenings]
    assert isinstance(end, Ended) and end.status == "waiting_for_confirmation"
    # that of the record is, once
    assert server.acts == ["pause", "switch to big", "approve", "run"]


async def test_an_agent_that_is_not_paused_in_time_gets_no_further_answer() -> None:
    study = Study(demo_run("week-dates", "agent"))
    server: Any = Switching(study)

    async def pause() -> None:
        raise Problem("The server is busy")

    server.pause = pause
    plan = planned(study, Then(2, "big", None))
    async with aclosing(run_again(server, plan)) as happenings:
        told = [one async for one in happenings]
    assert told[-1] == Ended("error") and not any(isinstance(one, Switched) for one in told)
    assert plan.model.answers == 2


@pytest.mark.parametrize(
    ("kept", "lacks"),
    [
        (LlmProfiles((LlmProfile("small"),)), "The profile big is not on the server"),
        (LlmProfiles((LlmProfile("big", None, False),)), "The profile big has no key on the serv"),
        (NotFound("gone"), "Agent server 1.17.0 cannot keep profiles: servers since 1.22 can"),
    ],
)
async def test_a_server_that_cannot_switch_is_refused(kept: Any, lacks: str) -> None:
    class Kept:
        async def llm_profiles(self) -> LlmProfiles:
            if isinstance(kept, Exception):
                raise kept
            return kept  # type: ignore[no-any-return]

        async def version(self) -> str:
            return "1.17.0"

    api: Any = Kept()
    with pytest.raises(Problem, match=lacks):
        await require_profile(api, "big")


def test_an_answer_that_is_none_or_that_ends_the_run_is_refused() -> None:
    study = Study(demo_run("ledger", "agent"))
    count = len(study.contexts.answers)
    for after, why in ((count + 1, f"The run has {count} answers"), (count, "Its agent is done")):
        with pytest.raises(Problem, match=why):
            planned(study, Then(after, "big", None))


async def test_a_server_that_dies_midway_is_a_problem_and_the_model_ends() -> None:
    study = Study(demo_run("week-dates", "agent"))
    server: Any = Asking(study, 2)

    async def conversation() -> object:
        if server.work.done():
            raise Unreachable("Connection refused")
        return SimpleNamespace(execution_status="running", cost=None)

    server.conversation = conversation
    with pytest.raises(Unreachable):
        async with aclosing(run_again(server, planned(study))) as happenings:
            async for _ in happenings:
                pass
    assert server.was_stopped  # which the dead server does not hear
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(server.llm["base_url"])


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
