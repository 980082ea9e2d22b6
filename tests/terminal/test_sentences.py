"""A sentence typed in real time into what asks, in a real terminal and over real connections, does
nothing: what was asked of the server is counted there."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from oh_tui.demo import make_demo
from oh_tui.demo.servers.network import Network
from tests.api.servers import listening
from tests.terminal.terminal import OH_TUI, Terminal
from tests.tui.explorer import Between

SENTENCE = "no, Do it WITHOUT force: stop 5 $ ! # /x of THAT, TCwqFAPm and try"


@contextmanager
def served(network: Network) -> Iterator[tuple[str, Between]]:
    """The demo on a loopback port, and what is asked of it."""
    between, ready, address = Between(), threading.Event(), [""]
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()

    async def serve() -> None:
        async with listening(between(network.over(make_demo().app, seed=7))) as address[0]:
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(60)
        yield address[0], between
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(60)
        loop.close()


def type_slowly(terminal: Terminal, text: str, speed: float) -> None:
    due = time.monotonic()
    for character in text:
        due += speed
        while (left := due - time.monotonic()) > 0:
            terminal.pump(left)
        terminal.child.send(character)


def watch(terminal: Terminal, seconds: float = 2.0) -> None:
    """Take what comes, for as long as a late act may need."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        terminal.pump()


def begin(terminal: Terminal) -> None:
    terminal.wait_for("Add OAuth login")
    terminal.settle()
    terminal.press("g")
    terminal.wait_for("a answer")
    terminal.settle()


@pytest.mark.slow
@pytest.mark.parametrize("speed", [0.02, 0.08, 0.13, 0.25])
@pytest.mark.parametrize("waits", [(0.0, 0.0), (0.1, 0.8)], ids=["local", "slow"])
def test_a_sentence_in_real_time_does_nothing(speed: float, waits: tuple[float, float]) -> None:
    with served(Network(waits=waits, fails=0.0)) as (address, between):
        for key in ("a", "p", "P", "F", "$", "m"):
            with Terminal(OH_TUI, "--server", address, size=(160, 48)) as terminal:
                begin(terminal)
                type_slowly(terminal, f"{key}{SENTENCE}\r", speed)
                watch(terminal)
                done = [one for one in between.asked if not one.startswith("GET ")]
                assert done == [], f"{key} at {speed} s a key"
                if key == "a":
                    assert SENTENCE[1:] in terminal.text, "the reason is whole"


@pytest.mark.slow
@pytest.mark.parametrize("bracketed", [True, False], ids=["bracketed", "raw"])
def test_a_sentence_pasted_in_a_real_terminal_does_nothing(bracketed: bool) -> None:
    text = f"\x1b[200~{SENTENCE}\r\x1b[201~" if bracketed else f"{SENTENCE}\r"
    with served(Network(waits=(0.1, 0.8), fails=0.0)) as (address, between):
        for key in ("a", "p", "F"):
            with Terminal(OH_TUI, "--server", address, size=(160, 48)) as terminal:
                begin(terminal)
                terminal.child.send(f"{key}{text}")
                watch(terminal)
                assert [one for one in between.asked if not one.startswith("GET ")] == []
