"""A sandbox deleted while it is watched, and a restarted server: the real ones."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.processes import oh_tui

from .servers.model import ScriptedModel
from .servers.server import LiveServer
from .test_explorer import connected, read_whole, run_shown, shows, step_ids

pytestmark = pytest.mark.live


@dataclass(frozen=True)
class Mortal:
    """A server that others do not need, and two finished runs, each in a sandbox of its own."""

    server: LiveServer
    first: str
    second: str

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return oh_tui("--server", self.server.url, *words)


@pytest.fixture(scope="module")
def mortal(folder: Path, model: ScriptedModel) -> Iterator[Mortal]:
    server = LiveServer(folder / "mortal")
    try:
        server.use_model(model.url)
        runs = [server.start("script:short") for _ in range(2)]
        for run in runs:
            server.wait_until_over(run)
        yield Mortal(server, *runs)
    finally:
        server.close()


async def test_a_sandbox_deleted_between_list_and_key_is_said_to_be_gone(mortal: Mortal) -> None:
    sandbox = str(mortal.server.conversation(mortal.first)["sandbox_id"])
    async with connected(mortal.server.url, open_id=mortal.first) as it:
        await read_whole(it)
        steps = step_ids(run_shown(it))
        assert "p pause sandbox" in it.footer
        path = f"/api/v1/sandboxes/{sandbox}?sandbox_id={sandbox}"  # it wants both (measured)
        await asyncio.to_thread(mortal.server.delete, path)
        await it.press("p")
        assert "the sandbox is gone; the run stays readable" in it.footer
        assert not it.screen.asking.question_bar.display
        await it.press("escape", "m")
        assert "the sandbox is gone: the run stays readable" in it.footer
        await it.press("escape", "r")
        await shows(it, "#run-rule", "sandbox gone")
        assert "pause sandbox" not in it.footer
        assert step_ids(run_shown(it)) == steps
    for words in (
        ("pause", mortal.first, "--yes"),
        ("resume", mortal.first, "--yes"),
        ("send", mortal.first, "hello"),
        ("exec", mortal.first, "--", "true"),
        ("get", mortal.first, "/etc/hostname", "-o", "-"),
    ):
        done = await asyncio.to_thread(mortal, *words)
        assert (done.returncode, done.stdout) == (1, ""), done
        assert "he sandbox is gone" in done.stderr and "the run stays readable" in done.stderr
    assert (await asyncio.to_thread(mortal, "pause", sandbox)).returncode == 2
    read = await asyncio.to_thread(mortal, "steps", mortal.first)
    assert read.returncode == 0 and read.stdout.count("\n") == len(steps)


async def test_a_server_that_is_restarted_is_read_on(mortal: Mortal) -> None:
    """The server keeps its list but loses its sandboxes: runs are read from the events it
    received."""
    host = mortal.server.url.removeprefix("http://")
    async with connected(mortal.server.url, open_id=mortal.second) as it:
        await read_whole(it)
        steps = step_ids(run_shown(it))
        assert "from the agent server" in it.text("#timeline-rule")
        await asyncio.to_thread(mortal.server.stop)
        await it.press("r")
        assert f"nothing listens at {host}" in it.footer
        assert it.text("#conversations").count("About short") == 2
        down = await asyncio.to_thread(mortal, "steps", mortal.second)
        assert (down.returncode, down.stdout) == (1, "")
        assert f"nothing listens at {host}" in down.stderr
        await asyncio.to_thread(mortal.server.start_again)
        await it.press("escape", "r")
        await shows(it, "#run-rule", "sandbox gone")
        assert "nothing listens" not in it.footer
        assert it.text("#conversations").count("About short") == 2
        await it.press("1", "enter")
        await it.until(lambda: run_shown(it).complete and not it.screen.session.is_reading)
        assert step_ids(run_shown(it)) == steps
    up = await asyncio.to_thread(mortal, "steps", mortal.second)
    assert up.returncode == 0 and up.stdout.count("\n") == len(steps)
