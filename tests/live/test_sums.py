"""Every place tells the same of a run on a real server, or marks what may lack a part."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.sums import listed, odd, of_run, of_zip

from .conftest import Runs, every_version

pytestmark = pytest.mark.live


@every_version
def test_all_that_is_told_of_a_run_agrees(runs: Runs, tmp_path: Path) -> None:
    own = {name: str(tmp_path) for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "HOME")}
    at = ("--server", runs.url)
    for run in (runs.tour, runs.priced, runs.refused):
        before = listed(*at, **own)[run]
        told = [*of_run((*at, run), tmp_path, **own), *of_zip((*at, run), tmp_path, **own)]
        after = listed(*at, **own)[run]
        assert odd([before, *told, after]) == []
        assert before.is_partial or before.cost is None or before.cost == after.cost
