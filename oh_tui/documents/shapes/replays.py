"""The documents of `oh-tui replay`."""

from __future__ import annotations

from typing import TypedDict

from oh_tui.documents.shapes.common import Count, Number
from oh_tui.trajectory.comparison.plain import How


class Reaching(TypedDict):
    step: Number | None
    """Null in a sub-agent of which it is not known where it began."""
    what: str
    why: str


class NeededFile(TypedDict):
    step: Number
    """The first that names it."""
    path: str


class Check(TypedDict):
    can: bool
    """Whether it can run again."""
    lacks: list[str]
    """Why not, a sentence each."""
    model: str | None
    tools: list[str]
    condenser: str | None
    """Null where nothing tells it."""
    folder: str | None
    rules: str
    """Whose messages are made, and why."""
    version_is_told: bool
    answers: Count
    reaching: list[Reaching]
    """Calls that may do something beyond the folder of the run."""
    needed: list[NeededFile]
    """Files that its editor names before the run made them."""


class Serving(TypedDict):
    address: str
    api_key: str
    """What a client has to send as its key."""
    model: str
    answers: Count


class Difference(TypedDict):
    role: str
    """system, user, assistant or tool; `tools` for the names of the tools."""
    step: Number | None
    how: How
    plain: list[str]
    """What varies with each run and was made plain."""
    recorded: str | None
    """The lines that only the record has; null for a message that it has not."""
    now: str | None


class Request(TypedDict):
    purpose: str
    """agent, title, condenser, ask, or other."""
    step: str | None
    """The first step of the answer that was given."""
    match: str | None
    """How the request stands to the record; null where that is not compared."""
    refused: str | None
    new: list[Difference]


class Sum(TypedDict):
    answers: Count
    given: Count
    """Different answers of the record that were given."""
    matches: dict[str, Count]
    """Requests of the agent, by how they stand to the record."""
    other_requests: dict[str, Count]
    parted: bool
    conversation: str | None
    """The one that was started; null where answers were served alone."""
    ended: str | None
    """The status of its agent in the end."""
    cost: float | None
    """US dollars of the model of `--then`; null where no price is known."""
