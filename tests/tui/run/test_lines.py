"""Blocks as screen lines: counted before they are made, cut at the right cell, never harmful."""

from __future__ import annotations

import subprocess
import sys
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from oh_tui.text.clean import clean
from oh_tui.trajectory.glyphs import HUES
from oh_tui.trajectory.presentation.block import (
    Block,
    Checklist,
    Code,
    Command,
    Diff,
    Failure,
    Fields,
    Heading,
    Json,
    Markdown,
    Note,
    Output,
    Plain,
    Table,
    Thought,
)
from oh_tui.trajectory.reading.plans import Task
from oh_tui.tui.rendering import cells, sections
from oh_tui.tui.rendering.cells import chop, chopped, expand, width_of
from oh_tui.tui.rendering.lines import Document
from oh_tui.tui.rendering.sections import SLICE, slices
from tests.work import counted


def shown(document: Document) -> list[str]:
    """All lines as they look, line numbers included."""
    document.prepare(0, len(document))
    lines = [document.line(row) for row in range(len(document))]
    return [(line.gutter + line.text).rstrip() for line in lines]


def pieces(document: Document, row: int) -> list[tuple[str, str]]:
    return list(document.line(row).body)


# ------------------------------------------------------------------------------ width and wrapping


def test_output_is_cut_at_the_width_like_in_a_terminal() -> None:
    document = Document([Output("abcdefg\n\nxy")], 3)
    assert shown(document) == ["abc", "def", "g", "", "xy"]
    assert [document.continues(row) for row in range(5)] == [False, True, True, False, False]


def test_code_and_output_break_no_number_in_two() -> None:
    document = Document([Code("day == date(2021, 2, 17)", "a.py")], 24)
    assert shown(document) == ["1  day == date(2021, 2,", "   17)"]
    assert shown(Document([Output("took 12.56 s in")], 8)) == ["took", "12.56 s", "in"]
    assert document.source_line(1) == "day == date(2021, 2, 17)", "it is copied whole"


def test_prose_is_cut_between_words_and_long_words_where_they_must() -> None:
    assert shown(Document([Plain("one two three")], 8)) == ["one two", "three"]
    assert shown(Document([Plain("a abcdefghij")], 4)) == ["a", "abcd", "efgh", "ij"]


def test_without_wrap_lines_stay_whole_and_the_width_says_how_wide() -> None:
    document = Document([Output("abcdefg\n日本")], 3, wrap=False)
    assert shown(document) == ["abcdefg", "日本"]
    assert document.width == 7


def test_wide_and_combining_characters_stay_whole() -> None:
    assert shown(Document([Output("日本語x")], 5)) == ["日本", "語x"]
    assert shown(Document([Output("e\u0301e\u0301e\u0301")], 2)) == ["e\u0301e\u0301", "e\u0301"]
    assert shown(Document([Output("日本")], 1)) == ["日", "本"]


def test_tabs_become_spaces_up_to_the_next_stop() -> None:
    assert expand("a\tb\n\tc", 4) == "a   b\n    c"
    assert expand("日\tb", 4) == "日  b"


def test_a_thought_takes_two_lines_and_counts_the_rest() -> None:
    text = "one two three four five six seven eight nine ten"
    assert shown(Document([Thought(text)], 20)) == ["one two three four", "five … 1 more line"]
    assert len(Document([Thought(text, 0)], 20)) == 3
    assert shown(Document([Thought("short")], 20)) == ["short"]


def test_fields_stand_side_by_side_and_long_values_hang() -> None:
    document = Document([Fields((("path", "abcdefghij"), ("n", "1")))], 12)
    assert shown(document) == ["pa… abcdefgh", "    ij", "n   1"]
    assert pieces(document, 2)[0][1] == "label"


def test_blocks_have_an_empty_line_around_prose_and_above_headings_alone() -> None:
    blocks: list[Block] = [
        Note("a"),
        Output("b"),
        Heading("c"),
        Plain("d"),
        Markdown("e"),
        Note("f"),
    ]
    assert shown(Document(blocks, 20)) == ["a", "b", "", "c", "d", "", "e", "", "f"]


