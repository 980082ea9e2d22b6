"""The explorer beside a running Canvas: it says what it found, and the first screen is not late."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from oh_tui.api import AppServer
from oh_tui.api.models import CLOUD
from oh_tui.cli import opening
from oh_tui.demo import Demo
from oh_tui.settings.startup import Settings, read_settings
from oh_tui.sources.server import ServerSource
from oh_tui.sources.source import Source
from oh_tui.text.redact import Secret
from oh_tui.tui.platform import launch
from tests.canvas.here import KEY, home_with, program, running_canvas
from tests.tui.explorer import AT_ONCE, NOW, Explorer, explore


@asynccontextmanager
async def started() -> AsyncIterator[Explorer]:
    """As `oh-tui` alone starts it."""
    settings = read_settings(os.environ)

    def make(chosen: Settings = settings) -> Source:
        return opening.server_source(chosen)

    async with explore(settings=settings, source=make, connect=make) as it:
        yield it


@pytest.fixture
def home() -> Path:
    return Path(os.environ["HOME"])


async def test_its_runs_are_there_and_it_says_where_they_are_from(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home_with(home)
    with running_canvas(monkeypatch) as here:
        async with started() as it:
            await it.until(lambda: bool(it.screen.sidebar.conversations))
            assert len(it.screen.sidebar.conversations) > 20
            assert f"Canvas at 127.0.0.1:{here.port}, agent server 1.49.1" in told(it)
            assert "canvas" in it.text("#header")
            assert KEY not in told(it)


async def test_without_it_and_without_a_key_the_question_of_before_is_asked(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = home_with(home, "") / "api-key.txt"
    file.symlink_to("elsewhere")
    (home / ".openhands/agent-canvas/dev_conversations").rmdir()
    with program(monkeypatch) as here:
        async with started() as it:
            bar = it.app.main.asking.question_bar
            await it.until(lambda: bar.question is not None)
            assert "No API key" in (told := it.text("#question"))
            assert "export OPENHANDS_API_KEY=KEY" in told and "it is a link" in told
            assert it.screen.session.source is None
            assert here.paths == ["/server_info"]
            await it.press("d")
            await it.until(lambda: bool(it.screen.sidebar.conversations))


async def test_where_it_does_not_run_its_runs_are_from_disk(home: Path) -> None:
    home_with(home, runs=True)
    async with started() as it:
        await it.until(lambda: bool(it.screen.sidebar.conversations))
        assert "Canvas does not run at 127.0.0.1:8000; its runs from disk" in told(it)
        await it.press("m")
        assert it.app.main.asking.editor is None, "nobody is there to write to"


async def test_beside_cloud_it_is_said_once_and_nothing_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(launch, "CANVAS", 0.1)
    demo = Demo(NOW, "everything")

    def cloud() -> Source:
        api = AppServer(demo.base_url, app=demo.app, retries=AT_ONCE)
        return ServerSource(api, "app.all-hands.dev", address=CLOUD)

    with running_canvas(monkeypatch) as here:
        key = Secret("sk-of-cloud-1234")
        async with explore(settings=Settings(key=key), source=cloud) as it:
            await it.until(lambda: "Canvas runs here too" in told(it))
            assert it.screen.sidebar.conversations
            assert here.paths == ["/server_info"] and not here.holds("sk-of-cloud-1234")
        here.asked.clear()
        for other in (Settings(), replace(Settings(key=key), server="work")):
            async with explore(settings=other) as it:
                await it.settle()
        assert here.asked == [], "neither with the demo, nor with a server that was named"


def told(it: Explorer) -> str:
    """All that was said so far: news are shown for five seconds."""
    return "\n".join(text for text, _ in it.screen.footer.history)
