"""Steps as Markdown, to paste into issues and chats."""

from __future__ import annotations

import re
from collections.abc import Iterable

from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.presentation import block as b
from oh_tui.trajectory.presentation.blocks import (
    call_blocks,
    call_title,
    event_blocks,
    result_blocks,
    result_title,
)
from oh_tui.trajectory.reading.plans import Task


def step_markdown(step: Step, outcome: Outcome, *, numbered: bool = True) -> str:
    """A heading, the call and its result, safe. `numbered` is False if the number is not final."""
    titles = (call_title(step, numbered=numbered), result_title(step, outcome))
    head = "### " + _line(" · ".join(filter(None, titles)))
    blocks = call_blocks(step, whole=True) if step.is_call else []
    return "\n\n".join([head, *_texts([*blocks, *result_blocks(step, outcome)])]) + "\n"


def event_markdown(event: Event) -> str:
    """An event without a step, under a heading with its kind and time."""
    head = " · ".join(filter(None, (event.kind, event.key, event.timestamp)))
    return "\n\n".join([f"### {_line(safe_line(head))}", *_texts(event_blocks(event))]) + "\n"


def _texts(blocks: Iterable[b.Block]) -> list[str]:
    return [text for text in map(_text, blocks) if text]


def _text(block: b.Block) -> str:
    """One block; text that is not Markdown is fenced or escaped."""
    if isinstance(block, b.Markdown):
        return block.text.strip()
    if isinstance(block, b.Fields):
        return "\n".join(f"- {_line(label)}: {_line(value)}" for label, value in block.pairs)
    if isinstance(block, b.Checklist):
        return "\n".join(map(_task, block.tasks))
    if isinstance(block, b.Table):
        rows = (block.head, ("---",) * len(block.head), *block.rows)
        return "\n".join(f"| {' | '.join(map(_line, row))} |" for row in rows)
    if isinstance(block, b.Heading):
        return f"**{_line(block.text)}**"
    if isinstance(block, (b.Note, b.ImageNote)):
        return f"_{_line(block.text)}_"
    if isinstance(block, b.Thought | b.Plain):
        return _plain(block.text.strip("\n"))
    language = {b.Command: "sh", b.Diff: "diff", b.Json: "json"}.get(type(block), "")
    longest = max((len(run) for run in re.findall(r"`{3,}", block.text)), default=2)
    fence = "`" * (longest + 1)  # longer than any in the text
    text = block.text.strip("\n")
    return f"{fence}{language}\n{text}\n{fence}" if block.text.strip() else ""


def _task(task: Task) -> str:
    change = f" ({task.change}{f', was {task.was}' if task.was else ''})" if task.change else ""
    notes = "".join(f"\n  {_line(line)}" for line in task.notes.split("\n") if line.strip())
    return f"- [{'x' if task.status == 'done' else ' '}] {_line(task.title + change)}{notes}"


_SPECIAL = pattern(r"([\\`*_\[\]<>#|~]|&(?=[#a-zA-Z]))")
_START = pattern(r"^[^\S\n]*(?:(\d{1,9})(?=[.)])|(?=[-+=]))", re.MULTILINE)
"""The start of a line that Markdown would read as a list, a rule or a heading."""


def _plain(text: str) -> str:
    return _START.sub(r"\1\\", _SPECIAL.sub(r"\\\1", text))


def _line(text: str) -> str:
    return _plain(" ".join(text.split()))
