"""Forking a conversation, over the embedded server: where, what it knows, what is said of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from oh_tui.actions import agent_setup, forking
from oh_tui.actions.agent_actions import Agents
from oh_tui.actions.agent_state import AgentState
from oh_tui.actions.forking import Forked
from oh_tui.api import AppServer, BareAgentServer, same_id
from oh_tui.conversation import Conversation
from oh_tui.demo import Demo
from oh_tui.demo.servers.alone import make_alone
from oh_tui.demo.world import AgentVersion
from oh_tui.sources.agent_server import AgentServerSource
from oh_tui.sources.server import ServerSource
from oh_tui.text.problem import Problem, Remedy
from oh_tui.trajectory.model.trajectory import Trajectory
from tests.sources.here import IDS
from tests.tui.explorer import AT_ONCE, NOW, Between

FORK = "POST /runtime/*/fork"
DATES, OAUTH, FLAKY = IDS["week-dates"], IDS["oauth"], IDS["flaky-ci"]
TITLE = "Parse ISO week dates"


@dataclass
class Here:
    demo: Demo
    agents: Agents
    between: Between
    source: ServerSource | AgentServerSource

    async def run(self, identifier: str) -> Trajectory:
        (one,) = await self.agents.api.get_conversations([identifier])
        assert one is not None
        found = None
        async for state in self.source.runs.load(one):
            found = found if state.trajectory is None else state.trajectory
        assert found is not None
        return found

    async def fork(self, identifier: str, step: int | None = None, **how: object) -> Forked:
        run = await self.run(identifier)
        return await forking.fork(self.agents, identifier, run, step, **how)  # type: ignore[arg-type]

    async def tell(self, one: Conversation, words: str) -> AgentState:
        state = await self.agents.state(one.id)
        async for _ in self.agents.send(state, words):
            pass
        self.demo.advance(60)
        return await self.agents.state(one.id)


@pytest.fixture(params=[AgentVersion.USUAL])
def version(request: pytest.FixtureRequest) -> AgentVersion:
    found: AgentVersion = request.param
    return found


@pytest.fixture
def demo(version: AgentVersion) -> Demo:
    demo = Demo(NOW, "everything")
    demo.rate_limited = False
    demo.world.agent_version = version
    return demo


@asynccontextmanager
async def on(demo: Demo, *, alone: bool = False) -> AsyncIterator[Here]:
    between, source = Between(), AgentServerSource if alone else ServerSource
    app = between(make_alone(demo.world) if alone else demo.app)
    async with (BareAgentServer if alone else AppServer)(
        demo.base_url, app=app, retries=AT_ONCE
    ) as api:
        made = source(api, "demo")  # type: ignore[arg-type]
        yield Here(demo, made.agents, between, made)


@pytest.fixture
async def here(demo: Demo) -> AsyncIterator[Here]:
    async with on(demo) as it:
        yield it


@pytest.fixture(params=[False, True], ids=["app", "alone"])
async def either(request: pytest.FixtureRequest, demo: Demo) -> AsyncIterator[Here]:
    """An app server, or an agent server alone."""
    async with on(demo, alone=request.param) as it:
        yield it


def versions(*which: AgentVersion) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("version", which, indirect=True, ids=str)


async def test_a_fork_knows_the_run_up_to_a_step(either: Here) -> None:
    it = either
    before = await it.run(DATES)
    forked = await it.fork(DATES, 57)
    assert forked.remarks == [] and forked.has_key and forked.is_listed
    assert forked.place.words(len(before)) == "steps 1-57 of 61"
    assert forked.conversation.title == f"{TITLE} (from step 57)"
    run = await it.run(forked.conversation.id)
    assert [s.event.id for s in run.steps] == [s.event.id for s in before.steps[:57]]
    after = await it.tell(forked.conversation, "Look at 9999-W53 first")
    assert after.status == "finished" and not after.calls
    assert len(await it.run(DATES)) == len(before)


async def test_an_app_server_lists_it_with_its_origin_in_a_tag(here: Here) -> None:
    forked = await here.fork(DATES, 57, title="Another try")
    (listed,) = await here.agents.api.get_conversations([forked.conversation.id])
    assert listed is not None and listed.title == "Another try"
    assert same_id(listed.origin, DATES)
    assert listed.forked_at == forked.place.event_id
    assert listed.execution_status == "idle"


async def test_the_end_is_forked_without_a_step_and_a_fork_of_a_fork_too(here: Here) -> None:
    first = await here.fork(DATES)
    assert first.place.step == 61
    second = await here.fork(first.conversation.id, 40)
    record = await here.agents.agent_server(second.conversation).conversation()
    assert same_id(record.forked_from_conversation_id or "", first.conversation.id)
    assert len(await here.run(second.conversation.id)) == 40


async def test_before_a_message_another_can_be_said(here: Here) -> None:
    forked = await here.fork(DATES, 1, before=True)
    assert forked.place.step == 0
    after = await here.tell(forked.conversation, "Do another thing")
    assert after.status == "finished"
    assert len(await here.run(forked.conversation.id)) == 2


@pytest.mark.parametrize(("slug", "step"), [("week-dates", 3), ("oauth", None), ("flaky-ci", None)])
async def test_where_a_call_has_no_result_nothing_is_forked(
    here: Here, slug: str, step: int | None
) -> None:
    with pytest.raises(Problem, match="without a result") as caught:
        await here.fork(IDS[slug], step)
    assert caught.value.hint.startswith("the nearest safe place")
    assert here.between.count(FORK) == 0


async def test_while_the_agent_works_it_is_forked_at_the_end_of_its_step(here: Here) -> None:
    run = await here.run(FLAKY)
    (step,) = [s.number for s in run.steps if s.number == 1]
    task = asyncio.create_task(forking.fork(here.agents, FLAKY, run, step))
    while not task.done():
        here.demo.advance(0.5)
        await asyncio.sleep(0.01)
    forked = await task
    assert forked.place.step == 1 and forked.conversation.execution_status == "idle"


@versions(AgentVersion.WHOLE)
async def test_a_server_that_takes_all_steps_is_told_of(here: Here) -> None:
    forked = await here.fork(DATES, 40)
    assert forked.is_whole and "knows all of the run" in forked.remarks[0]
    assert not (await here.fork(DATES)).is_whole  # that was asked for


@versions(AgentVersion.OLD)
async def test_a_server_that_cannot_fork_says_since_when_others_can(here: Here) -> None:
    with pytest.raises(Problem, match=r"Agent server 1\.17\.0 cannot fork") as caught:
        await here.fork(DATES, 57)
    assert "1.18" in caught.value.hint and "1.31" in caught.value.hint


@versions(AgentVersion.OLD, AgentVersion.WHOLE, AgentVersion.USUAL)
async def test_what_a_fork_will_know_is_told_by_the_version(here: Here) -> None:
    version = here.demo.world.agent_version
    if version == AgentVersion.OLD:
        with pytest.raises(Problem, match=r"Agent server 1\.17\.0 cannot fork"):
            await forking.ready(here.agents, DATES)
        return
    run = await here.run(DATES)
    ready = await forking.ready(here.agents, DATES)
    told = ready.knows(forking.place_for(run, 57), len(run))
    assert told.startswith("all 61 steps: this" if ready.takes_all else "steps 1-57 of 61")
    assert ready.takes_all is (version == AgentVersion.WHOLE)
    assert ready.knows(forking.place_for(run, None), len(run)) == "steps 1-61 of 61"


async def test_a_version_that_is_not_told_forbids_nothing(here: Here) -> None:
    here.between.answer(
        "GET /runtime/*/server_info", 200, '{"version": "next"}', "application/json"
    )
    assert (await here.fork(DATES, 57)).remarks == []


@versions(AgentVersion.NEW)
@pytest.mark.parametrize("times", [1, 2])
async def test_a_download_that_fails_hides_no_fork(either: Here, times: int) -> None:
    """As that of 1.58.2 does when two forks are made at once (measured)."""
    it, call = either, "GET */download-trajectory/*"
    it.between.answer(call, 500)
    if times == 1:
        it.between.after(call, it.between.answers.clear)
    forked = await it.fork(DATES, 57)
    assert forked.is_listed and it.between.count(call) == 2 + (times == 1)
    if times == 1:
        assert forked.problem is None and forked.has_key is False
    else:
        (told,) = forked.remarks
        assert told.startswith("It was made, but then: Could not download")


@versions(AgentVersion.NEW)
async def test_a_key_that_was_left_out_is_told_and_a_profile_brings_one(either: Here) -> None:
    it = either
    forked = await it.fork(DATES, 57)
    assert forked.has_key is False and "left the key" in forked.remarks[0]
    setup = await agent_setup.read(it.agents, forked.conversation.id)
    await agent_setup.switch_profile(it.agents, setup, "careful")
    assert await forking.keeps_key(it.agents.agent_server(forked.conversation))
    assert (await it.tell(forked.conversation, "Go on")).status == "finished"


@versions(AgentVersion.NEW)
async def test_without_a_key_the_first_run_fails(here: Here) -> None:
    forked = await here.fork(DATES, 57)
    assert (await here.tell(forked.conversation, "Go on")).status == "error"


async def test_two_clients_get_a_fork_each(here: Here) -> None:
    run = await here.run(DATES)
    both = await asyncio.gather(*(forking.fork(here.agents, DATES, run, 57) for _ in range(2)))
    assert len({one.conversation.id for one in both}) == 2


async def test_a_conversation_deleted_meanwhile_is_a_sentence(here: Here) -> None:
    run = await here.run(DATES)

    def delete() -> None:
        del here.demo.world.conversations[DATES]

    here.between.first(FORK, delete)
    with pytest.raises(Problem, match="not on its agent server any more"):
        await forking.fork(here.agents, DATES, run, 57)
    with pytest.raises(Problem, match="not on the server any more"):
        await forking.fork(here.agents, DATES, run, 57)


async def test_an_event_that_the_server_lost_is_a_sentence(here: Here) -> None:
    run = await here.run(DATES)
    run.steps[56].results[0].id, there = "gone", run.steps[56].results[0].id
    run._owner["gone"] = run._owner[there]
    with pytest.raises(Problem, match="does not have the event of step 57") as caught:
        await forking.fork(here.agents, DATES, run, 57)
    assert caught.value.hint == Remedy.REFRESH


async def test_a_server_that_dies_after_it_leaves_what_is_known(here: Here) -> None:
    here.between.after(FORK, lambda: here.between.answer("* /runtime/*", 502))
    forked = await here.fork(DATES, 57)
    assert forked.problem is not None and not forked.is_listed and forked.has_key is None
    assert any(told.startswith("It was made, but then") for told in forked.remarks)
    assert here.between.count(FORK) == 1


@pytest.mark.parametrize("call", ["PATCH /runtime/*", "GET /runtime/*/download-trajectory/*"])
async def test_what_fails_after_it_does_not_repeat_it(here: Here, call: str) -> None:
    here.between.answer(call, 500)
    forked = await here.fork(DATES, 57)
    assert forked.problem is not None and here.between.count(FORK) == 1


@pytest.mark.parametrize(
    ("slug", "words"),
    [("coverage", "is paused"), ("fix-add", "is gone"), ("dark-mode", "starting")],
)
async def test_its_sandbox_has_to_run(here: Here, slug: str, words: str) -> None:
    run = await here.run(DATES)
    with pytest.raises(Problem, match=words):
        await forking.fork(here.agents, IDS[slug], run)
    assert here.between.count(FORK) == 0


async def test_a_title_that_is_too_long_is_refused_before_anything_is_asked(here: Here) -> None:
    run = await here.run(DATES)
    asked = len(here.between.asked)
    with pytest.raises(Problem, match="this one 201"):
        await forking.fork(here.agents, DATES, run, 57, title="x" * 201)
    assert len(here.between.asked) == asked


async def test_an_agent_that_is_a_program_of_its_own_is_not_forked(demo: Demo) -> None:
    async with on(demo, alone=True) as it:
        with pytest.raises(Problem, match="a program of its own"):
            await it.fork(IDS["acp"])
        assert it.between.count("POST */fork") == 0


async def test_without_its_sandbox_its_run_begins_at_the_fork_and_says_so(here: Here) -> None:
    forked = await here.fork(DATES, 57)
    await here.tell(forked.conversation, "Look at 9999-W53 first")
    assert here.demo.world.pause(forked.conversation.sandbox_id or "")
    here.demo.advance(60)
    (now,) = await here.agents.api.get_conversations([forked.conversation.id])
    assert now is not None and now.sandbox_status == "PAUSED"
    found = [state async for state in here.source.runs.load(now) if state.trajectory is not None]
    assert len(found[-1].trajectory or ()) == 2
    assert "only what came after it" in found[-1].note


@versions(AgentVersion.WHOLE)
async def test_a_message_to_a_fork_with_a_call_that_waits_approves_nothing(here: Here) -> None:
    forked = await here.fork(OAUTH, 1)
    assert forked.is_whole
    state = await here.agents.state(forked.conversation.id)
    assert len(state.calls) == 1 and state.is_held
    with pytest.raises(Problem):
        await here.tell(forked.conversation, "Go on")
    assert here.between.count("POST /runtime/*/run") == 0


async def test_an_answer_with_a_known_id_gets_neither_tags_nor_title(here: Here) -> None:
    for known in (DATES, OAUTH):
        body = json.dumps({"id": known, "execution_status": "idle", "title": "x"})
        here.between.answer(FORK, 201, body, "application/json")
        with pytest.raises(Problem, match="the id of another conversation"):
            await here.fork(DATES, 57)
    assert here.between.count("PATCH *") == here.between.count("POST */events") == 0


async def test_nor_does_one_of_an_agent_server(demo: Demo) -> None:
    async with on(demo, alone=True) as it:
        for known in (DATES, FLAKY):
            body = json.dumps({"id": known, "execution_status": "idle", "title": "x"})
            it.between.answer("POST */fork", 201, body, "application/json")
            with pytest.raises(Problem, match="the id of another conversation"):
                await it.fork(DATES, 57)
        assert it.between.count("PATCH *") == 0


async def test_a_rename_that_is_answered_with_another_conversation_is_a_problem(here: Here) -> None:
    body = json.dumps({"id": OAUTH, "title": "new"})
    here.between.answer("PATCH /api/v1/app-conversations/*", 200, body, "application/json")
    with pytest.raises(Problem, match="another id"):
        await here.agents.api.rename_conversation(DATES, "new")
