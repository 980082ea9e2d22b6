"""The texts of an event that a search looks through, as they are in its body."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from oh_tui.text.clean import clean
from oh_tui.text.redact import is_secret_name
from oh_tui.trajectory.model.bodies import arguments, number_text
from oh_tui.trajectory.model.difference import unified
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.images import data_text
from oh_tui.trajectory.model.usual_fields import (
    REDUNDANT,
    REDUNDANT_IN_CALL,
    REDUNDANT_LISTS,
    USUAL_PLACES,
    is_same,
    is_usual,
)


def texts_of(event: Event) -> Iterator[str]:
    """The raw texts and numbers of an event that are shown; never raises."""
    body = {
        name: value
        for name, value in event.body().items()
        if name not in _REDUNDANT or not _is_redundant(name, value)
    }
    observation, action = body.get("observation"), body.get("action")
    called = body.get("tool_call")
    if isinstance(called, dict):
        body["tool_call"] = _called(called, body, action)
    if isinstance(observation, dict) and not event.failed:
        change = _change(observation)
        if change is not None:
            yield change
            body["observation"] = {
                name: value
                for name, value in observation.items()
                if name not in ("old_content", "new_content")
            }
    todo: list[tuple[str, Any]] = [(event.kind, body)]
    """Values, each with the name of its parent field."""
    while todo:
        parent, value = todo.pop()
        kind = type(value)
        if kind is str:
            if not data_text(value):
                yield value
        elif kind is dict:
            named = value.get("name") or value.get("key")
            secret = type(named) is str and _is_secret(named)
            for name, inner in value.items():
                if _is_secret(name) or (secret and name == "value"):
                    todo += ((name, number) for number in _numbers(inner))
                elif type(inner) is not str:
                    if inner is not None and type(inner) is not bool:
                        todo.append((name, inner))
                elif not (
                    (
                        name in USUAL_PLACES
                        and parent in USUAL_PLACES[name]
                        and is_usual(name, inner)
                    )
                    or data_text(inner)
                ):
                    yield inner
        elif kind is list:
            todo += [(parent, inner) for inner in value]
        elif kind is int or kind is float:
            yield number_text(value)


_REDUNDANT = REDUNDANT.keys() | REDUNDANT_LISTS.keys()


def _is_redundant(name: str, value: Any) -> bool:
    # decoded JSON has exact types, which are faster to tell than by `isinstance`
    if name in REDUNDANT:
        return type(value) not in (dict, list)
    return type(value) is list and all(type(one) is str for one in value)


def _called(called: dict[str, object], body: dict[str, object], action: object) -> list[object]:
    """The fields of a `tool_call` that the action and the event do not repeat."""
    args = arguments(body)
    for known in (action, body):
        if isinstance(args, dict) and isinstance(known, dict):
            args = {n: v for n, v in args.items() if n not in known or not is_same(known[n], v)}
    rest = {
        name: value
        for name, value in called.items()
        if name not in REDUNDANT_IN_CALL or not isinstance(value, str)
    }
    function = rest.get("function")
    if rest.get("arguments") is not None:
        del rest["arguments"]
    elif isinstance(function, dict):
        rest["function"] = {name: v for name, v in function.items() if name != "arguments"}
    return [args, rest]


def _numbers(value: object) -> list[object]:
    """The numbers below a secret name, such as token counts, which are shown."""
    found, todo = [], [value]
    while todo:
        item = todo.pop()
        if isinstance(item, dict | list):
            todo += item.values() if isinstance(item, dict) else item
        elif not isinstance(item, str):
            found.append(item)
    return found


_is_secret = lru_cache(maxsize=2048)(is_secret_name)


def _change(observation: dict[str, object]) -> str | None:
    """What a diff of old and new content has of these, without its signs; None without both."""
    old, new = observation.get("old_content"), observation.get("new_content")
    if not isinstance(new, str) or observation.get("command") == "view":
        return None
    if not isinstance(old, str) or old == new:
        return new
    # cleaned as a whole: cleaning single lines could give another text
    lines = unified(clean(old), clean(new)).split("\n")
    return "\n".join(line[1:] for line in lines if line[:1] in ("+", "-", " ")) or new
