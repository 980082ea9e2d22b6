"""Evaluation output as a source: what each row counts, costs and how it ended."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from oh_tui.sources import file_source
from oh_tui.sources.file_indexes import FileIndexes
from oh_tui.sources.file_rows import parts_apart
from oh_tui.sources.file_source import FileSource
from oh_tui.text.problem import Problem
from oh_tui.trajectory import table_rows
from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.findings.verdict import judge
from oh_tui.trajectory.formats import plain_file
from oh_tui.trajectory.formats.lines import json_lines, row_index
from oh_tui.trajectory.formats.table import open_runs
from tests.trajectory.evaluation_files import action, history, message, metrics, result, row, write

LIMITED = {"metadata": {"max_iterations": 3}}

RUNS = [
    (row("done", history(3, failed=[2]), metrics=metrics([0.25, 0.5, 0.125])), "finished"),
    (row("priceless", history(2), metrics=None), "finished"),
    (row("broken", history(2, finish=False), error="Timeout after 300 s\nTraceback"), "error"),
    (row("both", history(2), error="No patch"), "finished"),
    (row("no events"), ""),
    (row("unknown", history(2, finish=False)), ""),
    (row("limit", history(3, finish=False), **LIMITED), "error"),
    (row("open", [*history(1, finish=False), action(2)], metrics=metrics([1.0])), ""),
    (row("talks", [message("hi"), message("Done.", "agent")]), "finished"),
]


def told(one: dict[str, Any]) -> tuple[int, int, int, int, float | None, int | None]:
    """Events, calls, results, failed commands, dollars and tokens, counted by hand."""
    events = one["history"]
    results = [event for event in events if event["kind"] == "ObservationEvent"]
    failed = sum(bool(event["observation"]["exit_code"]) for event in results)
    calls = sum(event["kind"] == "ActionEvent" for event in events)
    paid = one["metrics"]
    cost = sum(each["cost"] for each in paid["costs"]) if paid else None
    used = paid["token_usages"] if paid else []
    tokens = sum(each["prompt_tokens"] + each["completion_tokens"] for each in used)
    return len(events), calls, len(results), failed, cost, tokens if paid else None


async def test_rows_count_cost_and_end_as_their_json_says(tmp_path: Path) -> None:
    source = FileSource([write(tmp_path / "output.jsonl", [one for one, _ in RUNS])])
    rows = (await source.newest()).items
    assert [row.id for row in rows] == [one["instance_id"] for one, _ in RUNS]
    for listed, (one, word) in zip(rows, RUNS, strict=True):
        run = source.runs.read(listed)
        counts, accounts = run.counts, Accounts(run)
        results = sum(step.result is not None for step in run.steps)
        events, calls, answers, failed, cost, tokens = told(one)
        assert (counts.events, counts.calls, results) == (events, calls, answers)
        assert counts.failed_commands == failed
        assert accounts.priced is (True if cost else False if len(run) > 1 else None)
        assert accounts.total.cost == pytest.approx(cost or 0.0)
        assert accounts.total.tokens == (tokens or 0)
        assert judge(run).word == word
        full = source.with_state(listed)
        assert (full.cost, full.tokens) == (cost, tokens or 0)
        assert full.execution_status == (word or None)
        assert full.llm_model == one["metadata"].get("llm", {}).get("model")
        assert full.title == one["instance_id"]
    await source.close()


def stats(**costs: float) -> dict[str, Any]:
    usages = {
        usage: {
            "accumulated_cost": cost,
            "accumulated_token_usage": {"prompt_tokens": int(400 * cost), "completion_tokens": 10},
        }
        for usage, cost in costs.items()
    }
    kind = "ConversationStateUpdateEvent"
    value = {"usage_to_metrics": usages}
    return {"id": f"s{sum(costs.values())}", "kind": kind, "source": "environment", "key": "stats",
            "timestamp": "2026-03-01T10:00:02.9", "value": value}  # fmt: skip


@pytest.mark.parametrize(
    ("told", "whole"),
    [
        ({"agent": 0.5, "condenser": 0.375}, 0.875),  # the row has both
        ({"agent": 0.875, "condenser": 0.25}, 1.125),  # the row has the agent alone
        ({"agent": 0.25}, 0.875),  # the row is later
        ({}, 0.875),
    ],
)
async def test_the_metrics_of_a_row_and_those_of_its_events_count_once(
    tmp_path: Path, told: dict[str, float], whole: float
) -> None:
    events = [*history(2, finish=False), stats(**told), *history(2)[5:]]
    one = row("a", events, metrics=metrics([0.25, 0.5, 0.125]))
    source = FileSource([write(tmp_path / "output.jsonl", [one])])
    (listed,) = (await source.newest()).items
    study = Study(source.runs.read(listed))
    assert study.accounts.total.cost == pytest.approx(whole)
    assert not study.accounts.is_partial
    full = source.with_state(listed)
    assert full.cost == pytest.approx(whole) and full.cost_is_partial is False
    assert table_rows.run_row(study.trajectory).cost == pytest.approx(whole)
    assert sum(one.picodollars for one in study.accounts.usages.values()) == pytest.approx(
        study.accounts.total.picodollars
    )


async def test_an_error_beside_the_events_and_a_limit_are_causes(tmp_path: Path) -> None:
    source = FileSource([write(tmp_path / "output.jsonl", [one for one, _ in RUNS])])
    rows = {row.id: row for row in (await source.newest()).items}
    causes = {name: judge(source.runs.read(rows[name])).cause for name in ("broken", "limit")}
    assert causes == {
        "broken": "Timeout after 300 s",
        "limit": "The run hit its limit of 3 iterations, so OpenHands stopped it.",
    }
    peeked = [await source.runs.peek(rows[name]) for name in ("broken", "limit")]
    assert [judge(run).word for run in peeked if run] == ["error", "error"]


async def test_a_status_in_the_events_wins(tmp_path: Path) -> None:
    state = {"id": "s", "kind": "ConversationStateUpdateEvent", "key": "execution_status"}
    one = row("stuck", [*history(3), {**state, "value": "stuck"}], error="x")
    two = row("failed", [*history(3), {**state, "value": "error"}], error="No space left")
    source = FileSource([write(tmp_path / "output.jsonl", [one, two])])
    verdicts = [judge(source.runs.read(row)) for row in (await source.newest()).items]
    assert verdicts[0].word == "stuck"
    assert (verdicts[1].word, verdicts[1].cause) == ("error", "No space left")


async def pages_of(source: FileSource) -> list[list[str]]:
    return [[row.id for row in page.items] async for page in source.pages()]


async def test_rows_come_in_pages_as_they_are_found(tmp_path: Path) -> None:
    names = [f"i-{n}" for n in range(1300)]
    source = FileSource([write(tmp_path / "output.jsonl", [row(name) for name in names])])
    pages = await pages_of(source)
    assert [len(page) for page in pages] == [100, 500, 500, 200]
    assert [*chain(*pages)] == names
    assert await source.count() == 1300
    assert [*chain(*await pages_of(source))] == names, "and once more"


async def test_a_slow_file_gives_short_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_source, "AT_LEAST", 0.0)
    source = FileSource([write(tmp_path / "output.jsonl", [row("a"), row("b"), row("c")])])
    first = await anext(source.pages())
    assert len(first.items) < 3
    assert first.next_page_id
    assert await source.count() is None, "not known yet"
    found = await source.get(["c", "b", "nosuch"])
    assert [one and one.id for one in found] == ["c", "b", None]


NAMED = [row("acme-1"), row("acme-12"), row("other-7"), row("acme-1", history(2))]


@pytest.mark.parametrize(
    ("wanted", "number"),
    [("acme-1", 1), ("acme-1@1", 1), ("acme-1@2", 4), ("other", 3), ("4", 4), ("acme-12", 2)],
)
async def test_a_run_is_named_by_id_start_or_number(
    tmp_path: Path, wanted: str, number: int
) -> None:
    path = write(tmp_path / "output.jsonl", NAMED)
    source = FileSource([path], wanted=[wanted])
    (listed,) = (await source.newest()).items
    assert source.runs.entries[listed.id].number == number
    (found,) = await FileSource([path]).get([wanted])
    assert found is not None
    assert found.id == listed.id


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("acme", "3 runs in .*/output.jsonl begin with acme"),
        ("x", "There is no run x in .*/output.jsonl"),
        ("5", "which has 4 runs"),
        ("0", "There is no run 0"),
    ],
)
async def test_a_run_that_is_not_there_or_not_alone_is_told(
    tmp_path: Path, wanted: str, told: str
) -> None:
    source = FileSource([write(tmp_path / "output.jsonl", NAMED)], wanted=[wanted])
    with pytest.raises(Problem, match=told):
        await source.newest()


@pytest.mark.parametrize(
    ("places", "apart"),
    [
        (["a/output.jsonl", "b/output.jsonl"], ["a", "b"]),
        (["a/x/output.jsonl", "b/x/output.jsonl", "c.jsonl"], ["a", "b", ""]),
        (["a/x/output.jsonl", "a/y/output.jsonl", "b/x/output.jsonl"], ["a/x", "a/y", "b/x"]),
        (["output.jsonl", "a/output.jsonl"], ["output.jsonl", "a"]),
        (["output.jsonl", "output.jsonl"], ["", ""]),
        (["one.jsonl", "two.jsonl"], ["", ""]),
    ],
)
def test_files_of_one_name_are_told_apart_by_what_differs(
    tmp_path: Path, places: list[str], apart: list[str]
) -> None:
    files = [tmp_path / place for place in places]
    told = parts_apart(files)
    assert [told.get(file, "") for file in files] == apart


async def test_rows_of_two_outputs_of_one_name_say_which(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        write(tmp_path / name / "output.jsonl", NAMED)
    rows = FileSource([tmp_path]).conversations()
    assert {row.apart for row in rows} == {"a", "b"}


async def test_the_same_instance_in_two_files_is_two_rows(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        write(tmp_path / name, [row("acme-1"), row("acme1")])
    rows = (await FileSource([tmp_path]).newest()).items
    a, b = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    assert [row.id for row in rows] == ["acme-1", f"{a}#acme1", f"{b}#acme-1", f"{b}#2"]


async def test_a_last_row_without_its_end_is_still_being_written(tmp_path: Path) -> None:
    path = write(tmp_path / "output.jsonl", [row("a")])
    path.write_bytes(path.read_bytes() + b'{"instance_id": "b", "hist')
    source = FileSource([path])
    assert [row.id for row in (await source.newest()).items] == ["a"]
    assert source.remarks == ["output.jsonl, row 2 is still being written"]
    assert not source.problems


class Reads:
    """Counts how often a file was read through."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        read = row_index.RowIndex.read
        monkeypatch.setattr(json_lines, "KEPT_FROM", 0)

        def counted(index: Any, file: Any) -> Any:
            self.count += 1
            return read(index, file)

        monkeypatch.setattr(row_index.RowIndex, "read", counted)


