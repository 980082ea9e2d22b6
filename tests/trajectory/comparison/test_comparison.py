"""Two runs compared: what counts as the same step, alignment, differences."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.trajectory.comparison.compare import Comparison, Kind, Parting
from oh_tui.trajectory.findings.failure_signatures.call_signatures import call_signatures
from oh_tui.trajectory.model import alignment
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import Trajectory
from tests.demo_runs import SLUGS, demo_run
from tests.trajectory.compared import Difference, one_call, planted, run
from tests.trajectory.made import call, event, failure, message, output, result, shell
from tests.work import counted

VALUES = st.lists(st.integers(0, 3), max_size=14)


def told(comparison: Comparison) -> list[Difference]:
    rows = (comparison.rows[place] for place in comparison.differences)
    return [(r.kind, r.a.number if r.a else None, r.b.number if r.b else None) for r in rows]


def longest(one: Sequence[int], other: Sequence[int]) -> int:
    lengths = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for a in range(len(one)):
        for b in range(len(other)):
            lengths[a + 1][b + 1] = (
                lengths[a][b] + 1
                if one[a] == other[b]
                else max(lengths[a][b + 1], lengths[a + 1][b])
            )
    return lengths[-1][-1]


@pytest.mark.parametrize("most", [alignment.MOST_BITS, 20], ids=["at once", "divided"])
@given(one=VALUES, other=VALUES)
def test_common_subsequence_is_a_longest_one(most: int, one: list[int], other: list[int]) -> None:
    before, alignment.MOST_BITS = alignment.MOST_BITS, most
    try:
        pairs = alignment.common(one, other)
    finally:
        alignment.MOST_BITS = before
    assert all(one[a] == other[b] for a, b in pairs)
    assert all(a < c and b < d for (a, b), (c, d) in pairwise(pairs))
    assert len(pairs) == longest(one, other)


@given(seed=st.integers(0, 10**6), length=st.integers(0, 60))
def test_planted_differences_are_found_and_no_others(seed: int, length: int) -> None:
    a, b, differences = planted(seed, length)
    comparison = Comparison(run(a), run(b))
    # between two pairs those of A come first
    assert sorted(told(comparison), key=str) == sorted(differences, key=str)
    assert comparison.counts[Kind.SAME] == len(a) - sum(d[1] is not None for d in differences)


@given(
    one=st.lists(st.sampled_from(["ls a", "ls b", "pytest", ("pytest", 1), "git log"]), max_size=9),
    other=st.lists(st.sampled_from(["ls a", "ls b", "pytest", "git diff"]), max_size=9),
)
def test_swapped_runs_differ_in_the_mirrored_steps(
    one: list[str | tuple[str, int]], other: list[str | tuple[str, int]]
) -> None:
    there, back = Comparison(run(one), run(other)), Comparison(run(other), run(one))
    names = {Kind.ONLY_A: Kind.ONLY_B, Kind.ONLY_B: Kind.ONLY_A}
    mirrored = [(names.get(Kind(kind), kind), b, a) for kind, a, b in told(back)]
    assert sorted(told(there), key=str) == sorted(mirrored, key=str)
    assert (there.first and (there.first.b, there.first.a)) == (back.first and tuple(back.first))
    assert there.same_before == back.same_before


@given(one=st.lists(st.sampled_from(["ls a", "ls b", "pytest"]), max_size=9))
def test_each_step_stands_in_one_row_and_in_order(one: list[str]) -> None:
    a, b = run(one), run(one[::-1])
    rows = Comparison(a, b).rows
    assert [row.a for row in rows if row.a] == a.steps
    assert [row.b for row in rows if row.b] == b.steps


@pytest.mark.parametrize("slug", SLUGS)
def test_run_does_not_differ_from_itself(slug: str) -> None:
    comparison = Comparison(demo_run(slug), demo_run(slug))
    assert (comparison.differences, comparison.first) == ([], None)
    assert comparison.counts[Kind.SAME] == len(comparison.a) == comparison.same_before


@given(seed=st.integers(0, 10**6), length=st.integers(0, 60))
def test_generated_run_does_not_differ_from_itself(seed: int, length: int) -> None:
    commands, _, _ = planted(seed, length)
    assert Comparison(run(commands), run(commands)).differences == []


@given(seed=st.integers(0, 10**6), length=st.integers(0, 60))
def test_planted_differences_are_mirrored_in_swapped_runs(seed: int, length: int) -> None:
    a, b, differences = planted(seed, length)
    names = {Kind.ONLY_A: Kind.ONLY_B, Kind.ONLY_B: Kind.ONLY_A}
    mirrored = [(names.get(Kind(kind), kind), two, one) for kind, one, two in differences]
    assert sorted(told(Comparison(run(b), run(a))), key=str) == sorted(mirrored, key=str)


def test_runs_part_at_the_next_step_of_each() -> None:
    longer = Comparison(run(["ls", "pytest"]), run(["ls", "git log", "pytest"]))
    assert longer.first == Parting(2, 2)
    ended = Comparison(run(["ls"]), run(["ls", "pytest"]))
    assert ended.first == Parting(None, 2)
    assert Comparison(Trajectory(), Trajectory()).first is None
    assert told(Comparison(Trajectory(), run(["ls"]))) == [("only_b", None, 1)]


def test_same_call_with_another_outcome_is_a_change() -> None:
    assert told(Comparison(run([("pytest", 1)]), run(["pytest"]))) == [("changed", 1, 1)]
    assert told(Comparison(run([("pytest", 1)]), run([("pytest", 2)]))) == []  # failed both times
    a, b = Trajectory(), Trajectory()
    a.extend([shell("c"), failure("c", "Tool call failed")])
    b.extend([shell("c"), output("c")])
    assert told(Comparison(a, b)) == [("changed", 1, 1)]


def same_calls(one: str, other: str) -> bool:
    return call_signatures(run([one]))[0].exact == call_signatures(run([other]))[0].exact


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pytest  -q ", "pytest -q"),
        ("cd /workspace/dates && pytest -q", "pytest -q"),
        ("ls /workspace/dates/src", "ls src"),
        ("ls /home/me/notes", "ls /Users/you/notes"),
        ("cat /tmp/tmpab12cd/log", "cat /tmp/tmpzz98yx/log"),
        ("git show 9c41d07", "git show 5be20aa"),
        ("kill 4711", "kill 812"),
        ("kill -9 4711", "kill -9 812"),
        ("curl localhost:8000/api", "curl localhost:49152/api"),
        ("cd /workspace/dates && cat a", "cat a"),
        ("touch out-1767225600.log", "touch out-1767229999.log"),
        ("log --since 2026-03-09T13:29:00", "log --since 2026-03-10T08:01:59Z"),
        ("rm f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "rm 0d3c2b1a-7dec-11d0-a765-00a0c91e6bf6"),
    ],
)
def test_what_varies_by_run_does_not_count(one: str, other: str) -> None:
    a, b = Trajectory(), Trajectory()
    for trajectory, command in ((a, one), (b, other)):
        trajectory.extend([shell("c", command)])
        trajectory.extend([_output_in("/workspace/dates")])
    assert Comparison(a, b).counts[Kind.CHANGED] == 0
    assert call_signatures(a) == call_signatures(b)


def _output_in(folder: str) -> Event:
    metadata = {"working_dir": folder}
    return result("c", {"kind": "TerminalObservation", "exit_code": 0, "metadata": metadata})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pytest -q", "pytest -q tests/test_weeks.py"),
        ("sed -n 10,20p a.py", "sed -n 30,40p a.py"),
        ("python -m dates 2021-W53-1", "python -m dates 2020-W53-1"),
        ("ls src", "ls docs"),
        ("cat /tmp/a.txt", "cat /tmp/b.txt"),
        ("ls /root", "ls /rooted"),
    ],
)
def test_what_is_another_call_counts(one: str, other: str) -> None:
    assert not same_calls(one, other)
    assert call_signatures(run([one]))[0].like == call_signatures(run([other]))[0].like


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("git log", "git diff"),
        ("pytest", "ruff check"),
        ("python -m a", "python -m b"),
        ("npm run lint", "npm run build"),
        ("docker exec web pytest", "docker exec web ls"),
        ("sudo -u app pytest", "sudo -u app ls"),
    ],
)
def test_other_programs_do_not_stand_side_by_side(one: str, other: str) -> None:
    assert told(Comparison(run([one]), run([other]))) == [("only_a", 1, None), ("only_b", None, 1)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pytest -q", "cd app && A=1 timeout 60 python -m pytest 2>&1 | tail"),
        ("uv run pytest", ".venv/bin/pytest"),
        ("git -C x log", "git log"),
        ("bash -c 'pytest -x'", "ls && pytest"),
    ],
)
def test_the_same_program_stands_side_by_side_however_it_is_called(one: str, other: str) -> None:
    assert call_signatures(run([one]))[0].like == call_signatures(run([other]))[0].like


def test_edits_of_one_file_stand_side_by_side_and_numbers_in_them_count() -> None:
    def edit(path: str, new: str) -> Trajectory:
        action = {"kind": "FileEditorAction", "command": "str_replace", "path": path}
        return one_call(action | {"old_str": "a", "new_str": new})

    assert told(Comparison(edit("a.py", "x = 10000"), edit("a.py", "x = 20000"))) == [
        ("changed", 1, 1)
    ]
    assert told(Comparison(edit("a.py", "x  \n"), edit("a.py", "x\n"))) == []
    assert [one[0] for one in told(Comparison(edit("a.py", "x"), edit("b.py", "x")))] == [
        "only_a",
        "only_b",
    ]


def test_tools_of_other_versions_and_empty_arguments_are_the_same() -> None:
    new = one_call({"kind": "FileEditorAction", "command": "view", "path": "a.py", "old_str": None})
    old = one_call({"kind": "StrReplaceEditorAction", "command": "view", "path": "a.py"})
    assert told(Comparison(new, old)) == []


def test_what_the_user_wrote_counts_and_what_the_agent_thought_does_not() -> None:
    a, b = Trajectory(), Trajectory()
    a.extend([message("m", "Fix it"), call("t", {"kind": "ThinkAction", "thought": "one"})])
    b.extend([message("m", "Break it"), call("t", {"kind": "ThinkAction", "thought": "two"})])
    assert told(Comparison(a, b)) == [("changed", 1, 1)]


def test_events_of_any_kind_are_compared() -> None:
    a, b = Trajectory(), Trajectory()
    a.extend([
        event("ConversationErrorEvent", "1", code="X", detail="a"),
        call("2", None, tool="broken", tool_call={"arguments": "{not json"}),
        event("ACPToolCallEvent", "3", tool_kind="read", title="Read a.py"),
        event("Unheard", "4", text="hello"),
    ])  # fmt: skip
    b.extend([event("Condensation", "5", forgotten_event_ids=["1"])])
    assert Comparison(a, a).differences == []
    assert Comparison(a, b).counts[Kind.ONLY_A] == 4


def test_deeply_nested_arguments_do_not_break_it() -> None:
    deep: dict[str, object] = {}
    for _ in range(300):
        deep = {"a": deep}
    trajectory = one_call({"kind": "OddAction", "deep": deep})
    assert Comparison(trajectory, trajectory).differences == []


@pytest.mark.parametrize(
    "command", ["sudo " * 3000 + "x", "cd a && " * 3000 + "ls"], ids=["sudo", "cd"]
)
def test_programs_that_call_each_other_a_thousand_times_do_not_break_it(command: str) -> None:
    trajectory = run([command])
    assert Comparison(trajectory, trajectory).differences == []


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("kinds", [2, 40, 5000])
def test_five_thousand_steps_are_not_each_compared_with_all(kinds: int) -> None:
    rng = random.Random(7)
    one, other = ([f"tool{rng.randrange(kinds)} src" for _ in range(5000)] for _ in "ab")
    a, b = run(one), run(other)
    with counted() as work:
        comparison = Comparison(a, b)
    assert work.lines < 5_000_000
    assert comparison.counts[Kind.SAME] >= 5000 // (kinds + 1)
