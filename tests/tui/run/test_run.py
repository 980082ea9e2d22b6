"""The run at the right: opening, moving, finding, rows and their detail, growth."""

from __future__ import annotations

import asyncio
import re

import pytest
from textual.events import MouseScrollDown, MouseScrollUp

from oh_tui.demo.catalog import ENTRIES
from oh_tui.trajectory.glyphs import UNICODE
from oh_tui.trajectory.model.steps import Outcome
from oh_tui.tui.controllers.run import reader
from oh_tui.tui.controllers.run.step_moves import FAILED
from tests.tui.explorer import Between, Explorer, case, explore

WEEKS = "Parse ISO week dates"
OAUTH = "Add OAuth login"
BROKEN = "Backfill invoice numbers"
COVERAGE = "Raise the coverage of billing"
FUZZING = "Fuzz the parser over night"
FLAKY = "Flaky CI on main"

IDS = {entry.title: entry.id for entry in ENTRIES}

DOWNLOAD = "GET /api/v1/app-conversations/*/download"


def number(it: Explorer) -> int:
    """The number of the step under the cursor."""
    current = it.screen.timeline.current
    assert current is not None
    assert current[0] is not None
    return current[0].number


async def start(it: Explorer, title: str) -> None:
    """Open a run and do not wait until it is read."""
    it.screen.focus_pane("conversations")
    it.screen.sidebar.highlight(IDS[title])
    await it.send("enter")


def rows(it: Explorer) -> list[str]:
    """The rows of the timeline that are on the screen."""
    return it.text("#timeline").splitlines()


# Landing


async def test_enter_lands_on_what_the_verdict_names() -> None:
    async with explore() as it:
        await it.open(WEEKS)
        assert it.screen.session.pane == "timeline"
        assert number(it) == 58
        assert it.screen.timeline.scroll_y > 0
        assert it.screen.timeline.vertical_scrollbar.position == it.screen.timeline.scroll_y
        await it.open(OAUTH)
        current = it.screen.timeline.current
        assert current and current[0]
        assert it.screen.timeline.trajectory
        assert it.screen.timeline.trajectory.outcome(current[0]) is Outcome.WAITING
        await it.until(lambda: "waits for your answer" in it.text("#result-rule"))


async def test_coming_back_finds_the_old_place() -> None:
    async with explore() as it:
        await it.open(OAUTH)
        await it.press("k", "k")
        await it.open(BROKEN)
        await it.open(OAUTH)
        assert number(it) == 16


async def test_the_old_place_holds_while_the_run_is_read_again() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await it.open(WEEKS)
        await it.press("g", "j", "j", "j")
        await it.open(BROKEN)
        going_on = between.hold("GET /runtime/*/events/count")
        await start(it, WEEKS)
        await it.until(it.screen.timeline.row_count)
        assert number(it) == 4
        await it.send("j")
        assert number(it) == 5
        asked = between.count("GET /runtime/*/events/search")
        between.held["GET /runtime/*/events/search"] = asyncio.Event()
        going_on.set()
        await it.until(lambda: between.count("GET /runtime/*/events/search") > asked)
        between.held.pop("GET /runtime/*/events/search").set()
        await it.settle()
        assert number(it) == 5, "where the reader went meanwhile"


async def test_reading_again_leaves_the_cursor_where_it_is() -> None:
    async with explore() as it:
        await it.open(WEEKS)
        await it.press("g", "j", "j", "j", "r")
        assert number(it) == 4
        await it.open(FUZZING)
        await it.press("g", "j", "r")
        current = it.screen.timeline.current
        assert it.screen.timeline.trajectory
        assert len(it.screen.timeline.trajectory.events) == 180, "what was read stays"
        assert current and it.screen.timeline.cursor == it.screen.timeline.row_of(current[1].id)


async def test_a_place_named_on_the_command_line_is_where_it_lands() -> None:
    async with explore(open_id=IDS[WEEKS], at="45") as it:
        assert it.screen.session.pane == "timeline"
        assert number(it) == 45
        assert "not run: invalid JSON" in it.row()


# Moving


async def test_every_key_that_moves_moves_as_far_as_it_says() -> None:
    async with explore() as it:
        await it.open(WEEKS)
        page = it.screen.timeline.size.height - 1
        half = page // 2
        for key, place in (
            ("g", 1),
            ("k", 1),
            ("j", 2),
            ("down", 3),
            ("up", 2),
            ("home", 1),
            ("pagedown", 1 + page),
            ("pageup", 1),
            ("ctrl+d", 1 + half),
            ("ctrl+u", 1),
            ("G", 61),
            ("j", 61),
            ("end", 61),
        ):
            await it.press(key)
            assert number(it) == place, key


