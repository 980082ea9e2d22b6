"""Whole sessions in a terminal: start, look around, quit; and inputs that cannot be opened."""

from __future__ import annotations

import base64
import contextlib
import re
import sys
import zipfile
from pathlib import Path

import pytest

from oh_tui.cli import after_demo
from tests.terminal.runs import make_zip
from tests.terminal.terminal import OH_TUI, Terminal, first_of

COLOUR = re.compile(rb"[34]8[;:]|\b(?:3[0-7]|4[0-7]|9[0-7]|10[0-7])\b")
"""In the parameters of an SGR sequence: a colour, other than the terminal's own (39, 49)."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_zip(tmp_path_factory.mktemp("runs") / "run.zip")


def sgr(terminal: Terminal) -> set[bytes]:
    """The parameters of all SGR sequences."""
    return set(re.findall(rb"\x1b\[([\d;:]*)m", terminal.drawn))


def cursor_rows(terminal: Terminal) -> list[str]:
    """The rows shown in reverse, left to right what is in reverse of each."""
    rows = []
    for y in range(terminal.screen.lines):
        row = terminal.screen.buffer[y]
        text = "".join(row[x].data for x in range(terminal.screen.columns) if row[x].reverse)
        if len(text.strip()) > 5:
            rows.append(text.strip())
    return rows


def look_around(terminal: Terminal) -> None:
    """The keys that every pane knows, the help and the palette, and all the way back."""
    terminal.press("3", "k")
    terminal.press("z")
    terminal.wait_without("1 Conversations")
    terminal.press("z", "/")
    terminal.wait_for("find text")
    terminal.press("esc")
    terminal.wait_without("find text")
    terminal.press("?")
    terminal.wait_for("type to search")
    terminal.press("esc")
    terminal.wait_without("type to search")
    terminal.press("ctrl+p")
    terminal.wait_for("a command, another word")
    terminal.press("esc")
    terminal.wait_without("a command, another word")


@pytest.mark.slow
@pytest.mark.parametrize("size", first_of([(160, 48), (120, 36)]))
def test_the_demo_shows_its_runs_knows_its_keys_and_leaves_nothing_behind(
    size: tuple[int, int],
) -> None:
    with Terminal(OH_TUI, "--demo", size=size) as terminal:
        terminal.wait_for("1 Conversations")
        terminal.wait_for("2 Sandboxes")
        terminal.wait_for("61 steps")
        assert terminal.modes()["alternate screen"] and terminal.attributes() != terminal.before
        terminal.press("3")
        terminal.wait_for("━ 3 Timeline")
        terminal.press("g", "e")
        terminal.until(lambda: re.search(r"│▌.* ! exit 1", terminal.text), "a failed command")
        terminal.press("x")
        terminal.wait_without("other events hidden (x)")
        look_around(terminal)
        terminal.press("enter")
        terminal.wait_without("3 Timeline")
        terminal.press("q")
        terminal.wait_for("3 Timeline")
        terminal.press("q")
        assert terminal.ends() == 0
        assert terminal.is_restored()
        assert terminal.said == after_demo()


@pytest.mark.slow
def test_in_80_columns_the_list_and_the_run_take_turns() -> None:
    with Terminal(OH_TUI, "--demo", size=(80, 24)) as terminal:
        terminal.wait_for("1 Conversations")
        terminal.wait_for("2 Sandboxes")
        terminal.wait_for("Parse ISO week dates")
        terminal.press("j", "enter")
        terminal.wait_for("3 Timeline")
        assert "1 Conversations" not in terminal.text
        terminal.press("q")
        terminal.wait_for("1 Conversations")
        terminal.press("q")
        assert terminal.ends() == 0
        assert terminal.is_restored()
        assert terminal.said == after_demo()


def test_a_file_opens_on_its_failure_and_quitting_says_nothing(run: Path) -> None:
    with Terminal(OH_TUI, "open", run) as terminal:
        terminal.wait_for("30 steps")
        terminal.wait_for("exit 1  ValueError: not in")
        terminal.wait_for("Now part 29.")
        terminal.press("q")
        assert terminal.ends() == 0
        assert terminal.is_restored()
        assert terminal.said == ""


def test_what_cannot_be_opened_is_told_in_the_shell_and_no_screen_comes_up(run: Path) -> None:
    folder = run.parent
    (folder / "none").mkdir()
    (folder / "text.zip").write_text("no zip")
    (folder / "empty.zip").write_bytes(b"")
    cases = {
        "text.zip": "{} is not a zip",
        "empty.zip": "{} is empty",
        "missing.zip": "There is no file or folder {}",
        "none": "{} holds no trajectory",
    }
    terminals = {name: Terminal(OH_TUI, "open", folder / name) for name in cases}
    with contextlib.ExitStack() as stack:
        for name, sentence in cases.items():
            terminal = stack.enter_context(terminals[name])
            with terminal.named(name):
                assert terminal.ends() == 2
                said = terminal.said.splitlines()
                assert said[0] == f"oh-tui: {sentence.format(folder / name)}"
                assert len(said) <= 2
                assert b"\x1b" not in terminal.drawn


@pytest.mark.slow
def test_a_truncated_zip_shows_what_came_before_the_cut(run: Path) -> None:
    cut = run.with_name("half.zip")
    cut.write_bytes(run.read_bytes()[: run.stat().st_size // 3])
    with Terminal(OH_TUI, "open", cut) as terminal:
        terminal.wait_for("cut off: the end of this run is not in the file")
        terminal.wait_for("make part1")
        terminal.press("q")
        assert terminal.ends() == 0 and terminal.is_restored()


@pytest.mark.slow
def test_a_file_that_is_broken_beside_a_good_one_hides_nothing(run: Path) -> None:
    bad = run.with_name("bad.zip")
    bad.write_text("no zip")
    with Terminal(OH_TUI, "open", bad, run) as terminal:
        terminal.wait_for("30 steps")
        terminal.press("q")
        assert terminal.ends() == 0 and terminal.is_restored()


def test_without_colour_none_is_sent_and_the_cursor_row_is_in_reverse(run: Path) -> None:
    with Terminal(OH_TUI, "open", run, NO_COLOR="1") as terminal:
        terminal.wait_for("30 steps")
        terminal.press("3")
        terminal.wait_for("━ 3 Timeline")
        terminal.press("k")
        terminal.settle()
        (row,) = cursor_rows(terminal)
        assert "29" in row and "make part28" in row
        look_around(terminal)
        terminal.press("q")
        assert terminal.ends() == 0
        assert [codes for codes in sgr(terminal) if COLOUR.search(codes)] == []


@pytest.mark.slow
def test_with_16_colours_text_never_has_the_colour_of_its_ground(run: Path) -> None:
    with Terminal(OH_TUI, "open", run, TERM="xterm", COLORTERM="") as terminal:
        terminal.wait_for("30 steps")
        look_around(terminal)
        terminal.press("q")
        assert terminal.ends() == 0 and terminal.is_restored()
        codes = sgr(terminal)
        assert not any(b"38;" in c or b"48;" in c for c in codes)
        assert any(COLOUR.search(c) for c in codes)
        grounds = {b"3": b"4", b"9": b"10"}
        for code in codes:
            parts = code.split(b";")
            for part in parts:
                if part[:-1] in grounds and part != b"39":
                    assert grounds[part[:-1]] + part[-1:] not in parts


@pytest.mark.slow
def test_with_the_flag_nothing_but_ascii_is_drawn(run: Path) -> None:
    with Terminal(OH_TUI, "open", run, "--ascii") as terminal:
        terminal.wait_for("30 steps")
        look_around(terminal)
        terminal.press("q")
        assert terminal.ends() == 0 and terminal.is_restored()
        assert max(terminal.drawn) <= 0x7E


@pytest.mark.slow
def test_the_linux_console_and_the_locale_c_ask_for_ascii_by_themselves(run: Path) -> None:
    with contextlib.ExitStack() as stack:
        terminals = [
            stack.enter_context(terminal)
            for terminal in (
                Terminal(OH_TUI, "open", run, TERM="linux", COLORTERM=""),
                Terminal(OH_TUI, "open", run, LANG="C"),
                Terminal(OH_TUI, "open", run, LANG="", LC_ALL="POSIX"),
            )
        ]
        for terminal, name in zip(terminals, ("TERM", "LANG", "LC_ALL"), strict=True):
            with terminal.named(name):
                terminal.wait_for("30 steps")
                terminal.press("q")
                assert terminal.ends() == 0 and terminal.is_restored()
                assert max(terminal.drawn) <= 0x7E


@pytest.mark.parametrize("redirection", first_of(["2>/dev/null", "2>errors", "</dev/null", ">out"]))
def test_with_a_stream_that_is_no_terminal_plain_lists_are_printed(
    run: Path, redirection: str
) -> None:
    line = f"oh-tui open {run} {redirection}; code=$?; cat out 2>/dev/null; exit $code"
    with Terminal("sh", "-c", line) as terminal:
        assert terminal.ends() == 0
        assert b"\x1b[?1049h" not in terminal.drawn
        assert "make part29" in terminal.said and "needs a terminal" in terminal.said


@pytest.mark.slow
def test_no_size_is_too_small_and_no_change_of_size_too_much(run: Path) -> None:
    with Terminal(OH_TUI, "open", run) as terminal:
        terminal.wait_for("30 steps")
        for size in [(1, 1), (2, 40), (300, 2), (60, 16), (59, 15), (240, 70)] * 5:
            terminal.resize(*size)
            terminal.pump(0.01)
        terminal.settle()
        terminal.resize(40, 10)
        terminal.wait_for("needs 60 columns and 16 rows")
        terminal.resize(120, 36)
        terminal.wait_for("30 steps")
        terminal.press("q")
        assert terminal.ends() == 0 and terminal.is_restored()


@pytest.mark.slow
def test_it_starts_and_quits_in_one_column_and_one_row(run: Path) -> None:
    with Terminal(OH_TUI, "open", run, size=(1, 1)) as terminal:
        terminal.until(lambda: b"\x1b[?2026l" in terminal.drawn, "a frame")
        terminal.settle()
        terminal.press("q")
        assert terminal.ends() == 0 and terminal.is_restored()


def test_a_hostile_title_sends_nothing_to_the_terminal(tmp_path: Path) -> None:
    bad = tmp_path / "bad.zip"
    with zipfile.ZipFile(make_zip(tmp_path / "run.zip")) as source, zipfile.ZipFile(bad, "w") as to:
        for name in source.namelist()[1:]:
            to.writestr(name, source.read(name).replace(b"part 28 done", rb"\u001b]0;owned\u0007"))
        to.writestr("meta.json", r'{"id": "5f3a", "title": "a\u001b]0;owned\u0007[/b]\u009b2Jz"}')
    with Terminal(OH_TUI, "open", bad) as terminal:
        terminal.wait_for("30 steps")
        terminal.wait_for("a[/b]z")
        terminal.press("3", "k")
        terminal.settle()
        terminal.press("R")
        terminal.settle()
        terminal.press("q")
        assert terminal.ends() == 0 and terminal.is_restored()
        assert b"owned" not in terminal.drawn


def test_a_faulty_settings_file_ends_it_before_the_screen_comes_up(tmp_path: Path) -> None:
    file = tmp_path / "faulty.toml"
    file.write_text('theme = "oh-drak"\n\n[servers.work]\nkey_env = "X"\n[keys]\nfind = "q"\n')
    with Terminal(OH_TUI, "--demo", answers=False, OH_TUI_CONFIG=str(file)) as terminal:
        assert terminal.ends() == 2
        told = terminal.said
    for part in ("has 3 faults", "line 1: ", "line 3: ", "line 6: find: q is quit already"):
        assert part in told
    assert b"\x1b[?1049h" not in terminal.drawn


@pytest.mark.slow
def test_a_settings_file_can_leave_the_mouse_to_the_terminal(tmp_path: Path, run: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("mouse = false\n[keys]\nquit = 'Q'\n")
    with Terminal(OH_TUI, "open", run, OH_TUI_CONFIG=str(file)) as terminal:
        terminal.wait_for("Sort the list")
        assert b"\x1b[?1000h" not in terminal.drawn
        terminal.press("Q")
        assert terminal.ends() == 0


WITH_A_LARGE_STEP = """
import sys, time
from oh_tui import cli
from oh_tui.trajectory.presentation import blocks
from oh_tui.tui.widgets import step_detail

