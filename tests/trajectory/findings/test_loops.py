"""Loops: what counts as one, and how they are tracked while a run grows."""

from __future__ import annotations

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.trajectory.findings.loops import Loops, loop_steps
from oh_tui.trajectory.findings.verdict import judge
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.trajectory import Trajectory
from tests.demo_runs import SLUGS, demo_run
from tests.trajectory.findings.test_verdict import ASKED, finish, pairs, run
from tests.trajectory.made import failure, message, output, result, shell, state
from tests.work import counted


@pytest.mark.parametrize("via", ["app", "agent"])
def test_the_loop_of_the_demo(via: str) -> None:
    verdict = judge(demo_run("week-dates", via))
    assert verdict.steps == (58, 59, 60, 61)
    assert verdict.landing == 58
    assert verdict.short == "same call and result 4 times"
    assert verdict.plan == (3, 4)
    assert loop_steps(demo_run("week-dates", via)) == {58, 59, 60, 61}
    marked = {slug for slug in SLUGS if loop_steps(demo_run(slug, via))}
    assert marked == {"week-dates"}


def test_a_loop_is_named_from_its_beginning_whatever_was_thought() -> None:
    thoughts = [[{"type": "text", "text": text}] for text in ("", "again", "", "once more", "so")]
    calls = [pairs(f"a{n}", thought=thought) for n, thought in enumerate(thoughts)]
    trajectory = run(ASKED, *pairs("x", command="pwd"), *chain(*calls), state("s", "stuck"))
    verdict = judge(trajectory)
    assert verdict.steps == (3, 4, 5, 6, 7)
    assert verdict.cause.startswith("Steps 3-7 made the same call and got the same result")


def test_what_changes_with_each_run_of_a_command_does_not_hide_a_loop() -> None:
    events = [ASKED]
    for n in range(4):
        seen = {
            "kind": "TerminalObservation",
            "content": [{"type": "text", "text": "no"}],
            "exit_code": 1,
            "command_id": n,
            "metadata": {"pid": n, "exit_code": 1},
        }
        events += [shell(f"a{n}"), result(f"a{n}", seen, second=n)]
    assert judge(run(*events, state("s", "stuck"))).steps == (2, 3, 4, 5)


@pytest.mark.parametrize("different", ["text", "command", "code"])
def test_no_loop_where_one_of_four_differs(different: str) -> None:
    odd = {"text": ("ls", "b", 0), "command": ("ls -a", "a", 0), "code": ("ls", "a", 1)}[different]
    events = [ASKED, *pairs("a", "b"), shell("c", odd[0]), output("c", odd[1], odd[2])]
    verdict = judge(run(*events, *pairs("d"), state("s", "stuck")))
    assert verdict.cause == "Stuck, no loop found in these events."
    assert (verdict.steps, verdict.landing) == ((), 5)


def test_three_errors_of_one_call() -> None:
    errors = [e for n in range(3) for e in (shell(f"a{n}"), failure(f"a{n}", f"no {n}"))]
    verdict = judge(run(ASKED, *errors, state("s", "stuck")))
    assert verdict.steps == (2, 3, 4)
    assert "got an error each time" in verdict.cause
    assert verdict.short == "same call and an error 3 times"
    # an exit code is no error of the tool
    assert judge(run(ASKED, *pairs("a", "b", "c"), state("s", "stuck"))).steps == ()


def test_messages_in_a_row() -> None:
    said = [message(f"t{n}", f"I am on it {n}", "agent") for n in range(3)]
    verdict = judge(run(ASKED, *pairs("a"), *said, state("s", "stuck")))
    assert verdict.steps == (3, 4, 5)
    assert verdict.short == "3 messages in a row without a call"
    assert judge(run(ASKED, *said[:2], state("s", "stuck"))).steps == ()


def test_two_calls_in_turn() -> None:
    turns = [pairs(f"a{n}", command="ls" if n % 2 else "pwd") for n in range(6)]
    verdict = judge(run(ASKED, *chain(*turns), state("s", "stuck")))
    assert verdict.steps == (2, 3, 4, 5, 6, 7)
    assert "the same two calls in turn" in verdict.cause
    assert judge(run(ASKED, *chain(*turns[1:]), state("s", "stuck"))).steps == ()


def test_a_loop_does_not_reach_over_the_users_message() -> None:
    events = [
        ASKED,
        *pairs("a", "b"),
        message("m2", "Go on"),
        *pairs("c", "d"),
        state("s", "stuck"),
    ]
    assert judge(run(*events)).steps == ()
    # a hook or a note of the server does not end one
    note = message("n", "[note]", "environment")
    events = [ASKED, *pairs("a", "b"), note, *pairs("c", "d"), state("s", "stuck")]
    assert judge(run(*events)).cause.startswith("Steps 2-3, 5-6 made")


