"""Calls that a model without tools writes into its text, and outputs of commands in results."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.formats.foreign.foreign_run import plain, text_block
from oh_tui.trajectory.model.bodies import field, text_field
from oh_tui.trajectory.model.event_kinds import STILL_RUNNING, as_code
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


Fields = dict[str, Any]

_RETURNED = pattern(
    r"\s{0,9}(?:<exception>(.*?)</exception>\s{0,9})?<returncode>(-?\d{1,9})</returncode>\s{0,9}",
    re.DOTALL,
)

_CODES = (("returncode",), ("exit_code",), ("metadata", "exit_code"))

_SAID = frozenset({"returncode", "exit_code", "output", "output_head", "output_tail",
                   "elided_chars", "exception_info", "kind", "content"})  # fmt: skip
"""Fields of a JSON result that are read here, or that mean something else in an observation."""


TIMED_OUT = "The last command <command>"
"""How mini-swe-agent 1 begins the result of a command that timed out."""


def starts_as_output(text: str) -> bool:
    """Whether a text begins like mini-swe-agent's result of a command."""
    return text.lstrip().startswith(("<returncode>", "<exception>"))


def read_output(content: list[Any], rest: Fields, *, of_command: bool) -> tuple[list[Any], Fields]:
    """Splits a result: the output as content, and what it says about the command as fields of the
    observation. Removes from `rest` what it uses. Only results of commands are examined."""
    if any(text_field(block, "type") not in ("text", "input_text") for block in content):
        return content, {}
    text = plain(content)
    extra = rest.get("extra")
    found = _in_text(text) if of_command else None
    if isinstance(extra, dict) and isinstance(extra.get("raw_output"), str):
        found = _found(extra["raw_output"], extra.get("returncode"), extra.get("exception_info"))
        taken = ("raw_output", "returncode", "exception_info", "timestamp")
        rest["extra"] = {name: value for name, value in extra.items() if name not in taken}
    if found is None:
        return content, {"is_error": True} if text.startswith(TIMED_OUT) else {}
    output, observed = found
    return text_block(output), observed


def _found(output: str, code: Any, exception: Any) -> tuple[str, Fields]:
    number = as_code(code)
    observed: Fields = {} if number is None else {"exit_code": number}
    if isinstance(exception, str) and exception:
        output = f"{output}\n{exception}" if output else exception
        observed["is_error"] = True
        if number == STILL_RUNNING:  # a command that the program stopped has no exit code
            del observed["exit_code"]
    return output, observed


def _joined(head: str, tail: str, left_out: Any = None) -> str:
    return f"{head}\n… {left_out or 'some'} characters left out …\n{tail}"


def _in_text(text: str) -> tuple[str, Fields] | None:
    if text.lstrip()[:1] == "{":
        return _in_json(text)
    found = _RETURNED.match(text)
    if found is None:
        return None
    output = text[found.end() :]
    parts = [*between(output, "<output_head>", "</output_head>"),
             *between(output, "<output_tail>", "</output_tail>")]  # fmt: skip
    if len(parts) == 2:
        left_out = next(between(output, "<elided_chars>", "</elided_chars>"), "").split()[:1]
        output = _joined(parts[0].strip("\n"), parts[1].strip("\n"), *left_out)
    inside = output.strip()
    if inside.startswith("<output>") and inside.endswith("</output>"):
        output = inside[len("<output>") : -len("</output>")].removeprefix("\n")
    return _found(output, found[2], found[1])


def _in_json(text: str) -> tuple[str, Fields] | None:
    value = read_json(text)
    code = next((one for path in _CODES if (one := as_code(field(value, *path))) is not None), None)
    output = field(value, "output")
    head, tail = field(value, "output_head"), field(value, "output_tail")
    if isinstance(head, str) and isinstance(tail, str):
        output = _joined(head, tail, as_code(field(value, "elided_chars")))
    if code is None or not isinstance(output, str):
        return None
    output, observed = _found(output, code, field(value, "exception_info"))
    return output, observed | {n: inner for n, inner in value.items() if n not in _SAID}
