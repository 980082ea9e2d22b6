"""The searchable text of each step as indexed, without secrets. Must match what `scan` finds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from oh_tui.text.redact import safe
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.search.searchable_text import texts_of

_APART = "\n" * 6
"""Separates texts: more white space than any pattern of `redact` crosses."""

_CROSSES = (*"\x1b\x90\x98\x9b\x9d\x9e\x9f", "PRIVATE KEY", "Private-")
"""Starts of what may run on across the separator."""


def step_texts(trajectory: Trajectory, rows: Iterable[str]) -> Iterator[str]:
    """The indexed text of each step, in order: its row from `rows`, then its bodies."""
    for step, row in zip(trajectory.steps, rows, strict=True):
        found = [text for event in (step.event, *step.results) for text in texts_of(event)]
        together = _APART.join(found)  # one call per text would take most of the time
        texts = found if any(map(together.__contains__, _CROSSES)) else [together]
        yield folded("\n".join((row, *(safe(text) for text in texts))))


def folded(text: str) -> str:
    """A text as the index compares it: in lower case, each white space as one space. If `scan`
    finds a text, its folded form occurs in the folded text."""
    return " ".join(text.lower().split())
