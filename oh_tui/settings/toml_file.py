"""A TOML file whose tables are checked by the types of their fields, and its faults in words."""

from __future__ import annotations

import contextlib
import difflib
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache, cached_property
from typing import Annotated, Any, NamedTuple, get_type_hints

from msgspec import Meta, ValidationError, convert

from oh_tui.text.clean import clean_line
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line

_TEXTS = pattern(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})|\'\'\'.*?\'\'\'(?:\'{0,2})'
    r'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*',
    re.DOTALL,
)

MOST_DOTS = 32
"""Dots outside of texts and comments in a line. Each may be a level of nesting; tomllib takes the
square of those in time and memory."""

Flag = Annotated[bool, Meta(description="true or false")]
Text = Annotated[str, Meta(description="a text in quotes")]
"""Types of fields; the description says in a fault what is possible."""


class Read(NamedTuple):
    """The metadata of a field that is written as another type."""

    description: str
    written: Any
    read: Callable[[Any], object]
    """Raises ValueError with what is wrong, each as a sentence, and Problem."""


class Fault(NamedTuple):
    line: int
    """Counted from 1."""
    text: str
    path: str = ""
    """Of the wrong name: servers.work.url; "" for a file that is no TOML."""


@cache
def types_of(struct: type) -> dict[str, Any]:
    """The types of the fields, with what is said beside them."""
    return get_type_hints(struct, include_extras=True)


class TomlFile:
    """What a file says, and what is found wrong with it. One that is no TOML says nothing."""

    def __init__(self, text: str, of: str) -> None:
        """`of` is a word for what it tells."""
        self._text = text.removeprefix("\ufeff")
        self.values: dict[str, Any] = {}
        self.faults: list[Fault] = []
        if line := _too_nested(self._text):
            self.faults.append(Fault(line, f"this nests further than any {of}"))
            return
        try:
            self.values = tomllib.loads(self._text)
        except (ValueError, RecursionError) as error:
            self.faults.append(_syntax_fault(self._text, error))

    @cached_property
    def _lines(self) -> dict[str, int]:
        return lines_of(self._text)

    def line_of(self, path: str) -> int:
        """The line of a name, or of the table where it is missing."""
        while path and path not in self._lines:
            path = path.rpartition(".")[0]
        return self._lines.get(path, 1)

    def blame(self, path: str, text: str) -> None:
        self.faults.append(Fault(self.line_of(path), text, path))

    def fields(
        self,
        above: str,
        values: Mapping[str, object],
        types: Mapping[str, Any],
        what: str,
        elsewhere: Mapping[str, str] = {},
    ) -> dict[str, Any]:
        """The values of a table that are of the types of its fields. Each other is a fault, as is a
        name of none: it is not `what` these are, and may be known `elsewhere`."""
        found = {}
        for name, value in values.items():
            if name not in types:
                hint = elsewhere.get(name) or suggestion(name, types)
                self.blame(above + name, f"{quoted(name)} is not {what}{hint}")
                continue
            meta = types[name].__metadata__[0]
            try:
                if isinstance(meta, Read):
                    found[name] = meta.read(convert(value, meta.written))
                else:
                    bare = value.strip() if isinstance(value, str) else value
                    found[name] = convert(bare, types[name])
            except ValidationError as error:
                is_kind = ", got " in str(error) and " - at " not in str(error)
                other = f", not {_kind_of(value)}" if is_kind else ""
                self.blame(above + name, f"{name} is {meta.description}{other}")
            except (ValueError, Problem) as error:
                for sentence in error.args:
                    self.blame(above + name, f"{name}: {safe_line(sentence)}")
        return found


def faulty(what: str, faults: Sequence[Fault], most: int, beside: Sequence[str] = ()) -> Problem:
    """Says what is wrong with a file, a line each as a command prints a hint, and `beside`."""
    listed = [f"line {fault.line}: {fault.text}" for fault in faults[:most]]
    if len(faults) > most:
        listed.append(f"and {len(faults) - most:,} more")
    count = "a fault" if len(faults) == 1 else f"{len(faults):,} faults"
    return Problem(f"{what} has {count}", "\n        ".join([*listed, *beside]))


def quoted(text: str) -> str:
    return f"'{safe_line(text)[:60]}'"


def suggestion(name: str, names: Collection[str]) -> str:
    close = difflib.get_close_matches(name[:60], list(names), 1)
    return f"; did you mean {clean_line(close[0])}?" if close else ""


def _kind_of(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    kinds = ((int | float, "a number"), (str, "a text"), (list, "a list"), (dict, "a table"))
    return next((word for kind, word in kinds if isinstance(value, kind)), "a date or time")


def _syntax_fault(text: str, error: Exception) -> Fault:
    message = safe_line(str(error))
    match = re.search(r" ?\(at (?:line (\d+), column \d+|end of document)\)", message)
    if isinstance(error, RecursionError) or not match:
        return Fault(1, "this is not TOML that can be read")
    line = int(match[1]) if match[1] else text.count("\n", 0, len(text.rstrip())) + 1
    at_end = "" if match[1] else ", at the end"
    what = message[: match.start()]
    return Fault(line, f"this is not TOML: {what[:1].lower()}{what[1:120]}{at_end}")


def _too_nested(text: str) -> int:
    """The first line that may nest too far to be parsed; 0 for none."""
    start = 0
    for line in _bare_lines(text):
        if line.count(".") > MOST_DOTS:
            return text.count("\n", 0, start) + 1
        start += len(line) + 1
    return 0


def lines_of(text: str) -> dict[str, int]:
    """The line in which each table and each name of a valid TOML text first appears, by its path:
    `servers.work.url`, `rule.0.name`. A name inside a value of several lines has none."""
    lines: dict[str, int] = {}
    tables = Counter[str]()
    table = ""
    for line, statement in _statements(text):
        is_header = statement.startswith("[")
        path = "" if is_header else table
        said: object = None
        with contextlib.suppress(RecursionError):  # it nests nearly too far
            said = tomllib.loads(statement)
        while isinstance(said, dict) and len(said) == 1:
            ((name, said),) = said.items()
            path = f"{path}.{name}" if path else name
            lines.setdefault(path, line)
        if is_header:
            table = path
        if statement.startswith("[["):
            table = f"{path}.{tables[path]}"
            tables[path] += 1
            lines[table] = line
    return lines


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each statement, which may span several lines, with the number of its first line."""
    first, start, end, depth = 1, 0, 0, 0
    for line in _bare_lines(text):
        end += len(line) + 1
        depth += sum(map(line.count, "[{")) - sum(map(line.count, "]}"))
        if depth <= 0:
            yield first, text[start:end].strip()
            first, start, depth = first + text.count("\n", start, end), end, 0


def _bare_lines(text: str) -> list[str]:
    """The lines with nothing in texts and comments; one for all lines of a text."""
    return _TEXTS.sub(lambda found: " " * len(found[0]), text).split("\n")
