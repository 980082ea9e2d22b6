"""Hostile and huge runs: nothing raises, nothing is held, and what is not known is not told."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oh_tui.trajectory.changes.blame import blame
from oh_tui.trajectory.changes.git_patch import patch_pieces
from oh_tui.trajectory.changes.history import Files, Stopped
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.events import Event, parse_event
from tests.trajectory.edited import A, edit, patch, run
from tests.trajectory.made import call, event, output, result, shell
from tests.work import counted


def files_of(*events: Event) -> Files:
    return Study(run(*events)).files


def all_of_it(files: Files) -> None:
    """Everything that can be asked."""
    for step in (0, 1, 2, 10**8, None):
        for state in files.at(step):
            assert isinstance(state.words, str)
            state.text()
    for file in files.files:
        assert file.shown
        for version in file.versions:
            version.text()
        blame(files, file, files.at_file(file))
    "".join(patch_pieces(files)).encode("utf-8", "replace")


def test_ten_megabytes_are_read_and_blamed_without_comparing_them_by_lines() -> None:
    big = "".join(f"row {n}\n" for n in range(900_000))
    files = files_of(*edit("1", A, big, big[:5_000_000] + "x" + big[5_000_000:]))
    with counted() as work:
        (state,) = files.at()
        lines = blame(files, files.named(A), state).lines
    assert len(lines) == 900_000
    assert [line.step for line in lines if line.origin == "edit"] == [1]
    assert work.lines < 4_000_000


def test_two_hundred_edits_in_one_place_of_a_long_file() -> None:
    """No line of the file is looked at but those that an edit changed."""
    lines = [f"line {n}" for n in range(10_000)]
    events: list[Event] = []
    for n in range(200):
        old = "\n".join(lines)
        lines[5_000:5_002] = [f"new {n}", "again"]
        events += edit(str(n), A, old, "\n".join(lines))
    files = files_of(*events)
    file = files.named(A)
    state = files.at_file(file)
    with counted() as work:
        found = blame(files, file, state)
    assert work.lines < 150_000
    assert next(line.step for line in found.lines if line.origin == "edit") == 200


def test_a_file_that_was_edited_five_thousand_times() -> None:
    texts = [f"{n}\nkept\n" for n in range(5_001)]
    events = [
        event for n, (old, new) in enumerate(itertools.pairwise(texts))
        for event in edit(str(n), A, old, new)
    ]  # fmt: skip
    files = files_of(*events)
    file = files.named(A)
    assert len(file.versions) == 5_001
    found = blame(files, file, files.at_file(file))
    assert [(line.step, line.origin) for line in found.lines] == [(5000, "edit"), (None, "before")]
    with counted() as work:
        assert files.at_file(file, 2_500).certain
    assert work.lines < 1_000


def test_the_work_can_be_stopped() -> None:
    events = [one for n in range(9) for one in edit(str(n), A, f"{n}", f"{n + 1}")]
    study = Study(run(*events))
    assert not study.files.update(stop=lambda: True)
    assert not study.files.update(budget=0)
    assert study.files.update()
    file = study.files.named(A)
    answers = iter([False, False, True])
    with pytest.raises(Stopped):
        blame(study.files, file, study.files.at_file(file), lambda: next(answers))


def test_an_event_that_came_since_the_files_were_read_is_after_all_others() -> None:
    trajectory = run(*edit("1", A, "a", "b"), live=True)
    files = Study(trajectory).files
    assert files.files
    trajectory.extend(edit("2", A, "b", "c"))
    (part,), events = files.parts, trajectory.events
    assert part.when(events[-1]) > part.when(events[1]) > part.when(events[0])


@pytest.mark.parametrize("text", ["\0\x01\xff", "\ud800", "\ufffd", "a\rb\r\nc", "\u2028", "\x0c"])
def test_binary_and_odd_text(text: str) -> None:
    files = files_of(*edit("1", A, text, text + "\n" + text), *edit("2", A, text, "z"))
    all_of_it(files)


@pytest.mark.parametrize(
    "path", ["\x1b]0;x\x07", "a\nb", "x\0y", "../..", "é" * 5000, "/", "C:\\x"]
)
def test_control_characters_in_paths_are_not_shown(path: str) -> None:
    files = files_of(*edit("1", path, "a", "b"))
    all_of_it(files)
    assert files.files[0].shown.isprintable()
    assert "\x1b" not in "".join(patch_pieces(files))


def test_a_result_that_comes_twice_late_or_alone() -> None:
    asked, answered = edit("1", A, "a", "b")
    _, again = edit("1", A, "x", "y")
    again.id = "again"
    _, alone = edit("9", A, "b", "c")
    files = files_of(answered, asked, again, alone, answered)
    all_of_it(files)
    assert [one.text() for one in files.files[0].versions] == ["a", "b", "c"]


def test_a_patch_that_names_a_file_twice_or_moves_it_onto_itself() -> None:
    changes: dict[str, Any] = {
        "a": {"type": "update", "old_content": "1", "new_content": "2", "move_path": "./a"},
        "./a": {"type": "delete", "old_content": "2"},
        "b": {"type": "add", "new_content": None, "move_path": 7},
        "c": None,
    }
    all_of_it(files_of(*patch("1", "", {"changes": changes}), *patch("2", "", {"changes": []})))


def test_moves_in_a_circle() -> None:
    events: list[Event] = []
    for n in range(60):
        change = {"type": "update", "old_content": f"{n}", "new_content": f"{n + 1}"}
        source, target = f"f{n % 3}", f"f{(n + 1) % 3}"
        events += patch(str(n), "", {"changes": {source: {**change, "move_path": target}}})
    all_of_it(files_of(*events))


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.none())
FIELDS = ("kind", "command", "path", "old_content", "new_content", "file_text", "is_input", "patch",
          "commit", "prev_exist", "hook_command", "file_path", "old_str")  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(("FileEditor", "Terminal", "ApplyPatch", "Edit", "MCPTool", "Task")),
            st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4),
            st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4),
        ),
        max_size=5,
    )
)
def test_any_events_raise_nothing(steps: list[tuple[str, dict[str, Any], dict[str, Any]]]) -> None:
    events: list[Event] = [event("HookExecutionEvent", "h")]
    for n, (kind, action, observation) in enumerate(steps):
        given = {"kind": f"{kind}Action", "command": "create", "path": "f"} | action
        told = {"kind": f"{kind}Observation", "new_content": "x"} | observation
        events += [call(str(n), given), result(str(n), told)]
    events.append(parse_event(json.dumps({"kind": "ACPToolCallEvent", "raw_input": []}).encode()))
    all_of_it(files_of(*events, shell("s", "ls"), output("s")))
