"""The threads of the event loop: bounded, and nothing waits for them."""

from __future__ import annotations

import asyncio
import threading

import pytest

from oh_tui.tui.platform import daemon_threads
from oh_tui.tui.platform.daemon_threads import DaemonThreads


async def test_so_many_calls_run_at_once_and_all_end() -> None:
    loop, threads, go_on = asyncio.get_running_loop(), DaemonThreads(), threading.Event()
    before, began = threading.active_count(), threading.Semaphore(0)

    def call(number: int) -> int:
        began.release()
        assert threading.current_thread().daemon
        go_on.wait()
        return number

    calls = [loop.run_in_executor(threads, call, n) for n in range(3 * daemon_threads.MOST)]
    for _ in range(daemon_threads.MOST):
        began.acquire()
    assert threading.active_count() - before == daemon_threads.MOST
    go_on.set()
    assert await asyncio.gather(*calls) == list(range(len(calls)))


async def test_what_is_cancelled_while_it_waits_never_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(daemon_threads, "MOST", 1)
    threads, go_on, ran = DaemonThreads(), threading.Event(), list[str]()
    first = threads.submit(go_on.wait)
    waiting, last = threads.submit(ran.append, "waiting"), threads.submit(ran.append, "last")
    assert waiting.cancel() and not first.cancel()
    go_on.set()
    last.result()
    assert ran == ["last"]


def test_an_error_reaches_who_asked_and_the_thread_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(daemon_threads, "MOST", 1)
    threads = DaemonThreads()
    wrong, right = threads.submit(int, "x"), threads.submit(int, "7")
    with pytest.raises(ValueError, match="invalid literal"):
        wrong.result()
    assert right.result() == 7
