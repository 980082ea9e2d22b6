"""The strip on the screen: its lines for six shapes of run at three widths, the caret, clicks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual import on
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.findings.loops import loop_steps
from oh_tui.trajectory.findings.strip import Strip
from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.tui.theme import DARK, LIGHT
from oh_tui.tui.widgets.strip_view import LABEL, StripView
from tests.demo_runs import demo_events, demo_run
from tests.tui.explorer import explore

GOLDEN = Path(__file__).parent / "strip_lines.txt"
"""Made by `python -m tests.tui.run.test_strip_view`; look at each line that changes."""

SHAPES = {
    "week-dates": 58,  # two turns, a long wait, a loop
    "oauth": 18,  # waits for an answer
    "flaky-ci": 6,  # running
    "dep-bump": 2,  # one error
    "coverage": 400,  # long
    "fix-add": 3,  # a finished fix
    "one step": 1,
}
"""Slugs of the demo's runs and the step that is selected."""

WIDTHS = (119, 89, 72)


class Alone(App[None]):
    """Nothing but a strip."""

    def __init__(self, theme: str = DARK.name, *, ascii: bool = False) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = theme
        self.set_class(ascii, "-ascii")
        self.picked: list[int] = []

    def compose(self) -> ComposeResult:
        yield StripView()

    @on(StripView.Picked)
    def _picked(self, picked: StripView.Picked) -> None:
        self.picked.append(picked.step_number)


def the_run(slug: str) -> Trajectory:
    if slug == "one step":
        trajectory = Trajectory()
        trajectory.extend(demo_events("week-dates")[:3])
        assert len(trajectory) == 1
        return trajectory
    return demo_run(slug, live=slug == "flaky-ci")


def strip_of(trajectory: Trajectory) -> Strip:
    strip = Strip(trajectory, Accounts(trajectory))
    strip.update(loop_steps(trajectory))
    return strip


@asynccontextmanager
async def showing(
    slug: str, width: int = 119, *, theme: str = DARK.name, ascii: bool = False
) -> AsyncIterator[tuple[Alone, Pilot[None], StripView]]:
    app = Alone(theme, ascii=ascii)
    async with app.run_test(size=(width, 6)) as pilot:
        view = app.query_one(StripView)
        view.show(strip_of(the_run(slug)))
        await pilot.pause()
        yield app, pilot, view


def lines(view: StripView) -> list[str]:
    return [view.render_line(y).text for y in range(view.size.height)]


async def all_lines() -> str:
    """Each shape at each width without and, at the first, with a step selected, and in ASCII."""
    told: list[str] = []
    for slug, selected in SHAPES.items():
        for width in WIDTHS:
            async with showing(slug, width) as (_, _, view):
                told += [f"== {slug}, {width}", *(line.rstrip() for line in lines(view))]
                if width == WIDTHS[0]:
                    view.selected = selected
                    told += [f"-- step {selected}", *(line.rstrip() for line in lines(view))]
        async with showing(slug, WIDTHS[0], ascii=True) as (_, _, view):
            told += [f"-- ASCII {slug}", *(line.rstrip() for line in lines(view))]
    return "\n".join(told) + "\n"


async def test_the_lines_are_those_kept() -> None:
    assert (await all_lines()).splitlines() == GOLDEN.read_text("utf-8").splitlines()


@pytest.mark.parametrize("width", [40, 46, 72, 119, 240])
async def test_each_line_is_as_wide_as_the_pane(width: int) -> None:
    async with showing("week-dates", width) as (_, _, view):
        assert {len(line) for line in lines(view)} == {width}
        assert [line[:LABEL].strip() for line in lines(view)] == ["", "llm", "tool", ""]
        assert lines(view)[3].count("✗") >= 2 and "∞" in lines(view)[3]


async def test_ascii_has_nothing_else() -> None:
    for slug in SHAPES:
        async with showing(slug, ascii=True) as (_, _, view):
            view.selected = 1
            assert all(line.isascii() for line in lines(view))


