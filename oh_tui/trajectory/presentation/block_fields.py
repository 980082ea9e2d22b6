"""Blocks of any JSON value: short fields side by side, long texts under headings, outlines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from oh_tui.text.redact import redact_json, safe, safe_line
from oh_tui.trajectory.model.bodies import field, list_field, number_text, text_field
from oh_tui.trajectory.model.images import IMAGE_PATHS, data_text, find_images, is_image
from oh_tui.trajectory.presentation import take
from oh_tui.trajectory.presentation.block import (
    Block,
    Fields,
    Heading,
    ImageNote,
    Json,
    Output,
    Plain,
    json_pretty,
    output_blocks,
)
from oh_tui.trajectory.presentation.take import View, left

SHORT = 200
"""A longer value, in characters, gets a heading and its own lines."""

LONG = 1 << 22
"""Longer JSON in a text, in characters, is not decoded: it would take 25 times as much memory."""

_EMPTY = '""'
"""What an empty text is shown as."""

_INDENTED = 20
"""Deepest level that is indented."""


def object_blocks(value: Mapping[Any, Any], skip: Iterable[str] = ()) -> list[Block]:
    """The fields of an object: short ones side by side, long ones under a heading each."""
    kept = {name: inner for name, inner in value.items() if name not in skip}
    short: list[tuple[str, str]] = []
    long: list[Block] = []
    for name, inner in redact_json(kept).items():
        if inner is None or inner in ([], {}):
            continue
        label = safe_line(str(name)).replace("_", " ")
        text = _short(inner)
        if text is not None:
            short.append((label, text))
        elif isinstance(inner, str):
            long += [Heading(label), Plain(safe(inner))]
        else:
            long += [Heading(label), Output(outline(inner))]
    return [Fields(tuple(short)), *long] if short else long


def rest_blocks(value: object, leave: Iterable[str] = ()) -> list[Block]:
    """The fields that are not taken yet, and takes them, but for `leave`; another value whole."""
    if not isinstance(value, View):
        return value_blocks(value)
    blocks = object_blocks(left(value), leave)
    value.taken.update(set(value).difference(leave))
    return blocks


def value_blocks(value: object) -> list[Block]:
    if isinstance(value, str):
        return output_blocks(value)
    if isinstance(value, dict):
        return object_blocks(value)
    return [] if value is None or value == [] else [Output(outline(value))]


def text_blocks(raw: str) -> list[Block]:
    """The text of a tool or a log. JSON is indented, unless that would lose something."""
    if raw[:1] in ("{", "[") and SHORT // 2 < len(raw) < LONG:
        try:
            shown = json_pretty(json.loads(raw))
        except (ValueError, RecursionError):
            pass
        else:
            if "".join(shown.split()) == "".join(safe(raw).split()):
                return [Json(shown)]
    return output_blocks(raw)


def outline(value: object) -> str:
    """Nested JSON as indented lines, without escapes and without secrets."""
    lines: list[str] = []
    todo: list[tuple[int, str, object]] = [(0, "", redact_json(value))]
    while todo:
        level, lead, item = todo.pop()
        if item and isinstance(item, dict | list):
            if lead and not lead.endswith("- "):
                lines.append(lead)
                lead = ""
            pad = "  " * min(level, _INDENTED)
            pairs = (
                ((f"{safe_line(str(name))}:", inner) for name, inner in item.items())
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


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return data_text(value) or safe(value) if value else _EMPTY
    if isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    return number_text(value)


def _short(value: object) -> str | None:
    """A value on one line; None if it is too long."""
    if isinstance(value, str):
        text = (data_text(value) or safe(value)).strip("\n")
        text = text if value else _EMPTY
    elif isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, dict | list):
        return _inline(value)
    else:
        text = number_text(value)
    return text if len(text) <= SHORT and "\n" not in text else None


def _inline(value: Any) -> str | None:
    """The values of a flat list or object on one line; None if they are too long."""
    if len(value) > SHORT // 2:
        return None
    items = value if isinstance(value, list) else list(value.values())
    texts = [None if isinstance(item, dict | list) else _short(item) for item in items]
    if None in texts:
        return None
    if isinstance(value, list):
        text = ", ".join(filter(None, texts))
    else:
        pairs = zip(map(str, value), texts, strict=True)
        text = " · ".join(f"{safe_line(name)} {inner}" for name, inner in pairs)
    return text if text and len(text) <= SHORT else None


def images(body: dict[str, object]) -> list[Block]:
    found = find_images(body)
    _take_images(body)
    of = f" of {len(found)}" if len(found) > 1 else ""
    return [
        ImageNote(f"{n}{of}: {image}" if of else str(image), many=bool(of))
        for n, image in enumerate(found, 1)
    ]


def _take_images(body: dict[str, object]) -> None:
    """Takes the data of images; a text in the place of an image is left."""
    if is_image(text_field(body, "observation", "screenshot_data")):
        take.value(body, "observation", "screenshot_data")
    for path in IMAGE_PATHS:
        for block in list_field(body, *path):
            inside = field(block, "content")
            inside = inside if isinstance(inside, dict) else block
            if field(inside, "type") != "image":
                continue
            take.usual(block, "type")
            take.usual(inside, "type")
            urls = field(inside, "image_urls")
            if isinstance(urls, list):
                inside["image_urls"] = [
                    url for url in urls if not (isinstance(url, str) and is_image(url))
                ]
            elif is_image(text_field(inside, "data")):
                take.value(inside, "data")
                take.text(inside, "mimeType")
