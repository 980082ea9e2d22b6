"""Runs of a server that are not on this machine: a call over many reads some of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from oh_tui.batch import run_batch
from oh_tui.mcp import session
from tests.commands.conftest import Served, serve
from tests.commands.mcp.using import Tools, use


@pytest.mark.slow
def test_runs_that_nobody_indexed_are_read_so_many_at_a_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(session, "ASKS", 5)
    counts: list[int] = []

    async def work(tools: Tools) -> None:
        said = "not read yet"
        while "not read yet" in said:
            told = await tools("stats")
            said, read = " ".join(told["remarks"]), told["total"]["runs"]
            assert told["left_out"]["not_kept"] or not counts
            assert read > (counts[-1] if counts else 0), "what was read before is kept"
            assert read - (counts[-1] if counts else 0) <= 5
            assert f"read {read} of " in said and "`live` reads them too" in said
            assert "--live" not in said and "oh-tui index" not in said
            counts.append(read)
        assert counts[0] == 5 and counts[-1] > 20 and len(counts) > 4
        assert (await tools("failures"))["failed_steps"] > 5
        assert (await tools("search", words="Invalid week"))["hits"]
        assert (await tools("audit"))["read"] > 0
        live = await tools("stats", live=True)
        assert live["left_out"]["going_on"] < told["left_out"]["going_on"]

    with serve() as one:
        use(work, "--server", one.url)


def test_reading_such_runs_ends_after_its_time(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(run_batch, "ASKING", -1.0)

    async def work(tools: Tools) -> None:
        told = await tools("stats")
        assert told["total"]["runs"] == 0 and told["left_out"]["not_kept"] > 20
        assert any("0 asked from their server" in one for one in told["remarks"])

    use(work, "--server", served.url)
