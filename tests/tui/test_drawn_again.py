"""What a key draws again: what it changed, and nothing that still stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from operator import add
from typing import Any

import pytest
from textual.reactive import Reactive

from oh_tui.catalog.run_status import AT_WORK
from oh_tui.tui.screens.start.screen import StartScreen
from oh_tui.tui.widgets import strip_view
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.drawing import Drawn
from oh_tui.tui.widgets.panes import Panes
from oh_tui.tui.widgets.row_list import RowList
from oh_tui.tui.widgets.run_view import RunView
from oh_tui.tui.widgets.sidebar import Sidebar
from oh_tui.tui.widgets.step_detail import StepDetail
from tests.tui.acting.test_answering import FLAKY
from tests.tui.explorer import Explorer, explore

DATES = "Parse ISO week dates"
DAY = 86_400.0


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many lines each pane drew, by its id."""
    lines = Counter[str]()

    def counting(draw: Callable[[Any, int], Any]) -> Callable[[Any, int], Any]:
        def counted(self: Any, line: int) -> Any:
            lines[self.id] += 1
            return draw(self, line)

        return counted

    for kind, name in ((RowList, "render_line"), (BodyView, "_strip")):
        monkeypatch.setattr(kind, name, counting(getattr(kind, name)))
    return lines


def test_what_a_container_is_given_does_not_draw_all_that_is_in_it() -> None:
    drawing = [
        f"{kind.__name__}.{name}"
        for kind in (Sidebar, RunView, StepDetail, StartScreen)
        for name, given in vars(kind).items()
        if isinstance(given, Reactive) and given._repaint
    ]
    assert drawing == []


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each time that the keys of the footer are made, the pane that has the focus."""
    times, mark_pane = list[str](), Panes.mark_pane

    def counted(self: Panes, pane: str) -> None:
        times.append(pane)
        mark_pane(self, pane)

    monkeypatch.setattr(Panes, "mark_pane", counted)
    return times


def frame(it: Explorer) -> list[str]:
    return [strip.text for strip in it.app.screen._compositor.render_strips()]


async def require_true(it: Explorer) -> None:
    """What is on the screen is what drawing all anew gives."""
    seen = frame(it)
    for widget in it.screen.query(Drawn):
        widget.refresh()
    await it.settle()
    assert frame(it) == seen


@pytest.mark.parametrize("pane", ["conversations", "timeline"])
@pytest.mark.parametrize("key", ["p", "slash"])
async def test_what_asks_draws_no_row_that_still_stands(
    key: str, pane: str, drawn: Counter[str], told: list[str]
) -> None:
    async with explore(size=(160, 40)) as it:
        await it.open(FLAKY)
        it.screen.focus_pane(pane)
        await it.settle()
        drawn.clear()
        told.clear()
        await it.press(key)
        assert it.screen.asking.is_asking
        # the rows of the cursors, which show that the focus is elsewhere
        assert set(drawn) <= {"conversations", "timeline"} and drawn.total() <= 4
        assert len(told) == 1
        await require_true(it)
        drawn.clear()
        told.clear()
        await it.press("escape")
        assert not it.screen.asking.is_asking
        assert drawn["call"] == drawn["result"] == 0
        assert len(told) == 1 or key == "p"  # after which the lists are read again
        await require_true(it)


async def test_the_focus_draws_the_cursors_rows(drawn: Counter[str]) -> None:
    async with explore(size=(160, 40)) as it:
        await it.open(DATES)
        drawn.clear()
        await it.press("tab")
        await it.press("shift+tab")
        assert set(drawn) == {"timeline"} and drawn["timeline"] <= 2
        await require_true(it)


async def test_a_cursor_draws_the_mark_of_the_strip_and_not_the_strip(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cells = list[object]()

    def counted(draw: Callable[..., Any], column: object, glyphs: object) -> Any:
        cells.append(column)
        return draw(column, glyphs)

    for name in ("llm_cell", "tool_cell", "mark_cell"):
        monkeypatch.setattr(strip_view, name, partial(counted, getattr(strip_view, name)))
    async with explore(size=(160, 40)) as it:
        await it.open(DATES)
        assert cells
        before = it.text("#strip")
        cells.clear()
        for key in ("home", "j", "j", "G", "k", "["):
            await it.press(key)
            await require_true(it)
        assert it.text("#strip") != before and not cells
        await it.press("t")
        await require_true(it)


async def test_ages_are_drawn_again_where_they_read_otherwise(drawn: Counter[str]) -> None:
    async with explore(size=(160, 48)) as it:
        screen = it.screen
        running = sum(row.status in AT_WORK for row in screen.sidebar.rows)
        now, rows = screen.session.clock(), len(screen.sidebar.rows)
        width = screen.sidebar.size.width
        for later, most in ((0.0, 0), (5.0, 2 * running), (90 * DAY, 2 * rows)):
            screen.session.clock = partial(add, now, later)
            drawn.clear()
            screen._tick_lists()
            await it.settle()
            seen = [line[:width] for line in frame(it)]
            assert drawn["conversations"] <= most
            if later > DAY:
                assert drawn["conversations"] > 2 * running, "all that are seen"
            screen.sidebar.list.refresh()
            await it.settle()
            assert [line[:width] for line in frame(it)] == seen, "no age is left as it was"
