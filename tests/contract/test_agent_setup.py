"""The contract: a question to an agent, its profile, when it asks, and its context condensed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from oh_tui.actions import agent_setup
from oh_tui.api import (
    Conflict,
    Conversation,
    InvalidRequest,
    NotFound,
    ServerError,
    Unreachable,
)
from oh_tui.api.models import ConfirmationPolicy
from oh_tui.text.problem import Problem, Refused

from .acting import Stage, agents_of
from .fixtures import UNKNOWN, every_version

pytestmark = [every_version]

POLICIES = ("AlwaysConfirm", "ConfirmRisky", "NeverConfirm")


async def test_a_question_is_answered_and_leaves_no_event(stage: Stage, version: str) -> None:
    conversation = await stage.started(stage.prompts.short)
    await stage.until_over(conversation)
    before = [event.id for event in await stage.events(conversation)]
    agent = stage.agent(conversation)
    assert await stage.meanwhile(agent.ask_agent("Why did you end?"))
    shown = {event.id for event in await stage.events(conversation) if event.key != "stats"}
    assert shown <= set(before)
    usages = ((await agent.conversation()).stats or {})["usage_to_metrics"]
    assert ("ask-agent-llm" in usages) == (version != "1.58.2"), "which tells it later"
    with pytest.raises(InvalidRequest):
        await agent.ask_agent(" \n")


async def test_it_is_answered_while_a_call_runs(stage: Stage) -> None:
    conversation = await stage.calling()
    assert await stage.agent(conversation).ask_agent("What now?")
    assert await stage.status(conversation) == "running"


async def test_when_the_agent_asks_can_be_set(stage: Stage, version: str) -> None:
    agent = stage.agent(await stage.started())
    for kind in POLICIES:
        await agent.set_confirmation_policy(ConfirmationPolicy(kind))
        found = (await agent.conversation()).confirmation_policy
        assert found and found.kind == kind
    # 1.17.0 fails to word it
    with pytest.raises((ServerError, Unreachable) if version == "1.17.0" else InvalidRequest):
        await agent.set_confirmation_policy(ConfirmationPolicy("Sometimes"))


async def test_the_agent_is_switched_to_a_profile(stage: Stage, version: str) -> None:
    conversation = await stage.started()
    agent = stage.agent(conversation)
    if version == "1.17.0":
        for act in (agent.llm_profiles(), agent.switch_profile("fast")):
            with pytest.raises(NotFound):
                await act
        return
    await stage.keeps_profile(conversation, "fast")
    (fast,) = (p for p in (await agent.llm_profiles()).profiles if p.name == "fast")
    if version == "1.34.0":  # the one in a sandbox
        with pytest.raises(NotFound, match="Profile 'fast' not found"):
            await agent.switch_profile("fast")
        return
    await agent.switch_profile("fast")
    record = await agent.conversation()
    assert record.model == fast.model
    assert record.agent and record.agent.llm and record.agent.llm.usage_id == "profile:fast"
    with pytest.raises(NotFound, match="Profile 'none' not found"):
        await agent.switch_profile("none")
    assert (await agent.conversation()).model == fast.model


async def test_condensing_runs_a_call_that_waits_instead(stage: Stage) -> None:
    conversation = await stage.waiting()
    with_condenser = (await stage.agent(conversation).conversation()).agent
    if not (with_condenser and with_condenser.condenser):
        pytest.skip("its agents have no condenser")
    await stage.meanwhile(stage.agent(conversation).condense())
    assert stage.ran(conversation)
    assert "Condensation" not in await stage.kinds(conversation)


async def test_a_context_is_condensed_or_has_no_condenser(stage: Stage, version: str) -> None:
    conversation = await stage.started(stage.prompts.short)
    await stage.until_over(conversation)
    agent = stage.agent(conversation)
    recorded = (await agent.conversation()).agent
    if recorded and recorded.condenser:
        await stage.meanwhile(agent.condense())
        assert "Condensation" in await stage.kinds(conversation)
        assert await stage.status(conversation) == "finished"
        return
    with pytest.raises(Conflict if version == "1.58.2" else ServerError):
        await agent.condense()


@pytest.mark.parametrize("act", ["ask_agent", "condense", "policy", "switch_profile"])
async def test_nothing_is_done_to_what_is_not_there(stage: Stage, act: str) -> None:
    conversation = await stage.started()
    base, _, _ = (conversation.conversation_url or "").rpartition("/")
    gone = replace(conversation, id=UNKNOWN, conversation_url=f"{base}/{UNKNOWN}")
    # before 1.58 a question to it is an error of the server
    with pytest.raises((NotFound, ServerError)):
        await done(stage, gone)[act]()


def done(stage: Stage, conversation: Conversation) -> dict[str, Callable[[], Awaitable[object]]]:
    agent = stage.agent(conversation)
    return {
        "ask_agent": lambda: agent.ask_agent("Why?"),
        "condense": agent.condense,
        "policy": lambda: agent.set_confirmation_policy(ConfirmationPolicy("NeverConfirm")),
        "switch_profile": lambda: agent.switch_profile("fast"),
    }


# What oh-tui makes of it


async def test_when_an_agent_asks_is_read_back(stage: Stage) -> None:
    conversation = await stage.started()
    agents = agents_of(stage.api)
    setup = await agent_setup.read(agents, conversation.id)
    for word in ("always", "risky", "never"):
        setup = await agent_setup.set_policy(agents, setup, word)
        record = await stage.agent(conversation).conversation()
        assert setup.policy == word
        assert record.confirmation_policy == setup.record.confirmation_policy


async def test_a_question_is_answered_by_whatever_version(stage: Stage) -> None:
    conversation = await stage.started(stage.prompts.short)
    await stage.until_over(conversation)
    asked = agent_setup.ask(agents_of(stage.api), conversation.id, "Why did you end?")
    assert (await stage.meanwhile(asked)).text


async def test_a_call_that_waits_is_not_run_by_condensing(stage: Stage) -> None:
    conversation = await stage.waiting()
    agents = agents_of(stage.api)
    setup = await agent_setup.read(agents, conversation.id)
    with pytest.raises(Refused, match=r"no condenser|condensing would run it"):
        await agent_setup.condense(agents, setup)
    await stage.sleep(1)
    assert not stage.ran(conversation)
    assert "CondensationRequest" not in await stage.kinds(conversation)


async def test_a_profile_is_switched_to_or_the_version_says_why_not(
    stage: Stage, version: str
) -> None:
    conversation = await stage.started()
    agents = agents_of(stage.api)
    setup = await agent_setup.read(agents, conversation.id)
    if version == "1.17.0":
        with pytest.raises(Refused, match=r"1\.17\.0 cannot switch profiles: .* since 1\.18 can"):
            await agent_setup.switch_profile(agents, setup, "fast")
        return
    await stage.keeps_profile(conversation, "fast")
    setup = await agent_setup.read(agents, conversation.id)
    with pytest.raises(Problem, match="There is no profile none"):
        await agent_setup.switch_profile(agents, setup, "none")
    after = await agent_setup.switch_profile(agents, setup, "fast")
    record = await stage.agent(conversation).conversation()
    assert (after.profile, after.record.model) == ("fast", record.model)
    assert record.model != setup.record.model