def test_nothing_at_all_has_no_lines() -> None:
    for blocks in ([], [Output("")], [Markdown("")], [Fields(())]):
        document = Document(blocks, 10)
        assert len(document) == 0
        assert document.find("x", 0) is None
        assert document.anchor(0) == (0, 0.0)
        assert document.extract(0, 0, 0, None) == ""


# ---------------------------------------------------------------------------------------- colours


def test_a_command_has_its_prompt_in_the_gutter_and_bash_colours() -> None:
    document = Document([Command('echo "hi" # x')], 40)
    assert document.line(0).gutter == "$ "
    assert ('"hi"', "string") in pieces(document, 0)
    assert pieces(document, 0)[-1] == ("# x", "comment")


def test_code_has_line_numbers_that_are_no_part_of_its_text() -> None:
    document = Document([Code("def f():\n    pass", "a.py", 9)], 40)
    assert shown(document) == [" 9  def f():", "10      pass"]
    assert document.text(1) == "    pass"
    assert ("def", "keyword") in pieces(document, 0)


def test_short_code_knows_strings_of_several_lines() -> None:
    document = Document([Code('x = """\nimport this\n"""', "a.py")], 40)
    assert pieces(document, 1) == [("import this", "string")]


def test_a_diff_has_signs_tints_numbers_and_the_colours_of_its_language() -> None:
    document = Document([Diff("@@ -8,2 +8,2 @@\n a\n-import x\n+import y", "/w/a.py")], 40)
    assert shown(document) == ["  @@ -8,2 +8,2 @@", "8  a", "9 -import x", "9 +import y"]
    assert [document.line(row).tint for row in range(4)] == ["", "", "del", "add"]
    assert pieces(document, 3)[:2] == [("+", "add-sign"), ("import", "keyword")]


def test_a_diff_without_line_numbers_has_no_gutter() -> None:
    assert shown(Document([Diff("-a\n+b")], 9)) == ["-a", "+b"]


def test_a_language_that_nobody_knows_has_no_colours() -> None:
    assert pieces(Document([Code("x = 1", "a.nosuch")], 20), 0) == [("x = 1", "")]


def test_a_line_of_a_megabyte_is_shown_without_colours() -> None:
    document = Document([Json('{"a": "' + "x" * 1_000_000 + '"}')], 100)
    with counted() as work:
        assert pieces(document, 5000) == [("x" * 100, "")]
    assert work.lines < 20_000


# --------------------------------------------------------------------------------------- markdown


def test_markdown_is_rendered_with_named_styles_and_no_frames() -> None:
    document = Document(
        [Markdown("# Title\n\nSome **bold** `code`\n\n- item\n\n```python\nx = 1\n```")], 30
    )
    assert shown(document) == ["Title", "", "Some bold code", "", " • item", "", "  x = 1"]
    assert pieces(document, 0) == [("Title", "heading")]
    assert ("bold", "bold") in pieces(document, 2)
    assert ("code", "code") in pieces(document, 2)


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("| a | b |\n|---|---|\n| 1 | 2 |", ["a  b", "────", "1  2"]),
        ("x:\n\n| a | b |\n|---|---|\n\ny", ["x:", "", "a  b", "────", "", "y"]),
        ("it says `rolled\n  over` and `a  b`", ["it says rolled over and a b"]),
        ("`a  b`", ["a  b"]),
        ("1. one\n2. two", [" 1 one", " 2 two"]),
        ("> quote", ["▌ quote"]),
        ("![text](http://a.b/c.png)", ["[image] text (http://a.b/c.png)"]),
        ("a\n\n---\n\nb", ["a", "", "-" * 40, "", "b"]),
        ("~~old~~ *new*", ["old new"]),
        ("    code\n\n```nolang\nx\n```", ["  code", "", "  x"]),
        ("## Two\n\n- a\n  - b", ["Two", "", " • a", "    • b"]),
    ],
)
def test_each_element_of_markdown_is_rendered(source: str, lines: list[str]) -> None:
    assert shown(Document([Markdown(source)], 40)) == lines


