"""A run that the real CLI writes here, followed meanwhile by the explorer and by `tail -f`."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from oh_tui.sources.this_machine import ThisMachine
from tests.tui.explorer import explore

from .servers.cli import PROGRAM, VERSION, headless, kept_below
from .servers.model import ScriptedModel
from .servers.scripts import ENOUGH

pytestmark = pytest.mark.live

PATIENCE = 60.0
"""Seconds that the CLI may take to start on a busy machine, and to end."""


@pytest.fixture
def home(folder: Path) -> Iterator[Path]:
    """The home of a CLI whose agent is in a call that lasts until ENOUGH is there."""
    if not PROGRAM.exists():
        pytest.skip(f"OpenHands CLI {VERSION} is not installed: see scripts/live_setup.py")
    enough, home = folder / "work" / ENOUGH, folder / "at-work"
    enough.unlink(missing_ok=True)
    home.mkdir()
    yield home
    enough.unlink(missing_ok=True)


async def wait_until(true: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():
            assert process.poll() is None, "the CLI has ended"
            await asyncio.sleep(0.1)


async def test_a_run_is_followed_while_the_cli_writes_it(
    folder: Path, home: Path, model: ScriptedModel
) -> None:
    kept = kept_below(home)
    with headless(home, model, "Please do script:patient") as cli:
        await wait_until(lambda: len([*kept.glob("*/events/*.json")]) > 2, cli)
        (run,) = kept.iterdir()
        tail = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "oh_tui", "--server", "local", "tail", "-f", run.name, "--json",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "HOME": str(home), "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        assert tail.stdout
        try:
            async with explore(source=lambda: ThisMachine(kept)) as it:
                await it.press("enter")
                await it.until(lambda: "running" in it.text("#summary"), PATIENCE)
                await it.until(lambda: "$ for i in" in it.text("#timeline"), PATIENCE)
                assert "following" in it.text("#timeline-rule")
                shown: list[dict[str, object]] = []
                async with asyncio.timeout(PATIENCE):
                    while not shown or shown[-1]["outcome"] != "running":
                        shown.append(json.loads(await tail.stdout.readline()))
                assert cli.poll() is None and tail.returncode is None
                (folder / "work" / ENOUGH).touch()
                await it.until(lambda: "Very slow is over." in it.text("#timeline"), PATIENCE)
                await it.until(lambda: "finished" in it.text("#summary"), PATIENCE)
                assert "following" not in it.text("#timeline-rule")
            async with asyncio.timeout(PATIENCE):
                rest, said = await tail.communicate()
        finally:
            if tail.returncode is None:
                tail.kill()
                await tail.wait()
        steps = [json.loads(line) for line in rest.decode().splitlines()]
        assert tail.returncode == 0, said.decode()
        assert said.decode().startswith("oh-tui: finished")
        assert steps[0]["index"] == shown[-1]["index"] and steps[0]["outcome"] == "ok"
        assert "Very slow is over." in str(steps[-1])
        await asyncio.to_thread(cli.wait, PATIENCE)
