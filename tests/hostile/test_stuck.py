"""A signal ends the explorer in time, even when its event loop is blocked."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.terminal.test_crashes import crash

LIMIT = 30.0
"""Seconds from the signal to the end, which takes 2 where nothing else runs."""

TURNS = """
def turns(*_, **__):
    while True:
        pass
navigation.ViewActions.action_hidden = turns
"""
WAITS = """
import threading
def waits(*_, **__):
    threading.Event().wait()
navigation.ViewActions.action_hidden = waits
"""
AT_THE_END = """
import time
Screen.on_unmount = lambda *_: time.sleep(600)
"""


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("change", [TURNS, WAITS], ids=["turns", "waits"])
def test_a_signal_ends_it_though_the_loop_is_stuck(
    tmp_path: Path, change: str, number: signal.Signals
) -> None:
    with crash(tmp_path, change, "x") as terminal:
        time.sleep(0.5)
        began = time.monotonic()
        terminal.child.kill(number)
        assert terminal.ends() == 128 + number
        assert time.monotonic() - began < LIMIT
        assert terminal.is_restored()
        assert terminal.said == ""


def test_a_signal_ends_it_though_the_ending_is_stuck(tmp_path: Path) -> None:
    with crash(tmp_path, AT_THE_END, "q") as terminal:
        time.sleep(0.5)
        terminal.child.kill(signal.SIGTERM)
        assert terminal.ends() == 128 + signal.SIGTERM
        assert terminal.is_restored()
