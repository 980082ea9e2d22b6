"""What reading and watching cost the servers.

`python -m benchmarks.calls` reads a finished conversation of 7,000 events over loopback, in a
process of its own.
"""

from __future__ import annotations

import asyncio
import io
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from benchmarks import made
from benchmarks.result import Result, child, middle, result

EVENTS = 7_000
PAGE = 100
ROUNDS = 1


def measure(zips: dict[int, Path], home: Path) -> list[Result]:
    found, watched = child("calls"), child("watching")
    name = f"finished conversation of {EVENTS:,} events"
    return [
        result(f"{name}, calls", "calls", found["cold calls"], found["paging calls"], ratio=0.1),
        result(f"{name}, not kept yet", "ms", found["cold"], found["paging"], ratio=0.3),
        result(f"{name}, kept here", "ms", found["warm"], found["paging"], ratio=0.3),
        result("ten minutes of watching, app server", "calls", watched["app"], most=100),
        result("ten minutes of watching, agent servers", "calls", watched["agent"], most=620),
    ]


class _Server:
    """An app server with one conversation, its events in a folder, a file each. As the real one
    (measured) it reads and decodes every event of the conversation for each page, and for a
    download; it does so with plain `json`, which is several times quicker than what that uses."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for place, event in enumerate(made.events(EVENTS)):
            (folder / f"{place:06}.json").write_text(json.dumps(event, indent=2))
        self.calls = 0

    def answer(self, path: str) -> tuple[str, bytes]:
        """Content type and body."""
        self.calls += 1
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path.endswith("/count"):
            return "application/json", str(len(list(self._folder.iterdir()))).encode()
        events = [json.loads(file.read_bytes()) for file in sorted(self._folder.iterdir())]
        if parts.path.endswith("/download"):
            body = io.BytesIO()
            made.write_zip(body, iter(events))
            return "application/zip", body.getvalue()
        if query.get("sort_order") == "TIMESTAMP_DESC":
            events.reverse()
        start = int(query.get("page_id", 0))
        after = str(start + PAGE) if start + PAGE < len(events) else None
        page = {"items": events[start : start + PAGE], "next_page_id": after}
        return "application/json", json.dumps(page).encode()


@contextmanager
def _served(server: _Server) -> Iterator[str]:
    """The address under which it is asked, on loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            kind, body = server.answer(self.path)
            head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
            self.wfile.write(head.encode() + body)  # in one go: two would wait for each other

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_address[1]}"
        finally:
            http.shutdown()


async def _load() -> dict[str, float]:
    """Milliseconds (medians) and calls to have the whole run as a trajectory."""
    from aiolimiter import AsyncLimiter

    from oh_tui.api import AppServer
    from oh_tui.conversation import Conversation
    from oh_tui.sources.server import ServerSource
    from oh_tui.sources.server_runs.run_cache import RunCache
    from oh_tui.trajectory.model.trajectory import build

    record = Conversation(id="ab" * 16, sandbox_status="MISSING", updated_at="2026-03-01T20:00:00Z")
    calls: dict[str, int] = {}
    times: dict[str, list[float]] = {"cold": [], "warm": [], "paging": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "events").mkdir()
        server = _Server(folder / "events")
        with _served(server) as address:
            whole = build(())
            for number in range(ROUNDS):
                cache = RunCache(folder / f"cache{number}", address, 500_000_000)
                for what in times:
                    server.calls = 0
                    # paced as if the server were slow, 70 pages would take seven seconds
                    api = AppServer(address, limiter=AsyncLimiter(10_000, 1))
                    began = time.perf_counter()
                    if what == "paging":
                        events = api.events(record.id, limit=PAGE)
                        whole = build([event async for event in events])
                    else:
                        source = ServerSource(api, "it", cache=cache)
                        async for loaded in source.runs.load(record):
                            whole = loaded.trajectory or whole
                    times[what].append((time.perf_counter() - began) * 1000)
                    calls[f"{what} calls"] = server.calls
                    if len(whole.events) != EVENTS:
                        raise RuntimeError(f"{what}: {len(whole.events)} events")
                    await api.aclose()
    return {what: middle(taken) for what, taken in times.items()} | calls


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_load())))
