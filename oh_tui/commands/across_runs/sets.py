"""`oh-tui compare` of two sets of runs: the same tasks, done by two settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from oh_tui.batch.reports.one_run import read_compared
from oh_tui.batch.run_stats import resolved_of
from oh_tui.catalog.file_conversation import label_of
from oh_tui.catalog.names import conversation_id, title
from oh_tui.commands.framework.exit_codes import OK, PARTIAL, WRONG_USE
from oh_tui.commands.framework.printing import Hue, Style, print_json, print_rows
from oh_tui.documents.run import marks_json
from oh_tui.tables.column import Cell, Column
from oh_tui.text.amounts import number
from oh_tui.text.clean import clean_line
from oh_tui.text.human import are, dollars, duration, plural
from oh_tui.text.problem import Problem
from oh_tui.text.remarks import progress, say
from oh_tui.trajectory.comparison.compare import Comparison, Parting
from oh_tui.trajectory.comparison.statistics import Figures, Named, Paired, mcnemar, pair, paired

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation
    from oh_tui.commands.framework.command import Call
    from oh_tui.sources.file_source import FileSource

NO_PAIR = WRONG_USE
"""Exit code without a pair, as for sets that are not of the same tasks."""

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
    """Two sets of runs, read."""

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
    return a.told_cost.is_estimate or b.told_cost.is_estimate


async def compare_sets(call: Call, a: FileSource, b: FileSource) -> int:
    sets = await _read(call, a, b)
    problems = [*a.problems, *b.problems]
    for problem in problems:
        say(problem)
    code = PARTIAL if sets.unread or problems else OK
    if sets.unread:
        say(f"{plural(sets.unread, 'pair')} cannot be read and {are(sets.unread)} left out")
    if call.as_json:
        print_json(report(sets))
        return code if sets.pairs else NO_PAIR
    style = call.style
    differing = sorted(
        (one for one in sets.pairs if one.differs), key=lambda one: CHANGES.index(one.change)
    )
    print_rows(style, _FIELDS, differing)
    for text in _totals(sets):
        print(text)
    if not sets.pairs and not sets.unread:
        say("no run in A has the id or the title of a run in B")
    return code if sets.pairs else NO_PAIR


async def _read(call: Call, a: FileSource, b: FileSource) -> Sets:
    """Reads pair by pair, and keeps of each what is shown."""
    rows_a, rows_b = a.conversations(), b.conversations()
    pairing = pair(_named(rows_a), _named(rows_b))
    pairs: list[Pair] = []
    with progress() as show:
        for done, (one, other) in enumerate(pairing.pairs):
            show(f"reading pair {done + 1:,} of {len(pairing.pairs):,}")
            try:
                pairs.append(await _pair(call, a, rows_a[one], b, rows_b[other]))
            except Problem as problem:
                show("")
                say(f"{title(rows_a[one])}: {problem.sentence}")
    return Sets(
        (clean_line(a.label), clean_line(b.label)),
        (len(rows_a), len(rows_b)),
        (Counter(map(_label, rows_a)), Counter(map(_label, rows_b))),
        pairs,
        len(pairing.only_a),
        len(pairing.only_b),
        len(pairing.pairs) - len(pairs),
    )


def _label(row: Conversation) -> str:
    return label_of(row) or ""


def _named(rows: Sequence[Conversation]) -> list[Named]:
    return [Named(conversation_id(row), row.title or "") for row in rows]


async def _pair(
    call: Call, a: FileSource, row_a: Conversation, b: FileSource, row_b: Conversation
) -> Pair:
    one = await read_compared(call, a, row_a)
    other = await read_compared(call, b, row_b)
    comparison = Comparison(one.study.trajectory, other.study.trajectory)
    named = conversation_id(row_a), title(row_a)
    return Pair(*named, one.figures, other.figures, comparison.first)


# as JSON


def report(sets: Sets) -> dict[str, object]:
    """What `--json` prints."""
    return {
        "a": _side_json(sets, 0),
        "b": _side_json(sets, 1),
        "pairs": [_pair_json(one) for one in sets.pairs if one.differs],
        "totals": {
            "pairs": len(sets.pairs),
            "only_a": sets.only_a,
            "only_b": sets.only_b,
            "unread": sets.unread,
            "resolved": {change: sets.count(change) for change in CHANGES},
            "mcnemar_p": number(sets.p, 9),
            **{name: _paired_json(found) for name, found in sets.measures().items()},
        },
    }


def _side_json(sets: Sets, side: int) -> dict[str, Any]:
    resolved, labelled = resolved_of(sets.labels[side])
    runs = {"runs": sets.sizes[side], "resolved": resolved, "labelled": labelled}
    return {"source": sets.names[side]} | runs


def _pair_json(one: Pair) -> dict[str, Any]:
    return {
        "id": one.id,
        "title": one.title,
        "resolved": one.change,
        "a": _figures_json(one.a),
        "b": _figures_json(one.b),
        "first_difference": one.first._asdict() if one.first else None,
    }


def _figures_json(found: Figures) -> dict[str, Any]:
    return {
        "label": found.label,
        "verdict": found.ended,
        "steps": found.steps,
        "work_s": number(found.work, 3),
        "cost": number(found.cost),
        **marks_json(found.told_cost),
    }


def _paired_json(found: Paired) -> dict[str, object]:
    return {
        "pairs": found.pairs,
        "a": number(found.a),
        "b": number(found.b),
        "difference": number(found.difference),
        "interval": [number(edge) for edge in found.interval] if found.interval else None,
    }


# for people

_HUES: dict[str, Hue] = {"gained": "green", "lost": "red", "unknown": "dim"}


def _change(one: Pair, style: Style) -> Cell:
    shown = "" if one.change == "unknown" and not style.piped else one.change
    return Cell(shown, _HUES.get(one.change, ""))


def _task(one: Pair, style: Style) -> str:
    return one.title if one.id == one.title or not style.piped else f"{one.id} {one.title}"


def _part_at(one: Pair, _style: Style) -> str:
    return str((one.first and (one.first.a or one.first.b)) or "")


def _ended(found: Figures) -> str:
    return ", ".join(filter(None, (found.ended, found.label.words if found.label else "")))


_FIELDS: tuple[Column[Pair, Style], ...] = (
    Column("resolved", _change),
    Column("task", _task, share=2),
    Column("A ended", lambda one, _: _ended(one.a)),
    Column("steps", lambda one, _: str(one.a.steps), right=True),
    Column("cost", lambda one, _: one.a.told_cost.words, right=True),
    Column("B ended", lambda one, _: _ended(one.b)),
    Column("steps", lambda one, _: str(one.b.steps), right=True),
    Column("cost", lambda one, _: one.b.told_cost.words, right=True),
    Column("part at", _part_at, right=True),
)


def _totals(sets: Sets) -> Iterator[str]:
    alone = [
        f"{count:,} only in {name}"
        for count, name in ((sets.only_a, "A"), (sets.only_b, "B"))
        if count
    ]
    yield ", ".join((plural(len(sets.pairs), "pair"), *alone))
    if sets.p is None:
        told = (side.resolved for one in sets.pairs for side in (one.a, one.b))
        is_one_sided = any(one is not None for one in told)
        why = "no pair has labels in both" if is_one_sided else "there are no labels"
        yield f"whether a task was resolved is not known: {why}"
    else:
        counts = [f"{sets.count(name):,} {name}" for name in CHANGES if sets.count(name)]
        p = "below 0.001" if sets.p < 0.001 else f"{sets.p:.3f}"
        yield f"resolved: {', '.join(counts)}; McNemar p = {p}"
    for name, labels, runs in zip("AB", sets.labels, sets.sizes, strict=True):
        resolved, labelled = resolved_of(labels)
        if labelled:
            counted = f"{resolved:,} of {labelled:,} labelled, {plural(runs, 'run')}"
            yield f"resolved in {name}: {counted}"
    words = {"steps": _count, "work_s": duration, "cost": _dollars}
    for name, found in sets.measures().items():
        label = {"work_s": "time"}.get(name, name)
        yield f"{label:<6} {_paired_words(found, words[name])}"
    if estimates := sum(is_estimate(one.a, one.b) for one in sets.pairs):
        yield f"cost is without {plural(estimates, 'pair')} with an ACP run"


def _count(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")


def _dollars(value: float) -> str:
    return f"-{dollars(-value)}" if value < 0 else dollars(value) if value else "0"


def _paired_words(found: Paired, word: Callable[[float], str]) -> str:
    if found.a is None or found.b is None or found.difference is None:
        return "not known for both runs of any pair"
    edges = (
        f", 95 % from {word(found.interval[0])} to {word(found.interval[1])}"
        if found.interval
        else ""
    )
    return (
        f"median {word(found.a)} in A, {word(found.b)} in B; B minus A {word(found.difference)}"
        f"{edges} ({plural(found.pairs, 'pair')})"
    )
