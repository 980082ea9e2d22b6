"""Filters without an app: the session's filter, and the messages posted."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from oh_tui.conversation import Conversation
from oh_tui.settings.startup import Settings
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.search.step_filter import parse
from oh_tui.tui.controllers.run.filter import Filter
from oh_tui.tui.messages import FilterChanged
from oh_tui.tui.session import Session
from tests.tui.fake_ui import FakeUi


def error(number: int) -> Event:
    detail = "even" if number % 2 == 0 else "odd"
    body = {"id": f"e{number}", "kind": "ConversationErrorEvent", "detail": detail}
    return parse_event(json.dumps(body).encode())


def made(*answers: str) -> tuple[Session, FakeUi, Filter, Trajectory]:
    trajectory = Trajectory()
    trajectory.extend(map(error, range(1, 7)))
    steps: Any = SimpleNamespace(trajectory=trajectory, study=None, step_here=3)

    async def is_there(conversation: Conversation) -> bool:
        return True

    session, ui = Session(Settings()), FakeUi(*answers)
    session.current, session.pane = Conversation(id="1" * 32), "timeline"
    no: Any = SimpleNamespace(is_there=is_there)
    search = Filter(session, ui, steps, no)
    return session, ui, search, trajectory


def shown(session: Session) -> tuple[int, ...] | None:
    return session.filtering.shown if session.filtering else None


async def test_the_session_holds_the_filter_and_what_it_lets_through() -> None:
    session, ui, search, _ = made()
    search.set_filter(parse("even"))
    assert session.filter_text == "even" and shown(session) is None
    await ui.work()
    assert shown(session) == (2, 4, 6)
    assert all(isinstance(one, FilterChanged) for one in ui.posted)
    ui.posted.clear()
    assert search.clear_filter() and session.filtering is None and len(ui.posted) == 1
    assert not search.clear_filter() and len(ui.posted) == 1


async def test_steps_that_come_are_tested_and_others_are_not_again() -> None:
    session, ui, search, trajectory = made()
    search.set_filter(parse("even"))
    await ui.work()
    assert session.filtering
    changed = trajectory.extend(map(error, range(7, 9)))
    session.follow = False
    search.run_grew(changed)
    await ui.work()
    assert shown(session) == (2, 4, 6, 8)


async def test_without_a_hit_it_says_so_in_the_place_of_the_steps() -> None:
    session, ui, search, _ = made()
    search.set_filter(parse("nowhere"))
    await ui.work()
    assert session.filtering
    assert session.filtering.shown == ()
    assert session.filtering.why_empty == ('no steps match "nowhere"', "esc shows all steps")


async def test_what_is_wrong_in_the_words_is_asked_for_again() -> None:
    session, ui, search, _ = made("even tol:edit", "even")
    search._ask()
    await ui.work()
    assert ui.prompted == ["", "tol"]
    assert "no field tol" in ui.told[0]
    assert shown(session) == (2, 4, 6)


async def test_a_pattern_that_takes_too_long_is_told() -> None:
    session, ui, search, trajectory = made()
    body = {"id": "e7", "kind": "ConversationErrorEvent", "detail": "a" * 60}
    trajectory.extend([parse_event(json.dumps(body).encode())])
    search.set_filter(parse("-re:/(a|aa)+!$/"))
    await ui.work()
    assert shown(session) == (1, 2, 3, 4, 5, 6)
    assert session.filtering and session.filtering.gave_up == "the pattern took too long"
    search.set_filter(parse("re:/(a|aa)+!$/"))
    await ui.work()
    assert shown(session) == () and session.filtering
    assert session.filtering.why_empty[0].endswith(
        "the pattern took too long; some steps were not searched"
    )
    search.set_filter(parse("re:/odd/"))
    await ui.work()
    assert session.filtering and session.filtering.gave_up == ""
