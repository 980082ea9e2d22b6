"""What several documents hold."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from msgspec import Meta

from oh_tui.trajectory.model.recorded import Label
from oh_tui.trajectory.model.usage import Tokens

Count = Annotated[int, Meta(ge=0)]
Number = Annotated[int, Meta(ge=1)]
Amount = Annotated[float, Meta(ge=0)]
Moment = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
StepNumber = Number | str
"""A path such as 12.3 for a step of a sub-agent."""


class Used(TypedDict):
    llm_s: float | None
    """Of all answers, as the server measured it; null when it tells none."""
    cost: float | None
    """US dollars."""
    llm_calls: Count | None
    tokens: Tokens | None


class Priced(TypedDict):
    cost: float | None
    """US dollars."""
    cost_is_estimate: NotRequired[Literal[True]]
    """An agent that speaks ACP was at work: its SDK makes some costs up, and adds others twice."""
    cost_is_partial: bool | None
    """Cost and tokens may lack a part: a record tells those of the agent alone, or does not say."""


class Goal(TypedDict):
    word: str
    """running, reached, capped, interrupted, or another of a newer server."""
    rounds: Count
    most: Count
    """Rounds that it may take; 0 where that is not told."""
    objective: str
    score: float | None
    """Of the last verdict, from 0 to 1."""
    missing: str


class Verdict(TypedDict):
    word: str
    """error, stuck, waiting, running, silent, stopped, finished, idle, saved, or nothing."""
    cause: str
    short: str
    steps: list[Count]
    landing: Count | None
    plan: tuple[Count, Count] | None
    """Done, and all items of the last plan."""
    goal: Goal | None
    cut_off: bool
    """The end of the run is not in the file, so that nobody can say how it ended."""


class Branch(TypedDict):
    number: int | None
    """From 1, in the order in which they began; null for all of them."""
    count: int
    active: int
    """The branch on which the run goes on."""
    cost: float | None
    """US dollars of the answers on this branch."""
    cost_of_all: float | None
    """US dollars of the run."""


class Conversation(Priced):
    id: str
    """Without dashes; of an evaluation the id of the instance; of a file without an id its path."""
    title: str
    source: str | None
    """The path of the file or folder of a run in files; null of one on a server."""
    server: NotRequired[str]
    """The name of its server, where several are in one list."""
    status: str | None
    """Of the agent: waiting, stuck, error, running, silent (no event for long), starting, finished,
    stopped, idle, deleting, or not known while its sandbox is away and nobody on this machine saw
    it before; of a run in a file also saved, unfinished, cut off, null where its end is not
    told."""
    label: Label | None
    """What an evaluation says of the result."""
    sandbox_id: str | None
    sandbox_status: str | None
    """As its server says: STARTING, RUNNING, PAUSED, ERROR or MISSING; null without a sandbox."""
    repository: str | None
    branch: str | None
    folder: NotRequired[str]
    """Only on an agent server without an app server: where its agent works. In a git worktree that
    the server made, the branch is the one that it was made with."""
    pull_requests: list[int]
    model: str | None
    trigger: str | None
    automation: NotRequired[str]
    """Only of a run that one made: its name, or its id where it has none."""
    tokens: Tokens | None
    parent_id: str | None
    forked_from: NotRequired[str]
    """Only of a fork: the id of the conversation that it was made of."""
    forked_from_event: NotRequired[str]
    """Only of a fork of a part: the id of the last event that it took."""
    sub_conversation_ids: list[str]
    created: str | None
    """ISO 8601; without Z where the zone is not known."""
    updated: str | None
    tags: NotRequired[dict[str, str]]
    """Those that people have set on the server and your own; an empty text for one without a
    value."""
    goal: NotRequired[str]
    """Of a run that was set one: running, reached, capped, interrupted, as far as it is known."""
    machine_tags: NotRequired[dict[str, str]]
    """Those that servers and automations have set for themselves."""
    note: NotRequired[str]
    bookmarks: NotRequired[list[str]]
    """Ids of the events of the steps that you bookmarked."""
    step_notes: NotRequired[dict[str, str]]
    """Your notes on steps, by the ids of their events."""
    silent_since: NotRequired[str]
    """When the last event of a silent run came."""
    budget: NotRequired[Amount]
    """US dollars: the budget that you gave the run."""


class Sandbox(TypedDict):
    id: str
    status: str | None
    spec: str | None
    created: Moment | None
    server: NotRequired[str]
    """As that of a conversation."""


class Named(TypedDict):
    id: str
    title: str


class Churn(TypedDict):
    lines_written: Count | None
    """Lines that its edits wrote; null where a text is not known."""
    lines_removed_later: Count | None
    """Of these, those that a later edit took out, rewrote or did not find again."""


class LeftOut(TypedDict):
    not_kept: Count
    """Runs of a server that this machine has not read."""
    going_on: Count
    """Those of them that may still go on, which --live reads as they stand."""
    unread: Count
    unsure: Count
    """Runs whose outcome or changed files the words ask for and nobody knows."""
