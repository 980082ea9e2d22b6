"""One span, with what OTLP wants of it: ids, times, attributes, status; and messages in the shape
of OpenTelemetry's conventions for generative AI."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from oh_tui.sharing.shared_run import Sink
from oh_tui.text.display import json_line
from oh_tui.text.human import size
from oh_tui.text.redact import masked
from oh_tui.trajectory.context.message import Message
from oh_tui.trajectory.model.bodies import arguments, list_field, text_field
from oh_tui.trajectory.model.events import read_json

_IDS = frozenset({
    *("gen_ai.response.id", "gen_ai.tool.call.id", "gen_ai.conversation.id"),
    *("gen_ai.operation.name", "gen_ai.tool.type", "openhands.time.start"),
})  # fmt: skip
"""Attributes with ids, and with words of ours."""

INTERNAL, CLIENT = 1, 3
OK, ERROR = 1, 2

TEXT = 10_000
"""Most characters of a text, unless all is wanted."""

_LATEST = 18 * 10**9
"""Seconds since 1970 beyond which a time does not fit into a span."""

Value = str | bool | int | float | list[str] | None
Attributes = dict[str, Value]


def hash_of(*names: str, digits: int = 16) -> str:
    """An id that is the same each time."""
    told = "\0".join(names).encode("utf-8", "surrogatepass")
    return hashlib.sha256(told).hexdigest()[:digits]


def shortened(text: str, *, whole: bool = False) -> str:
    """A text without its end if it is too long; how much is missing stands in its place."""
    if whole or len(text) <= TEXT:
        return text
    text = masked(text)  # half a secret has no known shape
    if len(text) <= TEXT:
        return text
    return f"{text[:TEXT]} … {len(text) - TEXT:,} characters left out"


@dataclass
class Moments:
    """From when to when something went, as far as that is known: in seconds since 1970."""

    start: float | None = None
    end: float | None = None
    knows_zone: bool = True
    knows_end: bool = True
    """Whether nothing may follow."""

    def __post_init__(self) -> None:
        """A time that fits into no span is not known; a clock that was set back tells no end."""
        self.start, self.end = _fitting(self.start), _fitting(self.end)
        if self.start is not None and self.end is not None and self.end < self.start:
            self.end = None

    def unknown(self) -> list[str]:
        known = {
            "start": self.start is not None,
            "end": self.end is not None and self.knows_end,
            "zone": self.knows_zone,
        }
        return [name for name, is_known in known.items() if not is_known]

    def nanoseconds(self, before: int) -> tuple[int, int]:
        """The times of a span. One that is not known is that of the other; of a span without any,
        a microsecond after the one `before`, so that the order stays."""
        start = self.end if self.start is None else self.start
        end = start if self.end is None else self.end
        if start is None or end is None:
            return before + 1000, before + 1000
        return _nanoseconds(start), _nanoseconds(end)


def _fitting(moment: float | None) -> float | None:
    return moment if moment is not None and 0 <= moment < _LATEST else None


def _nanoseconds(moment: float) -> int:
    return round(moment * 10**6) * 1000


@dataclass
class Span:
    name: str
    id: str
    parent: str
    kind: int
    moments: Moments
    attributes: Attributes
    messages: dict[str, str] = field(default_factory=dict)
    """Attributes that are JSON without secrets."""
    status: int = 0
    """`OK`, `ERROR`, or 0 where neither is told."""
    about: str = ""
    """Of an error, what it is."""
    events: list[tuple[str, Moments, Attributes]] = field(default_factory=list)

    def json(self, trace: str, before: int, sink: Sink) -> tuple[str, int]:
        """The span as OTLP JSON without secrets, and when it started, in nanoseconds."""
        start, end = self.moments.nanoseconds(before)
        head: dict[str, object] = {"traceId": trace, "spanId": self.id}
        head |= {"parentSpanId": self.parent} if self.parent else {}
        head |= {
            "name": _text(self.name),
            "kind": self.kind,
            "startTimeUnixNano": str(start),
            "endTimeUnixNano": str(end),
        }
        if self.status:
            about = {"message": _text(self.about)} if self.about else {}
            head["status"] = {"code": self.status} | about
        if self.events:
            head["events"] = [
                {
                    "timeUnixNano": str(moments.nanoseconds(start)[0]),
                    "name": name,
                    "attributes": _attributes(attributes),
                }
                for name, moments, attributes in self.events
            ]
        unknown: Attributes = {"openhands.time.unknown": self.moments.unknown() or None}
        told, line = list(map(json_line, _attributes(self.attributes | unknown))), json_line(head)
        sink.count([read_json(line, line), *map(_counted, told)])
        for key, value in self.messages.items():
            told.append(json.dumps({"key": key, "value": {"stringValue": value}}))
        return f'{line[:-1]}, "attributes": [{", ".join(told)}]}}', start


def _attributes(given: Attributes) -> list[dict[str, object]]:
    return [{"key": key, "value": _value(v)} for key, v in given.items() if v not in (None, "")]


def _counted(line: str) -> object:
    """What an attribute tells others."""
    told = read_json(line, {})
    text = text_field(told, "value", "stringValue")
    if text_field(told, "key") in _IDS:
        return None
    return read_json(text, text) if text_field(told, "key").endswith(".arguments") else text


def _value(value: Value) -> dict[str, object]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list():
            return {"arrayValue": {"values": [_value(one) for one in value]}}
    return {"stringValue": _text(str(value))}


def _text(text: str) -> str:
    """A text that every reader takes: NUL is none."""
    return text.replace("\0", "\ufffd")


MOST = 100_000
"""Most characters of the messages of one answer, unless all are wanted."""

Body = dict[str, Any]


class Messages:
    """Makes the messages of a run, each once: contexts repeat them."""

    def __init__(self, sink: Sink) -> None:
        self._sink, self._whole = sink, sink.whole
        self._made: dict[Message, str] = {}

    def context(self, seen: list[Message]) -> tuple[str, int]:
        """The messages before an answer as JSON, and how many are left out in it: the oldest that
        do not fit, but not the first, which is the prompt of the system."""
        made = [self._text(message) for message in seen]
        fitting = self._fitting(made[1:], MOST - len(made[0])) if made else []
        texts = map(self._sink.once, (*made[:1], *fitting))
        return f"[{', '.join(texts)}]", max(0, len(made) - 1 - len(fitting))

    def reply(self, message: Message) -> str:
        body = message.dump()
        ends = {"finish_reason": "tool_call" if body.get("tool_calls") else "stop"}
        return self._sink.once(json_line([self._shape(body) | ends]))

    def said(self, role: str, texts: list[str]) -> str:
        """Texts as messages, the oldest left out where they do not fit."""
        shown = (shortened(text, whole=self._whole) for text in texts if text)
        made = [json_line(_message(role, [{"type": "text", "content": one}])) for one in shown]
        fitting = self._fitting(made, MOST)
        return f"[{', '.join(map(self._sink.once, fitting))}]" if fitting else ""

    def _fitting(self, made: list[str], room: int) -> list[str]:
        """The last ones that fit."""
        start = len(made)
        while start and (self._whole or len(made[start - 1]) <= room):
            start -= 1
            room -= len(made[start])
        return made[start:]

    def value(self, value: object) -> str:
        """Arguments of a call as JSON, a text as it is; "" for none."""
        if value is None or value == "":
            return ""
        text = value if isinstance(value, str) else json_line(value)
        return shortened(text, whole=self._whole)

    def _text(self, message: Message) -> str:
        if message not in self._made:
            self._made[message] = json_line(self._shape(message.dump()))
        return self._made[message]

    def _shape(self, body: Body) -> Body:
        role = text_field(body, "role") or "user"
        blocks = list_field(body, "content")
        if role == "tool":
            text = "\n".join(filter(None, map(self._block, blocks)))
            id = text_field(body, "tool_call_id")
            return _message(role, [{"type": "tool_call_response", "id": id, "response": text}])
        parts = [*self._thoughts(body)]
        parts += [{"type": "text", "content": text} for b in blocks if (text := self._block(b))]
        for call in list_field(body, "tool_calls"):
            parts.append(self._call(call))
        return _message(role, parts)

    def _call(self, call: object) -> Body:
        given = arguments({"tool_call": call})
        text = json_line(given)
        is_long = len(text) > len(shortened(text, whole=self._whole))
        return {
            "type": "tool_call",
            "id": text_field(call, "id"),
            "name": text_field(call, "name"),
            "arguments": shortened(text) if is_long else given,
        }

    def _thoughts(self, body: Body) -> Iterator[Body]:
        thinking = body.get("thinking_blocks")
        told = [text_field(one, "thinking") for one in thinking or ()]
        for text in filter(None, (text_field(body, "reasoning_content"), *told)):
            yield {"type": "reasoning", "content": shortened(text, whole=self._whole)}

    def _block(self, block: object) -> str:
        if not isinstance(block, dict):
            return ""
        urls = block.get("image_urls")
        if isinstance(urls, list):
            return "\n".join(f"[image of {size(len(str(url)))}]" for url in urls)
        return shortened(text_field(block, "text"), whole=self._whole)


def _message(role: str, parts: list[Body]) -> Body:
    return {"role": role, "parts": parts}