async def test_the_selected_step_has_a_caret_and_an_inverted_column() -> None:
    async with showing("week-dates") as (_, _, view):
        assert "▼" not in lines(view)[0]
        for step in (1, 27, 41, 61):
            view.selected = step
            column = lines(view)[0].index("▼") - LABEL
            assert view._run is not None
            assert column == view._run.column_of(step, 119 - LABEL)
            for y in (1, 2, 3):
                inverted = []
                place = 0
                for segment in view.render_line(y):
                    if segment.style is not None and segment.style.reverse:
                        inverted += list(range(place, place + segment.cell_length))
                    place += segment.cell_length
                assert inverted == [column + LABEL]


async def test_the_caret_leaves_no_half_of_a_label() -> None:
    async with showing("week-dates") as (_, _, view):
        whole = set(lines(view)[0].split())
        for step in range(1, 62):
            view.selected = step
            assert set(lines(view)[0].split()) <= whole | {"▼"}


async def test_a_click_picks_the_step_of_the_column() -> None:
    async with showing("week-dates") as (app, pilot, view):
        marks = lines(view)[3]
        await pilot.click(StripView, offset=(marks.index("≈"), 3))
        await pilot.click(StripView, offset=(marks.index("✗"), 1))
        await pilot.click(StripView, offset=(2, 1))  # the label
        assert app.picked == [47, 17]
        view.show(None)
        await pilot.click(StripView, offset=(60, 1))
        assert app.picked == [47, 17]


async def test_the_right_edge_moves_with_the_run() -> None:
    events = demo_events("week-dates")
    trajectory = Trajectory(live=True)
    trajectory.extend(events[:60])
    accounts = Accounts(trajectory)
    strip = Strip(trajectory, accounts)
    async with showing("one step") as (_, pilot, view):
        view.show(strip)
        view.selected = 8
        await pilot.pause()
        before = lines(view)[0].index("▼")
        trajectory.extend(events[60:90])
        accounts.update()
        strip.update()
        view.show(strip)
        await pilot.pause()
        assert lines(view)[0].index("▼") < before


async def test_the_axis_tells_the_time_that_the_timeline_tells() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open("Parse ISO week dates")
        axis, column = it.text("#strip").splitlines()[0], it.text("#timeline").splitlines()[0]
        assert "2:13:00" in axis and "2:1" in column.split()[1]
        await it.press("t", "t")
        axis, column = it.text("#strip").splitlines()[0], it.text("#timeline").splitlines()[0]
        assert "2:13:00" not in axis and "2h10m" in axis
        hours = column.split()[1][:3]  # "15:", of the clock in UTC
        assert f" {hours}" in axis and axis.count(":00 ") >= 3


async def test_three_rows_without_the_axis() -> None:
    async with showing("week-dates") as (app, pilot, view):
        four = lines(view)
        view.compact = True
        await pilot.pause()
        assert view.size.height == 3
        assert lines(view) == four[1:]
        await pilot.click(StripView, offset=(four[3].index("≈"), 2))
        assert app.picked == [47]


async def test_nothing_is_drawn_of_a_run_without_steps() -> None:
    async with showing("dark-mode") as (_, pilot, view):
        assert "".join(lines(view)).strip() == ""
        view.show(None)
        await pilot.pause()
        assert "".join(lines(view)).strip() == ""


async def test_hues_say_who_and_trouble() -> None:
    for theme, violet, red in (
        (DARK.name, "#c39bf0", "#ff6f6f"),
        (LIGHT.name, "#7a3fc9", "#c02626"),
    ):
        async with showing("week-dates", theme=theme) as (_, _, view):
            llm, marks = list(view.render_line(1)), list(view.render_line(3))
        colours = {s.style.color.name for s in llm if "█" in s.text and s.style and s.style.color}
        assert colours == {violet}
        colours = {s.style.color.name for s in marks if "✗" in s.text and s.style and s.style.color}
        assert colours == {red}


async def test_a_run_without_times_says_so() -> None:
    run = Trajectory()
    run.extend(parse_event(b'{"id": "%d", "kind": "MessageEvent"}' % number) for number in range(3))
    async with showing("fix-add") as (_, _, view):
        assert "no times are known" not in lines(view)[0]
        view.show(strip_of(run))
        assert lines(view)[0].endswith(" no times are known")


if __name__ == "__main__":
    import asyncio

    GOLDEN.write_text(asyncio.run(all_lines()), "utf-8")
