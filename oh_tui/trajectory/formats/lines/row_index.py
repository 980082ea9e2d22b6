"""Where each row of a JSON lines file begins and which run it is, found in one pass.

The pass looks only at line ends and at the first bytes of each row. It decodes only a row whose id
comes later.
"""

from __future__ import annotations

import contextlib
import re
from array import array
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.formats.document import top_of, value_of
from oh_tui.trajectory.formats.evaluation import name_in
from oh_tui.trajectory.formats.plain_file import PlainFile
from oh_tui.trajectory.formats.run_file import short_name
from oh_tui.trajectory.model.events import decode_json

START = 2**12
"""Bytes at the start of a row that are searched for its id."""

LARGEST_CHECKED = 2**26
"""A last row without a line end is decoded up to this size, to see whether it is cut off."""

NAMED = 20
"""Broken rows that are named. Further ones are counted."""

_TAIL = 16

IDS = (b"instance_id", b"trajectory_id")
"""The first of these fields that a row has is its id, by which labels name it."""

_INSTANCE = pattern(rb'"instance_id"\s*:\s*("(?:[^"\\]|\\.){1,400}"|\d{1,18})\s*[,}]')
_ATTEMPT = pattern(rb'"attempt"\s*:\s*"?(\d{1,6})"?\s*[,}]')

_PAIRS = {b"{": b"}", b"[": b"]"}

_VERSION = 4


class Row(NamedTuple):
    """A line that looks like JSON."""

    number: int
    """Its number among the lines that are not empty, from 1."""
    start: int
    size: int
    name: str
    """Its id, which is `ID@attempt` for later rows of the same id; "" without an id."""
    attempt: int
    """1 if the row has no attempt."""


class _Kept(msgspec.Struct, array_like=True):
    version: int
    numbers: bytes
    starts: bytes
    sizes: bytes
    attempts: bytes
    names: list[str]
    problems: list[str]
    lines: int
    end: int
    unfinished: int
    lacks_end: bool


_decode = msgspec.msgpack.Decoder(_Kept).decode


