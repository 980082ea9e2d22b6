"""Which servers do not answer, why, and when they were last heard."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from oh_tui.api.errors import ApiError, AuthError, NotTheApi, TimedOut, Unreachable
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


class Hearing:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._heard = clock()
        self._lost: dict[str, Lost] = {}
        """By the id of the run whose own server it is; "" for the one of the lists."""

    def heard(self, name: str = "") -> bool:
        """It has just answered; True if it did not before."""
        self._heard = self._heard if name else self._clock()
        return self._lost.pop(name, None) is not None

    def lose(self, problem: Problem | None, name: str = "") -> None:
        """A call failed, or has not been answered for long (None)."""
        if why := why_not(problem):
            before = self._lost.get(name)
            self._lost[name] = Lost(why, before.heard if before else self._heard)

    def lost(self, name: str = "") -> Lost | None:
        """Of the lists, or of a run; None for one that answers."""
        return self._lost.get("") or self._lost.get(name)

    def now(self, name: str = "") -> float:
        """The time up to which something is known."""
        lost = self.lost(name)
        return lost.heard if lost else self._clock()


def why_not(problem: Problem | None) -> str:
    """Why a server tells nothing at all; "" for one that only refused one thing."""
    if isinstance(problem, AuthError | NotTheApi):
        return problem.sentence.partition(": ")[2] or problem.sentence
    is_down = isinstance(problem, ApiError) and problem.status in (502, 503, 504)
    is_away = problem is None or isinstance(problem, Unreachable | TimedOut) or is_down
    return "the server does not answer" if is_away else ""
