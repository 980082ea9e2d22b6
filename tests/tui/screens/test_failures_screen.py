"""What failed in many runs: rows, orders and words, into a run and back, and what is known."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from oh_tui.batch.failure_rows import FailureRow, Failures, RunFailures
from oh_tui.conversation import same_id
from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.findings.failure_signatures.failed_steps import Failure, RunFailure
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.screens.board import BoardScreen
from oh_tui.tui.screens.comparison.screen import CompareScreen
from oh_tui.tui.screens.failures import FailureList, FailuresScreen
from tests.trajectory.branched import two, write_run
from tests.trajectory.made import output, shell
from tests.tui.explorer import Between, Explorer, case, explore
from tests.tui.screens.test_board_of_runs import filtered


def text(it: Explorer, view: FailuresScreen, selector: str) -> str:
    return it.text_of(view.query_one(selector))


def shown(it: Explorer) -> FailuresScreen:
    assert isinstance(it.app.screen, FailuresScreen)
    return it.app.screen


async def failures(it: Explorer, *keys: str) -> FailuresScreen:
    await it.press(*(keys or ("B", "f")))
    await it.until(lambda: isinstance(it.app.screen, FailuresScreen))
    view = shown(it)
    await ended(it, view)
    return view


async def ended(it: Explorer, view: FailuresScreen) -> None:
    await it.until(lambda: view.found.ended)
    await it.until(lambda: "so far" not in text(it, view, "#failures-rule"))
    await it.until(lambda: view.list.rows == view.found.rows())


def place_of(view: FailuresScreen, line: str) -> int:
    return next(n for n, row in enumerate(view.list.rows) if line in row.failure.words)


async def test_f_on_the_board_shows_what_failed_in_its_runs() -> None:
    async with explore(size=(160, 40)) as it:
        await filtered(it, "repo:acme/dates")
        view = await failures(it)
        rule = text(it, view, "#failures-rule")
        assert "repo:acme/dates" in rule and "failed steps" in rule
        rows = text(it, view, "#failures")
        assert "ValueError: Invalid week: #" in rows and "AssertionError" not in rows
        view.list.move_to(place_of(view, "Invalid week"))
        await it.until(lambda: "the same call worked later" in text(it, view, "#failure"))
        told = text(it, view, "#failure")
        assert "edit dates/src/dates/parse.py" in told and "step " in told
        await it.press("escape")
        assert isinstance(it.app.screen, BoardScreen)


async def test_a_failure_has_three_examples_with_the_line_of_each() -> None:
    async with explore(size=(80, 24)) as it:
        view = await failures(it)
        await ended(it, view)
        view.list.move_to(place_of(view, "Invalid week: #"))
        await it.until(lambda: "Invalid week: 53" in text(it, view, "#failure"))
        shown = text(it, view, "#failure")
        last, other = "Parse ISO week dates", "Read the ISO dates of the ERP"
        assert re.findall(r"step (\d+) of ([^:]+): Invalid week: 53\b", shown) == [
            ("32", last), ("23", other), ("46", last),
        ], "one of each run, then another of the last"  # fmt: skip
        assert "what helped  edit dates/src/dates/parse.py (1 run)" in shown


async def test_enter_opens_the_example_and_esc_comes_back_to_the_row_and_the_board() -> None:
    async with explore(size=(160, 40)) as it:
        await filtered(it, "repo:acme/dates")
        view = await failures(it)
        view.list.move_to(place_of(view, "did not appear verbatim"))
        await it.press("enter")
        assert it.app.screen is it.screen
        row, conversation = view.list.current, it.screen.session.current
        assert row and conversation and same_id(conversation.id, row.example.run)
        await it.until(lambda: it.screen.timeline.current is not None)
        await it.until(lambda: it.screen.timeline.step_here == row.example.step)
        assert "No replacement was performed" in it.row()
        await it.press("escape")
        again = shown(it)
        assert again is not view
        await it.until(lambda: again.list.current is not None)
        assert again.list.current == row
        await it.press("escape")
        assert isinstance(it.app.screen, BoardScreen)
        await it.press("escape")
        assert it.app.screen is it.screen


async def test_an_example_on_another_branch_is_shown_there(tmp_path: Path) -> None:
    events = {one.id: one for one in two()}
    events["b"] = shell("b", "make all", parent_id="v")
    events["r-b"] = output("b", "make: *** [all] Error 2", 2, parent_id="b")
    run = write_run(tmp_path / "run", *events.values())
    async with explore(source=lambda: FileSource([run])) as it:
        view = await failures(it)
        assert view.list.current and view.list.current.runs == 1
        await it.press("enter")
        await it.until(lambda: "make all" in it.row())
        assert "branch 1 of 2" in it.text("#timeline-rule")
        await it.press("escape")
        assert isinstance(it.app.screen, FailuresScreen)


async def test_a_run_opened_otherwise_has_no_way_back_to_the_failures() -> None:
    async with explore(size=(160, 40)) as it:
        await filtered(it, "repo:acme/dates")
        await failures(it)
        await it.press("escape", "escape", "enter", "escape")
        assert it.app.screen is it.screen and it.screen.session.pane == "conversations"


async def test_l_lists_the_runs_of_a_row_and_esc_comes_back_to_it() -> None:
    async with explore(size=(160, 40)) as it:
        await filtered(it, "repo:acme/dates")
        view = await failures(it)
        view.list.move_to(place_of(view, "no date: '#-W07-3'"))
        row = view.list.current
        assert row and row.runs == 2
        await it.press("l")
        assert it.app.screen is it.screen
        await it.until(lambda: it.screen.session.listing.is_whole)
        listed = {one.id for one in it.screen.session.listed}
        assert len(listed) == 2 and row.example.run.replace("-", "") in listed
        query = it.screen.session.listing.query
        assert query and query.text == f"repo:acme/dates failure:{row.failure.id}"
        assert "esc back to failures" in it.footer
        await it.press("enter")
        await it.until(lambda: it.screen.session.in_run)
        await it.press("escape")
        assert it.screen.session.pane == "conversations"
        await it.press("escape")
        again = shown(it)
        await it.until(lambda: again.list.current == row)
        query = it.screen.session.listing.query
        assert query and query.text == "repo:acme/dates"
        await it.press("escape")
        assert isinstance(it.app.screen, BoardScreen)
        await it.press("escape")
        assert it.app.screen is it.screen and "esc show all" in it.footer
        await it.press("escape")
        assert it.screen.session.listing.query is None


@pytest.mark.slow
async def test_esc_leads_back_through_all_views_that_were_left() -> None:
    async with explore(size=(160, 40)) as it:
        view = await failures(it)
        view.list.move_to(place_of(view, "no date: '#-W07-3'"))
        row = view.list.current
        assert row
        await it.press("l", "B")
        board = it.app.screen
        assert isinstance(board, BoardScreen)
        await it.until(lambda: board.found.ended and board.groups.rows)
        assert len(board.found.runs) == row.runs
        await it.press("enter")
        await it.until(lambda: "esc back to board" in it.footer)
        await it.press("escape")
        assert isinstance(it.app.screen, BoardScreen)
        assert it.app.screen.found is board.found
        await it.press("escape")
        await it.until(lambda: "esc back to failures" in it.footer)
        await it.press("escape")
        again = shown(it)
        await it.until(lambda: again.list.current == row)


@pytest.mark.slow
async def test_a_filter_typed_over_that_of_the_failures_is_ones_own() -> None:
    async with explore(size=(160, 40)) as it:
        await failures(it)
        await it.press("l")
        await filtered(it, "repo:acme/dates")
        assert "esc show all" in it.footer
        await it.press("escape")
        assert it.app.screen is it.screen and it.screen.session.listing.query is None


@pytest.mark.slow
async def test_compares_a_run_that_recovered_with_one_that_did_not() -> None:
    async with explore(size=(160, 40)) as it:
        view = await failures(it)
        view.list.move_to(place_of(view, "Invalid week"))
        row = view.list.current
        assert row and row.recovered_example and row.failed_example
        await it.press("equals_sign")
        compared = it.app.screen
        assert isinstance(compared, CompareScreen)
        await it.until(lambda: len(compared._runs) == 2, 30)
        chosen = [row.recovered_example.run, row.failed_example.run]
        assert all(
            same_id(one.conversation.id, run)
            for one, run in zip(compared._runs, chosen, strict=True)
        )
        await it.press("escape")
        assert it.app.screen is view
        alone = next(n for n, one in enumerate(view.list.rows) if one.runs == 1)
        view.list.move_to(alone)
        await it.press("equals_sign")
        assert it.app.screen is view and "nothing to compare" in it.text_of(view.footer)


async def test_copies_the_line_of_the_row() -> None:
    async with explore(size=(160, 40)) as it:
        await filtered(it, "repo:acme/dates")
        view = await failures(it)
        await it.press("y")
        assert view.list.current and it.app.clipboard == view.list.current.failure.words
        assert "clipboard" in it.text_of(view.footer)


@pytest.mark.slow
async def test_sorting_by_key_and_by_head() -> None:
    async with explore(size=(160, 40)) as it:
        view = await failures(it)
        numbers: dict[str, Callable[[FailureRow], float | None]] = {
            "steps": lambda row: row.steps,
            "last": lambda row: row.last,
            "well": lambda row: row.ended_well / row.runs,
            "recovered": lambda row: row.recovered,
        }
        for sort, number in numbers.items():
            while view.found.sort != sort:
                await it.press("s")
            found = [number(row) or 0 for row in view.list.rows]
            assert found == sorted(found, reverse=True)
            assert f"{sort} ▼" in text(it, view, "#failures-head")
        under = view.list.rows[5].failure
        view.list.move_to(5)
        assert await it.pilot.click("#failures-head", offset=(4, 0))
        await it.until(lambda: view.found.sort == "what")
        assert "what failed ▲" in text(it, view, "#failures-head")
        assert view.list.current and view.list.current.failure == under
        lines = [(row.failure.kind, row.failure.line) for row in view.list.rows]
        assert lines == sorted(lines)


@pytest.mark.slow
async def test_words_leave_other_runs_out_and_mistakes_are_shown() -> None:
    async with explore(size=(160, 40)) as it:
        view = await failures(it)
        runs = view.found.reading.read
        await it.press("ampersand")
        await it.type("is:odd")
        await it.press("enter")
        assert view.words.is_open and "odd" in it.text_of(view.footer)
        await it.press("ctrl+u")
        await it.type("repo:acme/dates")
        await it.press("enter")
        await ended(it, view)
        assert not view.words.is_open and 0 < view.found.reading.read < runs
        assert "repo:acme/dates" in text(it, view, "#failures-rule")
        await it.press("ampersand")
        await it.type(" nosuchthing")
        await it.press("enter")
        await ended(it, view)
        assert "there is no run to read" in text(it, view, "#failures")
        await it.press("ampersand", "escape")
        assert it.app.screen is view and not view.words.is_open


@pytest.mark.slow
async def test_b_counts_by_model_and_by_other_groupings_too() -> None:
    async with explore(size=(160, 48)) as it:
        view = await failures(it)
        view.list.move_to(place_of(view, "no date: '#-W07-3'"))
        row = view.list.current
        assert row
        await it.press("b")
        await ended(it, view)
        again = view.list.current
        assert again and again.failure == row.failure and again.runs == row.runs
        assert "by what failed and model" in text(it, view, "#failures-rule")
        told = text(it, view, "#failure")
        assert "claude-sonnet-4-5" in told and "gemini-2.5-pro" in told
        assert sum(count.runs for _, count in again.groups) == row.runs
        await it.press("b")
        await ended(it, view)
        assert "acme/dates" in text(it, view, "#failure")
        while view.found.by != "week":
            await it.press("b")
            await ended(it, view)  # each key begins anew
        view.list.move_to(place_of(view, "Invalid week"))
        await it.settle()
        weeks = [line.split() for line in text(it, view, "#failure").splitlines() if "-W" in line]
        assert [week[0] for week in weeks] == sorted(week[0] for week in weeks)
        assert weeks[-1][1:3] == ["so", "far"]
        await it.press("b")
        await ended(it, view)
        assert not view.found.by
        assert "acme/dates" not in text(it, view, "#failure")


@pytest.mark.slow
async def test_finds_in_the_rows() -> None:
    async with explore(size=(160, 40)) as it:
        view = await failures(it)
        await it.press("slash")
        await it.type("valueerror")
        await it.press("enter")
        await it.until(
            lambda: view.list.current and "ValueError" in view.list.current.failure.words
        )
        first = view.list.cursor
        await it.press("n")
        await it.until(lambda: view.list.cursor != first)
        assert view.list.current and "ValueError" in view.list.current.failure.words
        await it.press("N")
        await it.until(lambda: view.list.cursor == first)
        await it.press("escape")
        assert not view.find.needle and it.app.screen is view


async def test_the_palette_opens_it_over_the_list() -> None:
    async with explore(size=(160, 40)) as it:
        await filtered(it, "repo:acme/dates")
        await it.press("ctrl+p")
        await it.find_command("failures", "failures")
        view = await failures(it, "enter")
        assert view.found.query.text == "repo:acme/dates"
        await it.press("f")
        assert it.app.screen is it.screen


async def test_says_what_is_not_read_and_reads_it() -> None:
    async with explore(size=(160, 40)) as it:
        source = it.screen.session.source
        assert source
        source.address = "https://server.test"  # a server that keeps nothing here
        await filtered(it, "repo:acme/dates")
        view = await failures(it)
        assert "not read yet" in text(it, view, "#failures")
        assert "of this server are not read yet: i reads them, about " in it.text_of(view.footer)
        await it.press("i")
        await it.until(lambda: view.list.rows and not view.found.is_running)
        assert not view.found.reading.not_here


async def test_esc_stops_the_reading_and_f_reads_anew() -> None:
    between = Between()
    async with explore(size=(160, 40), wrap=between) as it:
        await filtered(it, "repo:acme/dates")
        held = between.hold("GET /*/events/*")
        await it.send("B", "f")
        await it.until(lambda: isinstance(it.app.screen, FailuresScreen))
        view = shown(it)
        await it.until(lambda: view.found.is_running and view.found.reading.runs)
        assert "reading what failed" in text(it, view, "#failures")
        await it.send("escape")
        await it.until(lambda: isinstance(it.app.screen, BoardScreen))
        await it.until(lambda: view.found.stopped)
        held.set()
        again = await failures(it, "f")
        assert again.found is not view.found and again.list.rows
        before = again.found
        await it.press("r")
        await ended(it, again)
        assert again.found is not before and again.list.rows
        again.found.problem = ("The server went away", "wait, then press r")
        again.found.shown, again.found.rows = (), tuple  # type: ignore[method-assign]
        await again.renew()
        assert "The server went away" in text(it, again, "#failures")
        assert "The server went away" in text(it, again, "#failures-rule")


@pytest.mark.slow
async def test_a_reading_goes_on_while_an_example_is_open() -> None:
    between = Between()
    async with explore(size=(160, 40), wrap=between) as it:
        view = await failures(it)
        between.hold("GET /*/events/*")
        await it.send("r")
        await it.until(lambda: view.found.is_running)
        found, listed = view.found, it.screen.session.loaded.rows[0].conversation
        once = RunFailure(Failure("terminal", "exit 1", "x"), 1, 1.0, 1.0, 1, False, "")
        found.take(listed, RunFailures(ended_well=False, failures=[once]))
        await view.renew()
        await it.send("enter")
        await it.until(lambda: it.app.screen is it.screen)
        assert found.is_running


def many(count: int, run_id: str) -> tuple[FailureRow, ...]:
    """Failures of which all is known, in long numbers."""
    made = list[FailureRow]()
    for number in range(count):
        run = RunFailure(
            Failure("terminal" * 4, "ModuleNotFoundError", f"No module {number} " * 9),
            1_234_567, 1.0, 1e9, 1, True, "$ pip install -e . " * 9,
        )  # fmt: skip
        sums = Failures()
        sums.add(run_id, RunFailures(ended_well=True, failures=[run]))
        (row,) = sums.rows()
        made.append(row._replace(runs=123_456, recovered=123_456, ended_well=123_456))
    return tuple(made)


async def test_every_number_is_whole_and_below_its_head_at_any_width(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with explore(size=(160, 40)) as it:
        await filtered(it, "repo:acme/dates")
        view = await failures(it)
        rows = view.list
        rows.show(many(1, "run"), 0)
        for width in range(60, 200):
            with case(width):
                monkeypatch.setattr(FailureList, "row_width", width)
                line = rows.pieces(0, width)
                above = sum(width_of(cell.text) for cell in rows.head())
                assert above == 1 + sum(width_of(text) for text, _ in line) <= width + 1
                for column in rows.columns():
                    if column.right:
                        number = column.cell(rows.rows[0], rows.glyphs).text
                        is_shown = column.name in [one.name for one, _ in rows.fitted(width).shown]
                        assert is_shown == any(text.strip() == number for text, _ in line[1:])


async def test_ten_thousand_rows_draw_those_in_sight(monkeypatch: pytest.MonkeyPatch) -> None:
    async with explore(size=(80, 24)) as it:
        await filtered(it, "repo:acme/dates")
        view = await failures(it)
        rows = view.list
        rows.show(many(10_000, next(iter(view.found.runs))), 0)
        drawn, pieces = set[int](), FailureList.pieces

        def noting(self: FailureList, row: int, width: int) -> list[tuple[str, str]]:
            drawn.add(row)
            return pieces(self, row, width)

        monkeypatch.setattr(FailureList, "pieces", noting)
        await it.press("G")
        assert rows.cursor == 9_999 and 9_999 in drawn and len(drawn) < 100
