"""What a run read of a file: lines that are evidence."""

from __future__ import annotations

import pytest

from oh_tui.trajectory.changes.history import Shown
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.events import Event
from tests.trajectory.edited import A, edit, run, view
from tests.trajectory.made import call, output, result, shell

HEAD = f"Here's the result of running `cat -n` on {A}:\n"


def read(*events: Event) -> tuple[Shown | None, bool | None]:
    """What the last reading shows, and whether that agrees with the last version."""
    files = Study(run(*edit("1", A, "x", "one\ntwo\n"), *events)).files
    file = files.named(A)
    state = files.at_file(file)
    reading = file.last_read(state, files.moment())
    assert len(file.versions) == 2
    if reading is None:
        return None, None
    shown = reading.shown()
    return shown, shown.agrees(state.text() or "") if shown else None


def test_a_whole_view_says_whether_the_file_is_still_so() -> None:
    assert read(*view("2", A, HEAD + "     1\tone\n     2\ttwo\n")) == (
        Shown(1, ("one", "two"), True),
        True,
    )
    assert read(*view("2", A, HEAD + "     1\tone\n     2\t2\n"))[1] is False
    assert read(*view("2", A, HEAD + "     1\tone\n"))[1] is False


def test_a_range_and_a_clipped_view_tell_of_their_lines() -> None:
    _, answered = view("2", A, HEAD + "     2\ttwo\n")
    ranged = call("2", {"kind": "FileEditorAction", "command": "view", "path": A,
                        "view_range": [2, 2]}, tool="file_editor")  # fmt: skip
    assert read(ranged, answered) == (Shown(2, ("two",), False), True)
    clipped = HEAD + "     1\tone\n     2\ttw<response clipped><NOTE>...\n     3\tten\n"
    assert read(*view("2", A, clipped)) == (Shown(1, ("one",), False), True)


def test_the_reader_of_gemini() -> None:
    asked = call("2", {"kind": "ReadFileAction", "file_path": A}, tool="read_file")
    told = {"kind": "ReadFileObservation", "file_path": A,
            "file_content": "     1  one\n     2  zwei\n", "is_truncated": False}  # fmt: skip
    assert read(asked, result("2", told, tool="read_file"))[1] is False


@pytest.mark.parametrize("text", ["", "no lines", HEAD])
def test_what_shows_no_lines_is_no_evidence(text: str) -> None:
    assert read(*view("2", A, text)) == (None, None)


def test_only_what_was_read_after_the_edit_counts() -> None:
    files = Study(run(*view("1", A, HEAD), *edit("2", A, "x", "y"), shell("3"), output("3"))).files
    file = files.named(A)
    assert file.last_read(files.at_file(file), files.moment()) is None
