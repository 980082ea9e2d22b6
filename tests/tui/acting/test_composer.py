"""Composing a message without an app: refusals before an editor opens."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

from msgspec.structs import replace

from oh_tui.actions.agent_state import AgentState
from oh_tui.conversation import Conversation
from oh_tui.settings.startup import Settings
from oh_tui.tui.controllers.agent.agents import SENDING, AgentActions
from oh_tui.tui.controllers.agent.compose import Composer
from oh_tui.tui.controllers.sandbox.sandboxes import SandboxActions
from oh_tui.tui.session import Session
from tests.tui.fake_ui import FakeUi

ONE = Conversation(id="1" * 32, title="One", sandbox_id="box", sandbox_status="RUNNING")


class FakeAgents:
    """Of one conversation, whose sandbox is gone."""

    async def state(self, conversation_id: str) -> AgentState:
        return AgentState(replace(ONE, sandbox_status="MISSING"))


def made(conversation: Conversation) -> tuple[Session, FakeUi, Composer]:
    session, ui = Session(Settings()), FakeUi("some text")
    source: Any = SimpleNamespace(agents=FakeAgents(), sandboxes=object())
    source.holder = lambda _: source
    no_others: Any = None  # no key was rejected in these tests
    session.source, session.current, session.pane = source, conversation, "timeline"
    return session, ui, Composer(
        session, ui, AgentActions(session, ui, no_others),
        SandboxActions(session, ui, AsyncMock(), no_others),
    )  # fmt: skip


async def test_nothing_is_written_to_an_agent_that_is_gone() -> None:
    session, ui, composer = made(replace(ONE, sandbox_status="MISSING"))
    composer.action_write()
    await ui.work()
    assert ui.told[-1].startswith("The sandbox is gone")
    assert ui.answers == ["some text"] and not session.drafts


async def test_a_second_message_waits_for_the_one_that_is_being_sent() -> None:
    session, ui, composer = made(ONE)
    with session.writes.doing(SENDING, ONE.id):
        composer.action_write()
        await ui.work()
    assert ui.told == ["the previous message is still being sent"]
    assert ui.answers == ["some text"]