async def test_brackets_walk_the_steps_from_any_pane() -> None:
    async with explore() as it:
        await it.open(WEEKS)
        await it.press("1", "left_square_bracket", "left_square_bracket")
        assert (it.screen.session.pane, number(it)) == ("conversations", 56)
        await it.press("4", "right_square_bracket")
        assert (it.screen.session.pane, number(it)) == ("detail", 57)


async def test_the_result_scrolls_while_the_cursor_stays() -> None:
    async with explore(size=(120, 30)) as it:
        await it.open("Summarise the on-call handbook")
        await it.press("g", "j", "j")
        assert "cat on-call" in it.row()
        first = it.screen.run_view.detail.result_view.position()[0]
        await it.press("J", "J", "J")
        assert it.screen.run_view.detail.result_view.position()[0] == first + 3
        assert f"rows {first + 3}-" in it.text("#result-rule")
        await it.press("K")
        assert it.screen.run_view.detail.result_view.position()[0] == first + 2
        assert number(it) == 3


async def test_errors_and_own_messages_are_a_key_apart_and_the_ends_say_so() -> None:
    async with explore() as it:
        await it.open(WEEKS)
        timeline = it.screen.timeline
        assert timeline.trajectory
        outcome = timeline.trajectory.outcome
        failed = [s.number for s in timeline.trajectory.steps if outcome(s) in FAILED]
        own = [s.number for s in timeline.trajectory.steps if s.event.source == "user"]
        await it.press("g")
        seen = []
        for _ in failed:
            await it.press("e")
            seen.append(number(it))
        assert seen == failed
        await it.press("e")
        assert number(it) == failed[-1]
        assert "no error after this one" in it.footer
        await it.press("E")
        assert number(it) == failed[-2]
        await it.press("U")
        assert number(it) == own[-1]
        await it.press("g", "U")
        assert "no message of yours before this one" in it.footer
        await it.press("E")
        assert "no error before this one" in it.footer
        await it.press("u")
        assert number(it) == own[1]


async def test_phases_are_a_key_apart_and_named_beside_their_steps() -> None:
    async with explore(size=(200, 48)) as it:
        await it.open(WEEKS)
        await it.press("g", "left_curly_bracket")
        assert "no phase before this one" in it.footer
        seen = []
        for _ in range(3):
            await it.press("right_curly_bracket")
            seen.append(number(it))
        assert seen == [7, 8, 16]
        done = "edit, steps 16-21: created test_weeks_prop.py, edited parse.py, 1 call failed"
        assert done in it.footer
        assert "edit, steps 16-21" in it.text("#call-rule")  # there is no room for more
        await it.press("j", "left_curly_bracket")
        assert number(it) == 16
        await it.press("left_curly_bracket")
        assert number(it) == 8
        await it.press("G", "right_curly_bracket")
        assert "no phase after this one" in it.footer
        axis = it.text("#strip").split("\n")[0]
        assert UNICODE.phase in axis and "1:00" in axis
        await it.press("vertical_line", "p", "escape")
        rows = [row for row in it.text("#timeline").split("\n") if "$ git diff --stat" in row]
        assert " run " in rows[0]
        await it.press("s", "c")
        assert " debug " in it.text("#timeline"), "in another order each step has its phase"
        await it.press("escape", "ampersand", *"tests:failed", "enter")
        shown = [row for row in it.text("#timeline").split("\n") if "$ pytest" in row]
        assert shown and all(" debug " in row for row in shown), "with a filter too"


async def test_phases_of_a_long_run_are_found_while_it_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reader, "AT_ONCE", 10)
    async with explore() as it:
        await it.open(WEEKS)
        await it.press("g", "right_curly_bracket")
        assert number(it) == 7


# Finding


async def find(it: Explorer, text: str) -> None:
    await it.press("slash")
    await it.type(text)
    await it.press("enter")


