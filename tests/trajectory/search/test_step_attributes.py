"""The table of what is told of steps in numbers, and who uses it."""

from __future__ import annotations

import pytest

from oh_tui.documents.schema import schema_of
from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.costs.spending import spending
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.search.fields import FIELDS
from oh_tui.trajectory.search.step_attributes import (
    CONTEXT,
    STEP_ATTRIBUTES,
    StepOrder,
    StepSorting,
)
from oh_tui.trajectory.search.step_filter import parse, unknown_words
from oh_tui.tui.state.columns import STEPS
from tests.demo_runs import demo_events, demo_run


def test_each_has_a_key_an_order_a_word_and_a_field_of_its_own() -> None:
    for parts in (
        [one.key for one in STEPS],
        [one.json for one in STEP_ATTRIBUTES],
    ):
        assert len(set(parts)) == len(parts)
    assert {one.name for one in STEP_ATTRIBUTES} | {"time"} == set(StepOrder)
    assert {one.word.name for one in STEP_ATTRIBUTES if one.word} <= set(FIELDS)
    assert {one.json for one in STEP_ATTRIBUTES} <= {
        *schema_of("tail")["$defs"]["Step"]["required"]
    }


@pytest.fixture(scope="module")
def run() -> Trajectory:
    return demo_run("week-dates")


def test_fill_is_that_of_the_answer_for_each_of_its_steps(run: Trajectory) -> None:
    study = Study(run)
    for step in run.steps:
        answer = study.contexts.of(step.number)
        told = answer.fill if answer else None
        assert CONTEXT.value(study.accounts, step) == told
        if answer is None:
            assert CONTEXT.shown_text(study.accounts, step, ".") == ""


@pytest.fixture(scope="module")
def with_sums() -> Trajectory:
    """The same without the list of its answers."""
    run = Trajectory()
    run.extend(event for event in demo_events("week-dates") if event.key != "full_state")
    return run


def test_fill_that_is_not_known_is_never_a_number(with_sums: Trajectory) -> None:
    accounts = Accounts(with_sums)
    assert accounts.total.prompt and accounts.context_window
    cells = [CONTEXT.shown_text(accounts, step, "?") for step in with_sums.steps]
    assert set(cells) == {"?", ""} and cells.count("?") > 50
    assert {CONTEXT.value(accounts, step) for step in with_sums.steps} == {None}
    assert {CONTEXT.shown_text(None, step, "?") for step in with_sums.steps} == {"?", ""}


def test_a_filter_counts_the_steps_that_it_cannot_judge(
    run: Trajectory, with_sums: Trajectory
) -> None:
    study, query = Study(run), parse("context:>20% -context:>99%")
    matching = [step for step in run.steps if query.matches(step, run, study)]
    assert matching and all((study.accounts.fill(step) or 0) > 0.2 for step in matching)
    assert not query.unknown(study)
    study = Study(with_sums)
    counts = query.unknown(study)
    assert list(counts) == ["context fill"] and counts["context fill"] > 50
    assert unknown_words({"context fill": 1}) == "the context fill of 1 step is not known"
    for words in ("context:>20%", "-context:>20%"):
        passed = [s for s in with_sums.steps if parse(words).matches(s, with_sums, study)]
        assert not any(CONTEXT.is_due(step) for step in passed)
    assert not parse("took:>1s cost:>0").unknown(study)


def test_the_fullest_come_first_and_the_unknown_last(run: Trajectory) -> None:
    accounts = Accounts(run)
    numbers = range(1, len(run) + 1)
    order = StepSorting(StepOrder.CONTEXT).sort(numbers, run.steps, accounts)
    fills = [accounts.fill(run.steps[number - 1]) for number in order]
    known = [fill for fill in fills if fill is not None]
    assert known == sorted(known, reverse=True) and set(fills[len(known) :]) <= {None}


def test_the_costs_page_knows_the_fill_of_listed_answers_alone(
    run: Trajectory, with_sums: Trajectory
) -> None:
    listed, sums = spending(run, Accounts(run)), spending(with_sums, Accounts(with_sums))
    fills = [one.fill for one in Study(run).contexts.answers]
    assert (listed.last_fill, listed.most_fill) == (fills[-1], max(filter(None, fills)))
    assert sums.window and sums.last and (sums.last_fill, sums.most_fill) == (None, None)
