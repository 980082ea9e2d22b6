"""The documents of many runs."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from oh_tui.documents.shapes.common import Churn, Count, LeftOut, Number
from oh_tui.trajectory.model.recorded import Label


class RuleExample(TypedDict):
    run: str
    step: int | None
    """The first that breaks it; null for a rule about the whole run."""


class AgainstResolved(TypedDict):
    broken_unresolved: Count
    broken_resolved: Count
    holds_unresolved: Count
    holds_resolved: Count
    without_label: Count
    precision: float | None
    """The share of the runs that break it which are unresolved."""
    recall: float | None
    """The share of the unresolved runs which break it."""


class Rule(TypedDict):
    name: str
    severity: str
    """`look`, `low`, `medium` or `high`."""
    why: str
    asks: dict[str, str]
    """What it asks, as its file has it; a list is joined by `or`."""
    file: str | None
    """That it is from; null for one that comes with oh-tui."""


class Rules(TypedDict):
    rules: list[Rule]


class AuditedRule(Rule):
    holds: Count
    broken: Count
    not_known: Count
    nothing_to_check: Count
    """Runs without a step that the rule is about; it is neither held nor broken there."""
    examples: list[RuleExample]
    """Runs that break it, the newest."""
    against_resolved: AgainstResolved
    """Of the runs that hold or break it, by the label of an evaluation."""


class Broken(TypedDict):
    rule: str
    severity: str
    steps: list[Number]
    """The first that break it; none for a rule about the whole run."""
    count: Count
    """Of all such steps."""
    because: str | None
    """What of the run breaks a rule about the whole run: `worked 2h17m, the limit is 2h`."""


class NotKnown(TypedDict):
    rule: str
    lacks: str


class AuditedRun(TypedDict):
    run: str
    title: str
    label: Label | None
    broken: list[Broken]
    not_known: list[NotKnown]
    nothing_to_check: list[str]


class Audit(TypedDict):
    rules: list[AuditedRule]
    """In the order in which they were found: those of oh-tui first."""
    runs: list[AuditedRun]
    """Those that were read, the newest first."""
    read: Count
    left_out: LeftOut


class FailureExample(TypedDict):
    run: str
    step: Number


class NextCall(TypedDict):
    what: str
    """`the same call again` where there is none."""
    runs: Number


class FailuresGroup(TypedDict):
    names: dict[str, str]
    runs: Number


class FailureGroup(FailuresGroup):
    steps: Number
    ended_well: Count
    recovered: Count


class Failure(TypedDict):
    id: str
    """The same for the same tool, kind and line."""
    tool: str
    """Of a step that is no call its kind of event."""
    kind: str
    """The name of the error; else `exit 2`, `timed out`, `rejected`, `error`."""
    line: str
    """The line that names the error, without names of files, numbers, ids and times."""
    runs: Number
    steps: Number
    first: str | None
    """When its first step began, in UTC, or as written where nobody knows the zone."""
    last: str | None
    ended_well: Count
    """Runs that are resolved, or finished where no evaluation labels them."""
    recovered: Count
    """Runs in which the call that failed so last was made again, with the same arguments, and
    worked."""
    next: list[NextCall]
    """The last call before that which worked and did more than read; the most common."""
    groups: list[FailureGroup]
    """The same counts of the runs of each group of --by, the most runs first; empty without it."""
    example: FailureExample
    """The first such step of the run in which it was last seen."""
    recovered_example: FailureExample | None
    failed_example: FailureExample | None
    compare: str | None
    """The command that compares these two runs; null without both, and in oh-tui mcp."""


class Failures(TypedDict):
    failures: list[Failure]
    """What failed in the most runs first; with --min 1 their steps sum to failed_steps."""
    failed_steps: Count
    """Steps whose outcome is error, command failed or rejected, of the runs themselves."""
    runs: Count
    by: list[str]
    groups: list[FailuresGroup]
    """All runs of each group, with and without a failure; empty without --by."""
    left_out: LeftOut


class HitInRun(TypedDict, total=False):
    step: Number
    path: str
    """Of a sub-agent: its number in the whole run, such as 12.3."""
    event_id: str
    """Of the event with the line."""
    where: str
    """call, result, or row where only the row of the step says it, or no text was asked for."""
    line: str
    """The line with the first text that was asked for, cut around it."""


class Hit(HitInRun):
    run: str
    """The conversation id without dashes; of a run in a file PATH or PATH#ID."""
    source: str
    title: str
    hits: NotRequired[Number]
    """With -c."""


class NotIndexed(TypedDict):
    place: str
    why: str


class Library(TypedDict):
    runs: Count
    gone: Count
    """Runs that can no longer be read."""
    places: Count
    text_bytes: Count
    bytes: Count
    has_texts: bool


class Index(TypedDict):
    indexed: NotRequired[Count]
    unchanged: NotRequired[Count]
    """Files, and runs of a server, that were in already."""
    vanished: NotRequired[Count]
    """Files that can no longer be read."""
    going_on: NotRequired[Count]
    """Runs of a server that may still go on, and were left out without --live."""
    left_out: NotRequired[list[NotIndexed]]
    damage: NotRequired[list[str]]
    """What of files could not be read, a sentence each."""
    forgotten: NotRequired[Number]
    why: NotRequired[str | None]
    """Why there is no index."""
    library: Library | None


class Spread(TypedDict):
    known: Count
    total: float | None
    median: float | None
    p90: float | None


class KnownChurn(Churn):
    known: Count


class Sums(TypedDict):
    runs: Count
    endings: dict[str, Number]
    """How many runs ended how: finished, error, stuck ... unknown."""
    resolved: Count
    labelled: Count
    """Runs that an evaluation calls resolved, unresolved or an error."""
    steps: Spread
    work_s: Spread
    cost: Spread
    cost_partial_runs: Count
    cost_estimated_runs: Count
    """Runs of agents that speak ACP, whose cost is an estimate and left out of cost."""
    errors: Spread
    looped: Count
    last_error: str | None
    """The most common; null where none occurred twice."""
    last_error_runs: Count
    churn: KnownChurn


class StatsGroup(Sums):
    names: dict[str, str]
    """What its runs share, by the words of --by; "" where that is not known."""
    finished: NotRequired[Count]
    """With this and the next two only by day or week."""
    failed: NotRequired[Count]
    """Runs that ended in an error or stuck."""
    failed_steps: NotRequired[Count]
    """Steps whose outcome is error, command failed or rejected."""


StatsBefore = TypedDict(
    "StatsBefore", {"from": str, "to": str, "sums": Sums | None, "left_out": LeftOut}
)


class Stats(TypedDict):
    source: str
    by: list[str]
    groups: list[StatsGroup]
    total: Sums
    left_out: LeftOut
    before: NotRequired[StatsBefore]
    """The range before that of after: and before:, as long; only with --compare-before."""
