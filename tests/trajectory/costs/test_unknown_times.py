"""A time that no clock measured is not known: it is never told as 0."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.catalog.conversation_order import took
from oh_tui.conversation import Conversation
from oh_tui.documents.run import phases_json, step_json, totals_json
from oh_tui.text.human import duration, tenths
from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.costs.spending import spending
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.branches import shown
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.trajectory import ALL, Trajectory
from oh_tui.trajectory.table_rows import rows_of
from tests.trajectory import forked
from tests.trajectory.context.made import condensation, said, user
from tests.trajectory.made import BEGAN, call, event, result

SHELL = {"kind": "TerminalAction", "command": "ls"}


def study(*events: Event) -> Study:
    run = Trajectory()
    run.extend(events)
    return Study(run)


def times(of: Study) -> list[Any]:
    """All that is told of time."""
    totals = totals_json(of)
    steps = [step_json(of, step) for step in of.trajectory.steps]
    tables = rows_of(of)
    found = [totals["work_s"], totals["llm_s"], *(one["seconds"] for one in phases_json(of))]
    found += [one[name] for one in steps for name in ("llm_s", "ran_s")]
    found += [tables.runs[0].work_s, *(t for row in tables.steps for t in (row.llm_s, row.ran_s))]
    found += [row.ran_s for row in tables.calls]
    return found


def test_one_clock_for_all_events_tells_no_time() -> None:
    one = study(
        user("u"), call("a", SHELL), result("a", {"exit_code": 0}, second=0), said("b"),
        condensation("c", "u"), call("d", SHELL), result("d", {}, second=0),
    )  # fmt: skip
    assert times(one) == [None] * len(times(one))
    assert totals_json(one)["waited_s"] is None
    spent = spending(one.trajectory, one.accounts)
    assert (spent.active, spent.slowest, spent.tools) == (0.0, (), ())


def test_one_event_took_no_time_that_is_known() -> None:
    assert study(user("u")).accounts.worked is None
    assert study(call("a", SHELL)).accounts.worked is None
    assert study().accounts.worked is None


def test_a_result_before_its_call_did_not_run_for_no_time() -> None:
    one = study(user("u"), call("a", SHELL, second=9), result("a", {}, second=4))
    (step,) = [step for step in one.trajectory.steps if step.is_call]
    assert one.accounts.ran(step) is None and step.ran() is None
    assert one.accounts.is_odd(step)
    assert step_json(one, step)["marks"] == ["clock went back"]


def test_what_took_a_moment_is_told() -> None:
    one = study(user("u"), call("a", SHELL, second=1), result("a", {}, second=1.02))
    step = one.trajectory.steps[1]
    assert one.accounts.ran(step) == pytest.approx(0.02)
    assert duration(0.02) == "<0.1 s" and tenths(0.02) == ""


@pytest.mark.parametrize(("later", "span"), [("00.260", 0.26), ("00.000", None), ("07.000", 7.0)])
def test_a_run_in_a_file_may_have_taken_less_than_a_second(later: str, span: float | None) -> None:
    one = Conversation("a", home="a", created_at=f"{BEGAN}00.000Z", updated_at=f"{BEGAN}{later}Z")
    assert took(one) == (span and pytest.approx(span))
    reset = Conversation("a", created_at=f"{BEGAN}00.000Z", updated_at=f"{BEGAN}00.260Z")
    assert took(reset) is None, "the server sets both anew"


SECONDS = st.one_of(st.none(), st.sampled_from([0, 1, 1, 2, 5, 30]), st.floats(0, 59))
PARTS = st.lists(st.tuples(st.sampled_from("uacs"), SECONDS, SECONDS), max_size=12)


@given(PARTS)
def test_whatever_the_clocks_say_no_time_is_0(parts: list[tuple[str, float | None, float]]) -> None:
    events: list[Event] = []
    for place, (kind, at, later) in enumerate(parts):
        name = f"{kind}{place}"
        when: dict[str, Any] = {"timestamp": None} if at is None else {"second": round(at, 3)}
        then: dict[str, Any] = {"timestamp": None} if later is None else {"second": round(later, 3)}
        if kind == "u":
            events.append(user(name, **when))
        elif kind == "c":
            events.append(condensation(name, **when))
        elif kind == "s":
            state = "ConversationStateUpdateEvent"
            status = ("idle", "running", "finished", "paused")[place % 4]
            events.append(event(state, name, key="execution_status", value=status, **when))
        else:
            events += [call(name, SHELL, **when), result(name, {"exit_code": 0}, **then)]
    one = study(*events)
    assert all(time is None or time > 0 for time in times(one)), times(one)
    stamps = [stamp for one in events if (stamp := one.seconds()) is not None]
    assert (one.accounts.worked or 0) <= max(stamps, default=0) - min(stamps, default=0) + 1e-6


@pytest.mark.parametrize("early", [True, False], ids=["idle before it", "idle after it"])
@pytest.mark.parametrize("kind", ["ObservationEvent", "MessageEvent"])
def test_the_gap_before_a_message_on_a_branch_is_no_work(kind: str, early: bool) -> None:
    run = forked.Conversation(1, "a run").ask("one", 2).wait(60).ask("two")
    follow(run, 0, "__root__")
    back = [one["id"] for one in run.events if one["kind"] == kind][1]
    place = len(run.events)
    run.wait(600)
    if early:
        run.state("idle")
    run.ask("three")
    follow(run, place, back)
    whole = Trajectory(clock="+00:00")
    whole.extend(parse_event(one) for one in run.texts())
    every = Accounts(shown(whole, ALL))
    branch = Accounts(shown(whole), every)
    assert whole.branch and whole.branch.count == 2
    assert every.worked == 26.0 and every.waited == 660.0
    # 5 or 10 s of the first turn, or all 12 s of it, and 7 s of the third
    assert branch.worked == {"ObservationEvent": 10.0, "MessageEvent": 12.0}[kind] + 7.0
    assert branch.waited == 600.0, "since the other branch ended"


def follow(run: forked.Conversation, first: int, parent: str) -> None:
    for one in run.events[first:]:
        one["parent_id"] = parent
        if one["kind"] != "ConversationStateUpdateEvent":
            parent = one["id"]
