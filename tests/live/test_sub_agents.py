"""Sub-agents of the task tool on real servers: opened in place, and what all of it cost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from oh_tui.api import AppServer, StartRequest
from oh_tui.conversation import Conversation
from oh_tui.trajectory.findings.study import Study
from tests.contract.acting import Stage

from .conftest import Live, Runs, every_version
from .servers.model import PRICED
from .test_commands import value
from .test_explorer import connected, read_whole

pytestmark = pytest.mark.live


@contextlib.asynccontextmanager
async def with_tasks(runs: Runs) -> AsyncIterator[None]:
    """Agents that an app server starts meanwhile have the task tool."""
    if not isinstance(runs, Live):
        yield
        return

    async def let(enabled: bool) -> None:
        diff = {"agent_settings_diff": {"enable_sub_agents": enabled}}
        await asyncio.to_thread(runs.server.post, "/api/v1/settings", diff)

    await let(True)
    try:
        yield
    finally:
        await let(False)


@pytest.fixture
async def parent(stage: Stage, runs: Runs) -> Conversation:
    async with with_tasks(runs):
        request = StartRequest(
            message="Please do script:parent", llm_model=PRICED, sandbox_id=stage.sandbox_id
        )
        task, _ = await stage.task(request)
    conversation = await stage.now(task.app_conversation_id or "")
    await stage.until_status(conversation, "finished")
    return await stage.now(conversation.id)


@every_version
async def test_the_sub_agents_of_tasks_open_in_place(
    api: AppServer, runs: Runs, parent: Conversation
) -> None:
    agent = api.agent_server(parent)
    assert agent is not None
    usages = ((await agent.conversation()).stats or {})["usage_to_metrics"]
    whole = sum(one["accumulated_cost"] for one in usages.values())
    tasks = sorted(name for name in usages if name.startswith("task:"))
    async with connected(runs.url, open_id=parent.id) as it:
        await read_whole(it)
        await it.until(lambda: it.screen.run_view.study is not None)
        study: Study = it.screen.run_view.study  # type: ignore[assignment]
        started = [s for s in study.trajectory.steps if s.event.part == "TaskAction"]
        assert len(started) == 2

        async def shown(text: str) -> None:
            await it.until(lambda: text in it.text("#timeline"))

        for step, inside in zip(started, ("echo from below", "echo short"), strict=True):
            it.screen.jump(step.number)
            await it.settle()
            await it.press("right")
            await shown(inside)
            assert f"{step.number}.2" in it.text("#timeline")
        runs_below = list(study.sub_runs.all())
        assert [run.step for run in runs_below] == [step.number for step in started]
        total = study.sub_runs.total.cost
        own = study.sub_runs.own.cost
        assert total == pytest.approx(own + sum(run.total.cost for run in runs_below), abs=1e-9)
        assert total == pytest.approx(whole, abs=1e-9) and own > 0
        assert all(run.total.cost > 0 for run in runs_below)
        assert len(tasks) == 2
        await it.press("left")
        await it.until(lambda: "echo short" not in it.text("#timeline"))


@every_version
async def test_steps_has_them_as_children(runs: Runs, parent: Conversation) -> None:
    words = ("--server", runs.url, "steps", parent.id)
    told: dict[str, Any] = await asyncio.to_thread(value, *words)
    below = [step for step in told["steps"] if step.get("children")]
    assert [len(step["children"]) for step in below] == [3, 3]
    number = below[0]["index"]
    assert [one["path"] for one in below[0]["children"]] == [f"{number}.{n}" for n in (1, 2, 3)]
    own = told["totals"]["own"]["cost"]
    subs = sum(one["cost"] for step in below for one in step["sub_agents"])
    assert told["totals"]["cost"] == pytest.approx(
        own + subs, abs=3e-6
    )  # of sums rounded to 6 digits
