"""Which servers do not answer, why, and when they were last heard: that of the lists, and the agent
servers of runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from oh_tui.api.errors import ApiError, AuthError, NotTheApi, TimedOut, Unreachable
from oh_tui.conversation import Conversation, bare_id
from oh_tui.text.human import clock_time
from oh_tui.text.problem import Problem

LATE = 5.0
"""Seconds after which a list that has not come counts as not answered, until it comes."""


class Lost(NamedTuple):
    why: str
    heard: float
    """When it was last heard, in seconds since 1970."""

    @property
    def as_of(self) -> str:
        return f"as of {clock_time(self.heard, None)[:5]}"


Losses: TypeAlias = Mapping[str, Lost]
"""By what an agent server is known by; by "" for the server of the lists."""


class Hearing:
    """With `of`, the agent server of that run; without, the server of the lists."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._heard = clock()
        self.losses: Losses = {}

    def heard(self, of: Conversation | None = None) -> bool:
        """It has just answered; True if it did not before."""
        name, before = _server(of), self.losses
        self._heard = self._heard if of else self._clock()
        if name in before:
            self.losses = {one: lost for one, lost in before.items() if one != name}
        return name in before

    def lose(self, problem: Problem | None, of: Conversation | None = None) -> bool:
        """A call failed, or has not been answered for long (None). True if this is news."""
        name, why = _server(of), why_not(problem)
        before = self.losses.get(name)
        if why:
            self.losses = {**self.losses, name: Lost(why, before.heard if before else self._heard)}
        return bool(why) and before is None

    def lost(self, of: Conversation | None = None) -> Lost | None:
        """None for one that answers."""
        return lost_of(self.losses, of)

    def now(self, of: Conversation | None = None) -> float:
        """The time up to which something is known."""
        lost = self.lost(of)
        return lost.heard if lost else self._clock()


def _server(of: Conversation | None) -> str:
    """All runs of a sandbox have the same agent server."""
    return (of.sandbox_id or bare_id(of.id)) if of else ""


def lost_of(losses: Losses, of: Conversation | None) -> Lost | None:
    """Why nothing new is known of a run. One whose sandbox is down needs no agent server."""
    is_up = of is not None and of.sandbox_status == "RUNNING"
    return losses.get("") or (losses.get(_server(of)) if is_up else None)


def why_not(problem: Problem | None) -> str:
    """Why a server tells nothing at all; "" for one that only refused one thing."""
    if isinstance(problem, AuthError | NotTheApi):
        return problem.sentence.partition(": ")[2] or problem.sentence
    is_down = isinstance(problem, ApiError) and problem.status in (502, 503, 504)
    is_away = problem is None or isinstance(problem, Unreachable | TimedOut) or is_down
    return "the server does not answer" if is_away else ""
