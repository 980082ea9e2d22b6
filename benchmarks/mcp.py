"""From the start of `oh-tui mcp` to its first answer, against the SDK's own empty server.

Asked for by name, since it needs the extra: `make bench ARGS=mcp` after `make setup-dev`.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.result import OH_TUI, PYTHON, Result, interleaved, result

ROUNDS = 7

EMPTY = "from mcp.server.mcpserver import MCPServer; MCPServer('empty').run('stdio')"

HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "bench", "version": "1"},
    },
}


def answered(*command: str | Path) -> Callable[[], float]:
    """Milliseconds until a server has answered `initialize`."""

    def run() -> float:
        began = time.perf_counter()
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin and process.stdout
            process.stdin.write(json.dumps(HELLO).encode() + b"\n")
            process.stdin.flush()
            assert b"serverInfo" in process.stdout.readline()
            took = time.perf_counter() - began
            process.stdin.close()
        return took * 1000

    return run


def measure(zips: dict[int, Path], home: Path) -> list[Result]:
    demo, opened, empty = interleaved(
        ROUNDS,
        answered(OH_TUI, "mcp", "--demo"),
        answered(OH_TUI, "mcp", zips[1000]),
        answered(PYTHON, "-c", EMPTY),
    )
    first = "oh-tui mcp, first answer"
    return [
        result(f"{first}, --demo", "ms", demo, empty, ratio=1.6),
        result(f"{first}, FILE", "ms", opened, empty, ratio=1.6),
    ]
