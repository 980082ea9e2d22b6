"""Signals, job control and a terminal that goes away."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from oh_tui.tui.app import ENDING
from tests.terminal.runs import make_zip
from tests.terminal.terminal import LONGEST, OH_TUI, Terminal, first_of

SHELL = ("bash", "--norc", "--noprofile", "--noediting", "-i")
"""A shell with job control that changes no modes of the terminal by itself."""

LEFT = b"\x1b[?1049l"
"""Leaves the alternate screen."""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_zip(tmp_path / "run.zip")


def child_of(terminal: Terminal) -> int:
    """The process that the shell runs."""
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(terminal.pid)],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(found.stdout.split()[0])


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits for its parent to hear of its end does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def until_dead(pid: int) -> None:
    end = time.monotonic() + LONGEST
    while is_alive(pid):
        assert time.monotonic() < end, f"process {pid} still runs"
        time.sleep(0.01)


def leave(terminal: Terminal, key: str) -> None:
    """Press a key that leaves the screen. What is typed before it is left is not for the shell,
    so that is waited for."""
    before = terminal.drawn.count(LEFT)
    terminal.press(key)
    terminal.until(lambda: terminal.drawn.count(LEFT) > before, "the end of the screen")
    terminal.until(lambda: terminal.said.endswith("$"), "the shell")
    assert terminal.modes() == {}


def stop(terminal: Terminal) -> None:
    leave(terminal, "ctrl+z")
    assert "Stopped" in terminal.said


def quit_to_shell(terminal: Terminal, key: str) -> None:
    leave(terminal, key)
    terminal.press("echo code=$?\r")
    terminal.until(lambda: "code=0" in terminal.said, "the exit code")


@pytest.mark.parametrize("number", first_of(ENDING))
def test_a_signal_that_ends_it_gives_the_terminal_back(run: Path, number: signal.Signals) -> None:
    with Terminal(OH_TUI, "open", run) as terminal:
        terminal.wait_for("30 steps")
        terminal.child.kill(number)
        assert terminal.ends() == 128 + number
        assert terminal.is_restored()
        assert terminal.said == ""


@pytest.mark.parametrize(
    "number", first_of([signal.SIGKILL, signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT])
)
def test_an_end_that_nothing_can_handle_gives_the_terminal_back(
    run: Path, number: signal.Signals
) -> None:
    with Terminal(OH_TUI, "open", run) as terminal:
        terminal.wait_for("30 steps")
        terminal.child.kill(number)
        assert terminal.ends() == 128 + number
        end = time.monotonic() + LONGEST
        while terminal.modes() and time.monotonic() < end:  # its watcher writes a moment later
            terminal.pump()
            time.sleep(0.01)
        assert terminal.is_restored()


@pytest.mark.slow
def test_a_signal_at_the_very_start_gives_the_terminal_back_too(run: Path) -> None:
    with Terminal(OH_TUI, "open", run) as terminal:
        terminal.until(lambda: b"\x1b[?1049h" in terminal.drawn, "the alternate screen")
        terminal.child.kill(signal.SIGTERM)
        assert terminal.ends() == 128 + signal.SIGTERM
        assert terminal.is_restored()
        assert terminal.said == ""


def test_ctrl_c_says_how_to_quit_and_ctrl_q_does(run: Path) -> None:
    with Terminal(OH_TUI, "open", run) as terminal:
        terminal.wait_for("30 steps")
        terminal.press("ctrl+c")
        terminal.wait_for("ctrl+c copies selected text; q quits")
        terminal.press("?")
        terminal.wait_for("type to search")
        terminal.press("ctrl+q")
        assert terminal.ends() == 0
        assert terminal.is_restored()


@pytest.mark.slow
def test_bytes_that_are_no_text_are_no_keys(run: Path) -> None:
    with Terminal(OH_TUI, "open", run) as terminal:
        terminal.wait_for("30 steps")
        for odd in (b"\xff\xc3\x28\x80", b"\x1b[99999999999;5u", b"\x1b[200~q\xe2\x1b[201~"):
            terminal.child.send(odd)
            terminal.settle()
        terminal.press("?")
        terminal.wait_for("type to search")
        terminal.press("ctrl+q")
        assert terminal.ends() == 0 and terminal.is_restored()


def test_ctrl_z_gives_the_terminal_to_the_shell_and_fg_comes_back_drawn_and_alive(
    run: Path,
) -> None:
    with Terminal(*SHELL) as terminal:
        terminal.wait_for("$")
        in_shell = terminal.attributes()
        terminal.press(f"oh-tui open {run}\r")
        terminal.wait_for("30 steps")
        for _ in range(2):
            stop(terminal)
            terminal.screen.reset()
            terminal.press("echo alive=$((1+1))\r")
            terminal.wait_for("alive=2")
            assert terminal.attributes() == in_shell
            terminal.press("bg\r")  # the background is no place for it: it stops again
            terminal.settle()
            assert terminal.modes() == {}
            terminal.screen.reset()
            terminal.press("fg\r")
            terminal.wait_for("30 steps")
            terminal.wait_for("1 Conversations")
        terminal.press("?")
        terminal.wait_for("type to search")
        quit_to_shell(terminal, "ctrl+q")
        assert terminal.attributes() == in_shell
        terminal.press("exit\r")
        assert terminal.ends() == 0


@pytest.mark.slow
def test_ctrl_z_under_make_stops_make_too(run: Path) -> None:
    (run.parent / "Makefile").write_text(f"look:\n\t@oh-tui open {run}\n")
    with Terminal(*SHELL, home=run.parent) as terminal:
        terminal.wait_for("$")
        terminal.press("make look\r")
        terminal.wait_for("30 steps")
        stop(terminal)
        terminal.screen.reset()
        terminal.press("fg\r")
        terminal.wait_for("30 steps")
        quit_to_shell(terminal, "q")


@pytest.mark.slow
def test_ctrl_z_without_a_shell_to_continue_it_does_not_stop_for_ever(run: Path) -> None:
    with Terminal(OH_TUI, "open", run) as terminal:
        terminal.wait_for("30 steps")
        terminal.press("ctrl+z")
        terminal.until(lambda: b"\x1b[?1049l" in terminal.drawn, "the stop")
        terminal.press("?")
        terminal.wait_for("type to search")
        terminal.press("ctrl+q")
        assert terminal.ends() == 0 and terminal.is_restored()


@pytest.mark.slow
def test_a_stop_from_outside_is_mended_when_it_goes_on(run: Path) -> None:
    with Terminal(*SHELL) as terminal:
        terminal.wait_for("$")
        in_shell = terminal.attributes()
        terminal.press(f"oh-tui open {run}\r")
        terminal.wait_for("30 steps")
        pid = child_of(terminal)
        os.kill(pid, signal.SIGCONT)  # never stopped: nothing may start a second time
        terminal.settle()
        os.kill(pid, signal.SIGSTOP)
        terminal.wait_for("Stopped")
        terminal.screen.reset()
        terminal.press("fg\r")
        terminal.wait_for("30 steps")
        quit_to_shell(terminal, "q")
        assert terminal.attributes() == in_shell


@pytest.mark.parametrize("words", first_of([["--demo"], ["open", "run.zip"]]))
def test_when_the_terminal_closes_it_ends(run: Path, words: list[str]) -> None:
    with Terminal(OH_TUI, *words, home=run.parent) as terminal:
        terminal.wait_for("1 Conversations")
        terminal.hang_up()
        until_dead(terminal.pid)
        assert terminal.code() == 128 + signal.SIGHUP
        assert not list(run.parent.glob("oh-tui-*"))


@pytest.mark.slow
def test_when_the_terminal_of_its_shell_closes_it_ends(run: Path) -> None:
    with Terminal(*SHELL, home=run.parent) as terminal:
        terminal.wait_for("$")
        terminal.press("oh-tui --demo\r")
        terminal.wait_for("1 Conversations")
        pid = child_of(terminal)
        terminal.hang_up()
        until_dead(pid)
        assert not list(run.parent.glob("oh-tui-*"))


@pytest.mark.slow
def test_when_the_terminal_closes_and_no_signal_comes_it_ends_too(run: Path) -> None:
    line = f"trap '' HUP; oh-tui open {run}; echo $? > code"
    with Terminal("sh", "-c", line, home=run.parent) as terminal:
        terminal.wait_for("30 steps")
        pid = child_of(terminal)
        terminal.hang_up()
        until_dead(pid)
        until_dead(terminal.pid)
        assert (run.parent / "code").read_text() == f"{128 + signal.SIGHUP}\n"
        assert not list(run.parent.glob("oh-tui-*"))


SLOW = """
import socket, sys, threading, time
from oh_tui import cli
socket.getaddrinfo = lambda *_, **__: time.sleep(600)
code = cli.main(["--server", "http://host.invalid"])
print("threads:", [t.name for t in threading.enumerate() if not t.daemon])
sys.exit(code)
"""


@pytest.mark.slow
def test_quitting_does_not_wait_for_a_host_that_is_not_found(tmp_path: Path) -> None:
    driver = tmp_path / "driver.py"
    driver.write_text(SLOW)
    with Terminal("python", "-X", "dev", driver, home=tmp_path) as terminal:
        terminal.wait_for("reading the conversations")
        terminal.settle(0.5)
        terminal.press("q")
        assert terminal.ends() == 0
        assert terminal.is_restored()
        assert terminal.said == "threads: ['MainThread']"


@pytest.mark.slow
def test_quitting_while_runs_are_read_and_followed_leaves_no_task_behind(tmp_path: Path) -> None:
    with Terminal("python", "-X", "dev", "-m", "oh_tui", "--demo", home=tmp_path) as terminal:
        terminal.wait_for("61 steps")
        terminal.press("r", "q")
        assert terminal.ends() == 0
        assert terminal.is_restored()
        own, shared = terminal.said.splitlines()
        assert own.startswith("Your own runs") and "/shared/conversations/" in shared
