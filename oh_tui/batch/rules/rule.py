"""A rule, and what it finds in a run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, TypeAlias

import msgspec

from oh_tui.catalog.conversation_query import ConversationQuery
from oh_tui.catalog.filter_words import OfSteps, Subject
from oh_tui.catalog.run_status import RunStatus, conversation_state
from oh_tui.catalog.status_cache import LastKnown
from oh_tui.catalog.user_annotations import NOTHING, RunAnnotations
from oh_tui.conversation import Conversation, Metrics, WholeMetrics
from oh_tui.trajectory.findings.failure_signatures.failed_steps import failures_of
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.rules.answers import HOLDS, Watch, answers, unwatched
from oh_tui.trajectory.rules.question import Answer, Question, State


class Severity(StrEnum):
    LOOK = "look"
    """Worth a look of a person, and no fault: it fails no command."""
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


RunQuestion: TypeAlias = tuple[ConversationQuery, ...]
"""A run that matches one of these breaks the rule."""


class Rule(msgspec.Struct, frozen=True):
    name: str
    why: str
    severity: Severity
    asks: Question | RunQuestion
    fields: tuple[tuple[str, str], ...] = ()
    """What it asks as its file has it: names with their values."""
    examples: tuple[str, ...] = ()
    """Runs that show it."""
    origin: str = ""
    """The file that it is from; "" for one that comes with oh-tui."""


class Finding(NamedTuple):
    rule: str
    severity: Severity
    answer: Answer

    @property
    def state(self) -> State:
        return self.answer.state


def findings(
    rules: Sequence[Rule],
    study: Study,
    conversation: Conversation,
    annotations: RunAnnotations = NOTHING,
    watch: Watch = unwatched,
) -> list[Finding]:
    """What each rule finds in a run, in their order. Reads the texts of the run."""
    of_steps = [rule.asks for rule in rules if isinstance(rule.asks, Question)]
    found = iter(answers(of_steps, study, watch))
    of_run = [query for one in rules if not isinstance(one.asks, Question) for query in one.asks]
    subject = _subject(study, conversation, annotations, of_run) if of_run else None
    return [
        Finding(
            rule.name,
            rule.severity,
            next(found) if subject is None or isinstance(rule.asks, Question)
            else _of_run(rule.asks, subject, study),
        )
        for rule in rules
    ]  # fmt: skip


def is_broken(found: Sequence[Finding], least: Severity) -> bool:
    return any(one.state is State.BROKEN and one.severity.rank >= least.rank for one in found)


def _of_run(queries: RunQuestion, subject: Subject, study: Study) -> Answer:
    found = [(query, query.matches(subject)) for query in queries]
    if matching := [query.explain(subject) for query, matches in found if matches]:
        return Answer(State.BROKEN, because="; ".join(dict.fromkeys(matching)))
    if unknown := [name for q, matches in found if matches is None for name in q.unknown(subject)]:
        words = ", ".join(f"{name}:" if name else "a word" for name in dict.fromkeys(unknown))
        return Answer(State.UNKNOWN, lacks=f"what {words} asks is not known of the run")
    if study.trajectory.cut_off:
        return Answer(State.UNKNOWN, lacks="the end of the run is missing")
    return HOLDS


def _subject(
    study: Study,
    conversation: Conversation,
    annotations: RunAnnotations,
    queries: Sequence[ConversationQuery],
) -> Subject:
    """A conversation with what its run tells: files have it nowhere else."""
    run, verdict = study.trajectory, study.verdict
    cost = study.sub_runs.cost(conversation.price)
    if cost.dollars is not None:
        metrics = (Metrics if cost.is_partial else WholeMetrics)(cost.dollars)
        conversation = msgspec.structs.replace(conversation, metrics=metrics)
    word = "waiting_for_confirmation" if verdict.word == "waiting" else verdict.word
    status = RunStatus.CUT_OFF.value if verdict.cut_off else word
    if conversation.home:
        times = [event.timestamp for event in run.events if event.timestamp]
        conversation = msgspec.structs.replace(
            conversation,
            label=run.recorded.label,
            execution_status=status or None,
            goal=verdict.goal_word,
            created_at=conversation.created_at or (times[0] if times else None),
            updated_at=conversation.updated_at or (times[-1] if times else None),
        )
    state = conversation_state(conversation, LastKnown(outcome=status, goal=verdict.goal_word))
    fields = {term.field for query in queries for term in query.terms}
    failures = [one.failure.id for one in failures_of(run)] if "failure" in fields else None
    of_steps = OfSteps(study.edited_paths, failures)
    worked = study.accounts.worked if "took" in fields else None
    return Subject(conversation, state, time.time(), annotations, of_steps, True, worked)