class RowIndex:
    """The rows found so far, in arrays of numbers: a file may have a hundred thousand."""

    def __init__(self) -> None:
        self.numbers, self.attempts = array("L"), array("L")
        self.starts, self.sizes = array("Q"), array("Q")
        self.names: list[str] = []
        self._columns: tuple[Any, ...] = (
            self.numbers, self.starts, self.sizes, self.names, self.attempts,
        )  # fmt: skip
        """Those of `Row`."""
        self.broken: list[str] = []
        """The problems of the first broken rows."""
        self._more_broken = 0
        self.is_complete = False
        self.lines = 0
        """Number of lines counted."""
        self.end = 0
        """Where the first line begins whose end was not seen."""
        self.unfinished = 0
        """Number of a last row that is cut off; 0 if there is none."""
        self._lacks_end = False
        """The last row is whole but lacks the line end."""
        self._attempts: dict[str, set[int]] = {}
        """Id -> attempts seen, during the pass."""
        self._highest: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> Row:
        return Row(*(column[index] for column in self._columns))

    def __iter__(self) -> Iterator[Row]:
        return map(self.__getitem__, range(len(self)))

    @property
    def problems(self) -> list[str]:
        more = f"{self._more_broken:,} more rows are not JSON"
        return [*self.broken, more] if self._more_broken else self.broken

    def read(self, file: PlainFile) -> Iterator[Row]:
        """Makes the index, or adds what was appended to the file since. Yields each row as it is
        found."""
        if self.is_complete:
            self._reopen()
        number, start, at = self.lines, self.end, self.end
        head = tail = b""
        for piece in file.pieces(at):
            place = 0
            while (end := piece.find(b"\n", place)) >= 0:
                if len(head) < START:
                    head += piece[place : min(end, place + START - len(head))]
                if head and not head.isspace():
                    number += 1
                    tail = (tail + piece[max(place, end - _TAIL) : end])[-_TAIL:]
                    if row := self._take(file, number, start, at + end - start, head, tail):
                        yield row
                place = end + 1
                start, head, tail = at + place, b"", b""
                self.lines, self.end = number, start
            if len(head) < START:
                head += piece[place : place + START - len(head)]
            tail = (tail + piece[max(place, len(piece) - _TAIL) :])[-_TAIL:]
            at += len(piece)
        if head and not head.isspace():
            row = self._take(file, number + 1, start, at - start, head, tail, is_last=True)
            if row:
                self._lacks_end = True
                yield row
        self._attempts, self._highest = {}, {}
        self.is_complete = not file.is_closed

    def _take(
        self, file: PlainFile, number: int, start: int, size: int, head: bytes, tail: bytes,
        *, is_last: bool = False,
    ) -> Row | None:  # fmt: skip
        first = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        is_whole = tail.rstrip()[-1:] == _PAIRS.get(first)
        if is_whole and is_last:  # no line end proves that the row is whole
            is_whole = _is_json(file, start, size)
        if not is_whole:
            if is_last and first in _PAIRS:
                self.unfinished = number
                return None
            told = f"row {number:,} is not JSON"
            if told in self.broken:  # reported before, as the last line of a growing file
                return None
            if len(self.broken) < NAMED:
                self.broken.append(told)
            else:
                self._more_broken += 1
            return None
        name, attempt = self._name(*_ids_in(file, start, size, head))
        row = Row(number, start, size, name, attempt)
        for column, value in zip(self._columns, row, strict=True):
            column.append(value)
        return row

    def _name(self, id: str, attempt: int) -> tuple[str, int]:
        name = short_name(id)
        if not name:
            return "", 1
        taken = self._attempts.get(name)
        if taken is None:
            self._attempts[name], self._highest[name] = {attempt}, attempt
            return name, attempt
        if attempt in taken:
            attempt = self._highest[name] + 1
        taken.add(attempt)
        self._highest[name] = max(attempt, self._highest[name])
        return f"{name}@{attempt}", attempt

    def _reopen(self) -> None:
        """Goes back to before a last line that may continue."""
        if self._lacks_end:
            for column in self._columns:
                column.pop()
        self.unfinished, self._lacks_end = 0, False
        for row in self:
            name = row.name.removesuffix(f"@{row.attempt}")
            self._attempts.setdefault(name, set()).add(row.attempt)
            self._highest[name] = max(row.attempt, self._highest.get(name, 0))

    # Saved on disk

    def dump(self) -> bytes:
        return msgspec.msgpack.encode(
            _Kept(
                _VERSION, self.numbers.tobytes(), self.starts.tobytes(), self.sizes.tobytes(),
                self.attempts.tobytes(), self.names, self.problems,
                self.lines, self.end, self.unfinished, self._lacks_end,
            )
        )  # fmt: skip

    @classmethod
    def load(cls, data: bytes, length: int) -> RowIndex | None:
        """The index that `dump` made; None for other data. `length` is that of the file."""
        index = cls()
        try:
            kept = _decode(data)
            for column, packed in (
                (index.numbers, kept.numbers), (index.starts, kept.starts),
                (index.sizes, kept.sizes), (index.attempts, kept.attempts),
            ):  # fmt: skip
                column.frombytes(packed)
        except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, ValueError):
            return None
        index.names += kept.names
        index.broken = kept.problems
        index.lines, index.end = kept.lines, kept.end
        index.unfinished, index._lacks_end = kept.unfinished, kept.lacks_end
        index.is_complete = True
        if kept.version != _VERSION or len(set(map(len, index._columns))) != 1:
            return None
        if any(
            start + size > length for start, size in zip(index.starts, index.sizes, strict=True)
        ):
            return None
        return index


def _ids_in(file: PlainFile, start: int, size: int, head: bytes) -> tuple[str, int]:
    """The id of a row and its attempt. A row whose start does not tell them, and which mentions
    them further on, is decoded."""
    found = _field_in(head, _INSTANCE)
    attempt = _field_in(head, _ATTEMPT)
    has_more = not attempt and size > START
    if found and not (has_more and b'"attempt"' in file.read(start + size - START, START)):
        with contextlib.suppress(ValueError):
            return str(decode_json(found[1])), int(attempt[1]) if attempt else 1
    text = file.read(start, size) if size <= LARGEST_CHECKED else b""
    if not names_row(text):
        return "", 1
    try:
        top = top_of(text)
    except ValueError:
        return "", 1
    ids = (name_in(value_of(top, name.decode())) for name in IDS)
    told = str(value_of(top, "attempt"))
    return next(filter(None, ids), ""), int(told) if told.isdecimal() and len(told) < 7 else 1


def _field_in(head: bytes, named: re.Pattern[bytes]) -> re.Match[bytes] | None:
    """A field of the row itself; one of an object within it has more brackets before it."""
    found = named.search(head)
    before = head[: found.start()] if found else b""
    return found if before.count(b"{") == before.count(b"}") + 1 else None


def names_row(head: bytes) -> bool:
    """Whether a row that begins so mentions an id, by which labels name it."""
    return any(b'"' + name + b'"' in head for name in IDS)


def _is_json(file: PlainFile, start: int, size: int) -> bool:
    if size > LARGEST_CHECKED:
        return True
    try:
        top_of(file.read(start, size))
    except ValueError as error:
        return str(error) in ("nested too deep", "too many values")
    return True