async def test_find_goes_round_marks_its_hits_and_ends_with_esc() -> None:
    async with explore() as it:
        await it.open(WEEKS)
        await it.press("g")
        await find(it, "PYTEST -Q")
        first = number(it)
        assert "pytest" in it.row()
        await it.press("n")
        assert number(it) > first
        assert "pytest" in it.row()
        await it.press("N", "N")
        assert number(it) > first
        assert "wrapped to the end" in it.footer
        await it.press("n")
        assert number(it) == first
        timeline = it.screen.timeline
        hit = timeline.hue("hit")
        line = timeline.render_line(timeline.cursor - round(timeline.scroll_y))
        marked = [s.text for s in line if s.style and s.style.bgcolor == hit.bgcolor]
        assert "pytest -q" in marked
        await it.press("escape")
        assert it.screen.session.find_text == ""
        assert it.screen.session.pane == "timeline"
        await it.press("n")
        assert "search first" in it.footer


async def test_what_is_not_there_is_said_and_the_cursor_stays() -> None:
    async with explore() as it:
        await it.open(WEEKS)
        place = number(it)
        await find(it, "no such words")
        assert "no step contains no such words" in it.footer
        assert number(it) == place


async def test_find_in_an_empty_pane_finds_nothing() -> None:
    async with explore() as it:
        await it.open("Docs: dark mode")
        assert it.screen.timeline.row_count() == 0
        await find(it, "a")
        assert "no step contains" in it.footer


async def test_find_looks_in_the_list_when_the_list_has_the_focus() -> None:
    async with explore() as it:
        await find(it, "ledger")
        current = it.screen.sidebar.list.current
        assert current and current.title == "Rename Store to Ledger"
        assert it.screen.session.pane == "conversations"
        await it.press("slash")
        await it.type("x")
        await it.press("escape")
        assert it.screen.session.find_text == "ledger"
        assert not it.screen.asking.find_input.display


async def test_leaving_the_line_to_type_in_ends_the_find() -> None:
    async with explore() as it:
        await it.open(OAUTH)
        await it.press("slash")
        await it.type("jest")
        await it.press("tab")
        assert not it.screen.asking.find_input.display
        assert it.screen.session.find_text == ""
        await it.press("slash")
        await it.pilot.click("#conversations", offset=(8, 2))
        await it.settle()
        assert not it.screen.asking.find_input.display


async def test_find_in_the_result_goes_to_the_line() -> None:
    async with explore(size=(120, 30)) as it:
        await it.open("Summarise the on-call handbook")
        await it.press("g", "j", "j", "4")
        await find(it, "paged")
        first = it.screen.run_view.detail.result_view.position()[0]
        assert it.screen.session.pane == "detail"
        await it.press(*["n"] * 12)
        assert it.screen.run_view.detail.result_view.position()[0] > first
        assert "q quit" in it.footer, "finding leaves the footer alone"
        await find(it, "no such words")
        assert "this result does not contain no such words" in it.footer


# What is shown


async def test_hidden_events_are_shown_with_x_and_the_cursor_stays_on_its_step() -> None:
    async with explore() as it:
        await it.open(WEEKS)
        timeline = it.screen.timeline
        assert "67 other events hidden (x)" in it.text("#timeline-rule")
        await it.press(*["k"] * 5)
        here = number(it)
        line = timeline.cursor - round(timeline.scroll_y)
        await it.press("x")
        assert timeline.row_count() > 61
        assert "events shown (x)" in it.text("#timeline-rule")
        assert number(it) == here
        assert timeline.cursor - round(timeline.scroll_y) == line
        # The result is the other half: call and result are shown for it too.
        call, result = it.text("#call"), it.text("#result")
        assert timeline.trajectory
        step = timeline.trajectory.steps[here - 1]
        place = timeline.row_of(step.results[0].id)
        assert place is not None
        timeline.move_to(place)
        await it.settle()
        assert number(it) == here
        assert (it.text("#call"), it.text("#result")) == (call, result)
        await it.press("x")
        assert number(it) == here


async def test_every_event_of_every_kind_can_be_selected() -> None:
    async with explore() as it:
        for title in (BROKEN, "Date picker: keyboard trap"):
            await it.open(title)
            await it.press("x", "g")
            timeline = it.screen.timeline
            for row in range(timeline.row_count()):
                timeline.move_to(row)
                await it.pilot.pause(0)
                assert it.text("#call") or it.text("#result") or it.text("#call-rule")
            await it.press("x")
            assert it.text("#call-rule").startswith("─ 4 Call")


async def test_time_is_elapsed_then_the_local_clock_then_utc() -> None:
    async with explore() as it:
        await it.open(OAUTH)
        await it.press("g")
        assert "0:00" in rows(it)[0]
        await it.press("t")
        assert "local clock" in it.footer
        await it.press("t")
        assert "UTC" in it.screen.query_one("#timeline-pane ColumnHead").render_line(0).text
        assert "15:46:32" in rows(it)[0]
        await it.press("t")
        assert "0:00" in rows(it)[0]


