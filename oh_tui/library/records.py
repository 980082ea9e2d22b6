"""What the library stores of a run: its rows and its texts, without secrets. The texts must match
what `scan` finds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from oh_tui.library.schema import BLOCK, TABLES_OF_RUN
from oh_tui.text.redact import held, holds_key, safe
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.describe import describe
from oh_tui.trajectory.search.searchable_text import texts_of
from oh_tui.trajectory.table_rows import About, rows
from oh_tui.trajectory.tables import RunRow

LONGEST = 4_096
"""Characters of a text in a row; a path on Linux has as many. `query` could not read a row whose
model has a megabyte."""


class Record(msgspec.Struct):
    place: str
    """Where the run is: `PATH`, `PATH#ID` or `ADDRESS#ID`. Each place has one record."""
    home: str
    """The file, folder or address that contains it."""
    fingerprint: str
    """Changes whenever the run may have changed; "" until whoever asked for the record sets it."""
    run: RunRow
    rows: dict[str, list[tuple[object, ...]]]
    """Rows of the other tables, as `stored` gives them."""
    blocks: list[str]
    """Its texts, those of consecutive steps in each."""


def record_of(
    trajectory: Trajectory, about: About, *, place: str, home: str, fingerprint: str = ""
) -> Record | None:
    """The record of a run; None if it contains one of the user's keys: that is not indexed."""
    if names_key(place) or _tells_key(trajectory):
        return None
    tables = rows(trajectory, about)
    taken = trajectory.steps[: trajectory.inherited]  # its origin has their rows
    told: list[Any] = [describe(step, trajectory.outcome(step)) for step in taken]
    told += tables.steps[: len(trajectory) - len(told)]
    return Record(
        place=place,
        home=home,
        fingerprint=fingerprint,
        run=tables.runs[0],
        rows={name: list(map(stored, getattr(tables, name))) for name in TABLES_OF_RUN},
        blocks=list(_blocks(step_texts(trajectory, [f"{one.what} {one.result}" for one in told]))),
    )


def stored(row: msgspec.Struct) -> tuple[object, ...]:
    """The values of a row as the library stores them, each text cut to `LONGEST`."""
    values = msgspec.structs.astuple(row)
    if not [one for one in values if isinstance(one, str) and len(one) > LONGEST]:
        return values
    return tuple(map(_cut, row.__struct_fields__, values))


def _cut(name: str, value: object) -> object:
    if not isinstance(value, str) or len(value) <= LONGEST:
        return value
    return None if name == "arguments" else value[:LONGEST]  # half a JSON text is not JSON


def names_key(place: str) -> bool:
    """Whether a place contains one of the user's keys: the library stores places unchanged."""
    return holds_key(place.encode("utf-8", "replace"))


def _tells_key(trajectory: Trajectory) -> bool:
    if held() and any(holds_key(event.raw()) for event in trajectory.events):
        return True
    return any(_tells_key(agent.load()[0]) for agent in trajectory.sub_agents)


def _blocks(texts: Iterator[str]) -> Iterator[str]:
    block, size = list[str](), 0
    for text in texts:
        block.append(text)
        size += len(text)
        if size >= BLOCK:
            yield "\n".join(block)
            block, size = [], 0
    if block:
        yield "\n".join(block)


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
