"""The sub-agents of tasks in the sandboxes of an app server."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from starlette.responses import Response

from oh_tui.sources.server_runs import from_zip
from oh_tui.text.problem import Problem, Remedy
from tests.sources.here import Here, demo_read
from tests.trajectory.sub_agent_files import CHECK, PROBE, ROUTES, STRAY, run_files, zip_of


async def names(here: Here, **changes: str) -> list[str]:
    rows = (await here.source.newest()).items
    running = next(row for row in rows if row.sandbox_status == "RUNNING")
    assert here.source.remote is not None
    found = await here.source.remote.sub_agents(replace(running, **changes))
    return sorted(agent.name for agent in found)


async def test_the_agent_server_of_a_running_sandbox_gives_them(tmp_path: Path) -> None:
    data = zip_of(tmp_path / "run.zip", run_files()).read_bytes()
    async with demo_read() as here:
        assert await names(here) == [], "a server without a download has none"
        here.between.answers["GET *download-trajectory/*"] = lambda: Response(data)
        assert await names(here) == sorted([CHECK, PROBE, ROUTES, STRAY])
        here.between.answer("GET *download-trajectory/*", 500)
        with pytest.raises(Problem):
            await names(here)


@pytest.mark.parametrize(
    ("status", "told", "hint"),
    [
        ("PAUSED", "paused", Remedy.RESUME),
        ("STARTING", "starting", Remedy.WAIT),
        ("ERROR", "failed", ""),
        ("MISSING", "gone", ""),
        ("FROZEN", "frozen", Remedy.WAIT),
    ],
)
async def test_a_sandbox_that_does_not_run_is_said_to_hold_them(
    status: str, told: str, hint: str
) -> None:
    async with demo_read() as here:
        with pytest.raises(Problem, match=f"are in the sandbox, which (is )?{told}$") as raised:
            await names(here, sandbox_status=status)
        assert raised.value.hint == hint


async def test_a_download_that_is_too_long_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = zip_of(tmp_path / "run.zip", run_files()).read_bytes()
    monkeypatch.setattr(from_zip, "IN_MEMORY", -1)
    async with demo_read() as here:
        here.between.answers["GET *download-trajectory/*"] = lambda: Response(data)
        with pytest.raises(Problem, match="its sub-agents are in it"):
            await names(here)
