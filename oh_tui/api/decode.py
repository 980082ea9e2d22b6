"""From the bytes of an answer to models: row by row, so that a bad row costs only itself."""

from __future__ import annotations

import asyncio
import functools
import json
import math
from collections.abc import Callable
from typing import Any, TypeVar, get_args, get_origin

import msgspec

from oh_tui.api.errors import Conflict
from oh_tui.api.http.http_errors import Answer, bad_answer, not_the_api
from oh_tui.api.models import Page
from oh_tui.api.paging import MAX_ROWS
from oh_tui.conversation import same_id
from oh_tui.text.redact import Secret
from oh_tui.trajectory.model.events import Event, decode_json, parse_event

T = TypeVar("T")
M = TypeVar("M", bound=msgspec.Struct)


LARGE = 1 << 20
"""Bytes of an answer from which a thread decodes it, so that no key waits for it."""

MAX_PARTS = 1_000_000
"""Commas up to which JSON is turned into objects as a whole: 64 MiB of `{},{},` would take 2 GB."""

PIECE = 1 << 12
"""Characters of a row in which its end is looked for first."""


class _Page(msgspec.Struct):
    items: msgspec.Raw
    next_page_id: Any = None


_decode_page = msgspec.json.Decoder(_Page).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_FAILED = (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError)


async def in_thread(decode: Callable[[Answer], T], answer: Answer) -> T:
    """The decoded answer. A thread decodes a large one."""
    if len(answer.data) < LARGE:
        return decode(answer)
    return await asyncio.to_thread(decode, answer)


def model_page(answer: Answer, model: type[M]) -> Page[M]:
    """A page of models. Rows that are no object with an id are counted and left out, and so are
    rows after the first 100,000. Raises NotTheApi, BadAnswer."""
    rows, cursor = _page(answer)
    is_cut = len(rows) > MAX_ROWS
    models = [loose_model(row, model) for row in rows[:MAX_ROWS]]
    items = [item for item in models if item is not None]
    return Page(items, cursor, len(models) - len(items), is_cut=is_cut, size=len(answer.data))


def event_page(answer: Answer) -> Page[Event]:
    """A page of events. Every row becomes one, even an unreadable one. Raises NotTheApi,
    BadAnswer."""
    rows, cursor = _page(answer)
    return Page([parse_event(row) for row in rows], cursor, size=len(answer.data))


def model_list(answer: Answer, model: type[M]) -> list[M]:
    """The readable rows of a plain list, without the nulls for unknown ids. Raises NotTheApi,
    BadAnswer."""
    models = [loose_model(row, model) for row in _list(answer)]
    return [item for item in models if item is not None]


def model_rows(answer: Answer, name: str, kind: type[M]) -> tuple[list[M], int]:
    """The readable rows under a name of an object, and how many others there are. Raises NotTheApi,
    BadAnswer."""
    rows = field(answer, name)
    if not isinstance(rows, list):
        raise bad_answer(answer, f"no object with {name}")
    models = [loose_model(_encode(row), kind) for row in rows[:MAX_ROWS]]
    items = [item for item in models if item is not None]
    return items, len(models) - len(items)


def model(answer: Answer, kind: type[M]) -> M:
    """One object. Raises NotTheApi, BadAnswer."""
    value = loose_model(answer.data, kind)
    if value is None:
        _json(answer)
        raise bad_answer(answer, f"no {kind.__name__}")
    return value


def record_of(answer: Answer, kind: type[M], identifier: str) -> M:
    """One object, which has to be the one that was asked for: what comes next is done to it.
    Raises NotTheApi, BadAnswer."""
    found = model(answer, kind)
    if not same_id(getattr(found, "id", ""), identifier):
        raise bad_answer(answer, "another id than was asked for")
    return found


def count(answer: Answer) -> int:
    """A plain number, zero or more. Raises NotTheApi, BadAnswer."""
    value = _json(answer)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise bad_answer(answer, "no number")
    return value


def require_success(answer: Answer, hint: str) -> None:
    """Raises Conflict for a 200 that says {"success": false}. Anything else is a success."""
    if field(answer, "success") is False:
        raise Conflict(
            f"Could not {answer.call.doing}: {answer.call.host} says that it did not work",
            hint,
            status=200,
            address=answer.call.address,
        )


def field(answer: Answer, name: str) -> Any:
    """A field of an object, None when it is missing. Raises NotTheApi."""
    value = _json(answer)
    return value.get(name) if isinstance(value, dict) else None


