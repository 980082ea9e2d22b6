"""A run without what its user does not share: texts of results, files, thoughts and images, or
all of the steps outside a range."""

from __future__ import annotations

import json
import re
from argparse import ArgumentTypeError
from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, get_args

import msgspec

from oh_tui.conversation import Conversation
from oh_tui.sharing.shared_run import Part, SharedRun
from oh_tui.text.clean import clean_line
from oh_tui.text.human import plural
from oh_tui.text.patterns import pattern
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.event_kinds import UNREADABLE
from oh_tui.trajectory.model.events import Event, decode_json
from oh_tui.trajectory.model.images import data_text
from oh_tui.trajectory.model.trajectory import SubAgent, Trajectory
from oh_tui.trajectory.reading.describe import describe_event
from oh_tui.trajectory.reading.file_operations import may_touch

PARTS: tuple[Part, ...] = get_args(Part)

Ranges = tuple[tuple[int, int], ...]
"""First and last numbers of steps."""


def part_of(
    run: SharedRun, without: Collection[Part] = (), only: Ranges | None = None
) -> SharedRun:
    """What is left of a run: every writer, verdict and index sees a trajectory whose events never
    had the rest. Outcomes, exit codes, times, costs and numbers of steps stay."""
    if not without and only is None:
        return run
    before, steps = run.study.trajectory, run.steps
    wanted: set[str] | None = None
    if only is not None:
        steps = [s for s in steps if any(first <= s.number <= last for first, last in only)]
        wanted = {event.id for step in steps for event in (step.event, *step.results)}
    after = leave_out(before, frozenset(without), wanted)
    kept = {event.id for event in run.others} if wanted is None else set[str]()
    found = (after.step_of(step.event.id) for step in steps)
    named = ", ".join(part for part in PARTS if part in without)
    return replace(
        run,
        conversation=_titled(run, wanted),
        study=Study(after),
        steps=[step for step in found if step],
        others=[event for event in after.events if event.id in kept],
        note=". ".join(filter(None, (run.note, f"left out: {named}" if named else ""))),
        is_part=run.is_part or only is not None,
    )


def _titled(run: SharedRun, wanted: Collection[str] | None) -> Conversation:
    """The conversation without a title that is the first message, where that is left out."""
    steps = run.study.trajectory.steps[:_FIRST]
    first = next((s for s in steps if s.event.source == "user"), None)
    if wanted is None or first is None or first.event.id in wanted:
        return run.conversation
    if describe_event(first.event).result != run.conversation.title:
        return run.conversation
    return msgspec.structs.replace(run.conversation, title="")


_FIRST = 50
"""Steps of which one is the first message of the user."""


def leave_out(
    run: Trajectory, without: frozenset[Part], wanted: Collection[str] | None = None
) -> Trajectory:
    """A copy whose events lack these texts, and all texts of those that are not `wanted`. Each is
    read when it is asked for, as in the run itself."""
    after = Trajectory(live=run.live, complete=run.complete, clock=run.clock)
    after.extend(_Remaining(run.events, without, wanted).events())
    after.status, after.head, after.stats = run.status, run.head, run.stats
    after.fork = run.fork
    after.orphaned, after.cut_off, after.recorded = run.orphaned, run.cut_off, run.recorded
    if "files" in without or wanted is not None:
        after.recorded = msgspec.structs.replace(run.recorded, patch="")
    if run.branch is not None:
        whole = run if run.branch.run is run else run.branch.run
        copy = after if whole is run else leave_out(whole, without, wanted)
        after.branch = msgspec.structs.replace(run.branch, run=copy)
    after.sub_agents = [
        agent._replace(load=partial(_load, agent, without)) for agent in run.sub_agents
    ]
    return after


def _load(agent: SubAgent, without: frozenset[Part]) -> tuple[Trajectory, str]:
    run, note = agent.load()
    return leave_out(run, without), note


class _Remaining:
    """Makes the bodies of events without what is left out, anew at each reading."""

    def __init__(
        self, events: list[Event], without: frozenset[Part], wanted: Collection[str] | None
    ) -> None:
        self._events, self._without, self._wanted = events, without, wanted

    def events(self) -> Iterable[Event]:
        for place, event in enumerate(self._events):
            summary = event.summary if self._is_wanted(event) else ""
            yield msgspec.structs.replace(
                event, summary=summary, inline=b"", store=self, place=place, decoded=None
            )

    def read(self, place: int) -> bytes:
        event = self._events[place]
        body = event.body()
        left = without(event, body, self._without) if self._is_wanted(event) else _bare(body)
        return json.dumps(left).encode()

    original = read

    def _is_wanted(self, event: Event) -> bool:
        if self._wanted is None or event.id in self._wanted:
            return True
        return event.is_state  # status, tokens and cost of the run


