"""What a source says of a run beside its events."""

from __future__ import annotations

import msgspec


class Recorded(msgspec.Struct, frozen=True):
    """Read for runs whose events do not tell how they ended."""

    error: str = ""
    """Why the run failed, in the words of the source; "" for no failure."""
    max_iterations: int = 0
    """The answers of the model after which the run was to be stopped; 0 when unknown."""
    patch: str = ""
    """The change that the run handed in, as git prints it."""


NOTHING_RECORDED = Recorded()
