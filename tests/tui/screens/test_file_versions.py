"""The versions of a file, blame, and the files as of a step."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.changes.history import Stopped
from oh_tui.trajectory.changes.touched_files import END, FilePlace
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.block import Note
from oh_tui.tui.screens.changes import file_pane, file_versions
from oh_tui.tui.screens.changes.screen import ChangesScreen, FilesThenScreen
from oh_tui.tui.widgets.drawing import Rule
from tests.demo_runs import demo_run
from tests.trajectory.edited import A, edit, run, view
from tests.trajectory.made import call, message, output, result, shell
from tests.trajectory.sub_agent_files import CHECK, folder, task, zip_of
from tests.tui.explorer import LONGEST, explore
from tests.tui.screens.test_changes_screen import GIT, look


def edited_elsewhere() -> Trajectory:
    """Two edits, between which a command writes, and one command after them."""
    command = "sed -i s/two/2/ src/a.py\x1b[31m"
    events = [
        *edit("1", A, "one\ntwo\n", "ONE\ntwo\n"),
        shell("2", command),
        output("2"),
        *edit("3", A, "ONE\n2\n", "ONE\n2\nthree\n"),
        shell("4", "make format"),
        output("4"),
    ]
    return run(*events)


async def test_the_versions_of_a_file_are_walked() -> None:
    async with look(edited_elsewhere()) as it:
        assert "( ) versions" in it.footer and "b blame" in it.footer
        await it.press("left_parenthesis")
        assert "version 4 of 4 · step 3 · edit" in it.change
        assert "as of step 3; 1 command since may have changed it" in it.change
        assert "+three" in it.change and "+ONE" not in it.change
        assert "step 4  $ make format" in it.change
        assert "s to step 3" in it.footer and "esc back" in it.footer
        await it.press("left_parenthesis")
        assert "version 3 of 4 · elsewhere, between 1 and 3: 1 command that may write" in it.change
        assert "-two" in it.change and "+2" in it.change
        assert "step 2  $ sed -i s/two/2/ src/a.py" in it.change
        assert "\x1b" not in it.change
        await it.press("left_parenthesis")
        assert "version 2 of 4 · step 1 · edit · certain" in it.change
        await it.press("left_parenthesis")
        assert "version 1 of 4 · before the run" in it.change
        assert "one" in it.change and "+one" not in it.change
        await it.press("left_parenthesis")
        assert "this is the first version" in it.footer
        await it.press("escape")
        assert "2 edits, steps 1-3" in it.change
        assert "+three" in it.change and "+ONE" in it.change
        await it.press("right_parenthesis")
        assert "version 1 of 4" in it.change


async def test_t_shows_the_whole_text_of_a_version() -> None:
    async with look(edited_elsewhere()) as it:
        await it.press("left_parenthesis", "t")
        assert [line.split() for line in it.lines(it.screen.pane.body)[1:4]] == [
            ["1", "ONE"],
            ["2", "2"],
            ["3", "three"],
        ]
        assert "edit · 3 lines" in it.change and "4" not in it.lines(it.screen.pane.body)[4]
        await it.press("left_parenthesis")
        assert "version 3 of 4" in it.change and "three" not in it.change
        await it.press("t")
        assert "+2" in it.change
        await it.press("t", "escape")
        assert "+2" in it.change, "esc leads back by one"
        await it.press("s")
        assert it.app.answers == [("step", 3)], "the step that found it"


async def test_blame_names_the_step_of_each_line() -> None:
    async with look(edited_elsewhere()) as it:
        await it.press("b")
        assert it.screen.pane.lines.has_focus
        assert [line.split() for line in it.lines(it.screen.pane.lines)[:3]] == [
            ["▌1", "1", "ONE"],
            ["?", "2", "2"],
            ["3", "3", "three"],
        ]
        assert "enter to step 1" in it.footer
        await it.press("j")
        assert "to step" not in it.footer
        await it.press("enter")
        assert it.app.answers == []
        assert "no step of this run wrote that line" in it.footer
        await it.press("left_parenthesis", "left_parenthesis")
        assert "version 3 of 4" in it.change
        await it.press("left_parenthesis")
        assert [line.split() for line in it.lines(it.screen.pane.lines)[:2]] == [
            ["▌1", "1", "ONE"],
            ["2", "two"],
        ], "a line from before the run has no step"
        await it.press("escape")
        assert "version 2 of 4" in it.change and "+ONE" in it.change
        assert it.screen.files.has_focus
        await it.press("b", "enter")
        assert it.app.answers == [("step", 1)]


async def test_a_text_is_found_in_blame() -> None:
    text = "".join(f"line {n}\n" for n in range(300)) + "the needle\n" + "x\n" * 50
    async with look(run(*edit("1", A, f"{text}Needle\n", f"{text}a NEEDLE\n"))) as it:
        await it.press("slash")
        assert "/ finds in the lines of blame" in it.footer
        await it.press("b", "slash")
        assert "enter find" in it.footer and it.screen.find.is_open
        await it.press(*"needle", "tab", "enter")
        lines = it.screen.pane.lines
        assert lines.has_focus and not it.screen.find.is_open
        assert lines.current and lines.current.text == "the needle"
        assert "the needle" in it.blamed, "it is in sight"
        await it.press("n")
        assert lines.current and lines.current.text == "a NEEDLE"
        assert "enter to step 1" in it.footer and "n N hits" in it.footer
        await it.press("n", "N")
        assert lines.current and lines.current.text == "a NEEDLE", "around the ends"
        await it.press("slash", "ctrl+u", *"nowhere", "enter")
        assert "no line holds that text" in it.footer
        await it.press("n", "j", "slash", "escape")
        assert lines.has_focus and it.screen.pane.shown == "blame"
        await it.press("escape")
        assert it.screen.pane.shown == "blame" and not it.screen.find.needle
        await it.press("escape")
        assert it.screen.pane.shown == "change"


async def test_long_lines_of_blame_are_scrolled_sideways() -> None:
    wide = "日本語" * 40
    text = f"short\n{'a' * 100}needle{'b' * 100}END\n{wide}END\n"
    async with look(run(*edit("1", A, None, text, "create")), size=(80, 24)) as it:
        await it.press("b")
        lines = it.screen.pane.lines
        assert "← → sideways" in it.footer and "END" not in it.blamed
        await it.press("left")
        assert lines.left == 0
        await it.press("right")
        assert "short" not in it.blamed and "aaaa" in it.blamed
        await it.press(*["right"] * 40)
        rows = it.lines(lines)[:3]
        assert rows[1].endswith("bEND") and rows[2].endswith("語END"), "no further than the end"
        assert [row[:6].split() for row in rows[1:]] == [["1", "2"], ["1", "3"]]
        for _ in range(3):
            lines.left -= 1
            cells = {lines.render_line(y).cell_length for y in range(3)}
            assert cells == {lines.scrollable_content_region.width}
        await it.press("w")
        assert "scroll sideways" in it.footer
        await it.press("slash", *"needle", "enter")
        assert "needle" in it.lines(lines)[1], "a hit is brought into sight"
        await it.press("escape", "escape", "b")
        assert lines.left == 0


async def test_what_reads_blame_is_ended_by_esc(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()

    def reads(files: object, file: object, state: object, stop: Callable[[], bool]) -> object:
        while not stop():
            asked.set()
            time.sleep(0.001)
        raise Stopped

    monkeypatch.setattr(file_pane, "blame_rows", reads)
    async with look(edited_elsewhere()) as it:
        await it.pilot.press("b")
        async with asyncio.timeout(LONGEST):
            while not asked.is_set():
                await it.pilot.pause(0.01)
        await it.pilot.pause()
        assert "reading which step wrote each line" in it.blamed
        await it.pilot.press("j")
        await it.press("escape")
        assert "2 edits, steps 1-3" in it.change


async def test_a_file_without_versions_says_so() -> None:
    async with look(demo_run("week-dates")) as it:
        it.set_git(GIT)
        await it.settle()
        await it.press("G")
        assert "versions" not in it.footer
        for key in ("left_parenthesis", "b", "t"):
            await it.press(key)
            assert "no version of it is known" in it.footer


async def test_blame_shows_neither_keys_nor_control_characters() -> None:
    key = "-----BEGIN PRIVATE KEY-----\n" + "a1B2" * 12 + "\n-----END PRIVATE KEY-----\n"
    secret = "sk-ant-api03-" + "a1B2" * 12
    async with look(run(*edit("1", A, "x\n", f"x\x1b[31m\n{key}{secret}\n"))) as it:
        await it.press("b")
        shown = "\n".join(it.lines(it.screen.pane.lines))
        assert "a1B2" not in shown and "\x1b" not in shown
        assert shown.count("[hidden]") == 4


async def test_blame_grows_with_the_run() -> None:
    trajectory = run(*edit("1", A, "a\n", "b\n"), live=True)
    async with look(trajectory) as it:
        await it.press("b")
        trajectory.extend(edit("2", A, "b\n", "b\nc\n"))
        it.screen.grown()
        await it.settle()
        assert [line.split() for line in it.lines(it.screen.pane.lines)[:2]] == [
            ["▌1", "1", "b"],
            ["2", "2", "c"],
        ]


def told(trajectory: Trajectory, number: int, *, whole: bool = False) -> str:
    """The blocks of a version of the only file."""
    (file,) = Study(trajectory).files.files
    versions = file_versions.versions_until(file, END)
    blocks = file_versions.version_blocks(file, versions, number, END, whole=whole)
    return "\n".join(f"{type(one).__name__} {getattr(one, 'text', '')}" for one in blocks)


def test_versions_say_what_is_not_known() -> None:
    made = run(*edit("1", A, None, "", "create"))
    assert "Note an empty file" in told(made, 0, whole=True)
    assert "Note the same text again" in told(made, 0)
    action = {"kind": "EditAction", "file_path": A, "old_string": "a", "new_string": "b"}
    part = run(call("1", action, tool="edit"), result("1", {"kind": "EditObservation"}))
    assert "Diff -a\n+b" in told(part, 0)
    assert "Note the events do not hold its text" in told(part, 0, whole=True)
    lines = run(*edit("1", A, "a\r\n", "a\n"))
    assert "Note only invisible characters differ" in told(lines, 1)


def test_a_version_of_a_copied_file_names_where_it_comes_from() -> None:
    events = [
        *edit("1", A, None, "one\ntwo\n", "create"),
        shell("2", "cp src/a.py src/b.py"),
        output("2"),
        *edit("3", A.replace("a.py", "b.py"), "one\ntwo\n", "one\n2\n"),
    ]
    file = Study(run(*events)).files.named("b.py")
    versions = file_versions.versions_until(file, END)
    blocks = file_versions.version_blocks(file, versions, 0, END, whole=False)
    assert Note("the text that step 1 left in src/a.py:") in blocks


async def test_the_files_as_of_a_step_say_what_is_certain() -> None:
    read = view("5", A, "     1\tONE\n     2\t2\n     3\tthree")
    later = edit("6", "z.py", "", "z\n")
    trajectory = edited_elsewhere()
    trajectory.extend([*read, *later])
    async with look(trajectory, shown=FilesThenScreen("Dates", 5)) as it:
        assert "Files as of step 5  Dates" in it.rule
        assert "1 file +3 -2 · 1 may have changed since · editor and patch calls only" in it.rule
        assert it.files[0].split("  ")[0] == "▌src/a.py"
        assert it.files[0].endswith(" 3  1 command since")
        assert "2 edits by then" in it.change
        assert it.change.count("1 command since") == 1
        assert "step 5 read 3 lines of it since, and found them so" in it.change
        assert "step 4  $ make format" in it.change
        assert "+three" in it.change and "-one" in it.change
        await it.press("escape")
        assert it.app.answers == [None]
    async with look(trajectory, (80, 24), FilesThenScreen("Dates", 2)) as it:
        assert "Files as of step 2" in it.rule and "1 may have changed since" in it.rule
        assert it.files[0].endswith(" 1  no command until step 3")
        assert "as step 3 found it; no command until step 3 may have changed it" in it.change
        await it.press("left_parenthesis")
        assert "version 3 of 3" in it.change, "later ones are not shown"
        await it.press("b")
        assert [line.split()[0] for line in it.blamed.split("\n")[:2]] == ["▌1", "?"]
        await it.press("j", "s")
        assert it.app.answers == []
        assert "no step of this run wrote that line" in it.footer


async def test_older_events_that_come_leave_the_step() -> None:
    whole, newest = edited_elsewhere(), Trajectory(complete=False)
    newest.extend(whole.events[2:])
    step = newest.steps[0]
    shown = FilesThenScreen("Dates", step.number, event_id=step.event.id)
    async with look(newest, shown=shown) as it:
        assert "Files as of step 1" in it.rule
        shown.show_study(Study(whole))
        await it.settle()
        assert "Files as of step 2" in it.rule


async def test_a_run_without_edits_by_then_says_so() -> None:
    trajectory = run(shell("1"), output("1"), *edit("2", A, "a", "b"))
    async with look(trajectory, shown=FilesThenScreen("Dates", 1)) as it:
        assert "no file was edited through the editor by step 1; commands may have" in it.files[1]
        await it.press("b", "left_parenthesis", "enter", "s")
        assert it.app.answers == []


async def test_h_shows_the_files_as_of_the_step_of_a_sub_agent(tmp_path: Path) -> None:
    home = "0" * 32 + "/"
    parent = [*edit("1", A, "a\n", "b\n"), *task("t", "go", 0, 1), *edit("2", A, "c\n", "d\n")]
    child = [message("m", "go"), *edit("e", A, "b\n", "c\n")]
    files = folder(home, parent) | folder(f"{home}subagents/{CHECK}/", child, CHECK)
    path = zip_of(tmp_path / "run.zip", files)
    async with explore(source=lambda: FileSource([path])) as it:
        await it.press("enter")
        await it.until(lambda: it.screen.run_view.study is not None)
        await it.press("3", "g", "j", "right", "j", "j", "H")
        shown = it.app.screen
        assert isinstance(shown, FilesThenScreen)
        await it.until(lambda: shown.files.row_count())
        assert "Files as of step 2.2" in it.text_of(shown.list_rule)
        await it.press("b")
        await it.until(lambda: shown.pane.lines.row_count())
        await it.press("enter")
        sub = it.screen.timeline.sub_step_here
        assert sub is not None and sub.path == "2.2"


async def test_c_lists_what_sub_agents_changed_in_the_same_folder(tmp_path: Path) -> None:
    home, b = "0" * 32 + "/", f"{A}b"
    parent = [*edit("1", A, "a\n", "b\n"), *task("t", "go", 0, 1)]
    child = [message("m", "go"), *edit("e", A, "b\n", "c\n"), *edit("f", b, "x\n", "y\n")]
    files = folder(home, parent) | folder(f"{home}subagents/{CHECK}/", child, CHECK)
    path = zip_of(tmp_path / "run.zip", files)
    async with explore(source=lambda: FileSource([path])) as it:
        await it.press("enter")
        await it.until(lambda: it.screen.run_view.study is not None)
        await it.press("c")
        shown = it.app.screen
        assert isinstance(shown, ChangesScreen)
        await it.until(lambda: shown.files.row_count() == 3)
        assert "calls only · 2 files by sub-agents" in it.text_of(shown.list_rule)
        told = [row.split() for row in it.text_of(shown.files).splitlines()]
        assert told[:3] == [
            ["▌src/a.py", "1", "+1", "-1", "1"],
            ["src/a.py", "1", "+1", "-1", "2.2", "by", "sub-agent", "2"],
            ["src/a.pyb", "1", "+1", "-1", "2.3", "by", "sub-agent", "2"],
        ]
        await it.press("j")
        await it.until(lambda: "1 edit, step 2.2" in it.text_of(shown.pane.rule))
        assert "+c" in it.text_of(shown.pane.body) and "-b" in it.text_of(shown.pane.body)
        assert "s to step 2.2" in it.text_of(shown.footer)
        await it.press("left_parenthesis")
        await it.until(lambda: "version 3 of 3" in it.text_of(shown.pane.rule))
        await it.press("escape", "j", "ampersand")
        assert "& filter" not in it.text_of(shown.footer)
        await it.until(lambda: "a filter leaves their steps out" in it.text_of(shown.footer))
        await it.press("s")
        sub = it.screen.timeline.sub_step_here
        assert sub is not None and sub.path == "2.3"


async def test_from_a_traceback_to_the_step_that_wrote_its_line() -> None:
    async with explore() as it:
        await it.press("j", "enter")
        await it.until(lambda: it.screen.run_view.study is not None)
        await it.press("3")
        assert it.screen.timeline.step_here == 58
        rule = it.screen.query_one("#result-rule", Rule)
        assert "blame parse.py:112 (@)" in it.text_of(rule)
        await it.pilot.click(rule, offset=(it.text_of(rule).index("blame"), 0))
        await it.until(lambda: it.app.screen is not it.screen)
        shown = it.app.screen
        assert isinstance(shown, FilesThenScreen)
        await it.until(lambda: shown.pane.lines.row_count())
        await it.until(lambda: shown.pane.lines.cursor == 111)
        assert shown.pane.step == 19
        await it.press("enter")
        assert it.screen.timeline.step_here == 19
        await it.press("at")
        assert "the result names no line of a file that the run edited" in it.footer


async def test_a_line_out_of_sight_leads_to_its_step_too() -> None:
    async with explore(size=(80, 24)) as it:
        await it.press("j", "enter")
        await it.until(lambda: it.screen.run_view.study is not None)
        assert it.screen.timeline.step_here == 58 and "parse.py" not in it.text("#result")
        await it.press("at")
        await it.until(lambda: isinstance(it.app.screen, FilesThenScreen))


async def test_a_place_in_a_file_without_edits_by_then_is_told() -> None:
    trajectory = run(*edit("1", A, "a", "b"), *edit("2", "z.py", "a", "b"))
    for path, words in (("z.py", "z.py was not edited by step 1"), ("y.py", "changed y.py")):
        shown = FilesThenScreen("Dates", 1, FilePlace(path, 3))
        async with look(trajectory, shown=shown) as it:
            assert words in it.footer
            assert it.screen.pane.shown == "change"
