"""Sums over runs: what is known of them, and what is not."""

from __future__ import annotations

from typing import Any

from oh_tui.batch.over_time import COST
from oh_tui.batch.run_stats import (
    GROUP_COLUMNS,
    GROUPINGS,
    Spread,
    Summand,
    grouped,
    listed_as,
    summand,
    summed,
)
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.table_rows import About, run_row

EMPTY = summand(run_row(Trajectory(), About()))


def row(**fields: Any) -> Summand:
    return EMPTY._replace(**fields)


def test_what_is_not_known_is_not_counted_as_nothing() -> None:
    rows = [row(cost=2.0, work_s=10.0), row(), row(cost=4.0, label="resolved")]
    group = summed((), rows)
    assert group.cost == Spread(2, 6.0, 3.0, 4.0)
    assert group.time == Spread(1, 10.0, 10.0, 10.0)
    assert (group.resolved, group.labelled, group.resolved_share) == (1, 1, 1.0)
    assert summed((), [row()]).cost == Spread(0, 0.0, None, None)
    assert summed((), [row()]).resolved_share is None
    assert summed((), [row(label="unlabelled")]).resolved_share is None


def test_a_sum_that_leaves_a_run_out_is_told_as_the_least() -> None:
    total = next(one for one in GROUP_COLUMNS if one.head == "total")
    for rows, words in (
        ([row(cost=2.0), row(cost=4.0)], "$6.00"),
        ([row(cost=2.0), row(), row(cost=4.0)], "$6.00+"),
        ([row(cost=2.0), row(cost=4.0, cost_is_partial=True)], "$6.00+"),
        ([row()], ""),
    ):
        group = summed((), rows)
        assert group.total_words == total.cell(group, None).text == words
        assert COST.cell([group], None).text == (words or "$0.00+")


def test_nine_in_ten_take_at_most_so_much() -> None:
    assert summed((), [row(steps=n) for n in range(1, 11)]).steps == Spread(10, 55, 5.5, 9)
    assert summed((), [row(steps=7)]).steps == Spread(1, 7, 7, 7)


def test_groups_by_two_names_and_in_order() -> None:
    rows = [
        row(model="a", repository="x", cost=1.0),
        row(model="b", repository="x", cost=9.0),
        row(model="a", repository="", verdict="error", loop_steps=4),
        row(model="b", repository="x"),
    ]
    assert [group.names for group in grouped(rows, ["model", "repo"])] == [
        ("b", "x"),
        ("a", ""),
        ("a", "x"),
    ]
    by_total = grouped(rows, ["model", "repo"], "total")
    assert [group.cost.total for group in by_total] == [9.0, 1.0, 0.0], "not known last"
    assert [group.names for group in grouped(rows, ["model"], "loops")] == [("a",), ("b",)]
    assert grouped([], ["model"]) == []


def test_causes_are_the_same_whatever_the_numbers() -> None:
    cause = GROUPINGS["cause"]
    assert cause(row(verdict="error", cause="hit its limit of 1,000 iterations")) == cause(
        row(verdict="error", cause="hit its limit of 30 iterations")
    )
    assert cause(row(verdict="finished", cause="All done.")) == "finished"


def test_a_run_counts_as_what_the_list_says_of_it() -> None:
    saved = row(verdict="saved", cause="Saved while step 4 was running")
    assert GROUPINGS["cause"](listed_as(saved, "error")) == "error", "not with another's reason"
    assert listed_as(saved, "") is saved, "the list does not know it"
    error = row(verdict="error", cause="hit its limit")
    assert GROUPINGS["cause"](listed_as(error, "error")) == "error: hit its limit"


def test_the_most_common_last_error() -> None:
    group = summed((), [row(last_error="a"), row(last_error="b"), row(last_error="b"), row()])
    assert (group.last_error, group.last_errors, group.error_words) == ("b", 2, "2x b")
    group = summed((), [row(last_error="a"), row(last_error="b")])
    assert (group.last_error, group.last_errors, group.error_words) == ("", 0, "")


def test_resolved_is_told_with_those_that_it_is_counted_among() -> None:
    labels = ["resolved"] * 5 + ["unresolved", "error"] + ["unlabelled"] * 3 + [""] * 50
    group = summed((), [row(label=label) for label in labels])
    assert (group.resolved_words, group.runs) == ("5 of 7", 60)
    assert summed((), [row()]).resolved_words == ""


def test_churn_is_the_share_of_what_was_written_in_the_runs_that_tell_it() -> None:
    rows = [
        row(lines_written=10, lines_removed_later=1),
        row(),
        row(lines_written=30, lines_removed_later=9),
        row(lines_written=0, lines_removed_later=0),
    ]
    churn = next(one for one in GROUP_COLUMNS if one.head == "churn")
    assert summed((), rows).churn == (3, 40, 10)
    assert churn.cell(summed((), rows), None).text == "25%"
    assert summed((), [row()]).churn == (0, 0, 0)
    assert churn.cell(summed((), [row()]), None).text == ""
