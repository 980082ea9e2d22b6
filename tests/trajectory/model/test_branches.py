"""Which branches a run has, which one is active, and which events are on each."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.branches import Branches, shown
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import ALL, Trajectory
from oh_tui.trajectory.model.usage_stats import stats_text
from tests.trajectory.branched import ROOT, STATS, state, two
from tests.trajectory.context.made import act, condensation, events_of, said, system, user
from tests.trajectory.context.random_runs import RandomRun
from tests.trajectory.made import event, output


def run_of(*events: Event, head: str = "", **more: object) -> Trajectory:
    run = Trajectory(**more)  # type: ignore[arg-type]
    run.extend(events)
    run.head = head
    return run


def ids(run: Trajectory) -> list[str]:
    return [step.event.id for step in run.steps]


def test_the_active_branch_is_that_of_the_last_event_unless_the_source_tells_another() -> None:
    run = run_of(*two())
    active = shown(run)
    assert ids(active) == ["u", "a", "w", "d"]
    assert active.branch is not None
    assert (active.branch.number, active.branch.count, active.branch.active) == (2, 2, 2)
    assert active.branch.run is run
    first = shown(run, 1)
    assert (ids(first), first.status) == (["u", "a", "v", "b", "c"], "finished")
    assert ids(shown(run, ALL)) == ids(run) == ["u", "a", "v", "b", "c", "w", "d"]
    told = shown(run_of(*two(), head="c"))
    assert ids(told) == ["u", "a", "v", "b", "c"]


def test_a_run_that_went_back_and_said_nothing_since_ends_there() -> None:
    straight = two()[:9]
    assert shown(run := run_of(*straight, head="c")) is run
    assert run.branch is None
    back = run_of(*straight, head="a")
    active = shown(back)
    assert ids(active) == ["u", "a"]
    assert active.branch is not None
    assert (active.branch.number, active.branch.count) == (2, 2)
    assert Study(active).verdict.word == "idle"
    assert ids(shown(back, 1)) == ["u", "a", "v", "b", "c"]
    # what was told before the last events says nothing, nor does a file that lags while it works
    assert Branches(run_of(*two()[:8], state("run-3", "c"), head="a")).count == 1


def test_what_branches_by_accident_is_no_branch() -> None:
    parallel = [
        system(parent_id=ROOT),
        user("u", parent_id="s"),
        act("a", parent_id="u", llm_response_id="one"),
        act("b", parent_id="a", llm_response_id="one"),
        output("a", parent_id="b"),
        output("b", parent_id="r-a"),
        state("late", "u"),
        event("StreamingDeltaEvent", "delta"),
        event("PauseEvent", "p", source="user", parent_id="r-b"),
        said("m", parent_id="p"),
    ]
    assert Branches(run_of(*parallel)).count == 1
    without = [system(), user("u"), act("a"), output("a"), said("m"), user("v"), said("n")]
    assert Branches(run_of(*without)).count == 1


def test_an_order_that_contradicts_the_parents_tells_of_no_branches() -> None:
    run = run_of(
        system(),
        user("u", parent_id="s"),
        said("m", parent_id="r-a"),
        act("a", parent_id="u"),
        output("a", parent_id="a"),
        user("v", parent_id="u"),
    )
    assert shown(run) is run
    assert len(run.steps) == 4


def test_a_new_root_is_a_branch_and_so_is_a_condensation_that_was_gone_back_from() -> None:
    root = run_of(*two(), user("x", parent_id=ROOT), said("y", parent_id="x"))
    assert ids(shown(root)) == ["x", "y"]
    condensed = run_of(
        system(), user("u", parent_id="s"), said("a", parent_id="u"),
        condensation("k", "u", parent_id="a"), said("b", parent_id="k"),
        user("v", parent_id="a"), said("c", parent_id="v"),
    )  # fmt: skip
    assert ids(shown(condensed)) == ["u", "a", "v", "c"]
    assert ids(shown(condensed, 1)) == ["u", "a", "k", "b"]


def test_a_growing_run_goes_on_in_its_branch_and_moves_to_a_new_one() -> None:
    events = two()
    run = run_of(*events[:9], live=True)
    branches = Branches(run)
    assert branches.shown is run
    assert branches.extend(events[9:10]) is None
    second = branches.shown
    assert (ids(second), second.live) == (["u", "a", "w"], True)
    assert branches.extend(events[10:]) == []
    assert branches.shown is second
    assert (ids(second), second.status) == (["u", "a", "w", "d"], "stuck")
    assert branches.extend([act("e", parent_id="d"), output("e", parent_id="e")]) == []
    assert branches.extend([user("z", parent_id="c")]) is None
    assert ids(branches.shown) == ["u", "a", "v", "b", "c", "z"]
    branches.choose(2)
    assert ids(branches.shown) == ["u", "a", "w", "d", "e"]
    assert not branches.shown.live
    assert branches.holding("e") == 2
    assert branches.holding("u") == 1
    assert branches.holding("nobody") is None


def test_a_branch_cost_what_its_answers_did() -> None:
    run = run_of(*two())
    run.stats = stats_text(STATS)
    second, first = Study(shown(run)), Study(shown(run, 1))
    assert (second.accounts.total.prompt, second.accounts.total.cost) == (1001, 1.001)
    assert (first.accounts.total.prompt, first.accounts.total.cost) == (111, 0.111)
    assert first.whole.accounts.total.cost == second.whole.accounts.total.cost == 5.0
    assert first.accounts.other.tokens == 0
    assert first.accounts.other_about == ()
    assert first.part_of_cost == "this branch $0.11 of $5.00"
    assert Study(run).part_of_cost == ""


def test_what_was_done_on_another_branch_is_no_time_of_this_one() -> None:
    run = run_of(
        system(parent_id=ROOT),
        user("u", parent_id="s", second=0),
        said("a", parent_id="u", second=4),
        user("v", parent_id="a", second=10),
        said("c", parent_id="v", second=13),
        user("w", parent_id="a", second=40),
        said("d", parent_id="w", second=45),
        user("x", parent_id="c", second=50),
        said("e", parent_id="x", second=52),
    )
    for number, active, waited in ((1, 4 + 3 + 2, 6 + 5), (2, 4 + 5, 27)):
        accounts = Study(shown(run, number)).accounts
        assert (accounts.active, accounts.waited) == (active, waited)


@given(st.integers(0, 10_000), st.integers(0, 400))
def test_each_branch_is_a_way_through_the_tree_and_together_they_are_the_run(
    seed: int, cut: int
) -> None:
    events = events_of(RandomRun(seed, is_tree=True).make(90))
    run = run_of(*events[: cut or None])
    branches, found, parents = Branches(run), set[str](), {e.id: e.parent_id for e in events}
    for number in range(1, branches.count + 1):
        branches.choose(number)
        on_it = branches.shown.events
        found |= set(ids(branches.shown)) | {r.id for s in branches.shown.steps for r in s.results}
        seen = [one.id for one in on_it if one.is_seen or one.kind == "Condensation"]
        for id in seen:
            up = parents[id]
            while up != ROOT and up not in seen:
                up = parents[up]
            assert up == (ROOT if id == seen[0] else seen[seen.index(id) - 1])
    everything = set(ids(run)) | {r.id for s in run.steps for r in s.results}
    assert branches.count == 1 or found == everything


@given(st.integers(0, 10_000), st.lists(st.integers(1, 20), max_size=8))
def test_a_run_read_in_pieces_has_the_branches_of_the_whole(seed: int, pieces: list[int]) -> None:
    events = events_of(RandomRun(seed, is_tree=True).make(80))
    growing, start = Branches(Trajectory()), 0
    for count in [*pieces, len(events)]:
        growing.extend(events[start : start + count])
        start += count
    whole = shown(run_of(*events))
    assert ids(growing.shown) == ids(whole)
    assert growing.shown.status == whole.status
    for one, other in zip(growing.shown.steps, whole.steps, strict=True):
        assert [r.id for r in one.results] == [r.id for r in other.results]


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(-1, 9), st.booleans()), max_size=25))
def test_whatever_parents_say_no_step_is_lost(made: list[tuple[int, int, bool]]) -> None:
    names = [*"abcdefgh", ""]
    events = [
        (user if is_user else act)(
            names[own] or "z", parent_id=ROOT if parent < 0 else (*names, "nobody")[parent]
        )
        for own, parent, is_user in made
    ]
    run = run_of(*events)
    branches, found = Branches(run), set[str]()
    for number in range(1, branches.count + 1):
        branches.choose(number)
        found |= set(ids(branches.shown))
    assert found == set(ids(run))
