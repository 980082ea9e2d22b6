"""Faults in TOML files, in words, with their lines."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from oh_tui.text.clean import clean_line
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line

NEXT_LINE = "\n        "
"""Between the lines of a hint, which a command prints under its sentence."""


class Fault(NamedTuple):
    """A fault in the file."""

    line: int
    """Counted from 1."""
    text: str
    setting: str = ""
    """The name at the top level that is wrong, or servers.NAME; "" for a file that is no TOML."""


def faulty(what: str, faults: Sequence[Fault], most: int, beside: Sequence[str] = ()) -> Problem:
    """Says what of a file is wrong, a line each, and below what else is to be said."""
    listed = [f"line {fault.line}: {fault.text}" for fault in faults[:most]]
    if len(faults) > most:
        listed.append(f"and {len(faults) - most:,} more")
    count = "a fault" if len(faults) == 1 else f"{len(faults):,} faults"
    return Problem(f"{what} has {count}", NEXT_LINE.join([*listed, *beside]))


def quoted(text: str) -> str:
    return f"'{safe_line(text)[:60]}'"


def suggestion(name: str, names: Collection[str]) -> str:
    close = difflib.get_close_matches(name[:60], list(names), 1)
    return f"; did you mean {clean_line(close[0])}?" if close else ""


def kind_of(value: object) -> str:
    """The type of a value in words."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return "a date or time"


def syntax_fault(text: str, error: Exception) -> Fault:
    message = safe_line(str(error))
    match = re.search(r" ?\(at (?:line (\d+), column \d+|end of document)\)", message)
    if isinstance(error, RecursionError) or not match:
        return Fault(1, "this is not TOML that can be read")
    line = int(match[1]) if match[1] else text.count("\n", 0, len(text.rstrip())) + 1
    at_end = "" if match[1] else ", at the end"
    what = message[: match.start()]
    return Fault(line, f"this is not TOML: {what[:1].lower()}{what[1:120]}{at_end}")
