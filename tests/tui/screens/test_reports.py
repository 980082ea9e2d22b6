"""Screens about a run, without an app: a choice made there goes to the timeline."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from oh_tui.conversation import Conversation
from oh_tui.settings.startup import Settings
from oh_tui.tui.controllers.run.reports import Reports
from oh_tui.tui.controllers.run.target import TargetRun
from oh_tui.tui.messages import StepWanted
from oh_tui.tui.session import Session
from oh_tui.tui.ui import Ui
from tests.tui.fake_ui import FakeUi

OPEN = Conversation(id="1" * 32)


class FakeRun(TargetRun):
    def __init__(self, session: Session, ui: Ui) -> None:
        self._session, self._ui = session, ui

    def show_target(self, *, wanted: bool = False) -> Conversation | None:
        return self._session.target()

    def study_of(self, conversation: Conversation) -> None: ...

    def act(self, do: Callable[[], object], /, *, opens: bool = False) -> None:
        do()

    async def until_shown(self, conversation: Conversation) -> None: ...

    async def is_there(self, conversation: Conversation) -> bool:
        return False


def made() -> tuple[Session, FakeUi, Reports, Any, list[str]]:
    filters: list[str] = []
    search: Any = SimpleNamespace(set_filter=lambda query: filters.append(query.text))
    steps: Any = SimpleNamespace(empty=("no events",))
    bodies: Any = SimpleNamespace()
    session, ui = Session(Settings()), FakeUi()
    run: Any = FakeRun(session, ui)
    session.current = OPEN
    return session, ui, Reports(session, ui, steps, bodies, run, search), run, filters


@pytest.mark.parametrize(("chosen", "told"), [(7, [7]), (None, [])])
def test_a_step_of_the_costs_is_gone_to(chosen: int | None, told: list[int]) -> None:
    _, ui, reports, _, _ = made()
    reports.action_costs()
    ui.closed[0](chosen)
    assert [one.number for one in ui.posted if isinstance(one, StepWanted)] == told


async def test_a_changed_file_limits_the_timeline_to_its_steps() -> None:
    _, ui, reports, _, filters = made()
    reports.action_changes()
    ui.closed[0](("filter", "src/a b.py"))
    assert filters == ['path:"src/a b.py"'] and not ui.posted


async def test_what_is_chosen_for_a_run_that_is_gone_does_nothing() -> None:
    session, ui, reports, _, filters = made()
    reports.action_changes()
    session.current = Conversation(id="2" * 32)
    ui.closed[0](("filter", "a.py"))
    ui.closed[0](("step", 3))
    assert not filters and not ui.posted


def test_without_a_conversation_it_says_so() -> None:
    session, ui, reports, _, _ = made()
    session.current = None
    with ui.telling():
        reports.action_costs()
    assert ui.told == [session.no_target] and not ui.pushed
