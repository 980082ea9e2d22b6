"""A request of chat completions: its messages, and what it asks for.

How the SDK asks is measured on agent servers 1.17.0, 1.34.0 and 1.58.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

from oh_tui.text.problem import Problem
from oh_tui.trajectory.context.message import MODEL, RESULT, SUMMARY, SYSTEM, USER, Message
from oh_tui.trajectory.model.bodies import blocks_text, list_field, text_field
from oh_tui.trajectory.model.events import decode_json
from oh_tui.trajectory.replay.folders import Folders

MOST_MESSAGES = 100_000

_KINDS = {"system": SYSTEM, "developer": SYSTEM, "assistant": MODEL, "tool": RESULT}

_HEAD = 4_000
"""Characters of a text in which the SDK's own words stand."""


class Purpose(StrEnum):
    AGENT = "agent"
    TITLE = "title"
    CONDENSER = "condenser"
    ASK = "ask"
    """`oh-tui ask`, or another who asks the agent beside its run: it has tools and the whole
    context, so that its last message alone tells it."""
    OTHER = "other"


class Said(NamedTuple):
    """A message of a request, or of a context beside one."""

    kind: str
    """As `Message.kind`, without "summary": a request does not tell it from the user's words."""
    body: dict[str, Any]
    """As `Message.dump`, without thoughts, which not every model gets again."""
    steps: tuple[int, ...] = ()
    is_new: bool = True
    """It came after the answer before."""

    def dump(self) -> dict[str, Any]:
        return self.body


Key: TypeAlias = tuple[str, ...]
"""What the last message of the model tells of itself: the ids of its calls, or its words. () where
the model has not said anything."""


class Request(NamedTuple):
    messages: list[Said]
    """With the folders of the record."""
    key: Key
    purpose: Purpose
    streams: bool
    model: str
    """As the client names it; raw."""

    @property
    def task(self) -> str:
        """The first words of a user in it."""
        return task_of(self.messages)


def read_request(data: bytes, folders: Folders) -> Request:
    """Raises Problem for what is no request of chat completions."""
    try:
        body = decode_json(data)
    except ValueError:
        raise Problem("The request is not JSON") from None
    given = list_field(body, "messages")
    if not isinstance(body, dict) or not given or not all(isinstance(one, dict) for one in given):
        raise Problem("The request has no messages", "chat completions take a list `messages`")
    if len(given) > MOST_MESSAGES:
        raise Problem(f"The request has more than {MOST_MESSAGES:,} messages")
    read = [_said(one, folders) for one in given]
    names = dict[str, str]()
    last = max((at for at, one in enumerate(read) if one.kind == MODEL), default=-1)
    for at, one in enumerate(read):
        names |= {call["id"]: call["name"] for call in one.body.get("tool_calls", ())}
        if one.kind == RESULT:  # some clients leave it out
            one.body.setdefault("name", names.get(one.body.get("tool_call_id", ""), ""))
        read[at] = one._replace(is_new=at > last)
    purpose = _purpose(read, bool(body.get("tools")))
    streams = body.get("stream") is True
    return Request(read, key_of(read), purpose, streams, text_field(body, "model"))


def key_of(messages: Sequence[Said]) -> Key:
    last = next((one for one in reversed(messages) if one.kind == MODEL), None)
    return () if last is None else key_of_answer(last.body)


def key_of_answer(body: dict[str, Any]) -> Key:
    ids = [str(call.get("id") or "") for call in body.get("tool_calls", ())]
    return ("calls", *ids) if ids else ("text", _words(body).strip())


def task_of(messages: Iterable[Said]) -> str:
    return next((_words(one.body).strip() for one in messages if one.kind == USER), "")


def recorded(message: Message) -> Said:
    """A message of the record as one of a request."""
    body = {
        name: value
        for name, value in message.dump().items()
        if name in ("role", "content", "tool_calls", "tool_call_id", "name")
    }
    kind = USER if message.kind == SUMMARY else message.kind
    return Said(kind, body, message.steps, message.is_new)


def _words(body: dict[str, Any]) -> str:
    return blocks_text(body["content"], image="")


def _said(message: dict[str, Any], folders: Folders) -> Said:
    content = message.get("content")
    blocks = content if isinstance(content, list) else [{"type": "text", "text": content or ""}]
    made: list[dict[str, Any]] = []
    for block in blocks:
        text, kind = (text_field(block, name) for name in ("text", "type"))
        if isinstance(block, str) or text or kind in ("text", ""):
            text = block if isinstance(block, str) else text
            made.append({"type": "text", "text": folders.then(text)})
        else:  # `image_url` is an `image` of the SDK
            made.append({"type": kind.partition("_")[0]})
    role = text_field(message, "role")
    body: dict[str, Any] = {"role": role, "content": made}
    calls = []
    for call in list_field(message, "tool_calls"):
        arguments = folders.arguments_then(text_field(call, "function", "arguments"))
        name = text_field(call, "function", "name")
        calls.append({"id": text_field(call, "id"), "name": name, "arguments": arguments})
    if calls:
        body["tool_calls"] = calls
    for name in ("tool_call_id", "name"):
        if value := text_field(message, name):
            body[name] = value
    return Said(_KINDS.get(role, USER), body)


def _purpose(read: list[Said], has_tools: bool) -> Purpose:
    first, last = (_words(one.body)[:_HEAD] for one in (read[0], read[-1]))
    if "Based on the activity so far answer the following question" in last:
        return Purpose.ASK
    if has_tools:
        return Purpose.AGENT
    if "generates concise, descriptive titles" in first:
        return Purpose.TITLE
    # in the words of the user before 1.58
    if "maintaining a context-aware state summary" in first + last:
        return Purpose.CONDENSER
    return Purpose.OTHER
