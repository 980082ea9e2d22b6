"""Tables, styles and documents, without a process."""

from __future__ import annotations

import io
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.commands.framework.printing import (
    Row,
    Style,
    between_tabs,
    fit,
    print_json,
    print_pairs,
    style_of_stdout,
    table,
    width,
)
from oh_tui.tables.column import FILL, Cell, Column, Columns, fit_columns
from oh_tui.text.human import number, stamp

COLUMNS: Columns = (Column("#", right=True), Column("what", share=3), Column("result", share=1))


def test_a_table_has_a_head_and_leaves_out_what_says_nothing() -> None:
    rows = [("1", "ls", ""), ("12", "pytest -q", "")]
    assert list(table(Style(room=80), COLUMNS, rows)) == [" #  what", " 1  ls", "12  pytest -q"]
    assert list(table(Style(room=80), COLUMNS, [])) == []


def test_a_pipe_gets_every_cell_whole_and_no_head() -> None:
    long = "x" * 300
    assert list(table(Style(), COLUMNS, [("1", long, Cell("a\tb", "red"))])) == [f"1\t{long}\ta b"]
    assert between_tabs(("", "", "")) == "\t\t"


def test_room_is_dealt_out_by_the_shares() -> None:
    lines = list(table(Style(room=60), COLUMNS, [("1", "a" * 200, "b" * 200)]))
    assert len(lines[1]) == 60
    assert lines[1].count("a") > 2 * lines[1].count("b")
    short = list(table(Style(room=60), COLUMNS, [("1", "a" * 200, "passed")]))
    assert short[1].endswith("…  passed") and len(short[1]) == 60


@given(
    st.lists(st.tuples(*[st.text("ab é修👩\u0301", max_size=60)] * 3), min_size=1, max_size=5),
    st.integers(40, 120),
    st.booleans(),
)
def test_no_line_is_wider_than_the_terminal(
    rows: list[tuple[str, str, str]], room: int, ascii: bool
) -> None:
    style = Style(room=room, ascii=ascii)
    columns: Columns = (
        Column("a", share=1),
        Column("b", share=2),
        Column("c", right=True, share=1),
    )
    for line in table(style, columns, rows):
        assert width(line) <= room


def test_colour_is_around_the_text_and_not_around_the_fill() -> None:
    style = Style(room=80, color=True)
    rows: list[Row] = [(Cell("1", "red"), "a", "b"), ("22", "c", "d")]
    assert list(table(style, COLUMNS, rows))[1] == " \x1b[31m1\x1b[0m  a     b"


def test_text_is_cut_by_columns_of_the_terminal() -> None:
    assert fit("修复修复修复", 7, Style(room=80)) == "修复修…"
    assert fit("abcdefgh", 6, Style(room=80, ascii=True)) == "abc..."
    assert fit("ab", 2, Style(room=80)) == "ab"


@pytest.mark.parametrize(
    ("times", "told"),
    [("relative", "2h"), ("utc", "2026-01-02T03:04:05Z"), ("absolute", "2026-01-0")],
)
def test_moments_are_told_as_asked(times: str, told: str) -> None:
    when = 1767323045.0
    style = Style(room=80, times=times, now=when + 7300)  # type: ignore[arg-type]
    assert style.when(when).startswith(told)
    assert style.when(None) == ""
    assert stamp(-1e18) == stamp(1e18) == "", "no other time is told for one that cannot be"


@pytest.mark.parametrize(
    ("environment", "color"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colour_is_for_terminals_that_want_it(
    environment: dict[str, str], color: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdout", Terminal())
    style = style_of_stdout({"COLUMNS": "100", **environment})
    assert (style.room, style.color, style.times) == (100, color, "relative")
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    style = style_of_stdout({"COLUMNS": "100", **environment})
    assert (style.room, style.color, style.times) == (None, False, "utc")


def test_facts_without_a_value_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    facts: list[tuple[str, str | Cell]] = [
        ("id", "5f3a"),
        ("cost", ""),
        ("state", Cell("stuck", "red")),
    ]
    print_pairs(Style(room=80), facts)
    assert capsys.readouterr().out == "id     5f3a\nstate  stuck\n"
    print_pairs(Style(), facts)
    assert capsys.readouterr().out == "id\t5f3a\nstate\tstuck\n"


def test_what_json_cannot_hold_is_null() -> None:
    assert number(float("nan")) is None and number(float("inf")) is None and number(None) is None
    assert number(0.1234567) == 0.123457


def test_columns_of_a_terminal() -> None:
    assert [
        width(text) for text in ("a漢", "e\u0301", "नि", "1\u20e3", "\u0378", "\U0001fae9")
    ] == [*(3, 1, 1, 1, 1, 2)]


def test_a_long_text_is_cut_without_measuring_it_again_and_again() -> None:
    assert fit("漢" * 1_000_000, 7, Style(room=80)) == "漢漢漢…"
    assert fit("e\u0301" * 9, 4, Style(room=80)) == "e\u0301e\u0301e\u0301…"


def test_half_a_character_is_printed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"out": "\ud800"})
    assert json.loads(capsys.readouterr().out) == {"out": "\ufffd"}


def test_with_header_a_pipe_gets_the_names_of_the_columns() -> None:
    columns: Columns = (Column("id"), Column("title"))
    rows = [("1", "one")]
    assert list(table(Style(head=True), columns, rows)) == ["id\ttitle", "1\tone"]
    assert list(table(Style(head=True), columns, [])) == ["id\ttitle"]
    assert list(table(Style(), columns, rows)) == ["1\tone"]


def test_columns_go_where_others_would_be_cut_too_short() -> None:
    columns: Columns = (Column("what", share=1, least=20), Column("b", goes=2), Column("a", goes=1))
    rows = [("w" * 40, "b" * 8, "a" * 8)]

    def heads(room: int) -> list[str]:
        return next(table(Style(room=room), columns, rows)).split()

    assert heads(40) == ["what", "b", "a"]
    assert heads(39) == ["what", "b"]
    assert heads(30) == ["what", "b"]
    assert heads(29) == heads(5) == ["what"]
    short = [("w", "b" * 8, "a" * 8)]
    assert next(table(Style(room=29), columns, short)).split() == ["what", "b", "a"]


def test_a_long_sentence_pushes_no_column_out_of_the_room() -> None:
    columns: Columns = (
        Column("what", share=1, least=30),
        Column("runs", right=True),
        Column("last", right=True, goes=2),
        Column("helped", share=1, least=12, goes=1),
    )
    for room in range(20, 120):
        widths = fit_columns(columns, (500, 7, 5, 90), room)
        gaps = sum(
            column.gap for column, width in zip(columns[1:], widths[1:], strict=True) if width
        )
        assert sum(widths) + gaps <= room and widths[1] == 7
        assert widths[0] >= 30 or not (widths[2] or widths[3]), "others go first, by their order"
        assert widths[2] or not widths[3]


def test_a_column_that_fills_takes_what_others_leave() -> None:
    columns: Columns = (Column("", width=3), Column("", width=FILL, share=1), Column("", gap=0))
    assert fit_columns(columns, (3, FILL, 4), 40) == [3, 31, 4]
    assert fit_columns((Column("", usual_from=50), Column("")), (9, 4), 40) == [0, 4]
