"""Another client answers at each moment of our answer: nothing runs that was not shown, and where
the server leaves a gap the result says what ran."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from oh_tui.actions import agent_actions
from oh_tui.actions.agent_actions import Agents, HalfDone
from oh_tui.actions.agent_state import AgentState, answered_since
from oh_tui.api import Conflict
from oh_tui.text.problem import Problem
from tests.actions.test_agent_actions import done
from tests.races import NEXT, OAUTH, RESPOND, RUN, SEND, SHOWN, Other
from tests.sources.here import demo_read


class Race:
    def __init__(self, agents: Agents, other: Other) -> None:
        self.agents, self.other = agents, other

    async def state(self) -> AgentState:
        return await self.agents.state(OAUTH)

    @property
    def posts(self) -> list[str]:
        asked = self.other.between.asked
        return [call.rpartition("/")[2] for call in asked if call.startswith("POST")]


@pytest.fixture
async def race(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Race]:
    monkeypatch.setattr(agent_actions, "SETTLE", 0.3)
    async with demo_read() as it:
        yield Race(it.source.agents, Other(it.demo, it.between))


async def answered(race: Race, shown: AgentState, *, accept: bool) -> None:
    await done(race.agents.answer(shown, accept=accept))


@pytest.mark.parametrize("accept", [True, False])
async def test_before_the_look_nothing_is_sent(race: Race, accept: bool) -> None:
    shown = await race.state()
    race.other.approves_and_it_asks_anew()
    with pytest.raises(Problem, match=rf"Answered by somebody else; now it asks: \$ {NEXT}"):
        await answered(race, shown, accept=accept)
    assert race.posts == []
    assert race.other.ran == [SHOWN]


@pytest.mark.parametrize("accept", [True, False])
async def test_while_it_works_for_somebody_else_nothing_is_sent(race: Race, accept: bool) -> None:
    shown = await race.state()
    race.other.approves()
    with pytest.raises(Problem, match="Answered by somebody else: the agent works"):
        await answered(race, shown, accept=accept)
    assert race.posts == []


async def test_between_a_refusal_and_the_next_try_it_is_looked_again(race: Race) -> None:
    shown = await race.state()
    race.other.around_a_refusal()
    with pytest.raises(Problem, match=rf"Answered by somebody else; now it asks: \$ {NEXT}"):
        await answered(race, shown, accept=True)
    assert race.posts == ["run"]
    assert race.other.ran == [SHOWN]


async def test_a_refusal_because_somebody_else_approved_is_no_approval_of_ours(race: Race) -> None:
    shown = await race.state()
    race.other.between.first(RUN, race.other.approves)
    with pytest.raises(Problem, match="Answered by somebody else: the agent works"):
        await answered(race, shown, accept=True)
    assert race.posts == ["run"]


async def test_in_the_gap_that_the_server_leaves_it_is_said_what_ran(race: Race) -> None:
    shown = await race.state()
    race.other.before(RUN)
    with pytest.raises(Problem, match=rf"a call that was not shown got .*: \$ {NEXT}"):
        await answered(race, shown, accept=True)
    assert race.other.ran == [SHOWN, NEXT]


async def test_in_the_same_gap_a_rejection_says_what_it_met(race: Race) -> None:
    shown = await race.state()
    race.other.before(RESPOND)
    with pytest.raises(Problem, match=rf"a call that was not shown got .*: \$ {NEXT}"):
        await answered(race, shown, accept=False)
    assert race.other.ran == [SHOWN]


async def test_a_yes_to_what_somebody_else_rejects_is_none(race: Race) -> None:
    shown = await race.state()
    race.other.between.first(RUN, race.other.rejects)
    with pytest.raises(Problem, match=f"Answered by somebody else, who rejected .*{SHOWN}"):
        await answered(race, shown, accept=True)
    assert race.other.ran == []


async def test_a_no_to_what_somebody_else_approves_is_none(race: Race) -> None:
    shown = await race.state()
    race.other.between.first(RESPOND, race.other.approves)
    race.other.between.after(RESPOND, lambda: race.other.demo.advance(5))
    with pytest.raises(Problem, match=f"Answered by somebody else: .*{SHOWN} was run"):
        await answered(race, shown, accept=False)


async def test_a_reason_that_the_agent_does_not_read_is_not_said_to_be_given(race: Race) -> None:
    shown = await race.state()
    race.other.between.first(RESPOND, race.other.rejects)
    with pytest.raises(Problem, match="with another reason than yours"):
        await done(race.agents.answer(shown, accept=False, reason="use a pull request"))


# Messages and going on


async def test_a_message_that_approves_runs_nothing_that_was_not_shown(race: Race) -> None:
    shown = await race.state()
    race.other.before(SEND)
    with pytest.raises(HalfDone, match=f"message arrived, but .*now it asks: .*{NEXT}"):
        await done(race.agents.send(shown, "go", approve=True))
    assert race.posts == ["send-message"]
    assert race.other.ran == [SHOWN]


async def test_rejected_then_sent_the_next_call_waits_still(race: Race) -> None:
    shown = await race.state()
    free = await race.agents.reject_for_message(shown)

    def somebody_lets_it_ask() -> None:
        race.other.approves_and_it_asks_anew()

    race.other.between.first(SEND, somebody_lets_it_ask)
    with pytest.raises(HalfDone, match=f"now it asks: .*{NEXT}"):
        await done(race.agents.send(free, "go"))
    assert race.posts == ["respond_to_confirmation", "send-message"]
    assert race.other.ran == []


async def test_a_rejection_that_meets_another_call_sends_nothing(race: Race) -> None:
    shown = await race.state()
    race.other.before(RESPOND)
    with pytest.raises(Problem, match=f"not shown got .*{NEXT}"):
        await race.agents.reject_for_message(shown)
    assert race.posts == ["respond_to_confirmation"]


async def test_a_message_is_never_sent_with_the_word_to_go_on(race: Race) -> None:
    """The server remembers `run` until the current run has ended (source)."""
    shown = await race.state()
    race.other.between.first(SEND, race.other.approves)
    with pytest.raises(HalfDone, match="answered by somebody else: the agent works"):
        await done(race.agents.send(shown, "go", approve=True))
    race.other.asks_anew()
    assert (await race.state()).waits
    assert race.other.ran == [SHOWN]


async def test_to_continue_runs_no_call_that_came_meanwhile(race: Race) -> None:
    shown = await race.state()
    await done(race.agents.answer(shown, accept=False))
    idle = await race.agents.settled(shown)
    race.other.approves_and_it_asks_anew()
    with pytest.raises(Problem, match=f"Now it asks: .*{NEXT}"):
        await done(race.agents.go_on(idle))
    assert race.posts == ["respond_to_confirmation"]


# Not ready, and out of sight


async def test_one_that_is_not_ready_is_tried_again_while_the_same_call_waits(race: Race) -> None:
    shown = await race.state()
    between = race.other.between
    between.answer(RUN, 409, '{"detail": "Conversation already running."}', "application/json")
    between.after(RUN, between.answers.clear)
    await answered(race, shown, accept=True)
    assert race.posts == ["run", "run"]
    assert race.other.ran == [SHOWN]


async def test_one_that_is_never_ready_is_an_error(
    race: Race, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_actions, "READY", 0.3)
    shown = await race.state()
    race.other.between.answer(RUN, 409, '{"detail": "no"}', "application/json")
    with pytest.raises(Conflict):
        await answered(race, shown, accept=True)
    assert len(race.posts) > 1


async def test_calls_older_than_those_read_are_looked_for(
    race: Race, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One answer runs all parallel calls: all must be known."""
    monkeypatch.setattr(agent_actions, "PAGE", 1)
    whole = await race.state()
    assert whole.known and whole.in_sight
    monkeypatch.setattr(agent_actions, "LOOK_BACK", len(whole.events) - 2)
    part = await race.state()
    assert part.same_calls(whole) and not part.known
    with pytest.raises(Problem, match="not all among the last"):
        await done(race.agents.answer(part, accept=True))
    assert race.posts == []


async def test_what_asks_next_is_not_held_for_answered(race: Race) -> None:
    shown = await race.state()
    race.other.approves_and_it_asks_anew()
    assert answered_since(shown, await race.state()) == ()
