"""Line numbers of the names in a TOML text, which tomllib does not give."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

from oh_tui.text.patterns import pattern

_TOKEN = pattern(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})|\'\'\'.*?\'\'\'(?:\'{0,2})'
    r'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[\[\]{}\n]|[^"\'#\[\]{}\n]+|.',
    re.DOTALL,
)
_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
_DOTTED = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
_HEADER = pattern(rf"\[\[?[ \t]*({_DOTTED})[ \t]*\]")
_VALUE = pattern(rf"({_DOTTED})[ \t]*=")


MOST_DOTS = 32
"""Dots outside of texts and comments in a line. Each may be a level of nesting; tomllib takes the
square of those in time and memory."""


def too_nested(text: str) -> int:
    """The first line that may nest too far to be parsed; 0 for none."""
    line, dots = 1, 0
    for token in _TOKEN.findall(text):
        dots = 0 if token == "\n" else dots + token.count(".") * (token[0] not in "\"'#")
        if dots > MOST_DOTS:
            return line
        line += token.count("\n")
    return 0


def lines_of(text: str) -> dict[tuple[str, ...], int]:
    """The line in which each table and each name of a valid TOML text first appears. A name inside
    a value of several lines has the line where the value begins."""
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for line, statement in _statements(text):
        if header := _HEADER.match(statement):
            table = path = _parts(header[1])
        elif value := _VALUE.match(statement):
            path = (*table, *_parts(value[1]))
        else:
            continue
        for length in range(1, len(path) + 1):
            lines.setdefault(path[:length], line)
    return lines


def lines_in_array(text: str, name: str) -> list[dict[str, int]]:
    """Of each `[[name]]` of a valid TOML text the lines of the names in it; "" has its own line."""
    found: list[dict[str, int]] = []
    is_within = False
    for line, statement in _statements(text):
        if header := _HEADER.match(statement):
            is_within = statement.startswith("[[") and _parts(header[1]) == (name,)
            if is_within:
                found.append({"": line})
        elif is_within and (value := _VALUE.match(statement)):
            found[-1].setdefault(_parts(value[1])[0], line)
    return found


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each statement, which may span several lines, with the number of its first line."""
    line, depth, first, parts = 1, 0, 1, list[str]()
    for token in _TOKEN.findall(text):
        if token == "\n" and depth <= 0:
            yield first, "".join(parts).strip()
            first, depth, parts = line + 1, 0, []
        else:
            depth += (token in ("[", "{")) - (token in ("]", "}"))
            parts.append(token)
        line += token.count("\n")
    yield first, "".join(parts).strip()


def _parts(dotted: str) -> tuple[str, ...]:
    """`a."b.c"` as ("a", "b.c"). tomllib interprets the quotes and escapes."""
    parts: list[str] = []
    value: object = tomllib.loads(f"{dotted} = 0")
    while isinstance(value, dict):
        ((name, value),) = value.items()
        parts.append(name)
    return tuple(parts)
