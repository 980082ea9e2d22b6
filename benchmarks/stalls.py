"""How long the screen stands still: large results, and the strip of a long run. Against a DataTable
of 1,000 rows that gets the same keys, and whose lines are drawn.

`python -m benchmarks.stalls ZIP` measures in a process of its own, without a terminal: the gap of
the event loop is what counts, and a pty would add frames that are not ours.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import made
from benchmarks.plain_apps import Table
from benchmarks.result import Result, child, p95, result

if TYPE_CHECKING:
    from textual.pilot import Pilot
    from textual.widget import Widget

LARGE = {"1 MB of output": 4, "a diff of 2,000 lines": 8, "200 kB of Markdown": 12}
"""Steps with large bodies, counted from 1."""

STEPS = 100_000

WIDTHS = range(80, 120)

PAGES = ["pagedown"] * 8


def measure(zips: dict[int, Path], home: Path) -> list[Result]:
    path = made.write_zip(home / "large.zip", made.large_bodies())
    found = child("stalls", path)
    results = [
        result(f"longest stall, {name}", "ms", found[name], found["table"], ratio=1)
        for name in LARGE
    ]
    strip, lines = found["strip"], found["lines"]
    results.append(result("strip of 100,000 steps, redraw", "ms", strip, lines, ratio=0.25))
    return results


async def _stalls(path: Path) -> dict[str, float]:
    from oh_tui.settings.startup import Settings
    from oh_tui.sources.file_source import FileSource
    from oh_tui.tui.app import SWITCH, OhTui
    from oh_tui.tui.platform import idle_gc

    # as `oh-tui` runs it: a collector that goes through everything is no part of what is measured
    gc.disable()
    gc.callbacks.append(idle_gc.freeze_survivors)
    sys.setswitchinterval(SWITCH)
    app = OhTui(lambda: FileSource([path]), Settings())
    found: dict[str, float] = {}
    async with app.run_test(size=(160, 48)) as pilot:
        timeline = app.main.timeline
        while not timeline.row_count():
            await pilot.pause(0.05)
        await pilot.press("3", "g")
        await pilot.pause(0.5)
        for name, step in LARGE.items():
            if not timeline.go_to_step(step - 1):
                raise RuntimeError(f"no step {step - 1}")
            await pilot.pause(0.5)
            found[name] = await _stalled(
                # onto the step, through its result by pages, to its end and back
                pilot, "down", "4", *PAGES, "end", "home", "3"
            )  # fmt: skip
    return found


async def _table() -> dict[str, float]:
    """The longest gap of a DataTable, and milliseconds to draw its lines anew."""
    from textual.widgets import DataTable

    app, times = Table(), []
    async with app.run_test(size=(160, 48)) as pilot:
        await pilot.pause(0.5)
        gap = await _stalled(pilot, "ctrl+home", *PAGES, "ctrl+end", "ctrl+home")
        table = app.query_one(DataTable[str])
        for _ in WIDTHS:
            table._clear_caches()
            times.append(_drawn(table))
    return {"table": gap, "lines": p95(times)}


def _drawn(view: Widget) -> float:
    """Milliseconds to draw the lines of a widget."""
    gc.collect()
    began = time.perf_counter()
    for y in range(view.size.height):
        view.render_line(y)
    return (time.perf_counter() - began) * 1000


async def _stalled(pilot: Pilot[Any], *keys: str) -> float:
    """Milliseconds of the longest gap while these keys are pressed."""
    gap = asyncio.create_task(_longest_gap())
    await asyncio.sleep(0.01)
    for key in keys:
        await pilot.press(key)
    await asyncio.sleep(0.3)
    gap.cancel()
    return await gap


async def _longest_gap() -> float:
    """Milliseconds; ends by being cancelled."""
    longest, last = 0.0, time.perf_counter()
    try:
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            longest, last = max(longest, now - last - 0.001), now
    except asyncio.CancelledError:
        return longest * 1000


async def _strip() -> float:
    """Milliseconds to draw the strip anew, the run having grown, at widths not drawn before."""
    from textual.app import App, ComposeResult

    from oh_tui.trajectory.costs.accounting import Accounts
    from oh_tui.trajectory.findings.strip import Strip
    from oh_tui.trajectory.model.events import Event, parse_event
    from oh_tui.trajectory.model.trajectory import build
    from oh_tui.tui.theme import DARK
    from oh_tui.tui.widgets.strip_view import LABEL, StripView

    def events() -> Iterator[Event]:
        for event in made.events(STEPS * 9 // 4):
            yield parse_event(json.dumps(event).encode())

    run = build(events())
    if len(run) < STEPS:
        raise RuntimeError(f"{len(run)} steps")
    strip = Strip(run, Accounts(run))

    class Bare(App[None]):
        def compose(self) -> ComposeResult:
            yield StripView()

    app, times = Bare(), []
    app.register_theme(DARK)
    app.theme = DARK.name
    async with app.run_test(size=(160, 10)) as pilot:
        view = app.query_one(StripView)
        for width in WIDTHS:
            view.styles.width = width + LABEL
            await pilot.pause()
            view.show(strip)
            strip.update()
            times.append(_drawn(view))
    return p95(times)


async def _main(path: Path) -> None:
    found = await _stalls(path) | await _table()
    found["strip"] = await _strip()
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
