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
        assert " ".join(it.text("ColumnHead").split()) == head


async def test_a_long_command_takes_what_a_short_result_leaves() -> None:
    async with explore(size=(120, 36)) as it:
        await it.open(DATES)
        rows = it.text("#timeline").split("\n")
        assert any("read dates/src/dates/__main__.py    19 lines" in row for row in rows)
        cut = [row for row in rows if "explain" not in row and "2021-W53-…" in row]
        at = {row.index("! exit 1") for row in cut}
        assert len(cut) > 3 and len(at) == 1  # marks stay below each other
