"""The documents of what acts, of servers and of this machine."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from oh_tui.documents.shapes.common import (
    Amount,
    Conversation,
    Count,
    Moment,
    Named,
    Number,
    Sandbox,
    Verdict,
)


class ActedCall(TypedDict):
    call_id: str | None
    tool: str | None
    what: str
    risk: str | None


class Acted(TypedDict):
    id: str
    title: str
    done: str
    """What was done, such as approved, or nothing to stop."""
    stages: list[str]
    calls: list[ActedCall]
    status: str | None
    """How the agent stands now."""
    sandbox_status: str | None
    without_result: list[ActedCall]


class AgentProfile(TypedDict):
    name: str
    model: str | None
    has_key: bool | None


class Cannot(TypedDict):
    why: str
    since: str
    """The first version of agent servers that can."""


class Agent(TypedDict):
    id: str
    title: str
    done: str | None
    """What was changed; null when nothing was asked for."""
    model: str | None
    profile: str | None
    profiles: list[AgentProfile] | None
    """Those that its server keeps; null when they are not known."""
    confirm: str | None
    """When it asks: never, risky, always, or the server's name of another policy."""
    condenser: str | None
    server_version: str | None
    cannot: dict[str, Cannot]
    """What this server or this agent cannot do: ask, condense, confirm, profile."""


class Ask(TypedDict):
    id: str
    title: str
    question: str
    answer: str
    cost: float | None
    """US dollars."""


class Bookmark(TypedDict):
    step: Number
    event: str
    what: str
    note: str | None


class Bookmarks(TypedDict):
    id: str
    """Without dashes; of a file without an id its path."""
    title: str
    bookmarks: list[Bookmark]


class Cache(TypedDict):
    name: str
    files: Count
    bytes: Count
    written: Moment | None


class Caches(TypedDict):
    folder: str | None
    cleared: bool
    kept: list[Cache]


class Fault(TypedDict):
    line: Number
    text: str


class Overridden(TypedDict):
    setting: str
    by: str


class Config(TypedDict):
    path: str
    exists: bool
    faults: NotRequired[list[Fault]]
    overridden: NotRequired[list[Overridden]]


class Conversations(TypedDict):
    source: str
    more: bool
    remarks: list[str]
    """What a file says of all its runs, such as the sums of a cost report."""
    not_read: int
    """Files and runs that could not be read; standard error says why."""
    conversations: list[Conversation]


class Executed(TypedDict):
    id: str
    command: str
    """The line that /bin/sh got."""
    exit_code: int
    """As oh-tui exits with it."""
    timed_out: bool
    seconds: Amount
    stdout: str
    """Unchanged; what is no UTF-8 comes as U+FFFD."""
    stderr: str


class ForkOrigin(TypedDict):
    id: str
    title: str
    step: int
    """The last step that was asked for; 0 for none."""
    event_id: str | None
    """Of its last event."""
    steps: int


class ForkedFile(TypedDict):
    path: str
    certain: bool
    """The file has another text; else it may have."""
    edited: bool


class Fork(TypedDict):
    id: str
    title: str
    origin: ForkOrigin
    knows: int
    whole: bool
    """The server took all steps instead of those asked for."""
    has_key: bool | None
    """Its agent has the key of the model that the origin has; null when that is not known."""
    listed: bool
    model: str | None
    sent: bool
    files: list[ForkedFile]
    """Not as they were at the step, as they are not turned back."""
    remarks: list[str]
    """What is not as it was asked for, and what helps."""


class Note(TypedDict):
    id: str
    """Without dashes; of a file without an id its path."""
    title: str
    step: Number | None
    """Null for the note on the run."""
    event: str | None
    note: str | None


class SandboxChange(TypedDict):
    sandbox: Sandbox | None
    stages: list[str]
    """The last one is what is true then."""
    conversations: list[Named]


class Renamed(TypedDict):
    id: str
    title: str
    was: str


class SandboxWithRuns(Sandbox):
    conversations: list[Named]


class Sandboxes(TypedDict):
    source: str
    sandboxes: list[SandboxWithRuns]


class StartTask(TypedDict):
    id: str
    status: str | None


class Start(TypedDict):
    task: StartTask
    stages: list[str]
    conversation: Conversation | None
    """Null when it was not waited for."""
    verdict: Verdict | None
    """How the run ended, with --until-done."""


class StatusRun(TypedDict):
    group: Literal["waiting", "failed", "running"]
    conversation: Conversation


class EditedTwice(TypedDict):
    path: str
    id: str
    """Of the other run."""
    title: str


class WallTile(StatusRun):
    phase: str | None
    """That of its last steps, such as edit; null where its events were not read."""
    context: Amount | None
    """The share of the context that is taken."""
    cost_an_hour: Amount | None
    """US dollars for an hour of work, as its last steps cost; null for less than a minute."""
    last_event: Moment | None
    edited_twice: list[EditedTwice]
    """Files that this run and another one here are known to edit."""
    call: str | None
    """The last one, or what is remembered of a run whose events were not read."""
    says: list[str]
    """The lines that its agent said or thought last."""


class Status(TypedDict):
    server: str
    waiting: Count
    failed: Count
    """How many ended in an error or are stuck, opened or not: those of is:failed."""
    running: Count
    """How many run by what their server says, those that start or are silent too."""
    silent: Count
    """How many of those that run are silent: no event has come of them for long."""
    conversations: Count
    more: bool
    """Older ones were not looked at."""
    cost: float | None
    """US dollars."""
    priced: Count
    """How many these are."""
    partial: Count
    """How many of them may lack a part of it."""
    estimates: Count
    """How many more are of agents that speak ACP: their cost is an estimate and left out."""
    asked: Moment
    age_s: Amount
    listed: list[StatusRun]
    """Those that are counted; empty with --short from the cache."""
    wall: NotRequired[list[WallTile]]
    """With --wall: at most six that wait or run, the waiting ones first."""


class Tags(TypedDict):
    id: str
    """Without dashes; of a file without an id its path."""
    title: str
    tags: dict[str, str]
    """Your own; an empty text for one without a value."""


class Task(TypedDict):
    task: str
    """`repository#number`, for oh-tui start --task."""
    repository: str
    number: int
    type: str | None
    """OPEN_ISSUE, FAILING_CHECKS, UNRESOLVED_COMMENTS, MERGE_CONFLICTS or OPEN_PR."""
    title: str
    provider: str | None
    """Github, gitlab, bitbucket and others."""


class Tasks(TypedDict):
    source: str
    complete: bool
    """False when the server has more than it was asked for, or some could not be read."""
    tasks: list[Task]
    """By repository, in the order of the server."""


class CanvasHere(TypedDict):
    """Agent Canvas, as it answers on this machine."""

    address: str
    agent_server_version: str | None
    automations: str | None
    """The address of its automations."""
    key_from: str | None
    key_skipped: str | None
    """Why the key that was found is not used."""
    gives_key_away: bool | None
    """Whether its page has the key in clear and other machines reach it; null: not told."""


class Account(TypedDict):
    server: str
    demo: bool
    key_from: str | None
    """The variable or file that the key was found in."""
    email: str | None
    git_user_name: str | None
    git_user_email: str | None
    agent_server_version: str | None
    """Of a sandbox that runs."""
    oh_tui_version: str
    canvas: CanvasHere | None
    """Null where none answers, and for the demo."""
