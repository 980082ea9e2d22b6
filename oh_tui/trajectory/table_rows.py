"""One run as rows of the tables that `docs/tables.md` describes."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Iterator
from functools import cache, cached_property

import msgspec

from oh_tui.text.clean import clean_line
from oh_tui.text.redact import redact_json, safe_line
from oh_tui.trajectory.changes.changes import ChangeLog, changes
from oh_tui.trajectory.changes.churn import Lines
from oh_tui.trajectory.findings.failure_signatures.failed_steps import failures_of
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.clock import is_bare, seconds
from oh_tui.trajectory.model.steps import Counts, Outcome, Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage import NO_COST, TOKENS, Cost, Usage, sum_of
from oh_tui.trajectory.reading.describe import describe
from oh_tui.trajectory.tables import CallRow, FileRow, RunFailureRow, RunRow, StepRow, Tables


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a run beside its events, as raw text; "" for what is not."""

    run: str = ""
    source: str = ""
    title: str = ""
    repository: str = ""
    branch: str = ""
    model: str = ""
    trigger: str = ""
    automation: str = ""
    forked_from: str = ""
    benchmark: str = ""
    created: str = ""
    """A timestamp, in the form of the source."""
    cost: Cost = NO_COST
    """For a run whose events have no price."""
    note: str = ""


ANY = About()


def rows(run: Trajectory, about: About = ANY) -> Tables:
    """The rows of a whole run; reads the runs of its sub-agents. Texts are clean and without
    secrets, so call `hold` with keys of your own before."""
    return rows_of(Study(run), about)


def rows_of(study: Study, about: About = ANY) -> Tables:
    """The same of a run that is looked at already."""
    name = safe_line(about.run)
    parts = [_Part(one, name) for one in (study, *study.sub_runs.all())]
    steps = [list(each.steps()) for each in parts]
    return Tables(
        [_run_row(parts[0], about)],
        [row for each in steps for row in each],
        [row for each, of_it in zip(parts, steps, strict=True) for row in each.calls(of_it)],
        parts[0].files(),
        failure_rows(study.trajectory, name),
    )


def run_row(run: Trajectory, about: About = ANY) -> RunRow:
    """The row of the table runs alone, in a part of the time of `rows`."""
    return _run_row(_Part(Study(run), safe_line(about.run)), about)


def failure_rows(run: Trajectory, name: str = "") -> list[RunFailureRow]:
    """The rows of the table failures alone, in the order of their first steps."""
    return [
        RunFailureRow(
            name,
            one.failure.id,
            *one.failure,
            one.steps,
            _finite(one.first),
            _finite(one.last),
            one.example,
            one.recovered,
            one.helped,
        )
        for one in failures_of(run)
    ]


class _Part:
    """The run itself, or that of a sub-agent."""

    def __init__(self, study: Study, run: str) -> None:
        self.study, self.trajectory, self.accounts = study, study.trajectory, study.accounts
        self.run, self.path = run, study.path
        self.inherited = self.trajectory.inherited
        """How many of its first steps are its origin's, which has their rows."""
        self.own_steps = self.trajectory.steps[self.inherited :]
        self.sub_agent = safe_line(study.names[-1]) if study.names else ""
        self.name_of = cache(safe_line)  # kinds and tools are few

    @cached_property
    def changes(self) -> ChangeLog:
        return changes(self.trajectory, self.inherited) if self.inherited else self.study.changes

    def files(self) -> list[FileRow]:
        log = self.changes
        return [
            FileRow(
                self.run,
                file.shown,
                len(file.reads),
                len(file.edits),
                file.added,
                file.removed,
                *_churn(log.churn.of_file(file.path)),
                file.created,
                file.deleted,
                file.whole,
                file.last_step,
            )
            for file in sorted((*log.files, *log.only_read), key=lambda file: file.shown)
        ]

    def steps(self) -> Iterator[StepRow]:
        told = self.accounts.reported.tokens
        for step in self.own_steps:
            outcome = self.trajectory.outcome(step)
            about = describe(step, outcome)
            spent = self.accounts.of(step)
            yield StepRow(
                self.run,
                f"{self.path}{step.number}",
                self.sub_agent,
                step.number,
                clean_line(step.event.id),
                _finite(step.event.seconds()),
                self.name_of(step.event.kind),
                str(about.family),
                self.name_of(step.event.tool_name),
                about.what,
                about.result,
                str(outcome),
                step.number in self.study.loops,
                _finite(self.accounts.llm(step)),
                _finite(self.accounts.ran(step)),
                spent.cost or None if spent else None,
                spent.calls if spent else None,
                *_tokens(spent, told if spent else _NOTHING),
            )

    def calls(self, steps: Iterable[StepRow]) -> Iterator[CallRow]:
        """`steps` are the rows of all of them."""
        for step, row in zip(self.own_steps, steps, strict=True):
            event, result = step.event, step.result
            if not step.is_call:
                continue
            yield CallRow(
                self.run,
                row.path,
                row.event_id,
                clean_line(event.tool_call_id),
                clean_line(event.llm_response_id),
                row.tool,
                _arguments(step),
                row.outcome,
                len(step.results),
                clean_line(result.id) if result else "",
                _int64(result.exit_code) if result else None,
                self.name_of(event.risk),
                row.ran_s,
            )


