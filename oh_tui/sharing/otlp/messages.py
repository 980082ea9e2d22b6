"""Messages in the shape of OpenTelemetry's conventions for generative AI."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oh_tui.sharing.otlp.span import shortened
from oh_tui.text.human import size
from oh_tui.text.json_lines import json_line
from oh_tui.trajectory.context.message import Message
from oh_tui.trajectory.model.bodies import arguments, list_field, text_field

MOST = 100_000
"""Most characters of the messages of one answer, unless all are wanted."""

Body = dict[str, Any]


class Messages:
    """Makes the messages of a run, each once: contexts repeat them."""

    def __init__(self, *, whole: bool) -> None:
        self._whole = whole
        self._made: dict[Message, str] = {}

    def context(self, seen: list[Message]) -> tuple[str, int]:
        """The messages before an answer as JSON, and how many are left out in it: the oldest that
        do not fit, but not the first, which is the prompt of the system."""
        made = [self._text(message) for message in seen]
        fitting, chars = len(made), len(made[0]) if made else 0
        while fitting > 1 and (self._whole or chars + len(made[fitting - 1]) <= MOST):
            fitting -= 1
            chars += len(made[fitting])
        left = max(0, fitting - 1)
        return f"[{', '.join((*made[:1], *made[fitting:]))}]", left

    def reply(self, message: Message) -> str:
        body = message.dump()
        ends = {"finish_reason": "tool_call" if body.get("tool_calls") else "stop"}
        return json_line([self._shape(body) | ends])

    def said(self, role: str, texts: list[str]) -> str:
        """Texts as messages, the oldest left out where they do not fit."""
        shown = (shortened(text, whole=self._whole) for text in texts if text)
        made = [json_line(_message(role, [{"type": "text", "content": one}])) for one in shown]
        chars, fitting = 0, len(made)
        while fitting and (self._whole or chars + len(made[fitting - 1]) <= MOST):
            fitting -= 1
            chars += len(made[fitting])
        return f"[{', '.join(made[fitting:])}]" if made[fitting:] else ""

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