def test_long_words_in_a_table_are_not_cut_off() -> None:
    word = "abcdefghij" * 6
    lines = shown(Document([Markdown(f"| a | b |\n|---|---|\n| {word} | x |")], 30))
    assert "".join(lines[2:]).replace(" ", "").replace("x", "") == word


def test_tags_and_line_ends_in_markdown_are_kept() -> None:
    assert shown(Document([Markdown("<b>one</b>\ntwo\n\n<div>\nthree")], 30)) == [
        "<b>one</b>",
        "two",
        "",
        "<div>",
        "three",
    ]


def test_links_show_where_they_lead() -> None:
    assert shown(Document([Markdown("[here](https://a.b/c)")], 40)) == ["here (https://a.b/c)"]


def test_long_markdown_is_rendered_a_slice_at_a_time() -> None:
    text = "\n\n".join(f"paragraph {n} " + "word " * 30 for n in range(400))
    document = Document([Markdown(text)], 80)
    estimate, estimated = len(document), document.pending
    assert estimated
    document.prepare(0, 1)
    assert document.text(0).startswith("paragraph 0")
    while document.pending:
        document.prepare_next()
    lines = shown(document)
    assert abs(len(lines) - estimate) < estimate / 4
    assert sum(line.startswith("paragraph") for line in lines) == 400
    assert all(bool(above) or bool(below) for above, below in pairwise(lines))


def test_slices_lose_nothing_and_keep_fences_closed() -> None:
    code = "\n".join(f"line {n}" for n in range(3000))
    text = "intro\n\n```\n" + code + "\n```\n\nend"
    parts = slices(text)
    assert max(map(len, parts)) < SLICE * 3
    assert all(part.count("```") % 2 == 0 for part in parts)
    lines = shown(Document([Markdown(text)], 40))
    assert [line for line in lines if line] == [
        "intro",
        *(f"  line {n}" for n in range(3000)),
        "end",
    ]


def test_entities_in_markdown_cannot_bring_harmful_characters_back() -> None:
    lines = shown(Document([Markdown("a&#x202e;b&#27;[31m&#x9b;c&#10;d &amp; e")], 40))
    assert all(clean(line) == line for line in lines)
    assert lines[0].startswith("ab")
    assert lines[-1].endswith("& e")


def test_markdown_that_would_render_to_nothing_shows_its_source() -> None:
    assert shown(Document([Markdown("[a]: http://b.c")], 40)) == ["[a]: http://b.c"]
    assert shown(Document([Markdown(">" * 500)], 100)) == [">" * 100] * 5


@pytest.mark.parametrize("text", ["[" * 50_000, "![](" * 9_000, "*a **b " * 9_000, "> " * 9_000])
def test_no_markdown_takes_long(text: str) -> None:
    document = Document([Markdown(text)], 80)
    began = time.process_time()
    document.prepare_next()
    assert time.process_time() - began < 10


def test_a_list_that_is_cut_into_slices_gets_no_empty_lines() -> None:
    text = "\n".join(f"- item {n}" for n in range(2000))
    assert shown(Document([Markdown(text)], 40)) == [f" • item {n}" for n in range(2000)]


def test_a_numbered_list_goes_on_counting_in_the_next_slice() -> None:
    text = "\n".join(f"{n}. item" for n in range(1, 301))
    assert len(slices(text)) > 2
    lines = shown(Document([Markdown(text)], 40))
    assert [line.split() for line in lines] == [[f"{n}", "item"] for n in range(1, 301)]


