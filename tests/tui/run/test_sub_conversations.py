"""Entering and leaving a sub-conversation, without an app."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from oh_tui.conversation import Conversation
from oh_tui.settings.startup import Settings
from oh_tui.tui.controllers.run.sub_conversations import SubConversations
from oh_tui.tui.messages import RunWanted
from oh_tui.tui.session import Session
from tests.tui.fake_ui import FakeUi

PARENT, CHILD = Conversation(id="1" * 32), Conversation(id="2" * 32)


class FakeSource:
    remote = None

    async def get(self, ids: list[str]) -> list[Conversation | None]:
        return [CHILD if one == CHILD.id else None for one in ids]


def made() -> tuple[Session, FakeUi, SubConversations]:
    session, ui = Session(Settings()), FakeUi()
    source: Any = FakeSource()
    session.source, session.current, session.pane = source, PARENT, "timeline"
    steps: Any = SimpleNamespace(sub_runs_here=[], current=None)
    return session, ui, SubConversations(session, ui, steps)


def wanted(ui: FakeUi) -> list[Conversation]:
    """The conversations that are to be shown, each selected in the list."""
    assert all(isinstance(one, RunWanted) and one.select and not one.go for one in ui.posted)
    return [one.conversation for one in ui.posted if isinstance(one, RunWanted)]


async def test_leaving_returns_to_the_conversation_it_was_entered_from() -> None:
    session, ui, sub_conversations = made()
    await sub_conversations.enter({CHILD.id: ""})
    session.current, session.pane = CHILD, "conversations"
    assert not sub_conversations.leave()
    session.pane = "detail"
    assert sub_conversations.leave() and not sub_conversations.leave()
    assert wanted(ui) == [CHILD, PARENT]


async def test_one_that_is_not_kept_is_not_entered() -> None:
    session, ui, sub_conversations = made()
    await sub_conversations.enter({"3" * 32: ""})
    assert ui.told[-1].startswith("The run of the sub-agent is not available here")
    assert not (ui.posted or session.trail)


async def test_another_conversation_opened_meanwhile_ends_the_way_back() -> None:
    session, _, sub_conversations = made()
    await sub_conversations.enter({CHILD.id: ""})
    session.current = Conversation(id="4" * 32)
    assert not sub_conversations.leave() and not session.trail


async def test_of_several_one_is_chosen() -> None:
    _, ui, sub_conversations = made()
    await sub_conversations.enter({"3" * 32: "look", CHILD.id: "check"})
    assert not ui.posted
    ui.answers = [CHILD.id]
    await sub_conversations.enter({"3" * 32: "look", CHILD.id: ""})
    answers = [("look", "3" * 32, "1", None), ("number 2", CHILD.id, "2", None)]
    assert list(ui.asked[-1].answers) == answers
    assert wanted(ui) == [CHILD]


def test_without_a_step_nothing_is_entered() -> None:
    session, _, sub_conversations = made()
    assert sub_conversations.of_step() == {}
    session.source = None
    assert sub_conversations.of_step() == {}
