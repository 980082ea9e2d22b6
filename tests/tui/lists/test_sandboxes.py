"""The Sandboxes pane: the order of its rows, the fold, and that `p` acts on one row."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from msgspec.structs import replace

from oh_tui.api.models import Sandbox
from oh_tui.conversation import Conversation
from oh_tui.demo.servers.network import Network
from oh_tui.tui.state.sandboxes import (
    JUST,
    SandboxOrder,
    SandboxRow,
    counted,
    folded,
    lines_for,
)
from oh_tui.tui.widgets.sandbox_list import Fold
from tests.tui.explorer import Between, Explorer, explore

SPLIT = "Split the settings module"
"""Alone in its sandbox, and its run is over: pausing asks nothing."""

PAUSE = "POST /api/v1/sandboxes/*/pause"
RESUME = "POST /api/v1/sandboxes/*/resume"


def sandbox(name: str, status: str) -> Sandbox:
    return Sandbox(id=name, status=status, created_at=f"2026-11-24T10:00:0{ord(name) % 10}Z")


def listing(**states: str) -> tuple[Sandbox, ...]:
    """Sandboxes by name; of two in one state the later letter is the newer."""
    return tuple(sandbox(name, status) for name, status in states.items())


def take(order: SandboxOrder, *states: Any, **options: Any) -> None:
    for _ in order.take(*states, **options):
        pass


def ids(order: SandboxOrder) -> str:
    return "".join(row.id for row in order.rows)


# The order


def test_errors_come_first_then_those_up_then_those_paused_the_newest_first() -> None:
    order = SandboxOrder()
    take(order, listing(d="PAUSED", e="RUNNING", f="STARTING", g="ERROR", h="NEW", i="PAUSED"), ())
    assert ids(order) == "gfeidh"


def test_a_sandbox_just_paused_or_resumed_keeps_its_row() -> None:
    order = SandboxOrder()
    take(order, listing(d="PAUSED", e="RUNNING", f="RUNNING"), ())
    assert ids(order) == "fed"
    take(order, listing(d="PAUSED", e="RUNNING", f="PAUSED"), (), now=100)
    assert ids(order) == "fed"
    take(order, listing(d="RUNNING", e="RUNNING", f="PAUSED"), (), now=110)
    assert ids(order) == "fed"
    assert [row.status for row in order.rows] == ["PAUSED", "RUNNING", "RUNNING"]
    take(order, listing(d="RUNNING", e="RUNNING", f="PAUSED"), (), now=101 + JUST)
    assert ids(order) == "efd", "f goes where it belongs"
    take(order, listing(d="RUNNING", e="RUNNING", f="PAUSED"), (), now=111 + JUST)
    assert ids(order) == "edf", "and then d"
    take(order, listing(d="RUNNING", e="RUNNING", f="PAUSED"), (), anew=True)
    assert ids(order) == "edf"


def test_while_the_reader_is_in_the_pane_no_row_moves_however_long() -> None:
    order = SandboxOrder()
    take(order, listing(e="RUNNING", f="RUNNING"), ())
    for now in (100.0, 100 + JUST, 100 + 9 * JUST):
        take(order, listing(e="RUNNING", f="PAUSED"), (), now=now, hold=True)
        assert ids(order) == "fe"
    take(order, listing(e="RUNNING", f="PAUSED"), (), anew=True)
    assert ids(order) == "ef"


def test_a_sandbox_that_fails_moves_to_the_top_at_once() -> None:
    order = SandboxOrder()
    take(order, listing(e="RUNNING", f="RUNNING", g="PAUSED"), ())
    take(order, listing(e="RUNNING", f="RUNNING", g="ERROR"), (), hold=True)
    assert ids(order) == "gfe"


def test_one_that_goes_away_keeps_its_row_as_gone_for_a_while() -> None:
    order = SandboxOrder()
    inside = Conversation(id="1", sandbox_id="f", sandbox_status="MISSING")
    take(order, listing(e="RUNNING", f="RUNNING", g="RUNNING"), (inside,))
    take(order, listing(e="RUNNING"), (inside,), now=100, hold=True)
    assert ids(order) == "gfe"
    assert [row.is_gone for row in order.rows] == [True, True, False]
    assert not order.gone
    take(order, listing(e="RUNNING"), (inside,), now=101 + JUST)
    assert ids(order) == "e"
    assert [row.id for row in order.gone] == ["f"], "nothing names g any more"
    take(order, listing(e="RUNNING", f="RUNNING"), (inside,), now=101 + JUST)
    assert ids(order) == "fe", "one that is back is seen at once"


def test_the_last_line_counts_what_is_below_the_fold_by_state() -> None:
    states = ["ERROR", "RUNNING", "RUNNING", "STARTING", "PAUSED", "PAUSED"]
    rows = [SandboxRow(str(n), status, "", ()) for n, status in enumerate(states)]

    def below(rows: list[SandboxRow], seen: int, gone: int) -> str:
        return folded(rows, Counter(row.state for row in rows), seen, gone)

    assert below(rows, 6, 0) == ""
    assert below(rows, 2, 29) == "2 more up, 2 paused, 29 are gone"
    assert below(rows, 5, 0) == "1 more paused"
    assert below(rows, 0, 0) == "1 error, 3 up, 2 paused"
    assert below([rows[0]] * 9, 6, 0) == "3 more errors"
    counts = Counter(row.state for row in rows)
    assert counted(counts) == [("1 error", "bad"), ("3 up", "dim"), ("2 paused", "dim")]


def test_errors_get_the_lines_that_they_need_up_to_seven() -> None:
    assert [lines_for(height, 0) for height in (16, 24, 36, 48, 90)] == [3, 4, 6, 7, 7]
    assert [lines_for(24, errors) for errors in (3, 4, 6, 20)] == [4, 5, 7, 7]


# The pane


def highlight(it: Explorer, title: str) -> int:
    """Go to the row of a conversation's sandbox; the row."""
    it.screen.focus_pane("sandboxes")
    pane = it.screen.sidebar.sandbox_list
    place = next(
        n for n, row in enumerate(pane.rows) if any(c.title == title for c in row.conversations)
    )
    pane.move_to(place)
    return place


def statuses(it: Explorer) -> list[str]:
    return [row.status for row in it.screen.sidebar.sandbox_list.rows]


async def test_seven_lines_with_errors_on_top_and_the_rest_counted() -> None:
    async with explore(size=(160, 48)) as it:
        pane = it.screen.sidebar.sandbox_list
        await it.press("2", "g")
        assert pane.size.height + 1 == 7
        lines = it.text("#sandboxes").splitlines()
        assert lines[0].startswith("▌✗")
        assert lines[3] == " ●  13m Migrate to pydantic 2   +1 run"
        assert it.text("#sandboxes-fold").strip() == "4 more up, 4 paused, 24 are gone (x)"
        await it.press("z")
        assert pane.row_count() == 14
        assert it.text("#sandboxes-fold").strip() == "24 are gone (x)"


async def test_scrolling_reaches_every_row_and_the_fold_follows() -> None:
    async with explore(size=(160, 48)) as it:
        pane = it.screen.sidebar.sandbox_list
        await it.press("2", *"j" * 8)
        assert it.text("#sandboxes-fold").strip() == "1 more up, 4 paused, 24 are gone (x)"
        await it.press("G")
        assert pane.cursor == pane.row_count() - 1
        assert it.text("#sandboxes").splitlines()[-1].startswith("▌║")
        assert it.text("#sandboxes-fold").strip() == "24 are gone (x)"
        await it.press("x")
        assert pane.current is not None and pane.current.is_gone
        assert it.text("#sandboxes-fold").strip().endswith("more are gone")


async def test_the_fold_fits_a_narrow_column_and_stays_apart_from_the_divider() -> None:
    async with explore(size=(120, 36)) as it:
        await it.press("2")
        assert it.text("#sandboxes-fold") == " 5 more up, 4 paused, 24 gone"
        fold = it.screen.query_one("#sandboxes-fold", Fold)
        assert fold.size.width == 30
        fold.gone = 123
        assert it.text("#sandboxes-fold") == " 5 more up, 4 paused, 123 go…", (
            "apart from the divider"
        )
    async with explore(size=(80, 24)) as it:
        await it.press("2")
        assert it.text("#sandboxes-fold").strip().endswith("24 are gone (x)")
        assert it.text("#sandboxes").startswith("▌✗"), "errors are never below the fold"


async def p_twice(it: Explorer, between: Between) -> None:
    """`p`, and `p` again when it says that it resumes."""
    pane = it.screen.sidebar.sandbox_list
    place = highlight(it, SPLIT)
    assert pane.current
    meant, line = pane.current.id, place - round(pane.scroll_y)
    await it.press("p", "enter")
    await it.until(lambda: "sandbox paused · p resumes it" in it.footer)
    assert statuses(it)[place] == "PAUSED", "before the lists are read again"
    await it.settle()
    assert pane.current.id == meant
    assert pane.cursor - round(pane.scroll_y) == line, "on its line of the screen"
    await it.press("p")
    await it.until(lambda: it.screen.asking.question_bar.display)
    assert "Resume sandbox" in it.text("#question")
    await it.press("enter")
    await it.until(lambda: "sandbox running again" in it.footer)
    await it.settle()
    assert pane.current.id == meant
    assert [call.split("/")[4] for call in between.asked if call.startswith("POST")] == [meant] * 2
    assert (between.count(PAUSE), between.count(RESUME)) == (1, 1)


async def test_p_twice_pauses_and_resumes_the_same_sandbox() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await p_twice(it, between)


async def test_p_twice_over_a_slow_network_too() -> None:
    between = Between()
    network = Network(waits=(0.03, 0.12), fails=0, rows=10)
    async with explore(wrap=lambda app: between(network.over(app, 7)), size=(160, 48)) as it:
        await p_twice(it, between)


async def test_after_the_pane_is_left_the_paused_one_is_among_the_paused() -> None:
    async with explore(size=(160, 48)) as it:
        pane = it.screen.sidebar.sandbox_list
        place = highlight(it, SPLIT)
        assert pane.current
        meant = pane.current.id
        await it.press("p", "enter")
        await it.until(lambda: "sandbox paused" in it.footer)
        await it.settle()
        assert pane.cursor == place
        await it.press("1")
        assert pane.current.id == meant
        assert pane.cursor > place
        assert statuses(it) == sorted(
            statuses(it), key=("ERROR", "STARTING", "RUNNING", "PAUSED").index
        )
        await it.press("2")
        assert pane.current.id == meant
        assert pane.cursor < pane.seen, "it is in sight"


async def test_r_puts_the_rows_in_order_under_a_cursor_that_stays_on_its_sandbox() -> None:
    async with explore(size=(160, 48)) as it:
        pane = it.screen.sidebar.sandbox_list
        place = highlight(it, SPLIT)
        await it.press("p", "enter")
        await it.until(lambda: "sandbox paused" in it.footer)
        await it.settle()
        assert pane.current
        meant = pane.current.id
        await it.press("r")
        assert pane.current.id == meant
        assert pane.cursor > place


async def test_a_sandbox_paused_from_the_conversations_keeps_its_row_in_sight() -> None:
    async with explore(size=(160, 48)) as it:
        order = [row.id for row in it.screen.sidebar.sandbox_list.rows]
        await it.open(SPLIT)
        await it.press("1", "p", "enter")
        await it.until(lambda: "sandbox paused · p resumes it" in it.footer)
        await it.settle()
        assert [row.id for row in it.screen.sidebar.sandbox_list.rows] == order
        assert it.screen.sidebar.list.current
        assert it.screen.sidebar.list.current.title == SPLIT


