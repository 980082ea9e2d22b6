"""`=`: two runs side by side, several as a table."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from textual.screen import Screen

from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.comparison.compare import Kind
from oh_tui.tui.messages import MarksChanged
from oh_tui.tui.screens.comparison.screen import CompareScreen
from tests.demo_runs import demo_events
from tests.tui.acting.test_target import FLAKY, FUZZ, IDS, at
from tests.tui.explorer import Between, Explorer, explore

WEEKS, LEDGER, ADD = "Parse ISO week dates", "Rename Store to Ledger", "Fix the add function"


async def mark(it: Explorer, *titles: str) -> None:
    it.screen.focus_pane("conversations")
    ids = frozenset(IDS[title].replace("-", "") for title in titles)
    it.screen.session.keep_marks(ids)
    it.screen.post_message(MarksChanged())
    await it.settle()


def view(it: Explorer) -> CompareScreen:
    assert isinstance(it.app.screen, CompareScreen)
    return it.app.screen


def shown(it: Explorer) -> str:
    """What the screen on top shows."""
    screen: Screen[object] = it.app.screen
    drawn = [w for w in screen.query("*") if w.display and hasattr(w, "render_line")]
    return "\n".join(w.render_line(y).text for w in drawn for y in range(w.size.height))


async def compared(it: Explorer, *titles: str) -> CompareScreen:
    await mark(it, *titles)
    await it.send("equals_sign")
    await it.until(lambda: isinstance(it.app.screen, CompareScreen))
    screen = view(it)
    await it.until(lambda: screen.steps.row_count())
    return screen


async def test_two_marked_runs_stand_side_by_side_from_the_first_difference() -> None:
    async with explore() as it:
        screen = await compared(it, WEEKS, LEDGER)
        text = shown(it)
        assert "A  ✗ stuck" in text and WEEKS in text and "61 steps" in text
        assert "B  ✓ finished" in text and LEDGER in text
        assert "they part at step 1" in text and "only A" in text
        assert "A llm  ▇" in text and "B llm" in text
        comparison = screen.steps.comparison
        assert comparison and screen.steps.cursor == comparison.differences[0] == 0
        row = screen.steps.row_text(0)
        assert "you Our ERP export" in row and "~" in row


async def test_e_walks_the_differences_a_stretch_of_one_run_at_a_time() -> None:
    async with explore() as it:
        screen = await compared(it, WEEKS, LEDGER)
        comparison = screen.steps.comparison
        assert comparison
        rows, seen = comparison.rows, [0]
        while (place := screen.steps.next_difference(1)) is not None:
            await it.press("e")
            assert screen.steps.cursor == place
            seen.append(place)
        kinds = [row.kind for row in rows]
        begins = [
            n
            for n, kind in enumerate(kinds)
            if kind is Kind.CHANGED or (kind is not Kind.SAME and (n == 0 or kinds[n - 1] != kind))
        ]
        assert seen == begins
        await it.press("e")
        assert "no difference after this" in shown(it)
        await it.press("E")
        assert screen.steps.cursor == begins[-2]


async def test_enter_reads_both_and_d_shows_what_differs() -> None:
    async with explore() as it:
        screen = await compared(it, WEEKS, LEDGER)
        await it.send("enter")
        await it.until(lambda: "Our ERP export" in screen.bodies[0].plain_text())
        await it.until(lambda: screen.bodies[1].plain_text())
        assert not screen.steps.display and screen.bodies[0].has_focus
        await it.send("d")
        await it.until(lambda: "Our ERP export" in screen.diff.plain_text())
        assert screen.diff.display and not screen.query_one("#both").display
        place = screen.steps.cursor
        await it.send("right_square_bracket")
        await it.until(lambda: screen.steps.cursor == place + 1)
        await it.until(lambda: "has this step" in screen.diff.plain_text())
        await it.press("escape")
        assert screen.steps.display and screen.steps.has_focus
        await it.press("d")
        assert "has it: enter shows it" in shown(it)
        await it.send("enter")
        await it.until(lambda: screen.view == "both")
        await it.press("d")
        assert "has it" in shown(it) and "enter shows it" not in shown(it)
        await it.press("escape")
        await it.press("escape")
        await it.until(lambda: it.app.screen is it.screen)


async def test_to_one_marked_run_that_under_the_cursor_is_added() -> None:
    async with explore() as it:
        await mark(it, WEEKS)
        await at(it, LEDGER)
        assert "compare with it" in it.footer
        await it.press("3", "equals_sign")
        await it.until(lambda: isinstance(it.app.screen, CompareScreen))
        await it.until(lambda: view(it).steps.row_count())
        assert LEDGER in shown(it)


@pytest.mark.parametrize("marks", [(), (WEEKS,)])
async def test_a_single_run_is_not_compared_with_itself(marks: tuple[str, ...]) -> None:
    async with explore() as it:
        await mark(it, *marks)
        await at(it, WEEKS)
        await it.press("equals_sign")
        assert it.app.screen is it.screen
        assert "mark another run with space" in it.footer


async def test_three_runs_are_a_table_and_enter_compares_one_with_the_first() -> None:
    async with explore(size=(120, 30)) as it:
        await mark(it, WEEKS, LEDGER, ADD)
        assert "compare 3" in it.footer
        await it.send("equals_sign")
        await it.until(lambda: isinstance(it.app.screen, CompareScreen))
        screen = view(it)
        await it.until(lambda: screen.table.row_count() == 3)
        assert screen.table.has_focus
        text = shown(it)
        assert "3 runs" in text and "parts from A" in text and "step 1" in text
        lines = [screen.table.row_text(n) for n in range(3)]
        assert [line.strip()[0] for line in lines] == ["A", "B", "C"]
        await it.press("k", "enter")
        assert "this is A" in shown(it)
        await it.press("d", "e")
        assert "3 runs" in shown(it) and screen.view == "runs"
        await it.press("j", "j")
        await it.send("enter")
        await it.until(lambda: screen.view == "steps" and screen.steps.has_focus)
        assert ADD in shown(it) and LEDGER not in shown(it)
        await it.press("enter", "q")
        assert screen.table.has_focus and screen.table.cursor == 2 and "3 runs" in shown(it)
        await it.press("enter", "d", "escape", "escape")
        assert screen.view == "runs" and LEDGER in shown(it)
        await it.press("escape")
        await it.until(lambda: it.app.screen is it.screen)


async def test_more_than_eight_are_refused() -> None:
    async with explore() as it:
        await it.press(*["space"] * 9)
        await it.press("equals_sign")
        assert it.app.screen is it.screen
        assert "9 runs are marked: at most 8" in it.footer


async def test_esc_ends_the_reading() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await mark(it, WEEKS, ADD)
        it.screen.session.runs = type(it.screen.session.runs)()
        held = between.hold("GET /*/events/*")
        await it.send("equals_sign")
        await it.until(lambda: isinstance(it.app.screen, CompareScreen))
        await it.until(lambda: "reading 1 of 2" in " ".join(view(it).steps.empty))
        assert "esc stops" in shown(it)
        await it.send("escape")
        await it.until(lambda: it.app.screen is it.screen)
        await it.until(lambda: not it.screen.ui.at_work("compare"))
        held.set()


async def test_a_run_that_cannot_be_read_is_named_with_the_reason() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await mark(it, WEEKS, ADD)
        it.screen.session.runs = type(it.screen.session.runs)()
        between.answer("GET /*/events/*", 500)
        await it.send("equals_sign")
        await it.until(lambda: isinstance(it.app.screen, CompareScreen))
        await it.until(lambda: WEEKS in " ".join(view(it).steps.empty))
        await it.until(lambda: "reading" not in " ".join(view(it).steps.empty))
        await it.press("escape")


async def test_a_run_too_long_for_a_download_says_how_to_read_it() -> None:
    async with explore() as it:
        await mark(it, ADD, FUZZ)
        await it.send("equals_sign")
        await it.until(lambda: isinstance(it.app.screen, CompareScreen))
        await it.until(lambda: "too long" in " ".join(view(it).steps.empty))
        assert "read all of it with L" in " ".join(view(it).steps.empty)


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("size", [(160, 48), (120, 36), (80, 24), (60, 16)])
async def test_rows_fit_at_every_size(size: tuple[int, int]) -> None:
    async with explore(size=size) as it:
        screen = await compared(it, WEEKS, LEDGER)
        await asyncio.sleep(0)
        for row in range(20):
            assert len(screen.steps.row_text(row)) <= 200
        width = screen.steps.size.width
        pieces = screen.steps.pieces(0, width - 1)
        assert sum(len(text) for text, _ in pieces) == width - 1
        assert screen.strips.display is (size[1] >= 20)
        await it.press("enter")
        assert screen.has_class("-narrow") is (size[0] < 100)


async def test_runs_of_files_of_which_one_has_no_times(tmp_path: Path) -> None:
    chat = [{"role": "user", "content": "Fix it"}, {"role": "assistant", "content": "Done"}]
    (tmp_path / "chat.json").write_text(json.dumps(chat))
    folder = tmp_path / "run"
    folder.mkdir()
    for place, event in enumerate(demo_events("fix-add")):
        (folder / f"event_{place:06}_{event.id}.json").write_bytes(event.raw())
    async with explore(source=lambda: FileSource([tmp_path])) as it:
        await it.press("space", "space", "equals_sign")
        await it.until(lambda: isinstance(it.app.screen, CompareScreen))
        await it.until(lambda: view(it).steps.row_count())
        text = shown(it)
        assert "no times are known" in text
        assert "$0.00" not in text


async def test_a_run_that_has_grown_since_is_read_again() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await at(it, FLAKY)  # its sandbox runs
        await at(it, WEEKS)
        await mark(it, WEEKS, FLAKY)
        asked = between.count("GET /*/events/*")
        await it.send("equals_sign")
        await it.until(lambda: isinstance(it.app.screen, CompareScreen))
        await it.until(lambda: view(it).steps.row_count())
        assert between.count("GET /*/events/*") > asked


async def test_s_shows_what_the_model_saw_where_they_part() -> None:
    async with explore() as it:
        screen = await compared(it, WEEKS, LEDGER)
        assert "at step 2: they saw other things: first the user's message of step 1" in shown(it)
        await it.press("s")
        assert (screen.view, screen.seen.display, screen.steps.display) == ("seen", True, False)
        assert "the user's message of step 1" in screen.seen.row_text(0)
        assert "the system prompt: folders" in screen.seen.row_text(1)
        await it.press("enter")
        await it.until(lambda: "Our ERP export" in shown(it) and "Rename it to" in shown(it))
        assert screen.view == "both"
        await it.press("d")
        await it.until(lambda: "what the model saw" in shown(it))
        for view_after in ("seen", "steps"):
            await it.press("escape")
            assert screen.view == view_after
        await it.press("escape")
        assert not isinstance(it.app.screen, CompareScreen)


async def test_in_80_cells_the_sentence_on_where_they_part_is_read_to_its_end() -> None:
    async with explore(size=(80, 24)) as it:
        screen = await compared(it, "Add OAuth login", "Read the ISO dates of the ERP")
        lines = it.text_of(screen.why).split("\n")
        told = "".join(text for text, _ in screen.why.lines[0])
        assert " ".join(lines) == told and len(told) > 78
