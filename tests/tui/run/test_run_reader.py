"""Opening and reading a run without an app: the session's state and the messages posted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from time import perf_counter
from types import SimpleNamespace
from typing import Any

import pytest

from oh_tui.conversation import Conversation
from oh_tui.settings.startup import Settings
from oh_tui.sources.results import Loaded
from oh_tui.trajectory.model.trajectory import build
from oh_tui.trajectory.search.scan import SLICE
from oh_tui.trajectory.search.step_filter import parse
from oh_tui.tui.controllers.run import reader
from oh_tui.tui.controllers.run.older import OlderEvents
from oh_tui.tui.controllers.run.pace import AFTER_KEY
from oh_tui.tui.controllers.run.reader import RunReader
from oh_tui.tui.controllers.run.target import TargetRun
from oh_tui.tui.messages import ConversationChanged, ProgressChanged, RunGrew, RunLoaded, RunStudied
from oh_tui.tui.session import Session
from oh_tui.tui.state.filtering import Filtering
from tests.sources.test_server import happened, parsed
from tests.tui.fake_ui import FakeUi

FIRST, SECOND = Conversation(id="1" * 32), Conversation(id="2" * 32)


def made() -> tuple[Session, FakeUi, RunReader, Any]:
    steps: Any = SimpleNamespace(
        order=None,
        trajectory=None,
        study=None,
        current=None,
        range=None,
        cursor=0,
        row_count=lambda: 0,
    )
    session, ui = Session(Settings()), FakeUi()
    return session, ui, RunReader(session, ui, steps), steps


def loaded(first: int, end: int, *, total: int) -> Loaded:
    events = parsed([happened(n) for n in range(first, end)])
    trajectory = build(events, complete=end - first == total)
    return Loaded("app server", trajectory, end - first, total)


def test_no_key_acts_on_the_steps_of_the_run_before() -> None:
    session, ui, run, _ = made()
    run.open(FIRST)
    run.take(FIRST, loaded(0, 4, total=4))
    assert session.trajectory is not None
    run.open(SECOND, preview=True)
    assert session.trajectory is None and session.current is SECOND
    told = [one.another for one in ui.posted if isinstance(one, ConversationChanged)]
    assert told == [True, True] and len(ui.begun) == 2
    run.open(SECOND)
    assert session.reader == "reader", "what was only a preview is read"


async def test_the_cursor_lands_once_and_then_stays_with_its_event() -> None:
    session, ui, run, _ = made()
    session.current = FIRST
    newest = run.take(FIRST, loaded(6, 9, total=9))
    assert newest and session.progress == "the last 3 of 9 events · L reads all"
    whole = run.take(FIRST, loaded(0, 9, total=9))
    assert whole and session.trajectory is whole.trajectory and session.progress == ""
    steps = [one.step for one in ui.posted if isinstance(one, RunLoaded)]
    assert steps[0] is not None and steps[1:] == [None]
    assert sum(isinstance(one, ProgressChanged) for one in ui.posted) == 2
    await run.study(newest)
    assert not any(isinstance(one, RunStudied) for one in ui.posted), "it is not shown any more"
    await run.study(whole)
    assert isinstance(ui.posted[-1], RunStudied)


def test_what_comes_is_taken_in_where_it_is() -> None:
    session, ui, run, _ = made()
    session.current = FIRST
    shown = run.take(FIRST, loaded(0, 4, total=4))
    assert shown
    held = len(shown.trajectory.events)
    news = list(parsed([happened(9)]))
    run.take(FIRST, Loaded("app server", None, 5, 5, news=news))
    assert session.trajectory is shown.trajectory
    assert len(shown.trajectory.events) == held + 1
    assert isinstance(ui.posted[-1], RunGrew)


@pytest.mark.parametrize("busy", ["is_reading", "filtering"])
def test_the_top_reads_older_events_but_not_twice_or_through_a_filter(busy: str) -> None:
    session, ui, run, steps = made()
    older = OlderEvents(session, ui, run, TargetRun(session, ui, steps, run))
    setattr(session, busy, Filtering(parse("is:failed")) if busy == "filtering" else True)
    older.at_top()
    assert not ui.begun
    session.is_reading, session.filtering = False, None
    older.at_top()
    assert len(ui.begun) == 1


async def test_a_key_waits_until_the_run_is_drawn() -> None:
    session, ui, run, steps = made()
    target = TargetRun(session, ui, steps, run)
    did: list[str] = []
    run.open(FIRST)
    ui.begun.clear()
    session.pane = "timeline"
    run.take(FIRST, loaded(0, 4, total=4))
    target.act(lambda: did.append("early"))
    assert not did and len(ui.begun) == 1, "the timeline does not have it yet"
    steps.trajectory = session.trajectory
    target.act(lambda: did.append("drawn"))
    assert did == ["drawn"]


async def test_reading_waits_for_keys_and_tells_how_far_it_is_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reader, "SHOW_EVERY", 60.0)
    session, ui, run, _ = made()
    session.current = FIRST
    asked = list[float]()

    async def load(*_: Any) -> AsyncGenerator[Loaded, None]:
        for part in range(1, 4):
            await asyncio.sleep(SLICE)  # as long as it takes to read some events
            ui.input_at = perf_counter() if part == 2 else 0.0
            asked.append(perf_counter())
            yield Loaded("file", None, part, 9)

    source: Any = SimpleNamespace(runs=SimpleNamespace(load=load), remote=None)
    session.source = source
    await run._load(FIRST, preview=False)
    assert asked[2] - asked[1] >= AFTER_KEY - SLICE
    told = [one for one in ui.posted if isinstance(one, ProgressChanged)]
    assert len(told) == 1 and session.progress == "reading 1 of 9 events · esc stops"
