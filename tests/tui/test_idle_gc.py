"""Garbage is collected, but not while the user types."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator

import pytest

from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.tui.platform.idle_gc import IdleCollector, freeze_survivors
from oh_tui.tui.state.loaded_runs import KEPT
from tests.tui.explorer import explore


class Ring:
    """Holds itself: only the collector frees it."""

    def __init__(self) -> None:
        self.myself = self


@pytest.fixture
def frozen() -> Iterator[weakref.ref[Ring]]:
    """Something that outlived a full collection and is not held any more."""
    gc.callbacks.append(freeze_survivors)
    ring = Ring()
    gc.collect()
    found = weakref.ref(ring)
    del ring
    gc.collect()
    assert found(), "what was frozen stays"
    yield found
    gc.callbacks.remove(freeze_survivors)
    gc.unfreeze()


@pytest.mark.slow
def test_what_nobody_holds_goes_when_nobody_types(frozen: weakref.ref[Ring]) -> None:
    now = 1000.0
    collector = IdleCollector(lambda: now)
    for at in range(1, 70):  # a key every second
        now = 1000.0 + at
        collector.touch()
        collector.tick()
    assert frozen()
    now += 1.5
    collector.tick()
    assert frozen() is None


@pytest.mark.parametrize(("took", "pause", "swept"), [(0.02, 0.3, True), (0.2, 0.3, False)])
def test_the_longer_it_takes_the_longer_a_pause_it_waits_for(
    frozen: weakref.ref[Ring],
    monkeypatch: pytest.MonkeyPatch,
    took: float,
    pause: float,
    swept: bool,
) -> None:
    now, collect = 1000.0, gc.collect

    def slow() -> int:
        nonlocal now
        now += took
        return collect()

    collector = IdleCollector(lambda: now)
    with monkeypatch.context() as during:
        during.setattr(gc, "collect", slow)
        during.setattr(gc, "unfreeze", lambda: None)
        now += 60
        collector.touch()
        now += 2
        collector.tick()  # how long it takes is known now
    assert frozen()
    now += 61
    collector.touch()
    now += pause
    collector.tick()
    assert (frozen() is None) == swept


def test_who_types_without_end_waits_once_in_five_minutes(frozen: weakref.ref[Ring]) -> None:
    now = 1000.0
    collector = IdleCollector(lambda: now)
    for at in range(1, 302):
        assert frozen()
        now = 1000.0 + at
        collector.touch()
        collector.tick()
    assert frozen() is None


def test_where_nothing_was_done_nothing_is_looked_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, times = 1000.0, []
    monkeypatch.setattr(gc, "collect", lambda: times.append(now))
    collector = IdleCollector(lambda: now)
    for at in range(1, 290):
        now = 1000.0 + at
        collector.tick()
    assert times == []


async def test_what_a_worker_had_read_goes_when_it_is_put_aside() -> None:
    """A run held by a cancelled reading is freed without waiting for the garbage collector."""

    class Thing:
        pass

    read: list[weakref.ref[Thing]] = []

    async def work() -> None:
        thing = Thing()
        read.append(weakref.ref(thing))
        await asyncio.sleep(60)
        assert thing

    async with explore() as it:
        gc.disable()
        try:
            it.screen.ui.work_on("find", work, instead=True)
            await it.pilot.pause(0)
            assert read and read[0]() is not None
            it.screen.workers.cancel_group(it.screen, "find")
            await it.until(lambda: read[0]() is None)
        finally:
            gc.enable()


@pytest.mark.slow
async def test_runs_that_were_left_go_without_a_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the runs kept for going back stay, however often the user switches."""

    def held() -> int:
        return sum(type(thing) is Trajectory for thing in gc.get_objects())

    async with explore() as it:
        gc.collect()
        gc.disable()
        monkeypatch.setattr(gc, "collect", lambda: 0)  # that of the explorer too
        try:
            before = held()
            for key in ("down", "up"):
                for _ in range(10):
                    await it.press("1", key, "enter")
            # What opens for a moment may still be on its way out.
            await it.until(lambda: held() <= before + KEPT)
        finally:
            gc.enable()


async def test_the_lines_of_a_closed_view_go() -> None:
    async with explore() as it:
        await it.press("T")
        page = it.app.screen.query_one("Footer")
        lines = weakref.ref(page._styles_cache)
        del page
        await it.press("q")
        assert len(it.app.screen_stack) == 1

        def is_gone() -> bool:
            it.app.collector.collect()
            return lines() is None

        # its timer is still on its way out
        await it.until(is_gone)


ARENAS = """
import sys, threading
from oh_tui.tui.platform.idle_gc import limit_arenas

def reserved():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmSize")) // 1024

def work():
    held = [bytearray(2000) for _ in range(200)]
    ready.wait()
    done.wait()

if sys.argv[1] == "limited":
    limit_arenas()
before, ready, done = reserved(), threading.Barrier(7), threading.Event()
threads = [threading.Thread(target=work) for _ in range(6)]
for thread in threads:
    thread.start()
ready.wait()
print(reserved() - before)
done.set()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's arenas")
def test_new_threads_share_the_arenas_there_are() -> None:
    """An arena reserves 64 MB of addresses, a stack 8."""
    grown = {}
    for how in ("limited", "free"):
        words = [sys.executable, "-c", ARENAS, how]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        grown[how] = int(done.stdout)
    if grown["free"] < 200:
        pytest.skip("this C library has no arena for each thread")
    assert grown["limited"] < grown["free"] - 250
