"""Runs of every SDK version: each field is shown, and each failure counts as one."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.steps import Outcome
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usual_fields import REDUNDANT, REDUNDANT_LISTS
from oh_tui.trajectory.presentation import block_fields
from oh_tui.trajectory.presentation.blocks import event_blocks
from oh_tui.trajectory.presentation.take import View, left

from .corpus import Shape, events, shapes
from .test_every_field import check

SHAPES = list(shapes())


def run_of(bodies: list[dict[str, Any]]) -> Trajectory:
    run = Trajectory()
    run.extend(parse_event(json.dumps(body).encode()) for body in bodies)
    return run


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.name}-{shape.version}")
def test_every_field_of_every_version_is_shown_exported_and_found(shape: Shape) -> None:
    check(run_of(events(shape)))


FAILURES: dict[str, list[tuple[str, Any]]] = {
    "flag": [("is_error", True), ("error", True), ("timeout", True)],
    "text": [("error", "it broke")],
    "number": [("exit_code", 3)],
    "shell": [("metadata", {"exit_code": 127})],
}


def failing() -> list[tuple[Shape, str, Any]]:
    return [
        (shape, field, value)
        for shape in SHAPES
        if shape.name.endswith("Observation") and "action_id" not in shape.fields
        for field, kind in shape.fields.items()
        for name, value in FAILURES.get(kind, ())
        if field == name
    ]


def test_every_way_to_fail_of_every_version_counts_as_a_failure() -> None:
    assert len(failing()) > 70
    for shape, field, value in failing():
        bodies = events(shape)
        seen = bodies[1]["observation"]
        for name in ("error", "exit_code", "metadata"):
            seen.pop(name, None)
        seen[field] = value
        run = run_of(bodies)
        outcome = run.outcome(run.steps[0])
        assert outcome in (Outcome.ERROR, Outcome.COMMAND_FAILED), (shape, field)
        assert run.counts.ok == 0


def means(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many fields are shown by which means."""
    rest: set[str] = set()

    def recorded(value: Any, depth: int = 0) -> Any:
        found = left(value, depth)
        if isinstance(value, View) and isinstance(found, dict):
            rest.update(found)
        return found

    monkeypatch.setattr(block_fields, "left", recorded)
    counts: Counter[str] = Counter()
    known: dict[tuple[str, str], str] = {}
    for shape in SHAPES:
        bodies = events(shape)
        rest.clear()
        for event in run_of(bodies).events:
            event_blocks(event)
        of_event = len(bodies) == 1
        for field in shape.fields:
            if field == "kind" or (of_event and field in (REDUNDANT | REDUNDANT_LISTS)):
                told = "redundant"
            else:
                told = "as fields" if field in rest else "specialised"
            known[shape.name, field] = told
    counts.update(known.values())
    return counts


def test_most_fields_have_a_rendering_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = means(monkeypatch)
    assert counts["specialised"] > counts["as fields"]