async def test_each_pane_takes_the_whole_screen_and_gives_it_back() -> None:
    async with explore() as it:
        await it.open(WEEKS)
        for key, pane in (
            ("1", "conversations"),
            ("2", "sandboxes"),
            ("3", "timeline"),
            ("4", "detail"),
        ):
            await it.press(key, "z")
            shown = [
                name
                for name in ("conversations", "sandboxes", "timeline", "detail")
                if it.screen.query_one(f"#{name}-pane").region.width
            ]
            assert shown == [pane]
            assert it.screen.query_one(f"#{pane}-pane").size.width == 160
            assert it.screen.session.pane == pane
            await it.press("z")
            assert it.screen.session.arrangement.zoom == ""
            assert it.screen.session.pane == pane


async def test_the_whole_call_has_the_rows_that_it_needs() -> None:
    async with explore(size=(80, 24)) as it:
        await it.press("enter", "4", "z")
        call = it.screen.run_view.detail.call_view
        assert call.size.height == call.position()[2] > 2
        assert "lines" not in it.text("#call-rule")


async def test_what_it_is_sorted_by_has_a_column_in_any_width() -> None:
    async with explore(size=(80, 24)) as it:
        await it.press("enter", "3")
        assert "cost" not in it.screen.timeline.columns
        await it.press("s", "c")
        assert "cost" in it.screen.timeline.columns


async def test_long_lines_wrap_or_are_cut() -> None:
    async with explore() as it:
        await it.open("[/b] and [red]markup[/red] in a title")
        await find(it, "yes x")
        wrapped = it.screen.run_view.detail.result_view.position()[2]
        assert wrapped > 20
        await it.press("w")
        assert it.screen.run_view.detail.result_view.position()[2] == 2  # and the shell below
        assert "cut" in it.footer
        await it.press("w")
        assert it.screen.run_view.detail.result_view.position()[2] == wrapped


async def test_a_step_as_json_and_back_shows_both_halves() -> None:
    async with explore() as it:
        await it.open(OAUTH)
        await find(it, "jest")
        await it.press("up", "down")  # from where it opens, not from where a hit was found
        before = it.text("#result")
        await it.press("R", "4", "z")
        text = it.screen.run_view.detail.result_view.plain_text()
        assert '"ActionEvent"' in text
        assert '"ObservationEvent"' in text
        await it.press("z", "R", "3")
        assert it.text("#result") == before


async def test_broken_pairs_are_shown_for_what_they_are() -> None:
    async with explore(size=(200, 48)) as it:
        await it.open(BROKEN)
        await it.press("g")
        rule = it.text("#timeline-rule")
        for fact in (
            "12 steps",
            "✗ 3 errors · – 1 rejected",
            "1 further result of a call",
            "1 result without a call",
            "16 other events hidden (x)",
        ):
            assert fact in rule
        assert "✗ not run: invalid JSON" in rows(it)[3]
        assert [row[1] for row in rows(it)[1:6]] == [" ", "┌", "│", "└", " "]
        await it.press("g", *["j"] * 5)
        assert "second result" in it.text("#result").lower() + it.text("#result-rule").lower()
        await it.press("j")
        told = it.text("#call").lower() + it.text("#result-rule").lower() + it.text("#call-rule")
        assert "without a call" in told or "no call" in told
        assert "Serving HTTP" in it.text("#result")


# Growing


async def test_a_run_grows_while_it_is_watched() -> None:
    async with explore() as it:
        await it.open(FLAKY)
        timeline = it.screen.timeline
        before = timeline.row_count()
        assert timeline.cursor == before - 1
        it.demo.advance(120)
        await it.until(lambda: timeline.row_count() > before)
        assert timeline.cursor == timeline.row_count() - 1, "it follows the newest step"
        await it.press("f")
        assert "stopped following" in it.footer
        await it.press("g", "j")
        assert "stopped following" not in it.footer
        held = it.row()
        grown = timeline.row_count()
        it.demo.advance(120)
        await it.until(lambda: timeline.row_count() > grown)
        assert timeline.cursor == 1
        assert it.row() == held
        await it.press("f")
        assert timeline.cursor == timeline.row_count() - 1


