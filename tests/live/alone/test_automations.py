"""Real automation servers, each beside the agent server that it is used with."""

# ruff: noqa: F403, F821
# mypy: disable-error-code=no-redef
from __future__ import annotations

import asyncio
import io
import tarfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from oh_tui.actions.automations import Automations
from oh_tui.api import BareAgentServer, Secret
from oh_tui.api.automation_models import Automation, AutomationRun
from oh_tui.catalog.automations import conversation_of, is_over
from tests.contract.automations.test_automations import *
from tests.contract.fixtures import ServerUnderTest

from ..servers.alone import KEY as SESSION_KEY
from ..servers.canvas import PREFIX, STACKS, CanvasStack, programs
from ..servers.model import ScriptedModel

pytestmark = [pytest.mark.live]

TRIGGER = {"type": "cron", "schedule": "0 3 * * *", "timezone": "Europe/Berlin"}

# of the demo alone
del test_an_agent_server_by_itself_has_none


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.parametrize("stack", [*STACKS], indirect=True, scope="session")


@pytest.fixture(scope="session")
def stack(
    request: pytest.FixtureRequest, folder: Path, model: ScriptedModel
) -> Iterator[CanvasStack]:
    version: str = request.param
    if not programs(version).joinpath("python").exists():
        pytest.skip(f"automation server {version} is not installed: see scripts/live_setup.py")
    made = CanvasStack(version, folder / f"canvas-{version}", folder / "work", model)
    yield made
    made.close()


@pytest.fixture
def server(stack: CanvasStack) -> ServerUnderTest:
    return ServerUnderTest(stack.url, None, Secret(SESSION_KEY))


@pytest.fixture
async def canvas(server: ServerUnderTest) -> AsyncIterator[BareAgentServer]:
    async with server.connect_alone() as api:
        yield api


async def made(server: ServerUnderTest, path: str, body: dict[str, Any]) -> str:
    async with server.wire() as wire:
        answer = await wire.post(f"{PREFIX}/v1{path}", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@pytest.fixture
async def automation(canvas: BareAgentServer, server: ServerUnderTest) -> Automation:
    """One of a prompt, which no test lets run to its end."""
    found = [one async for one in canvas.automations.all() if one.name == "nightly"]
    if found:
        return found[0]
    prompt = {"name": "nightly", "prompt": "Please do script:short", "trigger": TRIGGER}
    return await canvas.automations.get(await made(server, "/preset/prompt", prompt))


async def ended(api: BareAgentServer, automation: str, seconds: float) -> AutomationRun:
    async with asyncio.timeout(seconds):
        while True:
            (run,) = (await api.automations.runs(automation, limit=1)).runs
            if is_over(run):
                return run
            await asyncio.sleep(1)


async def test_a_setup_that_fails_has_a_log_and_no_conversation(
    canvas: BareAgentServer, server: ServerUnderTest
) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        setup = b"echo '[setup] no network here' >&2\nexit 7\n"
        for name, content in (("setup.sh", setup), ("main.py", b"print('not reached')\n")):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o755
            archive.addfile(info, io.BytesIO(content))
    async with server.wire() as wire:
        sent = await wire.post(
            f"{PREFIX}/v1/uploads",
            params={"name": "breaks"},
            content=data.getvalue(),
            headers={"Content-Type": "application/gzip"},
        )
    assert sent.status_code == 201, sent.text
    body = {
        "name": "breaks",
        "trigger": TRIGGER,
        "tarball_path": sent.json()["tarball_path"],
        "setup_script_path": "setup.sh",
        "entrypoint": "python3 main.py",
        "timeout": 60,
    }
    breaks = await made(server, "", body)
    await canvas.automations.dispatch(breaks)
    log = None
    async with asyncio.timeout(90):
        while log is None or log.exit_code is None:
            await asyncio.sleep(1)
            (run,) = (await canvas.automations.runs(breaks, limit=1)).runs
            log = await Automations({"": canvas}).log(run) if run.bash_command_id else None
    assert log.exit_code == 7 and "[setup] no network here" in log.text
    assert run.conversation_id is None
    # the server does not look before its deadline, and two minutes more
    assert run.status == "RUNNING"
    assert (await canvas.automations.cancel(run.id)).status == "CANCELLED"


@pytest.mark.slow
async def test_a_run_leads_to_its_conversation_by_the_tag(
    canvas: BareAgentServer, server: ServerUnderTest
) -> None:
    """Its script installs an SDK, which takes minutes the first time."""
    prompt = {"name": "short", "prompt": "Please do script:short", "trigger": TRIGGER}
    short = await made(server, "/preset/prompt", prompt)
    await canvas.automations.dispatch(short)
    run = await ended(canvas, short, 600)
    assert run.status == "COMPLETED", run
    loaded = (await canvas.search_conversations()).items
    found = conversation_of(run, loaded)
    assert found is not None and (found.tags or {})["automationrunid"] == run.id
    assert (found.tags or {})["automationname"] == "short"
