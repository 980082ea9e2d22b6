"""The board of all runs: sums by group, other groupings and orders, and the runs of a row."""

from __future__ import annotations

from oh_tui.sources.many.sums import summed
from oh_tui.tui.screens.board import BoardScreen, _parted
from oh_tui.tui.state.board_all import sparkline
from tests.tui.explorer import Between, Explorer, explore


def text(it: Explorer, view: BoardScreen, selector: str) -> str:
    return it.text_of(view.query_one(selector))


async def board(it: Explorer) -> BoardScreen:
    await it.press("B")
    view = it.app.screen
    assert isinstance(view, BoardScreen)
    await it.until(lambda: view.board.runs and not view.board.is_running, 30)
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
        assert sum(group.runs for group in view.groups.groups) == len(view.board.runs) >= listed
        assert "repo:acme/d" in text(it, view, "#board-rule")
        await it.press("b")
        assert "by repository" in text(it, view, "#board-rule")
        assert {group.names[0] for group in view.groups.groups} == {
            one.row.repository for one in view.board.runs
        }
        rows = text(it, view, "#groups")
        for group in view.groups.groups:
            assert group.names[0] in rows and f"{group.runs:>8}  " in rows
        total = summed((), [one.row for one in view.board.runs])
        assert f"${total.cost.total:.2f}" in text(it, view, "#board-rule")


async def test_enter_lists_the_runs_of_a_row_and_esc_all_again() -> None:
    async with explore() as it:
        await filtered(it, "repo:acme/d")
        view = await board(it)
        await it.press("b")
        names = [group.names[0] for group in view.groups.groups]
        view.groups.move_to(names.index("acme/dates"))
        await it.press("enter")
        assert it.app.screen is it.screen
        await it.until(lambda: it.screen.session.listing.is_whole)
        listed = [row.conversation for row in it.screen.session.listed]
        assert {one.selected_repository for one in listed} == {"acme/dates"}
        await it.press("escape")
        await it.until(lambda: it.screen.session.listing.query is None)


async def test_sorting_by_key_and_by_head() -> None:
    async with explore(size=(160, 40)) as it:
        await filtered(it, "repo:acme/d")
        view = await board(it)
        await it.press("b")
        while view.board.sort != "total":
            await it.press("s")
        totals = [group.cost.total for group in view.groups.groups if group.cost.known]
        assert totals == sorted(totals, reverse=True)
        assert view.groups.sort == "total" and "total▼" in text(it, view, "#groups-head")


async def test_it_says_what_is_not_counted_and_counts_it() -> None:
    async with explore() as it:
        source = it.screen.session.source
        assert source
        source.address = "https://server.test"  # a server that keeps nothing here
        await filtered(it, "repo:acme/dates")
        await it.press("B")
        view = it.app.screen
        assert isinstance(view, BoardScreen)
        await it.until(lambda: view.board.reading.not_kept and not view.board.is_running)
        await it.until(lambda: "not on this machine" in text(it, view, "#groups"))
        await it.press("i")
        assert "i again reads " in it.text_of(view.footer)
        await it.press("i")
        await it.until(lambda: view.groups.row_count() and not view.board.is_running)
        assert not view.board.reading.not_kept


async def test_a_count_that_was_stopped_does_not_claim_to_be_complete() -> None:
    between = Between()
    async with explore(size=(160, 40), wrap=between) as it:
        await filtered(it, "repo:acme/dates")
        held = between.hold("GET /*/events/*")
        await it.send("B")
        await it.until(lambda: isinstance(it.app.screen, BoardScreen))
        view = it.app.screen
        assert isinstance(view, BoardScreen)
        await it.until(lambda: view.board.is_running and view.board.reading.runs)
        await it.send("escape")
        await it.until(lambda: "stopped" in text(it, view, "#board-rule"))
        assert "no run was counted by then" in text(it, view, "#groups")
        held.set()
        await it.press("r")
        await it.until(lambda: view.board.ended)
        await it.until(lambda: "so far" not in text(it, view, "#board-rule"))
        view.board.ended, count = False, len(view.board.runs)
        view.board.reading.runs = 1500
        await view.renew()
        assert f"{count} of 1,500 runs · stopped" in text(it, view, "#board-rule")
        view.board.problem = ("The server went away",)
        await view.renew()
        assert f"{count} of 1,500 runs · The server went away" in text(it, view, "#board-rule")


async def test_another_filter_counts_anew() -> None:
    async with explore() as it:
        await filtered(it, "repo:acme/dates")
        view = await board(it)
        assert {one.row.repository for one in view.board.runs} == {"acme/dates"}
        await it.press("escape")
        await filtered(it, " nosuchthing")
        await it.press("B")
        other = it.app.screen
        assert isinstance(other, BoardScreen) and other.board is not view.board
        await it.until(lambda: "there is no run to count" in text(it, other, "#groups"))


def test_a_sparkline_and_a_bar() -> None:
    assert sparkline([0, 1, 4], ".:#") == " .#"
    assert sparkline([0, 0], ".:#") == "  "
    assert _parted((1000, 1, 0), 20) == [19, 1, 0]
    assert sum(_parted((1, 1, 1), 20)) == 20