_HEAD = frozenset({
    *("id", "kind", "timestamp", "source", "tool_name", "tool_call_id", "action_id"),
    *("llm_response_id", "parent_id", "security_risk", "key", "tool_kind", "status", "is_error"),
    *("rejection_source", "hook_event_type", "blocked", "success", "exit_code", "code"),
    *("oh_tui_untold", "message_id", "forgotten_event_ids"),
})  # fmt: skip
"""Fields of an event that say what it is, and how it ended."""

_OF_RESULTS = frozenset({"kind", "command", "path", "file_path", "tool_name", "working_dir"})
"""Fields of an observation that its call has too."""

_LOGS = frozenset({"LLMCompletionLogEvent", "StreamingDeltaEvent", "TokenEvent", UNREADABLE})
"""Have everything that the model got or said."""

_OF_FILES = frozenset({
    *("file_text", "old_str", "new_str", "old_string", "new_string", "patch", "diff"),
    *("old_content", "new_content", "file_content", "oldText", "newText", "new_source"),
    *("old_source", "changes"),
})  # fmt: skip
"""Fields with the text of a file, of calls and of results."""

_PATHS = ("path", "file_path", "abs_path", "notebook_path", "filename")
"""A text with one of these beside it is that of a file."""

_OF_THOUGHTS = frozenset({
    *("reasoning_content", "thinking_blocks", "responses_reasoning_item", "reasoning"),
    *("thinking", "encrypted_content"),
})  # fmt: skip

_IMAGE_DATA = pattern(r"data:image/[\w.+-]{1,40}(?:;[\w=-]{1,40}){0,4},[A-Za-z0-9+/=_%-]{0,}+")


def without(event: Event, body: dict[str, Any], parts: frozenset[Part]) -> dict[str, Any]:
    """The body of an event without these texts."""
    if not parts:
        return body
    if event.kind in _LOGS:
        return {name: value for name, value in body.items() if name in _HEAD}
    is_of_file = may_touch(event) or _FILE_TOOL.search(event.tool_name) is not None
    if event.is_summary and parts & {"results", "files", "thoughts"}:  # it tells them again
        body = body | {"summary": _note("summary")}
    if event.is_hook and parts & {"results", "files"}:
        body = {name: value for name, value in body.items() if name not in _OF_HOOKS}
    what = "result" if "results" in parts else "file" if is_of_file and "files" in parts else ""
    if what and event.is_result:
        body = _result(body, what)
    elif what and event.is_reported:
        body = body | _reported(body, what)
    walked: dict[str, Any] = _Walk(parts, is_of_file).copy(body)
    return walked


_FILE_TOOL = pattern(r"(?i)edit|file|patch|write|notebook")
"""Names of tools that read and change files."""

_OF_HOOKS = frozenset({"stdout", "stderr", "additional_context", "hook_input"})


def _note(what: str, text: str = "") -> str:
    return f"({what} left out" + (f": {plural(len(text), 'character')})" if text else ")")


def _result(body: dict[str, Any], what: str) -> dict[str, Any]:
    """The head of a result. How long its text was tells two results apart, as loops need it."""
    left = {name: value for name, value in body.items() if name in _HEAD}
    seen = body.get("observation")
    for name in ("error", "rejection_reason"):
        if text := body.get(name):
            left[name] = _note(what, str(text))
    if isinstance(seen, dict):
        bare = _numbers(seen, _OF_RESULTS)
        if seen.get("error") and isinstance(seen["error"], str):
            bare["error"] = _note(what, seen["error"])
        rest = {name: value for name, value in seen.items() if name not in bare}
        bare["content"] = [{"type": "text", "text": _note(what, "".join(_texts(rest)))}]
        left["observation"] = bare
    elif seen is not None:
        left["observation"] = _note(what)
    return left


def _reported(body: dict[str, Any], what: str) -> dict[str, Any]:
    text = "".join(_texts([body.get("content"), body.get("raw_output")]))
    if not text:
        return {}
    block = {"type": "content", "content": {"type": "text", "text": _note(what, text)}}
    return {"content": [block], "raw_output": None}


def _numbers(value: dict[str, Any], names: Collection[str], depth: int = 0) -> dict[str, Any]:
    """The numbers, flags and named texts of an object, and those of its `metadata`."""
    kept: dict[str, Any] = {}
    for name, inner in value.items():
        is_named = name in names and isinstance(inner, str)
        if is_named or inner is None or isinstance(inner, bool | int | float):
            kept[name] = inner
        elif name == "metadata" and isinstance(inner, dict) and not depth:
            kept[name] = _numbers(inner, names, 1)
    return kept


def _texts(value: object) -> Iterable[str]:
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            todo += item.values()
        elif isinstance(item, list):
            todo += item


