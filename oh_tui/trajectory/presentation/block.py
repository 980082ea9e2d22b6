"""The kinds of block, and helpers that make them; `blocks` renders steps as blocks."""

from __future__ import annotations

import json
from collections.abc import Iterable

import msgspec

from oh_tui.text.clean import clean
from oh_tui.text.human import plural
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import redact_json, safe_line
from oh_tui.trajectory.model.bodies import number_text
from oh_tui.trajectory.reading.plans import Task
from oh_tui.trajectory.reading.terminal import read_output


class _Text(msgspec.Struct, frozen=True, gc=False):
    text: str


class Markdown(_Text, frozen=True):
    pass


class Thought(_Text, frozen=True):
    """What the model said before its call, or the user's note; `most` screen lines, 0 for all."""

    most: int = 2


class Command(_Text, frozen=True):
    """A shell command."""


class Output(_Text, frozen=True):
    """Terminal output: its columns matter, and lines are not broken between words. `coloured` holds
    the same lines with their SGR sequences, "" without any; it is parsed, never printed."""

    coloured: str = ""


class Diff(_Text, frozen=True):
    """A unified diff without `---`, `+++` and unknown `@@`; the path tells the language."""

    path: str = ""


class Code(_Text, frozen=True):
    """Text of a file, starting at line `first` (counted from 1)."""

    path: str = ""
    first: int = 1


class Json(_Text, frozen=True):
    pass


class Plain(_Text, frozen=True):
    pass


class Failure(_Text, frozen=True):
    """An error, in the words of its source."""


class Heading(_Text, frozen=True):
    pass


class Note(_Text, frozen=True):
    """A remark by oh-tui."""


class ImageNote(_Text, frozen=True):
    """The format and size of an image, which is not drawn."""

    many: bool = False
    """It is one of several."""


class Fields(msgspec.Struct, frozen=True):
    pairs: tuple[tuple[str, str], ...]


class Checklist(msgspec.Struct, frozen=True):
    tasks: tuple[Task, ...]


class Table(msgspec.Struct, frozen=True):
    """Rows of short texts below a head; each row is as long as the head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = (
    Markdown | Thought | Command | Output | Diff | Code | Json | Fields | Checklist | Table | Plain
    | Failure | Heading | Note | ImageNote
)  # fmt: skip


def value_line(value: object) -> str:
    """A text or number on one line; "" for anything else."""
    if isinstance(value, str):
        return safe_line(value)
    return number_text(value) if isinstance(value, int | float) else ""


def output_blocks(raw: str, command: str = "") -> list[Block]:
    """Raw output of a program, without the echo of `command`; [] when nothing is left."""
    output = read_output(raw, command)
    if not output.text.strip():
        return []
    blocks: list[Block] = [Output(output.text, output.coloured)]
    if output.folded:
        count = plural(output.folded, "rewrite")
        blocks.append(Note(f"{count} folded: lines as they were in the end, JSON has them all"))
    return blocks


def headed(label: str, text: str) -> list[Block]:
    """A text under a heading; [] for an empty text."""
    return [Heading(label), Plain(text)] if text else []


def hide_if_secret(name: str, value: object) -> object:
    """The value of a field without secrets; `name` decides whether all of it is one."""
    (shown,) = redact_json({name: value}).values()
    return shown


def pair_blocks(*pairs: tuple[str, object]) -> list[Block]:
    """Labels and values from any source, each on one line; pairs without a value are left out."""
    lines = ((safe_line(label), value_line(value)) for label, value in pairs)
    kept = tuple(pair for pair in lines if pair[1])
    return [Fields(kept)] if kept else []


_ODD_IN_JSON = pattern(r"[^\x20-\x7e]+")


def json_pretty(value: object, indent: int | None = 2) -> str:
    """Decoded JSON as indented text (on one line if `indent` is None), without secrets. Characters
    that `clean` removes are escaped, so that the text is complete and harmless."""
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
    """Blocks as plain text, separated by empty lines and not wrapped."""
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
