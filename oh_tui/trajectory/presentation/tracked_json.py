"""Views of decoded JSON that record which fields are shown, so that the rest can be shown too.

A renderer reads a view like a dict and takes what it shows. Fields that no renderer takes, as in
events of other versions, are shown below as fields, so that nothing is lost.
"""

from __future__ import annotations

from typing import Any

from oh_tui.trajectory.model.usual_fields import USUALLY_FALSE, is_empty

_DEEPEST = 60
"""Deepest level with views; deeper values are shown as part of it."""


class View(dict[str, Any]):
    """A JSON object; fields whose names are in `taken` are shown."""

    __slots__ = ("taken",)

    def __init__(self, given: Any = ()) -> None:
        super().__init__(given)
        self.taken: set[str] = set()


def view(value: object, depth: int = 0) -> Any:
    """A copy of decoded JSON whose objects are views."""
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
