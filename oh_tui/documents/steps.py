"""The steps of a run that are meant, and what is told beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from oh_tui.catalog.silence import Standing
from oh_tui.catalog.status_cache import LastKnown
from oh_tui.catalog.user_annotations import RunAnnotations
from oh_tui.documents.run import (
    branch_json,
    conversation_json,
    counts_json,
    totals_json,
    verdict_json,
)
from oh_tui.text.clean import clean_line
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.text.remarks import say
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory, find_step
from oh_tui.trajectory.search.step_filter import NO_PHRASE, Query, unknown_words

if TYPE_CHECKING:
    from oh_tui.conversation import Conversation
    from oh_tui.documents.shapes import run


def step_at(trajectory: Trajectory, wanted: str) -> Step:
    """The step with this number, or with this event. Raises Problem."""
    index = find_step(trajectory, wanted)
    if index is None:
        count = len(trajectory)
        there = f"its steps are 1 to {count}" if count else "nothing was asked yet"
        raise Problem(f"This run has no step or event {safe_line(wanted)[:60]}", there)
    return trajectory.steps[index]


def step_in(run: Study, wanted: str) -> tuple[Study, Step]:
    """The same of a run or, by a path such as 12.3, of one of its sub-agents, with which of them it
    is of. Raises Problem."""
    path, _, number = wanted.rpartition(".")
    below = run.sub_runs.all() if path else ()
    study = next((one for one in below if one.path == f"{path}."), run)
    return study, step_at(study.trajectory, wanted if study is run else number)


def matching(study: Study, query: Query, kept: RunAnnotations) -> list[Step]:
    """The steps that the filter lets through, in order. Says if these have no phrase of it."""
    run = study.trajectory
    found = [s for s in run.steps if query.empty or query.matches(s, run, study, kept)]
    if not found and query.each_word and (found := matching(study, query.each_word, kept)):
        say(NO_PHRASE)
    return found


def say_unjudged(gave_up: Iterable[str], unknown: Mapping[str, int]) -> None:
    """Says which patterns took too long, and of how many steps is not known what is asked."""
    for typed in gave_up:
        say(f"re:/{clean_line(typed)}/ takes too long: some texts were not searched to their end")
    if unknown:
        say(f"left out: {unknown_words(unknown)}")


def head_json(
    conversation: Conversation,
    last_known: LastKnown,
    study: Study,
    now: Standing,
    kept: RunAnnotations,
    shown: int,
) -> run.Head:
    """What the document says of the whole run, of whose steps so many are shown."""
    return {
        "conversation": conversation_json(conversation, kept, last_known),
        **branch_json(study),
        "verdict": verdict_json(now.verdict),
        "counts": counts_json(study, shown),
        "totals": totals_json(study),
    }
