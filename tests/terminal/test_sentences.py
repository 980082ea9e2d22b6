"""A sentence typed in real time into what asks, in a real terminal and over real connections, does
nothing: what was asked of the server is counted there."""

from __future__ import annotations

import time

import pytest

from oh_tui.demo import Demo
from oh_tui.demo.servers.network import Network
from tests.terminal.served import Act, keeping, served
from tests.terminal.terminal import OH_TUI, Terminal

SENTENCE = "no, Do it WITHOUT force: stop 5 $ ! # /x of THAT, TCwqFAPm and try"


def type_slowly(terminal: Terminal, text: str, speed: float) -> None:
    due = time.monotonic()
    for character in text:
        due += speed
        while (left := due - time.monotonic()) > 0:
            terminal.pump(left)
        terminal.child.send(character)


def watch(terminal: Terminal, waits: tuple[float, float]) -> None:
    """Take what comes, for as long as a late act may need, with a few answers before it."""
    end = time.monotonic() + 2.0 + 4 * waits[1]
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
    done: list[Act] = []
    network = Network(waits=waits, fails=0.0)
    with served(network.over(keeping(Demo().app, done), seed=7)) as address:
        for key in ("a", "p", "P", "F", "$", "m"):
            with Terminal(OH_TUI, "--server", address, size=(160, 48)) as terminal:
                begin(terminal)
                type_slowly(terminal, f"{key}{SENTENCE}\r", speed)
                watch(terminal, waits)
                if key == "a":
                    terminal.wait_for(SENTENCE[1:])  # the reason is whole
                assert done == [], f"{key} at {speed} s a key"


@pytest.mark.slow
@pytest.mark.parametrize("bracketed", [True, False], ids=["bracketed", "raw"])
def test_a_sentence_pasted_in_a_real_terminal_does_nothing(bracketed: bool) -> None:
    text = f"\x1b[200~{SENTENCE}\r\x1b[201~" if bracketed else f"{SENTENCE}\r"
    waits = (0.1, 0.8)
    done: list[Act] = []
    network = Network(waits=waits, fails=0.0)
    with served(network.over(keeping(Demo().app, done), seed=7)) as address:
        for key in ("a", "p", "F"):
            with Terminal(OH_TUI, "--server", address, size=(160, 48)) as terminal:
                begin(terminal)
                terminal.child.send(f"{key}{text}")
                watch(terminal, waits)
                assert done == []
