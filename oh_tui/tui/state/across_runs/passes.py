"""A pass over many runs, as far as it went."""

from __future__ import annotations


class Pass:
    """Something that is found by going through all runs."""

    def __init__(self) -> None:
        self.is_running = False
        self.ended: bool | None = None
        """Whether it went through all runs; None before it begins."""
        self.problem: tuple[str, ...] = ()
        """Why it ended early."""

    @property
    def stopped(self) -> bool:
        """The user ended it before it went through all runs."""
        return self.ended is False and not self.is_running and not self.problem
