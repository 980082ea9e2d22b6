"""The steps of a run as the library keeps them: packed, which takes a third of the room of rows.

SQL asks for them by the view `steps`, which calls `unpacked`.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Any

import msgspec

from oh_tui.trajectory.tables import StepRow

STEP_COLUMNS = tuple(
    # ids would be a quarter of all bytes
    name
    for name in StepRow.__struct_fields__
    if name not in ("run", "event_id", "kind")
)

LONGEST = 80
"""Characters of `what` and `result` of a step."""

LONGEST_OF_ALL = 4_096
"""Characters of any other text, as of a path on Linux: `query` could not read the row of one that
has a model of a megabyte."""

PART = 100_000
"""Bytes of JSON after which another part begins. A step has less than that, and an answer takes no
value of twice the size."""

_DIGITS = 6
"""Of the fraction of a second: what a difference of two times has beyond is noise."""

_values = attrgetter(*STEP_COLUMNS)
_PATH, _SUB_AGENT, _WHAT, _RESULT, _LLM, _RAN = map(
    STEP_COLUMNS.index, ("path", "sub_agent", "what", "result", "llm_s", "ran_s")
)


def packed(rows: Iterable[StepRow]) -> list[bytes]:
    """The rows in order, in parts that `unpacked` can read."""
    return list(_parts(map(_encoded, rows)))


def _parts(rows: Iterable[bytes]) -> Iterator[bytes]:
    held: list[bytes] = []
    size = 0
    for row in rows:
        if held and size + len(row) > PART:
            yield _part(held)
            held, size = [], 0
        held.append(row)
        size += len(row) + 1
    if held:
        yield _part(held)


def _part(rows: list[bytes]) -> bytes:
    return zlib.compress(b"[%b]" % b",".join(rows))


def _encoded(row: StepRow) -> bytes:
    values = list(_values(row))
    values[_WHAT], values[_RESULT] = row.what[:LONGEST], row.result[:LONGEST]
    if row.llm_s is not None:
        values[_LLM] = round(row.llm_s, _DIGITS)
    if row.ran_s is not None:
        values[_RAN] = round(row.ran_s, _DIGITS)
    if not row.sub_agent:
        values[_PATH] = values[_SUB_AGENT] = None  # the view knows them
    encoded = msgspec.json.encode(values)
    if len(encoded) <= LONGEST_OF_ALL:
        return encoded
    return msgspec.json.encode(
        [one[:LONGEST_OF_ALL] if isinstance(one, str) else one for one in values]
    )


def unpacked(part: Any) -> str:
    """The JSON of a part, a list of lists of `STEP_COLUMNS`. Raises for anything else."""
    return zlib.decompressobj().decompress(part, 2 * PART).decode()


def teach(database: sqlite3.Connection) -> None:
    """Lets SQL call `unpacked`."""
    database.create_function("unpacked", 1, unpacked, deterministic=True)
