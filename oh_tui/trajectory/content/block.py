"""The kinds of block, and how any JSON value becomes one; `blocks` is the door to all of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import msgspec

from oh_tui.text.clean import clean, clean_line, redact, redact_json
from oh_tui.text.patterns import pattern
from oh_tui.trajectory.content.plans import Task
from oh_tui.trajectory.content.terminal import read_output
from oh_tui.trajectory.model.bodies import content_text


class Markdown(msgspec.Struct, frozen=True, gc=False):
    text: str


class Thought(msgspec.Struct, frozen=True, gc=False):
    """What the model said before its call; only `most` screen lines are shown and the rest is
    counted; 0 shows all."""

    text: str
    most: int = 2


class Command(msgspec.Struct, frozen=True, gc=False):
    """A shell command."""

    text: str


class Output(msgspec.Struct, frozen=True, gc=False):
    """Text made for a terminal: its columns count, it is not cut between words. `coloured` is the
    same lines with their SGR sequences, "" when there are none: read for colours, never drawn."""

    text: str
    coloured: str = ""


class Diff(msgspec.Struct, frozen=True, gc=False):
    """Lines of a unified diff, without the `---` and `+++` lines; without `@@` lines where the
    line numbers are not known. The path tells the language."""

    text: str
    path: str = ""


class Code(msgspec.Struct, frozen=True, gc=False):
    """Text of a file, beginning at its line `first` (counted from 1)."""

    text: str
    path: str = ""
    first: int = 1


class Json(msgspec.Struct, frozen=True, gc=False):
    text: str


class Fields(msgspec.Struct, frozen=True):
    """Labels and values."""

    pairs: tuple[tuple[str, str], ...]


class Checklist(msgspec.Struct, frozen=True):
    """A plan, with what changed in it."""

    tasks: tuple[Task, ...]


class Table(msgspec.Struct, frozen=True):
    """Rows of short texts below a head; each row as long as the head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Plain(msgspec.Struct, frozen=True, gc=False):
    text: str


class Failure(msgspec.Struct, frozen=True, gc=False):
    """What went wrong, in the words of whoever said so."""

    text: str


class Heading(msgspec.Struct, frozen=True, gc=False):
    text: str


class Note(msgspec.Struct, frozen=True, gc=False):
    """A remark of ours."""

    text: str


class ImageNote(msgspec.Struct, frozen=True, gc=False):
    """An image of a body, by its format and size: it is named, not drawn."""

    text: str
    many: bool = False
    """It is one of several."""


Block = (
    Markdown
    | Thought
    | Command
    | Output
    | Diff
    | Code
    | Json
    | Fields
    | Checklist
    | Table
    | Plain
    | Failure
    | Heading
    | Note
    | ImageNote
)


def safe(text: str) -> str:
    return redact(clean(text))


def content(body: Any) -> str:
    """What a result says, as text."""
    return safe(content_text(body))


def one_line(value: Any) -> str:
    """A scalar on one line; "" for anything else."""
    if isinstance(value, str):
        return clean_line(redact(clean(value)))
    return number_text(value) if isinstance(value, int | float) else ""


def number_text(value: Any) -> str:
    """A number, true, false or null as JSON writes it."""
    try:
        return json.dumps(value)
    except ValueError:
        return "(a number too long to be shown)"


def output_blocks(raw: str, command: str = "") -> list[Block]:
    """What a program wrote, as it came; `command` is the one whose echo is left out. Empty when
    nothing is left."""
    seen = read_output(raw, command)
    if not seen.text.strip():
        return []
    blocks: list[Block] = [Output(seen.text, seen.coloured)]
    if seen.folded:
        count = "1 rewrite" if seen.folded == 1 else f"{seen.folded:,} rewrites"
        blocks.append(Note(f"{count} folded: lines as they were at last, JSON has them all"))
    return blocks


def hide_if_secret(name: str, value: Any) -> Any:
    """The value as it may be shown below this name; the name itself need not be shown as it is."""
    (shown,) = redact_json({name: value}).values()
    return shown


def pair_blocks(*pairs: tuple[str, Any]) -> list[Block]:
    """Labels and values, both of which may be foreign, each on one line; those that say nothing are
    left out."""
    kept = tuple((one_line(label), one_line(value)) for label, value in pairs)
    kept = tuple(pair for pair in kept if pair[1])
    return [Fields(kept)] if kept else []


_ODD_IN_JSON = pattern(r"[^\x20-\x7e]+")


def json_pretty(value: Any, indent: int | None = 2) -> str:
    """Decoded JSON as indented text (on one line without `indent`), without secrets; characters
    that `clean` would take away are written as escapes, so that the text stays true and
    harmless."""
    try:
        text = json.dumps(redact_json(value), ensure_ascii=False, indent=indent)
    except (RecursionError, ValueError, TypeError):
        return "(nested too deep to be shown)"
    if clean(text) == text:
        return text
    return "\n".join(
        line
        if clean(line) == line
        else _ODD_IN_JSON.sub(lambda odd: json.dumps(odd[0])[1:-1], line)
        for line in text.split("\n")
    )


_BOXES = {"done": "[x]", "in_progress": "[>]"}


def plain_text(blocks: Iterable[Block]) -> str:
    """Blocks as text for other programs, an empty line between them; the sources, not cut to any
    width."""
    return "\n\n".join(filter(None, map(_plain, blocks)))


def _plain(block: Block) -> str:
    match block:
        case Fields(pairs):
            return "\n".join(f"{label}: {value}" for label, value in pairs)
        case Checklist(tasks):
            return "\n".join(map(_plain_task, tasks))
        case Table(head, rows):
            return "\n".join("\t".join(row) for row in (head, *rows))
        case Command(text):
            return f"$ {text}"
        case _:
            return block.text


def _plain_task(task: Task) -> str:
    change = f"  ({task.change})" if task.change else ""
    notes = "".join(f"\n    {line}" for line in task.notes.split("\n") if line)
    return f"{_BOXES.get(task.status, '[ ]')} {task.title}{change}{notes}"
