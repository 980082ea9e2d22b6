"""Files of other programs that oh-tui does not read: recognised by content, refused by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.formats.documents import holds_run
from oh_tui.trajectory.formats.plain_file import start_of
from oh_tui.trajectory.formats.run_file import HEAD, Format, FormatProblem, NotRead, RunList, Source
from oh_tui.trajectory.model.bodies import field, text_field
from oh_tui.trajectory.model.events import read_json

_LINES = 20
"""Lines that are looked at to see what a file is."""

_OPENED = pattern(rb"[\[{]")
_NAME = pattern(rb'"(\w{1,40})"\s*:')
_TYPE = pattern(rb'"type"\s*:\s*"([\w./-]{1,60})"')

_TO_ATIF = "atif-make, a program of others on PyPI, makes ATIF of it, which oh-tui reads"
_TO_LIST = "jq -s . FILE makes a list of it, which oh-tui reads as chat messages"


class _Line(NamedTuple):
    value: dict[str, object]
    """The decoded object. If its end is not seen, only its type."""
    names: frozenset[str]
    """Its field names. If its end is not seen, those before the first object or list in it."""

    @property
    def type(self) -> str:
        return text_field(self.value, "type")


_CLAUDE = frozenset({"user", "assistant", "system", "summary", "file-history-snapshot", "progress",
                     "queue-operation", "attachment", "result"})  # fmt: skip
_CODEX = frozenset({"session_meta", "response_item", "event_msg", "turn_context", "compacted"})
_CODEX_EXEC = ("thread.started", "turn.started", "item.started", "item.completed")


def _is_qwen(line: _Line) -> bool:
    return "sessionId" in line.names and isinstance(field(line.value, "message", "parts"), list)


def _is_claude(line: _Line) -> bool:
    of_file = {"sessionId", "leafUuid", "parentUuid", "uuid"} & line.names or (
        {"messageId", "snapshot"} <= line.names
    )
    of_stream = "session_id" in line.names and {"message", "subtype"} & line.names
    is_said = isinstance(field(line.value, "message"), dict)
    is_end = {"type", "summary"} == line.names or {"subtype", "total_cost_usd"} <= line.names
    return line.type in _CLAUDE and bool(of_file or of_stream or is_said or is_end)


def _is_codex(line: _Line) -> bool:
    if line.type in _CODEX_EXEC or "record_type" in line.names:
        return True
    first = not line.type and {"id", "timestamp", "instructions"} <= line.names
    return first or (line.type in _CODEX and "payload" in line.names)


def _is_gemini(line: _Line) -> bool:
    of_session = len({"sessionId", "startTime", "lastUpdated", "projectHash"} & line.names) > 1
    said = "content" in line.names or {"messageId", "message"} <= line.names
    is_turn = isinstance(line.value.get("parts"), list) and line.value.get("role") is not None
    return of_session or is_turn or (line.type == "gemini" and said)


def _is_copilot(line: _Line) -> bool:
    return line.type == "session.start" and "data" in line.names


def _is_pi(line: _Line) -> bool:
    return line.type == "session" and {"version", "id", "timestamp"} <= line.names


def _is_message(line: _Line) -> bool:
    return isinstance(line.value.get("role"), str) and "content" in line.value


class _Other(NamedTuple):
    what: str
    is_line: Callable[[_Line], bool]
    hint: str = ""


_GEMINI = _Other("a session of Gemini CLI", _is_gemini)
_CLAUDE_CODE = _Other("a session of Claude Code", _is_claude, _TO_ATIF)
_FIRST = pattern(
    rb'(?:\{[^{}\[\]]*"(?:messages|contents|history|events)"\s*:\s*)?\[\s*(\{[^{}\[\]]*)([\[{]?)'
)
"""The first object of a list, itself or in a field of an object, up to a bracket within it."""

_OTHERS = (
    _Other("a session of Qwen Code", _is_qwen),
    _CLAUDE_CODE,
    _Other("a session of Claude Code on the web", lambda line: "loglines" in line.names),
    _Other("a session of Codex", _is_codex, _TO_ATIF),
    _GEMINI,
    _Other("a session of Copilot CLI", _is_copilot, _TO_ATIF),
    _Other("a session of Cursor", lambda line: set(line.value) == {"role", "message"}, _TO_ATIF),
    _Other("a session of Goose", lambda line: {"working_dir", "message_count"} <= line.names),
    _Other("a session of pi, or of a program built on it", _is_pi),
    _Other("a chat of one message a line, as gptme writes it", _is_message, _TO_LIST),
)


def _lines(head: bytes) -> Iterator[_Line]:
    """The first lines if each is a whole object, else the beginning of the only one."""
    for place, text in enumerate(head.split(b"\n")[:_LINES]):
        value = read_json(text)
        if isinstance(value, dict):
            yield _Line(value, frozenset(value))
        elif place == 0:
            yield _beginning(head)
            return


def _beginning(head: bytes) -> _Line:
    inside = _OPENED.search(head, 1)
    text = head[: inside.start()] if inside else head
    kind = _TYPE.search(text)
    found = {"type": kind[1].decode()} if kind else {}
    return _Line(found, frozenset(name.decode() for name in _NAME.findall(text)))


def _other(head: bytes) -> _Other | None:
    head = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if (first := _FIRST.match(head)) and (found := _of_list(_beginning(first[1]), first[2])):
        return found
    if head[:1] != b"{":
        return None
    lines = list(_lines(head))
    found = next((one for one in _OTHERS if any(map(one.is_line, lines))), None)
    return found if found and not holds_run(head.partition(b"\n")[0]) else None


def _of_list(first: _Line, bracket: bytes) -> _Other | None:
    """Whose list it is, by the fields of its first object. The last of them may hold an object or a
    list of which this is the first bracket."""
    names = first.names
    if first.type in ("user", "gemini") and "role" not in names:
        if "message" in names and bracket:
            return _CLAUDE_CODE
        return _GEMINI if {"content", "message"} & names else None
    return _GEMINI if "parts" in names and bracket == b"[" and "content" not in names else None


def _open(source: Source) -> RunList:
    found = _other(start_of(source.path, HEAD))
    if found is None:
        raise FormatProblem(f"{source.name} has changed", "open it again")
    raise NotRead(source.name, found.what, found.hint)


FORMAT = Format(
    "session of another program",
    lambda head, name: not name.endswith("/") and _other(head) is not None,
    _open,
)
