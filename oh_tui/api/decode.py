"""From the bytes of an answer to models: row by row, so that one bad row costs only itself."""

from __future__ import annotations

import json
import math
from typing import Any, TypeVar, get_args

import msgspec

from oh_tui.api.failures import Answer, bad_answer, not_the_api
from oh_tui.api.models import Page, Secret
from oh_tui.text import safe_line
from oh_tui.trajectory.events import Event, decode_json, parse_event

M = TypeVar("M", bound=msgspec.Struct)


class _Page(msgspec.Struct):
    items: list[msgspec.Raw]
    next_page_id: Any = None


_decode_page = msgspec.json.Decoder(_Page).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_FAILED = (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError)


def model_page(answer: Answer, model: type[M]) -> Page[M]:
    """A page of `model`; rows that are no object with an id are counted and left out.

    Raises NotTheApi, BadAnswer.
    """
    rows, cursor = _page(answer)
    models = [loose_model(row, model) for row in rows]
    items = [item for item in models if item is not None]
    return Page(items, cursor, len(models) - len(items))


def event_page(answer: Answer) -> Page[Event]:
    """A page of events; every row becomes one, even one that cannot be read.

    Raises NotTheApi, BadAnswer.
    """
    rows, cursor = _page(answer)
    return Page([parse_event(row) for row in rows], cursor)


def model_list(answer: Answer, model: type[M]) -> list[M]:
    """The readable rows of a bare list; nulls stand for what does not exist and are left out."""
    models = [loose_model(row, model) for row in _list(answer)]
    return [item for item in models if item is not None]


def event_list(answer: Answer) -> list[Event]:
    return [parse_event(row) for row in _list(answer) if row.strip() != b"null"]


def one(answer: Answer, kind: type[M]) -> M:
    """One object. Raises NotTheApi, BadAnswer."""
    value = loose_model(answer.data, kind)
    if value is None:
        _json(answer)
        raise bad_answer(answer, f"no {kind.__name__}")
    return value


def count(answer: Answer) -> int:
    """A bare number, zero or more. Raises NotTheApi, BadAnswer."""
    value = _json(answer)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise bad_answer(answer, "no number")
    return value


def succeeded(answer: Answer) -> bool:
    """Of an answer {"success": true}: anything but a plain false is a yes."""
    value = _json(answer)
    return not (isinstance(value, dict) and value.get("success") is False)


def number(answer: Answer, name: str) -> int | None:
    """The number under `name` in an object; None when it has none."""
    value = _json(answer)
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def text(answer: Answer, name: str) -> str:
    """The text under `name` in an object, on one line; "" when it has none."""
    value = _json(answer)
    found = value.get(name) if isinstance(value, dict) else None
    return safe_line(found)[:80] if isinstance(found, str) else ""


def loose_model(raw: bytes, kind: type[M]) -> M | None:
    """A model from JSON text; a field of a wrong type is taken as missing. None when the text is
    no object, or one without what every `kind` must have (its id)."""
    try:
        value = msgspec.json.decode(raw, type=kind, dec_hook=_secret)
    except _FAILED:
        pass
    else:
        return value if getattr(value, "id", True) else None
    try:
        return _loose(decode_json(raw), kind)
    except ValueError:
        return None


def _loose(value: Any, kind: type[M]) -> M | None:
    if not isinstance(value, dict):
        return None
    known = msgspec.structs.fields(kind)
    fields = {field.name: _field(value.get(field.name), field.type) for field in known}
    fields = {name: inside for name, inside in fields.items() if inside is not None}
    if any(field.required and fields.get(field.name) in (None, "") for field in known):
        return None
    return kind(**fields)


def _field(value: Any, wanted: Any) -> Any:
    """`value` as a field of type `wanted`, numbers also from text; None when it cannot be."""
    for part in get_args(wanted):
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            return _loose(value, part)
    try:
        found = msgspec.convert(value, wanted, strict=False, dec_hook=_secret)
    except _FAILED:
        return None
    return None if isinstance(found, float) and not math.isfinite(found) else found


def _secret(kind: type[Any], value: Any) -> Any:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise ValueError("no key")


def _page(answer: Answer) -> tuple[list[bytes], str | None]:
    try:
        page = _decode_page(answer.data)
        return [bytes(row) for row in page.items], _cursor(page.next_page_id)
    except _FAILED:
        value = _json(answer)
    if not isinstance(value, dict) or not isinstance(value.get("items"), list):
        raise bad_answer(answer, "no page of items")
    return [_again(row) for row in value["items"]], _cursor(value.get("next_page_id"))


def _list(answer: Answer) -> list[bytes]:
    try:
        return [bytes(row) for row in _decode_list(answer.data)]
    except _FAILED:
        value = _json(answer)
    if not isinstance(value, list):
        raise bad_answer(answer, "no list")
    return [_again(row) for row in value]


def _again(value: Any) -> bytes:
    return json.dumps(value).encode()


def _cursor(value: Any) -> str | None:
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value) or None
    return None


def _json(answer: Answer) -> Any:
    try:
        return decode_json(answer.data)
    except ValueError:
        raise not_the_api(answer) from None
