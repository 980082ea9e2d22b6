"""From a key to its frame, in a pty: arrows with 20,000 conversations and 20,000 sandboxes, all of
them in one answer each, which are read again meanwhile; filter and order of 10,000 conversations.
Against an arrow key in a DataTable of 1,000 rows.

`python -m benchmarks.lists ROWS` is the server.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from benchmarks.keys import PlainTable
from benchmarks.result import OH_TUI, PYTHON, ROOT, Result, middle, p95, result
from benchmarks.terminal import Terminal
from oh_tui.catalog.pager import SLICE

ROWS, NARROWED_ROWS = 20_000, 10_000

KEYS = 60
"""Keys in each pane."""

AGAIN = 10
"""Keys after which the lists are read again."""

REST = 0.12
"""Seconds between two keys."""

SETTLED = 2.0
"""Seconds in which what a key set off has come."""

DOWN = b"j"

ROUNDS = 3

NARROWED = (
    ("filter by a word", (b"&017", b"\r"), "& 017", 3),
    ("filter by what is told", (b"&is:paused -017", b"\r"), "& is:paused", 3),
    ("sort by title", (b"s", b"t"), "by title", 6),
)
"""What is measured: the keys before and the one that counts, what then stands in the rule, and how
many arrow keys of a DataTable it may take."""


def measure(zips: dict[int, Path], home: Path) -> list[Result]:
    lines: list[Result] = []
    with PlainTable(home) as table:
        key = p95(table.ups(KEYS))
    with _explorer(ROWS, home) as explorer:
        for name, pane in (("sandboxes", b"2"), ("conversations", b"1")):
            explorer.press(pane)
            if name == "conversations":
                _load(explorer, ROWS)
            explorer.settle(SETTLED)
            times = list(_keys(explorer))
            what = f"arrow key, {ROWS:,} {name}"
            lines.append(result(f"{what}, p95", "ms", p95(times), key, ratio=2))
            lines.append(result(f"{what}, the longest", "ms", max(times), key, ratio=3))
    with _explorer(NARROWED_ROWS, home) as explorer:
        _load(explorer, NARROWED_ROWS)
        explorer.settle(SETTLED)
        for what, keys, told, ratio in NARROWED:
            took = middle([_narrowed(explorer, keys, told) for _ in range(ROUNDS)])
            name = f"{what} of {NARROWED_ROWS:,} conversations"
            lines.append(result(name, "ms", took, key, ratio=ratio))
    return lines


@contextmanager
def _explorer(rows: int, home: Path) -> Iterator[Terminal]:
    with _served(rows) as address, Terminal([OH_TUI, "--server", address], home) as explorer:
        explorer.until(lambda drawn: f"of {rows:,}" in drawn and "paused" in drawn)
        yield explorer


def _narrowed(explorer: Terminal, keys: tuple[bytes, bytes], told: str) -> float:
    """Milliseconds from the last of the keys to the frame in which the rule tells of it."""
    explorer.press(keys[0])
    explorer.settle(0.5)
    explorer.mark()
    pressed = explorer.press(keys[1])
    took = explorer.until(lambda drawn: told in drawn) - pressed
    explorer.settle(SETTLED)
    explorer.press(b"\x1b")
    explorer.settle(SETTLED)
    return took * 1000


def _load(explorer: Terminal, rows: int) -> None:
    """Go to the end until there is no more, and back."""
    for loaded in range(2 * SLICE, rows + 1, SLICE):
        explorer.mark()
        explorer.press(b"G")
        explorer.until(lambda drawn, loaded=loaded: f"{loaded:,}" in drawn)  # type: ignore[misc]
    explorer.press(b"g")


def _keys(explorer: Terminal) -> Iterator[float]:
    """Milliseconds of each key, to the frame with the cursor on another row."""
    cursor = re.compile("▌")
    for number in range(KEYS):
        if number % AGAIN == 0:
            explorer.press(b"r")
        end = time.perf_counter() + REST
        while (left := end - time.perf_counter()) > 0:
            explorer.pump(left)
        explorer.mark()
        pressed = explorer.press(DOWN)
        yield (explorer.until(lambda drawn: cursor.search(drawn) is not None) - pressed) * 1000


@contextmanager
def _served(rows: int) -> Iterator[str]:
    """The address of the server, which has a process of its own."""
    command = [str(PYTHON), "-m", "benchmarks.lists", str(rows)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def _conversation(number: int) -> dict[str, Any]:
    return {
        "id": f"{number:032x}",
        "title": f"conversation {number:05}",
        "sandbox_id": f"sandbox{number:05}",
        "sandbox_status": "PAUSED",
        "created_at": f"2026-11-{1 + number % 28:02}T00:00:00Z",
        "updated_at": f"2026-11-{1 + number % 28:02}T{number % 24:02}:00:00Z",
    }


def _sandbox(number: int) -> dict[str, Any]:
    created = f"2026-11-{1 + number % 28:02}T00:00:00Z"
    return {"id": f"sandbox{number:05}", "status": "PAUSED", "created_at": created}


def main(rows: int) -> None:
    """Serve until killed."""
    conversations = [_conversation(number) for number in range(rows)]
    known = {one["id"]: one for one in conversations}
    pages = {
        "/api/v1/app-conversations/search": conversations,
        "/api/v1/sandboxes/search": [_sandbox(number) for number in range(rows)],
    }
    whole = {
        path: json.dumps({"items": items, "next_page_id": None}).encode()
        for path, items in pages.items()
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            body = whole.get(parts.path, b'{"items": [], "next_page_id": null}')
            if parts.path.endswith("/count"):
                body = str(rows).encode()
            elif parts.path == "/api/v1/app-conversations":
                ids = parse_qs(parts.query).get("ids", [])
                body = json.dumps([known.get(one.replace("-", "")) for one in ids]).encode()
            head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            self.wfile.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        print(f"http://127.0.0.1:{http.server_address[1]}", flush=True)
        http.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
    sys.exit(0)
