"""Ten minutes of watching the demo, its calls counted: `python -m benchmarks.watching`.

The clock of this process runs FAST times too fast, for oh-tui, Textual, asyncio and the demo's
servers alike, so that ten minutes take half a minute. Nothing else is changed: the calls go to the
embedded servers, which tell app server from agent servers by the path.
"""

# The clock has to be in place before anything keeps a reference to it.
from __future__ import annotations

import json
import os
import selectors
import sys
import time

FAST = 20
MINUTES = 10

LIVE = "flaky-ci"
"""The demo's conversation that is looked at: its agent works on."""

_began = time.monotonic()
_began_at = time.time()
_monotonic, _perf_counter = time.monotonic, time.perf_counter


def _passed() -> float:
    return (_monotonic() - _began) * FAST


class _FastSelector(selectors.DefaultSelector):
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(None if timeout is None else timeout / FAST)


def _speed_up() -> None:
    time.monotonic = lambda: _began + _passed()
    time.perf_counter = time.monotonic
    time.time = lambda: _began_at + _passed()
    selectors.DefaultSelector = _FastSelector  # type: ignore[misc]


async def _watch() -> None:
    import asyncio

    from starlette.types import ASGIApp, Receive, Scope, Send

    from oh_tui.api import AppServer
    from oh_tui.demo import Demo
    from oh_tui.demo.catalog import ENTRIES
    from oh_tui.settings.startup import Settings
    from oh_tui.sources.server import ServerSource
    from oh_tui.tui.app import OhTui

    calls = {"app": 0, "agent": 0}
    demo = Demo()
    live = next(entry.id for entry in ENTRIES if entry.slug == LIVE)

    def counted(app: ASGIApp) -> ASGIApp:
        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            calls["agent" if scope["path"].startswith("/runtime/") else "app"] += 1
            await app(scope, receive, send)

        return serve

    def make() -> ServerSource:
        api = AppServer(demo.base_url, app=counted(demo.app))
        return ServerSource(api, "demo", opening=live, last_known=demo.last_known)

    app = OhTui(make, Settings())
    async with app.run_test(size=(160, 48)):
        await asyncio.sleep(MINUTES * 60)
        run = app.main.timeline.trajectory
        rows, seen = len(app.main.sidebar.conversations), run.events[-1].timestamp if run else ""
        if rows < 34 or run is None or not run.live:
            raise RuntimeError(f"not as it should be: {rows} conversations, {run and run.status}")
        print(f"{len(run.events)} events, the last of {seen}, {run.status}", file=sys.stderr)
        print(json.dumps(calls), flush=True)
        os._exit(0)  # how the explorer ends is no part of this


if __name__ == "__main__":
    _speed_up()
    import asyncio

    asyncio.run(_watch())