def test_a_loop_of_an_earlier_turn_stays_marked() -> None:
    looped = [ASKED, *pairs("a", "b", "c", "d"), state("s", "stuck")]
    after = [message("m2", "Look at the docs"), state("s2", "running"), *finish("f", "Done.")]
    trajectory = run(*looped, *after, state("s3", "finished"))
    assert loop_steps(trajectory) == {2, 3, 4, 5}
    assert judge(trajectory).cause == "Done."


def test_who_lets_a_loop_go_on_is_told_of_all_of_it() -> None:
    events = [ASKED, *pairs("a", "b", "c", "d"), state("s0", "stuck")]
    for n in range(3):
        events += [state(f"r{n}", "running"), *pairs(f"e{n}"), state(f"s{n + 1}", "stuck")]
    assert judge(run(*events)).steps == tuple(range(2, 9))
    assert loop_steps(run(*events)) == set(range(2, 9))


def test_calls_that_cannot_be_read_again_are_no_loop() -> None:
    class Gone:
        def read(self, place: int) -> bytes:
            return b""

        original = read

    events = [ASKED, *pairs("a", "b", "c", "d"), state("s", "stuck")]
    gone = [parse_event(e.raw(), store=Gone()) for e in events]
    assert judge(run(*gone)).steps == ()


# loops of a run that grows


def same_as_whole(*batches: list[Event]) -> frozenset[int]:
    trajectory = Trajectory(live=True)
    loops = Loops(trajectory)
    for batch in batches:
        trajectory.extend(batch)
        loops.update()
    assert loops.steps == loop_steps(trajectory)
    return loops.steps


def test_loops_are_kept_while_a_run_grows() -> None:
    first = [ASKED, *pairs("a", "b", "c", "d"), state("s", "stuck")]
    second = [message("m2", "Go on"), state("r", "running"), *pairs("e", "f", "g", "h")]
    events = [*first, *second, state("t", "stuck"), state("u", "running"), *pairs("i")]
    by_one = same_as_whole(*([e] for e in events))
    assert by_one == same_as_whole(first, second, events[len(first) + len(second) :])
    assert by_one == {2, 3, 4, 5, 7, 8, 9, 10}


def test_a_result_that_comes_after_the_stop_completes_its_loop() -> None:
    events = [ASKED, *pairs("a", "b", "c", "d")]
    assert same_as_whole(events[:-1], [state("s", "stuck")], events[-1:]) == {2, 3, 4, 5}
    early = [*events[:4], *events[5:]]
    assert same_as_whole(early, [state("s", "stuck")], events[4:5]) == {2, 3, 4, 5}


def test_a_loop_that_another_one_overlaps_is_marked_too() -> None:
    events = [ASKED, *pairs("a", "b", "c", "d"), state("s", "stuck"), state("r", "running")]
    for n in range(3):
        events += [shell(f"x{n}", "pwd"), output(f"x{n}", "/"), *pairs(f"y{n}")]
    events.append(state("t", "stuck"))
    assert same_as_whole(*([e] for e in events)) == set(range(2, 12))


@given(
    st.lists(st.sampled_from(["a", "a", "b", "fail", "stuck", "say", "user", "late"]), max_size=60),
    st.integers(1, 9),
)
def test_loops_come_to_the_same_in_batches_of_any_size(told: list[str], size: int) -> None:
    events: list[Event] = []
    late: list[Event] = []
    for n, word in enumerate(told):
        if word in ("a", "b", "fail"):
            code = 1 if word == "fail" else 0
            events += [shell(f"{n}", word), output(f"{n}", word, code)]
            if late and n % 2:
                events.append(late.pop())
        elif word == "stuck":
            events += [state(f"s{n}", "stuck"), state(f"r{n}", "running")]
        elif word == "late":
            events.append(shell(f"{n}", "a"))
            late.append(output(f"{n}", "a"))
        else:
            events.append(message(f"{n}", "so", "user" if word == "user" else "agent"))
    same_as_whole(*(events[at : at + size] for at in range(0, len(events), size)))


def test_a_thousand_loops_cost_nothing_when_something_else_comes() -> None:
    events: list[Event] = []
    for n in range(1_000):
        names = [f"{n}-{m}" for m in range(4)]
        events += [message(f"m{n}", "Go on"), *pairs(*names), state(f"s{n}", "stuck")]
        events.append(state(f"r{n}", "running"))
    trajectory = run(*events)
    loops = Loops(trajectory)
    assert len(loops.steps) == 4_000
    trajectory.extend([state("z", "finished")])
    with counted() as work:
        loops.update()
    assert work.lines < 200
