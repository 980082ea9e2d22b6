"""Which servers do not answer, why, and when they were last heard: that of the lists, and the agent
servers of runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
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
    def at(self) -> str:
        return clock_time(self.heard, None)[:5]

    @property
    def as_of(self) -> str:
        return f"as of {self.at}"


Losses: TypeAlias = Mapping[str, Lost]
"""By what an agent server is known by; by "" for the server of the lists, and by `MEMBER` and its
name for one of several."""

MEMBER = "server "


class Hearing:
    """With `of`, the agent server of that run; without, the server of the lists."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._heard = clock()
        self._members: dict[str, float] = {}
        """By name, when each of several servers was last heard."""
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

    def hear(self, members: Collection[str], away: Mapping[str, Problem | None]) -> list[str]:
        """Take which servers of a list do not answer; the others just have. Gives the names of
        those that did not before."""
        now, before = self._clock(), self.losses
        others = {name: lost for name, lost in before.items() if not name.startswith(MEMBER)}
        lost: dict[str, Lost] = {}
        for name, problem in away.items():
            why = why_not(problem) or (problem.sentence if problem else "")
            lost[MEMBER + name] = Lost(why, self._members.get(name, self._heard))
        self._members |= dict.fromkeys(members - away.keys(), now)
        if (losses := others | lost) != before:
            self.losses = losses
        return [name for name in members if MEMBER + name in before and name not in away]

    @property
    def away(self) -> dict[str, Lost]:
        """By name, those of several servers that do not answer."""
        found = self.losses.items()
        return {name[len(MEMBER) :]: one for name, one in found if name.startswith(MEMBER)}

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
    member = losses.get(MEMBER + of.server) if of and of.server else None
    return losses.get("") or member or (losses.get(_server(of)) if is_up else None)


def why_not(problem: Problem | None) -> str:
    """Why a server tells nothing at all; "" for one that only refused one thing."""
    if isinstance(problem, AuthError | NotTheApi):
        return problem.sentence.partition(": ")[2] or problem.sentence
    is_down = isinstance(problem, ApiError) and problem.status in (502, 503, 504)
    is_away = problem is None or isinstance(problem, Unreachable | TimedOut) or is_down
    return "the server does not answer" if is_away else ""
