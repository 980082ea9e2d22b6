"""Two to twelve sets of runs of the same tasks: a row for each task, a cell for each setting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from oh_tui.batch.cached_rows import Known, known_columns
from oh_tui.batch.reports.over_runs import results_of, runs_of, say_rest
from oh_tui.batch.reports.reader import Reader
from oh_tui.batch.run_stats import Spread, resolved_of, spread
from oh_tui.batch.stats_rows import RowJob
from oh_tui.batch.worker import Unread
from oh_tui.catalog.file_names import called
from oh_tui.catalog.names import WHOLE, conversation_id, read_id
from oh_tui.conversation import Conversation
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.source import Source
from oh_tui.text.clean import clean_line
from oh_tui.text.human import number
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.comparison.statistics import Means, least_net, mcnemar, means

if TYPE_CHECKING:
    from oh_tui.documents.shapes import comparisons

MOST = 12
"""Settings of a grid."""

YES, NO, MISSING = "✓", "✗", "–"

MEASURES = ("cost", "tokens", "requests", "work_s")

_CODE = r"(?:status|code|error|http)[ :=]{1,3}"

_OUTSIDE = {
    "rate limit": pattern(rf"rate.?limit|too many requests|{_CODE}429\b"),
    "time-out": pattern(r"time.?d? ?out|did not answer in time"),
    "server error": pattern(
        r"service was not available|service.?unavailable|internal.?server.?error|overloaded"
        rf"|server was restarted|bad gateway|{_CODE}50[0234]\b"
    ),
}
"""What broke a run and is not the agent's -> how its cause, in small letters, tells it."""

_ATTEMPT = pattern(r"(.+)@(\d{1,6})")


class Attempt(NamedTuple):
    """The columns of `RunRow` that a cell needs."""

    label: str
    verdict: str
    cause: str
    steps: int
    work_s: float | None
    cost: float | None
    cost_is_estimate: bool
    prompt: int | None
    completion: int | None
    llm_calls: int | None

    @property
    def resolved(self) -> bool | None:
        return (
            self.label == "resolved" if self.label in ("resolved", "unresolved", "error") else None
        )

    @property
    def broken(self) -> str:
        """What broke it from outside the agent; "" for nothing that is known."""
        if self.label == "resolved" or (self.verdict != "error" and self.label != "error"):
            return ""
        # of a run that the evaluation gave up, not what its agent said in the end
        cause = self.cause.lower().rpartition("the evaluation failed:")[2]
        return next((name for name, told in _OUTSIDE.items() if told.search(cause)), "")

    @property
    def cell(self) -> str:
        """✓, ✗, what broke it, or without a label how it ended."""
        if self.broken:
            return self.broken
        if self.resolved is not None and self.label != "error":
            return YES if self.resolved else NO
        return "error" if self.label == "error" else clean_line(self.verdict) or "not known"

    def measure(self, name: str) -> float | None:
        if name == "tokens":
            known = self.prompt is not None and self.completion is not None
            return (self.prompt or 0) + (self.completion or 0) if known else None
        if name == "requests":
            return self.llm_calls
        if name == "cost":
            return None if self.cost_is_estimate else self.cost
        return self.work_s


class Setting(NamedTuple):
    name: str
    runs: int
    attempts: dict[str, list[Attempt]]
    """Task -> its attempts in their order."""
    conversations: dict[str, list[Conversation]]
    """Task -> the runs of these."""

    def share(self, task: str) -> float | None:
        """Of the labelled attempts, those that resolved it; None without labels."""
        known = [one.resolved for one in self.attempts.get(task, ()) if one.resolved is not None]
        return sum(known) / len(known) if known else None

    def value(self, task: str, measure: str) -> float | None:
        """The mean over the attempts that tell it."""
        found = [one.measure(measure) for one in self.attempts.get(task, ())]
        known = [value for value in found if value is not None]
        return sum(known) / len(known) if known else None

    @property
    def flips(self) -> list[str]:
        """Tasks that some attempts resolved and others did not."""
        return [task for task in self.attempts if self.share(task) not in (None, 0.0, 1.0)]

    @property
    def labels(self) -> Counter[str]:
        return Counter(one.label for tried in self.attempts.values() for one in tried)

    @property
    def broken(self) -> Counter[str]:
        found = (one.broken for tried in self.attempts.values() for one in tried)
        return Counter(filter(None, found))

    def spread(self, measure: str) -> Spread:
        return spread(self.value(task, measure) for task in self.attempts)


