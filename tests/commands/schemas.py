"""Validates documents against the schemas, which must name every key that occurs."""

from __future__ import annotations

from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from oh_tui.documents.schema import schema_of


def _closed(schema: Any) -> Any:
    """The schema with no other key allowed than those it names, so that none goes undocumented."""
    if isinstance(schema, list):
        return [_closed(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(inner) for name, inner in schema.items()}
    if closed.get("required") and "properties" in closed:
        closed.setdefault("unevaluatedProperties", False)
    return closed


@cache
def _validator(name: str) -> Draft202012Validator:
    checker = Draft202012Validator.FORMAT_CHECKER
    return Draft202012Validator(_closed(schema_of(name)), format_checker=checker)


def check(name: str, document: Any) -> None:
    """Raises ValidationError when the document is not as the schema of this name says."""
    _validator(name).validate(document)
