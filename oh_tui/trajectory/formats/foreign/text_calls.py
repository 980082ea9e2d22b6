"""Calls that a model without tools writes into the text of its answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.model.bodies import text_field
from oh_tui.trajectory.model.events import read_json

_OPENING = "<function="
_CLOSING = "</function>"

RESULTS = ("EXECUTION RESULT of [", "OBSERVATION:")
"""How results of such calls begin in a message of the user. The second is SWE-agent's."""

_NAME = pattern(r"[\w.:-]{1,100}")
_NUMBERS = frozenset({"view_range", "insert_line", "timeout", "task_list"})
"""Parameters whose value is JSON. All others are text, whatever they look like."""


def take_text_calls(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Takes the calls out of the text of a message and writes them in the form of the chat API."""
    content = message.get("content")
    block = content[0] if isinstance(content, list) and len(content) == 1 else None
    text = text_field(block, "text") if block is not None else content
    if not isinstance(text, str) or _OPENING not in text:
        return []
    calls, kept, at = list[dict[str, Any]](), list[str](), 0
    for start, end, name, body in _functions(text):
        function = {"name": name, "arguments": _parameters(body)}
        calls.append({"type": "function", "function": function})
        kept.append(text[at:start])
        at = end
    said = "\n".join(filter(None, (part.strip() for part in (*kept, text[at:]))))
    if calls:
        message["content"] = [block | {"text": said}] if isinstance(block, dict) else said
    return calls


def shows_calls(role: str, text: str) -> bool:
    """Whether a message shows that calls stand in texts: it is a result of one, tells the model to
    write them, or is an answer that ends with one, perhaps before its last character."""
    if role == "user":
        return text.startswith(RESULTS[0])
    is_call = role == "assistant" and text.rstrip().endswith((_CLOSING, _CLOSING[:-1]))
    return _OPENING in text and (is_call or role == "system")


def _functions(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Start, end, name and inside of each call. The last one may lack its end: models stop
    there."""
    end = 0
    while (start := text.find(_OPENING, end)) >= 0:
        name = _NAME.match(text, start + len(_OPENING))
        if name is None or not text.startswith(">", name.end()):
            end = start + 1
            continue
        inside = name.end() + 1
        close = text.find(_CLOSING, inside)
        stop, end = (close, close + len(_CLOSING)) if close >= 0 else (len(text), len(text))
        yield start, end, name[0], text[inside:stop].removesuffix("</function")


def _parameters(body: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for inside in between(body, "<parameter=", "</parameter>"):
        name, _, value = inside.partition(">")
        found[name] = _value(name, value)
    return found


def between(text: str, opening: str, closing: str) -> Iterator[str]:
    """What is between each opening and the next closing."""
    end = 0
    while (start := text.find(opening, end)) >= 0:
        start += len(opening)
        close = text.find(closing, start)
        if close < 0:
            return
        yield text[start:close]
        end = close + len(closing)


def _value(name: str, text: str) -> Any:
    text = text.removeprefix("\n").removesuffix("\n")
    return read_json(text.strip(), text) if name in _NUMBERS else text


def without_opening(text: str) -> str:
    """The text of a result, without the words that mark it as one."""
    for opening in RESULTS:
        if text.startswith(opening):
            first, found, rest = text.partition("\n")
            return rest if found and first.rstrip().endswith(":") else text
    return text
