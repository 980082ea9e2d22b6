"""Views of decoded JSON that know which fields are shown, so that the others can be shown too.

A renderer reads a view like any dict and takes what it shows. A field that no renderer knows, of an
old, a new or a foreign event, is left over and shown below as a field: it cannot get lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oh_tui.trajectory.model.bodies import blocks_text, content_text, field, text_field

_DEEPEST = 60
"""Levels that are looked into; what lies deeper is shown with the level above it."""

_LINK = "joins events: steps show what belongs together; the JSON has the ids"

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
"""Names at the top of an event whose text or number says nothing more, and why. An object or a
list under such a name is shown. Inside an action or an observation this holds for `kind` alone."""

REDUNDANT_LISTS = {"forgotten_event_ids": "the note counts them and names their steps"}
"""Lists of texts at the top of an event that say nothing more."""

REDUNDANT_IN_CALL = {
    "id": _LINK,
    "responses_item_id": _LINK,
    "name": "the title names the tool",
}
"""The same inside the `tool_call` of an event."""


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
        frozenset(
            {"todo", "in_progress", "done", "pending", "completed", "failed"},
        ),
        "said by the box of a task or by the outcome of a call",
    ),
}
"""Values that say nothing more under these names, and why. Renderers take them with `take_usual`
where that is so; any other value is shown."""

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
"""Under which names, or in which kind of event, those values say nothing more: `failed` among the
fields of a tool that checks builds does."""

USUAL_NUMBERS = {"pid": (-1, "no process was told")}
"""The same for numbers."""


class View(dict[str, Any]):
    """A JSON object; the values under the names in `taken` are shown."""

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
    """What lies at the end of a path of names, None where it breaks off; it is shown now."""
    inside = field(value, *path[:-1])
    if isinstance(inside, View):
        inside.taken.add(path[-1])
    return field(inside, path[-1])


def take_text(value: Any, *path: str) -> str:
    """The text at the end of a path; "" where there is none, and what is there is not taken."""
    found = field(value, *path)
    return take(value, *path) if isinstance(found, str) else ""


def take_number(value: Any, *path: str) -> int | float | None:
    found = field(value, *path)
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return take(value, *path) if is_number else None


def take_flag(value: Any, *path: str) -> bool:
    """Whether true stands at the end of a path; a flag is taken either way."""
    found = field(value, *path)
    return take(value, *path) if isinstance(found, bool) else False


def is_usual(name: str, value: Any) -> bool:
    return name in USUAL and isinstance(value, str) and value in USUAL[name][0]


def take_usual(value: Any, name: str) -> None:
    """Take a value that says nothing more."""
    if is_usual(name, field(value, name)):
        take(value, name)


def take_texts(value: Any, *path: str) -> list[str] | None:
    """The list of texts at the end of a path; None for anything else, which is not taken."""
    found = field(value, *path)
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        return None
    return list(take(value, *path))


def take_blocks(value: Any, *path: str) -> None:
    """Content blocks are shown by their text, as `bodies.blocks_text` gives it."""
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
    """What a result says, as `bodies.content_text` gives it."""
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
    """What stands under the same name in another object that is shown as well."""
    if isinstance(value, View) and isinstance(other, Mapping):
        value.taken.update(n for n in value if n in other and is_same(value[n], other[n]))


def take_links(body: Any) -> None:
    """The fields at the top of an event that say nothing more."""
    for name in REDUNDANT:
        if not isinstance(field(body, name), dict | list):
            take(body, name)


def left(value: Any, depth: int = 0) -> Any:
    """What nobody took, without what is empty: "" [] {} null false."""
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
    """Whether two JSON values are the same; what is too deep to be compared is not."""
    if isinstance(one, bool) is not isinstance(other, bool):
        return False
    try:
        return bool(one == other)
    except RecursionError:
        return False