def _run_row(part: _Part, about: About) -> RunRow:
    study, run, accounts = part.study, part.trajectory, part.accounts
    sub_runs, changed = study.sub_runs, part.changes
    verdict, total = study.verdict, sub_runs.total
    counts = Counts(len(run.events) - len(run.taken))
    for step in part.own_steps:
        counts.add(step)
    charged = sum_of(
        used
        for one in (study, *sub_runs.all())
        for step in one.trajectory.steps
        if (used := one.accounts.of(step))
    )
    # a failed command is no error
    failed = (step for step in reversed(part.own_steps) if run.outcome(step) is Outcome.ERROR)
    errors = (describe(step, Outcome.ERROR) for step in failed)
    told = sub_runs.reported
    written, removed_later = _churn(changed.churn.total)
    tokens = _tokens(total, told.tokens)
    cost = sub_runs.cost(about.cost)
    return RunRow(
        run=part.run,
        source=safe_line(about.source),
        title=safe_line(about.title),
        repository=safe_line(about.repository),
        branch=safe_line(about.branch),
        model=safe_line(about.model),
        trigger=safe_line(about.trigger),
        automation=safe_line(about.automation),
        forked_from=safe_line(about.forked_from),
        benchmark=safe_line(about.benchmark),
        label=str(run.recorded.label or ""),
        verdict=verdict.word,
        cause=verdict.cause,
        began=_finite(seconds(about.created) if accounts.began is None else accounts.began),
        ended=_finite(run.ended()),
        knows_zone=not is_bare(about.created) if run.began is None else run.knows_zone,
        work_s=_finite(accounts.worked),
        waited_s=_finite(accounts.known_waited),
        llm_s=total.llm or None,
        events=counts.events,
        steps=len(part.own_steps),
        calls=counts.calls,
        ok=counts.ok,
        with_result=counts.with_result,
        failed_commands=counts.failed_commands,
        errors=counts.errors,
        rejected=counts.rejected,
        without_result=counts.open,
        loop_steps=sum(number > part.inherited for number in study.loops),
        sub_agents=sum(1 for _ in sub_runs.all()),
        last_error=next((about.result or about.what for about in errors), ""),
        cost=cost.dollars,
        cost_is_partial=cost.is_partial,
        cost_is_estimate=cost.is_estimate,
        other_cost=(total - charged).cost if total.cost else cost.dollars,
        priced=True if cost.dollars else sub_runs.priced,
        llm_calls=total.calls if told.calls else None,
        **dict(zip(TOKENS, tokens, strict=True)),
        files_changed=changed.changed,
        added=changed.added,
        removed=changed.removed,
        lines_written=written,
        lines_removed_later=removed_later,
        cut_off=bool(run.cut_off),
        note=safe_line("; ".join(filter(None, (about.note, sub_runs.note)))),
    )


def _churn(lines: Lines | None) -> tuple[int | None, int | None]:
    return lines or (None, None)


_NOTHING = frozenset[str]()


def _tokens(used: Usage | None, told: Collection[str]) -> Iterator[int | None]:
    """Null for kinds that are not told, and for sums of so many bits that no table holds them."""
    for name in TOKENS:
        yield _int64(getattr(used, name)) if used and name in told else None


def _arguments(step: Step) -> str:
    """What the call was given, as JSON; "" when that cannot be read."""
    given = step.call.arguments
    try:
        return "" if given is None else json.dumps(redact_json(given), ensure_ascii=False)
    except (ValueError, TypeError, RecursionError):
        return ""


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _int64(value: int | None) -> int | None:
    """None for a number of the file that other programs have no room for."""
    return value if value is not None and -(2**63) <= value < 2**63 else None
