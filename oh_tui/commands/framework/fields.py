"""Tables that are told once: each field of a row in text, in JSON and in CSV."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

import msgspec

from oh_tui.commands.framework.printing import Cell, Column, Row, Style, print_table

T = TypeVar("T")


class Field(msgspec.Struct, Generic[T], frozen=True):
    """What a table tells of a row: `column` is for people, `json` for scripts; either may lack."""

    column: Column | None = None
    text: Callable[[T, Style], str | Cell] | None = None
    """Its cell; by default the value, a text or a count."""
    json: str = ""
    """Its name in JSON, and in CSV."""
    get: Callable[[T], object] | None = None
    """Its value in JSON; by default what the row calls so too."""
    flat: Callable[[T], Mapping[str, object]] | None = None
    """Its columns of CSV; by default the value, of a mapping one for each part."""

    def value(self, row: T) -> object:
        return self.get(row) if self.get else getattr(row, self.json)

    def cell(self, row: T, style: Style) -> str | Cell:
        if self.text:
            return self.text(row, style)
        value = self.value(row)
        return value if isinstance(value, str) else f"{value:,}"

    def flat_values(self, row: T) -> Mapping[str, object]:
        if self.flat:
            return self.flat(row)
        value = self.value(row)
        if isinstance(value, dict):
            return {f"{self.json}_{part}": one for part, one in value.items()}
        return {self.json: value}


def not_flat(_row: object) -> Mapping[str, object]:
    """`flat` of a field that CSV has no room for."""
    return {}


def in_text(
    fields: Sequence[Field[T]], rows: Iterable[T], style: Style
) -> tuple[list[Column], Iterator[Row]]:
    """What `table` prints."""
    shown = [one for one in fields if one.column]
    cells = ([one.cell(row, style) for one in shown] for row in rows)
    return [one.column for one in shown if one.column], cells


def print_rows(style: Style, fields: Sequence[Field[T]], rows: Iterable[T]) -> None:
    print_table(style, *in_text(fields, rows, style))


def json_of(fields: Sequence[Field[T]], row: T) -> dict[str, object]:
    return {one.json: one.value(row) for one in fields if one.json}


def flat_of(fields: Sequence[Field[T]], row: T) -> dict[str, object]:
    """As JSON, without anything inside another."""
    return {
        name: value for one in fields if one.json for name, value in one.flat_values(row).items()
    }


def print_csv(head: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """An empty cell is not known."""
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(head)
    out.writerows(["" if one is None else one for one in row] for row in rows)
