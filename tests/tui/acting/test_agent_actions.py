"""Actions on agents without an app: requests, messages shown and posted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

from msgspec.structs import replace

from oh_tui.actions.agent_actions import AgentStage
from oh_tui.actions.agent_state import AgentState
from oh_tui.conversation import Conversation
from oh_tui.settings.startup import Settings
from oh_tui.tui.controllers.agent.agents import AgentActions
from oh_tui.tui.messages import AgentChanged, ListsChanged, RunWanted
from oh_tui.tui.session import Session
from oh_tui.tui.state.work import Wait
from tests.tui.fake_ui import FakeUi

ONE = Conversation(id="1" * 32, title="One", sandbox_id="box", sandbox_status="RUNNING")
WORKS = AgentState(ONE, "running")


class FakeAgents:
    """Of one conversation, whose agent works until it is stopped."""

    def __init__(self) -> None:
        self.stopped: list[bool] = []

    async def state(self, conversation_id: str) -> AgentState:
        return WORKS

    async def stop(self, state: AgentState, *, at_once: bool) -> AsyncIterator[Any]:
        self.stopped.append(at_once)
        yield AgentStage.STOPPING
        yield replace(state, status="paused")


def made(*answers: str) -> tuple[Session, FakeUi, FakeAgents, AgentActions]:
    session, ui, agents = Session(Settings()), FakeUi(*answers), FakeAgents()
    source: Any = SimpleNamespace(agents=agents, sandboxes=object())
    source.holder = lambda _: source

    async def stops_none(_: Conversation) -> bool:
        return False

    others: Any = SimpleNamespace(automations=SimpleNamespace(stop_run=stops_none))
    session.source, session.current = source, ONE
    session.pane = "timeline"
    return session, ui, agents, AgentActions(session, ui, others)


async def test_stopping_tells_its_stage_and_posts_what_changed() -> None:
    session, ui, agents, actions = made("step")
    actions.action_stop_or_continue()
    await ui.work()
    assert agents.stopped == [False]
    assert ui.told[-2:] == [AgentStage.STOPPING, "the agent is stopped: P continues it"]
    assert [type(message) for message in ui.posted] == [ListsChanged, AgentChanged]
    assert not (session.waits or session.writes.words)


async def test_esc_at_the_question_leaves_the_agent_alone() -> None:
    _, ui, agents, actions = made()
    actions.action_stop_or_continue()
    await ui.work()
    assert len(ui.asked) == 1
    assert not (agents.stopped or ui.posted)


async def test_the_run_that_is_asked_about_is_shown() -> None:
    session, ui, _, actions = made()
    cursors: Any = SimpleNamespace(listed=ONE, sandbox=None)
    session.cursors, session.pane = cursors, "conversations"
    session.current = None
    actions.action_stop_or_continue()
    await ui.work()
    assert [type(message) for message in ui.posted] == [RunWanted]


def test_esc_ends_the_telling_of_what_was_begun_last() -> None:
    session, ui, _, actions = made()
    first, last = Wait("approving", 0.0), Wait("sending", 0.0)
    session.waits += [first, last]
    actions.show_wait(first)
    assert not ui.told
    assert actions.stop_waiting()
    assert session.waits == [first] and ui.told == ["sending; the outcome appears here"]
