"""What `e` says of the failure to which it went: from the index, or from what `f` has read."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from oh_tui.batch.cached_rows import failure_in_index
from oh_tui.batch.failure_rows import FailureRow, Failures, RunFailures
from oh_tui.settings.startup import Settings
from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.findings.failure_signatures.failed_steps import (
    Failure,
    RunFailure,
    failures_of,
)
from oh_tui.tui.controllers.run import step_moves
from oh_tui.tui.controllers.run.step_moves import seen_words
from tests.demo_runs import demo_events
from tests.processes import oh_tui
from tests.tui.explorer import Explorer, explore
from tests.tui.screens.test_board_of_runs import filtered
from tests.tui.screens.test_failures_screen import failures

SLUGS = ("week-dates", "erp-dates", "broken")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_moves, "REST", 0.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    for slug in SLUGS:
        with zipfile.ZipFile(folder / f"{slug}.zip", "w") as archive:
            archive.writestr("meta.json", json.dumps({"title": slug}))
            for place, event in enumerate(demo_events(slug)):
                archive.writestr(f"event_{place:06}_{event.id}.json", event.raw())
    return folder


LINE = "no date: '#-W07-3'"


async def to_the_failure(it: Explorer) -> None:
    """By `e` from the first step to the one that failed so."""
    timeline = it.screen.timeline
    assert timeline.trajectory
    found = failures_of(timeline.trajectory)
    number = next(one.example for one in found if one.failure.line == LINE)
    await it.press("3", "g")
    while timeline.step_here != number:
        await it.press("e")
        assert timeline.step_here <= number


async def test_e_says_what_the_index_tells(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert oh_tui("index", folder, XDG_CACHE_HOME=str(cache)).returncode == 0
    told = oh_tui("failures", folder, "--json", XDG_CACHE_HOME=str(cache)).stdout
    row = next(one for one in json.loads(told)["failures"] if one["line"] == LINE)
    assert row["runs"] == row["recovered"] == 2
    settings = Settings(cache_folder=cache / "oh-tui")
    async with explore(
        source=lambda: FileSource([folder / "week-dates.zip"]), settings=settings
    ) as it:
        await it.until(lambda: it.screen.timeline.trajectory)
        await to_the_failure(it)
        what = row["next"][0]["what"]
        seen = "seen in 2 of 3 indexed runs; the same call worked later in 2, after"
        await it.until(lambda: f"{seen} {what}"[:90] in it.footer)
        await it.press("j")
        assert "seen in" not in it.footer


@pytest.mark.slow
async def test_without_an_index_e_says_what_the_view_of_all_runs_has_read() -> None:
    async with explore(size=(200, 40)) as it:
        await it.open("Parse ISO week dates")
        await to_the_failure(it)
        step = it.screen.timeline.step_here
        assert "seen in" not in it.footer, "nothing is known yet"
        await failures(it)
        await it.press("escape", "escape", "g", "e")
        assert it.screen.timeline.step_here == step
        found = it.screen.controllers.failures.found
        assert found
        runs = found.reading.read
        words = f"seen in 2 of {runs} runs; the same call worked later in 2, after edit"
        await it.until(lambda: words in it.footer)


async def test_what_was_read_of_some_runs_only_is_not_told() -> None:
    async with explore(size=(200, 40)) as it:
        await filtered(it, "repo:acme/dates")
        await failures(it)
        await it.press("escape", "escape")
        await it.open("Parse ISO week dates")
        await it.press("g", "e")
        await it.screen.controllers.steps._tell_known()
        assert "seen in" not in it.footer


def test_without_an_index_nothing_is_known(tmp_path: Path) -> None:
    failure = Failure("terminal", "KeyError", "'id'")
    assert failure_in_index(None, failure) is None
    assert failure_in_index(tmp_path, failure) is None


def row_of(*helped: str) -> FailureRow:
    """A failure in five runs, those that recovered first."""
    sums, failure = Failures(), Failure("terminal", "KeyError", "'id'")
    for number in range(5):
        what = helped[number] if number < len(helped) else ""
        one = RunFailure(failure, 1, 1.0, 1.0, 1, bool(what), what)
        sums.add(str(number), RunFailures(ended_well=False, failures=[one]))
    row = sums.row(failure)
    assert row
    return row


@pytest.mark.parametrize(
    ("helped", "words"),
    [
        ((), "seen in 5 of 9 runs; the same call worked later in none"),
        (("$ make",), "seen in 5 of 9 runs; the same call worked later in 1, after $ make"),
        (
            ("$ make", "$ ls", "$ make"),
            "seen in 5 of 9 runs; the same call worked later in 3, in 2 of them after $ make",
        ),
    ],
)
def test_the_words(helped: tuple[str, ...], words: str) -> None:
    assert seen_words(row_of(*helped), "9 runs") == words
