"""Acts that are kept are those that a step has now, and take little room."""

from __future__ import annotations

from typing import Any

import pytest

from oh_tui.demo.catalog import ENTRIES
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading import known_intents
from oh_tui.trajectory.reading.intents import intents
from oh_tui.trajectory.reading.known_intents import LARGEST, MOST, KnownIntents
from tests.demo_runs import demo_run
from tests.trajectory.made import event, shell


def _run(*events: Event) -> Trajectory:
    run = Trajectory()
    run.extend(events)
    return run


def _never(step: object) -> None:
    raise AssertionError("read again")


def test_acts_of_all_demo_runs_are_the_same_when_asked_again() -> None:
    for entry in ENTRIES:
        run, kept = demo_run(entry.slug), KnownIntents()
        for steps in (run.steps[::-1], run.steps, run.steps):
            assert [kept.of(step) for step in steps] == [intents(step) for step in steps]


def test_a_step_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    run, kept = _run(shell("1", "pytest -q && git push"), shell("3", "ls")), KnownIntents()
    found = [kept.of(step) for step in run.steps]
    monkeypatch.setattr(known_intents, "intents", _never)
    assert [kept.of(step) for step in run.steps] == found


def test_a_result_may_change_what_a_step_does() -> None:
    def report(number: int, **fields: Any) -> Event:
        return event("ACPToolCallEvent", str(number), tool_call_id="c", tool_kind="edit", **fields)

    run, kept = _run(report(1)), KnownIntents()
    before = kept.of(run.steps[0])
    run.extend(
        [report(2, status="completed", content=[{"type": "diff", "path": "a.py", "newText": "x"}])]
    )
    after = kept.of(run.steps[0])
    assert after == intents(run.steps[0]) != before


def test_steps_that_get_other_numbers_are_read_again() -> None:
    kept = KnownIntents()
    for run in (_run(shell("1", "ls")), _run(shell("1", "pytest"))):
        assert kept.of(run.steps[0]) == intents(run.steps[0])


def test_hostile_runs_keep_little() -> None:
    kept = KnownIntents()
    large = _run(shell("1", f"rm {'a' * LARGEST}"), shell("3", "rm x;" * 4_000))
    for step in large.steps:
        assert kept.of(step) == intents(step)
    assert not kept._same
    many = _run(*(shell(str(n), f"rm file{n}") for n in range(MOST + 20)))
    for step in many.steps:
        assert kept.of(step) == intents(step)
    assert len(kept._same) == MOST
