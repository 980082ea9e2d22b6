"""Time and cost: every second counted once, the costly steps in order, the context columns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.costs.spending import MOST, USAGES, Spending, context_fill, spending
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.tool_use import Family
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage import NO_USAGE
from tests.demo_runs import SLUGS, demo_run
from tests.trajectory.made import call, event, message, output, result, shell

from .test_accounting import build, full_state, hostile_runs, lists, metrics, stats, status


def spent_by(accounts: Accounts) -> Spending:
    return spending(accounts.trajectory, accounts)


@pytest.mark.parametrize("slug", SLUGS)
def test_the_parts_come_to_the_active_time(slug: str) -> None:
    """Each second is counted once, whoever was at work."""
    spent = spent_by(Accounts(demo_run(slug)))
    parts = spent.model + sum(span for _, span in spent.tools) + spent.rest
    assert parts == pytest.approx(spent.active)
    assert spent.rest <= 0.1 * spent.active + 3, "hardly any time is nobody's"


def test_a_parallel_group_is_not_counted_twice() -> None:
    accounts = build(
        message("m", "go", second=0),
        shell("a", second=2, llm_response_id="r"),
        shell("b", second=2, llm_response_id="r"),
        output("a", second=5),
        output("b", second=9),
    )
    spent = spent_by(accounts)
    assert (spent.model, spent.tools, spent.active) == (2, ((Family.TERMINAL, 7.0),), 9)


def test_a_call_that_waited_for_you_took_only_its_own_time() -> None:
    accounts = build(
        message("m", "go", second=0),
        shell("a", second=2),
        status("w", "waiting_for_confirmation", 2),
        status("r", "running", 42),
        output("a", second=45),
    )
    spent = spent_by(accounts)
    assert spent.waited == 40
    assert spent.tools == ((Family.TERMINAL, 3.0),)
    assert [(c.number, c.llm, c.ran) for c in spent.slowest] == [(2, 2, 3)]


def test_families_stand_by_time() -> None:
    view = {"kind": "FileEditorAction", "command": "view", "path": "/a"}
    accounts = build(
        call("a", view, tool="file_editor", second=1),
        result("a", {"kind": "FileEditorObservation"}, tool="file_editor", second=2),
        shell("b", second=3),
        output("b", second=8),
    )
    assert spent_by(accounts).tools == ((Family.TERMINAL, 5.0), (Family.READ, 1.0))


def test_the_slowest_and_the_dearest_of_the_week_dates_run() -> None:
    spent = spent_by(Accounts(demo_run("week-dates")))
    assert [c.number for c in spent.slowest[:3]] == [41, 23, 7]
    assert spent.slowest[0].what.startswith("$ for s in 1 2 3; do pytest")
    assert [c.number for c in spent.dearest[:2]] == [47, 2]
    assert spent.dearest[0].family is Family.CONDENSED
    assert len(spent.slowest) == len(spent.dearest) == MOST
    spans = [c.llm + c.ran for c in spent.slowest]
    assert spans == sorted(spans, reverse=True)
    prices = [c.spent.cost for c in spent.dearest]
    assert prices == sorted(prices, reverse=True)


def test_without_a_price_the_dearest_have_the_most_tokens() -> None:
    accounts = build(
        stats("s", 1, agent=metrics(0, 10, 5)),
        shell("a", second=1.1),
        stats("t", 2, agent=metrics(0, 90, 9)),
        shell("b", second=2.1),
    )
    spent = spent_by(accounts)
    assert not spent.priced
    assert [c.number for c in spent.dearest] == [2, 1]


def test_the_words_of_a_message_are_told() -> None:
    accounts = build(message("m", "go", second=0), message("a", "Done.", "agent", second=3))
    assert [c.what for c in spent_by(accounts).slowest] == ["agent wrote: Done."]


def test_many_usage_ids_are_told_in_sum() -> None:
    told = {f"delegate:{n:02}": metrics(n / 100, n, 1) for n in range(1, 31)}
    spent = spent_by(build(stats("s", 1, **told)))
    assert [name for name, _ in spent.usages[:2]] == ["delegate:30", "delegate:29"]
    assert len(spent.usages) == USAGES + 1
    name, rest = spent.usages[-1]
    assert (name, rest.prompt, rest.completion, rest.calls) == ("", 171, 18, 18)
    assert rest.cost == pytest.approx(1.71)


def test_names_of_usage_ids_are_foreign_text() -> None:
    key = "sk-ant-api03-" + "a1B2" * 12
    spent = spent_by(build(stats("s", 1, **{f"\x1b[31mred\n{key}": metrics(1.0, 5, 5)})))
    [(name, _)] = spent.usages
    assert "\x1b" not in name
    assert "\n" not in name
    assert key not in name
    assert not any(key in about for about in spent.other_about)


# the context


def grown(*prompts: int | None) -> Accounts:
    """A run with these tokens in its prompts; None is a condensation."""
    events: list[Event] = []
    calls: list[tuple[str, int, int, float | None, float | None]] = []
    for number, prompt in enumerate(prompts):
        if prompt is None:
            events.append(event("Condensation", f"e{number}", number))
        else:
            events.append(shell(f"e{number}", second=number))
            calls.append((f"answer-e{number}", prompt, 1, None, None))
    told = metrics(0.0, sum(p or 0 for p in prompts), len(calls), **lists(*calls))
    return build(*events, full_state("f", 59, agent=told))


def test_the_context_is_told_answer_by_answer_while_there_is_room() -> None:
    spent = spent_by(grown(10, 20, None, 5))
    assert context_fill(spent.prompts, 80) == ((10, 20, 0, 5), frozenset({2}))
    assert (spent.fullest, spent.last, spent.window) == (20, 5, 1000)


def test_a_column_tells_its_fullest_answer_and_keeps_condensations() -> None:
    prompts = spent_by(grown(10, 30, 20, None, 5, 8)).prompts
    assert context_fill(prompts, 3) == ((30, 20, 8), frozenset({1}))
    assert context_fill(prompts, 1) == ((30,), frozenset({0}))
    assert context_fill(prompts, 0) == ((), frozenset())
    assert context_fill(range(1, 8), 3) == ((3, 5, 7), frozenset())


def test_nothing_asked_is_nothing_spent() -> None:
    spent = spent_by(build())
    told = (spent.slowest, spent.dearest, spent.usages, spent.prompts, spent.tools)
    assert told == ((), (), (), (), ())
    assert (spent.active, spent.model, spent.rest, spent.total) == (0, 0, 0, NO_USAGE)


@given(hostile_runs(), st.integers(0, 9))
def test_no_run_breaks_it(events: list[Event], columns: int) -> None:
    accounts = build(*events)
    spent = spent_by(accounts)
    fill, condensed = context_fill(spent.prompts, columns)
    assert len(fill) == min(columns, len(spent.prompts))
    assert condensed <= set(range(columns))
    assert max(fill, default=0) == (spent.fullest if columns else 0)
    assert spent.model >= 0
    assert spent.rest >= 0
    assert all(span > 0 for _, span in spent.tools)
    for costly in (*spent.slowest, *spent.dearest):
        assert 1 <= costly.number <= len(accounts.trajectory)
        assert costly.llm >= 0
        assert costly.ran >= 0


def test_a_run_in_which_all_steps_stand_at_one_moment() -> None:
    trajectory = Trajectory()
    trajectory.extend([shell(f"e{n}", second=5) for n in range(20)])
    spent = spending(trajectory, Accounts(trajectory))
    assert (spent.active, spent.model, spent.slowest) == (0, 0, ())


def test_a_run_may_grow_and_be_numbered_anew_while_it_is_added_up() -> None:
    events = [e for n in range(400) for e in (shell(f"e{n}", second=5), output(f"e{n}", second=6))]
    early = [output(f"late{n}", second=7) for n in range(40)]
    trajectory = Trajectory(live=True)
    trajectory.extend([*events, *early])
    accounts = Accounts(trajectory)

    class Growing(Accounts):
        def ran(self, step: Step) -> float | None:
            if step.number == 200:
                trajectory.extend([shell(f"late{n}", second=6) for n in range(40)])
                accounts.update()
            return accounts.ran(step)

    spent = spending(trajectory, Growing(trajectory))
    assert spent.active >= 0
    assert len(trajectory) == 440
