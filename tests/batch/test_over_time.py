"""Sums by day and week: equal to a plain count, in local time, with gaps where nothing is known."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta

import pytest

from oh_tui.batch.over_time import (
    COST,
    LEAST,
    MEASURES,
    MOST_ROWS,
    PERIODS,
    Trend,
    beside,
    counted_part,
    draw,
    table_of,
)
from oh_tui.batch.run_stats import Summand, grouped, summed, week_name
from oh_tui.catalog.conversation_query import parse
from oh_tui.catalog.range_before import time_range
from oh_tui.text.human import columns, sparkline
from oh_tui.trajectory.glyphs import ASCII, UNICODE
from tests.batch.test_sums import row

LABELS = ("resolved", "unresolved", "error", "unlabelled", "")
VERDICTS = ("finished", "error", "stuck", "stopped", "")


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def on(text: str, **fields: object) -> Summand:
    """A run that began at this local time."""
    return row(began=at(text), knows_zone=True, **fields)


def some_runs(seed: int, count: int = 300) -> list[Summand]:
    """Runs of half a year, in no order, of which now and then something is not known."""
    chance = random.Random(seed)
    start = at("2026-01-15T12:00")
    return [
        row(
            began=None if chance.random() < 0.05 else start + chance.uniform(0, 180 * 86_400),
            knows_zone=chance.random() < 0.8,
            cost=None if chance.random() < 0.2 else chance.uniform(0, 3),
            label=chance.choice(LABELS),
            verdict=chance.choice(VERDICTS),
            errors=chance.randint(0, 3),
            failed_commands=chance.randint(0, 3),
            rejected=chance.randint(0, 1),
        )
        for _ in range(count)
    ]


def plain_name(kind: str, one: Summand) -> str:
    if one.began is None:
        return ""
    when = datetime.fromtimestamp(one.began, None if one.knows_zone else UTC)
    return when.strftime("%Y-%m-%d" if kind == "day" else "%G-W%V")


def trend_of(kind: str, rows: list[Summand]) -> Trend:
    trend = table_of(rows, [kind]).trend
    assert trend
    return trend


@pytest.mark.parametrize("kind", ["day", "week"])
@pytest.mark.parametrize("seed", range(4))
def test_sums_equal_a_plain_count(kind: str, seed: int, zone: str) -> None:
    rows = some_runs(seed)
    plain: dict[str, list[Summand]] = defaultdict(list)
    for one in rows:
        plain[plain_name(kind, one)].append(one)
    groups, trend = table_of(rows, [kind])
    assert sum(group.runs for group in groups) == len(rows)
    for group in groups:
        of_it = plain.get(group.names[0], [])
        costs = [one.cost for one in of_it if one.cost is not None]
        assert group.runs == len(of_it)
        assert (group.cost.known, group.cost.total) == (len(costs), math.fsum(costs))
        assert group.finished == sum(one.verdict == "finished" for one in of_it)
        assert group.failed == sum(one.verdict in ("error", "stuck") for one in of_it)
        assert group.resolved == sum(one.label == "resolved" for one in of_it)
        assert group.labelled == sum(one.label in LABELS[:3] for one in of_it)
        steps = sum(one.errors + one.failed_commands + one.rejected for one in of_it)
        assert group.failed_steps == steps
    names = [group.names[0] for group in groups]
    assert set(plain) <= set(names) and names == sorted(names)
    assert trend and trend.no_time == len(plain[""])
    assert trend.without_runs == sum(not group.runs for group in groups)
    chance = random.Random(seed)
    assert table_of(chance.sample(rows, len(rows)), [kind]) == (groups, trend), "in any order"


@pytest.mark.parametrize("kind", ["day", "week"])
@pytest.mark.parametrize("room", [1, 2, 7, 50, 1000])
def test_blocks_of_several_periods_sum_to_the_same(kind: str, room: int) -> None:
    rows = [one for one in some_runs(9) if one.began is not None]
    trend, total = trend_of(kind, rows), summed((), rows)
    runs, _, _, failed = (trend.values(measure, room) for measure in MEASURES)
    costs = trend.values(COST, room)
    assert len(runs) == len(costs) == -(-trend.length // trend.each(room)) <= room
    assert sum(value or 0 for value in runs) == total.runs
    assert sum(value or 0 for value in failed) == total.failed
    assert math.fsum(value or 0 for value in costs) == pytest.approx(total.cost.total)


def test_periods_are_numbered_without_gaps() -> None:
    for first, days in ((date(1, 1, 1), 800), (date(2019, 12, 1), 800), (date(9998, 1, 1), 729)):
        for day in (first + timedelta(days=n) for n in range(days)):
            for kind, name in (("day", day.isoformat()), ("week", week_name(day))):
                period = PERIODS[kind]
                assert period.name(period.number(name)) == name
            number = PERIODS["week"].number
            monday = day.weekday() == 0
            if day != first:
                before = number(week_name(day - timedelta(days=1)))
                assert number(week_name(day)) == before + monday
    assert week_name(date(2026, 1, 1)) == "2026-W01" and week_name(date(2027, 1, 1)) == "2026-W53"


def test_a_run_over_midnight_counts_where_it_began(in_new_york: str) -> None:
    rows = [on("2026-11-29T23:59:59", work_s=7200.0), on("2026-11-30T00:00")]
    assert [group.names[0] for group in grouped(rows, ["day"], "name")] == [
        "2026-11-29",
        "2026-11-30",
    ]
    weeks = table_of(rows, ["week"]).groups
    assert [(group.names[0], group.runs) for group in weeks] == [("2026-W48", 1), ("2026-W49", 1)]


def test_days_of_23_and_25_hours_are_days(in_new_york: str) -> None:
    """Summer time begins on 8 March 2026 and ends on 1 November."""
    for sunday, hours in (("2026-03-08", 23), ("2026-11-01", 25)):
        start = at(f"{sunday}T00:00")
        rows = [
            row(began=start + seconds, knows_zone=True)
            for seconds in (-1, 0, hours * 3600 - 1, hours * 3600)
        ]
        groups, trend = table_of(rows, ["day"])
        assert [group.runs for group in groups] == [1, 2, 1]
        assert trend and trend.without_runs == 0


def test_where_the_zone_is_not_known_the_written_day_counts(zone: str) -> None:
    written = datetime(2026, 11, 29, 23, 30, tzinfo=UTC).timestamp()
    one = row(began=written, knows_zone=False)
    assert table_of([one], ["day"]).groups[0].names == ("2026-11-29",)


def test_periods_without_a_run_have_a_row_only_in_their_order() -> None:
    rows = [on("2026-11-02T09:00", cost=1.0), on("2026-11-16T09:00", cost=2.0), row()]
    groups, trend = table_of(rows, ["week"])
    assert [(group.names[0], group.runs) for group in groups] == [
        ("", 1),
        ("2026-W45", 1),
        ("2026-W46", 0),
        ("2026-W47", 1),
    ]
    assert trend and trend.facts == [
        "2026-W45 to 2026-W47",
        "1 week without a run",
        "1 run without a time",
    ]
    assert [group.names[0] for group in table_of(rows, ["week"], "total").groups] == [
        "2026-W47",
        "2026-W45",
        "",
    ]
    assert table_of(rows, ["week", "model"]).trend is None
    assert table_of([row()], ["day"]).trend is None
    assert table_of([], ["day"]) == ([], None)


def test_one_wrong_clock_makes_no_million_rows() -> None:
    rows = [on("1971-01-01T09:00"), on("2026-11-16T09:00"), on("9998-01-01T09:00")]
    groups, trend = table_of(rows, ["day"])
    assert len(groups) == 3 and trend and trend.length > MOST_ROWS
    assert "2,931,800 days without a run, not listed" in trend.facts
    assert len(trend.values(COST, 40)) <= 40
    beyond = [row(began=value, knows_zone=True) for value in (1e300, -1e300, 1e18)]
    assert [group.names for group in table_of(beyond, ["week"]).groups] == [("",)]


def test_a_clock_that_goes_back_moves_no_other_run() -> None:
    rows = [on("2026-11-16T09:00"), on("2026-11-14T09:00"), on("2026-11-16T08:00")]
    assert [group.runs for group in table_of(rows, ["day"]).groups] == [1, 0, 2]


def test_what_is_not_known_is_a_gap_and_0_the_lowest_block() -> None:
    levels = UNICODE.levels
    assert sparkline([0, None, 1, 4], levels) == "▁ ▃█"
    assert sparkline([0.001, 4], levels) == "▂█", "little is not nothing"
    assert sparkline([0, 0, None], levels) == "▁▁ " and sparkline([], levels) == ""
    assert sparkline([0.5, 1], levels, 1.0) == "▅█" and sparkline([0.5], levels, 1.0) == "▅"
    assert sparkline([0, 1, None, 4], ASCII.levels) == ".- #"


def test_the_lines_are_aligned_and_tell_least_most_and_last() -> None:
    rows = [
        on("2026-11-02T09:00", cost=1.0, verdict="finished", label="resolved"),
        on("2026-11-02T10:00", cost=1.5, verdict="error", label="unresolved"),
        on("2026-11-03T09:00", cost=None, verdict=""),
        on("2026-11-05T09:00", cost=0.25, cost_is_partial=True, verdict="finished"),
    ]
    lines, facts = draw(trend_of("day", rows), 80, UNICODE.levels)
    assert ["".join(line) for line in lines] == [
        "runs      █▅▁▅  least     0  most     2  last         1",
        "resolved  ▅     least   50%  most   50%  last not known",
        "cost      █ ▁▂  least $0.00  most $2.50  last    $0.25+",
        "failed    █ ▁▁  least     0  most     1  last         0",
    ]
    assert facts == ["2026-11-02 to 2026-11-05", "1 day without a run"]


@pytest.mark.parametrize("room", [72, 80, 120, 160])
def test_the_lines_fit_and_say_how_many_periods_are_a_block(room: int) -> None:
    trend = trend_of("day", some_runs(2))
    lines, facts = draw(trend, room, ASCII.levels)
    assert len(lines) == 4 and {len("".join(line)) for line in lines} == {len("".join(lines[0]))}
    assert len("".join(lines[0])) <= room and "".join(map("".join, lines)).isascii()
    assert any(fact.endswith(" days a block") for fact in facts) is (
        room < 160 or trend.length > 110
    )
    narrow, _ = draw(trend, 10, ASCII.levels)
    assert 1 <= len(narrow[0].blocks) <= LEAST


def test_a_range_and_the_one_before() -> None:
    now = summed((), [row(cost=0.5, label="resolved", verdict="finished"), row(cost=1.0)])
    was = summed((), [row(cost=0.25, verdict="error")])
    assert beside(now, was) == [
        ("runs", "2", "1"),
        ("cost a run", "$0.75", "$0.25"),
        ("resolved", "100%", "not known"),
        ("failed", "0%", "100%"),
    ]
    assert [name for name, *_ in beside(summed((), [row()]), summed((), [row()]))] == [
        "runs",
        "failed",
    ]


@pytest.mark.parametrize(
    ("kind", "name", "words", "told"),
    [
        ("week", "2026-W48", "", "so far"),
        ("week", "2026-W47", "", ""),
        ("week", "2026-W47", "after:2026-11-16", ""),
        ("week", "2026-W47", "after:2026-11-17", "from 17 Nov"),
        ("week", "2026-W47", "-before:2026-11-17", "from 17 Nov"),
        ("week", "2026-W46", "after:2026-11-17", "in part"),
        ("week", "2026-W47", "before:2026-11-23", ""),
        ("week", "2026-W47", "before:2026-11-22", "before 22 Nov"),
        ("week", "2026-W48", "after:2026-11-24", "from 24 Nov so far"),
        ("day", "2026-11-27", "after:2d", "from 20:00"),
        ("day", "2026-11-28", "after:2d", ""),
        ("day", "2026-11-29", "after:2d", "so far"),
        ("day", "2026-11-28", "before:2026-11-28T09:30", "before 09:30"),
        ("day", "9999-12-31", "", "so far"),
        ("day", "0001-01-01", "", ""),
        ("week", "", "after:2d", ""),
        ("model", "2026-11-27", "after:2d", ""),
    ],
)
def test_a_period_that_the_range_cuts_says_what_is_left(
    kind: str, name: str, words: str, told: str
) -> None:
    now = at("2026-11-29T20:00")
    assert counted_part(kind, name, time_range(parse(words), now)) == told


def test_columns_are_as_high_as_their_values() -> None:
    levels = "▁▂▃▄▅▆▇█"
    assert columns([4.0, 2.0, None, 0.0, 1.0], levels, 2) == ["█▁   ", "██ ▁▅"]
    assert columns([4.0, 0.0001], levels, 3) == ["█ ", "█ ", "█▂"], "little is not nothing"
    assert columns([None], levels, 2) == [" ", " "] and columns([], levels, 1) == [""]
    values = [1.0, 8.0, None, 0.0, 3.0]
    assert columns(values, levels, 1) == [sparkline(values, levels)] == ["▂█ ▁▄"]
