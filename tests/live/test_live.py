"""Real runs on the real server, read through the service layer."""

from __future__ import annotations

import asyncio
import io
import zipfile

import pytest

from oh_tui.api import (
    AgentServer,
    ApiError,
    AppServer,
    AuthError,
    Conversation,
    NotFound,
    Secret,
)
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.trajectory import Trajectory

from .conftest import Live, Runs, every_version
from .servers.server import LiveServer

pytestmark = pytest.mark.live

TOUR = [
    ("terminal", Outcome.OK),
    ("terminal", Outcome.COMMAND_FAILED),
    ("file_editor", Outcome.OK),
    ("file_editor", Outcome.OK),
    ("file_editor", Outcome.ERROR),
    ("no_such_tool", Outcome.ERROR),
    ("terminal", Outcome.OK),
    ("file_editor", Outcome.OK),
    ("terminal", Outcome.COMMAND_FAILED),
    ("think", Outcome.OK),
    ("finish", Outcome.OK),
]


async def conversation(api: AppServer, conversation_id: str) -> Conversation:
    (found,) = await api.get_conversations([conversation_id])
    assert found is not None
    return found


async def agent_of(api: AppServer, conversation_id: str) -> AgentServer:
    agent = api.agent_server(await conversation(api, conversation_id))
    assert agent is not None
    return agent


async def stored(api: AppServer, conversation_id: str) -> Trajectory:
    """What the app server holds."""
    trajectory = Trajectory()
    trajectory.extend([event async for event in api.events(conversation_id)])
    return trajectory


async def in_sandbox(agent: AgentServer) -> Trajectory:
    """What the agent server holds."""
    trajectory = Trajectory(live=True)
    trajectory.extend([event async for event in agent.events()])
    return trajectory


async def until_it_calls(agent: AgentServer) -> Trajectory:
    """What the agent server holds once there is a call."""
    for _ in range(150):
        trajectory = await in_sandbox(agent)
        if calls(trajectory):
            return trajectory
        await asyncio.sleep(0.2)
    raise AssertionError("the agent made no call")


def calls(trajectory: Trajectory) -> list[Step]:
    return [step for step in trajectory.steps if step.is_call]


@every_version
async def test_every_call_of_the_tour_has_its_result(api: AppServer, runs: Runs) -> None:
    for run in (await stored(api, runs.tour), await in_sandbox(await agent_of(api, runs.tour))):
        assert [(step.event.tool_name, run.outcome(step)) for step in calls(run)] == TOUR
        assert len(run.steps) == 1 + len(TOUR)
        for step in calls(run):
            (result,) = step.results
            assert result.tool_call_id == step.event.tool_call_id
            assert result.action_id in ("", step.event.id)
        counts = run.counts
        assert (counts.calls, counts.ok) == (11, 7)
        assert (counts.failed_commands, counts.call_errors, counts.errors) == (2, 2, 2)
        assert (counts.open, counts.second_results, counts.stray_results) == (0, 0, 0)
        assert counts.unreadable == 0
        assert run.status == "finished"


@every_version
async def test_calls_of_one_answer_are_one_group(api: AppServer, runs: Runs) -> None:
    run = await stored(api, runs.tour)
    groups = {tuple(run.group(step)) for step in calls(run)}
    assert [group for group in groups if len(group) > 1] == [(8, 9)]


@every_version
async def test_a_refused_key_ends_the_run_with_an_error(api: AppServer, runs: Runs) -> None:
    assert (await conversation(api, runs.refused)).execution_status == "error"
    run = await stored(api, runs.refused)
    assert run.status == "error"
    last = run.steps[-1].event
    assert (last.kind, last.failed) == ("ConversationErrorEvent", True)
    assert last.body()["code"].endswith("AuthenticationError")  # without LLM: 1.17.0


