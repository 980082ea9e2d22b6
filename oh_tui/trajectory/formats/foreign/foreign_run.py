"""Shared by the converters: events of the model made from foreign JSON, with their originals."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from oh_tui.trajectory.formats.foreign.usage import Bill
from oh_tui.trajectory.model.bodies import field, text_field
from oh_tui.trajectory.model.clock import seconds
from oh_tui.trajectory.model.event_kinds import CALL_KINDS, NO_KIND, RESULT_KINDS
from oh_tui.trajectory.model.usual_fields import is_empty
from oh_tui.trajectory.reading.describe import EVENTS

_DEEPEST = 60
"""Levels of nesting in which repeated texts are looked for."""

_OURS = frozenset(EVENTS) | RESULT_KINDS | CALL_KINDS

_SOURCES = ("agent", "user", "environment", "system")


class ForeignRun:
    """A run of another format as events of the model.

    `events[n]` is the JSON of an event and `originals[n]` the JSON it was made from. Events may
    share an original. What the model has no field for goes into a field named after the format, so
    that it is shown.
    """

    def __init__(self, mark: str, prefix: str = "") -> None:
        """`prefix` starts all ids: a sub-agent counts from the same numbers as its parent."""
        self.mark = mark
        """The name of the field for what the model lacks."""
        self._prefix = prefix
        self.started: list[tuple[Mapping[str, Any], str]] = []
        """What results say about sub-agents, with the event that started each."""
        self.events: list[bytes] = []
        self.originals: list[bytes] = []
        self.bill = Bill()
        self.model = ""
        """The model, if the run names one."""
        self.notes: list[str] = []
        """What could not be read or is not shown."""
        self._ids: dict[str, int] = {}
        """Id -> number of events that asked for it."""

    @property
    def stats(self) -> bytes:
        """Tokens and cost, in the form of `model.stats.stats_text`."""
        return self.bill.text()

    def new_id(self, wanted: Any) -> str:
        """An id that no other event of the run has, close to the wanted one."""
        name = str(wanted) if isinstance(wanted, str | int) and wanted != "" else "event"
        if not name.startswith(self._prefix):
            name = self._prefix + name
        while (count := self._ids.get(name, 0)) or name == f"{self._prefix}event":
            self._ids[name] = count + 1
            name = f"{name}-{count + 1}"
        self._ids[name] = 1
        return name

    def add(
        self, kind: str, original: bytes, *, id: str = "", rest: Any = None, **fields: Any
    ) -> str:
        """Adds an event and returns its id. None leaves a field out. `rest` is what the fields do
        not say."""
        id = id or self.new_id("")
        body = {"kind": kind, "id": id}
        body |= {name: value for name, value in fields.items() if value is not None}
        if not is_empty(rest):
            body[self.mark] = rest
        self.events.append(pack(body))
        self.originals.append(original)
        return id

    def add_top(self, value: Any) -> None:
        """Adds what the file says about the whole run, as an event that is no step."""
        if not is_empty(value):
            self.add("ConversationStateUpdateEvent", pack(value), key="trajectory", value=value)

    def add_other(self, value: Any) -> None:
        """Adds JSON that is no event of the format. An event of the model is added unchanged."""
        original = pack(value)
        kind = field(value, "kind")
        if not isinstance(kind, str) or not kind:
            self.add(NO_KIND, original, rest=value)
            return
        self.add_event(value, original)

    def add_event(self, event: dict[str, Any], original: bytes) -> str:
        """Adds an event of the model as it is, but for an id that another has, and returns its
        id."""
        id = text_field(event, "id")
        if not id or id in self._ids:
            id = self.new_id(id)
            event = event | {"id": id}
        self._ids[id] = 1
        self.events.append(pack(event))
        self.originals.append(original)
        return id


_encode = json.JSONEncoder(ensure_ascii=False).encode


def pack(value: Any) -> bytes:
    """The JSON text of a decoded value; for one nested too deep, a text that says so. msgspec would
    lose NaN and reject lone surrogates."""
    try:
        return _encode(value).encode("utf-8", "surrogatepass")
    except (TypeError, ValueError, RecursionError):
        return b'"(nested too deep to be shown)"'


def free_kind(name: Any) -> str:
    """The kind of an event without a counterpart: its own name, unless the model uses that for
    something else."""
    text = name if isinstance(name, str) and name else "event"
    return f"foreign {text}" if text in _OURS else text


def text_block(text: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": text}] if text else []


def content_blocks(value: Any) -> list[Any] | None:
    """A text or a list of parts as content blocks; None for anything else."""
    if isinstance(value, str):
        return text_block(value)
    if not isinstance(value, list):
        return [] if value is None else None
    return [_block(part) for part in value]


def _block(part: Any) -> Any:
    """A part of a message. The chat API wraps the address of an image in an object."""
    if isinstance(part, str):
        return {"type": "text", "text": part}
    url = field(part, "image_url", "url")
    if not isinstance(url, str):
        url = field(part, "image_url")
    if isinstance(url, str) and part.get("type") in ("image_url", "input_image"):
        inside = part["image_url"]
        more = {n: v for n, v in inside.items() if n != "url"} if isinstance(inside, dict) else {}
        rest = {n: v for n, v in part.items() if n not in ("type", "image_url")}
        return rest | ({"image_url": more} if more else {}) | {"type": "image", "image_urls": [url]}
    return part


def plain(blocks: Iterable[Any] | None) -> str:
    """The text of content blocks."""
    texts = (field(block, "text") for block in blocks or ())
    return "\n".join(text for text in texts if isinstance(text, str))


def timestamp(value: Any) -> str | None:
    """A time as ISO 8601, from such a text or from seconds since 1970; None for anything else."""
    if isinstance(value, str):
        return value if seconds(value) is not None else None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e11:
        return datetime.fromtimestamp(value, UTC).isoformat()
    return None


def known_source(value: Any) -> str | None:
    return value if isinstance(value, str) and value in _SOURCES else None


def leaves_out(rest: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The rest together with `more`, without empty values."""
    for name, value in more.items():
        while name in rest:
            name += "_"
        rest = rest | {name: value}
    return {name: value for name, value in rest.items() if not is_empty(value)}


def texts_of(*values: Any) -> set[str]:
    found: set[str] = set()
    todo = list(values)
    while todo:
        value = todo.pop()
        if isinstance(value, str):
            found.add(value)
        elif isinstance(value, dict | list):
            todo += value.values() if isinstance(value, dict) else value
    return found


def without(value: Any, shown: set[str], depth: int = 0) -> Any:
    """A value without texts that are already shown, and without what is then empty."""
    if isinstance(value, str):
        return None if value in shown else value
    if depth >= _DEEPEST or not isinstance(value, dict | list):
        return value
    if isinstance(value, dict):
        kept = {name: without(inner, shown, depth + 1) for name, inner in value.items()}
        return {name: inner for name, inner in kept.items() if not is_empty(inner)}
    items = (without(inner, shown, depth + 1) for inner in value)
    return [item for item in items if not is_empty(item)]
