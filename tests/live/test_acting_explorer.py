"""Starting, the shell and files on the real servers: by keys, and byte for byte."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from oh_tui.actions.workspace import Asleep, Workspace
from oh_tui.api import AppServer
from oh_tui.sources.server import ServerSource
from oh_tui.text.problem import Problem
from oh_tui.tui.screens.shell import ShellScreen
from oh_tui.tui.screens.start.screen import StartScreen
from tests.tui.explorer import Explorer

from .conftest import Live
from .servers.model import ScriptedModel
from .servers.server import LiveServer
from .test_explorer import ask, connected, open_run, running_again, status

pytestmark = pytest.mark.live

NOISE = b"".join(hashlib.sha256(str(n).encode()).digest() for n in range(60_000))
"""1.9 MB that no encoding leaves as they are."""


@pytest.fixture
async def source(api: AppServer) -> AsyncIterator[ServerSource]:
    yield ServerSource(api, "live")


async def workspace(source: ServerSource, live: Live) -> Workspace:
    (found,) = await source.get([live.tour])
    assert found is not None
    return await source.workspaces.open(found)


def shell(it: Explorer) -> ShellScreen:
    assert isinstance(it.app.screen, ShellScreen)
    return it.app.screen


@pytest.fixture(scope="module")
def own(folder: Path, model: ScriptedModel) -> Iterator[LiveServer]:
    """A server to start conversations on, so that no other test finds them in its lists."""
    server = LiveServer(folder / "starts")
    try:
        server.use_model(model.url)
        yield server
    finally:
        server.close()


async def start(it: Explorer, prompt: str, repository: str = "") -> StartScreen:
    """Fill the form in and send it; gives it when the start is over."""
    await it.send("ctrl+n")
    await it.until(lambda: isinstance(it.app.screen, StartScreen))
    form = it.app.screen
    assert isinstance(form, StartScreen)
    form.text.text = prompt
    form.fields["repository"].value = repository
    await it.pilot.pause(0)
    await it.send("ctrl+s")
    await it.until(lambda: form.finished or form.is_wrong, 90)
    return form


async def test_ctrl_n_starts_a_conversation_shows_its_stages_and_opens_it(own: LiveServer) -> None:
    async with connected(own.url) as it:
        form = await start(it, "Please do script:short")
        assert form.finished, form.message
        told = [what for what, _ in form.stages]
        assert told[0] == "asking the server"
        assert "making the sandbox" in told
        await it.until(lambda: "This run was short." in it.text("#result"), 60)
        assert it.screen.session.pane == "timeline"
        assert "$ echo short" in it.text("#timeline")


async def test_a_start_that_fails_says_what_the_server_says(own: LiveServer) -> None:
    async with connected(own.url) as it:
        form = await start(it, "script:short", "no-such-owner/no-such-repository")
        assert "The start failed" in form.message
        assert form.text.text == "script:short"


async def test_a_command_with_3_mb_of_output_comes_whole(source: ServerSource, live: Live) -> None:
    here = await workspace(source, live)
    result = await here.run("seq 1 450000; echo to the other >&2; exit 3", timeout=60)
    wanted = "".join(f"{n}\n" for n in range(1, 450_001))
    assert len(wanted) == 3_038_895
    assert result.stdout == wanted
    assert result.stderr == "to the other\n"
    assert result.exit_code == 3


async def test_the_shell_runs_what_is_typed_and_moves_with_cd(live: Live) -> None:
    async with connected(live.url) as it:
        await open_run(it, "About tour", live.tour)
        await it.send("exclamation_mark")
        await it.until(lambda: isinstance(it.app.screen, ShellScreen))
        shown = shell(it)

        async def run(command: str) -> str:
            shown.line.put(command)
            await it.send("enter")
            await it.until(lambda: not shown.waiting, 30)
            return shown.output.plain_text()

        assert "hello\nexit 7" in await run("echo hello; exit 7")
        await run("cd /")
        assert shown.shell.cwd == "/"
        assert "\n/\nexit 0" in await run("pwd")
        assert "exit" in await run("cd /no/such/folder")
        assert shown.shell.cwd == "/"


async def test_a_binary_file_put_and_got_is_the_same(
    source: ServerSource, live: Live, tmp_path: Path
) -> None:
    here = await workspace(source, live)
    sent = tmp_path / "noise.bin"
    sent.write_bytes(NOISE)
    path, there = await here.target(f"{tmp_path}/made/for/it/", sent.name)
    assert (path, there) == (f"{tmp_path}/made/for/it/noise.bin", None)
    told: list[int] = []
    assert await here.put(sent, path, lambda done, total: told.append(done)) == len(NOISE)
    assert told[-1] == len(NOISE)
    assert await here.size(path) == len(NOISE)
    assert await here.target(f"{tmp_path}/made/for/it", sent.name) == (path, len(NOISE))

    got = tmp_path / "got"
    got.mkdir()
    saved = await here.get(path, got, lambda done, total: told.append(total or 0))
    assert saved.read_bytes() == NOISE
    assert told[-1] == len(NOISE)
    with pytest.raises(Problem, match="File not found"):
        await here.get(f"{tmp_path}/none", got, lambda done, total: None)
    assert [one.name for one in got.iterdir()] == ["noise.bin"]


async def test_a_paused_sandbox_has_no_shell(source: ServerSource, live: Live) -> None:
    async with running_again(live):
        await ask(live, "pause")
        assert await status(live) == "PAUSED"
        with pytest.raises(Asleep):
            await workspace(source, live)
