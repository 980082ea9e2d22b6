"""What every run of the demo took, in every place that computes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from oh_tui.catalog.usage_cache import spent_of, with_spent
from oh_tui.demo import Demo
from oh_tui.demo.catalog import ENTRIES
from oh_tui.documents.run import cost_json
from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory import table_rows
from oh_tui.trajectory.costs.spending import spending
from oh_tui.trajectory.findings.study import Study
from tests.sources.here import demo_read
from tests.tui.explorer import NOW

LIVE = {entry.slug for entry in ENTRIES if entry.live}
NO_DOWNLOAD = "fuzzing"


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("slug", [entry.slug for entry in ENTRIES])
async def test_a_run_of_the_demo_took_the_same_everywhere(slug: str, tmp_path: Path) -> None:
    async with demo_read() as here:
        row = await here.conversation(slug)
        *_, read = [one async for one in here.source.runs.load(row) if one.trajectory is not None]
        assert read.trajectory is not None
        study = Study(read.trajectory)
        total, cost = study.accounts.total, study.sub_runs.cost()
        assert not study.accounts.is_partial

        # its record is a part of it, which is said
        assert (row.cost or 0.0) <= total.cost + 1e-6 and row.tokens <= total.tokens
        assert row.cost_is_partial in (True, None)
        after = with_spent(row, spent_of(study.accounts))
        if row.cost_is_partial is not None and slug not in LIVE:
            assert (after.cost or 0.0) == pytest.approx(total.cost, abs=2e-6)
            assert (after.tokens, after.cost_is_partial) == (total.tokens, False)

        found = cost_json(Study(read.trajectory), row)
        assert found["cost"] == (cost.dollars and pytest.approx(cost.dollars, abs=1e-6))
        run = table_rows.run_row(read.trajectory)
        assert (run.cost, run.cost_is_partial) == cost[:2]
        assert spending(read.trajectory, study.accounts).total == total
        assert sum(study.accounts.usages.values(), type(total)()) == total

        if slug == NO_DOWNLOAD or not read.trajectory.events:
            return
        path = await here.source.runs.download(row, tmp_path, lambda size: None, "run.zip")
    source = FileSource([path])
    (listed,) = (await source.newest()).items
    same = Study(source.runs.read(listed))
    if row.sandbox_status != "RUNNING":  # its events come to the app server later
        assert same.accounts.total.tokens == total.tokens
    assert (listed.cost or 0.0) <= same.accounts.total.cost + 2e-6
    if listed.tokens < same.accounts.total.tokens:
        assert listed.cost_is_partial
    whole = with_spent(listed, spent_of(same.accounts, same.sub_runs))
    assert whole.tokens == same.accounts.total.tokens
    assert whole.cost_is_partial in (False, None)


def test_the_demo_has_records_of_both_kinds() -> None:
    """Of the agent alone after stats, of all usages when the server has rebuilt the row."""
    world = Demo(NOW).world
    one = next(one for one in world.conversations.values() if one.entry.slug == "week-dates")
    assert world.metrics(one)["accumulated_cost"] == 0.955573
    world.rebuild_row(one)
    assert world.metrics(one)["accumulated_cost"] == 1.119455
    assert json.dumps(world.usages(one)).count("accumulated_cost") == 2
