"""Answers in the form of chat completions, whole or as a stream."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

from oh_tui.trajectory.replay.folders import Folders
from oh_tui.trajectory.replay.record import Given


def whole(given: Given, model: str, folders: Folders) -> bytes:
    """An answer in one piece, with the folders of now."""
    message = _message(given, folders)
    choice = {"index": 0, "message": message, "finish_reason": _end(given)}
    made = _head(given, model, "chat.completion") | {"choices": [choice], "usage": _usage(given)}
    return json.dumps(made).encode()


def streamed(given: Given, model: str, folders: Folders) -> bytes:
    """The same as events of a stream."""
    return b"".join(f"data: {line}\n\n".encode() for line in _lines(given, model, folders))


def refusal(sentence: str, kind: str = "invalid_request_error") -> bytes:
    return json.dumps({"error": {"message": sentence, "type": kind, "code": kind}}).encode()


def _lines(given: Given, model: str, folders: Folders) -> Iterator[str]:
    head = _head(given, model, "chat.completion.chunk")
    delta = _message(given, folders)
    for index, call in enumerate(delta.get("tool_calls", ())):
        call["index"] = index
    for part, end in ((delta, None), ({}, _end(given))):
        yield json.dumps(head | {"choices": [{"index": 0, "delta": part, "finish_reason": end}]})
    yield json.dumps(head | {"choices": [], "usage": _usage(given)})
    yield "[DONE]"


def _message(given: Given, folders: Folders) -> dict[str, Any]:
    message = {"role": "assistant", "content": folders.now(given.text), **given.thoughts}
    if given.calls:
        message["tool_calls"] = [
            {
                "id": call["id"],
                "type": "function",
                "function": {
                    "name": call["name"],
                    "arguments": folders.arguments_now(call["arguments"]),
                },
            }
            for call in given.calls
        ]
    return message


def _end(given: Given) -> str:
    return "tool_calls" if given.calls else "stop"


def _head(given: Given, model: str, kind: str) -> dict[str, Any]:
    identity = given.response or f"chatcmpl-{uuid.uuid4().hex}"
    return {"id": identity, "object": kind, "created": int(time.time()), "model": model}


def _usage(given: Given) -> dict[str, int]:
    prompt, completion = given.tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
