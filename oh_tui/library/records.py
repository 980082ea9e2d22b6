"""What the library takes of one run: its rows and its texts, without secrets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from oh_tui.library.schema import BLOCK, TABLES_OF_RUN
from oh_tui.library.texts import step_texts
from oh_tui.text.redact import held, holds_key
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.tables import About, RunRow, rows

LONGEST = 4_096
"""Characters of a text in a row, as of a path on Linux: `query` could not read the row of one that
has a model of a megabyte."""


class Block(NamedTuple):
    """The texts of some steps of a run, from the first to the last."""

    first: int
    last: int
    text: str


class Record(msgspec.Struct, frozen=True):
    place: str
    """Where the run is: `PATH`, `PATH#ID` or `ADDRESS#ID`. There is one record of a place."""
    home: str
    """The file, folder or address in which it is."""
    fingerprint: str
    """Changes whenever the run may have changed."""
    run: RunRow
    rows: dict[str, list[tuple[Any, ...]]]
    """Those of the other tables, `stored`."""
    blocks: list[Block]


def record_of(
    trajectory: Trajectory, about: About, *, place: str, home: str, fingerprint: str
) -> Record | None:
    """None for a run that tells a key of the user's, which must not be indexed."""
    if names_key(place) or _tells_key(trajectory):
        return None
    tables = rows(trajectory, about)
    own = [f"{row.what} {row.result}" for row in tables.steps[: len(trajectory)]]
    return Record(
        place=place,
        home=home,
        fingerprint=fingerprint,
        run=tables.runs[0],
        rows={name: list(map(stored, getattr(tables, name))) for name in TABLES_OF_RUN},
        blocks=list(_blocks(step_texts(trajectory, own))),
    )


def stored(row: msgspec.Struct) -> tuple[Any, ...]:
    """The values of a row as the library keeps them: no text is longer than `LONGEST`."""
    values = msgspec.structs.astuple(row)
    if not [one for one in values if isinstance(one, str) and len(one) > LONGEST]:
        return values
    return tuple(map(_cut, row.__struct_fields__, values))


def _cut(name: str, value: Any) -> Any:
    if not isinstance(value, str) or len(value) <= LONGEST:
        return value
    return None if name == "arguments" else value[:LONGEST]  # JSON that is cut is no JSON


def names_key(place: str) -> bool:
    """Whether a key of the user's is in a place, which is kept as it is."""
    return holds_key(place.encode("utf-8", "replace"))


def _tells_key(trajectory: Trajectory) -> bool:
    if held() and any(holds_key(event.raw()) for event in trajectory.events):
        return True
    return any(_tells_key(agent.load()[0]) for agent in trajectory.sub_agents)


def _blocks(texts: Iterator[str]) -> Iterator[Block]:
    block: list[str] = []
    first, size = 1, 0
    for number, text in enumerate(texts, 1):
        block.append(text)
        size += len(text)
        if size >= BLOCK:
            yield Block(first, number, "\n".join(block))
            block, first, size = [], number + 1, 0
    if block:
        yield Block(first, first + len(block) - 1, "\n".join(block))
