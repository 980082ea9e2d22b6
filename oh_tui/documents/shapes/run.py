"""The documents of one run: its steps, why it ended, its events."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

from oh_tui.documents.shapes.common import (
    Amount,
    Branch,
    Conversation,
    Count,
    Number,
    Priced,
    Sandbox,
    StepNumber,
    Used,
    Verdict,
)
from oh_tui.trajectory.findings.phases.work import Name
from oh_tui.trajectory.findings.review_hints.hint import Hint
from oh_tui.trajectory.model.recorded import Label
from oh_tui.trajectory.model.steps import Outcome
from oh_tui.trajectory.model.tool_use import Family
from oh_tui.trajectory.model.usage import Tokens


class Look(TypedDict):
    name: Hint
    reason: str


class Inherited(TypedDict):
    cost: float | None
    tokens: Tokens | None


class SubAgent(Used):
    id: str
    path: str
    """What the path of its steps begins with: 12, 12b of the second, a of one that belongs to no
    step."""
    verdict: Verdict
    steps: Count
    """Of it, without those of its sub-agents."""
    own: Used
    """Without its own sub-agents."""


class Numbers(TypedDict):
    llm_s: float | None
    """Seconds the model took; null where no clock measured them, as between equal times."""
    ran_s: float | None
    """Seconds the tool took; null likewise."""
    context_fill: Amount | None
    """Prompt tokens of the answer that made it / the window of the context; null when either is not
    known."""
    cost: float | None
    """US dollars."""


Mark: TypeAlias = Literal["loop", "second result", "result without a call", "clock went back"]


class Step(Numbers):
    index: Number
    """The number that the timeline shows; stays under filters."""
    kind: str
    family: Family
    tool: str | None
    what: str
    result: str
    outcome: Outcome
    marks: list[Mark]
    started: str | None
    """ISO 8601; without Z where the zone is not known."""
    tokens: Tokens | None
    inherited: NotRequired[Inherited]
    """Only of a step that a fork took from its origin: what the origin was charged for it; `cost`
    and `tokens` are null, and it is in no total."""
    call_id: str | None
    result_ids: list[str]
    parallel_group: str | None
    """The same for all calls of one answer of the model; null for a single call."""
    risk: str | None
    look: NotRequired[list[Look]]
    bookmarked: NotRequired[Literal[True]]
    note: NotRequired[str]
    path: NotRequired[str]
    """Of a step of a sub-agent: its number in the whole run, as 12.3."""
    sub_agents: NotRequired[list[SubAgent]]
    """The sub-agents that it started and whose runs are in the file."""
    children: NotRequired[list[Step]]
    """Their steps, each with its path."""
    with_sub_agents: NotRequired[Used]
    """Of the step and of the sub-agents that it started."""


class WhyCounts(TypedDict):
    events: Count
    steps: Count
    calls: Count
    errors: Count
    failed_commands: Count
    rejected: Count
    without_result: Count
    loop_steps: Count


class Counts(WhyCounts):
    hidden_events: Count
    ok: Count
    with_result: Count
    """Calls with a result that does not tell whether they worked, as those of chat messages."""
    second_results: Count
    results_without_call: Count
    unreadable: Count
    shown: Count
    """Steps that the filter left."""


class OtherUse(Used):
    about: list[str]


class Totals(Priced):
    work_s: float | None
    """From the first step to the last, without the waiting; null without times."""
    waited_s: float | None
    llm_s: float | None
    """Of all answers, as the server measured it; null when it tells none."""
    llm_calls: Count | None
    tokens: Tokens | None
    priced: bool | None
    """False: no price is known, which is not free; null when nothing tells of a model."""
    other: OtherUse
    """What no step was charged; what sub-agents used is among it."""
    own: Used
    """Without the sub-agents, which the other sums include."""
    sub_conversations: NotRequired[Used]
    """Of the conversations of the server that it started, which are no part of the rest."""


class OfBranch(TypedDict):
    branch: NotRequired[Branch]
    """Only of a run with branches."""


class Head(OfBranch):
    conversation: Conversation
    verdict: Verdict
    counts: Counts
    totals: Totals


class Steps(Head):
    steps: list[Step]
    sub_agents: NotRequired[list[SubAgent]]
    """Those of which no step tells that it started them."""
    children: NotRequired[list[Step]]
    """Their steps, each with its path."""


class WhyConversation(Priced):
    id: str
    title: str
    label: Label | None
    """What an evaluation says of the result."""
    model: str | None
    repository: str | None
    work_seconds: float | None
    priced: bool | None
    """False: no price is known, which is not free; null when nothing tells of a model."""
    llm_s: float | None
    """Of all answers, as the server measured it; null when it tells none."""
    tokens: Tokens | None


class Before(TypedDict):
    what: str
    steps: list[Count]
    fill: NotRequired[list[Amount | None]]
    """Of condensations: how full the context was at the answer before each, null when not known."""


class Phase(TypedDict):
    name: Name
    first: Number
    last: Number
    seconds: float | None
    """In which the model or a tool worked; null where no clock measured it."""
    cost: float | None
    summary: str


class FirstTrouble(TypedDict):
    step: Count
    event_id: str
    what: str
    result: str


class LookAt(Look):
    step: StepNumber


class Why(OfBranch):
    silent_since: NotRequired[str]
    """When the last event of a silent run came."""
    verdict: Verdict
    conversation: WhyConversation
    counts: WhyCounts
    before: list[Before]
    phases: list[Phase]
    """Consecutive steps of one purpose; together they have each step once."""
    first: FirstTrouble | None
    failed_sub_agents: NotRequired[list[SubAgent]]
    """Those that ended with an error or were stuck."""
    look: list[LookAt]
    """Steps that are worth a look, in order, at most 100."""
    look_more: Count


class Check(TypedDict):
    cut_off: bool
    """The end of the run is not in the file, so that nobody can say how it ended."""
    events: Count
    calls: Count
    """Ok + failed + rejected + running + open."""
    ok: Count
    with_result: Count
    """Calls with a result that does not tell whether they worked, as those of chat messages."""
    failed: Count
    rejected: Count
    """Not let run by the user or a hook."""
    running: Count
    open: Count
    """Without a result."""
    waiting: Count
    """Of open: waits for an answer."""
    duplicate_results: Count
    orphan_results: Count
    unmatched_calls: list[str]
    duplicates: list[str]
    orphans: list[str]
    errors: list[CheckError]


class CheckError(TypedDict):
    event_id: str
    kind: str
    code: str
    detail: str


class Show(TypedDict):
    conversation: Conversation
    sandbox: Sandbox | None
    ended: Verdict | None
    """How the run in a file ended; null on a server."""
    events: Count | None
    counted_by: Literal["app server", "agent server", "file"]
    web: str | None


class EventCount(TypedDict):
    via: Literal["app server", "agent server", "zip", "file"]
    events: Count | None
    reason: str | None


class EventCounts(TypedDict):
    conversation_id: str
    counts: list[EventCount]


class Event(TypedDict):
    id: NotRequired[str]
    kind: NotRequired[str]
    timestamp: NotRequired[str]
    source: NotRequired[str]


class ExportedRun(TypedDict):
    conversation: Conversation
    verdict: Verdict


class ExportedStep(TypedDict):
    step: Step
    events: list[dict[str, Any]]


class ExportedEvent(TypedDict):
    event: dict[str, Any]
    """An event that belongs to no step; left out when a filter is given."""


class ExportedHidden(TypedDict):
    hidden: list[Any]
