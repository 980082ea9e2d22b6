"""A model that says what a script tells it: an OpenAI-compatible server on loopback that streams.

A script is chosen by a word such as `script:tour` in the user's message and is a list of answers;
which one is next follows from the answers already in the request, so nothing is remembered here.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NAME = "openai/scripted"
"""The name the server knows the model by."""
PRICED = "openai/gpt-4o"
"""Another name for it, one with a known price: runs get a cost."""


@dataclass(frozen=True)
class Call:
    tool: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Answer:
    text: str = ""
    calls: tuple[Call, ...] = ()
    wait: float = 0
    """Seconds that the model takes to think."""
    status: int = 200


class ScriptedModel:
    """Serves the scripts until it is closed; `url` is what an OpenAI client takes as base URL."""

    def __init__(self, scripts: dict[str, list[Answer]]) -> None:
        self.scripts = scripts
        handler = type("Handler", (_Handler,), {"model": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, request: dict[str, Any]) -> Answer:
        if not request.get("tools"):
            return Answer(f"About {_script_name(request['messages']) or 'nothing'}")
        messages = request["messages"]
        asked = max(i for i, message in enumerate(messages) if _script_name([message]))
        step = sum(message["role"] == "assistant" for message in messages[asked:])
        script = self.scripts[_script_name(messages)]
        return script[step] if step < len(script) else Answer("Nothing is left to do.")


class _Handler(BaseHTTPRequestHandler):
    model: ScriptedModel

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = self.model.answer(request)
        time.sleep(answer.wait)
        if answer.status != 200:
            self._send(answer.status, "application/json", b'{"error": {"message": "no such key"}}')
            return
        if request.get("stream"):
            lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in _chunks(request, answer)]
            self._send(200, "text/event-stream", ("".join(lines) + "data: [DONE]\n\n").encode())
        else:
            self._send(200, "application/json", json.dumps(_whole(request, answer)).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the server's own log tells of its requests."""


def _whole(request: dict[str, Any], answer: Answer) -> dict[str, Any]:
    """An answer in one piece: a title, or any answer where the server does not stream."""
    calls = [
        {
            "id": _call_id(index),
            "type": "function",
            "function": {"name": call.tool, "arguments": json.dumps(call.arguments)},
        }
        for index, call in enumerate(answer.calls)
    ]
    message = {"role": "assistant", "content": answer.text} | (
        {"tool_calls": calls} if calls else {}
    )
    choice = {
        "index": 0,
        "message": message,
        "finish_reason": "tool_calls" if calls else "stop",
    }
    return _head(request, "chat.completion") | {
        "choices": [choice],
        "usage": _usage(request, answer),
    }


def _chunks(request: dict[str, Any], answer: Answer) -> Iterator[dict[str, Any]]:
    head = _head(request, "chat.completion.chunk")

    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        return head | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    yield chunk({"role": "assistant", "content": answer.text})
    for index, call in enumerate(answer.calls):
        opening = {"name": call.tool, "arguments": ""}
        identity = {"id": _call_id(index), "type": "function"}
        yield chunk({"tool_calls": [{"index": index, "function": opening, **identity}]})
        text = json.dumps(call.arguments)
        for piece in (text[: len(text) // 2], text[len(text) // 2 :]):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield chunk({}, "tool_calls" if answer.calls else "stop")
    yield head | {"choices": [], "usage": _usage(request, answer)}


def _call_id(index: int) -> str:
    return f"call_{time.time_ns()}_{index}"


def _head(request: dict[str, Any], kind: str) -> dict[str, Any]:
    number = time.time_ns()
    identity = {"id": f"chatcmpl-{number}", "created": number // 10**9}
    return {"object": kind, "model": request["model"], **identity}


def _usage(request: dict[str, Any], answer: Answer) -> dict[str, int]:
    prompt, completion = len(json.dumps(request["messages"])) // 4, 20 + len(answer.text)
    total = prompt + completion
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total}


def _script_name(messages: list[dict[str, Any]]) -> str:
    """The script that the last user message with such a word asks for; "" if there is none."""
    for message in reversed(messages):
        if message["role"] == "user":
            found = re.search(r"script:(\w+)", json.dumps(message["content"]))
            if found:
                return found[1]
    return ""