async def test_a_run_that_is_read_again_is_followed_from_its_newest_step_alone() -> None:
    async with explore() as it:
        await it.open(FLAKY)
        timeline = it.screen.timeline
        for before in (timeline.row_count() - 1, 1):
            timeline.move_to(before)
            held, rows = it.row(), timeline.row_count()
            it.demo.advance(120)
            await it.press("r")
            assert timeline.row_count() > rows
            followed = timeline.cursor == timeline.row_count() - 1
            assert followed if before > 1 else it.row() == held


async def test_a_run_whose_sandbox_has_another_key_is_read_again_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("oh_tui.sources.server_runs.following.PACE", (0.02, 0.02, 0.05))
    between = Between()
    async with explore(wrap=between) as it:
        await it.open(FLAKY)
        assert it.screen.session.current
        old = it.screen.session.current.session_api_key
        box = it.demo.world.conversations[it.screen.session.current.id].sandbox
        assert box
        box.keys += 1  # resumed by somebody else, between two looks at the list
        rows = it.screen.timeline.row_count()
        it.demo.advance(60)
        await it.until(lambda: it.screen.timeline.row_count() > rows)
        between.asked.clear()
        await it.until(lambda: between.count("GET /runtime/*/events/search") > 2)
        assert between.count("GET /runtime/*/events/count") < 2, "and not read time and again"
        assert it.screen.session.current.session_api_key != old, "what is done next goes there too"


async def test_the_result_of_the_running_step_comes_in_under_the_cursor() -> None:
    async with explore() as it:
        await it.open(FLAKY)
        assert "● running" in it.text("#result-rule")
        await it.press("f")
        it.demo.advance(60)
        await it.until(lambda: "running" not in it.text("#result-rule"))
        assert "211 passed" in it.text("#result")
        assert number(it) == 7


async def test_the_cursor_stays_when_the_whole_run_takes_the_place_of_its_newest_page() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        going_on = between.hold(DOWNLOAD)
        await start(it, COVERAGE)
        timeline = it.screen.timeline
        await it.until(lambda: timeline.row_count() and it.screen.session.is_reading)
        assert timeline.trajectory and not timeline.trajectory.complete
        assert "3,000 events" in it.text("#timeline-rule")
        await it.send("k", "k", "k")
        await it.pilot.pause(0)
        event = timeline.current and timeline.current[1].id
        line = timeline.cursor - round(timeline.scroll_y)
        going_on.set()
        await it.settle()
        assert timeline.trajectory.complete
        assert timeline.row_count() == 843
        assert timeline.current and timeline.current[1].id == event
        assert timeline.cursor - round(timeline.scroll_y) == line


async def test_esc_stops_a_reading_and_r_reads_on() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        going_on = between.hold(DOWNLOAD)
        await start(it, COVERAGE)
        timeline = it.screen.timeline
        await it.until(timeline.row_count)
        held = timeline.row_count()
        await it.send("escape")
        await it.settle()
        assert "stopped" in it.text("#timeline-rule")
        assert timeline.row_count() == held
        assert it.screen.session.pane == "timeline"
        going_on.set()
        await it.press("r")
        assert timeline.row_count() == 843


async def test_turning_to_another_run_cancels_the_reading_of_the_former() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        between.hold(DOWNLOAD)
        await start(it, COVERAGE)
        await it.until(it.screen.timeline.row_count)
        await it.open(OAUTH)
        reading = [w for w in it.app.workers if w.group == "run" and w.is_running]
        assert reading == []
        assert it.screen.timeline.row_count() == 18
        assert not it.screen.session.is_reading
        assert "18 steps" in it.text("#timeline-rule")


async def test_a_run_too_long_to_download_is_read_page_by_page() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await it.open(FUZZING)
        timeline = it.screen.timeline
        assert timeline.trajectory and len(timeline.trajectory.events) == 100
        assert "the last 100 of 12,000 events" in it.text("#timeline-rule")
        for held in (180, 260):
            await it.press("g")
            assert len(timeline.trajectory.events) == held
        assert f"the last {held} of 12,000 events" in it.text("#timeline-rule")
        assert between.count(DOWNLOAD) == 0


# Mouse


