"""The documents of `oh-tui compare`: of two runs, and of sets of runs."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from oh_tui.documents.shapes.common import Amount, Count, Number, Priced, Verdict
from oh_tui.trajectory.comparison.compare import Kind
from oh_tui.trajectory.comparison.parted import Seen
from oh_tui.trajectory.comparison.plain import How
from oh_tui.trajectory.model.recorded import Label
from oh_tui.trajectory.model.usage import Tokens


class ForkOf(TypedDict):
    of: str
    """`a` or `b`."""
    step: int | None
    """The last step of it that the fork took; null where that is not told."""


class ComparedRun(Priced):
    id: str
    title: str
    model: str | None
    label: Label | None
    verdict: Verdict
    steps: Count
    work_s: float | None
    """Without the time in which it waited for the user."""
    tokens: Tokens | None
    files: Count
    added: Count
    removed: Count


class FirstDifference(TypedDict):
    a: Number | None
    b: Number | None


class Difference(TypedDict):
    kind: Kind
    """Changed: the same tool on the same thing with other arguments, or with another outcome."""
    a: Number | None
    b: Number | None


class Gap(TypedDict):
    steps: int
    work_s: float | None
    cost: float | None


class ComparisonTotals(TypedDict):
    same: Count
    changed: Count
    only_a: Count
    only_b: Count
    b_minus_a: Gap


class DifferingMessage(TypedDict):
    role: str
    """system, user, assistant or tool; `tools` for the names of the tools."""
    a: str | None
    """The lines that B has not, redacted, 2,000 characters at most; null where B alone has it."""
    b: str | None
    only: Literal["a", "b"] | None
    """The run that alone has the message."""
    how: How
    step: int | None
    """The step of B, or else of A, that it comes from."""


class Parted(TypedDict):
    a: Number | None
    """The first step of the first answer that differs; null for a run without one there."""
    b: Number | None
    agreed: Count
    """Answers before it, which do the same in both."""
    seen: Seen | None
    """What the model saw there: null where it is not known, or one of the runs had ended."""
    messages: Count
    """In the larger of the two contexts."""
    differs: list[DifferingMessage]
    plain: list[str]
    """What was made plain, as it differs without meaning: `times`, `folders` …"""
    not_told: str | None
    """Why `seen` is null, or what the events do not tell of these contexts."""


class Comparison(TypedDict):
    fork: NotRequired[ForkOf]
    a: ComparedRun
    b: ComparedRun
    first_difference: FirstDifference | None
    """The next step of each run where they part, null for a run that has ended; null when nothing
    differs."""
    differences: list[Difference]
    parted: Parted | None
    """Null where no answer differs."""
    totals: ComparisonTotals


class ComparedSet(TypedDict):
    source: str
    runs: Count
    resolved: Count
    labelled: Count
    """Runs that an evaluation calls resolved, unresolved or an error."""


class PairedRun(Priced):
    label: Label | None
    verdict: str
    steps: Count
    work_s: float | None


class Pair(TypedDict):
    id: str
    title: str
    resolved: str
    """gained, lost, both or neither: whether only B, only A, both or none resolved it; unknown
    without labels."""
    a: PairedRun
    b: PairedRun
    first_difference: FirstDifference | None
    """The next step of each run where they part, null for a run that has ended; null when nothing
    differs."""


class ResolvedPairs(TypedDict):
    gained: Count
    lost: Count
    both: Count
    neither: Count
    unknown: Count


class Paired(TypedDict):
    pairs: Count
    """Of how many pairs both are known."""
    a: float | None
    """Median."""
    b: float | None
    """Median."""
    difference: float | None
    """The median of b less a within a pair."""
    interval: list[float | None] | None
    """Its 95% bootstrap interval; null for fewer than two pairs."""


class SetsTotals(TypedDict):
    pairs: Count
    only_a: Count
    only_b: Count
    unread: Count
    resolved: ResolvedPairs
    mcnemar_p: Amount | None
    """Exact and two-sided; null without labels."""
    steps: Paired
    work_s: Paired
    cost: Paired


class GridSpread(TypedDict):
    known: Count
    """Of how many tasks; each is the mean over its attempts."""
    mean: float | None
    median: float | None
    p90: float | None


class GridSetting(TypedDict):
    name: str
    """The part of its path in which it differs from the others."""
    runs: Count
    tasks: Count
    resolved: Count
    labelled: Count
    """Attempts that an evaluation calls resolved, unresolved or an error."""
    broken: dict[str, int]
    """`rate limit`, `time-out`, `server error` -> the attempts that it ended."""
    flips: list[str]
    """Tasks that some attempts resolved and others did not."""
    measures: dict[str, GridSpread]


class GridAttempt(TypedDict):
    cell: str
    resolved: bool | None
    broken_by: str | None
    verdict: str
    cost: float | None
    tokens: float | None
    requests: float | None
    work_s: float | None


class GridTask(TypedDict):
    task: str
    cells: list[list[GridAttempt]]
    """The attempts of each setting; none where the task is missing."""


class GridOutcome(TypedDict):
    setting: Count
    """Place among the settings, from 0, as that of the `base`."""
    base: Count
    tasks: Count
    """Those with labels in both."""
    wins: list[str]
    losses: list[str]
    ties: Count
    broken: Count
    """Of the wins and losses, those in which something outside the agent broke a run."""
    mcnemar_p: Amount | None
    least_difference: Count | None
    """Wins less losses that reach p < 0.05, of as many tasks that differ; null where none do."""


class GridMean(TypedDict):
    pairs: Count
    difference: float | None
    """The mean of setting less base within a task."""
    interval: list[float | None] | None


class GridAgainst(GridOutcome):
    measures: dict[str, GridMean]


class SetsComparison(TypedDict):
    settings: list[GridSetting]
    tasks: list[GridTask]
    against_first: list[GridAgainst]
    pairwise: list[GridOutcome]
    a: NotRequired[ComparedSet]
    """With `b`, `pairs` and `totals`, of two settings alone."""
    b: NotRequired[ComparedSet]
    pairs: NotRequired[list[Pair]]
    """The pairs that differ in any way."""
    totals: NotRequired[SetsTotals]
