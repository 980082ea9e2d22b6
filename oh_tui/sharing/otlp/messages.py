"""Messages in the shape of OpenTelemetry's conventions for generative AI."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oh_tui.sharing.otlp.span import shortened
from oh_tui.sharing.sink import Sink
from oh_tui.text.display import json_line
from oh_tui.text.human import size
from oh_tui.trajectory.context.message import Message
from oh_tui.trajectory.model.bodies import arguments, list_field, text_field

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
