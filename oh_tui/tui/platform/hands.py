"""Whether the user's hands are in motion: they type what was meant for something else, and no key
of that may act."""

from __future__ import annotations

REST = 0.7
"""Seconds without a key after which the hands rest."""


class Hands:
    """In motion from a key that came too early, was no answer or was refused, until they rest. The
    times are those at which the keys were read from the terminal, so that a busy machine cannot
    make typed keys look calm."""

    def __init__(self) -> None:
        self.in_motion = False
        self.ignored = 0
        """Keys that were ignored in this motion."""
        self.key = ""
        """The last key that was not ignored, as the user names it."""
        self.last = float("-inf")

    def came(self, at: float) -> None:
        if at - self.last >= REST:
            self.rest()
        self.last = at

    def follow(self) -> None:
        """What follows the last key closely belongs to it."""
        self.in_motion = True

    def ignore(self) -> None:
        """The last key was ignored."""
        self.in_motion = True
        self.ignored += 1

    def rest(self) -> None:
        self.in_motion, self.ignored = False, 0
