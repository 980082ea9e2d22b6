"""The searchable text of each step as it is indexed, without secrets: all that `scan` finds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from oh_tui.text.redact import safe
from oh_tui.trajectory.analysis.search.searchable_text import texts_of
from oh_tui.trajectory.model.trajectory import Trajectory

_APART = "\n" * 6
"""Between texts: wider than any white space that a pattern of `redact` crosses."""

_CROSSES = (*"\x1b\x90\x98\x9b\x9d\x9e\x9f", "PRIVATE KEY-----")
"""What may begin something that goes on across that."""


def step_texts(trajectory: Trajectory, rows: Iterable[str]) -> Iterator[str]:
    """The text of each step in order, `folded`: its row, which `rows` gives, and its bodies."""
    for step, row in zip(trajectory.steps, rows, strict=True):
        found = [text for event in (step.event, *step.results) for text in texts_of(event)]
        together = _APART.join(found)  # a call for each text would take most of the time
        texts = found if any(map(together.__contains__, _CROSSES)) else [together]
        yield folded("\n".join((row, *(safe(text) for text in texts))))


def folded(text: str) -> str:
    """A text as an index compares it: in lower case, white space as one space. What `scan` finds in
    a text is found in the folded text, once folded itself."""
    return " ".join(text.lower().split())