async def test_rows_are_chosen_and_opened_with_the_mouse() -> None:
    async with explore() as it:
        listed = it.screen.sidebar.list
        await it.pilot.click("#conversations", offset=(8, 3))
        await it.settle()
        assert listed.cursor == 1  # below a heading, and two lines each
        await it.pilot.click("#conversations", offset=(8, 3))
        await it.settle()
        assert it.screen.session.pane == "conversations", "one more click is no double click"
        await it.pilot.click("#conversations", offset=(8, 3), times=2)
        await it.settle()
        assert it.screen.session.pane == "timeline"
        assert it.screen.session.current == listed.current
        await it.open(WEEKS)
        await it.pilot.click("#timeline", offset=(20, 2))
        await it.settle()
        top = round(it.screen.timeline.scroll_y)
        assert it.screen.timeline.cursor == top + 2


async def test_a_double_click_opens_the_row_under_the_cursor_and_clicks_nothing_behind_it() -> None:
    async with explore(size=(80, 24)) as it:
        assert it.screen.sidebar.list.cursor == 0
        await it.pilot.click("#conversations", offset=(8, 1), times=2)
        await it.settle()
        assert it.screen.session.pane == "timeline"
        landed = it.screen.timeline.cursor
        await it.press("escape", "enter")
        assert it.screen.timeline.cursor == landed


async def test_the_wheel_scrolls_the_timeline_and_the_next_key_is_at_the_cursor() -> None:
    async with explore() as it:
        await it.open(WEEKS)
        await it.press("g")
        timeline = it.screen.timeline
        for kind, top in ((MouseScrollDown, 3), (MouseScrollDown, 6), (MouseScrollUp, 3)):
            timeline.post_message(kind(timeline, 5, 5, 0, 1, 0, False, False, False))
            await it.settle()
            assert (timeline.cursor, timeline.scroll_y) == (0, top)
        timeline.rows_changed(0)
        assert timeline.scroll_y == 3, "rows that come do not scroll back"
        await it.press("j")
        assert (timeline.cursor, timeline.scroll_y) == (1, 1)


async def test_a_click_on_a_count_of_the_header_lists_what_it_counts() -> None:
    async with explore() as it:
        header = it.text("#header")
        for words, text in (("failed", "is:failed"), ("conversations", "")):
            await it.pilot.click("#header", offset=(header.index(words), 0))
            await it.settle()
            query = it.screen.session.listing.query
            assert (query.text if query else "") == text
            assert it.screen.session.pane == "conversations"


async def test_a_click_on_a_count_of_the_timeline_shows_what_it_counts() -> None:
    async with explore(size=(200, 40)) as it:
        for title, fact, text in (
            (WEEKS, "failed command", "is:failed -is:error"),
            (WEEKS, "error", "is:error"),
            (OAUTH, "rejected", "is:rejected"),
        ):
            with case(fact):
                await it.open(title)
                rule = it.text("#timeline-rule")
                counted = re.search(rf"(\d+) {fact}", rule)
                assert counted
                await it.press("1")
                await it.pilot.click("#timeline-rule", offset=(counted.start(), 0))
                await it.settle()
                filtering = it.screen.session.filtering
                assert filtering and filtering.query.text == text
                assert it.screen.timeline.row_count() == int(counted[1])
                assert it.screen.session.pane == "timeline"
                await it.press("escape")
                assert it.screen.session.filtering is None


async def test_a_click_on_the_hidden_events_shows_and_hides_them() -> None:
    async with explore(size=(200, 40)) as it:
        await it.open(WEEKS)
        for shows in (True, False):
            rule = it.text("#timeline-rule")
            await it.pilot.click("#timeline-rule", offset=(rule.index("(x)"), 0))
            await it.settle()
            assert it.screen.timeline.show_events is shows
            # the call has its own row: named again it would read as if it ran twice
            assert ("result of 58 " in it.text("#timeline")) is shows


async def test_a_click_on_a_key_in_the_footer_does_what_the_key_does() -> None:
    async with explore() as it:
        await it.open(WEEKS)
        await it.press("g")
        await it.pilot.click("#footer", offset=(it.footer.index("next error") + 2, 0))
        await it.settle()
        assert number(it) > 1
        await it.pilot.click("#footer", offset=(it.footer.index("all keys"), 0))
        await it.pilot.pause(0)
        assert len(it.app.screen_stack) == 2


async def test_a_call_that_was_chosen_while_it_was_hidden_has_its_lines() -> None:
    async with explore(size=(80, 24)) as it:
        await it.open("Parse ISO week dates")
        await it.press("1", "e")
        await it.pilot.resize_terminal(100, 24)
        await it.settle()
        call = it.screen.run_view.detail.call_view
        assert call.blocks and call.size.height > 0
