"""Diffs of two texts, of any content and length."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from oh_tui.trajectory.model.difference import count_changes, unified
from tests.work import counted


def test_a_diff_of_a_file_names_lines_and_leaves_out_what_is_far_away() -> None:
    old = "\n".join(map(str, range(30))) + "\n"
    new = old.replace("\n3\n", "\nthree\n").replace("\n25\n", "\n")
    assert unified(old, new).split("\n")[0] == "@@ -1,7 +1,7 @@"
    assert "@@ -23,7 +23,6 @@" in unified(old, new)
    assert count_changes(unified(old, new)) == (1, 2)


def test_a_missing_last_newline_is_a_difference() -> None:
    assert unified("a\n", "a") == "@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file"
    assert unified("a", "a") == ""


@given(st.lists(st.sampled_from("abc"), max_size=12), st.lists(st.sampled_from("abc"), max_size=12))
def test_a_diff_holds_both_texts(old: list[str], new: list[str]) -> None:
    before, after = ("".join(line + "\n" for line in text) for text in (old, new))
    lines = [line for line in unified(before, after, first=0).split("\n") if line]
    if before != after:
        assert [line[1:] for line in lines if line[0] != "+"] == old
        assert [line[1:] for line in lines if line[0] != "-"] == new


def test_huge_files_are_compared_in_a_moment() -> None:
    old = "".join(f"line {n % 7}\n" for n in range(200_000))
    new = "".join(f"line {n % 5}\n" for n in range(200_000))
    with counted() as work:
        added, gone = count_changes(unified(old, new))
    assert work.lines < 4_000_000
    assert added == gone > 100_000