def test_a_long_table_has_its_head_in_each_slice() -> None:
    rows = [f"| row{n} | x |" for n in range(300)]
    text = "\n".join(["| name | value |", "|---|---|", *rows])
    parts = slices(text)
    assert len(parts) > 2
    assert all(part.startswith("| name | value |\n|---|---|\n| row") for part in parts)
    lines = shown(Document([Markdown(text)], 40))
    assert [line.split()[0] for line in lines if "row" in line] == [f"row{n}" for n in range(300)]
    assert slices("a | b\n" * 400 + "\n\nend")[-1].endswith("end")


def test_a_place_stays_when_the_width_changes() -> None:
    blocks: list[Block] = [Heading("h"), Output("\n".join(f"{n} " + "x" * 90 for n in range(300)))]
    wide, narrow = Document(blocks, 100), Document(blocks, 20)
    row = narrow.row_of(wide.anchor(151))
    assert narrow.text(row).startswith("150 ")
    assert wide.row_of(narrow.anchor(row)) == 151
    assert wide.row_of(wide.anchor(len(wide) - 1)) == len(wide) - 1


# ------------------------------------------------------------------------- finding and extracting


def test_finding_goes_down_and_up_in_any_case() -> None:
    document = Document([Output("Alpha\nbeta\nalpha beta")], 20)
    assert document.find("ALPHA", 0) == 0
    assert document.find("alpha", 1) == 2
    assert document.find("alpha", 1, back=True) == 0
    assert document.find("gamma", 0) is None
    assert document.find("a", -1) is None
    assert document.marks(2, "a") == [(0, 1), (4, 5), (9, 10)]


def test_a_hit_over_the_edge_of_a_line_is_found_and_marked_in_both() -> None:
    document = Document([Output("abcdef")], 3)
    assert document.find("cd", 0) == 0
    assert (document.marks(0, "cd"), document.marks(1, "cd")) == ([(2, 3)], [(0, 1)])


def test_of_a_long_line_the_hits_in_sight_are_marked() -> None:
    document = Document([Output("abcd" * 1000)], 10, wrap=False)
    assert document.marks(0, "cda", slice(4, 11)) == [(4, 5), (6, 9), (10, 11)]
    assert document.marks(0, "cda", slice(3990, 4000)) == [(3990, 3993), (3994, 3997)]
    assert len(document.marks(0, "cda")) == 999


def test_tabs_are_measured_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[int] = []

    def counted(text: str) -> int:
        measured.append(len(text))
        return width_of(text)

    monkeypatch.setattr(cells, "width_of", counted)
    line = "漢\t" * 5000
    assert width_of(expand(line, 8)) == 8 * 5000
    assert sum(measured) <= 2 * len(line)


def test_a_long_line_is_cut_once(monkeypatch: pytest.MonkeyPatch) -> None:
    document = Document([Output("e\u0301" * 10_000 + "\nshort\n" + "漢" * 10_001)], 50)
    walked: list[int] = []

    def counted(text: str, width: int, *, words: bool = False, most: int = 0) -> list[int]:
        walked.append(len(text))
        return chop(text, width, words=words, most=most)

    monkeypatch.setattr(sections, "chop", counted)
    assert document.line(0).text == "e\u0301" * 50
    assert document.line(len(document) - 1).text == "漢"
    assert document.line(100).text == "e\u0301" * 50
    assert document.row_of(document.anchor(300)) == 300
    assert walked == []


def test_finding_renders_the_markdown_in_which_the_text_is() -> None:
    text = "\n\n".join(f"paragraph {n} " + "word " * 30 for n in range(300))
    document = Document([Markdown(text)], 80)
    row = document.find("paragraph 250", 0)
    assert row is not None
    assert document.text(row).startswith("paragraph 250")


def test_extracted_text_has_newlines_only_where_the_source_has_them() -> None:
    document = Document([Output("abcdef\ngh")], 3)
    assert document.extract(0, 1, 2, 1) == "bcdef\ng"
    assert document.extract(0, 0, 99, None) == "abcdef\ngh"
    assert document.extract(1, 1, 1, 2) == "e"