class Against(NamedTuple):
    """What one setting does against another: it wins a task of which it resolved more attempts."""

    setting: int
    base: int
    won: list[str]
    lost: list[str]
    ties: int
    broken: int
    """Of the won and lost tasks those in which something outside the agent broke a run."""
    measures: Mapping[str, Means]

    @property
    def tasks(self) -> int:
        """Those with labels in both."""
        return len(self.won) + len(self.lost) + self.ties

    @property
    def p(self) -> float | None:
        return mcnemar(len(self.won), len(self.lost)) if self.tasks else None

    @property
    def least(self) -> int | None:
        """By how many tasks it has to be ahead for p < 0.05, with as many that differ as here."""
        return least_net(len(self.won) + len(self.lost))


class Grid(NamedTuple):
    settings: list[Setting]
    code: int

    @property
    def tasks(self) -> list[str]:
        return list(dict.fromkeys(task for one in self.settings for task in one.attempts))

    def differ(self, task: str) -> bool:
        """Whether its attempts ended otherwise in some settings than in others."""
        tried = ({run.cell for run in one.attempts.get(task, ())} for one in self.settings)
        return len(set(map(frozenset, tried))) > 1

    def cells(self, task: str) -> list[str]:
        """One for each setting; a missing task is –."""
        tried = (one.attempts.get(task, ()) for one in self.settings)
        return [" ".join(one.cell for one in attempts) or MISSING for attempts in tried]

    def against(self, setting: int, base: int = 0, *, measured: bool = True) -> Against:
        one, other = self.settings[setting], self.settings[base]
        both = [task for task in other.attempts if task in one.attempts]
        shares = [(task, one.share(task), other.share(task)) for task in both]
        known = [(task, a, b) for task, a, b in shares if a is not None and b is not None]
        won = [task for task, a, b in known if a > b]
        lost = [task for task, a, b in known if a < b]
        broken = sum(
            any(run.broken for side in (one, other) for run in side.attempts[task])
            for task in (*won, *lost)
        )
        measures = {
            name: means([(other.value(task, name), one.value(task, name)) for task in both])
            for name in (MEASURES if measured else ())
        }
        return Against(
            setting, base, won, lost, len(known) - len(won) - len(lost), broken, measures
        )


def known_attempts(folder: Path | None, source: Source) -> Known[Attempt]:
    return known_columns(folder, source, Attempt)


async def grid_of(reader: Reader, sources: Sequence[FileSource]) -> Grid:
    """Takes from the index what it has, and reads the rest. Raises Problem."""
    read: list[list[tuple[Conversation, Attempt]]] = []
    code = 0
    for source in sources:
        own = Reader(settings=reader.settings, opened=source, server="", asks=reader.asks)
        known = known_attempts(reader.settings.library_folder, source)
        reading = runs_of(own, RowJob(source.label, Attempt), "", known=known)
        found = [one async for one in results_of(reading)]
        read.append(
            [(one.conversation, one.value) for one in found if not isinstance(one.value, Unread)]
        )
        code = max(code, say_rest(own, reading))
    names = names_of([clean_line(source.label) for source in sources])
    settings = [
        setting_of(name, source.conversations(), runs)
        for name, runs, source in zip(names, read, sources, strict=True)
    ]
    return Grid(settings, code)


def names_of(places: Sequence[str]) -> list[str]:
    """The part of each path in which they differ; a number each where they are the same."""
    parts = [place.rstrip("/").split("/") for place in places]
    shortest = min(map(len, parts))
    common = 0
    while common < shortest - 1 and len({one[common] for one in parts}) == 1:
        common += 1
    parts = [one[common:] for one in parts]
    while all(len(one) > 1 for one in parts) and len({one[-1] for one in parts}) == 1:
        parts = [one[:-1] for one in parts]
    names = ["/".join(one) or "/" for one in parts]
    seen, counts, told = Counter[str](), Counter(names), list[str]()
    for name in names:
        seen[name] += 1
        told.append(f"{name} ({seen[name]})" if counts[name] > 1 else name)
    return told


