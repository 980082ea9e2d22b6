"""What leaves by what is written, in the formats that have less of a run than its events: tables,
contexts, traces, recordings. They lack their secrets already."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from oh_tui.sharing.read_events import UNFINISHED, Wanted, always, whole_files
from oh_tui.sharing.shared_run import SharedRun
from oh_tui.sharing.what_leaves import WhatLeaves, add, texts_in
from oh_tui.text.problem import Problem
from oh_tui.text.sgr import SGR
from oh_tui.trajectory.findings.study import SubRun
from oh_tui.trajectory.model.bodies import list_field
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.tables import Tables


def tables(made: Tables, run: SharedRun, found: WhatLeaves) -> None:
    for row in made.runs:
        about = (row.title, row.repository, row.branch, row.model, row.trigger, row.benchmark)
        found.take((*about, row.cause, row.last_error, row.source, row.note), 0, is_masked=True)
    given = {(call.path, call.event_id): call.arguments for call in made.calls}
    for step in made.steps:
        by_name: Counter[str] = Counter()
        texts = [step.kind, step.tool, step.sub_agent, step.what, step.result]
        if text := given.get((step.path, step.event_id)):
            texts += texts_in(_decoded(text), by_name)
        found.take(texts, _number(step.path), by_name, is_masked=True)
    for failure in made.failures:
        texts = [failure.tool, failure.kind, failure.line, failure.helped]
        found.take(texts, failure.step, is_masked=True)
    for file in made.files:
        found.take([file.path], file.last_step, is_masked=True)
    for number, one in steps_of(run):
        for path in whole_files(one, contents=False, views=False):
            add(found.files, path, number)


def _number(path: str) -> int:
    """The number of a step in its run: of a sub-agent that of the step that started it."""
    first = path.partition(".")[0]
    return int(first) if first.isdecimal() else 0


def _decoded(text: str) -> object:
    """JSON in a text; the text itself where it was cut."""
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return text


def steps_of(run: SharedRun) -> Iterator[tuple[int, Step]]:
    """Each step that is shared, and of a whole run those of its sub-agents, with the number of the
    step that started them."""
    sub_runs = run.study.sub_runs if not run.is_part else None
    for step in run.steps:
        yield step.number, step
        for started in sub_runs.of(step) if sub_runs else ():
            yield from _below(started, step.number)
    for loose in sub_runs.loose if sub_runs else ():
        yield from _below(loose, 0)


def _below(run: SubRun, number: int) -> Iterator[tuple[int, Step]]:
    for one in (run, *run.sub_runs.all()):
        yield from ((number, step) for step in one.trajectory.steps)


class _Chat(msgspec.Struct):
    step: int
    messages: list[msgspec.Raw]
    tools: msgspec.Raw
    answer: msgspec.Raw


class _Messages:
    """Looks at each message once: contexts repeat them."""

    def __init__(self, found: WhatLeaves) -> None:
        self._found = found
        self._seen = set[int]()
        self.calls = set[str]()
        """Ids of the calls and results that are written."""

    def take(self, raw: msgspec.Raw, number: int) -> None:
        key = hash(bytes(raw))
        if key in self._seen:
            return
        self._seen.add(key)
        message = msgspec.json.decode(raw)
        by_name: Counter[str] = Counter()
        self._found.take(texts_in(message, by_name), number, by_name, is_masked=True)
        if not isinstance(message, dict):
            return
        for block in list_field(message, "content"):
            self._found.images += len(list_field(block, "image_urls"))
        for one in (message, *list_field(message, "tool_calls")):
            self.calls |= {str(one.get("id") or ""), str(one.get("tool_call_id") or "")}


def chat(lines: Iterable[str], steps: Iterable[Step], found: WhatLeaves) -> Iterator[str]:
    """Passes the lines of contexts on; a text is told by the first step whose line has it."""
    messages = _Messages(found)
    for line in lines:
        made = msgspec.json.decode(line, type=_Chat)
        for raw in (*made.messages, made.tools, made.answer):
            messages.take(raw, made.step)
        yield line
    for step in steps:
        if step.event.tool_call_id in messages.calls:
            for path in whole_files(step, contents=False):
                add(found.files, path, step.number)


_IDS = frozenset({
    *("gen_ai.response.id", "gen_ai.tool.call.id", "gen_ai.conversation.id"),
    *("gen_ai.operation.name", "gen_ai.tool.type", "openhands.time.start"),
})  # fmt: skip
"""Attributes with ids, and with words of ours."""


def traces(lines: Iterable[str], run: SharedRun, found: WhatLeaves) -> Iterator[str]:
    """Passes the lines of traces on; what sub-agents did is told by the step that started them."""
    messages = _Messages(found)
    numbers: dict[str, int] = {}
    """Of spans that have others below them."""
    below = set[str]()
    """Spans of sub-agents."""
    for line in lines:
        for sent in msgspec.json.decode(line)["resourceSpans"]:
            found.take(texts_in(sent["resource"], Counter()), 0, is_masked=True)
            for span in sent["scopeSpans"][0]["spans"]:
                told = {one["key"]: one["value"] for one in span["attributes"]}
                parent = span.get("parentSpanId", "")
                number = int(told.get("openhands.step", {}).get("intValue", 0))
                if parent in below or "openhands.sub_agent" in told:
                    number = numbers.get(parent, 0)
                    below.add(span["spanId"])
                numbers[span["spanId"]] = number
                _span(found, messages, span, told, number)
        yield line
    if messages.calls:
        for number, step in steps_of(run):
            for path in whole_files(step, contents=False):
                add(found.files, path, number)


def _span(
    found: WhatLeaves,
    messages: _Messages,
    span: Mapping[str, Any],
    told: Mapping[str, Mapping[str, object]],
    number: int,
) -> None:
    by_name: Counter[str] = Counter()
    texts = [span["name"], *texts_in([span.get("status"), span.get("events")], by_name)]
    for key, value in told.items():
        text = value.get("stringValue")
        if not isinstance(text, str) or key in _IDS:
            continue
        if key.endswith(".messages"):
            for raw in msgspec.json.decode(text, type=list[msgspec.Raw]):
                messages.take(raw, number)
        else:
            texts += texts_in(_decoded(text) if key.endswith(".arguments") else text, by_name)
    found.take(texts, number, by_name, is_masked=True)


def recording(lines: Iterable[str], found: WhatLeaves) -> Iterator[str]:
    """Passes the lines of a recording on. Its texts are in pieces: those of a step are one."""
    number, pieces = 0, list[str]()

    def take() -> None:
        found.take([SGR.sub("", "".join(pieces)).replace("\r\n", "\n")], number, is_masked=True)

    for line in lines:
        match json.loads(line):
            case dict(head):
                pieces.append(f"{head.get('title', '')}\n")
            case [_, "m", label]:
                take()
                number, pieces = _number(label.partition(" ")[0]), [f"{label}\n"]
            case [_, _, text]:
                pieces.append(text)
        yield line
    take()


def look(lines: Iterable[str], found: WhatLeaves, is_wanted: Wanted = always) -> WhatLeaves:
    """Reads lines to their end for what is found in them. Raises Problem once it is not wanted any
    more."""
    for _ in lines:
        if not is_wanted(found.reached):
            raise Problem(UNFINISHED)
    return found
