"""Tokens and cost are assigned to steps, the rest is not lost: sums always agree."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.demo import Demo
from oh_tui.demo.catalog import ENTRIES
from oh_tui.demo.runs.meter import combined
from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage import NO_USAGE
from tests.demo.wire import NOW
from tests.demo_runs import SLUGS, demo_events, demo_run
from tests.trajectory.made import event, message, output, result, shell, state, used

TOKENS = ("prompt", "completion", "cache_read", "cache_write", "reasoning")


def build(*events: Event, **options: Any) -> Accounts:
    trajectory = Trajectory(**options)
    trajectory.extend(events)
    return Accounts(trajectory)


def metrics(cost: Any = 0.0, prompt: Any = 0, out: Any = 0, **more: Any) -> dict[str, Any]:
    tokens = {"prompt_tokens": prompt, "completion_tokens": out, "context_window": 1000}
    return {"accumulated_cost": cost, "accumulated_token_usage": tokens, **more}


def lists(*calls: tuple[str, int, int, float | None, float | None]) -> dict[str, Any]:
    """Of calls as (response id, tokens in, out, cost, seconds); None leaves an entry out."""
    return {
        "token_usages": [
            {"response_id": name, "prompt_tokens": prompt, "completion_tokens": out}
            for name, prompt, out, _, _ in calls
        ],
        "costs": [{"cost": cost} for *_, cost, _ in calls if cost is not None],
        "response_latencies": [
            {"response_id": name, "latency": took} for name, *_, took in calls if took is not None
        ],
    }


def stats(id: str, second: float = 0, **usages: dict[str, Any]) -> Event:
    value = {"usage_to_metrics": usages}
    return event("ConversationStateUpdateEvent", id, second, key="stats", value=value)


def full_state(id: str, second: float = 0, **usages: dict[str, Any]) -> Event:
    value = {"stats": {"usage_to_metrics": usages}}
    return event("ConversationStateUpdateEvent", id, second, key="full_state", value=value)


def status(id: str, value: str, second: float) -> Event:
    return event("ConversationStateUpdateEvent", id, second, key="execution_status", value=value)


def costs(accounts: Accounts) -> list[float | None]:
    """Of each step, None where nothing is told."""
    charged = [accounts.of(step) for step in accounts.trajectory.steps]
    return [None if spent is None else round(spent.cost, 9) for spent in charged]


def assert_sums(accounts: Accounts) -> None:
    """Steps and other come to the total, and so do the usage ids."""
    steps = [accounts.of(step) or NO_USAGE for step in accounts.trajectory.steps]
    usages = list(accounts.usages.values())
    for name in (*TOKENS, "calls"):
        total = getattr(accounts.total, name)
        assert sum(getattr(s, name) for s in [*steps, accounts.other]) == total, name
        assert sum(getattr(s, name) for s in usages) == total, name
        assert getattr(accounts.other, name) >= 0, name
    for name in ("cost", "llm"):
        total = getattr(accounts.total, name)
        assert abs(math.fsum(getattr(s, name) for s in [*steps, accounts.other]) - total) < 1e-9
        assert abs(math.fsum(getattr(s, name) for s in usages) - total) < 1e-9
        assert getattr(accounts.other, name) >= 0, name


# the demo, whose own totals are counted apart from the events


@pytest.mark.parametrize("via", ["app", "agent"])
@pytest.mark.parametrize("slug", SLUGS)
def test_the_total_is_that_of_the_conversation(slug: str, via: str) -> None:
    world = Demo(NOW, "everything").world
    entry = next(entry for entry in ENTRIES if entry.slug == slug)
    told = combined({"usage_to_metrics": world.usages(world.conversations[entry.id])})
    accounts = Accounts(demo_run(slug, via))
    assert_sums(accounts)
    if slug == "crashed":
        # the sandbox was gone before it could tell what its last answer cost
        assert accounts.of(accounts.trajectory.steps[-1]) is None
        assert 0 < accounts.total.cost < told["accumulated_cost"]
        return
    usage = told["accumulated_token_usage"] or {}
    for name in TOKENS:
        assert getattr(accounts.total, name) == usage.get(f"{name}_tokens", 0), name
    # the demo rounds each cost to a millionth
    assert accounts.total.cost == pytest.approx(told["accumulated_cost"], abs=5e-5)
    assert accounts.priced is (bool(told["accumulated_cost"]) if accounts.total.prompt else None)


@pytest.mark.parametrize("via", ["app", "agent"])
def test_all_but_the_title_is_charged(via: str) -> None:
    accounts = Accounts(demo_run("week-dates", via))
    assert accounts.other_about == ("1 call without a step",)
    assert (accounts.other.prompt, accounts.other.completion) == (460, 14)
    made = [s for s in accounts.trajectory.steps if accounts.of(s) is not None]
    assert len(made) == accounts.total.calls - 1 == 58
    assert {name: spent.calls for name, spent in accounts.usages.items()} == {
        "agent": 58,
        "condenser": 1,
    }
    condensation = next(s for s in made if s.event.kind == "Condensation")
    assert accounts.of(condensation).cost == pytest.approx(0.163882)  # type: ignore[union-attr]
    assert condensation.number not in [number for number, _ in accounts.context]
    assert accounts.context_window == 200_000
    assert round(accounts.waited) == 7803
    assert round(accounts.active) == 379


def test_both_servers_charge_the_same() -> None:
    """One server reports lists, the other updates in another order."""
    for slug in ("week-dates", "click", "broken", "oauth", "coverage"):
        one, other = Accounts(demo_run(slug, "app")), Accounts(demo_run(slug, "agent"))
        assert [(s.event.id, one.of(s) is None) for s in one.trajectory.steps] == [
            (s.event.id, other.of(s) is None) for s in other.trajectory.steps
        ]
        assert costs(one) == pytest.approx(costs(other), abs=2e-6)


@pytest.mark.parametrize("via", ["app", "agent"])
@pytest.mark.parametrize("size", [1, 7, 60])
def test_a_run_that_grows_has_the_accounts_of_one_read_at_once(via: str, size: int) -> None:
    events = demo_events("week-dates", via)
    trajectory = Trajectory()
    accounts = Accounts(trajectory)
    for start in range(0, len(events), size):
        trajectory.extend(events[start : start + size])
        accounts.update()
        if size > 1:
            assert_sums(accounts)
    assert_same(accounts, Accounts(trajectory))


def assert_same(one: Accounts, other: Accounts) -> None:
    steps = one.trajectory.steps
    assert [one.of(s) for s in steps] == [other.of(s) for s in steps]
    assert [one.llm(s) for s in steps] == [other.llm(s) for s in steps]
    for name in ("total", "other", "other_about", "usages", "context", "waits", "active"):
        assert getattr(one, name) == getattr(other, name), name


# by response id


def test_a_parallel_group_is_charged_on_its_first_call() -> None:
    accounts = build(
        shell("a", second=1, llm_response_id="r"),
        shell("b", second=1, llm_response_id="r"),
        output("a", second=2),
        output("b", second=3),
        full_state("f", 4, agent=metrics(0.5, 10, 5, **lists(("r", 10, 5, 0.5, 2.5)))),
    )
    first, second = accounts.trajectory.steps
    assert accounts.of(first) == used(llm=2.5, cost=0.5, prompt=10, completion=5, calls=1)
    assert accounts.of(second) is None
    assert accounts.llm(first) == 2.5
    assert accounts.llm(second) is None
    assert accounts.other == NO_USAGE
    assert accounts.other_about == ()


def test_costs_are_taken_by_position_only_when_there_are_as_many() -> None:
    steps = [shell("a", second=1), shell("b", second=2)]
    calls = ("answer-a", 10, 5, None, 1.0), ("answer-b", 20, 5, 0.25, 1.0)
    accounts = build(*steps, full_state("f", 3, agent=metrics(0.75, 30, 10, **lists(*calls))))
    assert costs(accounts) == [0.0, 0.0]
    assert accounts.other.cost == 0.75
    assert accounts.other_about == ("the cost of 2 calls is known only as a sum",)
    assert_sums(accounts)


def test_costs_that_the_lists_lack_come_from_updates() -> None:
    calls = ("answer-a", 10, 5, None, 1.0), ("answer-b", 20, 5, 0.25, 1.0)
    accounts = build(
        stats("s", 1, agent=metrics(0.5, 10, 5)),
        shell("a", second=1.1),
        stats("t", 2, agent=metrics(0.75, 30, 10)),
        shell("b", second=2.1),
        full_state("f", 3, agent=metrics(0.75, 30, 10, **lists(*calls))),
    )
    assert costs(accounts) == [0.5, 0.25]
    assert accounts.other_about == ()


def test_an_answer_listed_twice_is_charged_once() -> None:
    accounts = build(
        shell("a", second=1),
        full_state(
            "f",
            2,
            agent=metrics(1.0, 20, 2, **lists(*[("answer-a", 10, 1, 0.5, 1.0)] * 2)),
        ),
    )
    assert costs(accounts) == [0.5]
    assert accounts.other.prompt == 10
    assert accounts.other_about == ("the total is higher than the sum of its calls",)


def test_lists_of_several_full_states_go_together() -> None:
    """A later state may lack what an earlier one reported, for example after a change of model."""
    accounts = build(
        shell("a", second=1),
        full_state("f", 2, agent=metrics(0.5, 10, 5, **lists(("answer-a", 10, 5, 0.5, 1.0)))),
        shell("b", second=3),
        full_state("g", 4, agent=metrics(0.25, 20, 5, **lists(("answer-b", 20, 5, 0.25, 1.0)))),
    )
    assert costs(accounts) == [0.5, 0.25]
    assert accounts.total.cost == 0.75
    assert "the totals went down: the highest ones count" in accounts.other_about
    assert_sums(accounts)


# by time

UPDATES = [
    stats("title", 0.5, agent=metrics(0.01, 4, 1)),
    stats("first", 1.0, agent=metrics(0.11, 104, 11)),
    stats("second", 5.0, agent=metrics(0.31, 304, 21)),
]
CALLS = [shell("a", second=1.01), output("a", second=4), shell("b", second=5.01)]
ORDERS = {
    "app": [UPDATES[0], UPDATES[1], CALLS[0], CALLS[1], UPDATES[2], CALLS[2]],
    "agent": [UPDATES[0], CALLS[0], CALLS[1], UPDATES[1], CALLS[2], UPDATES[2]],
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("size", [1, 2, 6])
def test_updates_find_their_steps_by_time(order: str, size: int) -> None:
    """Independent of the order on the server and of the order of arrival."""
    trajectory = Trajectory()
    accounts = Accounts(trajectory)
    for start in range(0, 6, size):
        trajectory.extend(ORDERS[order][start : start + size])
        accounts.update()
    assert costs(accounts) == [0.1, 0.2]
    assert accounts.other.cost == pytest.approx(0.01)
    assert accounts.other_about == ("1 call without a step",)
    assert accounts.context == [(1, 100), (2, 200)]
    assert_sums(accounts)


def test_a_paused_run_lists_a_part_of_its_answers() -> None:
    accounts = build(
        stats("s", 1, agent=metrics(0.5, 10, 5)),
        shell("a", second=1.1),
        full_state("f", 2, agent=metrics(0.5, 10, 5, **lists(("answer-a", 10, 5, 0.5, 0.8)))),
        stats("t", 3, agent=metrics(0.75, 30, 10)),
        shell("b", second=3.1),
        stats("u", 4, agent=metrics(1.75, 90, 20)),
    )
    assert costs(accounts) == [0.5, 0.25]
    assert accounts.llm(accounts.trajectory.steps[1]) == pytest.approx(2.0)
    assert accounts.other == used(cost=1.0, prompt=60, completion=10, calls=1)
    assert accounts.other_about == ("1 call without a step",)


def test_an_update_long_before_a_step_is_not_its_own() -> None:
    accounts = build(stats("s", 1, agent=metrics(0.5, 10, 5)), shell("a", second=20))
    assert costs(accounts) == [None]
    assert accounts.other.cost == 0.5


def test_updates_without_a_time_are_not_guessed() -> None:
    update = stats("s", agent=metrics(0.5, 10, 5))
    update.timestamp = ""
    accounts = build(update, shell("a", second=1))
    assert costs(accounts) == [None]
    assert accounts.other.cost == 0.5


def test_usage_ids_that_make_no_step_are_told_by_name() -> None:
    accounts = build(
        stats("s", 1, **{"title-gen-llm": metrics(0.1, 10, 5), "delegate:b": metrics(0.2, 9, 1)}),
        shell("a", second=1.1),
    )
    assert costs(accounts) == [None]
    assert accounts.other_about == ("1 title request", "1 call of delegate:b")
    assert_sums(accounts)


def test_a_condensation_is_paid_by_the_condenser_only() -> None:
    accounts = build(
        shell("a", second=1),
        stats("s", 2, agent=metrics(0.5, 10, 5), condenser=metrics(0.25, 8, 1)),
        event("Condensation", "c", 2.1, llm_response_id="x"),
        shell("b", second=2.2),
    )
    assert costs(accounts) == [None, 0.25, 0.5]
    assert accounts.context == [(3, 10)]


def test_what_was_spent_before_the_events_read_is_of_no_step() -> None:
    accounts = build(
        stats("s", 1, agent=metrics(9.0, 900, 50)),
        shell("a", second=1.1),
        stats("t", 2, agent=metrics(9.5, 1000, 60)),
        shell("b", second=2.1),
        complete=False,
    )
    assert costs(accounts) == [None, 0.5]
    assert accounts.total.cost == 9.5
    assert accounts.other.prompt == 900
    assert accounts.other_about == ("calls before the events read",)


# what is wrong is said


def test_totals_that_go_down_are_not_believed_in_silence() -> None:
    accounts = build(
        stats("s", 1, agent=metrics(0.5, 10, 5)),
        shell("a", second=1.1),
        stats("t", 2, agent=metrics(0.1, 2, 1)),
        shell("b", second=2.1),
    )
    assert accounts.total.cost == 0.5
    assert costs(accounts) == [0.5, None]
    assert accounts.other_about == ("the totals went down: the highest ones count",)


@pytest.mark.parametrize("cost", [-1.0, 1e30])
def test_impossible_numbers_are_left_out(cost: float) -> None:
    accounts = build(stats("s", 1, agent=metrics(cost, 10, 5)), shell("a", second=1.1))
    assert accounts.total == used(prompt=10, completion=5, calls=1)
    assert accounts.other_about == ("1 update with impossible numbers",)


@pytest.mark.parametrize("text", ['"stats"', "[]", '{"usage_to_metrics": 3}', "NaN"])
def test_stats_that_cannot_be_read_are_counted(text: str) -> None:
    raw = f'{{"kind":"ConversationStateUpdateEvent","id":"s","key":"stats","value":{text}}}'
    accounts = build(parse_event(raw.encode()), shell("a", second=1))
    assert accounts.total == NO_USAGE
    assert accounts.other_about == ("1 update cannot be read",)


def test_one_bad_usage_id_leaves_the_others() -> None:
    accounts = build(
        stats("s", 1, agent=metrics(0.5, 10, 5), odd=metrics("much", [], {})),
        shell("a", second=1.1),
    )
    assert costs(accounts) == [0.5]


def test_tokens_without_a_price_are_not_free() -> None:
    assert build(message("m", "go")).priced is None, "no model was asked"
    assert not build(shell("a")).priced, "nothing is told of its answer"
    assert not build(stats("s", agent=metrics(0.0, 10, 5)), shell("a")).priced


def test_steps_taken_out_are_not_charged() -> None:
    """A result without a call is a step until its call arrives."""
    trajectory = Trajectory()
    accounts = Accounts(trajectory)
    trajectory.extend([output("a", second=3), shell("b", second=1)])
    accounts.update()
    update = stats("s", 1.9, agent=metrics(0.5, 10, 5))
    trajectory.extend([update, shell("a", second=2), message("m", "so", second=4)])
    accounts.update()
    assert [step.event.id for step in trajectory.steps] == ["b", "a", "m"]
    assert costs(accounts) == [None, 0.5, None]
    assert accounts.context == [(2, 10)]
    assert_same(accounts, Accounts(trajectory))


# anything at all

NUMBERS: st.SearchStrategy[Any] = st.one_of(
    st.integers(-5, 60),
    st.sampled_from([None, "7", [], True, 1e400, -0.5, 0.1, 3.25, 10**30, 1e-13, 10**15 - 1]),
)
NAMES = st.sampled_from(["", "answer-e1", "answer-e2", "answer-e3", "other", None, 4])


@st.composite
def hostile_metrics(draw: st.DrawFn) -> Any:
    def tokens() -> Any:
        keys = ("prompt_tokens", "completion_tokens", "cache_read_tokens", "context_window")
        return {key: draw(NUMBERS) for key in keys if draw(st.booleans())}

    def entry() -> Any:
        more = {"response_id": draw(NAMES), "cost": draw(NUMBERS), "latency": draw(NUMBERS)}
        return draw(st.sampled_from([tokens() | more, more, None]))

    def entries() -> Any:
        return draw(
            st.sampled_from([None, 3, [], [entry() for _ in range(draw(st.integers(0, 4)))]])
        )

    whole = {
        "accumulated_cost": draw(NUMBERS),
        "accumulated_token_usage": draw(st.sampled_from([None, "x", tokens()])),
        "token_usages": entries(),
        "costs": entries(),
        "response_latencies": entries(),
    }
    return {key: value for key, value in whole.items() if draw(st.integers(0, 4))}


@st.composite
def hostile_runs(draw: st.DrawFn) -> list[Event]:
    events = []
    for number in range(draw(st.integers(0, 14))):
        id, second = f"e{number}", float(draw(st.integers(0, 6)))
        kind = draw(st.sampled_from(["stats", "stats", "full", "call", "call", "result", "other"]))
        if kind in ("stats", "full"):
            names = draw(st.lists(st.sampled_from(["agent", "condenser", "title", ""]), max_size=2))
            told = {name: draw(hostile_metrics()) for name in names}
            events.append((stats if kind == "stats" else full_state)(id, second, **told))
        elif kind == "call":
            shared = draw(st.sampled_from([f"answer-{id}", "answer-e1", ""]))
            events.append(shell(id, second=second, llm_response_id=shared))
        elif kind == "result":
            of = f"e{draw(st.integers(0, 14))}"
            events.append(result(of, {}, second=second))
        else:
            kinds = st.sampled_from(["MessageEvent", "Condensation", "PauseEvent", "Unknown"])
            source = draw(st.sampled_from(["user", "agent"]))
            events.append(event(draw(kinds), id, second, source=source, llm_response_id="other"))
    return events[::-1] if draw(st.booleans()) else events


@given(hostile_runs(), st.integers(1, 15), st.booleans())
def test_whatever_the_stats_tell_the_sums_agree(
    events: list[Event], size: int, complete: bool
) -> None:
    trajectory = Trajectory(complete=complete)
    accounts = Accounts(trajectory)
    for start in range(0, len(events), size):
        trajectory.extend(events[start : start + size])
        accounts.update()
        assert_sums(accounts)
    for step in trajectory.steps:
        assert (accounts.llm(step) or 0) >= 0
        assert (accounts.ran(step) or 0) >= 0
    assert accounts.active >= 0
    assert accounts.waited >= 0
    assert all(part for part in accounts.other_about)
    if accounts.other != NO_USAGE:
        assert accounts.other_about, "what is in no step is explained"


def _turned(id: str, status: str, second: float) -> Event:
    key = "execution_status"
    return event("ConversationStateUpdateEvent", id, second, key=key, value=status)


def test_what_goes_on_counts_up_to_now() -> None:
    def so_far(*more: Event, live: bool = True, clock: str = "+00:00") -> tuple[float, float]:
        asked = [message("m", "go", second=0), state("r", "running"), shell("a", second=3)]
        accounts = build(*asked, *more, live=live, clock=clock)
        began = accounts.trajectory.began or 0.0
        return accounts.so_far(began + 36)

    asks = _turned("w", "waiting_for_confirmation", 4)
    assert so_far() == (36, 0)
    assert so_far(asks) == (3, 32)
    assert so_far(asks, _turned("s", "running", 14)) == (26, 10)
    # nothing counts where nothing goes on, or nobody knows the clock of the agent
    assert so_far(live=False) == (3, 0)
    assert so_far(clock="") == (3, 0)
    assert so_far(output("a", second=5), _turned("f", "finished", 6)) == (5, 0)
