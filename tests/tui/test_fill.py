"""How full the context was: in the timeline's column and beside the verdict."""

from __future__ import annotations

import json

import pytest

from oh_tui.catalog.user_annotations import NOTHING
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.glyphs import UNICODE
from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.describe import describe
from oh_tui.tui.widgets.step_lines import StepLines
from oh_tui.tui.widgets.summary import full_words
from tests.demo_runs import demo_events, demo_run


def lines(run: Trajectory, **choice: bool) -> StepLines:
    return StepLines(
        run, Study(run), UNICODE, "elapsed", 0.0, choice, sorts=False, filters=False, widest=0,
        latest=None, kept=NOTHING, forgotten=frozenset(), parted=frozenset(),
    )  # fmt: skip


def drawn(lines: StepLines, number: int) -> str:
    assert lines.trajectory is not None
    step = lines.trajectory.steps[number - 1]
    about = describe(step, lines.trajectory.outcome(step))
    pieces = lines.pieces(step, step.event, about, 120, in_range=False)
    return "".join(text for text, _ in pieces)


def test_the_column_is_there_when_it_is_wanted() -> None:
    run = demo_run("week-dates")
    usual, chosen = lines(run), lines(run, context=True)
    assert "context" not in usual.columns(120).shown
    assert "context" in chosen.columns(120).shown
    assert [cell.text.strip() for cell in chosen.head(120, None)][-2:] == ["fill", "cost"]
    assert drawn(chosen, 46).endswith("  21%   $0.02 ")
    assert drawn(usual, 46).endswith("   $0.02 ") and "21%" not in drawn(usual, 46)
    assert "%" not in drawn(chosen, 1)[-16:], "your message has no context"
    assert len(drawn(usual, 46)) == len(drawn(chosen, 46)) == 120


def test_a_fill_that_is_not_known_is_a_dot() -> None:
    run = Trajectory()
    run.extend(event for event in demo_events("week-dates") if event.key != "full_state")
    assert drawn(lines(run, context=True), 46).rstrip().split()[-2] == UNICODE.unknown


@pytest.mark.parametrize(("tokens", "words"), [(160_000, ()), (160_800, ("80%",)), (0, ())])
def test_the_verdict_warns_when_the_context_is_more_than_80_percent_full(
    tokens: int, words: tuple[str, ...]
) -> None:
    usage = {"prompt_tokens": tokens, "context_window": 200_000, "response_id": "r1"}
    metrics = {"accumulated_token_usage": {"prompt_tokens": tokens}, "token_usages": [usage]}
    state = {"stats": {"usage_to_metrics": {"agent": metrics}}}
    run = Trajectory()
    for event in (
        {"id": "c", "kind": "ActionEvent", "source": "agent", "llm_response_id": "r1",
         "tool_call_id": "t", "tool_name": "think"},
        {"id": "s", "kind": "ConversationStateUpdateEvent", "key": "full_state", "value": state},
    ):  # fmt: skip
        run.extend([parse_event(json.dumps(event).encode())])
    told = [(f"  context {one} full", "warn") for one in words]
    assert list(full_words(Study(run))) == told
