"""Views of decoded JSON that record which fields are shown, so that the rest can be shown too.

A renderer reads a view like a dict and takes what it shows. Fields that no renderer takes, as in
events of other versions, are shown below as fields, so that nothing is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oh_tui.trajectory.model.bodies import blocks_text, content_text, field, text_field

_DEEPEST = 60
"""Deepest level with views; deeper values are shown as part of it."""

_LINK = "joins events into steps; the JSON has the ids"

REDUNDANT = {
    "kind": "the title names the kind",
    "id": _LINK,
    "parent_id": _LINK,
    "action_id": _LINK,
    "tool_call_id": _LINK,
    "llm_response_id": _LINK,
    "timestamp": "the timeline shows it, as elapsed time",
    "source": "the row and the title say who",
    "tool_name": "the title names the tool",
}
"""Top-level fields whose text or number is redundant, and why. An object or a list is shown. In an
action or an observation only `kind` is redundant."""

REDUNDANT_LISTS = {"forgotten_event_ids": "the note counts them and names their steps"}
"""Redundant top-level lists of texts."""

REDUNDANT_IN_CALL = {
    "id": _LINK,
    "responses_item_id": _LINK,
    "name": "the title names the tool",
}
"""Redundant texts in the `tool_call` of an event."""


USUAL: dict[str, tuple[frozenset[str], str]] = {
    "type": (frozenset({"text", "image", "content", "diff", "thinking"}), "the shape shows it"),
    "role": (frozenset({"user", "assistant"}), "the row and the title say who"),
    "origin": (frozenset({"completion", "responses"}), "which API the model was called by"),
    "security_risk": (frozenset({"UNKNOWN"}), "nobody rated it"),
    "rejection_source": (frozenset({"user", "hook"}), "said in words: rejected by you"),
    "command": (
        frozenset({"view", "create", "str_replace", "insert", "undo_edit", "plan"})
        | {"spawn", "delegate"},
        "said as a verb: read, create, edit, insert, undo",
    ),
    "status": (
        frozenset({"todo", "in_progress", "done", "pending", "completed", "failed"}),
        "said by the box of a task or by the outcome of a call",
    ),
}
"""Redundant values by field name, and why. Renderers take them with `take_usual` where they are
redundant; any other value is shown."""

USUAL_PLACES: dict[str, frozenset[str]] = {
    "type": frozenset({"content", "thought", "extended_content", "thinking_blocks"})
    | {"system_prompt", "dynamic_context"},
    "role": frozenset({"llm_message"}),
    "origin": frozenset({"tool_call"}),
    "security_risk": frozenset({"ActionEvent"}),
    "rejection_source": frozenset({"UserRejectObservation"}),
    "command": frozenset({"action", "observation"}),
    "status": frozenset({"task_list", "ACPToolCallEvent"}),
}
"""The parent fields or kinds of event in which those values are redundant: in the fields of an
unknown tool, `failed` is not."""

USUAL_NUMBERS = {"pid": (-1, "no process was told")}
"""Redundant numbers by field name, and why."""


class View(dict[str, Any]):
    """A JSON object; fields whose names are in `taken` are shown."""

    __slots__ = ("taken",)

    def __init__(self, given: Any = ()) -> None:
        super().__init__(given)
        self.taken: set[str] = set()


def view(value: Any, depth: int = 0) -> Any:
    """A copy of decoded JSON whose objects are views."""
    if depth < _DEEPEST and isinstance(value, dict):
        return View((name, view(inner, depth + 1)) for name, inner in value.items())
    if depth < _DEEPEST and isinstance(value, list):
        return [view(inner, depth + 1) for inner in value]
    return value


def take(value: Any, *path: str) -> Any:
    """The value at a path of names, None if missing; marks it as shown."""
    inside = field(value, *path[:-1])
    if isinstance(inside, View):
        inside.taken.add(path[-1])
    return field(inside, path[-1])


def take_text(value: Any, *path: str) -> str:
    """The text at a path; "" for anything else, which is not taken."""
    found = field(value, *path)
    return take(value, *path) if isinstance(found, str) else ""


def take_number(value: Any, *path: str) -> int | float | None:
    found = field(value, *path)
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return take(value, *path) if is_number else None


def take_flag(value: Any, *path: str) -> bool:
    """Whether the value at a path is true; takes any boolean."""
    found = field(value, *path)
    return take(value, *path) if isinstance(found, bool) else False


def is_usual(name: str, value: Any) -> bool:
    return name in USUAL and isinstance(value, str) and value in USUAL[name][0]


def take_usual(value: Any, name: str) -> None:
    """Takes a redundant value."""
    if is_usual(name, field(value, name)):
        take(value, name)


def take_texts(value: Any, *path: str) -> list[str] | None:
    """The list of texts at a path; None for anything else, which is not taken."""
    found = field(value, *path)
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        return None
    return list(take(value, *path))


def take_blocks(value: Any, *path: str) -> None:
    """Takes the texts of content blocks, as `bodies.blocks_text` returns them."""
    blocks = field(value, *path)
    if isinstance(blocks, str):
        take(value, *path)
    for block in blocks if isinstance(blocks, list) else ():
        if isinstance(field(block, "text"), str):
            take(block, "text")
            take_flag(block, "cache_prompt")
            take_usual(block, "type")
    take_texts(value, *path)


def take_said(body: Any, image: str = "[image]") -> str:
    """Takes and returns the text of a result, as `bodies.content_text`."""
    observation = field(body, "observation")
    if not isinstance(observation, dict):
        for name in ("error", "rejection_reason"):
            if text_field(body, name):
                return str(take(body, name))
        take_blocks(body, "content")
        return content_text(body, image)
    take_blocks(observation, "content")
    take_text(observation, "error")
    if not blocks_text(observation.get("content"), image):
        take_text(observation, "output") or take_text(observation, "message")
    return content_text(body, image)


def take_repeated(value: Any, other: Any) -> None:
    """Takes fields that another shown object has with the same value."""
    if isinstance(value, View) and isinstance(other, Mapping):
        value.taken.update(n for n in value if n in other and is_same(value[n], other[n]))


def take_links(body: Any) -> None:
    """Takes the redundant top-level fields of an event."""
    for name in REDUNDANT:
        if not isinstance(field(body, name), dict | list):
            take(body, name)


def left(value: Any, depth: int = 0) -> Any:
    """The fields that were not taken, without empty values: "" [] {} null false."""
    if isinstance(value, View):
        kept = {n: left(inner, depth + 1) for n, inner in value.items() if n not in value.taken}
        return {name: inner for name, inner in kept.items() if not _is_empty(inner)}
    if isinstance(value, list) and depth < _DEEPEST:
        items = [left(inner, depth + 1) for inner in value]
        return [] if all(map(_is_empty, items)) else [i for i in items if i not in (None, {}, [])]
    return value


def _is_empty(value: Any) -> bool:
    return value is None or value is False or value in ("", [], {})


def is_same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; False if they are nested too deep to compare."""
    if isinstance(one, bool) is not isinstance(other, bool):
        return False
    try:
        return bool(one == other)
    except RecursionError:
        return False