def setting_of(
    name: str, rows: Sequence[Conversation], runs: Sequence[tuple[Conversation, Attempt]]
) -> Setting:
    """Tasks are in the order of the rows, later attempts of a task behind its first."""
    order = {row.id: place for place, row in enumerate(rows)}
    found: dict[str, list[tuple[int, int, Conversation, Attempt]]] = {}
    for row, attempt in runs:
        task, number_ = task_of(row)
        found.setdefault(task, []).append((number_, order.get(row.id, 0), row, attempt))
    first = {task: min(place for _, place, *_ in tried) for task, tried in found.items()}
    tasks = sorted(found, key=first.__getitem__)
    each = {task: sorted(found[task], key=lambda one: one[:2]) for task in tasks}
    return Setting(
        name,
        len(rows),
        {task: [attempt for *_, attempt in tried] for task, tried in each.items()},
        {task: [row for _, _, row, _ in tried] for task, tried in each.items()},
    )


def task_of(row: Conversation) -> tuple[str, int]:
    """What names the task of a run, and the number of the attempt: `ID@2` is the second one of the
    instance ID. A run whose id is its own alone, or its place, has its title."""
    own = conversation_id(row)
    place, _, named = row.id.rpartition("#")
    if named and row.home and place == called(row.home):  # another file has a run of this id
        own = safe_line(named)
    elif row.title and (len(read_id(row.id)) == WHOLE or row.id == called(row.place)):
        return safe_line(row.title), 1
    found = _ATTEMPT.fullmatch(own)
    return (found[1], int(found[2])) if found else (own, 1)


# as JSON


def report(grid: Grid) -> comparisons.SetsComparison:
    count = range(len(grid.settings))
    return {
        "settings": [_setting(one) for one in grid.settings],
        "tasks": [
            {"task": task, "cells": [_attempts(one, task) for one in grid.settings]}
            for task in grid.tasks
        ],
        "against_first": [_against(grid.against(place)) for place in count[1:]],
        "pairwise": [
            _outcome(grid.against(b, a, measured=False)) for a in count for b in count[a + 1 :]
        ],
    }


def _setting(one: Setting) -> comparisons.GridSetting:
    resolved, labelled = resolved_of(one.labels)
    return {
        "name": one.name,
        "runs": one.runs,
        "tasks": len(one.attempts),
        "resolved": resolved,
        "labelled": labelled,
        "broken": dict(one.broken),
        "flips": one.flips,
        "measures": {name: _spread(one.spread(name)) for name in MEASURES},
    }


def _spread(found: Spread) -> comparisons.GridSpread:
    return {
        "known": found.known,
        "mean": number(found.mean),
        "median": number(found.median),
        "p90": number(found.p90),
    }


def _attempts(one: Setting, task: str) -> list[comparisons.GridAttempt]:
    return [
        {
            "cell": tried.cell,
            "resolved": tried.resolved,
            "broken_by": tried.broken or None,
            "verdict": tried.verdict,
            "cost": number(tried.measure("cost")),
            "tokens": number(tried.measure("tokens")),
            "requests": number(tried.measure("requests")),
            "work_s": number(tried.measure("work_s")),
        }
        for tried in one.attempts.get(task, ())
    ]


def _outcome(found: Against) -> comparisons.GridOutcome:
    return {
        "setting": found.setting,
        "base": found.base,
        "tasks": found.tasks,
        "wins": found.won,
        "losses": found.lost,
        "ties": found.ties,
        "broken": found.broken,
        "mcnemar_p": number(found.p, 9),
        "least_difference": found.least,
    }


def _against(found: Against) -> comparisons.GridAgainst:
    return {
        **_outcome(found),
        "measures": {
            name: {
                "pairs": one.pairs,
                "difference": number(one.difference),
                "interval": [number(edge) for edge in one.interval] if one.interval else None,
            }
            for name, one in found.measures.items()
        },
    }


def rows_of(grid: Grid) -> Iterator[tuple[object, ...]]:
    """A row for each attempt, under HEAD."""
    for one in grid.settings:
        for task, tried in one.attempts.items():
            for place, attempt in enumerate(tried, 1):
                values = (attempt.measure(name) for name in MEASURES)
                yield one.name, task, place, attempt.cell, attempt.verdict, *values


HEAD = ("setting", "task", "attempt", "cell", "verdict", *MEASURES)