def takes_for_ever(*_, **__):
    time.sleep(600)

step_detail.LARGE = 0
blocks.result_blocks = takes_for_ever
sys.exit(cli.main({words}))
"""


@pytest.mark.slow
def test_quitting_waits_for_no_step_that_is_still_being_made(run: Path, tmp_path: Path) -> None:
    driver = tmp_path / "driver.py"
    driver.write_text(WITH_A_LARGE_STEP.format(words=["open", str(run)]))
    with Terminal(sys.executable, driver, home=tmp_path) as terminal:
        terminal.wait_for("30 steps")
        terminal.wait_for("reading ")
        terminal.press("q")
        assert terminal.ends() == 0
        assert terminal.is_restored()
        assert terminal.said == ""


def test_a_mouse_selection_goes_to_the_clipboard_as_the_text_it_shows(run: Path) -> None:
    with Terminal(OH_TUI, "open", run, size=(120, 36)) as terminal:
        terminal.wait_for("30 steps")
        terminal.settle()
        rows = terminal.text.split("\n")
        call = next(n for n, row in enumerate(rows) if "4 Call" in row) + 1
        left = rows[call].index("│") + 2
        text = rows[call][left:].strip()
        x, y = left + 1, call + 1  # counted from 1
        copied = f"copied 1 line, {len(text)} characters, to the terminal's clipboard"
        drag = f"\x1b[<0;{x};{y}M", f"\x1b[<32;{x + 60};{y}M", f"\x1b[<0;{x + 60};{y}m"
        for _ in range(50):  # once more when the text was drawn anew, in its colours, meanwhile
            terminal.press(*drag)
            terminal.settle()
            terminal.press("ctrl+c")
            terminal.settle()
            if copied in terminal.text:
                break
        terminal.wait_for(copied)
        (sent,) = set(re.findall(rb"\x1b\]52;c;([^\x07\x1b]*)\x07", terminal.drawn))
        assert base64.b64decode(sent, validate=True).decode() == text
        terminal.press("q")
        assert terminal.ends() == 0
        assert terminal.is_restored()
