"""The terminal while the network fails: always restored, nothing left behind."""

from __future__ import annotations

import random
import re
import signal
import sys
from pathlib import Path

import pytest

from tests.faults import faults
from tests.faults.wire import Fault, Wire
from tests.terminal.terminal import OH_TUI, Terminal

pytestmark = pytest.mark.slow

DOWNLOAD = "GET /api/v1/app-conversations/*/download"
KEY = "plain-canary-of-a-download"

CRASH = """
import sys
from oh_tui import cli
from oh_tui.tui.controllers.navigation import ViewActions

def breaks(*_, **__):
    held = "canary-in-" + "a-local"
    raise ValueError("no such thing")

ViewActions.action_hidden = breaks
sys.exit(cli.main(sys.argv[1:]))
"""


def parts(terminal: Terminal) -> list[Path]:
    return list(terminal.home.glob(".oh-tui-*"))


def downloading(wire: Wire, terminal: Terminal) -> None:
    terminal.wait_for("Flaky CI on main")
    terminal.settle()
    wire.arm(DOWNLOAD, faults.silent_midway)
    terminal.press("d")
    terminal.wait_for("downloading")
    terminal.until(lambda: parts(terminal), "the part file")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_in_the_middle_of_a_download_leaves_nothing(
    wire: Wire, number: signal.Signals
) -> None:
    with Terminal(OH_TUI, "--server", wire.url) as terminal:
        downloading(wire, terminal)
        terminal.child.kill(number)
        assert terminal.ends() == 128 + number
        assert terminal.is_restored() and terminal.said == ""
        assert parts(terminal) == []


def test_a_terminal_that_closes_in_the_middle_of_a_download_leaves_nothing(wire: Wire) -> None:
    with Terminal(OH_TUI, "--server", wire.url) as terminal:
        downloading(wire, terminal)
        terminal.hang_up()
        assert terminal.code() == 128 + signal.SIGHUP
        assert parts(terminal) == [] and not list(terminal.home.glob("oh-tui-*"))


def test_a_crash_in_the_middle_of_a_download_leaves_one_report_and_no_secret(
    wire: Wire, tmp_path: Path
) -> None:
    driver = tmp_path / "driver.py"
    driver.write_text(CRASH)
    with Terminal(
        sys.executable, driver, "--server", wire.url, home=tmp_path, OPENHANDS_API_KEY=KEY
    ) as terminal:
        downloading(wire, terminal)
        terminal.press("x")
        assert terminal.ends() == 1 and terminal.is_restored()
        told = re.fullmatch(r"oh-tui crashed: ValueError; the report is in (\S+)", terminal.said)
        assert told, terminal.said
        report = Path(told[1]).read_text()
        assert [Path(told[1])] == list(tmp_path.glob("oh-tui-*")) and parts(terminal) == []
        for secret in (KEY, "canary-in-a-local"):
            assert secret not in report and secret.encode() not in terminal.drawn


@pytest.mark.parametrize(
    "fault",
    [faults.reset, faults.silent, faults.drips, faults.says(502, faults.PAGE, "text/html")],
    ids=["reset", "silent", "drips", "502"],
)
def test_a_storm_of_sizes_on_a_server_in_trouble_ends_in_order(wire: Wire, fault: Fault) -> None:
    """At the start, while it loads, and while nothing comes; one column and one row among them."""
    wire.arm("GET /api/v1/conversation*", fault)
    wire.arm("GET /runtime/*", fault, after=3)
    wire.arm("GET /api/v1/*", faults.late(0.2), times=4)
    sizes = random.Random(7)
    with Terminal(OH_TUI, "--server", wire.url) as terminal:
        terminal.until(lambda: b"\x1b[?1049h" in terminal.drawn, "the screen")
        for number in range(120):
            width, height = sizes.randint(1, 220), sizes.randint(1, 60)
            terminal.resize(*((1, 1) if number % 20 == 0 else (width, height)))
            terminal.press(sizes.choice("jkJK123[]ez?"))
            terminal.press("esc")
            terminal.pump(0.02)
        terminal.resize(120, 36)
        terminal.press("esc", "esc", "1")  # out of a zoom
        terminal.wait_for("Flaky CI on main")
        terminal.press("esc", "esc", "ctrl+q")
        assert terminal.ends() == 0
        assert terminal.is_restored()
        assert not list(terminal.home.glob("oh-tui-*")), "no report of a crash"
