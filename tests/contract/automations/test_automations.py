"""The contract of the automation server beside an agent server. `tests/live` holds it against real
ones with other fixtures `server` and `automation`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from oh_tui.api import AuthError, BareAgentServer, Conflict, InvalidRequest, NotFound, Secret
from oh_tui.api.automations import Automation
from oh_tui.demo import Demo
from oh_tui.demo.servers.automations import make_canvas
from tests.contract.fixtures import UNKNOWN, ServerUnderTest

KEY = Secret("key-of-canvas-and-its-automations")


@pytest.fixture
def server(demo: Demo) -> ServerUnderTest:
    """A server whose key is that of the agent server and the automation server."""
    return ServerUnderTest(demo.base_url, make_canvas(demo.world, KEY.reveal()), KEY)


@pytest.fixture
async def canvas(server: ServerUnderTest) -> AsyncIterator[BareAgentServer]:
    async with server.connect_alone() as api:
        yield api


@pytest.fixture
async def automation(canvas: BareAgentServer) -> Automation:
    """One that is on, has a schedule and may be run."""
    found = [one async for one in canvas.automations.all()]
    return next(one for one in found if one.is_on and one.trigger and one.trigger.type == "cron")


async def test_the_list_has_each_once_on_pages_of_any_size(
    canvas: BareAgentServer, automation: Automation
) -> None:
    whole = [one.id async for one in canvas.automations.all()]
    assert automation.id in whole and len({*whole}) == len(whole)
    first = await canvas.automations.search(limit=1)
    assert [one.id for one in first.items] == whole[:1]
    assert first.next_page_id == ("1" if len(whole) > 1 else None)


async def test_one_reads_as_in_the_list(canvas: BareAgentServer, automation: Automation) -> None:
    one = await canvas.automations.get(automation.id)
    assert (one.name, one.trigger, one.prompt) == (
        automation.name,
        automation.trigger,
        automation.prompt,
    )
    assert one.trigger and one.trigger.schedule and one.trigger.timezone


async def test_unknown_ids_are_told_apart_from_wrong_ones(canvas: BareAgentServer) -> None:
    for call in (canvas.automations.get, canvas.automations.runs, canvas.automations.dispatch):
        with pytest.raises(NotFound, match="Automation not found"):
            await call(UNKNOWN)
        with pytest.raises(InvalidRequest):
            await call("nightly")
    with pytest.raises(NotFound, match="Run not found"):
        await canvas.automations.cancel(UNKNOWN)


async def test_a_run_waits_is_listed_and_is_cancelled_once(
    canvas: BareAgentServer, automation: Automation
) -> None:
    before = (await canvas.automations.runs(automation.id)).total
    run = await canvas.automations.dispatch(automation.id)
    assert run.status == "PENDING" and run.automation_id == automation.id
    assert run.conversation_id is run.started_at is None
    page = await canvas.automations.runs(automation.id, limit=1)
    assert [one.id for one in page.runs] == [run.id]
    assert page.total == (before or 0) + 1 == sum((page.counts or {}).values())
    ended = await canvas.automations.cancel(run.id)
    assert (ended.status, ended.error_detail) == ("CANCELLED", "Cancelled by user")
    assert ended.completed_at and ended.status_detail is None
    with pytest.raises(Conflict, match="Run is CANCELLED, only PENDING or RUNNING"):
        await canvas.automations.cancel(run.id)
    every = [one async for one in canvas.automations.all_runs(automation.id)]
    assert every[0].id == run.id and len(every) == page.total


async def test_one_that_is_off_says_by_whom_and_can_be_run_on_newer_servers(
    canvas: BareAgentServer, automation: Automation
) -> None:
    off = await canvas.automations.set_enabled(automation, False)
    assert off.is_on is False and off.disabled_reason == "manual" and off.disabled_at
    try:
        run = await canvas.automations.dispatch(off.id)
        await canvas.automations.cancel(run.id)
    except Conflict as refused:
        assert off.state is None and refused.detail == "Automation is disabled"  # 1.13.1
    on = await canvas.automations.set_enabled(off, True)
    assert on.is_on is True and on.disabled_reason is None


async def test_a_wrong_key_is_refused(server: ServerUnderTest) -> None:
    wrong = ServerUnderTest(server.url, server.app, Secret("not-the-key-of-this-server"))
    async with wrong.connect_alone() as api:
        with pytest.raises(AuthError):
            await api.automations.search()


async def test_an_agent_server_by_itself_has_none(demo: Demo) -> None:
    async with BareAgentServer(demo.base_url, app=demo.app_like("agent")) as api:
        with pytest.raises(NotFound):
            await api.automations.search()
