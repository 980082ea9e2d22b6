"""What an agent works with, over the embedded servers: what the server has after each change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse

from oh_tui.actions import agent_actions, agent_setup
from oh_tui.actions.agent_actions import HalfDone
from oh_tui.actions.agent_setup import LONGEST_QUESTION, Act, AgentSetup, too_old
from oh_tui.api import AppServer, BareAgentServer, ServerError
from oh_tui.demo import Demo
from oh_tui.demo.servers.alone import make_alone
from oh_tui.demo.world import AgentVersion
from oh_tui.sources.agent_server import AgentServerSource
from oh_tui.sources.server import ServerSource
from oh_tui.text.problem import Problem, Refused, Remedy
from tests.sources.here import IDS
from tests.tui.explorer import AT_ONCE, NOW, Between

DATES, WAITS, WORKS = "week-dates", "oauth", "flaky-ci"


@dataclass
class Here:
    demo: Demo
    source: ServerSource | AgentServerSource
    between: Between
    app: Any

    @property
    def agents(self) -> Any:
        return self.source.agents

    async def read(self, slug: str = DATES) -> AgentSetup:
        return await agent_setup.read(self.agents, IDS[slug])

    async def record(self, slug: str = DATES) -> dict[str, Any]:
        """The conversation as its agent server has it, by plain HTTP."""
        box = self.demo.world.conversations[IDS[slug]].sandbox
        assert box is not None
        alone = isinstance(self.source, AgentServerSource)
        base = self.demo.base_url + ("" if alone else f"/runtime/{box.port}")
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport) as client:
            headers = {"X-Session-API-Key": box.key}
            answer = await client.get(f"{base}/api/conversations/{IDS[slug]}", headers=headers)
            found: dict[str, Any] = answer.json()
            return found

    def kinds(self, slug: str) -> list[str]:
        found = self.demo.world.agent_events(self.demo.world.conversations[IDS[slug]])
        return [event.kind for event in found]

    @property
    def changes(self) -> list[str]:
        return [call for call in self.between.asked if not call.startswith("GET ")]


@pytest.fixture(params=["app", "agent"])
async def here(request: pytest.FixtureRequest) -> AsyncIterator[Here]:
    demo, between = Demo(NOW, "everything"), Between()
    demo.rate_limited = False
    if request.param == "app":
        app = between(demo.app)
        source: Any = ServerSource(AppServer(demo.base_url, app=app, retries=AT_ONCE), "demo")
    else:
        app = between(make_alone(demo.world))
        api = BareAgentServer(demo.base_url, app=app, retries=AT_ONCE)
        source = AgentServerSource(api, "demo")
    yield Here(demo, source, between, app)
    await source.close()


async def test_what_is_set_is_told_with_what_the_server_can(here: Here) -> None:
    facts = dict((await here.read()).facts)
    assert facts["model"] == "anthropic/claude-sonnet-4-5"
    assert facts["profile"] == "none; the server has careful, fast, local (no key), long-context"
    assert (facts["asks you"], facts["condenser"]) == ("never", "a model summarizes what is old")
    assert facts["server"] == "agent server 1.34.0"


async def test_an_old_server_says_since_when_servers_can(here: Here) -> None:
    here.demo.world.agent_version = AgentVersion.OLD
    setup = await here.read()
    assert (
        "agent server 1.17.0 cannot switch profiles: servers since 1.18 can"
        in dict(setup.facts)["profile"]
    )
    with pytest.raises(Refused, match=r"Agent server 1\.17\.0 cannot switch .* since 1\.18 can"):
        await agent_setup.switch_profile(here.agents, setup, "fast")
    assert here.changes == []


def test_versions_are_compared_as_numbers() -> None:
    assert too_old("1.9.0", Act.SWITCH) and not too_old("1.18.0", Act.SWITCH)
    assert not too_old("2.0", Act.SWITCH)
    assert not any(too_old(odd, Act.SWITCH) for odd in ("", "main", "v?", "9" * 50))


async def test_a_question_is_answered_and_costs(here: Here) -> None:
    before = here.kinds(DATES)
    answer = await agent_setup.ask(here.agents, IDS[DATES], "  Why?\n")
    assert "You asked: “Why?”" in answer.text and answer.cost
    assert here.kinds(DATES) == before
    assert (await here.record())["stats"]["usage_to_metrics"]["ask-agent-llm"]["accumulated_cost"]


async def test_an_agent_at_work_is_asked_too(here: Here) -> None:
    assert (await agent_setup.ask(here.agents, IDS[WORKS], "What now?")).text


@pytest.mark.parametrize("question", ["", " \n", "x" * (LONGEST_QUESTION + 1)])
async def test_no_question_and_a_book_are_never_sent(here: Here, question: str) -> None:
    with pytest.raises(Problem):
        await agent_setup.ask(here.agents, IDS[DATES], question)
    assert here.between.asked == []


async def test_what_is_deleted_meanwhile_is_said(here: Here) -> None:
    setup = await here.read()
    del here.demo.world.conversations[IDS[DATES]]
    with pytest.raises(Refused) as caught:
        await agent_setup.ask(here.agents, IDS[DATES], "Why?")
    assert caught.value.hint is Remedy.LIST
    with pytest.raises(Refused, match="not on the server any more"):
        await agent_setup.switch_profile(here.agents, setup, "fast")
    assert here.changes == []


async def test_the_profile_is_switched_and_read_back(here: Here) -> None:
    after = await agent_setup.switch_profile(here.agents, await here.read(), "fast")
    assert (after.profile, after.model) == ("fast", "anthropic/claude-haiku-4-5")
    llm = (await here.record())["agent"]["llm"]
    assert (llm["model"], llm["usage_id"]) == ("anthropic/claude-haiku-4-5", "profile:fast")


async def test_an_unknown_profile_names_those_that_there_are(here: Here) -> None:
    setup = await here.read()
    with pytest.raises(Problem, match="There is no profile none") as caught:
        await agent_setup.switch_profile(here.agents, setup, "none")
    assert caught.value.hint == "the server has careful, fast, local (no key), long-context"
    assert here.changes == []


async def test_one_whose_server_lies_about_the_switch_is_told(here: Here) -> None:
    setup = await here.read()
    here.between.answer("POST *switch_profile", 200, '{"success": true}', "application/json")
    with pytest.raises(HalfDone, match="the agent uses anthropic/claude-sonnet-4-5"):
        await agent_setup.switch_profile(here.agents, setup, "fast")


async def test_what_somebody_else_changed_is_not_overwritten(here: Here) -> None:
    shown = await here.read()
    await agent_setup.switch_profile(here.agents, shown, "local")
    changes: list[Callable[[], Awaitable[object]]] = [
        partial(agent_setup.switch_profile, here.agents, shown, "fast"),
        partial(agent_setup.set_policy, here.agents, shown, "always"),
        partial(agent_setup.condense, here.agents, shown),
    ]
    before = here.changes
    for change in changes:
        with pytest.raises(Refused, match="Somebody else changed it meanwhile"):
            await change()
    assert here.changes == before


@pytest.mark.parametrize(
    ("word", "policy", "told"),
    [
        ("always", {"kind": "AlwaysConfirm"}, "before every call"),
        (
            "risky",
            {"kind": "ConfirmRisky", "threshold": "HIGH", "confirm_unknown": True},
            "before every call, as nothing tells their risk here",
        ),
    ],
)
async def test_when_the_agent_asks_is_set(
    here: Here, word: str, policy: dict[str, object], told: str
) -> None:
    after = await agent_setup.set_policy(here.agents, await here.read(), word)
    assert (after.policy, after.asks) == (word, told)
    assert (await here.record())["confirmation_policy"] == policy


async def test_a_context_is_condensed(here: Here) -> None:
    after, gone = await agent_setup.condense(here.agents, await here.read())
    assert here.kinds(DATES)[-2:] != [] and gone > 0
    assert "Condensation" in here.kinds(DATES)[-4:]
    assert after.state.status == "stuck"


async def test_a_call_that_waits_is_never_run_by_condensing(here: Here) -> None:
    setup = await here.read(WAITS)
    with pytest.raises(Refused, match="1 call has no result, and condensing would run it"):
        await agent_setup.condense(here.agents, setup)
    assert here.changes == []


async def test_a_working_agent_that_may_ask_is_not_condensed(here: Here) -> None:
    setup = await here.read(WORKS)
    here.demo.world.conversations[IDS[WORKS]].policy = {"kind": "AlwaysConfirm"}
    setup = await here.read(WORKS)
    assert setup.state.runs
    with pytest.raises(Refused, match="would run the call that it asks about next"):
        await agent_setup.condense(here.agents, setup)
    assert here.changes == []


async def test_an_answer_that_never_comes_ends_when_the_server_dies(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_actions, "WATCH", 0.01)
    here.between.hold("POST *ask_agent")
    asking = asyncio.create_task(agent_setup.ask(here.agents, IDS[DATES], "Why?"))
    await asyncio.sleep(0.05)
    here.between.answer(f"GET */api/conversations/{IDS[DATES]}", 503, "asleep")
    with pytest.raises(ServerError):
        await asking


async def test_names_of_a_hostile_server_are_short_and_steer_nothing(here: Here) -> None:
    names = ["\x1b[31mred", *(f"p{n}" + "x" * 5_000 for n in range(3_000))]
    kept = {"profiles": [{"name": name} for name in names], "active_profile": None}
    here.between.answers["GET *profiles"] = lambda: JSONResponse(kept)
    told = dict((await here.read()).facts)["profile"]
    assert told.startswith("none; the server has red, p0x") and told.endswith(" and 2,981 more")
    assert "\x1b" not in told and len(told) < 5_000


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (409, "No condenser"), (422, "no"), (429, "busy"), (500, "litellm.AuthenticationError"),
        (405, "Method Not Allowed"),
    ],
)  # fmt: skip
async def test_each_refusal_is_a_sentence_and_nothing_is_sent_twice(
    here: Here, status: int, said: str
) -> None:
    setup = await here.read()
    here.between.answer("POST *", status, f'{{"detail": "{said}"}}', "application/json")
    acts: list[Callable[[], Awaitable[object]]] = [
        partial(agent_setup.ask, here.agents, IDS[DATES], "Why?"),
        partial(agent_setup.switch_profile, here.agents, setup, "fast"),
        partial(agent_setup.set_policy, here.agents, setup, "always"),
        partial(agent_setup.condense, here.agents, setup),
    ]
    for act in acts:
        with pytest.raises(Problem, match=f"{said}.*{status}"):
            await act()
    assert len(here.changes) == len(acts)
