"""Long texts lose their middle, and nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from oh_tui.sharing.shared_run import Room, cut

TEXTS = st.text("ab\n", max_size=60)
ROOMS = st.builds(
    lambda head, tail, more, lines: Room(head + tail + more, head, tail, lines),
    *(st.integers(1, 12), st.integers(1, 12), st.integers(0, 5), st.integers(0, 4)),
)


@given(TEXTS, ROOMS)
def test_begin_and_end_are_those_of_the_text_and_the_middle_is_counted(
    text: str, room: Room
) -> None:
    parts = cut(text, room)
    assert text.startswith(parts.head) and text.endswith(parts.tail)
    assert cut(text, room, whole=True).head == text
    if not parts.left_out:
        assert parts.head == text and room.holds(text)
        return
    assert len(parts.head) <= room.head and len(parts.tail) <= room.tail
    middle = text[len(parts.head) : len(text) - len(parts.tail)]
    assert f"{parts.head}{middle}{parts.tail}" == text
    assert parts.at_line_ends == (middle[0] == "\n" == middle[-1])
    for part in (parts.head, parts.tail):
        assert not room.lines or part.count("\n") < room.lines


def test_lines_are_whole_where_they_are_not_too_long() -> None:
    room = Room(40, head=20, tail=16)
    assert cut("one\ntwo\nthree\n" + "x\n" * 40 + "end", room) == (
        *("one\ntwo\nthree\nx\nx\nx", "x\n" * 6 + "end"),
        *("31 lines, 63 B, left out here", True),
    )
    assert not cut("x" * 100, room).at_line_ends