def _bare(body: dict[str, Any]) -> dict[str, Any]:
    """What tells the outcome of a step of which nothing is shared, and that two are not the same:
    the hash is another in each process."""
    left = {name: value for name, value in body.items() if name in _HEAD}
    for half in ("action", "observation"):
        if isinstance(inner := body.get(half), dict):
            left[half] = _numbers(inner, ("kind",)) | {"hash": hash("".join(_texts(inner)))}
            left[half] |= {"message": _note("message")} if inner.get("message") else {}
    if isinstance(message := body.get("llm_message"), dict):
        said = [{"type": "text", "text": _note("message")}] if message.get("content") else []
        left["llm_message"] = {"role": message.get("role"), "content": said}
    return left


_DEEPEST = 60

_CALLS = ("action", "tool_call", "raw_input")
"""Fields with what a tool was given."""


class _Walk(NamedTuple):
    """Copies decoded JSON without the texts that its fields, or what stands in them, tell."""

    parts: frozenset[Part]
    is_of_file: bool
    """The event is of a tool for files."""

    def copy(self, value: Any, *, in_call: bool = False, depth: int = 0) -> Any:
        if isinstance(value, str):
            return _without_image(value) if "images" in self.parts else value
        if not isinstance(value, dict | list):
            return value
        if depth > _DEEPEST:
            return _note("deeper values")
        if isinstance(value, list):
            return [self.copy(inner, in_call=in_call, depth=depth + 1) for inner in value]
        if "images" in self.parts and _is_image(value):
            return {"type": "text", "text": _note("image")}
        left: dict[str, Any] = {}
        for name, inner in value.items():
            if self._leaves_out(name, inner, value, in_call=in_call):
                continue
            if name == "arguments" and isinstance(inner, str):
                left[name] = self._arguments(inner)
            else:
                inside = in_call or name in _CALLS
                left[name] = self.copy(inner, in_call=inside, depth=depth + 1)
        return left

    def _leaves_out(
        self, name: str, inner: object, beside: dict[str, Any], *, in_call: bool
    ) -> bool:
        if "thoughts" in self.parts:
            is_named = name in ("thought", "thoughts") and isinstance(inner, str | list)
            if is_named or name in _OF_THOUGHTS:
                return True
        if "images" in self.parts and name == "screenshot_data":
            return True
        if "files" not in self.parts or not inner:
            return False
        if name in _OF_FILES and isinstance(inner, str | dict | list):
            return True
        if not (name in ("content", "contents", "text") and isinstance(inner, str)):
            return False
        return (in_call and self.is_of_file) or any(path in beside for path in _PATHS)

    def _arguments(self, text: str) -> str:
        """The arguments of a call, which are JSON in a text. Those that are none are left out
        whole where they may hold what is."""
        try:
            value = decode_json(text.encode("utf-8", "surrogatepass"))
        except ValueError:
            if self.parts & {"thoughts", "files"}:
                return _note("arguments")
            return _without_image(text) if "images" in self.parts else text
        return json.dumps(self.copy(value, in_call=True))


def _is_image(block: dict[str, Any]) -> bool:
    if block.get("type") in ("image", "image_url", "input_image"):
        return True
    kind = block.get("mimeType") or block.get("mime_type") or block.get("media_type")
    return isinstance(kind, str) and kind.startswith("image/")


def _without_image(text: str) -> str:
    if "data:image" in text:
        text = _IMAGE_DATA.sub(_note("image"), text)
    return _note("image") if data_text(text).startswith(("image", "screenshot")) else text


_RANGE = re.compile(r"(\d{1,9})(?:\s*-\s*(\d{1,9}))?")
_LONG = re.compile(r"\d{10}")


def ranges(text: str) -> Ranges:
    """`40-61,70` as ranges. Raises ArgumentTypeError."""
    found: list[tuple[int, int]] = []
    for word in filter(None, (word.strip() for word in text.split(","))):
        if _LONG.search(word):
            raise ArgumentTypeError(f"{clean_line(word)!r}: a step has at most 9 digits")
        match = _RANGE.fullmatch(word)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 0 < first <= last:
            raise ArgumentTypeError(
                f"{clean_line(word)!r} names no steps: 7, 40-61 or 3,40-61 does"
            )
        found.append((first, last))
    if not found:
        raise ArgumentTypeError("no steps are named: 7, 40-61 or 3,40-61 does")
    return tuple(found)


def parts(text: str) -> tuple[Part, ...]:
    """`results,images` as parts. Raises ArgumentTypeError."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words or not set(words) <= set(PARTS):
        raise ArgumentTypeError(f"{clean_line(text)!r} is none of {', '.join(PARTS)}")
    return tuple(part for part in PARTS if part in words)
