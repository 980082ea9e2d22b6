"""Program output: handling of escape sequences and of overwritten lines."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oh_tui.text import clean as text_pieces
from oh_tui.text.clean import clean
from oh_tui.text.redact import HIDDEN, redact
from oh_tui.text.sgr import SGR
from oh_tui.trajectory.presentation.block import Note, Output, output_blocks
from oh_tui.trajectory.reading.terminal import Written, read_output


@pytest.mark.parametrize(
    ("raw", "seen"),
    [
        ("one\r\ntwo\r\n", Written("one\ntwo")),
        ("\x1b[?2004l\rready\n", Written("ready")),
        ("10 %\r 50 %\r100 %\ndone", Written("100 %\ndone", "", 2)),
        ("a long line\rshort", Written("shortg line", "", 1)),
        ("a long line\r\x1b[Kshort", Written("short", "", 1)),
        ("a long line\x1b[2K\rshort", Written("short", "", 1)),
        ("one 0\ntwo 0\n\x1b[2Aone 1\ntwo 1\n", Written("one 1\ntwo 1", "", 2)),
        ("one 0\ntwo 0\n\x1b[2F\x1b[Jone 1\n", Written("one 1", "", 2)),
        ("x\x1b[99Ay", Written("y", "", 1)),
        ("a\x1b]0;title\x07b\x1b[5;9Hc\x9b1md", Written("abcd")),
        ("\x1b]0;\x1b[31mtitle\x07b", Written("0;titleb", "0;\x1b[31mtitleb")),
        ("\x1bPq\x1b[31m1\x1b\\b", Written("q1b", "q\x1b[31m1b")),
        ("\x1b[32mok\x1b[m\x1b[2J", Written("ok", "\x1b[32mok\x1b[m")),
        ("", Written("")),
    ],
)
def test_what_stood_at_last_is_what_is_shown(raw: str, seen: Written) -> None:
    assert read_output(raw) == seen


def test_the_echo_goes_with_its_colours_and_the_rest_keeps_its_own() -> None:
    raw = "\x1b[1m$ \x1b[0mmake all\r\n\x1b[31mno\x1b[0m\r\n"
    assert read_output(raw, "make all") == Written("no", "\x1b[31mno\x1b[0m")


def test_a_secret_is_in_neither_text() -> None:
    key = "ghp_" + "a1" * 18
    seen = read_output(f"\x1b[32mkey\n{key}\x1b[0m\nrest")
    assert seen == Written(f"key\n{HIDDEN}\nrest", f"\x1b[32mkey\n{HIDDEN}\x1b[0m\nrest")


def test_folded_rewrites_are_told() -> None:
    assert output_blocks("1\r2\r3\n") == [
        Output("3"),
        Note("2 rewrites folded: lines as they were in the end, JSON has them all"),
    ]
    assert output_blocks(" \r\n") == []


pieces = st.sampled_from(
    ["a", "bc ", "\n", "\r", "\r\n", "\t", "\x1b[31m", "\x1b[0m", "\x1b[1;38;5;9m", "\x1b[2A",
     "\x1b[K", "\x1b[2K", "\x1b[J", "\x1b[G", "\x1b]0;t\x07", "\x1b", "\x9b3", "[3", "m", "\x08",
     "\ue000", "\u202e", "\ud800", "\ntoken=abcd1234efgh\n", "日", "\x1bP", "\x1b\\", "\x90",
     "\x9c", "\x1b]", "\x07", "a" + "\u0301" * 5, "\u1112", "\u1161"]
)  # fmt: skip


@given(st.lists(pieces, max_size=30).map("".join), st.sampled_from(["", "a", "bc a"]))
@example("bc \x1b[31ma", "bc a")  # nothing but the echo, which no line ends
def test_no_escape_but_colours_is_left(raw: str, command: str) -> None:
    seen = read_output(raw, command)
    assert clean(seen.text) == seen.text
    bare = SGR.sub("", seen.coloured)
    assert clean(bare) == bare
    assert bare.rstrip("\n") in ("", seen.text)
    assert "abcd1234" not in seen.text + bare
    assert seen.folded >= 0
    if "\r" not in raw and not re.search(r"\x1b\[\d*[AFJKG]", raw):
        assert seen.folded == 0


def test_a_megabyte_in_colours_is_read_in_a_moment() -> None:
    line = "\x1b[32mline\x1b[0m of the \x1b[1;31moutput\x1b[0m, all is well in /usr/lib/x\n"
    bar = "".join(f"{n:6}|{'#' * 40}| of 20000\r" for n in range(15_000)) + "\n"
    for raw in (line * 14_000, bar):
        began = time.process_time()
        read_output(raw)
        assert time.process_time() - began < 10


@pytest.mark.parametrize(
    "line",
    [
        "\x1b[1mbold\x1b[0m and not\n",
        "no colours\n",
        "10 %\r20 %\r\x1b[32mdone\x1b[0m\n",
        "a\nb\n\x1b[2Ac\n",
        "token:\n  abc123def456ghi\n",
        "\x1bPnot\nshown\x1b\\\x1b[3mseen\n",
    ],
)
def test_long_output_is_read_in_pieces_as_if_it_were_one(line: str) -> None:
    raw = "$ make it\n" + line * 50 + "\n\n"
    whole = read_output(raw, "make it")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_pieces, "PIECE", 20)
        assert read_output(raw, "make it") == whole


@given(st.lists(pieces, min_size=5, max_size=60).map("".join), st.sampled_from(["", "a", "bc a"]))
def test_any_output_is_read_in_pieces_as_if_it_were_one(raw: str, command: str) -> None:
    whole = read_output(raw, command)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_pieces, "PIECE", 8)
        assert read_output(raw, command) == whole


@given(st.lists(pieces, max_size=30).map("".join))
def test_colours_change_nothing_in_the_text(raw: str) -> None:
    if re.search(r"\r|\x1b\[\d*[AFJKG]|\ue000", raw):
        return  # lines written over
    assert read_output(raw).text == redact(clean(clean(raw))).rstrip("\n")


def test_a_megabyte_in_control_strings_without_an_end_is_read_in_a_moment() -> None:
    """Many places to cut at, and an opening before each that may go on to the end."""
    for line in ("\x1b[32mline\x1b[0m of it\n", "\x1bPline \x1b[32mof it\n", "line of it\n"):
        raw = "\x1b[1m\x1bP" + line * (1_000_000 // len(line))
        began = time.process_time()
        read_output(raw)
        assert time.process_time() - began < 10