async def test_the_cost_of_a_run_is_known_to_its_sandbox_alone(api: AppServer, live: Live) -> None:
    # app server 1.11.0 cannot keep the stats of a model with a price, for it lacks a table for
    # them; at most it tells what had been spent when the conversation last changed its state
    record = await (await agent_of(api, live.priced)).conversation()
    assert record.stats is not None
    usage = record.stats["usage_to_metrics"]["agent"]
    assert usage["accumulated_cost"] > 0
    assert sum(cost["cost"] for cost in usage["costs"]) == pytest.approx(usage["accumulated_cost"])
    metrics = (await conversation(api, live.priced)).metrics
    assert metrics is not None
    assert metrics.accumulated_cost is not None
    assert metrics.accumulated_cost < usage["accumulated_cost"]


async def test_a_start_task_leads_to_its_conversation_but_is_none(
    api: AppServer, live: Live
) -> None:
    tasks = live.server.get("/api/v1/app-conversations/start-tasks/search")["items"]
    (identifier,) = [
        task["id"]
        for task in tasks
        if (task["app_conversation_id"] or "").replace("-", "") == live.tour
    ]
    (task,) = await api.start_tasks.get([identifier])
    assert task is not None
    assert task.status == "READY"
    assert task.app_conversation_id is not None
    assert await api.get_conversations([identifier]) == [None]
    with pytest.raises(NotFound):
        async with api.download(identifier):
            pass


async def test_a_run_is_frozen_midway_and_goes_on(api: AppServer, live: Live) -> None:
    identifier = await asyncio.to_thread(live.server.start, "script:long", sandbox_id=live.sandbox)
    agent = await agent_of(api, identifier)

    # it runs, and the sandbox tells so at once
    run = await until_it_calls(agent)
    assert [run.outcome(step) for step in calls(run)] == [Outcome.RUNNING]
    assert (await conversation(api, identifier)).execution_status == "running"

    await api.sandboxes.pause(live.sandbox)
    try:
        frozen = await conversation(api, identifier)
        assert (frozen.sandbox_status, frozen.execution_status) == ("PAUSED", None)
        with pytest.raises(ApiError):
            await agent.search_events()
        # what was not sent before the pause is missing here, all else is readable
        count = await api.count_events(identifier)
        assert count > 0
        async with api.download(identifier) as pieces:
            data = b"".join([piece async for piece in pieces])
        names = zipfile.ZipFile(io.BytesIO(data)).namelist()
        assert len([name for name in names if name.startswith("event_")]) == count
        assert (await stored(api, identifier)).counts.ok == 0
    finally:
        await api.sandboxes.resume(live.sandbox)

    await asyncio.to_thread(live.server.wait_until_over, identifier)
    run = await in_sandbox(await agent_of(api, identifier))
    assert [run.outcome(step) for step in calls(run)] == [Outcome.OK, Outcome.OK]
    assert run.status == "finished"


async def test_a_server_without_webhooks_knows_no_events_but_the_sandbox_does(
    deaf: tuple[LiveServer, str],
) -> None:
    server, identifier = deaf
    async with AppServer(server.url) as api:
        assert await api.count_events(identifier) == 0
        page = await api.search_events(identifier)
        assert (page.items, page.next_page_id) == ([], None)
        agent = await agent_of(api, identifier)
        run = await in_sandbox(agent)
        assert run.counts.events == await agent.count_events() > 5
        assert [(step.event.tool_name, run.outcome(step)) for step in calls(run)] == [
            ("terminal", Outcome.OK)
        ]


async def test_a_key_finds_the_header_it_belongs_in(locked: LiveServer) -> None:
    async with AppServer(locked.url, key=Secret(locked.key)) as api:
        await api.users_me()
        assert (await api.search_conversations()).items == []
    async with AppServer(locked.url, key=Secret(locked.key), auth="session") as api:
        await api.users_me()


@pytest.mark.parametrize(
    ("key", "auth"), [(None, None), ("wrong", None), ("wrong", "session"), ("", "bearer")]
)
async def test_without_the_right_key_in_the_right_header_nothing_is_told(
    locked: LiveServer, key: str | None, auth: str | None
) -> None:
    secret = None if key is None else Secret(key or locked.key)
    async with AppServer(locked.url, key=secret, auth=auth) as api:  # type: ignore[arg-type]
        for call in (api.users_me, api.search_conversations, api.sandboxes.search):
            with pytest.raises(AuthError):
                await call()
