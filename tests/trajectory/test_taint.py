"""An escape sequence and a key in each text and each name of every shape of event: neither is ever
output."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from oh_tui.text.clean import clean
from oh_tui.trajectory.findings.verdict import judge
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.images import images_of
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.block import Block
from oh_tui.trajectory.presentation.blocks import (
    call_blocks,
    call_title,
    command_text,
    event_blocks,
    json_text,
    output_text,
    result_blocks,
    result_title,
)
from oh_tui.trajectory.presentation.markdown import step_markdown
from oh_tui.trajectory.presentation.step_context import StepContext
from oh_tui.trajectory.reading.describe import describe, describe_event
from tests.trajectory.presentation.test_blocks_anything import strings_of

from ..demo_runs import SLUGS, demo_events
from .made import call

KEY = "sk-ant-api03-abcd1234567890abcd"
ESCAPE = "\x1b]52;c;AA\x07\x9b31m"
# A key cut by what `clean` takes away is one again afterwards.
TAINT = f"{ESCAPE}{KEY[:9]}\u200b{KEY[9:]} "

AROUND = 10
"""Events before and after the one that is changed, for what is told of both."""

OURS = ("id", "timestamp", "action_id", "tool_call_id", "llm_response_id", "parent_id")
"""Fields that tell which event it is: with another value it would be another one's."""

Path = tuple[Any, ...]


class Name(str):
    """The last of a path: the name of the field, not its value."""


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every text and every name in decoded JSON."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if path or name not in OURS:
                yield from places(inner, (*path, name))
                yield (*path, Name(name))
    elif isinstance(value, list):
        for number, inner in enumerate(value[:2]):
            yield from places(inner, (*path, number))
    elif isinstance(value, str):
        yield path


def tainted(body: Any, path: Path) -> Event:
    body = copy.deepcopy(body)
    inside = body
    for name in path[:-1]:
        inside = inside[name]
    last = path[-1]
    if isinstance(last, Name):
        inside[TAINT + last] = inside.pop(str(last))
    else:
        inside[last] = TAINT + inside[last]
    return parse_event(json.dumps(body).encode())


def shapes(slug: str, known: set[Any]) -> Iterator[tuple[int, Path]]:
    """Where something new can be put into the events of a run, by index and place."""
    for number, event in enumerate(demo_events(slug)):
        body = event.body()
        inner = body.get("action") or body.get("observation") or {}
        part = inner.get("kind") if isinstance(inner, dict) else ""
        for path in places(body):
            plain = tuple("#" if isinstance(one, int) else one for one in path)
            shape = (event.kind, part, isinstance(path[-1], Name), plain)
            if shape not in known:
                known.add(shape)
                yield number, path


def shown(run: Trajectory, event: Event) -> Iterator[tuple[str, bool]]:
    """All that is told of an event and its step, and whether it may take several lines."""
    step = run.step_of(event.id)
    blocks: list[Block] = list(event_blocks(event, StepContext(run, event)))
    if step:
        outcome, context = run.outcome(step), StepContext(run, step)
        blocks += call_blocks(step, whole=True, context=context)
        blocks += result_blocks(step, outcome, context=context)
        told = describe(step, outcome)
        for line in (told.what, told.result, call_title(step), result_title(step, outcome)):
            yield line, False
        for image in images_of(step):
            yield str(image), False
        for text in (command_text(step), output_text(step), json_text(step)):
            yield text, True
        yield step_markdown(step, outcome), True
    one = describe_event(event)
    yield one.what, False
    yield one.result, False
    verdict = judge(run)
    yield verdict.cause, False
    yield verdict.short, False
    for block in blocks:
        for text in strings_of(block):
            yield text, True


def check(events: list[Event], at: int, path: Path) -> None:
    changed = tainted(events[at].body(), path)
    run = Trajectory()
    run.extend([*events[max(0, at - AROUND) : at], changed, *events[at + 1 : at + AROUND]])
    for text, long in shown(run, changed):
        assert text == clean(text), (changed.kind, path, text)
        assert long or "\n" not in text, (changed.kind, path, text)
        assert KEY[:20] not in text, (changed.kind, path, text)


def test_nothing_put_into_an_event_of_the_demo_comes_out() -> None:
    known: set[Any] = set()
    for slug in SLUGS:
        events = list(demo_events(slug))
        for number, path in shapes(slug, known):
            check(events, number, path)
    assert len(known) > 300


MADE: list[dict[str, Any]] = [
    {"kind": "DelegateAction", "tasks": {"one": "two", "three": {"four": "five"}}},
    {"kind": "DelegateAction", "ids": ["one"], "agent_types": ["two"]},
    {"kind": "ApplyPatchAction", "patch": "*** Update File: a.py\n-b\n+c"},
    {"kind": "EditAction", "file_path": "a", "old_string": "b", "new_string": "c"},
    {"kind": "MCPToolAction", "data": {"api_key": "one", "token": {"two": 3}, "more": ["four"]}},
    {"kind": "SomeAction", "password": ["one"], "a_token": 5, "text": "two"},
]


@pytest.mark.parametrize("action", MADE, ids=lambda action: action["kind"])
def test_nothing_put_into_a_call_comes_out(action: dict[str, Any]) -> None:
    event = call("a", action, tool="made")
    for path in places(event.body()):
        check([event], 0, path)
