"""Actions on an agent, over the embedded server: decided on its current state."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace

from oh_tui.actions import agent_actions
from oh_tui.actions.agent_actions import Agents, AgentStage, Steps
from oh_tui.actions.agent_state import AgentState
from oh_tui.api import AuthError, Conflict, RateLimited
from oh_tui.demo import Demo
from oh_tui.demo.runs.stored_events import StoredEvent
from oh_tui.sources.file_source import FileSource
from oh_tui.text.problem import Problem, Remedy
from oh_tui.trajectory.model.event_kinds import RESULT_KINDS
from tests.sources.here import IDS, demo_read
from tests.tui.explorer import Between

RESPOND = "POST /runtime/*/events/respond_to_confirmation"
RUN = "POST /runtime/*/run"
SEND = "POST /api/v1/app-conversations/*/send-message"
TELL = "POST /runtime/*/events"


@dataclass
class Here:
    demo: Demo
    agents: Agents
    between: Between

    async def state(self, slug: str) -> AgentState:
        return await self.agents.state(IDS[slug])

    def events(self, slug: str) -> list[StoredEvent]:
        conversation = self.demo.world.conversation(IDS[slug])
        assert conversation is not None
        return self.demo.world.agent_events(conversation)

    def kinds(self, slug: str) -> list[str]:
        return [event.kind for event in self.events(slug)]

    def results(self, slug: str, state: AgentState) -> list[str]:
        """The kinds of what came of the calls that had no result then."""
        ids = [call.event.id for call in state.calls]
        return [
            event.kind for event in self.events(slug)
            if event.kind in RESULT_KINDS and any(each in str(event.raw) for each in ids)
        ]  # fmt: skip


@pytest.fixture
async def here() -> AsyncIterator[Here]:
    async with demo_read() as it:
        yield Here(it.demo, it.source.agents, it.between)


async def done(steps: Steps) -> list[str]:
    """The stages; what comes last, how the agent stands then, is left out."""
    return [step async for step in steps if isinstance(step, AgentStage)]


def changes(here: Here) -> list[str]:
    return [call for call in here.between.asked if call.startswith("POST")]


# How it stands


@pytest.mark.parametrize(
    ("slug", "status", "calls"),
    [
        ("oauth", "waiting_for_confirmation", 1),
        ("flaky-ci", "running", 1),
        ("settings-split", "paused", 0),
        ("dep-bump", "error", 0),
        ("ledger", "finished", 0),
        ("docker-followup", "idle", 0),
    ],
)
async def test_it_is_read_from_the_sandbox(here: Here, slug: str, status: str, calls: int) -> None:
    state = await here.state(slug)
    assert (state.status, len(state.calls)) == (status, calls)
    assert state.obstacle is None
    assert (state.waits, state.runs) == (slug == "oauth", slug == "flaky-ci")
    assert changes(here) == []


@pytest.mark.parametrize(
    ("slug", "words"),
    [
        ("coverage", "The sandbox is paused"),
        ("fix-add", "The sandbox is gone"),
        ("crashed", "The sandbox failed"),
        ("dark-mode", "The sandbox is starting"),
    ],
)
async def test_without_a_sandbox_that_runs_it_says_why_and_asks_no_agent(
    here: Here, slug: str, words: str
) -> None:
    state = await here.state(slug)
    assert state.obstacle is not None
    assert state.obstacle.sentence == words
    assert state.obstacle.hint
    assert here.between.count("GET /runtime/*") == 0


async def test_a_conversation_that_is_not_there_is_a_sentence(here: Here) -> None:
    with pytest.raises(Problem, match="not on the server any more"):
        await here.agents.state("0" * 32)


@pytest.mark.parametrize("call", ["GET /runtime/*", "GET /api/v1/app-conversations"])
async def test_a_server_that_stays_silent_is_a_sentence_in_time(
    here: Here, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_actions, "PATIENCE", 0.2)
    here.between.hold(call)
    with pytest.raises(Problem, match="did not tell within") as caught:
        await here.state("oauth")
    assert caught.value.hint == Remedy.THAW


async def test_a_call_that_waits_is_found_far_back(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_actions, "PAGE", 1)
    assert len((await here.state("oauth")).calls) == 1


def test_files_have_no_agents() -> None:
    assert FileSource([]).agents is None


# Answering


async def test_a_yes_runs_the_call(here: Here) -> None:
    before = await here.state("oauth")
    assert await done(here.agents.answer(before, accept=True)) == ["approving"]
    after = await here.agents.settled(before)
    assert after.status in ("running", "finished")
    here.demo.advance(60)
    assert here.results("oauth", before) == ["ObservationEvent"]


async def test_a_no_gives_the_reason_and_the_call_never_runs(here: Here) -> None:
    before = await here.state("oauth")
    stages = here.agents.answer(before, accept=False, reason="not on a Friday")
    assert await done(stages) == ["rejecting"]
    after = await here.agents.settled(before)
    assert (after.status, after.calls, after.unread) == ("idle", (), True)
    here.demo.advance(600)
    assert here.results("oauth", before) == ["UserRejectObservation"]
    assert "not on a Friday" in str([event.raw for event in here.events("oauth")])


async def test_what_a_stop_leaves_may_show_before_the_agent_is_stopped(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await here.state("flaky-ci")
    assert before.runs
    told = [replace(before, unread=not before.unread)] * 2 + [replace(before, status="paused")]

    async def state(identifier: str) -> AgentState:
        assert identifier == before.conversation.id
        return told.pop(0)

    monkeypatch.setattr(here.agents, "state", state)
    assert (await here.agents.settled(before, lambda now: not now.runs)).status == "paused"
    assert not told


async def test_what_waits_without_a_known_call_is_not_said_to_wait_still(here: Here) -> None:
    waits = await here.state("oauth")
    with pytest.raises(Problem, match="still waits"):
        waits.require_answered(waits, accept=True)
    unknown = replace(waits, calls=())
    unknown.require_answered(unknown, accept=True)


async def test_what_waits_otherwise_than_was_seen_is_not_answered(here: Here) -> None:
    seen = await here.state("oauth")
    await done(here.agents.answer(seen, accept=False))
    here.between.asked.clear()
    with pytest.raises(Problem, match="Answered by somebody else: the agent is idle"):
        await done(here.agents.answer(seen, accept=True))
    assert changes(here) == []


# Stopping and going on


async def test_after_this_step_the_call_has_its_result(here: Here) -> None:
    before = await here.state("flaky-ci")
    here.demo.advance(27)
    assert await done(here.agents.stop(before, at_once=False)) == [
        "the agent stops after this step"
    ]
    after = await here.agents.settled(before)
    assert (after.status, after.calls) == ("paused", ())
    assert "AgentErrorEvent" not in here.kinds("flaky-ci")[-6:]


async def test_one_that_somebody_else_has_stopped_is_not_stopped_again(here: Here) -> None:
    before = await here.state("flaky-ci")
    await done(here.agents.stop(before, at_once=True))
    here.between.asked.clear()
    assert await done(here.agents.stop(before, at_once=False)) == [
        "the agent stops after this step"
    ]
    assert changes(here) == []


async def test_its_cost_is_that_of_all_usages_in_the_record_of_the_agent_server(here: Here) -> None:
    spent = {slug: (await here.state(slug)).cost for slug in ("flaky-ci", "ledger")}
    usages = {slug: here.demo.world.usages(conversation_of(here, slug)) for slug in spent}
    sums = {
        slug: sum(one["accumulated_cost"] for one in found.values())
        for slug, found in usages.items()
    }
    assert spent == pytest.approx(sums) and all(spent.values())


def conversation_of(here: Here, slug: str) -> Any:
    conversation = here.demo.world.conversation(IDS[slug])
    assert conversation is not None
    return conversation


async def test_while_the_model_thinks_it_is_stopped_only_when_its_last_call_is_over(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_actions, "WATCH", 0.02)
    world, clock = here.demo.world, here.demo.world.clock
    conversation = world.conversation(IDS["flaky-ci"])
    assert conversation is not None
    here.demo.advance(world.step_end(conversation) - clock.now() + 0.5)
    before = await here.state("flaky-ci")
    assert (before.status, before.calls, before.unread) == ("running", (), True)
    stopping = asyncio.ensure_future(done(here.agents.stop(before, at_once=False)))
    while (paused := await here.state("flaky-ci")).status != "paused":  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    assert paused.last_agent_event == before.last_agent_event
    with pytest.raises(Conflict) as caught:
        await done(here.agents.go_on(paused))
    assert caught.value.hint == Remedy.CONTINUE_LATER
    while not (await here.state("flaky-ci")).calls:
        here.demo.advance(0.2)
    await asyncio.sleep(0.1)
    assert not stopping.done()
    here.demo.advance(60)
    assert await asyncio.wait_for(stopping, 60) == ["the agent stops after this step"]
    after = await here.state("flaky-ci")
    assert (after.status, after.calls) == ("paused", ())
    assert "ObservationEvent" in here.kinds("flaky-ci")[-2:]


async def test_a_model_that_is_not_asked_any_more_is_not_waited_for_for_ever(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_actions, "WATCH", 0.02)
    monkeypatch.setattr(agent_actions, "THINKS", 0.1)
    world = here.demo.world
    conversation = world.conversation(IDS["flaky-ci"])
    assert conversation is not None
    here.demo.advance(world.step_end(conversation) - world.clock.now() + 0.5)
    before = await here.state("flaky-ci")
    await asyncio.wait_for(done(here.agents.stop(before, at_once=False)), 60)
    assert (await here.state("flaky-ci")).status == "paused"


async def test_a_call_that_gets_no_result_after_a_stop_is_not_waited_for_for_ever(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_actions, "WATCH", 0.02)
    monkeypatch.setattr(agent_actions, "LASTS", 0.3)
    world = here.demo.world
    conversation = world.conversation(IDS["flaky-ci"])
    assert conversation is not None
    here.demo.advance(world.step_end(conversation) - world.clock.now() + 0.5)
    before = await here.state("flaky-ci")
    stopping = asyncio.ensure_future(done(here.agents.stop(before, at_once=False)))
    while (await here.state("flaky-ci")).status != "paused":  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    while not (await here.state("flaky-ci")).calls:
        here.demo.advance(0.2)
    with pytest.raises(Problem, match="is stopped, but its last call") as caught:
        await asyncio.wait_for(stopping, 60)
    assert caught.value.hint == Remedy.CONTINUE
    now = await here.state("flaky-ci")
    assert (now.status, len(now.calls)) == ("paused", 1)


async def test_at_once_the_call_is_cut_off(here: Here) -> None:
    before = await here.state("flaky-ci")
    assert await done(here.agents.stop(before, at_once=True)) == ["stopping the agent now"]
    after = await here.agents.settled(before)
    assert (after.status, after.calls) == ("paused", ())
    assert "AgentErrorEvent" in here.kinds("flaky-ci")[-6:]


async def test_an_agent_server_that_dies_while_it_stops_is_noticed(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_actions, "WATCH", 0.05)
    before = await here.state("pydantic")
    here.between.hold("POST /runtime/*/pause")
    here.between.answer("GET /runtime/*", 503, "no server")
    with pytest.raises(Problem, match=r"\(503\)"):
        await asyncio.wait_for(done(here.agents.stop(before, at_once=False)), 60)


async def test_a_stopped_agent_goes_on(here: Here) -> None:
    before = await here.state("settings-split")
    assert await done(here.agents.go_on(before)) == ["the agent goes on"]
    assert (await here.agents.settled(before)).status in ("running", "finished")


async def test_one_that_runs_is_not_run_twice(here: Here) -> None:
    with pytest.raises(Problem, match="runs already"):
        await done(here.agents.go_on(await here.state("flaky-ci")))
    assert changes(here) == []


# Messages


async def test_a_message_to_one_that_waits_is_not_sent_by_itself(here: Here) -> None:
    with pytest.raises(Problem, match="has changed meanwhile"):
        await done(here.agents.send(await here.state("oauth"), "hello"))
    assert changes(here) == []


async def test_rejected_first_the_message_runs_nothing(here: Here) -> None:
    before = await here.state("oauth")
    free = await here.agents.reject_for_message(before)
    assert (free.status, free.calls) == ("idle", ())
    assert await done(here.agents.send(free, "open a pull request instead")) == ["sending"]
    here.demo.advance(600)
    assert here.results("oauth", before) == ["UserRejectObservation"]
    assert "open a pull request instead" in str([event.raw for event in here.events("oauth")])


async def test_a_rejection_that_does_not_take_keeps_the_message_back(here: Here) -> None:
    before = await here.state("oauth")
    here.between.answer(RESPOND, 200, '{"success": true}', "application/json")
    with pytest.raises(Problem, match="still waits, so nothing was sent"):
        await here.agents.reject_for_message(before)
    assert here.between.count(SEND) == here.between.count(TELL) == 0


async def test_approved_it_is_sent_at_once(here: Here) -> None:
    before = await here.state("oauth")
    await done(here.agents.send(before, "go", approve=True))
    assert here.between.count(SEND) == 1
    assert (await here.agents.settled(before)).status != "waiting_for_confirmation"


async def test_to_one_that_works_it_is_said_when_its_step_ends_and_lets_nothing_run(
    here: Here,
) -> None:
    before = await here.state("flaky-ci")
    here.demo.advance(27)
    stages = await done(here.agents.send(before, "and a changelog"))
    assert stages[0] == "sending: it arrives when this step ends"
    assert (here.between.count(TELL), here.between.count(SEND)) == (1, 0)
    assert "and a changelog" in str([e.raw for e in here.events("flaky-ci")])


# Refusals


@pytest.mark.parametrize(
    "status", [400, 401, 403, 404, 405, 409, 410, 413, 422, 429, 500, 502, 503]
)
@pytest.mark.parametrize("call", [RESPOND, SEND, RUN, "GET /runtime/*", "GET /api/v1/app-conv*"])
async def test_every_refusal_is_one_sentence_with_a_next_step(
    here: Here, call: str, status: int
) -> None:
    slug = {RESPOND: "oauth", SEND: "ledger"}.get(call, "settings-split")
    state = await here.state(slug)
    here.between.answer(call, status, '{"detail": "no"}', "application/json")
    stages = {
        RESPOND: here.agents.answer(state, accept=False),
        SEND: here.agents.send(state, "hello"),
    }.get(call) or here.agents.go_on(state)
    with pytest.raises(Problem) as caught:
        await done(stages)
    assert f"({status})" in caught.value.sentence
    assert "\n" not in caught.value.sentence
    assert caught.value.hint or status == 413
    expected = {401: AuthError, 403: AuthError, 409: Conflict, 429: RateLimited}
    assert isinstance(caught.value, expected.get(status, Problem))
