"""The board of all runs: sums by group, other groupings and orders, and the runs of a row."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from oh_tui.batch.over_time import COST, Table
from oh_tui.batch.run_stats import GROUPINGS, Churn, Group, Spread, summed
from oh_tui.conversation import Conversation
from oh_tui.settings.startup import Settings
from oh_tui.text.human import parted, percentages
from oh_tui.trajectory.rules.question import State
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.screens.board import (
    OTHERS,
    TALLEST,
    BoardScreen,
    BoardSection,
    Groups,
    shown_names,
)
from oh_tui.tui.screens.failures import FailuresScreen
from oh_tui.tui.screens.search import SearchScreen
from oh_tui.tui.screens.sets import SetsScreen
from oh_tui.tui.state.across_runs.board import Board, Counted
from oh_tui.tui.widgets.row_list import ColumnHead
from tests.tui.explorer import Between, Explorer, case, explore


def text(it: Explorer, view: BoardScreen, selector: str) -> str:
    widget = view.query_one(selector)
    parts = [widget.rule, widget.lines] if isinstance(widget, BoardSection) else [widget]
    return "\n".join(map(it.text_of, parts)) if widget.display else ""


async def board(it: Explorer) -> BoardScreen:
    await it.press("B")
    view = it.app.screen
    assert isinstance(view, BoardScreen)
    await it.until(lambda: view.found.runs and not view.found.is_running, 30)
    await it.until(lambda: "so far" not in text(it, view, "#board-rule"))
    return view


async def filtered(it: Explorer, words: str) -> None:
    await it.press("1", "ampersand")
    await it.type(words)
    await it.press("enter")
    await it.until(lambda: it.screen.session.listing.query)


async def test_it_counts_the_runs_of_the_filter_and_groups_them() -> None:
    async with explore(size=(160, 40)) as it:
        await filtered(it, "repo:acme/d")
        listed = len(it.screen.session.listed)
        view = await board(it)
        await it.until(
            lambda: sum(one.runs for one in view.groups.rows) == len(view.found.runs) >= listed
        )
        assert "repo:acme/d" in text(it, view, "#board-rule")
        await it.press("b")
        assert "by repository" in text(it, view, "#board-rule")
        assert {group.names[0] for group in view.groups.rows} == {
            one.row.repository for one in view.found.runs
        }
        rows = text(it, view, "#groups")
        for group in view.groups.rows:
            assert group.names[0] in rows and f"{group.runs:>8}  " in rows
        for row, line in zip(view.groups.rows, rows.splitlines(), strict=False):
            others = row.runs - row.finished - row.failed
            shares = [f"{n}%" for n in percentages((row.finished, row.failed, others))]
            assert re.search(rf" {' +'.join(shares)} ", line), line
        total = summed((), [one.row for one in view.found.runs])
        assert f"${total.cost.total:.2f}" in text(it, view, "#board-rule")


@pytest.mark.slow
async def test_each_rule_has_a_row_with_the_runs_that_break_it() -> None:
    async with explore(size=(160, 40)) as it:
        view = await board(it)
        await it.press("2")
        await it.until(lambda: view.groups.cursor > 10)
        await it.press("4")
        await it.until(lambda: view.found.rules and view.found.rules.ended)
        assert view.groups.cursor == 0, "it stays on the first, whichever that became"
        await it.until(lambda: "rules asked" not in text(it, view, "#board-rule"))
        assert "Rules  the runs that break each" in text(it, view, "#board-rule")
        await it.settle()
        rows = {group.names[0]: group.runs for group in view.groups.rows}
        assert rows["tested-before-commit"] == 2 and rows["no-installs"] == 3
        assert list(rows.values()) == sorted(rows.values(), reverse=True)
        asked = view.found.rules
        assert asked is not None
        with case("how many runs hold each, break it, do not tell, have nothing to check"):
            lines = text(it, view, "#groups").splitlines()
            for name, runs in rows.items():
                holds, broken, unknown, nothing = (asked.counts[name][state] for state in State)
                assert broken == runs
                assert holds + broken + unknown + nothing == len(view.found.runs)
                (line,) = (line for line in lines if f" {name} " in line.replace("▌", " "))
                counts = [str(count) for count in (holds, runs, unknown, nothing)]
                assert line.replace("▌", " ").split()[1:5] == counts
            head = "✓ holds  ✗ broken ▼  · not known  – nothing to check "
            assert head in text(it, view, "#groups-head")
            await it.pilot.resize_terminal(80, 24)
            await it.until(lambda: "other" not in text(it, view, "#groups-head"))
            assert head in text(it, view, "#groups-head") + " ", "they add up to all runs"
            assert not view.days.display, "the cost by day tells nothing of rules"
            await it.pilot.resize_terminal(160, 40)
        with case("other groupings and back, without asking again"):
            await it.press("b")
            assert "by model" in text(it, view, "#board-rule")
            await it.press("C")
            assert view.found.rules is asked
            assert {group.names[0]: group.runs for group in view.groups.rows} == rows
        with case("its runs"):
            name = view.groups.current.names[0] if view.groups.current else ""
            await it.press("enter")
            assert len(it.screen.session.listed) == rows[name]
        with case("the board again, as it was"):
            query = it.screen.session.listing.query
            assert query and query.text == f"rule broken: {name}"
            await it.press("escape")
            assert isinstance(it.app.screen, BoardScreen)
            back = it.app.screen
            await it.until(lambda: "Rules  the runs" in text(it, back, "#board-rule"))
            await it.press("r")
            await it.until(lambda: "by model" in text(it, back, "#board-rule"))


@pytest.mark.slow
async def test_rules_that_no_run_breaks_have_rows_too() -> None:
    async with explore(size=(160, 40)) as it:
        view = await board(it)
        await it.press("C")
        await it.until(lambda: view.found.rules and view.found.rules.ended)
        asked = view.found.rules
        assert asked is not None
        holds, unknown = {"a": State.HOLDS, "b": State.HOLDS}, dict.fromkeys("ab", State.UNKNOWN)
        for states, wanted in (
            ([], ["no run could be asked"]),
            ([holds], ["a 1 0 0 0", "b 1 0 0 0"]),
            ([unknown, unknown], ["a 0 0 2 0", "b 0 0 2 0"]),
            ([holds, {"a": State.HOLDS, "b": State.UNKNOWN}], ["b 1 0 1 0", "a 2 0 0 0"]),
        ):
            with case(repr(states)):
                asked.broken, asked.counts = {}, {}
                for number, found in enumerate(states):
                    asked.take(Conversation(id=str(number)), found)
                await view.renew()
                await it.settle()
                lines = text(it, view, "#groups").replace("▌", " ").splitlines()
                assert [" ".join(line.split()) for line in lines if line.strip()] == wanted
        await it.press("enter")
        assert it.app.screen is view
        assert "no run is known to break this rule" in it.text_of(view.footer)


async def test_faulty_rules_are_told_on_the_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "oh-tui").mkdir()
    (tmp_path / "oh-tui" / "rules.toml").write_text("[[rule]]\n")
    async with explore(size=(160, 40)) as it:
        view = await board(it)
        await it.press("C")
        await it.until(lambda: "faults: line 1" in "".join(t for t, _ in view.footer.news))
        assert "by model" in text(it, view, "#board-rule")


async def test_enter_lists_the_runs_of_a_row_and_esc_comes_back() -> None:
    async with explore() as it:
        await filtered(it, "repo:acme/d")
        view = await board(it)
        await it.press("b")
        names = [group.names[0] for group in view.groups.rows]
        view.groups.move_to(names.index("acme/dates"))
        await it.press("enter")
        assert it.app.screen is it.screen
        await it.until(lambda: it.screen.session.listing.is_whole)
        listed = [row.conversation for row in it.screen.session.listed]
        assert {one.selected_repository for one in listed} == {"acme/dates"}
        assert "esc back to board" in it.footer
        await it.press("escape")
        assert isinstance(it.app.screen, BoardScreen)
        again = it.app.screen
        await it.until(lambda: again.groups.current)
        assert again.groups.current and again.groups.current.names == ("acme/dates",)
        await it.press("escape")
        query = it.screen.session.listing.query
        assert query and query.text == "repo:acme/d"


async def test_sorting_by_key_and_by_head() -> None:
    async with explore(size=(160, 40)) as it:
        await filtered(it, "repo:acme/d")
        view = await board(it)
        await it.press("b")
        while view.found.sort != "total":
            await it.press("s")
        totals = [group.cost.total for group in view.groups.rows if group.cost.known]
        assert totals == sorted(totals, reverse=True)
        assert view.groups.sort == "total" and "total ▼" in text(it, view, "#groups-head")
        for sort, head in (("name", " repository ▲"), ("finished", "  ok ▼ fail other")):
            while view.found.sort != sort:
                await it.press("s")
            assert head in text(it, view, "#groups-head")


@pytest.mark.slow
async def test_in_ascii_the_sign_of_the_order_is_no_letter_of_the_name() -> None:
    async with explore(settings=Settings(ascii=True), size=(160, 40)) as it:
        view = await board(it)
        assert " runs v  how they ended" in text(it, view, "#groups-head")


async def test_it_says_what_is_not_counted_and_counts_it() -> None:
    async with explore() as it:
        source = it.screen.session.source
        assert source
        source.address = "https://server.test"  # a server that keeps nothing here
        await filtered(it, "repo:acme/dates")
        await it.press("B")
        view = it.app.screen
        assert isinstance(view, BoardScreen)
        await it.until(lambda: view.found.reading.not_here and not view.found.is_running)
        await it.until(lambda: "not read yet" in text(it, view, "#groups"))
        assert "of this server are not read yet: i reads them, about " in it.text_of(view.footer)
        await it.press("i")
        await it.until(lambda: view.groups.row_count() and not view.found.is_running)
        assert not view.found.reading.not_here


async def again(it: Explorer) -> BoardScreen:
    await it.press("B")
    view = it.app.screen
    assert isinstance(view, BoardScreen)
    await it.until(lambda: view.found.ended)
    return view


async def test_esc_closes_the_board_while_it_counts_and_b_counts_anew() -> None:
    between = Between()
    async with explore(size=(160, 40), wrap=between) as it:
        await filtered(it, "repo:acme/dates")
        held = between.hold("GET /*/events/*")
        await it.send("B")
        await it.until(lambda: isinstance(it.app.screen, BoardScreen))
        view = it.app.screen
        assert isinstance(view, BoardScreen)
        await it.until(lambda: view.found.is_running and view.found.reading.runs)
        await it.send("escape")
        await it.until(lambda: it.app.screen is it.screen)
        await it.until(lambda: not view.found.is_running)
        held.set()
        anew = await again(it)
        assert anew is not view
        await it.until(lambda: "so far" not in text(it, anew, "#board-rule"))
        anew.found.ended, count = False, len(anew.found.runs)
        anew.found.reading.runs = 1500
        await anew.renew()
        assert f"{count} of 1,500 runs" in text(it, anew, "#board-rule")
        anew.found.problem = ("The server went away",)
        await anew.renew()
        assert f"{count} of 1,500 runs · The server went away" in text(it, anew, "#board-rule")


async def test_another_filter_counts_anew() -> None:
    async with explore() as it:
        await filtered(it, "repo:acme/dates")
        view = await board(it)
        assert {one.row.repository for one in view.found.runs} == {"acme/dates"}
        await it.press("escape")
        await filtered(it, " nosuchthing")
        await it.press("B")
        other = it.app.screen
        assert isinstance(other, BoardScreen) and other.found is not view.found
        await it.until(lambda: "there is no run to count" in text(it, other, "#groups"))


def wide(name: str, runs: int = 12_345) -> Group:
    """A group of which all is known, in long numbers."""
    ends, dollars_ = {"finished": runs}, Spread(runs, 4_456_789.0, 360.35, 999.99)
    time = Spread(runs, 1.0, 5995.0, 86_399.0)
    steps = Spread(runs, 1.0, 23_456.0, 2.0)
    return Group(
        (name,),
        runs,
        ends,
        1,
        2,
        steps,
        time,
        dollars_,
        3,
        0,
        Spread(runs, 12_345.0),
        5,
        1234,
        "E",
        1,
        Churn(runs, 9_999, 1_234),
    )


class WideBoard(Board):
    names: tuple[str, ...] = (
        "litellm_proxy/anthropic/claude-sonnet-4-5-20250929",
        "openai/gpt-5",
        "azure/gpt-5",
    )

    def table(self) -> Table:
        return Table([wide(name) for name in self.names], None)


async def wide_board(it: Explorer, sort: str = "runs") -> BoardScreen:
    view = await board(it)
    view.found = WideBoard(view.found.source_runs, view.found.query)
    view.found.ended, view.found.sort = True, sort
    await view.renew()
    return view


async def test_every_number_that_is_shown_is_whole() -> None:
    async with explore(size=(160, 30)) as it:
        await filtered(it, "repo:acme/dates")
        view = await wide_board(it)
        groups = view.groups
        for width in (80, 95, 100, 110, 120, 160):
            with case(width):
                await it.pilot.resize_terminal(width, 30)
                await it.until(lambda: groups.row_width == view.size.width - 2)
                for row in range(groups.row_count()):
                    line = groups.pieces(row, groups.row_width)
                    assert sum(width_of(one) for one, _ in line) <= groups.row_width
                await it.until(lambda: "claude-sonnet" in text(it, view, "#groups"))
                shown, head = text(it, view, "#groups"), text(it, view, "#groups-head")
                assert "openai/gpt-5" in shown and "azure/gpt-5" in shown
                assert "litellm" not in shown
                for column in OTHERS:
                    if column.right and column.head:
                        number = re.escape(column.cell(wide("m"), None).text)
                        has = re.search(rf"(?<!\S){number}(?!\S)", shown) is not None
                        shown_as = "∞" if column.head == "loops" else column.head
                        assert has == (shown_as in head.split())
                assert "$4,456,789+" in shown.split() and "ok fail other" in head


async def test_the_names_of_the_columns_stand_above_them_at_any_width(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with explore(size=(80, 30)) as it:
        await filtered(it, "repo:acme/dates")
        groups = (await wide_board(it)).groups
        for width in range(groups.row_width, 140):
            monkeypatch.setattr(Groups, "row_width", width)
            head, row = groups.head(), groups.pieces(0, width)
            above = sum(width_of(cell.text) for cell in head)
            assert above == 1 + sum(width_of(text) for text, _ in row), width


async def test_an_empty_board_can_be_sorted() -> None:
    async with explore(size=(80, 30)) as it:
        await filtered(it, "repo:acme/dates")
        groups = (await board(it)).groups
        groups.show(())
        assert [groups.next_sort(one) for one in ("name", "runs")] == ["runs", "finished"]


async def test_s_sorts_by_the_columns_that_are_shown() -> None:
    async with explore(size=(80, 30)) as it:
        await filtered(it, "repo:acme/dates")
        view = await wide_board(it, sort="loops")
        seen = list[str]()
        while view.found.sort not in seen:
            seen.append(view.found.sort)
            await it.press("s")
        assert seen[:4] == ["loops", "name", "runs", "finished"]
        head = text(it, view, "#groups-head")
        assert all(sort in head for sort in seen[4:]) and "total" in seen and "errors" not in seen


def counted(one: Counted, **known: Any) -> Counted:
    """A run of which other things are known."""
    row = one.row._replace(**known)
    return Counted(one.id, row, GROUPINGS["day"](row))


async def test_the_day_that_cost_most_is_of_all_days() -> None:
    async with explore(size=(80, 30)) as it:
        await filtered(it, "repo:acme/dates")
        view = await board(it)
        base, noon = view.found.runs[0], datetime(2026, 1, 1, 12).timestamp()
        view.found.runs[:] = [
            counted(base, began=noon + day * 86_400, cost=cost)
            for day, cost in ((0, 900.0), (1, 0.5), (200, 2.0))
        ]
        trend = view.found.table().trend
        assert trend and trend.each(78) == 3
        blocks = trend.values(COST, 78)
        assert len(blocks) == 67 and blocks[0] == 900.5 and blocks[-1] == 2.0
        await view.renew()
        await it.until(lambda: "Cost by 3 days" in text(it, view, "#cost-by-day"))
        assert "most on 2026-01-01: $900.00" in text(it, view, "#cost-by-day")


async def by_period(it: Explorer, view: BoardScreen, kind: str = "day") -> None:
    """Four runs on three days of five, in two weeks, and one without a time."""
    base = view.found.runs[0]
    days = ("2026-11-20", "2026-11-20", "2026-11-22", "2026-11-24")
    times = [datetime.fromisoformat(f"{day}T12:00").timestamp() for day in days]
    view.found.runs[:] = [
        counted(base, began=time, cost=cost, knows_zone=True)
        for time, cost in zip([*times, None], (1.0, 2.5, None, 0.25, 9.0), strict=True)
    ]
    view.found.by = kind
    await view.renew()
    await it.until(lambda: "least" in text(it, view, "#periods"))


async def test_by_day_and_week_lines_stand_above_the_rows() -> None:
    async with explore(size=(80, 30)) as it:
        await filtered(it, "repo:acme/dates")
        view = await board(it)
        await by_period(it, view)
        shown = text(it, view, "#periods")
        assert "Each day" in shown and "2 days without a run" in shown
        assert re.search(r"runs      █▁▅▁▅ +least +0 +most +2 +last +1$", shown, re.MULTILINE)
        assert "cost" not in shown, "it is drawn large below"
        hues = {hue for line in view.periods.lines.lines for part, hue in line if part == "▁"}
        assert hues == {"dim"}, "a day without any does not stand out"
        assert "Cost by day" in text(it, view, "#cost-by-day")
        rows = text(it, view, "#groups").splitlines()
        assert re.match(r".no time +1 ", rows[0])
        assert [row.split()[:2] for row in rows[1:6]] == [
            ["2026-11-20", "2"],
            ["2026-11-21", "0"],
            ["2026-11-22", "1"],
            ["2026-11-23", "0"],
            ["2026-11-24", "so"],
        ]
        assert rows[2].split()[2:] == [], "what is not known of no run"
        view.groups.move_to(2)
        await it.press("enter")
        assert it.app.screen is view, "there is no run to list"
        assert "enter open" not in it.text_of(view.footer)
        await by_period(it, view, "week")
        assert "Each week" in text(it, view, "#periods")
        assert "2026-W47 to 2026-W48" in text(it, view, "#periods")
        view.found.by = "model"
        await view.renew()
        await it.until(lambda: not view.periods.display and view.days.display)


async def test_the_money_of_the_days_is_large_and_days_without_a_failure_are_quiet() -> None:
    async with explore(size=(80, 24)) as it:
        view = await board(it)
        await it.press("2")
        await it.until(lambda: view.found.by == "day" and view.periods.display)
        await it.settle()
        days = view.groups.rows
        assert view.groups.cursor == len(days) - 1 > 10
        assert days[-1].names[0] in text(it, view, "#groups"), "the last day is in sight"
        assert len(text(it, view, "#cost-by-day").split("\n")) == 1 + 3 + 1
        *_, below, names = view.days.lines.lines
        first, last = names[0][0].split()
        assert (first, last) == tuple(day.names[0][5:] for day in (days[0], days[-1]))
        shown = "".join(part for part, _ in below)
        assert shown.startswith("? ") and len(names[0][0]) == len(shown.rstrip()), "below its bar"
        assert {hue for part, hue in below if part.strip() and set(part) <= {"▁", " "}} == {"dim"}
        assert {hue for part, hue in below if "█" in part} == {"llm"}
        hues = [view.groups.pieces(row, 78)[0][1] for row in range(len(days))]
        assert hues == ["" if day.failed else "dim" for day in days] and set(hues) == {"", "dim"}


async def test_in_ascii_the_lines_have_the_signs_of_ascii() -> None:
    async with explore(settings=Settings(ascii=True), size=(80, 30)) as it:
        await filtered(it, "repo:acme/dates")
        view = await board(it)
        await by_period(it, view)
        shown = text(it, view, "#periods")
        assert shown.isascii() and "runs      #.+.+" in shown


async def test_days_are_in_their_order_until_another_is_chosen() -> None:
    async with explore(size=(120, 30)) as it:
        await filtered(it, "repo:acme/dates")
        view = await board(it)
        await by_period(it, view)
        assert " day ▲" in text(it, view, "#groups-head")
        await it.press("s")
        assert view.found.sort == "runs" and "runs ▼" in text(it, view, "#groups-head")
        runs = [group.runs for group in view.groups.rows]
        assert runs == sorted(runs, reverse=True) and 0 not in runs


RECENT = "after:2026-11-22 before:2026-11-26"
"""The demo has runs before these days too."""


@pytest.mark.slow
async def test_p_shows_the_range_before_beside_until_p_again() -> None:
    async with explore(size=(160, 40)) as it:
        await filtered(it, RECENT)
        view = await board(it)
        assert "p before" in it.text_of(view.footer)
        await it.press("p")
        await it.until(lambda: ", was " in text(it, view, "#before"))
        assert view.found.before
        now, was = view.found.total(), view.found.before.board.total()
        assert now.runs > 0 and was.runs > 0
        shown = text(it, view, "#before")
        assert f"runs {now.runs}, was {was.runs} · cost a run $" in shown
        ids = {one.id for one in view.found.runs}
        assert not ids & {one.id for one in view.found.before.board.runs}
        await it.press("r")
        await it.until(lambda: view.found.before and view.found.before.board.ended)
        await it.until(lambda: f"was {was.runs}" in text(it, view, "#before"))
        await it.press("p")
        await it.until(lambda: not view.before.display)
        assert view.found.before is None


@pytest.mark.slow
async def test_the_range_before_fits_into_80_columns() -> None:
    async with explore(size=(60, 30)) as it:
        await filtered(it, RECENT)
        view = await board(it)
        await it.press("p")
        await it.until(lambda: ", was " in text(it, view, "#before"))
        lines = text(it, view, "#before").splitlines()
        assert len(lines) > 2 and all(
            re.search(r"\S, was \S+( without 1 ACP run)?$", line) for line in lines[1:]
        )


@pytest.mark.slow
async def test_where_no_run_was_before_it_says_so() -> None:
    async with explore(size=(120, 30)) as it:
        await filtered(it, "after:2026-01-01 before:2026-11-26")
        view = await board(it)
        await it.press("p")
        await it.until(lambda: "no runs before" in text(it, view, "#before"))
        assert ", was" not in text(it, view, "#before")


@pytest.mark.slow
async def test_on_a_narrow_terminal_the_footer_names_the_keys_that_matter() -> None:
    async with explore(size=(80, 24)) as it:
        await filtered(it, RECENT)
        view = await board(it)
        shown = it.text_of(view.footer)
        for hint in ("enter open", "b group", "p before", "s sort", "r count again"):
            assert hint in shown
        await it.press("C")
        await it.until(lambda: view.found.rules and view.found.rules.ended)
        await it.settle()
        rows = text(it, view, "#groups")
        assert all(group.names[0] in rows for group in view.groups.rows), "whole names"


async def test_without_a_range_it_says_what_to_give() -> None:
    async with explore(size=(120, 30)) as it:
        await filtered(it, "repo:acme/dates")
        view = await board(it)
        assert "p before" not in it.text_of(view.footer)
        await it.press("p")
        assert "no range to go back from: give after:7d" in it.text_of(view.footer)
        assert not view.before.display


@pytest.mark.slow
async def test_what_is_not_read_of_the_range_before_is_counted_by_i_too() -> None:
    async with explore(size=(160, 30)) as it:
        source = it.screen.session.source
        assert source
        source.address = "https://server.test"  # a server that keeps nothing here
        await filtered(it, f"repo:acme {RECENT}")
        await it.press("B")
        view = it.app.screen
        assert isinstance(view, BoardScreen)
        await it.until(lambda: view.found.ended)
        await it.press("p")
        await it.until(lambda: view.found.before and view.found.before.board.ended)
        assert view.found.before
        both, missing = view.found.parts, view.found.not_here
        assert missing > len(view.found.reading.not_here) > 0
        await it.until(lambda: "not read yet" in text(it, view, "#before"))
        await it.press("i")
        await it.until(lambda: sum(len(one.runs) for one in both) == missing - 1, 30)
        (why,) = (why for one in both for why in one.reading.unread)
        assert "too long for a download" in why  # the others are counted
        assert not view.found.not_here
        await it.until(lambda: ", was " in text(it, view, "#before"))


@pytest.mark.slow
async def test_closing_ends_the_counting_of_the_range_before() -> None:
    between = Between()
    async with explore(size=(160, 40), wrap=between) as it:
        await filtered(it, RECENT)
        view = await board(it)
        held = between.hold("GET /*/events/*")
        await it.send("p")
        await it.until(lambda: view.found.before and view.found.before.board.is_running)
        assert view.found.before
        counted = view.found.before.board
        await it.send("escape")
        await it.until(lambda: it.app.screen is it.screen)
        await it.until(lambda: not counted.is_running)
        held.set()
        anew = await again(it)
        assert anew.found is view.found and anew.found.before is None
        await it.press("p")
        await it.until(lambda: ", was " in text(it, anew, "#before"))


@pytest.mark.parametrize(
    ("parts", "shares"),
    [
        ((3, 3, 2), [38, 38, 25]),
        ((1, 1, 1), [33, 33, 33]),
        ((0, 7, 0), [0, 100, 0]),
        ((999, 1, 0), [100, 0, 0]),
        ((0, 0, 0), [0, 0, 0]),
    ],
)
def test_a_share_is_rounded_by_itself(parts: tuple[int, ...], shares: list[int]) -> None:
    assert percentages(parts) == shares


def test_a_bar_loses_no_part() -> None:
    assert parted((1000, 1, 0), 20) == [19, 1, 0]
    assert parted((1, 1000, 1), 16) == [1, 14, 1] and parted((0, 0, 3), 16) == [0, 0, 16]
    assert sum(parted((1, 1, 1), 20)) == 20


def test_forks_are_named_by_the_start_of_the_id_of_their_origin() -> None:
    origins = "a" * 32, "b" * 32, "b" * 31 + "c"
    shown = shown_names(tuple(wide(name) for name in ("", *origins)), "fork")
    assert shown == ["", "aaaaaaaa", *origins[1:]], "two begin alike"


async def test_each_row_has_its_runs_over_the_days_of_all() -> None:
    async with explore(size=(160, 40)) as it:
        view = await board(it)
        first, *_ = view.groups.rows
        days = view.found.shown.days[first.names[0]]
        assert sum(days.values()) == sum(
            bool(one.day) for one in view.found.runs if one.row.model == first.names[0]
        )
        assert "runs each day" in it.text_of(view.query_one(ColumnHead))
        with case("loops, which few rows have, leave it the room"):
            assert "∞" in it.text_of(view.query_one(ColumnHead)).split()
            await it.pilot.resize_terminal(120, 36)
            await it.until(lambda: "∞" not in it.text_of(view.query_one(ColumnHead)))
            assert "runs each day" in it.text_of(view.query_one(ColumnHead))
        assert any(level in view.groups.row_text(0) for level in "▁▂▃▄▅▆▇█")
        view.found.by = "day"
        await view.renew()
        assert "runs each day" not in it.text_of(view.query_one(ColumnHead))


async def test_the_cost_by_day_takes_the_room_that_is_free() -> None:
    async with explore(size=(160, 48)) as it:
        view = await board(it)
        lines = text(it, view, "#cost-by-day").split("\n")
        assert len(lines) == 1 + TALLEST + 2
        assert "$" in lines[-2] and re.search(r"\d\d-\d\d", lines[-1])
        assert all(width_of(line) <= 160 for line in lines)
        runs = list(view.found.runs)
        view.found.runs[:] = [counted(one, cost=0.01, cost_is_partial=True) for one in runs]
        await view.renew()
        lines = text(it, view, "#cost-by-day").split("\n")
        assert all(cost.endswith("+") for cost in lines[-2].split()), "at least"
        assert re.search(r"most on \S+: \$[\d.]+\+", lines[0])
        view.found.runs[:] = [counted(one, cost=123_456_789.0) for one in runs]
        await view.renew()
        assert len(view.days.lines.lines) == TALLEST + 1, "wider than their columns"
        (names,) = view.days.lines.lines[-1]
        assert re.fullmatch(r"\d\d-\d\d +\d\d-\d\d", names[0]), "the first and the last"
    async with explore(size=(80, 24)) as it:
        view = await board(it)
        assert all(width_of(line) <= 80 for line in text(it, view, "#cost-by-day").split("\n"))
        assert it.text_of(view.groups).strip()


async def test_the_views_over_many_runs_have_the_keys_1_to_6() -> None:
    async with explore(size=(160, 48)) as it:
        view = await board(it)
        tabs = it.text_of(view.tabs)
        assert tabs.split() == [
            "1",
            "sums",
            "2",
            "days",
            "3",
            "failures",
            "4",
            "rules",
            "5",
            "hits",
            "6",
            "sets",
        ]
        await it.press("2")
        await it.until(lambda: view.tab == "days")
        await it.press("4")  # rules are read in a thread
        await it.until(lambda: view.tab == "rules")
        await it.press("1")
        await it.until(lambda: view.tab == "sums")
        await it.press("3")
        await it.until(lambda: isinstance(it.app.screen, FailuresScreen))
        await it.press("2")  # back to the board below
        await it.until(lambda: it.app.screen is view and view.tab == "days")
        await it.press("5")
        await it.until(lambda: isinstance(it.app.screen, SearchScreen))
        await it.press("2")  # typed into its field
        assert isinstance(it.app.screen, SearchScreen) and it.app.screen.words.value == "2"
        await it.press("tab", "6")
        await it.until(lambda: isinstance(it.app.screen, SetsScreen))
        await it.press("5")
        await it.until(lambda: isinstance(it.app.screen, SearchScreen))
        await it.press("tab", "4")
        await it.until(lambda: isinstance(it.app.screen, BoardScreen))
        again = it.app.screen
        assert isinstance(again, BoardScreen)
        await it.until(lambda: again.tab == "rules")
