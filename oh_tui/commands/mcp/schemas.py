"""JSON Schemas of answers: those of the documents of commands, with what each answer has."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

_FOLDER = Path(__file__).parent.parent / "schemas"

_URN = "urn:oh-tui:"

_COMMON = {
    "untrusted": {"type": "string", "description": "what all other texts are"},
    "remarks": {
        "type": "array",
        "items": {"type": "string"},
        "description": "what oh-tui says of the answer: what is missing, which branch it is of",
    },
    "cut": {"type": "string", "description": "that something was cut to fit; else left out"},
}

_CURSOR = {
    "type": ["string", "null"],
    "description": "for the next call, to go on; null at the end. The head is not repeated",
}

TEXT = {
    "from": {"type": "integer", "description": "characters of the text before this piece"},
    "chars": {"type": "integer", "description": "of the whole text"},
    "text": {"type": "string", "description": "this piece"},
}
"""A long text, given piece by piece."""


def answer(
    name: str = "",
    own: Mapping[str, Any] = MappingProxyType({}),
    *,
    pages: bool = True,
    without: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The schema of a tool's answers: the fields of a command's document but for those it is
    `without`, and its `own`. A later page has the rows alone: none of them is required."""
    fields: dict[str, Any] = {}
    needed: dict[str, Any] = {}
    for document in _documents(name):
        needed |= _bundled(document.get("$defs", {}), needed)
        own_fields = {n: one for n, one in document["properties"].items() if n not in without}
        for field, schema in _bundled(own_fields, needed).items():
            known = fields.setdefault(field, schema)
            if known != schema:
                fields[field] = {"anyOf": [known, schema]}
    fields |= _bundled(dict(own), needed) | _COMMON | ({"cursor": _CURSOR} if pages else {})
    schema = {"type": "object", "required": ["untrusted"], "properties": fields}
    return schema | ({"$defs": needed} if needed else {})


def reference(name: str) -> dict[str, str]:
    """Another document within one."""
    return {"$ref": _read(name)["$id"]}


def _documents(name: str) -> Iterator[dict[str, Any]]:
    """The forms that a document has."""
    if name:
        document = _read(name)
        yield from document.get("oneOf", [document])  # with definitions only a whole one


def _bundled(value: Any, needed: dict[str, Any]) -> Any:
    """The schema with references to definitions of its own, which are added to those needed."""
    if isinstance(value, list):
        return [_bundled(one, needed) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: _bundled(one, needed) for name, one in value.items() if name != "$ref"}
    place = value.get("$ref", "")
    if place.startswith(_URN):
        name, _, pointer = place.removeprefix(_URN).partition(":")
        if name not in needed:
            needed[name] = {}
            needed[name] = _bundled(_without_head(_read(name)), needed)
        found["$ref"] = f"#/$defs/{name}{pointer.partition('#')[2]}"
    elif place:
        found["$ref"] = place
    return found


def _without_head(document: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in document.items() if name not in ("$schema", "$id", "title")}


@cache
def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text("utf-8"))
    return found
