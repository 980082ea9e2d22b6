"""What the tests of foreign formats share: runs from converters, and what is shown of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from hypothesis import strategies as st

from oh_tui.text.clean import clean
from oh_tui.text.redact import redact, redact_json
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.formats.foreign.foreign_run import ForeignRun
from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.images import data_text
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usual_fields import USUAL
from oh_tui.trajectory.presentation.block import plain_text
from oh_tui.trajectory.presentation.blocks import (
    call_blocks,
    call_title,
    event_blocks,
    result_blocks,
    result_title,
)
from oh_tui.trajectory.presentation.step_context import StepContext
from oh_tui.trajectory.reading.terminal import read_output

JsonObject = dict[str, Any]

TEXTS = st.text(max_size=10) | st.sampled_from(["ERROR: no", "a\nb", '{"a": [1]}', "finished"])
SCALARS = st.none() | st.booleans() | st.integers(-9, 10**7) | st.floats(allow_nan=False) | TEXTS


def words(text: str) -> list[str]:
    return text.split()


def values(names: list[str]) -> st.SearchStrategy[Any]:
    """Any JSON, whose objects often have these names."""
    return st.recursive(
        SCALARS,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(names) | st.text(max_size=4), inner, max_size=4)
        ),
        max_leaves=8,
    )


def trajectory(run: ForeignRun) -> Trajectory:
    found = Trajectory()
    found.stats = run.stats
    found.extend(map(parse_event, run.events))
    assert len(run.events) == len(run.originals) == len(found.events)
    return found


class Row(NamedTuple):
    """A row of a golden table."""

    steps: int
    calls: int
    results: int
    failed: int
    """Calls that failed, and errors that belong to none."""
    cost: float
    tokens: int
    verdict: str


def row(run: Trajectory) -> Row:
    study, counts = Study(run), run.counts
    total = study.accounts.total
    results = sum(len(step.results) for step in run.steps if step.is_call)
    failed = counts.failed_commands + counts.errors
    cost = round(total.cost, 6)
    return Row(
        len(run), counts.calls, results, failed, cost, total.tokens, study.verdict.word or "-"
    )


def shown(run: Trajectory) -> str:
    """All that the explorer shows of a run, without spaces."""
    texts: list[str] = []
    for step in run.steps:
        outcome, context = run.outcome(step), StepContext(run, step)
        blocks = call_blocks(step, whole=True, context=context)
        blocks += result_blocks(step, outcome, context=context)
        texts += [call_title(step), result_title(step, outcome), plain_text(blocks)]
    for event in run.events:
        texts += [event.kind, event.key, plain_text(event_blocks(event, StepContext(run, event)))]
    return "".join("\n".join(texts).split())


def told(value: Any) -> Iterator[str]:
    """The texts and numbers of foreign JSON, but for values that are said in words."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if not (isinstance(inner, str) and name in USUAL and inner in USUAL[name][0]):
                yield from told(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from told(inner)
    elif isinstance(value, str):
        if not data_text(value):
            yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield json.dumps(value)


def lost(foreign: Any, run: Trajectory) -> list[str]:
    """The texts and numbers of foreign JSON that are shown nowhere."""
    have = shown(run)
    return [
        text
        for text in told(redact_json(foreign))
        if "".join(redact(clean(text)).split()) not in have
        and "".join(read_output(text).text.split()) not in have
    ]
