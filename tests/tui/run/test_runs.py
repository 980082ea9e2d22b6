"""Runs kept while the user looks at others."""

from __future__ import annotations

from oh_tui.api.paging import PAGE
from oh_tui.conversation import Conversation
from oh_tui.sources.results import Loaded
from oh_tui.trajectory.model.trajectory import Trajectory, build
from oh_tui.tui.state.loaded_runs import KEPT, Runs
from tests.trajectory.made import message


def run(events: int) -> Trajectory:
    return build([message(str(n), "hello") for n in range(events)], complete=False)


def test_the_run_just_opened_is_kept_whatever_the_others_took_to_read() -> None:
    runs = Runs()
    for number in range(KEPT):
        runs.take(Conversation(id=f"long{number}"), Loaded("app server", run(PAGE + 1)))
    assert all(held.is_expensive for held in runs._runs.values())
    runs.take(Conversation(id="short"), Loaded("agent server", run(1)))
    assert runs.get("short") and len(runs._runs) == KEPT
    assert not runs.get("long0") and runs.get("long1")
    # a cheap one goes before those that took long
    runs.take(Conversation(id="another"), Loaded("agent server", run(1)))
    assert not runs.get("short") and runs.get("another") and runs.get("long1")
