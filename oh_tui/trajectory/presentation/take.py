"""Views of decoded JSON, and what takes values from them: `take.text(body, "error")`.

A renderer reads a view like a dict and takes what it shows. Fields that no renderer takes, as in
events of other versions, are shown below as fields, so that nothing is lost. Values of another type
are left too. Anything that is not a view is read and not marked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oh_tui.trajectory.model.bodies import blocks_text, content_text, field, text_field
from oh_tui.trajectory.model.usual_fields import (
    REDUNDANT,
    USUALLY_FALSE,
    is_empty,
    is_same,
    is_usual,
)

_DEEPEST = 60
"""Deepest level with views; deeper values are shown as part of it."""


class View(dict[str, Any]):
    """A JSON object; fields whose names are in `taken` are shown."""

    __slots__ = ("taken",)

    def __init__(self, given: Any = ()) -> None:
        super().__init__(given)
        self.taken: set[str] = set()


def view(value: object, depth: int = 0) -> Any:
    if depth < _DEEPEST and isinstance(value, dict):
        return View((name, view(inner, depth + 1)) for name, inner in value.items())
    if depth < _DEEPEST and isinstance(value, list):
        return [view(inner, depth + 1) for inner in value]
    return value


def left(value: object, depth: int = 0) -> Any:
    """The fields that were not taken, without empty values: "" [] {} null, and usual false ones."""
    if isinstance(value, View):
        kept = {n: left(inner, depth + 1) for n, inner in value.items() if n not in value.taken}
        return {
            name: inner
            for name, inner in kept.items()
            if not (is_empty(inner) or (inner is False and name in USUALLY_FALSE))
        }
    if isinstance(value, list) and depth < _DEEPEST:
        items = [left(inner, depth + 1) for inner in value]
        return [] if all(map(is_empty, items)) else [i for i in items if i not in (None, {}, [])]
    return value


def value(data: object, *path: str) -> Any:
    """The value at a path of names, None if missing; marks it as shown."""
    inside = field(data, *path[:-1])
    if isinstance(inside, View):
        inside.taken.add(path[-1])
    return field(inside, path[-1])


def text(data: Any, *path: str) -> str:
    """The text at a path; "" for anything else, which is not taken."""
    found = field(data, *path)
    return value(data, *path) if isinstance(found, str) else ""


def number(data: object, *path: str) -> int | float | None:
    found = field(data, *path)
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return value(data, *path) if is_number else None


def flag(data: object, *path: str) -> bool:
    """Whether the value at a path is true; takes any boolean."""
    found = field(data, *path)
    return value(data, *path) if isinstance(found, bool) else False


def usual(data: object, name: str) -> None:
    if is_usual(name, field(data, name)):
        value(data, name)


def texts(data: object, *path: str) -> list[str] | None:
    """The list of texts at a path; None for anything else, which is not taken."""
    found = field(data, *path)
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        return None
    return list(value(data, *path))


def blocks(data: object, *path: str) -> None:
    """Takes the texts of content blocks, as `bodies.blocks_text` returns them."""
    found = field(data, *path)
    if isinstance(found, str):
        value(data, *path)
    for block in found if isinstance(found, list) else ():
        if isinstance(inside := field(block, "content"), View):  # as other agents wrap it
            usual(block, "type")
            block = inside
        if isinstance(field(block, "text"), str):
            value(block, "text")
            flag(block, "cache_prompt")
            usual(block, "type")
    texts(data, *path)


def result_text(body: object, image: str = "[image]") -> str:
    """Takes and returns the text of a result, as `bodies.content_text`."""
    observation = field(body, "observation")
    if not isinstance(observation, dict):
        for name in ("error", "rejection_reason"):
            if text_field(body, name):
                return str(value(body, name))
        blocks(body, "content")
        return content_text(body, image)
    blocks(observation, "content")
    text(observation, "error")
    if not blocks_text(observation.get("content"), image):
        text(observation, "output") or text(observation, "message")
    return content_text(body, image)


def repeated(data: object, other: object) -> None:
    """Takes fields that another shown object has with the same value."""
    if isinstance(data, View) and isinstance(other, Mapping):
        data.taken.update(n for n in data if n in other and is_same(data[n], other[n]))


def links(body: object) -> None:
    for name in REDUNDANT:
        if not isinstance(field(body, name), dict | list):
            value(body, name)