# ------------------------------------------------------------------------------------------- speed


def test_a_megabyte_of_output_is_counted_at_once() -> None:
    text = "\n".join(f"{n:06} " + "x" * (n % 150) for n in range(12_000))
    with counted() as work:
        document = Document([Output(text)], 100)
    assert work.lines < 400_000
    assert len(document) > 12_000
    assert document.text(len(document) - 2).startswith("011999")


def test_pygments_and_markdown_are_not_loaded_before_they_are_needed() -> None:
    code = (
        "import sys; from oh_tui import lazy; lazy.install();"
        "from oh_tui.tui.widgets.body_view import BodyView;"
        "print([m for m in ('pygments', 'markdown_it', 'rich.markdown') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --------------------------------------------------------------------------------- anything at all

nasty = st.text(
    st.sampled_from("ab \t\n日é\u0301👩\u200d💻[/b]`*_#>-|\x1b\x07\x9b\u202e+@~<&")
    | st.characters(),
    max_size=60,
).map(clean)
one_line = nasty.map(lambda text: expand(" ".join(clean(text).splitlines()), 4))
"""What the sections pass on: cleaned, with its tabs as spaces."""
blocks = st.one_of(
    *(
        st.builds(kind, nasty)
        for kind in (Markdown, Thought, Command, Output, Plain, Failure, Note)
    ),
    st.builds(Diff, nasty, st.sampled_from(["a.py", "b.md", "", "c.x"])),
    st.builds(Code, nasty, st.sampled_from(["a.py", "Makefile", ""]), st.integers(-5, 2000)),
    st.builds(Json, nasty),
    st.builds(Fields, st.lists(st.tuples(nasty, nasty), max_size=3).map(tuple)),
    st.builds(
        Table,
        st.just(("name", "size")),
        st.lists(st.tuples(one_line, one_line), min_size=1, max_size=3).map(tuple),
    ),
    st.builds(
        Checklist,
        st.lists(
            st.builds(
                Task,
                one_line,
                st.sampled_from(["todo", "in_progress", "done"]),
                nasty,
                st.sampled_from(["", "new", "done", "started", "reopened", "renamed", "dropped"]),
                one_line,
            ),
            max_size=3,
        ).map(tuple),
    ),
)


@given(st.lists(blocks, max_size=4), st.integers(1, 30), st.booleans())
def test_all_lines_fit_are_counted_and_hold_nothing_harmful(
    some: list[Block], width: int, wrap: bool
) -> None:
    document = Document(some, width, wrap)
    document.prepare(0, len(document))
    for row in range(len(document)):
        line = document.line(row)
        assert line.text == document.text(row)
        assert all(name in HUES for _, style in line.body for name in style.split())
        assert "\n" not in line.text
        assert "\t" not in line.text
        assert clean(line.gutter + line.text) == line.gutter + line.text
        seen = line.text.rstrip(" ")
        room = document.width - len(line.gutter)
        assert cell_len(seen) <= max(room, 2) or width < 12
        assert document.row_of(document.anchor(row)) in (row - 1, row, row + 1)
        document.marks(row, "a")


@given(one_line, st.integers(1, 12), st.booleans())
def test_chopped_lines_hold_the_whole_text(text: str, width: int, words: bool) -> None:
    starts = chop(text, width, words=words)
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        assert width_of(text[start:end].rstrip(" ") if words else text[start:end]) <= max(2, width)


def test_a_number_stays_with_its_unit() -> None:
    text = "took 3.5 s, 12 steps, 4 MB"
    assert chopped(text, 9, words=True) == ["took ", "3.5 s, 12 ", "steps, ", "4 MB"]
    assert chopped(text, 3, words=True)[2] == "3.5", "where it has room"


@pytest.mark.parametrize("text", ["plain", "日本", "✓ done", "e\u0301", "a─b", "→", "👍"])
def test_cells_agree_with_rich(text: str) -> None:
    assert width_of(text) == cell_len(text)
