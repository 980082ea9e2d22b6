"""The embedded server with hostile texts in place of its own, on a loopback port."""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.hostile.texts import CORPUS
from tests.listener import at_once

OURS = frozenset(
    {
        *("id", "kind", "timestamp", "source", "key", "type", "role", "next_page_id"),
        *("status", "sandbox_status", "execution_status", "session_api_key", "url"),
        *("conversation_url", "agent_server_url", "created_at", "updated_at"),
    }
)
"""Fields that decide what is read next, besides all that end in `_id` and `_ids`."""


class Spoiler:
    """Puts one text of the corpus after the other into all that an answer says."""

    def __init__(self, start: int = 0) -> None:
        texts = list(CORPUS.values())
        self._next = itertools.cycle(texts[start:] + texts[:start]).__next__

    def spoil(self, value: Any, name: str = "") -> Any:
        if name in OURS or name.endswith(("_id", "_ids")):
            return value
        if isinstance(value, str):
            bad = self._next()
            return f"{bad}{value}{bad}" if value else bad
        if isinstance(value, list):
            return [self.spoil(inner, name) for inner in value]
        if isinstance(value, dict):
            return {inner: self.spoil(value[inner], inner) for inner in value}
        return value


def changed(app: ASGIApp, change: Callable[[str, Any], Any]) -> ASGIApp:
    """`app` with each JSON answer given to `change`, along with "GET /path", and with the corpus in
    each file that is downloaded."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        held: list[Message] = []

        async def keep(message: Message) -> None:
            held.append(message)

        await app(scope, receive, keep)
        start = held[0]
        body = b"".join(message.get("body", b"") for message in held[1:])
        headers = dict(start["headers"])
        if b"json" in headers.get(b"content-type", b""):
            value = change(f"{scope['method']} {scope['path']}", json.loads(body))
            body = value if isinstance(value, bytes) else json.dumps(value).encode()
        elif scope["path"].endswith("/file/download"):
            body = "\n".join(CORPUS.values()).encode("utf-8", "surrogatepass")
        if b"content-length" in headers:
            headers[b"content-length"] = str(len(body)).encode()
        await send({**start, "headers": list(headers.items())})
        await send({"type": "http.response.body", "body": body})

    return serve


@contextlib.contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """`app` in a thread; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        at_once(listener)
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
