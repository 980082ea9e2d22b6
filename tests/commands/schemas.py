"""Validates documents against the schemas, which must name every key that occurs."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

import oh_tui.commands

FOLDER = Path(oh_tui.commands.__file__).parent / "schemas"


def _closed(schema: Any) -> Any:
    """The schema with no other key allowed than those it names, so that none goes undocumented."""
    if isinstance(schema, list):
        return [_closed(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(inner) for name, inner in schema.items()}
    if "required" in closed and "properties" in closed:
        closed.setdefault("unevaluatedProperties", False)
    return closed


@cache
def _registry() -> Registry[Any]:
    found = [json.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.json")]
    return Registry().with_resources(
        [(schema["$id"], Resource.from_contents(_closed(schema))) for schema in found]
    )


def check(name: str, document: Any) -> None:
    """Raises ValidationError when the document is not as the schema of this name says."""
    schema = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    Draft202012Validator(
        {"$ref": schema["$id"]},
        registry=_registry(),
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    ).validate(document)
