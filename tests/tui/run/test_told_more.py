"""The screen for runs that are cut off, partly read, running, or shown on a low screen."""

from __future__ import annotations

from pathlib import Path

from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.glyphs import UNICODE
from oh_tui.tui.screens.help import Section, sections, signs, written
from oh_tui.tui.widgets.drawing import Rule
from tests.tui.explorer import explore
from tests.tui.run.test_run import FLAKY, FUZZING, OAUTH, WEEKS


async def test_a_run_cut_off_with_its_sandbox_says_so() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open("Segfault on huge images")
        told = it.text("#summary")
        assert told.startswith(" ✗ error  The sandbox failed while step 4 was running: $ valgrind")


async def test_a_file_that_is_cut_off_says_so_for_good(tmp_path: Path) -> None:
    async with explore() as it:
        await it.open(WEEKS)
        await it.press("d")
        await it.until(lambda: it.screen.session.saved)
        assert it.screen.session.saved is not None
        data = it.screen.session.saved.read_bytes()
        it.screen.session.saved.unlink()
    cut = tmp_path / "cut.zip"
    cut.write_bytes(data[:60000])
    async with explore(source=lambda: FileSource([cut])) as it:
        told = "! cut off: the end of this run is not in the file"
        rows = it.text("#conversations").splitlines()
        assert rows[0].startswith("▌! Parse ISO week dates")
        assert rows[1].strip("▌ ").startswith("cut off: the end of this")
        await it.press("enter", "k", "k")
        assert told in it.text("#timeline-rule")
        assert it.text("#summary").startswith(f" {told}")
        assert "· cut off ·" in it.text("#run-rule")
        await it.press("home")
        assert it.text("#strip").splitlines()[0].endswith(" cut off")


async def test_a_call_that_was_rejected_is_no_error() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(OAUTH)
        rule = it.text("#timeline-rule")
        assert "– 1 rejected" in rule
        assert "error" not in rule
        await it.press("home", "ampersand")
        await it.type("is:rejected")
        await it.press("enter")
        await it.until(lambda: it.screen.timeline.filtered is not None)
        assert it.screen.timeline.filtered == (13,)
        assert " 13 " in it.text("#timeline") and " – rejected" in it.text("#timeline")
        assert "– rejected" in it.text("#result-rule")
        assert "rejected by you, not run" in it.text("#result")
        await it.press("escape", "home")
        for _ in range(9):
            await it.press("e")
            current = it.screen.timeline.current
            assert current and current[0] and current[0].number != 13


async def test_a_filter_over_the_last_part_of_a_run_names_that_part() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(FUZZING)
        await it.press("ampersand")
        await it.type("is:error")
        await it.press("enter")
        await it.until(lambda: it.screen.timeline.filtered is not None)
        rule = it.text("#timeline-rule")
        assert "filter is:error" in rule
        assert "the last 100 of 12,000 events" in rule
        assert it.screen.timeline.trajectory is not None
        assert len(it.screen.timeline.trajectory.events) == 100  # no page was asked for


async def test_of_a_run_read_in_part_no_step_has_a_number() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(FUZZING)
        assert ":" in it.text("#timeline").splitlines()[-1].split()[1], "its time comes first"
        await it.press("k", "right_curly_bracket")
        await it.until(lambda: "its phases are not known yet" in it.footer)
        assert "step" not in it.text("#call-rule")
        await it.press("end", "v", "k")
        assert "2 steps selected" in it.text("#timeline-rule")
        await it.press("y", "m")
        heading, _, _ = it.app.clipboard.partition("\n")
        assert heading.startswith("### ") and "step" not in heading


async def test_a_run_without_events_has_no_verdict_above_its_reason() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open("Docs: dark mode")
        assert not it.screen.query_one("#summary").display
        assert "starting" in it.text("#timeline")


async def test_a_low_screen_tells_time_and_money_beside_the_verdict() -> None:
    async with explore(size=(80, 24)) as it:
        await it.open(WEEKS)
        assert it.text("#summary").endswith("6m19s  $1.12")


async def test_a_running_step_tells_how_long_it_has_and_that_it_is_followed() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(FLAKY)
        assert "following (f stops)" in it.text("#timeline-rule")
        assert "f stop following" in it.footer
        it.screen.run_view.tick(it.screen.session.clock())
        row = next(line for line in it.text("#timeline").splitlines() if "npm test" in line)
        assert "running" in row
        assert row.split()[row.split().index("$") - 1].isdecimal()
        await it.press("f")
        assert "not following (f follows)" in it.text("#timeline-rule")
        it.screen.footer.clear()
        assert "f follow " in it.footer
        await it.open(WEEKS)
        assert "following" not in it.text("#timeline-rule") + it.footer
        await it.open(FLAKY)
        assert "not following (f follows)" in it.text("#timeline-rule")


async def test_a_line_being_typed_outlives_a_change_of_size() -> None:
    async with explore(size=(120, 36)) as it:
        await it.open(WEEKS)
        await it.press("ampersand")
        await it.type("is:fai")
        await it.pilot.resize_terminal(80, 24)
        await it.pilot.pause()
        await it.type("led")
        await it.press("enter")
        await it.until(lambda: it.screen.timeline.filtered)
        assert it.screen.session.filter_text == "is:failed"


async def test_a_question_outlives_it_too() -> None:
    async with explore(size=(120, 36)) as it:
        await it.open(OAUTH)
        await it.press("y")
        await it.pilot.resize_terminal(80, 24)
        await it.pilot.pause()
        await it.press("i")
        assert it.app.clipboard


async def test_a_long_title_leaves_room_for_the_facts() -> None:
    async with explore(size=(160, 32)) as it:
        rule = it.screen.query_one("#run-rule", Rule)
        rule.title = (("A title " * 40, "title"),)
        rule.facts = (("claude-sonnet-4-5", "dim"), (" · ", "dim"), ("sandbox running", "dim"))
        assert "claude-sonnet-4-5 · sandbox running" in rule.render_line(0).text


def test_a_long_help_goes_on_below_itself() -> None:
    columns = sections(Section("Here", []), Section("Signs", signs(UNICODE)), {}, UNICODE)
    left, right = (written(column, 50, "oh-dark") for column in columns)
    for text in (left, right):
        assert all(len(line) <= 52 for line in text.plain.splitlines()[:40])
    assert any(line.startswith(" " * 14) for line in left.plain.splitlines())
