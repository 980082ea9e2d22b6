"""What can be done with automations, on the embedded Canvas."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from oh_tui.actions.agent_actions import HalfDone
from oh_tui.actions.automations import Automations, StopStage
from oh_tui.api import AppServer, BareAgentServer, Conversation, Secret
from oh_tui.api.automation_models import Automation, AutomationRun
from oh_tui.api.errors import NotTheApi
from oh_tui.api.models import Page
from oh_tui.api.paging import Listing
from oh_tui.catalog.automations import conversation_of
from oh_tui.demo import Demo
from oh_tui.demo.servers.automations import make_canvas
from oh_tui.demo.servers.http import detail
from oh_tui.text.problem import Problem, Refused
from tests.api.servers import AT_ONCE, Script, json
from tests.tui.explorer import NOW

KEY = "key-of-canvas-and-its-automations"


class Canvas:
    """The demo with what was asked of it."""

    def __init__(self, *, key: str = KEY, starts: bool = False) -> None:
        self.demo = Demo(NOW)
        self.app: ASGIApp = make_canvas(self.demo.world, KEY, starts=starts)
        self.asked: list[str] = []
        self.fails: dict[str, int] = {}
        """Ending of a path -> the status that it gets."""
        self.api = BareAgentServer(
            "http://canvas.test", key=Secret(key), app=self._between, retries=AT_ONCE
        )
        self.automations = Automations({"": self.api})

    async def _between(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(f"{scope['method']} {scope['path']}")
        for ending, status in self.fails.items():
            if scope["path"].endswith(ending):
                await detail(status, "Not Found")(scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def called(self, name: str) -> Automation:
        return next(one for one in await self.automations.all() if one.name == name)

    async def newest(self, name: str) -> AutomationRun:
        return (await self.automations.runs(await self.called(name))).runs[0]

    async def loaded(self) -> list[Conversation]:
        return [one async for one in self.api.conversations()]


@pytest.fixture
async def canvas() -> AsyncIterator[Canvas]:
    made = Canvas()
    yield made
    await made.api.aclose()


WATCH, SWEEP = "Watch the CI of the storefront", "Migrate one module to pydantic 2"
LINKS, YEARLY = "Weekly link check", "Yearly licence review"


async def stages(canvas: Canvas, plan: Any) -> list[str]:
    return [str(stage) async for stage in canvas.automations.stop(plan)]


async def test_the_list_takes_one_call_and_reads_no_runs(canvas: Canvas) -> None:
    found = await canvas.automations.all()
    assert len(found) == 8 and not canvas.automations.problem
    assert canvas.asked == ["GET /api/automation/v1"]


async def test_the_conversation_of_a_run_is_known_by_its_tag(canvas: Canvas) -> None:
    run = await canvas.newest(WATCH)
    assert run.conversation_id is None
    found = conversation_of(run, await canvas.loaded())
    assert found and found.title == "Flaky CI on main"
    again = await canvas.automations.conversation(run)
    assert again and again.id == found.id


async def test_a_run_without_a_conversation_is_not_searched_for_without_end(
    canvas: Canvas,
) -> None:
    run = await canvas.newest(LINKS)
    canvas.asked.clear()
    assert await canvas.automations.conversation(run) is None
    assert canvas.asked == ["GET /api/conversations/search"]


async def test_the_log_of_a_setup_that_failed(canvas: Canvas) -> None:
    log = await canvas.automations.log(await canvas.newest(LINKS))
    assert log and log.text == "[setup] no network here\n" and log.exit_code == 7
    assert await canvas.automations.log(await canvas.newest(WATCH)) is None
    assert await canvas.automations.log(AutomationRun("r")) is None


async def test_stopping_a_run_ends_its_agent_too(canvas: Canvas) -> None:
    run = await canvas.newest(WATCH)
    plan = await canvas.automations.stop_plan(run)
    assert plan.cancels and plan.interrupts and not plan.works_on
    assert plan.words == "stop the run, its script and its agent, which works"
    canvas.asked.clear()
    assert await stages(canvas, plan) == [
        StopStage.CANCELLING,
        StopStage.CANCELLED,
        StopStage.SCRIPT_ENDED,
        StopStage.INTERRUPTING,
        StopStage.STOPPED,
    ]
    posts = [one.rpartition("/")[2] for one in canvas.asked if one.startswith("POST")]
    assert posts == ["cancel", "stop", "interrupt"]
    assert (await canvas.newest(WATCH)).status == "CANCELLED"
    assert plan.conversation
    (now,) = await canvas.api.get_conversations([plan.conversation.id])
    assert now and now.execution_status == "paused"


async def test_the_agent_of_a_run_that_timed_out_is_stopped_alone(canvas: Canvas) -> None:
    plan = await canvas.automations.stop_plan(await canvas.newest(SWEEP), await canvas.loaded())
    assert plan.works_on and not plan.cancels
    assert plan.words == "stop its agent, which works on: the run is over (timed out)"
    assert await stages(canvas, plan) == [StopStage.INTERRUPTING, StopStage.STOPPED]
    with pytest.raises(Refused, match=r"over \(timed out\), and no agent of it works"):
        await canvas.automations.stop_plan(plan.run)


async def test_nothing_is_stopped_that_stands_otherwise_than_shown(canvas: Canvas) -> None:
    automation = await canvas.called(YEARLY)
    waits = await canvas.automations.run_now(automation)
    plan = await canvas.automations.stop_plan(waits)
    assert plan.words == "stop the run before it begins"
    canvas.demo.advance(20)  # the dispatcher begins it
    canvas.asked.clear()
    with pytest.raises(Refused, match="changed meanwhile, so nothing was done"):
        await stages(canvas, plan)
    assert not [one for one in canvas.asked if one.startswith("POST")]
    # no conversation yet, and this server does not know its script
    again = await canvas.automations.stop_plan(waits)
    assert await stages(canvas, again) == [
        StopStage.CANCELLING,
        StopStage.CANCELLED,
        StopStage.SCRIPT_GOES_ON,
    ]


async def test_the_script_of_a_cancelled_run_is_ended_too(canvas: Canvas) -> None:
    run = await canvas.newest(WATCH)
    await canvas.api.automations.cancel(run.id)
    plan = await canvas.automations.stop_plan(run)
    assert plan.conversation and plan.works_on and plan.script and not plan.cancels
    await canvas.api.agent_server(plan.conversation).interrupt()
    plan = await canvas.automations.stop_plan(run)
    assert plan.words == "stop its script, which told no end: the run is over (stopped)"
    assert await stages(canvas, plan) == [StopStage.SCRIPT_ENDED]
    log = await canvas.automations.log(plan.run)
    assert log and log.exit_code == -15


async def test_a_run_that_ended_in_between_is_told_and_its_agent_stopped(canvas: Canvas) -> None:
    plan = await canvas.automations.stop_plan(await canvas.newest(WATCH))
    canvas.fails["/cancel"] = 409
    found = await stages(canvas, plan)
    assert found[1:] == [
        StopStage.ENDED,
        StopStage.SCRIPT_ENDED,
        StopStage.INTERRUPTING,
        StopStage.STOPPED,
    ]


async def test_an_agent_that_cannot_be_stopped_is_told_after_the_cancel(canvas: Canvas) -> None:
    plan = await canvas.automations.stop_plan(await canvas.newest(WATCH))
    canvas.fails["/interrupt"] = 404
    with pytest.raises(HalfDone, match="The run is over, but its agent was not stopped"):
        await stages(canvas, plan)
    assert (await canvas.newest(WATCH)).status == "CANCELLED"


async def test_an_agent_of_which_nothing_is_told_after_the_cancel_is_not_forgotten(
    canvas: Canvas,
) -> None:
    plan = await canvas.automations.stop_plan(await canvas.newest(WATCH))
    with pytest.raises(HalfDone, match="The run is over, but whether its agent works is not told"):
        async for stage in canvas.automations.stop(plan):
            if stage is StopStage.SCRIPT_ENDED:
                canvas.fails["/conversations"] = 502
    assert (await canvas.newest(WATCH)).status == "CANCELLED"


async def test_switching_says_if_somebody_was_first(canvas: Canvas) -> None:
    shown = await canvas.called(WATCH)
    off = await canvas.automations.set_enabled(shown, False)
    assert off.is_on is False and off.disabled_reason == "manual"
    with pytest.raises(Refused, match="off already"):
        await canvas.automations.set_enabled(shown, False)
    assert (await canvas.automations.set_enabled(off, True)).is_on is True


async def test_one_that_is_off_can_be_run(canvas: Canvas) -> None:
    off = await canvas.called("Summary of the on-call handbook")
    assert off.is_on is False
    run = await canvas.automations.run_now(off)
    assert run.status == "PENDING" and run.trigger_source == "manual"
    assert (await canvas.automations.runs(off)).runs[0].id == run.id


async def test_nothing_is_run_that_was_changed_meanwhile(canvas: Canvas) -> None:
    shown = replace(await canvas.called(YEARLY), prompt="List the licences.")
    with pytest.raises(Refused, match="changed meanwhile, so nothing was done"):
        await canvas.automations.run_now(shown)
    assert not (await canvas.automations.runs(shown)).runs


async def test_a_run_that_is_gone_is_told(canvas: Canvas) -> None:
    run = replace(await canvas.newest(WATCH), id="gone")
    with pytest.raises(Refused, match="not on the server any more"):
        await canvas.automations.current(run)


async def test_a_run_just_begun_may_be_listed_a_moment_later(
    canvas: Canvas, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await canvas.automations.run_now(await canvas.called(YEARLY))
    server, listed = canvas.api.automations, canvas.api.automations.all_runs
    answers = [lambda _: Listing(nothing), listed]

    async def nothing(_: str | None) -> Page[AutomationRun]:
        return Page([], None)

    monkeypatch.setattr(server, "all_runs", lambda one: answers.pop(0)(one))
    assert (await canvas.automations.current(run)).id == run.id
    assert not answers


async def test_a_working_fork_of_its_conversation_is_not_stopped(canvas: Canvas) -> None:
    run = await canvas.newest(SWEEP)
    found = await canvas.automations.conversation(run)
    assert found
    fork = replace(found, id="f" * 32, forked_from_conversation_id=found.id)
    again = await canvas.automations.conversation(run, [fork])
    assert again and again.id == found.id


async def test_a_run_is_stopped_though_its_log_cannot_be_read(canvas: Canvas) -> None:
    run = await canvas.newest(WATCH)
    canvas.fails["/bash_events/search"] = 404
    plan = await canvas.automations.stop_plan(run)
    assert plan.cancels and plan.interrupts and plan.script
    assert (await stages(canvas, plan))[-1] == StopStage.STOPPED


async def test_while_it_starts_the_rest_goes_on() -> None:
    canvas = Canvas(starts=True)
    async with canvas.api:
        assert await canvas.automations.all() == []
        assert "starting, or away" in canvas.automations.problem
        assert await canvas.loaded()
        canvas.app = make_canvas(Demo(NOW).world, KEY)
        assert len(await canvas.automations.all()) == 8 and not canvas.automations.problem
        canvas.app = make_canvas(Demo(NOW).world, KEY, starts=True)
        assert len(await canvas.automations.all()) == 8, "as it told them last"
        assert canvas.automations.problem


async def test_a_wrong_key_is_a_problem_of_the_automations() -> None:
    canvas = Canvas(key="another-key-that-is-wrong")
    async with canvas.api:
        assert await canvas.automations.all() == []
        assert "Invalid API key" in canvas.automations.problem


@pytest.mark.parametrize("kind", [AppServer, BareAgentServer])
async def test_a_server_without_automations_is_asked_once(kind: Any) -> None:
    app = Script(json({"detail": "Not Found"}, 404))
    async with kind("http://app.test", app=app, retries=AT_ONCE) as api:
        automations = Automations({"": api})
        assert automations.are_there
        assert await automations.all() == [] == await automations.all()
        assert not automations.problem and not automations.are_there
    assert app.paths == ["/api/automation/v1"]


async def test_a_front_end_has_none_and_a_gateway_tells_nothing() -> None:
    class SignIn(NotTheApi):
        """As of a gateway that wants a sign-in."""

    page = Script(HTMLResponse("<html>front-end</html>"))
    async with BareAgentServer("http://app.test", app=page, retries=AT_ONCE) as api:
        automations = Automations({"": api})
        assert await automations.all() == []
        assert not automations.problem and not automations.are_there

        async def refuses(**_: object) -> None:
            raise SignIn("a gateway wants a sign-in")

        api.automations.search = refuses  # type: ignore[assignment, method-assign]
        automations = Automations({"": api})
        assert await automations.all() == []
        assert automations.problem == "a gateway wants a sign-in" and automations.are_there


async def test_automations_that_are_gone_are_not_shown_as_if_they_were_there(
    canvas: Canvas,
) -> None:
    assert len(await canvas.automations.all()) == 8
    canvas.fails["/v1"] = 404  # as while only the agent server is up again
    assert len(await canvas.automations.all()) == 8
    assert canvas.automations.problem.endswith("knows no such thing (404)")
    canvas.fails.clear()
    assert len(await canvas.automations.all()) == 8 and not canvas.automations.problem


async def test_several_servers_are_asked_at_once_and_named() -> None:
    one, two = Canvas(), Canvas(starts=True)
    without = BareAgentServer("http://x.test", app=Starlette(), retries=AT_ONCE)
    async with one.api, two.api, without:
        both = Automations({"canvas": one.api, "work": two.api, "old": without})
        found = await both.all()
        assert {each.server for each in found} == {"canvas"} and len(found) == 8
        assert both.problem.startswith("work: Automations do not answer")
        runs = (await both.runs(found[0])).runs
        assert {run.server for run in runs} == {"canvas"}


async def test_a_server_that_hangs_does_not_hold_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("oh_tui.actions.automations.PATIENCE", 0.05)

    async def hangs(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(60)

    one = Canvas()
    slow = BareAgentServer("http://slow.test", app=hangs, retries=AT_ONCE)
    async with one.api, slow:
        both = Automations({"canvas": one.api, "slow": slow})
        assert len(await both.all()) == 8
        assert both.problem.startswith("slow: The automation server did not answer within")


async def test_an_id_that_is_none_is_refused_not_crashed(canvas: Canvas) -> None:
    odd = Automation("../x")
    with pytest.raises(Problem):
        await canvas.automations.runs(odd)
    with pytest.raises(Problem):
        await canvas.automations.current(AutomationRun("r"))
