"""Faults in TOML files, in words, with their lines."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from typing import NamedTuple

from oh_tui.text.clean import clean_line
from oh_tui.text.redact import safe_line


class Fault(NamedTuple):
    """A fault in the file."""

    line: int
    """Counted from 1."""
    text: str
    setting: str = ""
    """The name at the top level that is wrong, or servers.NAME; "" for a file that is no TOML."""


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