async def ids_of(path: Path, cache: Path) -> Sequence[str]:
    source = FileSource([path], indexes=FileIndexes(cache))
    rows = (await source.newest()).items
    assert all(len(source.runs.read(row).events) for row in rows)
    await source.close()
    return [row.id for row in rows]


async def test_the_index_is_kept_until_the_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, cache = tmp_path / "output.jsonl", tmp_path / "cache"
    rows = [row("a", history(2)), row("b", history(1))]
    write(path, rows)
    reads = Reads(monkeypatch)
    for _ in range(3):
        assert await ids_of(path, cache) == ["a", "b"]
    assert reads.count == 1
    (kept,) = (cache / "indexes").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    write(path, [*rows, row("c", history(1))])
    assert await ids_of(path, cache) == ["a", "b", "c"]
    assert reads.count == 2
    os.utime(path, (1, 1))
    assert await ids_of(path, cache) == ["a", "b", "c"]
    assert reads.count == 3


async def test_a_list_that_was_left_early_keeps_no_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = Reads(monkeypatch)
    monkeypatch.setattr(plain_file, "PIECE", 5000)
    path, cache = tmp_path / "output.jsonl", tmp_path / "cache"
    write(path, [row(f"i{n}", history(2)) for n in range(20)])
    runs = open_runs(path, FileIndexes(cache))
    entries = runs.entries()
    first = next(entries)
    runs.close()
    assert len(list(entries)) < 19
    assert not (cache / "indexes").exists()
    with pytest.raises(Problem, match="is gone"):
        first.open()
    assert await ids_of(path, cache) == [f"i{n}" for n in range(20)]
    assert reads.count == 2


