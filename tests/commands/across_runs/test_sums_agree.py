"""Every place tells the same cost and tokens of a run, or a part of them that is marked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.commands.conftest import IDS, Served, serve
from tests.commands.sums import Told, listed, odd, of_run, of_zip
from tests.processes import oh_tui

SOME = ("week-dates", "team", "crashed", "handbook", "untitled")
"""With a condenser, with a sub-conversation, without its last stats, without a price, without an
answer. `test_sums` looks at all."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def server() -> Iterator[Served]:
    with serve() as one:
        yield one


def asked(*words: str) -> Any:
    done = oh_tui(*words, "--json")
    assert done.returncode == 0, (words, done.stderr)
    return json.loads(done.stdout)


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("slug", SOME)
def test_all_that_is_told_of_a_run_of_the_demo_agrees(
    served: Served, slug: str, tmp_path: Path
) -> None:
    at, name = ("--server", served.url), IDS[slug]
    before = listed(*at)[name]
    told = [*of_run((*at, name), tmp_path), *of_zip((*at, name), tmp_path)]
    after = listed(*at)[name]
    assert odd([before, *told, after]) == []
    if after.cost:
        assert not after.is_partial and after.cost == pytest.approx(told[0].cost, abs=2e-6)


def test_the_record_of_a_server_is_the_least_that_a_run_took(server: Served) -> None:
    at = ("--server", server.url)
    row = listed(*at)[IDS["week-dates"]]
    assert (row.cost, row.is_partial) == (0.955573, True)
    assert "0.96+" in oh_tui(*at, "conversations").stdout
    assert "$1.12," in oh_tui(*at, "why", IDS["week-dates"]).stdout
    row = listed(*at)[IDS["week-dates"]]
    assert (row.cost, row.is_partial) == (1.119455, False)
    assert "$1.12\t" in oh_tui(*at, "conversations").stdout


def test_sums_over_many_say_how_many_are_known_in_part(server: Served) -> None:
    at = ("--server", server.url)
    rows = [one for id, one in listed(*at).items() if one.cost and id != IDS["acp"]]
    status = asked(*at, "status")
    assert status["estimates"] == 1
    assert status["cost"] == pytest.approx(sum(one.cost or 0.0 for one in rows))
    assert status["partial"] == sum(one.is_partial for one in rows) == status["priced"]
    asked("index", *at, "--yes")
    sums = asked("stats", *at)["total"]
    failed = (sums["endings"].get(word, 0) for word in ("error", "stuck"))
    assert sum(failed) == asked(*at, "status")["failed"] == 4, (
        "a sandbox that failed among them, as on the board"
    )
    sql = "select run, cost, cost_is_partial from runs where cost and not cost_is_estimate"
    lines = oh_tui("query", sql, "--json").stdout.splitlines()
    costs = [tuple(json.loads(line).values()) for line in lines]
    assert sums["cost"]["total"] == pytest.approx(sum(cost for _, cost, _ in costs), abs=1e-4)
    assert sums["cost_partial_runs"] == sum(bool(partial) for *_, partial in costs) == 0
    before = listed(*at)
    for run, cost, partial in costs:
        assert odd([before[run], Told("query", cost, None, bool(partial))]) == []


@pytest.mark.slow
def test_what_was_indexed_is_known_to_the_list(server: Served) -> None:
    """The sum of the index, until the record changes."""
    at = ("--server", server.url)
    asked("index", *at, "--yes")
    status = asked(*at, "status")
    assert status["priced"] > status["partial"]
    rows = listed(*at)
    assert (rows[IDS["week-dates"]].cost, rows[IDS["week-dates"]].is_partial) == (1.119455, False)
    for slug in ("team", "coverage", "handbook"):
        row, why = rows[IDS[slug]], asked(*at, "why", IDS[slug])["conversation"]
        assert not row.is_partial
        assert row.cost == (why["cost"] and pytest.approx(why["cost"], abs=2e-6))


def test_the_last_events_that_are_kept_tell_the_sum(server: Served, home: Path) -> None:
    at = ("--server", server.url)
    asked(*at, "why", IDS["coverage"])
    for file in (home / "state").rglob("*.json"):
        file.unlink()
    row = listed(*at)[IDS["coverage"]]
    assert not row.is_partial
    assert row.cost == pytest.approx(asked(*at, "why", IDS["coverage"])["conversation"]["cost"])


def test_an_agent_server_tells_all_at_once() -> None:
    with serve("agent") as server:
        at = ("--server", server.url)
        rows = listed(*at)
        assert not any(one.is_partial for one in rows.values())
        assert rows[IDS["week-dates"]].cost == 1.119455
        why = asked(*at, "why", IDS["week-dates"])["conversation"]
    assert (why["cost"], why["cost_is_partial"]) == (1.119455, False)
