"""Colours of outputs: carried over lines, mapped to ours, never invisible."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color
from textual.theme import BUILTIN_THEMES

from oh_tui.settings.config import THEMES
from oh_tui.text.sgr import PLAIN, after
from oh_tui.trajectory.glyphs import ASCII, UNICODE
from oh_tui.trajectory.presentation.block import Checklist, Output, Table
from oh_tui.trajectory.reading.plans import Task
from oh_tui.trajectory.reading.terminal import read_output
from oh_tui.tui.rendering.colours import Colours, name_of, style_of
from oh_tui.tui.rendering.lines import Document
from oh_tui.tui.theme import DARK, LIGHT, PALETTES, contrast, corrected_variables, palette_of
from tests.work import counted


def document(raw: str, width: int = 40) -> Document:
    seen = read_output(raw)
    return Document([Output(seen.text, seen.coloured)], width)


def pieces(document: Document, row: int) -> list[tuple[str, str]]:
    return list(document.line(row).body)


def test_colours_go_on_over_line_ends_and_stop_at_a_reset() -> None:
    shown = document("a\x1b[1;31mb\nc\n\x1b[0md")
    assert [pieces(shown, row) for row in range(3)] == [
        [("a", ""), ("b", "sgr:bold color(1)")],
        [("c", "sgr:bold color(1)")],
        [("d", "")],
    ]


def test_a_line_far_down_knows_the_colours_of_those_above() -> None:
    raw = "\x1b[32m" + "x\n" * 5000 + "\x1b[4mend"
    shown = document(raw)
    assert pieces(shown, 5000) == [("end", "sgr:underline color(2)")]
    assert pieces(shown, 2500) == [("x", "sgr:color(2)")]


def test_tabs_and_wrapped_lines_keep_their_colours() -> None:
    shown = document("\x1b[31ma\tb\x1b[0mc", 9)
    assert pieces(shown, 0) == [("a       ", "sgr:color(1)")]
    assert pieces(shown, 1) == [("b", "sgr:color(1)"), ("c", "")]


@pytest.mark.parametrize(
    ("codes", "style"),
    [
        ("", "none"),
        ("31", "color(1)"),
        ("97;44", "color(15) on color(4)"),
        ("38;5;208", "#ff8700"),
        ("38;5;9", "color(9)"),
        ("48;5;240", "on #585858"),
        ("38;2;1;2;3", "#010203"),
        ("38:2::1:2:3", "#010203"),
        ("38;2;300;2;3;4", "underline #ff0203"),
        ("21;31;4;24;39", "none"),
        ("1;2;22;3", "italic"),
        ("8;5;25;38", "none"),
        ("38;5", "none"),
        ("99999999999;31", "color(1)"),
        ("58;5;1;31", "color(1)"),
        ("58:2::1:2:3", "none"),
    ],
)
def test_each_sequence_adds_up(codes: str, style: str) -> None:
    now = after(PLAIN, codes)
    for palette in ("oh-dark", "oh-light", "ansi"):
        assert style_of(palette, name_of(now)) == style_of(palette, style)
    assert after(now, "0") == PLAIN


GROUNDS = ("paper", "panel", "lit", "added", "removed")
TEXTS = ("ink", "grey", "pale", "blue", "violet", "cyan", "green", "amber", "red")


@pytest.mark.parametrize("name", [name for name in THEMES if not name.startswith("ansi")])
def test_every_colour_of_text_stands_out_from_every_ground(name: str) -> None:
    theme = {"oh-dark": DARK, "oh-light": LIGHT}.get(name) or BUILTIN_THEMES[name]
    palette = PALETTES[palette_of(theme)]
    variables = corrected_variables(theme, theme.to_color_system().generate())
    assert variables["panel"] == variables["footer-background"] == palette["panel"]
    assert variables["background"].lower()[:7] == palette["paper"]
    for ground in GROUNDS:
        for text in TEXTS:
            seen = contrast(*(Color.parse(palette[c]).get_truecolor() for c in (text, ground)))
            assert seen >= 4.5, (text, ground)
    assert variables["text-disabled"] == palette["grey"], "of fields that are empty"


@pytest.mark.parametrize("name", ["ansi-dark", "ansi-light"])
def test_in_the_terminals_own_colours_what_stands_in_an_empty_field_is_grey(name: str) -> None:
    theme = BUILTIN_THEMES[name]
    variables = corrected_variables(theme, theme.to_color_system().generate())
    assert variables["text-disabled"] == "ansi_bright_black"


colours = st.one_of(
    st.just(""),
    st.integers(0, 255).map("color({})".format),
    st.tuples(*[st.integers(0, 255)] * 3).map(lambda c: "#{:02x}{:02x}{:02x}".format(*c)),
)
flags = st.frozensets(st.sampled_from(["bold", "dim", "reverse", "italic"]))


@given(colours, colours, flags)
def test_no_text_is_invisible_on_any_theme(text: str, ground: str, flags: frozenset[str]) -> None:
    name = " ".join([*flags, text, f"on {ground}" if ground else ""]) or "none"
    for theme in (DARK, LIGHT):
        style = style_of(theme.name, name)
        ink, paper = (
            Color.parse(str(c)).get_truecolor() for c in (theme.foreground, theme.background)
        )
        front = style.color.get_truecolor() if style.color else ink
        back = style.bgcolor.get_truecolor() if style.bgcolor else paper
        assert contrast(front, back) >= 3
    style = style_of("ansi", name)
    assert style.bgcolor is None
    assert style.color is None or style.color.name not in ("black", "white", "bright_white")


@given(st.text(alphabet="ab\t\n\r\x1b[0;31m日", max_size=60), st.integers(1, 20))
def test_pieces_are_the_text_whatever_the_sequences(raw: str, width: int) -> None:
    shown = document(raw, width)
    for row in range(len(shown)):
        assert "".join(text for text, _ in pieces(shown, row)) == shown.text(row)


def test_a_line_that_is_not_what_was_coloured_has_no_colours() -> None:
    assert Colours("\x1b[31mabc").paint(0, "abd") == [("abd", "")]
    assert Colours("a").paint(7, "b") == [("b", "")]


def test_the_end_of_a_megabyte_is_painted_in_a_moment() -> None:
    shown = document("\x1b[31mred \x1b[32mgreen\n" * 60_000)
    with counted() as work:
        for row in range(len(shown) - 40, len(shown)):
            shown.line(row)
    assert work.lines < 1_000_000


# --------------------------------------------------------------------------- checklists and tables

PLAN = Checklist(
    (
        Task("read", "done", "", "done"),
        Task("write it down", "in_progress", "in two parts", "renamed", "write"),
        Task("ship", "todo"),
        Task("rest", "todo", "", "dropped"),
    )
)


def lines(shown: Document) -> list[str]:
    return [(shown.line(row).gutter + shown.line(row).text).rstrip() for row in range(len(shown))]


def test_the_states_of_a_plan_differ_in_glyph_hue_and_ascii() -> None:
    shown = Document([PLAN], 30)
    assert lines(shown) == [
        "✓ read  done now",
        "● write it down  renamed",
        "  was: write",
        "  in two parts",
        "○ ship",
        "  rest  dropped",
    ]
    assert len({pieces(shown, row)[0][1] for row in (0, 1, 4)}) == 3
    assert lines(Document([PLAN], 30, glyphs=ASCII))[::4] == [
        "[x] read  done now",
        "[ ] ship",
    ]


@pytest.mark.parametrize("width", range(1, 30))
def test_a_plan_fits_any_width(width: int) -> None:
    for glyphs in (UNICODE, ASCII):
        shown = Document([PLAN], width, glyphs=glyphs)
        assert all(len(line) <= width for line in lines(shown))


TABLE = Table(("name", "size", ""), (("lib/", "", ""), ("package.json", "54 B", "")))


def test_a_table_has_columns_or_becomes_fields_where_it_is_too_wide() -> None:
    assert lines(Document([TABLE], 30)) == ["name          size", "lib/", "package.json  54 B"]
    assert lines(Document([TABLE], 16)) == ["lib/", "pac… size 54 B"]