@pytest.mark.parametrize("harm", [b"", b"\0", b"x" * 100, b"cut"])
async def test_a_broken_index_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: bytes
) -> None:
    path, cache = write(tmp_path / "output.jsonl", [row("a", history(2))]), tmp_path / "cache"
    reads = Reads(monkeypatch)
    await ids_of(path, cache)
    (kept,) = (cache / "indexes").iterdir()
    kept.write_bytes(kept.read_bytes()[:-10] if harm == b"cut" else harm)
    assert await ids_of(path, cache) == ["a"]
    assert reads.count == 2
    kept.chmod(0o644)
    assert await ids_of(path, cache) == ["a"]
    assert reads.count == 3, "another may have written it"


def test_few_indexes_are_kept(tmp_path: Path) -> None:
    indexes = FileIndexes(tmp_path)
    for number in range(60):
        indexes.save(str(number), b"x")
        saved = max((tmp_path / "indexes").iterdir(), key=lambda one: one.stat().st_mtime)
        os.utime(saved, (number, number))
    assert len(list((tmp_path / "indexes").iterdir())) <= 51
    assert indexes.load("59") == b"x"
    assert indexes.load("0") == b""


async def test_what_a_row_hides_is_hidden(tmp_path: Path) -> None:
    secret = "sk-ant-" + "a1B2" * 10
    one = row("a", history(1), metadata={"llm": {"model": secret, "api_key": secret}})
    source = FileSource([write(tmp_path / "output.jsonl", [one])])
    (listed,) = (await source.newest()).items
    full = source.with_state(listed)
    assert secret not in json.dumps(source.runs.run(full).info)
    assert result(1)["id"] == "r1"


async def test_a_file_that_grows_is_listed_anew_when_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_lines, "HELD", 0)
    path = write(tmp_path / "output.jsonl", [row("a", history(1))])
    path.write_bytes(path.read_bytes() + b'{"instance_id": "b", "hist')
    source = FileSource([path])
    (first,) = (await source.newest()).items
    opened = source.runs.run(first)
    assert source.remarks
    write(path, [row("a", history(1)), row("b", history(2))])
    rows = (await source.newest()).items
    assert [row.id for row in rows] == ["a", "b"]
    assert rows[0].llm_model == "some/model", "what was known of it stays"
    assert not source.problems and not source.remarks
    assert [len(source.runs.read(row).events) for row in rows] == [5, 7]
    assert len(opened.event(1).body()) > 1, "which the screen may show"
    path.unlink()
    assert [row.id for row in (await source.newest()).items] == ["a", "b"]
    await source.close()
    assert opened.read(2) == b"", "the last one parsed is still known"
