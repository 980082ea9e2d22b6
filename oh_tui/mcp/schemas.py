"""JSON Schemas of answers: those of the documents of commands, with what each answer has."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

_FOLDER = Path(__file__).parent.parent / "commands" / "schemas"

_URN = "urn:oh-tui:"

_COMMON = {
    "untrusted": {"type": "string"},
    "remarks": {"type": "array", "items": {"type": "string"}},
    "cut": {"type": "string"},
}

_CURSOR = {"type": ["string", "null"]}

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
    for document in _documents(name):
        home = document if "$defs" in document else _read(name)
        for field, schema in document["properties"].items():
            if field in without:
                continue
            told = _outline(schema, home)
            known = fields.setdefault(field, told)
            if known != told:
                fields[field] = _either([known, told])
    fields |= {field: _outline(schema, {}) for field, schema in own.items()}
    fields |= _COMMON | ({"cursor": _CURSOR} if pages else {})
    return {"type": "object", "required": ["untrusted"], "properties": fields}


def reference(name: str) -> dict[str, str]:
    """Another document within one."""
    return {"$ref": _read(name)["$id"]}


def _documents(name: str) -> Iterator[dict[str, Any]]:
    if name:
        document = _read(name)
        yield from document.get("oneOf", [document])  # with definitions only a whole one


def _outline(
    schema: Mapping[str, Any],
    home: Mapping[str, Any],
    *,
    in_row: bool = False,
    is_row: bool = False,
) -> dict[str, Any]:
    """The type of a field, what is said of it, and of rows their fields: a client gives its model
    all tools before the first call. Whatever fits the schema fits this; references in its `home`
    are put in place."""
    if place := schema.get("$ref", ""):
        inner, home = _referred(place, home)
        schema = {**inner, **schema}
    found = {name: schema[name] for name in ("type", "enum", "const") if name in schema}
    if "description" in schema and not in_row:
        found["description"] = schema["description"]
    for part in schema.get("allOf", ()):
        found |= _outline(part, home, in_row=in_row, is_row=is_row)
    for name in ("anyOf", "oneOf"):
        if name in schema:
            found |= _either(
                [_outline(one, home, in_row=in_row, is_row=is_row) for one in schema[name]]
            )
    if "items" in schema and not in_row:
        found["items"] = _outline(schema["items"], home, in_row=True, is_row=True)
    if "properties" in schema and is_row:
        inside = schema["properties"].items()
        found["properties"] = {name: _outline(one, home, in_row=True) for name, one in inside}
    return found


def _either(forms: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What fits one of these forms fits this: the only one that is not null, or types alone."""
    some = [one for one in forms if one != {"type": "null"}]
    types = list(dict.fromkeys(name for one in forms for name in _types(one)))
    if "" in types:  # one of them says no type
        return {}
    return (some[0] if len(some) == 1 and "enum" not in some[0] else {}) | {"type": types}


def _types(schema: Mapping[str, Any]) -> list[str]:
    told = schema.get("type", "")
    return told if isinstance(told, list) else [told]


def _referred(place: str, home: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What a reference means, and the document that it stands in."""
    name, _, pointer = place.partition("#")
    if name:
        home = _read(name.removeprefix(_URN).partition(":")[0])
    inner = home
    for part in filter(None, pointer.split("/")):
        inner = inner[part]
    return inner, home


@cache
def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text("utf-8"))
    return found
