"""Every output tells the same numbers of a run, or that it does not know them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oh_tui.batch.run_stats import summand, summed
from oh_tui.documents import run as documents
from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.branches import shown
from oh_tui.trajectory.model.trajectory import ALL
from oh_tui.trajectory.table_rows import rows_of
from tests.batch.numbers import (
    NAMES,
    NO_NAME,
    OUTPUTS,
    OVER_RUNS,
    Walked,
    Words,
    all_of,
    near,
)
from tests.commands.mcp.using import Tools, use
from tests.demo_runs import SLUGS, demo_events
from tests.trajectory import branched, evaluation_files, forked, made
from tests.trajectory.context.made import said, user
from tests.trajectory.sub_agent_files import run_files, zip_of

SOME = ("week-dates", "handbook", "docker-followup", "crashed", "acp")
"""Runs of the demo: with a condenser, without a price, without an answer, without its last stats,
of another program."""


def walked(path: Path, branch: int | None = None) -> Iterator[Walked]:
    source = FileSource([path])
    for row in source.conversations():
        run = shown(source.runs.read(row), branch)
        # the list of a file with several knows a run once it was opened
        yield Walked(source.runs.rows[row.id], Study(run), path.with_name("walk"))


def demo(slug: str, folder: Path) -> Path:
    events = demo_events(slug)
    return zip_of(
        folder / f"{slug}.zip",
        {f"event_{n:06}_{one.id}.json": one.raw() for n, one in enumerate(events)},
    )


def differences(run: Walked) -> list[str]:
    truths, found = {own: all_of(run, own=own) for own in (False, True)}, []
    is_branch = run.study.trajectory.branch is not None
    steps = 1 + len(run.study.trajectory)
    for output, numbers in OUTPUTS.items():
        told = numbers(run)
        assert not told or set(told) == set(NAMES) - NO_NAME[output], output
        of_list = output in ("conversations --json", "a row of the list")
        if of_list and (run.row.cost_is_partial or is_branch):
            continue  # the least of a run, or that of all its branches
        for name, value in told.items():
            known = truths[output in OVER_RUNS][name]
            near = 1e-6 if name == "cost" else 1e-3  # JSON has so many digits of each step
            if output == "ATIF" and name != "cost":
                known = getattr(run.study.sub_runs.own, name) if known is not None else None
            same = (
                value.tells(name, known)
                if isinstance(value, Words)
                else value == (known if known is None else pytest.approx(known, abs=near * steps))
            )
            if not same:
                found.append(f"{output}: {name} is {value!r}, not {known!r}")
    return found


@pytest.mark.parametrize("slug", SOME)
def test_a_run_of_the_demo_has_the_same_numbers_everywhere(slug: str, tmp_path: Path) -> None:
    (run,) = walked(demo(slug, tmp_path))
    assert differences(run) == []


@pytest.mark.slow
@pytest.mark.parametrize("slug", sorted({*SLUGS} - {*SOME, "fuzzing"}))
def test_each_run_of_the_demo_has_the_same_numbers_everywhere(slug: str, tmp_path: Path) -> None:
    for run in walked(demo(slug, tmp_path)) if demo_events(slug) else ():
        assert differences(run) == []


@pytest.mark.parametrize("zoned", [True, False], ids=["zoned", "bare"])
@pytest.mark.parametrize("name", forked.family())
def test_a_fork_has_the_same_numbers_everywhere(name: str, zoned: bool, tmp_path: Path) -> None:
    (run,) = walked(forked.family()[name].write(tmp_path, zoned=zoned))
    assert differences(run) == []
    assert run.study.accounts.total.tokens == forked.family()[name].tokens


def test_sums_over_a_run_and_its_forks_count_nothing_twice(tmp_path: Path) -> None:
    family = forked.family()
    for one in family.values():
        one.write(tmp_path / "runs")
    every = list(walked(tmp_path / "runs"))
    costs = [all_of(run)["cost"] or 0.0 for run in every]
    assert sum(costs) == pytest.approx(sum(one.cost for one in family.values()))
    tokens = [all_of(run)["tokens"] or 0 for run in every]
    assert sum(tokens) == sum(one.tokens for one in family.values())


@pytest.mark.parametrize("zoned", [True, False], ids=["zoned", "bare"])
def test_sums_count_each_step_call_and_failure_once(zoned: bool, tmp_path: Path) -> None:
    origin = forked.Conversation(1, "origin")
    origin.exit_code = 2
    origin.ask("first", 2).wait(60).ask("second")
    at = next(one["id"] for one in origin.events if one["kind"] == "ObservationEvent")
    fork = origin.fork(2, "fork").wait(600).ask("other", 2)
    family = [
        origin,
        fork,
        origin.fork(3, "at a step", at=at).wait(30).ask("third"),
        fork.wait(9).fork(4, "of a fork").ask("fourth"),
        fork.fork(5, "not used"),
    ]
    for one in family:
        one.write(tmp_path / "runs", zoned=zoned)
    every = [rows_of(run.study) for run in walked(tmp_path / "runs")]
    runs = [table.runs[0] for table in every]
    events = {one["id"]: one["kind"] for run in family for one in run.events}
    kinds = list(events.values())
    calls = kinds.count("ActionEvent")
    steps = calls + kinds.count("MessageEvent")
    assert sum(run.steps for run in runs) == steps
    assert sum(run.calls for run in runs) == sum(run.failed_commands for run in runs) == calls
    assert len({row.event_id for table in every for row in table.steps}) == steps
    assert sum(len(table.steps) for table in every) == steps
    assert sum(len(table.calls) for table in every) == calls
    assert sum(one.steps for table in every for one in table.failures) == calls
    assert sum(run.events for run in runs) == len(events)
    stats = summed((), [summand(run) for run in runs])
    assert (stats.steps.total, stats.failed_steps) == (steps, calls)


@pytest.mark.parametrize("name", forked.family())
def test_the_phases_of_a_fork_have_the_time_of_its_own_steps(name: str, tmp_path: Path) -> None:
    (run,) = walked(forked.family()[name].write(tmp_path))
    phases: list[Any] = documents.phases_json(run.study)
    assert sum(one["seconds"] or 0.0 for one in phases) == near(all_of(run)["work_s"] or 0.0)


@pytest.mark.parametrize("branch", [None, 1, ALL], ids=["active", "first", "all"])
def test_a_branch_has_the_same_numbers_everywhere(branch: int | None, tmp_path: Path) -> None:
    (run,) = walked(branched.write_run(tmp_path / "run", *branched.two()), branch)
    assert differences(run) == []


def test_runs_of_other_files_have_the_same_numbers_everywhere(tmp_path: Path) -> None:
    rows = [
        evaluation_files.row("one", evaluation_files.history(3)),
        evaluation_files.row(
            "two", evaluation_files.history(2), metrics=evaluation_files.metrics([0.1, 0.2, 0.3])
        ),
    ]
    path = evaluation_files.write(tmp_path / "output.jsonl", rows)
    files = [path, zip_of(tmp_path / "agents.zip", run_files())]
    found = [differences(run) for file in files for run in walked(file)]
    assert found == [[], [], []]


SHAPES = sorted((Path(__file__).parent / "shapes").iterdir())


@pytest.mark.parametrize("path", SHAPES, ids=lambda path: path.name)
def test_a_run_of_another_shape_has_the_same_numbers_everywhere(path: Path, tmp_path: Path) -> None:
    for run in walked(Path(shutil.copy(path, tmp_path))):
        assert differences(run) == []
        assert all_of(run)["steps"]


@pytest.mark.parametrize("none", [{}, {"timestamp": None}], ids=["one time", "no times"])
def test_a_run_without_a_clock_has_the_same_numbers_everywhere(
    none: dict[str, Any], tmp_path: Path
) -> None:
    shell = {"kind": "TerminalAction", "command": "ls"}
    ended = made.result("a", {}, second=0, **none)
    events = [user("u", **none), made.call("a", shell, **none), ended, said("b", **none)]
    (run,) = walked(branched.write_run(tmp_path / "run", *events, stats=None))
    assert differences(run) == []
    told = all_of(run)
    assert (told["work_s"], told["ran_s"], told["llm_s"]) == (None, None, None)


def test_the_tools_tell_the_same_of_a_fork(tmp_path: Path) -> None:
    """Of other runs too: `tests/commands/mcp` compares them with `why` and `steps`."""
    path = forked.family()["whole"].write(tmp_path)
    (run,) = walked(path)
    truth = all_of(run)

    async def work(tools: Tools) -> None:
        told = (await tools("why"))["conversation"]
        assert (told["cost"], told["tokens"]["prompt"]) == (truth["cost"], truth["prompt"])
        assert (told["work_seconds"], told["llm_s"]) == (truth["work_s"], truth["llm_s"])
        found = await tools("steps")
        rows = await tools.rows("steps", "steps")
        assert found["totals"]["cost"] == truth["cost"]
        assert sum(one["cost"] or 0.0 for one in rows) == pytest.approx(truth["cost"])
        assert [one["index"] for one in rows if "inherited" in one] == [*range(1, 8)]

    use(work, path)
