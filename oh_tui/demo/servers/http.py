"""Requests and responses as the real servers have them: parameters, pages, errors, zips."""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from oh_tui.demo.runs.stored_events import StoredEvent

T = TypeVar("T")


class Refused(Exception):
    """Ends a request with this response."""

    def __init__(self, response: Response) -> None:
        self.response = response


def answer(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(value), status, headers, "application/json")


def detail(status: int, words: object) -> Response:
    return answer({"detail": words}, status)


def broken(why: str) -> Response:
    """An agent server's response to an uncaught error."""
    return answer({"detail": "Internal Server Error", "exception": why}, 500)


def crash() -> Response:
    """The app server's response to an uncaught error."""
    return PlainTextResponse("Internal Server Error", 500)


def refuse(
    where: str, name: str, kind: str, message: str, given: object, **context: object
) -> Refused:
    """422 as FastAPI words it."""
    problem = {"type": kind, "loc": [where, name], "msg": message, "input": given}
    if context:
        problem["ctx"] = context
    return Refused(detail(422, [problem]))


def invalid(name: str, kind: str, message: str, where: str = "body") -> Refused:
    """422 for a body, which does not repeat the input."""
    return Refused(detail(422, [{"type": kind, "loc": [where, name], "msg": message}]))


def raw_page(items: Sequence[bytes], next_page_id: str | None) -> Response:
    body = b'{"items":[' + b",".join(items) + b'],"next_page_id":'
    return Response(body + msgspec.json.encode(next_page_id) + b"}", media_type="application/json")


async def body(request: Request) -> dict[str, Any]:
    """The JSON object sent, {} for none."""
    data = await request.body()
    try:
        value = msgspec.json.decode(data) if data else {}
    except msgspec.DecodeError:
        raise invalid("0", "json_invalid", "JSON decode error") from None
    if not isinstance(value, dict):
        raise invalid("body", "model_attributes_type", "Input should be a valid dictionary")
    return value


def spoken(payload: dict[str, Any], field: str) -> str:
    """The text of a message; 422 without content."""
    content = payload.get(field)
    if not isinstance(content, list):
        raise invalid(field, "missing", "Field required")
    if not content:
        raise invalid(field, "too_short", "List should have at least 1 item after validation")
    return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))


class Query:
    """The query of a request, each parameter checked as it is read."""

    def __init__(self, request: Request) -> None:
        self._params = request.query_params

    def text(self, name: str) -> str | None:
        return self._params.get(name)

    def many(self, name: str) -> list[str]:
        """A parameter that may be repeated; 422 without any."""
        values = self._params.getlist(name)
        if not values:
            raise refuse("query", name, "missing", "Field required", None)
        return values

    def flag(self, name: str) -> bool:
        """A boolean parameter, by default False."""
        value = self._params.get(name, "false")
        if value.lower() not in _FLAGS:
            message = "Input should be a valid boolean, unable to interpret input"
            raise refuse("query", name, "bool_parsing", message, value)
        return _FLAGS[value.lower()]

    def limit(self, *, most: int | None = 100) -> int:
        """The size of a page, by default 100; 422 outside 1 to `most`."""
        value = self._params.get("limit", "100")
        try:
            limit = int(value)
        except ValueError:
            message = "Input should be a valid integer, unable to parse string as an integer"
            raise refuse("query", "limit", "int_parsing", message, value) from None
        if limit < 1:
            message = "Input should be greater than or equal to 1"
            raise refuse("query", "limit", "greater_than_equal", message, value, ge=1)
        if most is not None and limit > most:
            message = f"Input should be less than or equal to {most}"
            raise refuse("query", "limit", "less_than_equal", message, value, le=most)
        return limit

    def one_of(self, name: str, names: Sequence[str], default: str | None = None) -> str | None:
        value = self._params.get(name)
        if value is None:
            return default
        if value not in names:
            *some, last = (repr(each) for each in names)
            expected = f"{', '.join(some)} or {last}"
            raise refuse(
                "query", name, "enum", f"Input should be {expected}", value, expected=expected
            )
        return value

    def time(self, name: str) -> datetime | None:
        value = self._params.get(name)
        if value is None:
            return None
        try:
            return datetime.fromisoformat(value.replace(" ", "+"))
        except ValueError:
            message = "Input should be a valid datetime or date, invalid character in year"
            raise refuse("query", name, "datetime_from_date_parsing", message, value) from None


_FLAGS = dict.fromkeys(("true", "1", "yes", "on", "t", "y"), True)
_FLAGS |= dict.fromkeys(("false", "0", "no", "off", "f", "n"), False)


def offset(page_id: str | None) -> int | None:
    try:
        return int(page_id or 0)
    except ValueError:
        return None


def page_of(items: Sequence[T], start: int, limit: int) -> tuple[Sequence[T], str | None]:
    """The items from `start` on, and the id of the page after them."""
    after = start + limit
    return items[start:][:limit], str(after) if after < len(items) else None


def path_uuid(request: Request) -> UUID:
    """The conversation in the path; 422 for what is not a UUID."""
    value = request.path_params["id"]
    identifier = uuid_or_none(value)
    if identifier is None:
        message = "Input should be a valid UUID"
        raise refuse("path", "conversation_id", "uuid_parsing", message, value)
    return identifier


def uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def utc(seconds: float) -> str:
    """A time in the format of conversations and sandboxes."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def aware(when: datetime) -> float:
    """Seconds since 1970; a time without a zone is UTC."""
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


async def zipped(
    info: dict[str, object],
    events: Iterable[StoredEvent],
    *,
    head: str = "meta.json",
    name: str = "event_{number:06}_{id}.json",
) -> AsyncIterator[bytes]:
    """The zip in pieces, so that few events are in memory; `head` is the name of `info` in it."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(head, msgspec.json.format(msgspec.json.encode(info), indent=2))
        yield sink.take()
        for number, event in enumerate(events):
            body = msgspec.json.format(event.raw, indent=2)
            archive.writestr(name.format(number=number, id=event.id), body)
            if number % 100 == 99:
                yield sink.take()
                await asyncio.sleep(0)
    yield sink.take()


class _Sink:
    """A file without seek, which Python may close later if nobody reads on."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken
