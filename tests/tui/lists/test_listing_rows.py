"""What a filter and an order make of the loaded rows: without a screen."""

from __future__ import annotations

import time

from oh_tui.catalog.attributes import ORDERS
from oh_tui.catalog.conversation_order import Sorting
from oh_tui.catalog.conversation_query import parse
from oh_tui.catalog.filter_words import Subject
from oh_tui.catalog.run_status import RunStatus
from oh_tui.tui.state.listing import Listing
from oh_tui.tui.state.loaded_conversations import LoadedConversations
from tests.tui.lists.test_loaded_conversations import NOW, loaded, talk


def listed(listing: Listing, held: LoadedConversations, keep: str = "") -> list[tuple[str, int]]:
    rows = listing.rows(held.rows, keep=keep, now=NOW)
    return [(row.id, row.depth) for row in rows]


def narrowed(words: str) -> Listing:
    listing = Listing()
    listing.set_query(parse(words))
    return listing


FAMILY = (
    talk("top", "finished"),
    talk("childx", "finished", parent="top"),
    talk("grandx", "finished", parent="childx"),
)


def test_without_a_filter_the_rows_are_the_loaded_ones() -> None:
    held = loaded(*FAMILY)
    assert Listing().rows(held.rows, keep="", now=NOW) is held.rows


def test_a_child_is_as_deep_as_it_has_parents_that_are_listed() -> None:
    held = loaded(*FAMILY)
    assert listed(Listing(), held) == [("top", 0), ("childx", 1), ("grandx", 2)]
    assert listed(narrowed("grandx"), held) == [("grandx", 1)]
    assert listed(narrowed("x"), held) == [("childx", 1), ("grandx", 2)]
    sorted_by_title = Listing()
    sorted_by_title.set_order(Sorting(ORDERS["title"]))
    assert listed(sorted_by_title, held) == [("childx", 1), ("grandx", 1), ("top", 0)]


def test_only_the_row_under_the_cursor_stays_when_it_does_not_pass_any_more() -> None:
    held = loaded(talk("one", "running"), talk("two", "running"))
    listing = narrowed("is:running")
    assert {name for name, _ in listed(listing, held)} == {"one", "two"}
    for name in ("one", "two"):
        held.take_outcome(name, RunStatus.FINISHED, "")
    assert listed(listing, held, keep="two") == [("two", 0)]
    held.take_outcome("one", RunStatus.STUCK, "")
    assert listed(listing, held) == []


def test_what_changes_moves_no_row_until_the_rows_are_sorted_again() -> None:
    held = loaded(talk("one", ago=10), talk("two", ago=20))
    listing = Listing()
    listing.set_order(Sorting(ORDERS["newest"]))
    assert listed(listing, held) == [("one", 0), ("two", 0)]
    held.take([talk("two", ago=5), talk("new", ago=15)])
    assert listed(listing, held) == [("one", 0), ("new", 0), ("two", 0)]
    listing.sort_again()
    assert listed(listing, held) == [("two", 0), ("one", 0), ("new", 0)]


def test_the_first_of_many_are_listed_at_once_and_the_rest_bit_by_bit() -> None:
    held = loaded(*(talk(f"{n:032x}", ago=n) for n in range(20_000)))
    listing = narrowed("is:paused -17f")
    began = time.thread_time()
    first = listing.rows(held.rows, keep="", now=NOW)
    assert time.thread_time() - began < 0.05
    assert not listing.is_whole
    slices = 1
    while not listing.test(held.rows, NOW):
        slices += 1
    assert slices > 2
    whole = listing.rows(held.rows, keep="", now=NOW)
    assert listing.is_whole
    assert len(first) < len(whole)
    assert whole[: len(first)] == first
    assert set(whole) == {row for row in held.rows if parse("-17f").matches(
        Subject(row.conversation, row.state, NOW))}  # fmt: skip


def test_ten_thousand_are_sorted_at_once() -> None:
    held = loaded(*(talk(f"{n:032x}", ago=n) for n in range(10_000)))
    by_title = Listing()
    by_title.set_order(Sorting(ORDERS["title"]))
    began = time.thread_time()
    by_title.rows(held.rows, keep="", now=NOW)
    assert time.thread_time() - began < 0.1


def test_a_board_whose_rows_did_not_change_stays_the_same() -> None:
    held = loaded(talk("one", "running"), talk("two", "finished"))
    held.reorder()
    before = held.rows
    held.take([talk("one", "running"), talk("two", "finished")])
    held.reorder()
    assert held.rows is before
    held.take([talk("one", "finished")])
    held.reorder()
    assert held.rows is not before


def test_a_row_that_changed_is_tested_again() -> None:
    held = loaded(talk("one", "running"), talk("two", "finished"))
    listing = narrowed("is:failed")
    assert listed(listing, held) == []
    held.take_outcome("one", RunStatus.ERROR, "")
    assert listed(listing, held) == [("one", 0)]
