"""Messages as they were sent to the model, in blocks and on one line.

A message is decoded JSON, as the SDK dumps it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe, safe_line
from oh_tui.trajectory.context.message import MODEL, RESULT, Message
from oh_tui.trajectory.model.bodies import list_field, text_field
from oh_tui.trajectory.model.events import read_json
from oh_tui.trajectory.model.images import find_images
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.block import (
    Block,
    Heading,
    ImageNote,
    Json,
    Note,
    Output,
    Plain,
    json_pretty,
)
from oh_tui.trajectory.reading.describe import describe, describe_event


def message_line(message: Message, run: Trajectory) -> str:
    """What a message says on one line, as the timeline says it of calls and results."""
    kind = message.kind
    if kind == MODEL:
        steps = [run.step_of(event_id) for event_id in message.event_ids]
        calls = [step.event for step in steps if step and step.is_call]
        if calls:
            return "  +  ".join(describe_event(event).what for event in calls)
    elif kind == RESULT and (step := run.step_of(message.event_ids[0])) is not None:
        result = step.result
        if result is not None and result.id == message.event_ids[0]:
            said = describe(step, run.outcome(step)).result
            if said:
                return said
    return first_line(message.dump())


LINE = 400
"""Characters of the first line at most."""

_CUT = pattern(r"<response clipped>[^\0]{0,2000}?</NOTE>")
"""Stands in a text in place of what was cut out of it for the model."""


def message_blocks(message: Any) -> list[Block]:
    """The whole message: thought, text and calls; a heading where something was cut out."""
    found = list(_thinking(message))
    is_result = text_field(message, "role") == "tool"
    for block in list_field(message, "content"):
        if text_field(block, "type") == "image":
            found += [ImageNote(str(one)) for one in find_images({"content": [block]})]
        else:
            found += _text(text_field(block, "text"), is_result=is_result)
    for call in list_field(message, "tool_calls"):
        found += _call(call)
    return found or [Note("an empty message")]


def first_line(message: Any) -> str:
    """The first line of its text that is not empty, safe; without text the names of its calls."""
    for block in list_field(message, "content"):
        for line in text_field(block, "text")[: 20 * LINE].splitlines():
            if shown := safe_line(line, LINE):
                return shown
    names = (text_field(call, "name") for call in list_field(message, "tool_calls"))
    if named := safe_line(" ".join(names), LINE):
        return named
    return ", ".join(map(str, find_images(message)))[:LINE]


def _thinking(message: Any) -> Iterator[Block]:
    texts = [text_field(block, "thinking") for block in list_field(message, "thinking_blocks")]
    texts = [text for text in texts if text] or [text_field(message, "reasoning_content")]
    for text in filter(None, texts):
        yield Heading("thinking")
        yield Plain(safe(text))


def _text(text: str, *, is_result: bool) -> Iterator[Block]:
    kind = Output if is_result else Plain
    last = 0
    for cut in _CUT.finditer(text):
        if before := safe(text[last : cut.start()]):
            yield kind(before)
        yield Heading(safe_line(cut.group()))
        last = cut.end()
    if rest := safe(text[last:] if last else text):
        yield kind(rest)


def _call(call: Any) -> Iterator[Block]:
    yield Heading(f"call {safe_line(text_field(call, 'name'), LINE)}".rstrip())
    text = text_field(call, "arguments")
    arguments = read_json(text)
    if isinstance(arguments, dict):
        yield Json(json_pretty(arguments))
    elif text:
        yield Plain(safe(text))
