"""Any JSON value as blocks: short fields side by side, long texts under headings, outlines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from oh_tui.text.clean import redact_json
from oh_tui.trajectory.content.block import (
    Block,
    Fields,
    Heading,
    Json,
    Output,
    Plain,
    json_pretty,
    number_text,
    one_line,
    output_blocks,
    safe,
)
from oh_tui.trajectory.content.images import data_text
from oh_tui.trajectory.content.views import View, left

SHORT = 200
"""Characters; a longer value of a field gets a heading and lines of its own."""

LONG = 1 << 22
"""Characters of JSON in a text from which it is left as it came: as objects it takes 25 times that.
"""

_INDENTED = 20
"""Levels that are told apart by their indentation."""


def object_blocks(value: Mapping[Any, Any], skip: Iterable[str] = ()) -> list[Block]:
    """The fields of an object: short ones side by side, long ones under a heading each."""
    kept = {name: inner for name, inner in value.items() if name not in skip}
    short: list[tuple[str, str]] = []
    long: list[Block] = []
    for name, inner in redact_json(kept).items():
        if inner is None or inner is False or inner in ("", [], {}):
            continue
        label = one_line(str(name)).replace("_", " ")
        text = _short(inner)
        if text is not None:
            short.append((label, text))
        elif isinstance(inner, str):
            long += [Heading(label), Plain(safe(inner))]
        else:
            long += [Heading(label), Output(outline(inner))]
    return [Fields(tuple(short)), *long] if short else long


def rest_blocks(value: Any, leave: Iterable[str] = ()) -> list[Block]:
    """The fields of a view that are not shown yet; they are then, but for those to leave. Any other
    value is shown whole."""
    if not isinstance(value, View):
        return value_blocks(value)
    found = object_blocks(left(value), leave)
    value.taken.update(name for name in value if name not in leave)
    return found


def value_blocks(value: Any) -> list[Block]:
    """Any JSON value; text is shown as it is."""
    if isinstance(value, str):
        return output_blocks(value)
    if isinstance(value, dict):
        return object_blocks(value)
    return [] if value is None or value == [] else [Output(outline(value))]


def text_blocks(raw: str) -> list[Block]:
    """What a tool or a log said: JSON is indented where that loses nothing, such as a key that
    stands twice."""
    if raw[:1] in ("{", "[") and SHORT // 2 < len(raw) < LONG:
        try:
            shown = json_pretty(json.loads(raw))
        except (ValueError, RecursionError):
            pass
        else:
            if "".join(shown.split()) == "".join(safe(raw).split()):
                return [Json(shown)]
    return output_blocks(raw)


def outline(value: Any) -> str:
    """Nested JSON as indented lines, its texts as they are and not escaped; without secrets."""
    lines: list[str] = []
    todo: list[tuple[int, str, Any]] = [(0, "", redact_json(value))]
    while todo:
        level, lead, item = todo.pop()
        if item and isinstance(item, dict | list):
            if lead and not lead.endswith("- "):
                lines.append(lead)
                lead = ""
            pad = "  " * min(level, _INDENTED)
            pairs = (
                ((f"{one_line(str(name))}:", inner) for name, inner in item.items())
                if isinstance(item, dict)
                else (("- ", inner) for inner in item)
            )
            found = [
                (level + 1, (lead if n == 0 and lead else pad) + name, inner)
                for n, (name, inner) in enumerate(pairs)
            ]
            todo += reversed(found)
            continue
        first, *more = _scalar(item).split("\n")
        lines.append(f"{lead}{'' if lead.endswith(' ') or not lead else ' '}{first}")
        pad = "  " * min(level, _INDENTED)
        lines += [pad + line for line in more]
    return "\n".join(lines)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return data_text(value) or safe(value)
    if isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    return number_text(value)


def _short(value: Any) -> str | None:
    """A value on one line; None for one that needs more room."""
    if isinstance(value, str):
        text = (data_text(value) or safe(value)).strip("\n")
    elif value is True:
        text = "yes"
    elif isinstance(value, dict | list):
        return _inline(value)
    else:
        text = number_text(value)
    return text if len(text) <= SHORT and "\n" not in text else None


def _inline(value: Any) -> str | None:
    """Short values of a list or an object beside each other, such as the facts of a shell."""
    if len(value) > SHORT // 2:
        return None
    if isinstance(value, list):
        texts = [None if isinstance(item, dict | list) else _short(item) for item in value]
        text = None if None in texts else ", ".join(filter(None, texts))
    else:
        texts = [None if isinstance(item, dict | list) else _short(item) for item in value.values()]
        pairs = zip(map(str, value), texts, strict=True)
        text = None if None in texts else " · ".join(f"{one_line(n)} {said}" for n, said in pairs)
    return text if text and len(text) <= SHORT else None
