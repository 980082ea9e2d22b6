"""Tokens, cost and time from outside the events: the agent server's record, base_state.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.formats.zip.archive import open_archive
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import build as trajectory_of
from oh_tui.trajectory.model.usage import NO_USAGE
from oh_tui.trajectory.model.usage_stats import stats_text, unnamed_text
from tests.trajectory.costs.test_accounting import (
    assert_same,
    assert_sums,
    costs,
    full_state,
    hostile_metrics,
    hostile_runs,
    lists,
    metrics,
    stats,
)
from tests.trajectory.made import event, message, output, shell, used

A = ("answer-a", 100, 10, 0.25, 1.5)
B = ("answer-b", 200, 20, 0.5, 2.25)
TITLE = ("title", 30, 3, 0.01, 0.75)


def record(*answers: tuple[str, int, int, float | None, float | None], **more: Any) -> bytes:
    """The text of a record whose agent gave these answers, whose sums are theirs."""
    agent = metrics(
        sum(cost or 0.0 for *_, cost, _ in answers),
        sum(answer[1] for answer in answers),
        sum(answer[2] for answer in answers),
        **lists(*answers),
    )
    return stats_text({"usage_to_metrics": {"agent": agent | more}})


def accounts_of(events: list[Event], told: bytes, **options: Any) -> Accounts:
    return Accounts(trajectory_of(events, stats=told, **options))


CALLS = [message("m", "go"), shell("a", second=2), output("a", second=3), shell("b", second=6)]


def test_events_without_stats_are_charged_by_the_record() -> None:
    """As written by agent server 1.17.0 and the CLI 1.16.0: no event reports tokens."""
    accounts = accounts_of(CALLS, record(TITLE, A, B))
    _, first, second = accounts.trajectory.steps
    assert accounts.of(first) == used(llm=1.5, cost=0.25, prompt=100, completion=10, calls=1)
    assert accounts.of(second) == used(llm=2.25, cost=0.5, prompt=200, completion=20, calls=1)
    assert accounts.total == used(llm=4.5, cost=0.76, prompt=330, completion=33, calls=3)
    assert accounts.other_about == ("1 call without a step",)
    assert accounts.priced
    assert accounts.context == [(2, 100), (3, 200)]
    assert_sums(accounts)


def test_updates_that_come_late_or_merged_take_nothing_from_the_record() -> None:
    """As in 1.58.2: one update covers two answers, another repeats the previous sums (measured)."""
    events = [
        *CALLS[:3],
        stats("s", 3.1, agent=metrics(0.76, 330, 33)),
        stats("t", 3.2, agent=metrics(0.01, 30, 3)),
        CALLS[3],
        message("n", "done", source="agent", second=9, llm_response_id="answer-c"),
        stats("u", 9.5, agent=metrics(1.76, 730, 73)),
    ]
    by_time = accounts_of(events, b"")
    assert costs(by_time) == [None, None, 0.76, None]
    assert by_time.other_about == ("1 call without a step",)
    accounts = accounts_of(events, record(TITLE, A, B, ("answer-c", 400, 40, 1.0, 3.0)))
    assert costs(accounts) == [None, 0.25, 0.5, 1.0]
    assert accounts.total == used(llm=7.5, cost=1.76, prompt=730, completion=73, calls=4)
    assert accounts.other_about == ("1 call without a step",)
    assert_sums(accounts)


def test_what_came_after_the_record_is_charged_by_time() -> None:
    events = [
        stats("s", 1.9, agent=metrics(0.25, 100, 10)),
        *CALLS[1:3],
        stats("t", 5.9, agent=metrics(0.75, 300, 30)),
        CALLS[3],
    ]
    accounts = accounts_of(events, record(A))
    assert costs(accounts) == [0.25, 0.5]
    assert accounts.total == used(llm=1.5, cost=0.75, prompt=300, completion=30, calls=2)
    assert accounts.other == NO_USAGE
    assert accounts.other_about == ()


def test_a_record_that_comes_later_charges_the_steps_anew() -> None:
    trajectory = trajectory_of([stats("s", 5.9, agent=metrics(0.75, 300, 30)), *CALLS], live=True)
    accounts = Accounts(trajectory)
    assert costs(accounts) == [None, None, 0.75]
    trajectory.stats = record(A, B)
    accounts.update()
    assert costs(accounts) == [None, 0.25, 0.5]
    assert accounts.take_changed() == 2, "the first step with another time of the model"
    assert_same(accounts, Accounts(trajectory))
    trajectory.extend([message("n", "so", source="agent", second=9, llm_response_id="answer-c")])
    trajectory.stats = record(A, B, ("answer-c", 400, 40, 1.0, 3.0))
    accounts.update()
    assert costs(accounts) == [None, 0.25, 0.5, 1.0]
    assert_same(accounts, Accounts(trajectory))


def test_the_record_goes_before_full_states_that_lack_something() -> None:
    """A full state written during an answer has one more cost than token counts."""
    half = metrics(0.75, 100, 10, **lists(A))
    half["costs"].append({"cost": 0.5})
    accounts = accounts_of([*CALLS, full_state("f", 5, agent=half)], record(A, B))
    assert costs(accounts) == [None, 0.25, 0.5]
    assert accounts.other == NO_USAGE
    assert accounts.other_about == ()


@pytest.mark.parametrize("nothing", [None, {}, {"usage_to_metrics": {}}, {"usage_to_metrics": 3}])
def test_a_record_that_tells_nothing_is_passed_over(nothing: Any) -> None:
    """Such as the record of a fork, whose events belong to another run."""
    assert stats_text(nothing) == b""
    events = [stats("s", 1.9, agent=metrics(0.25, 100, 10)), *CALLS]
    assert accounts_of(events, stats_text(nothing)).total.cost == 0.25


def test_the_time_of_answers_without_tokens_counts() -> None:
    """A model without token counts still has latencies (source: SDK telemetry)."""
    agent = metrics(0.0, 0, 0, **lists(A, B))
    agent["token_usages"] = []
    accounts = accounts_of(CALLS, stats_text({"usage_to_metrics": {"agent": agent}}))
    assert [accounts.llm(step) for step in accounts.trajectory.steps] == [None, 1.5, 2.25]
    assert accounts.total == used(llm=3.75, calls=2)
    assert not accounts.priced


def test_answers_without_an_id_are_in_the_sums() -> None:
    accounts = accounts_of(CALLS, record(A, ("", 200, 20, 0.5, 2.25), ("", 5, 5, 0.25, 0.25)))
    assert costs(accounts) == [None, 0.25, None]
    assert accounts.total == used(llm=4.0, cost=1.0, prompt=305, completion=35, calls=3)
    assert accounts.other_about == (
        "2 calls without a step",
        "the total is higher than the sum of its calls",
    )
    assert_sums(accounts)


def test_a_kind_that_is_not_known_is_charged_when_it_names_its_answer() -> None:
    new = event("PlanEvent", "p", 4, source="agent", llm_response_id="answer-b")
    accounts = accounts_of([*CALLS[:3], new], record(A, B))
    assert costs(accounts) == [None, 0.25, 0.5]


def test_a_part_of_a_run_is_charged_by_the_record_too() -> None:
    events = [stats("s", 5.9, agent=metrics(0.75, 300, 30)), CALLS[3]]
    accounts = accounts_of(events, record(A, B), complete=False)
    assert costs(accounts) == [0.5]
    assert accounts.other == used(llm=1.5, cost=0.25, prompt=100, completion=10, calls=1)
    assert accounts.other_about == ("1 call without a step here",)


def test_of_a_usage_without_a_price_beside_one_with_it_that_is_said() -> None:
    told = {"agent": metrics(0.25, 100, 10, **lists(A)), "condenser": metrics(0.0, 50, 5)}
    accounts = accounts_of(CALLS, stats_text({"usage_to_metrics": told}))
    assert accounts.priced
    assert "no price is known for condenser" in accounts.other_about


def test_the_sums_of_the_app_server_are_the_least_that_was_spent() -> None:
    """They are those of the agent, sometimes without the last answer, or of all (measured)."""
    usage = {"prompt_tokens": 300, "completion_tokens": 30}
    accounts = accounts_of(CALLS, unnamed_text(0.75, usage))
    assert accounts.total == accounts.other == used(cost=0.75, prompt=300, completion=30)
    assert accounts.other_about == ("its record has more, perhaps of the agent alone",)
    assert accounts.is_partial
    updates = [
        stats("s", 1.9, agent=metrics(0.25, 100, 10)),
        stats("t", 5.9, agent=metrics(0.75, 300, 30), condenser=metrics(0.25, 50, 5)),
    ]
    accounts = accounts_of([*updates, *CALLS], unnamed_text(0.25, {"prompt_tokens": 100}))
    assert accounts.total.cost == 1.0
    assert not accounts.is_partial
    assert costs(accounts) == [None, 0.25, 0.5]
    assert unnamed_text(0.0, {"prompt_tokens": 0}) == unnamed_text(None, None) == b""


@pytest.mark.parametrize(
    ("cost", "prompt", "total", "is_partial"),
    [
        (0.75, 300, 1.0, False),  # of the agent
        (1.0, 350, 1.0, False),  # of all usages
        (1.0000000001, 350, 1.0, False),  # as floats add up
        (1.25, 450, 1.25, True),  # with one answer more, whoever gave it
    ],
)
def test_what_a_record_has_of_the_usages_of_the_events_is_not_added(
    cost: float, prompt: int, total: float, is_partial: bool
) -> None:
    told = {"agent": metrics(0.75, 300, 30), "condenser": metrics(0.25, 50, 5)}
    text = unnamed_text(cost, {"prompt_tokens": prompt, "completion_tokens": 35})
    accounts = accounts_of([stats("s", 1.9, **told), *CALLS], text)
    assert accounts.total.cost == total
    assert sum(one.cost for one in accounts.usages.values()) == total
    assert accounts.is_partial is is_partial


def test_a_cost_without_tokens_is_explained_too() -> None:
    accounts = accounts_of([], stats_text({"usage_to_metrics": {"title": {"accumulated_cost": 1}}}))
    assert accounts.other == used(cost=1.0)
    assert accounts.other_about == ("the total is higher than the sum of its calls",)


@given(st.data(), hostile_runs(), st.integers(1, 15), st.booleans())
def test_whatever_the_record_tells_the_sums_agree(
    data: st.DataObject, events: list[Event], size: int, complete: bool
) -> None:
    trajectory = trajectory_of((), complete=complete)
    accounts = Accounts(trajectory)
    for start in range(0, len(events) + 1, size):
        told = {name: data.draw(hostile_metrics()) for name in ("agent", "title")}
        trajectory.extend(events[start : start + size])
        trajectory.stats = stats_text(data.draw(st.sampled_from([{"usage_to_metrics": told}, {}])))
        accounts.update()
        assert_sums(accounts)
    if accounts.other != NO_USAGE:
        assert accounts.other_about, "what is in no step is explained"


# files


def kept_run(folder: Path, base: dict[str, Any], **meta: Any) -> Path:
    """A folder as the agent server and the CLI keep a run."""
    (folder / "events").mkdir(parents=True)
    for number, one in enumerate(CALLS):
        name = f"event-{number:05}-{one.id}.json"
        (folder / "events" / name).write_bytes(one.raw())
    (folder / "base_state.json").write_text(json.dumps(base))
    if meta:
        (folder / "meta.json").write_text(json.dumps(meta))
    return folder


def test_a_folder_tells_what_its_base_state_does(tmp_path: Path) -> None:
    base = {"stats": json.loads(record(TITLE, A, B)), "agent": {"llm": {"api_key": "sk-x"}}}
    archive = open_archive(kept_run(tmp_path / "run", base))
    accounts = accounts_of(list(archive.events()), archive.stats)
    assert costs(accounts) == [None, 0.25, 0.5]
    assert accounts.total == used(llm=4.5, cost=0.76, prompt=330, completion=33, calls=3)


def test_a_base_state_without_usage_leaves_it_to_the_metrics_of_meta_json(tmp_path: Path) -> None:
    usage = {"prompt_tokens": 300, "completion_tokens": 30}
    told = {"accumulated_cost": 0.75, "accumulated_token_usage": usage}
    archive = open_archive(kept_run(tmp_path / "run", {"stats": {}, "id": "x"}, metrics=told))
    assert accounts_of(list(archive.events()), archive.stats).total.cost == 0.75
    archive = open_archive(kept_run(tmp_path / "other", {"stats": {}}, metrics="none"))
    assert archive.stats == b""
