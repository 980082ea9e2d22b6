"""Two sets of runs compared: the same tasks, done by two settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from oh_tui.batch.reports.compare import figures_json
from oh_tui.batch.reports.grid import Grid
from oh_tui.batch.reports.grid import report as grid_report
from oh_tui.batch.reports.one_run import read_compared
from oh_tui.batch.reports.reader import Reader
from oh_tui.batch.run_stats import resolved_of
from oh_tui.catalog.names import conversation_id, title
from oh_tui.conversation import Conversation
from oh_tui.sources.file_source import FileSource
from oh_tui.text.clean import clean_line
from oh_tui.text.human import number
from oh_tui.text.problem import Problem
from oh_tui.text.remarks import progress, say
from oh_tui.trajectory.comparison.compare import Comparison, Parting
from oh_tui.trajectory.comparison.statistics import Figures, Named, Paired, mcnemar, pair, paired

if TYPE_CHECKING:
    from oh_tui.documents.shapes import comparisons

CHANGES = ("gained", "lost", "both", "neither", "unknown")
"""Whether only B, only A, both or neither resolved a task; unknown without labels."""


class Pair(NamedTuple):
    id: str
    title: str
    a: Figures
    b: Figures
    first: Parting | None

    @property
    def change(self) -> str:
        a, b = self.a.resolved, self.b.resolved
        if a is None or b is None:
            return "unknown"
        if a is b:
            return "both" if a else "neither"
        return "gained" if b else "lost"

    @property
    def differs(self) -> bool:
        outcomes = [(one.ended, one.label, one.steps) for one in (self.a, self.b)]
        return self.first is not None or outcomes[0] != outcomes[1]


class Sets(NamedTuple):
    names: tuple[str, str]
    sizes: tuple[int, int]
    labels: tuple[Counter[str], Counter[str]]
    """How many runs of each have which label."""
    pairs: list[Pair]
    only_a: int
    only_b: int
    unread: int
    """Pairs of which one run cannot be read."""

    def count(self, change: str) -> int:
        return sum(one.change == change for one in self.pairs)

    @property
    def p(self) -> float | None:
        """None where no pair has labels in both."""
        if self.count("unknown") == len(self.pairs):
            return None
        return mcnemar(self.count("gained"), self.count("lost"))

    def measures(self) -> dict[str, Paired]:
        both = [(one.a, one.b) for one in self.pairs]
        return {
            "steps": paired((a.steps, b.steps) for a, b in both),
            "work_s": paired((a.work, b.work) for a, b in both),
            "cost": paired((a.cost, b.cost) for a, b in both if not is_estimate(a, b)),
        }


def is_estimate(a: Figures, b: Figures) -> bool:
    return a.price.is_estimate or b.price.is_estimate


async def sets_of(reader: Reader, a: FileSource, b: FileSource) -> Sets:
    """Reads pair by pair, and keeps of each what is shown."""
    rows_a, rows_b = a.conversations(), b.conversations()
    pairing = pair(_named(rows_a), _named(rows_b))
    pairs: list[Pair] = []
    with progress() as show:
        for done, (one, other) in enumerate(pairing.pairs):
            show(f"reading pair {done + 1:,} of {len(pairing.pairs):,}")
            try:
                pairs.append(await _pair(reader, a, rows_a[one], b, rows_b[other]))
            except Problem as problem:
                show("")
                say(f"{title(rows_a[one])}: {problem.sentence}")
    return Sets(
        (clean_line(a.label), clean_line(b.label)),
        (len(rows_a), len(rows_b)),
        (_labels(rows_a), _labels(rows_b)),
        pairs,
        len(pairing.only_a),
        len(pairing.only_b),
        len(pairing.pairs) - len(pairs),
    )


def _labels(rows: Sequence[Conversation]) -> Counter[str]:
    return Counter(row.label or "" for row in rows)


def _named(rows: Sequence[Conversation]) -> list[Named]:
    return [Named(conversation_id(row), row.title or "") for row in rows]


async def _pair(
    reader: Reader, a: FileSource, row_a: Conversation, b: FileSource, row_b: Conversation
) -> Pair:
    one = await read_compared(reader, a, row_a)
    other = await read_compared(reader, b, row_b)
    comparison = Comparison(one.study.trajectory, other.study.trajectory)
    named = conversation_id(row_a), title(row_a)
    return Pair(*named, one.figures, other.figures, comparison.first)


def report(sets: Sets, grid: Grid) -> comparisons.SetsComparison:
    """The document of the grid, and where the two runs of each task part."""
    measures = sets.measures()
    return {
        **grid_report(grid),
        "a": _side_json(sets, 0),
        "b": _side_json(sets, 1),
        "pairs": [_pair_json(one) for one in sets.pairs if one.differs],
        "totals": {
            "pairs": len(sets.pairs),
            "only_a": sets.only_a,
            "only_b": sets.only_b,
            "unread": sets.unread,
            "resolved": {
                "gained": sets.count("gained"),
                "lost": sets.count("lost"),
                "both": sets.count("both"),
                "neither": sets.count("neither"),
                "unknown": sets.count("unknown"),
            },
            "mcnemar_p": number(sets.p, 9),
            "steps": _paired_json(measures["steps"]),
            "work_s": _paired_json(measures["work_s"]),
            "cost": _paired_json(measures["cost"]),
        },
    }


def _side_json(sets: Sets, side: int) -> comparisons.ComparedSet:
    resolved, labelled = resolved_of(sets.labels[side])
    return {
        "source": sets.names[side],
        "runs": sets.sizes[side],
        "resolved": resolved,
        "labelled": labelled,
    }


def _pair_json(one: Pair) -> comparisons.Pair:
    return {
        "id": one.id,
        "title": one.title,
        "resolved": one.change,
        "a": figures_json(one.a),
        "b": figures_json(one.b),
        "first_difference": {"a": one.first.a, "b": one.first.b} if one.first else None,
    }


def _paired_json(found: Paired) -> comparisons.Paired:
    return {
        "pairs": found.pairs,
        "a": number(found.a),
        "b": number(found.b),
        "difference": number(found.difference),
        "interval": [number(edge) for edge in found.interval] if found.interval else None,
    }
