"""Reading before a question: shown, dropped when the user moves on, the last one counts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from oh_tui.conversation import Conversation
from oh_tui.settings.startup import Settings
from oh_tui.tui.session import Session
from oh_tui.tui.ui import Preparations
from tests.tui.fake_ui import FakeUi

ONE, OTHER = Conversation(id="1" * 32), Conversation(id="2" * 32)


class FakeWorker:
    def __init__(self, name: str) -> None:
        self.name = name
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


def made() -> tuple[Session, FakeUi, Preparations, Any]:
    session, ui = Session(Settings()), FakeUi()
    cursors: Any = SimpleNamespace(listed=ONE, sandbox=None)
    session.cursors = cursors
    return session, ui, Preparations(session, ui.tell), cursors


def worker(name: str) -> Any:
    return FakeWorker(name)


def test_another_conversation_drops_it_and_says_so() -> None:
    _, ui, preparations, cursors = made()
    answer = worker("answer")
    with preparations.preparing(answer, "asking"):
        assert preparations.prepares("answer") and not preparations.prepares("pause")
        preparations.cursors_moved()
        assert not answer.is_cancelled
        cursors.listed = OTHER
        preparations.cursors_moved()
        assert answer.is_cancelled and not preparations.active
    assert ui.told == ["asking · esc stops", "not asked: you went to another conversation"]


def test_what_shows_the_conversation_it_is_about_does_not_drop_it() -> None:
    session, _, preparations, _ = made()
    session.current = OTHER
    answer = worker("answer")
    with preparations.preparing(answer, "asking"):
        session.current = ONE
        preparations.cursors_moved()
        assert preparations.active and not answer.is_cancelled


def test_of_two_the_last_counts() -> None:
    _, _, preparations, _ = made()
    first, second = worker("answer"), worker("pause")
    with preparations.preparing(first, "asking"), preparations.preparing(second, "looking"):
        assert first.is_cancelled and preparations.prepares("pause")
    assert not preparations.active