def loose_model(raw: bytes, kind: type[M]) -> M | None:
    """A model from JSON text, with fields of a wrong type taken as missing. None when the text is
    no object or lacks a required field, such as the id."""
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
    fields = {one.name: _loose_field(value.get(one.name), one.type) for one in _fields(kind)}
    fields = {name: inside for name, inside in fields.items() if inside is not None}
    if any(one.required and fields.get(one.name) in (None, "") for one in _fields(kind)):
        return None
    return kind(**fields)


_fields = functools.cache(msgspec.structs.fields)


def _loose_field(value: Any, wanted: Any) -> Any:
    """The value as type `wanted`, numbers also from text; None when it does not fit."""
    for part in get_args(wanted):
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            return _loose_inside(value, get_origin(wanted), part)
    try:
        found = msgspec.convert(value, wanted, strict=False, dec_hook=_secret)
    except _FAILED:
        return None
    return None if isinstance(found, float) and not math.isfinite(found) else found


def _loose_inside(value: Any, holder: Any, kind: type[M]) -> Any:
    """The model, or those that a list or the fields of an object hold, without what is none."""
    if holder is dict:
        inside = value.items() if isinstance(value, dict) else ()
        return {name: one for name, each in inside if (one := _loose(each, kind)) is not None}
    if holder in (list, tuple):
        items = value if isinstance(value, list) else ()
        return holder(one for each in items if (one := _loose(each, kind)) is not None)
    return _loose(value, kind)


def _secret(kind: type[Any], value: Any) -> Any:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise ValueError("no key")


def _page(answer: Answer) -> tuple[list[bytes], str | None]:
    """The rows and the cursor. Of a page of many parts at most one row more than MAX_ROWS."""
    try:
        page = _decode_page(answer.data)
        items = bytes(page.items)
        rows = _decode_list(items) if _is_small(items) else _first_rows(items)
        return [bytes(row) for row in rows], _cursor(page.next_page_id)
    except _FAILED:
        value = _json(answer)
    if not isinstance(value, dict) or not isinstance(value.get("items"), list):
        raise bad_answer(answer, "no page of items")
    return [_encode(row) for row in value["items"]], _cursor(value.get("next_page_id"))


def _first_rows(items: bytes) -> list[bytes]:
    """The first elements of a JSON array that is not empty, read one at a time: as objects all of
    them may take 50 times the memory. Raises ValueError for anything else."""
    text = items.decode()
    if text[:1] != "[":
        raise ValueError("no array")
    rows: list[bytes] = []
    position = 0
    while text[position] != "]" and len(rows) <= MAX_ROWS:
        start = _skip_space(text, position + 1)
        end = _end_of_value(text, start)
        rows.append(text[start:end].encode())
        position = _skip_space(text, end)
    return rows


def _end_of_value(text: str, start: int) -> int:
    """The end of the JSON value that begins at `start`.

    One row may fill the page and have as many parts. It is therefore read in growing pieces, none
    with more parts than a page that is read whole. Raises ValueError.
    """
    size = PIECE
    while True:
        piece = text[start : start + size]
        is_all = start + size >= len(text)
        try:
            end = _read_value(piece)[1]
            if is_all or end < len(piece):  # else a number may go on
                return start + end
        except ValueError:
            if is_all:
                raise
        size *= 2
        if text.count(",", start, start + size) >= MAX_PARTS:
            raise ValueError("a row of too many parts")


_read_value = json.JSONDecoder().raw_decode


def _skip_space(text: str, position: int) -> int:
    while text[position] in " \t\r\n":
        position += 1
    return position


def _is_small(data: bytes) -> bool:
    return data.count(b",") < MAX_PARTS


def _list(answer: Answer) -> list[bytes]:
    try:
        if not _is_small(answer.data):
            raise ValueError
        return [bytes(row) for row in _decode_list(answer.data)]
    except _FAILED:
        value = _json(answer)
    if not isinstance(value, list):
        raise bad_answer(answer, "no list")
    return [_encode(row) for row in value]


def _encode(value: Any) -> bytes:
    return json.dumps(value).encode()


def _cursor(value: Any) -> str | None:
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value) or None
    return None


def _json(answer: Answer) -> Any:
    if not _is_small(answer.data):
        raise bad_answer(answer, "JSON of too many parts")
    try:
        return decode_json(answer.data)
    except ValueError:
        raise not_the_api(answer) from None
