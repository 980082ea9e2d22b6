"""What needs one, in sentences."""

from __future__ import annotations

import pytest

from oh_tui.batch.reports.wall import Tile
from oh_tui.catalog.needy import Needy
from oh_tui.catalog.status_cache import UNSEEN
from oh_tui.commands.spoken import sentences
from oh_tui.conversation import Conversation
from oh_tui.text.human import spelled

NOW = 1_800_000_000.0


def needy(group: str, word: str, title: str = "Fix it.", server: str = "") -> Needy:
    return Needy(Conversation(id="a" * 32, title=title, server=server), group, word, UNSEEN)


def told(row: Needy, tile: Tile | None = None) -> str:
    _, sentence = sentences([row], [tile] if tile else [], NOW)
    return sentence


def test_what_a_run_waits_for_is_told_only_where_its_end_was_read() -> None:
    row = needy("waiting", "waiting")
    unknown = "Fix it has waited: what it wants is not known."
    assert told(row) == unknown
    assert told(row, Tile(row, call="$ ls")) == unknown, "it is only remembered"
    read = Tile(row, call="edit a.py", heard=NOW - 250)
    assert told(row, read) == "Fix it has waited for 4 minutes: it wants to do this: edit a.py."


@pytest.mark.parametrize(
    ("group", "word", "sentence"),
    [
        ("failed", "stuck", "Fix it on work is stuck."),
        ("failed", "sandbox failed", "Fix it on work has a sandbox that failed."),
        ("running", "starting", "Fix it on work is starting."),
        ("running", "silent", "Fix it on work should run, but nothing was heard of it for long."),
    ],
)
def test_each_state_is_a_sentence(group: str, word: str, sentence: str) -> None:
    assert told(needy(group, word, server="work")) == sentence


def test_they_are_counted_and_none_are_said_to_be_none() -> None:
    rows = [needy("waiting", "waiting")] * 10
    assert next(sentences(rows, [], NOW)) == "10 runs wait for your yes."
    assert next(sentences(rows[:2], [], NOW)) == "Two runs wait for your yes."
    assert list(sentences([], [], NOW)) == [
        "Nothing waits for you, nothing failed, and nothing is at work."
    ]


def test_a_span_is_told_in_whole_units() -> None:
    spans = (-1, 1, 59.9, 60, 7300, 90_000, 200_000)
    assert [spelled(span) for span in spans] == [
        "0 seconds", "1 second", "59 seconds", "1 minute", "2 hours", "1 day", "2 days"
    ]  # fmt: skip
