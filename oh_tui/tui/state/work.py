"""Work in progress: a batch that can be stopped, a response that is awaited."""

from __future__ import annotations

from msgspec import Struct


class Batch:
    """Work on several things one after the other; each is completed once begun."""

    def __init__(self) -> None:
        self.stopped = False
        """No further one is begun."""


class Wait(Struct, eq=False):
    """A server response that the user sees being waited for."""

    stage: str
    """What is being waited for, in words."""
    began: float
