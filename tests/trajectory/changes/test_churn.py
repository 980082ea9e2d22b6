"""Churn: lines that a run wrote, and those that it took out or rewrote later."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.trajectory.changes.changes import ChangeLog, changes
from oh_tui.trajectory.changes.churn import Lines
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import Trajectory
from tests.trajectory.edited import A, edit, patch, run
from tests.trajectory.made import output, shell

B = "/workspace/project/src/b.py"


def churn(*events: Event) -> Lines | None:
    return changes(run(*events)).churn.total


def test_lines_of_the_run_that_are_gone_count_and_others_do_not() -> None:
    assert churn(*edit("1", A, "a\nb\n", "a\n1\n2\n")) == (2, 0)
    assert churn(*edit("1", A, "a\nb\n", "a\n1\n2\n"), *edit("2", A, "a\n1\n2\n", "2\n")) == (2, 1)
    assert churn(*edit("1", A, "a\n", "1\n"), *edit("2", A, "1\n", "2\n")) == (2, 1)


def test_a_deleted_file_takes_its_lines_with_it() -> None:
    deletes = patch(
        "2", "", {"changes": {A: {"type": "delete", "old_content": "1\n2\n", "new_content": None}}}
    )
    assert churn(*edit("1", A, None, "1\n2\n", "create"), *deletes) == (2, 2)


def test_a_moved_file_keeps_its_lines() -> None:
    moves = patch(
        "2",
        "",
        {
            "changes": {
                A: {
                    "type": "update",
                    "old_content": "1\n2\n",
                    "new_content": "1\n3\n",
                    "move_path": B,
                }
            }
        },
    )
    log = changes(run(*edit("1", A, None, "1\n2\n", "create"), *moves))
    assert log.churn.total == log.churn.of_file(B) == (3, 1)
    assert log.churn.of_file(A) == (0, 0)


def test_what_a_later_edit_does_not_find_again_is_gone() -> None:
    assert churn(
        *edit("1", A, "a\n", "a\n1\n2\n"),
        shell("2", "python fix.py"),
        output("2"),
        *edit("3", A, "a\n1\nx\n", "a\n1\nx\ny\n"),
    ) == (3, 1)


def test_line_ends_make_no_difference() -> None:
    assert churn(*edit("1", A, "a\r\n", "a\r\n1\r\n"), *edit("2", A, "a\n1\n", "a\n1\n2\n")) == (
        2,
        0,
    )


def test_without_a_text_it_is_not_known() -> None:
    assert churn() is None
    assert churn(*edit("1", A, None, None, old_str="a", new_str="b")) is None
    log = changes(
        run(*edit("1", A, "", "1\n"), *edit("2", B, None, None, old_str="a", new_str="b"))
    )
    assert log.churn.total is None
    assert log.churn.of_file(A) == (1, 0)
    assert log.churn.of_file(B) is None


def test_it_is_the_same_when_the_run_grows() -> None:
    events = [*edit("1", A, "a\n", "1\n"), *edit("2", A, "1\n", "2\n"), *edit("3", B, "", "x\n")]
    grown = Trajectory(live=True)
    log = changes(grown)
    told = []
    for one in events:
        grown.extend([one])
        told.append(log.churn.total)
    assert told == [None, (1, 0), (1, 0), (2, 1), (2, 1), (3, 1)]


@pytest.fixture
def often_switched() -> Iterator[None]:
    """Threads take turns a thousand times as often."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("often_switched")
def test_threads_may_ask_at_once() -> None:
    """Rules ask in a thread while the explorer lists the files."""
    edits = [edit(f"{n}", f"/w/{n % 7}.py", f"a\n{n}\n", f"a\n{n}\nb\n") for n in range(200)]
    whole = run(*(event for pair in edits for event in pair))
    alone = changes(whole)
    log = ChangeLog(whole)
    churn = log.churn

    def by_steps() -> list[int]:
        return [size.changed for step in whole.steps for size in churn.of_step(step)]

    with ThreadPoolExecutor(3) as pool:
        asked = pool.submit(by_steps), pool.submit(lambda: churn.total), pool.submit(log.update)
        steps, total, is_whole = (one.result() for one in asked)
    assert (steps, total, is_whole) == (
        [size.changed for step in whole.steps for size in alone.churn.of_step(step)],
        alone.churn.total,
        True,
    )
    assert [(file.path, file.steps) for file in log.files] == [
        (file.path, file.steps) for file in alone.files
    ]


Change = tuple[int, int, int, bool]
"""Where an edit begins, how many lines it takes out and puts in, and whether it is one of the run:
others are made by a command, which no event tells."""

EDITS = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 5), st.integers(0, 5), st.booleans()), max_size=12
)


@given(st.integers(0, 10), EDITS)
def test_it_equals_a_plain_computation(begin: int, plan: Sequence[Change]) -> None:
    """Each line is unlike all others, so that there is one way to tell what became of it."""
    fresh = iter(range(10_000))
    lines = [f"line {next(fresh)}" for _ in range(begin)]
    events: list[Event] = []
    ours: set[str] = set()
    gone: set[str] = set()
    unseen: set[str] = set()
    """Lines of ours that a command took out: gone once an edit does not find them."""
    is_read = False
    for number, (place, out, put, is_edit) in enumerate(plan):
        before = list(lines)
        start = min(place, len(lines))
        new = [f"line {next(fresh)}" for _ in range(put)]
        lines[start : start + out] = new
        taken = ours & set(before) - set(lines)
        if not is_edit:
            unseen |= taken
            continue
        is_read = True
        gone |= taken | unseen
        unseen = set()
        ours |= set(lines) - set(before)
        events += edit(str(number), A, joined(before), joined(lines))
    assert churn(*events) == ((len(ours), len(gone)) if is_read else None)


def joined(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
