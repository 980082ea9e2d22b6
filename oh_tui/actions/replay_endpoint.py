"""An endpoint on loopback that speaks chat completions, for the model of a recorded run."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from typing import Any

from oh_tui.text.problem import Problem, Refused
from oh_tui.trajectory.replay.recorded_model import Outcome, RecordedModel
from oh_tui.trajectory.replay.replies import refusal, streamed, whole
from oh_tui.trajectory.replay.requests import read_request

LARGEST = 32_000_000
"""Bytes of a request."""

AT_ONCE = 16
"""Requests that are read or answered at one time."""

PATIENCE = 30.0
"""Seconds in which a client has to send what it has begun."""

LONGEST = 60.0
"""Seconds that an answer waits."""

HOST = "127.0.0.1"


class Endpoint:
    """Serves until `close`. `tell` hears what became of each request, one at a time, in a thread of
    the endpoint. Raises Refused where the port is taken."""

    def __init__(
        self,
        model: RecordedModel,
        tell: Callable[[Outcome], None],
        *,
        port: int = 0,
        pace: float = 0.0,
    ) -> None:
        """Each answer waits `pace` times as long as the recorded model took, as far as that is
        recorded, and at most a minute."""
        self.model, self._tell, self._pace = model, tell, pace
        self.token = f"replay-{secrets.token_urlsafe(24)}"
        """What a client sends as its key: what is served is a private run. No `Secret`, which is
        never shown: the user has to read it."""
        self._one_at_a_time = threading.Lock()
        self.room = threading.BoundedSemaphore(AT_ONCE)
        try:
            self._server = _Server((HOST, port), type("Handler", (_Handler,), {"endpoint": self}))
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or "no such port"
            raise Refused(f"Cannot listen on port {port}: {why.lower()}", "name another") from error
        self.address = f"http://{HOST}:{self._server.server_port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answers nothing any more; returns within a moment."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def is_let_in(self, header: str) -> bool:
        given = header.removeprefix("Bearer ").strip().encode("utf-8", "replace")
        return hmac.compare_digest(given, self.token.encode())

    def answer(self, data: bytes) -> tuple[int, str, bytes]:
        """Status, type and body for a request."""
        model = self.model
        try:
            request = read_request(data, model.folders)
        except Problem as problem:
            return 400, _JSON, refusal(problem.sentence)
        with self._one_at_a_time:
            outcome = model.answer(request)
            self._tell(outcome)
        if outcome.given is None:
            # a client tries 400 no second time (measured, SDK 1.17.0 to 1.58.2)
            return 400, _JSON, refusal(outcome.refused)
        time.sleep(min(LONGEST, outcome.given.seconds * self._pace))
        if request.streams:
            made = streamed(outcome.given, request.model, model.folders)
            return 200, "text/event-stream", made
        return 200, _JSON, whole(outcome.given, request.model, model.folders)


_JSON = "application/json"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    """Connections that wait to be accepted; of more, a client waits a second and tries again."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is no error."""


class _Handler(BaseHTTPRequestHandler):
    endpoint: Endpoint
    timeout = PATIENCE
    connection: socket

    def do_POST(self) -> None:
        with self.endpoint.room:
            self._send(*self._answer())

    def do_GET(self) -> None:
        self._send(404, _JSON, refusal("the recorded model takes POST /v1/chat/completions alone"))

    def _answer(self) -> tuple[int, str, bytes]:
        if not self.endpoint.is_let_in(self.headers.get("Authorization", "")):
            return 401, _JSON, refusal("the key is not the token of this replay", "auth_error")
        if self.path.partition("?")[0] not in ("/v1/chat/completions", "/chat/completions"):
            return (
                404,
                _JSON,
                refusal(
                    "the recorded model speaks chat completions alone: name the model openai/..."
                ),
            )
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            return 411, _JSON, refusal("the request does not tell its length")
        if len(length) > 12 or int(length) > LARGEST:
            return 413, _JSON, refusal(f"a request has at most {LARGEST:,} bytes")
        data = self.rfile.read(int(length))
        if len(data) < int(length):
            return 400, _JSON, refusal("the request is cut off")
        return self.endpoint.answer(data)

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what becomes of a request is told elsewhere."""
