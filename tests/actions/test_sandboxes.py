"""Pausing and resuming: the stages, what else the server did, and patience."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from msgspec.structs import replace

from oh_tui.actions import sandboxes
from oh_tui.actions.sandboxes import SandboxPlan, SandboxStage
from oh_tui.api.models import Sandbox
from oh_tui.demo import world
from oh_tui.text.problem import Problem, Refused, Remedy
from tests.sources.here import Here, demo_read


@pytest.fixture
async def here(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Here]:
    monkeypatch.setattr(sandboxes, "SETTLE", 0.2)
    async with demo_read() as it:
        yield it


async def planned(here: Here, slug: str) -> SandboxPlan:
    conversation = await here.conversation(slug)
    return await here.source.sandboxes.plan(conversation.sandbox_id or "")


async def test_a_pause_gives_its_stages_the_last_being_what_is_true(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world, "PAUSE_TAKES", 0.0)
    plan = await planned(here, "settings-split")
    stages = [one async for one in here.source.sandboxes.carry_out(plan, stop_agents=True)]
    assert stages == [SandboxStage.PAUSING, SandboxStage.PAUSED]
    assert await here.source.sandboxes.displaced(plan) == [], "a pause makes no room"


async def test_a_sandbox_that_another_client_pauses_meanwhile_is_paused(here: Here) -> None:
    plan = await planned(here, "flaky-ci")
    assert plan.running and plan.sandbox is not None
    await here.source.api.sandboxes.pause(plan.sandbox.id)
    here.demo.advance(60)
    stages = [one async for one in here.source.sandboxes.carry_out(plan, stop_agents=True)]
    assert stages == [SandboxStage.AGENT_STOPPING, SandboxStage.PAUSING, SandboxStage.PAUSED]


async def test_what_is_asked_for_and_does_not_happen_says_so(here: Here) -> None:
    """The demo's clock stands still, so the pause never completes."""
    plan = await planned(here, "settings-split")
    with pytest.raises(Refused, match="which is still running") as caught:
        async for _ in here.source.sandboxes.carry_out(plan, stop_agents=False):
            pass
    assert caught.value.hint == Remedy.WAIT_FOR_IT


async def test_the_patient_wait_longer(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = await planned(here, "settings-split")

    def time_passes(found: Sandbox) -> Sandbox:
        here.demo.advance(60)
        return found

    looks = after(here, monkeypatch, 3, time_passes)
    monkeypatch.setattr(sandboxes, "SETTLE", 0.0)
    told = here.source.sandboxes.carry_out(plan, stop_agents=False, patient=True)
    assert [one async for one in told][-1] is SandboxStage.PAUSED
    assert looks[0] >= 3


async def test_nobody_waits_for_a_sandbox_that_failed(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = await planned(here, "settings-split")

    after(here, monkeypatch, 2, lambda found: replace(found, status="ERROR"))
    with pytest.raises(Refused, match="The sandbox failed"):
        async for _ in here.source.sandboxes.carry_out(plan, stop_agents=False, patient=True):
            pass


async def test_the_sandbox_that_the_server_pauses_to_make_room_is_told(here: Here) -> None:
    plan = await planned(here, "coverage")
    assert plan.action == "resume" and plan.sandbox is not None
    await here.source.api.sandboxes.resume(plan.sandbox.id)
    here.demo.advance(60)
    displaced = await here.source.sandboxes.displaced(plan)
    assert [one.id for one in displaced] == [plan.others[0].id], "the oldest of those that ran"


def after(
    here: Here, monkeypatch: pytest.MonkeyPatch, look: int, do: Callable[[Sandbox], Sandbox]
) -> list[int]:
    """Do something with the sandbox found from this look on; how many looks there were."""
    real, looks = here.source.sandboxes.get, [0]

    async def get(sandbox_id: str) -> Sandbox | None:
        looks[0] += 1
        found = await real(sandbox_id)
        return do(found) if found and looks[0] >= look else found

    monkeypatch.setattr(here.source.sandboxes, "get", get)
    return looks


async def test_a_server_that_falls_silent_after_a_pause_is_no_cause_of_itself(here: Here) -> None:
    """Code that follows a circular chain of causes never ends."""
    plan = await planned(here, "settings-split")
    here.between.answer("GET /api/v1/sandboxes*", 500)
    with pytest.raises(Problem) as caught:
        async for _ in here.source.sandboxes.carry_out(plan, stop_agents=False):
            pass
    assert caught.value.__cause__ is not caught.value
