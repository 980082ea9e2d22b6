"""The columns of the timeline follow the room that it has."""

from __future__ import annotations

import pytest

from tests.tui.explorer import explore

DATES = "Parse ISO week dates"


@pytest.mark.parametrize(
    ("columns", "head"),
    [
        (160, "# at llm ran what result cost"),
        (120, "# at ran what result cost"),
        (100, "# at ran what result"),
    ],
)
async def test_the_time_of_the_model_goes_before_the_cost(columns: int, head: str) -> None:
    async with explore(size=(columns, 36)) as it:
        await it.open(DATES)
        assert " ".join(it.text("#timeline-pane ColumnHead").split()) == head


async def test_results_stand_below_each_other() -> None:
    async with explore(size=(120, 36)) as it:
        await it.open(DATES)
        rows = it.text("#timeline").split("\n")
        results = ("19 lines", "6 passed in", "date 2021-01-01", "+2 -1", "exit 1  ValueError")
        starts = {row.index(text) for text in results for row in rows if text in row}
        assert len(starts) == 1