async def test_p_pressed_twice_at_once_pauses_once() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        held = between.hold(PAUSE)
        highlight(it, SPLIT)
        await it.press("p")
        await it.send("enter")
        await it.until(lambda: between.count(PAUSE))
        await it.send("p")
        await it.pilot.pause(0)
        assert "it is still being paused" in it.footer
        held.set()
        await it.settle()
        assert between.count("POST *") == 1
        assert statuses(it)[it.screen.sidebar.sandbox_list.cursor] == "PAUSED"


async def test_who_moved_on_meanwhile_is_told_whose_it_was_and_not_to_press_p() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        held = between.hold(PAUSE)
        place = highlight(it, SPLIT)
        await it.press("p")
        await it.send("enter")
        await it.until(lambda: between.count(PAUSE))
        await it.send("k")
        held.set()
        await it.until(lambda: f"sandbox of {SPLIT} paused" in it.footer)
        assert "p resumes it" not in it.footer
        await it.settle()
        assert it.screen.sidebar.sandbox_list.cursor == place - 1, "it is not taken back"


async def test_a_sandbox_that_goes_away_under_the_cursor_leaves_the_key_no_other() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        highlight(it, SPLIT)
        del it.demo.world.sandboxes["intranet"]
        it.screen.controllers.conversations.schedule.ask()
        await it.settle()
        row = it.screen.sidebar.sandbox_list.current
        assert row and row.is_gone
        await it.press("p")
        assert "gone" in it.footer
        assert between.count("POST *") == 0


async def test_refreshes_while_one_walks_lose_no_row_and_move_none() -> None:
    async with explore(size=(160, 48)) as it:
        pane = it.screen.sidebar.sandbox_list
        await it.press("2")
        before, seen = [row.id for row in pane.rows], []
        for number in range(pane.row_count()):
            assert pane.current
            seen.append(pane.current.id)
            listed = it.screen.sidebar.sandboxes
            turned = [
                replace(one, status="PAUSED" if one.status == "RUNNING" else "RUNNING")
                if one.status in ("RUNNING", "PAUSED") and number % 2 else one
                for one in listed
            ]  # fmt: skip
            it.screen.sidebar.sandboxes = tuple(reversed(turned))
            await asyncio.sleep(0)
            await it.press("j")
        assert seen == before


async def test_thousands_of_sandboxes_are_placed_in_slices_and_all_in_the_end() -> None:
    many = tuple(
        Sandbox(id=f"{n:05}", status="PAUSED", created_at=f"2026-11-24T{n // 1000:02}:00:00Z")
        for n in range(20_000)
    )
    async with explore() as it:
        pane = it.screen.sidebar.sandbox_list
        before = pane.rows
        it.screen.sidebar.sandboxes = many
        assert pane.rows is before, "nothing waits for them"
        turns = 0
        while pane.rows is before:
            await asyncio.sleep(0)
            turns += 1
        assert turns > 20_000 / 500
        it.screen.sidebar.sandboxes = many[1:]  # while those are placed others come
        await asyncio.sleep(0)
        it.screen.sidebar.sandboxes = many[2:]
        it.screen.sidebar.reorder_sandboxes()
        await it.settle()
        assert sum(not row.is_gone for row in pane.rows) == len(many) - 2
        assert len(pane.rows) == len(many) - 2, "placed anew, none that is gone has a row"


async def test_a_question_that_is_declined_reads_nothing_again() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await it.open("Flaky CI on main")
        await it.press("p")
        assert it.screen.asking.is_questioning
        between.asked.clear()
        await it.press("escape")
        assert not it.screen.asking.is_questioning
        assert not [call for call in between.asked if "/events" not in call]
