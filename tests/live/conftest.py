"""Fixtures of the live tests: real servers with runs in them, started once and taken down."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from oh_tui.api import AppServer, Conversation
from tests.contract.acting import Prompts, Stage
from tests.contract.fixtures import ServerUnderTest, api, run, wire

from .model import PRICED, ScriptedModel
from .scripts import PROOF, scripts
from .server import PYTHON, LiveServer, keep_logs, temporary_folder

__all__ = ["api", "run", "wire"]

LOGS = pytest.StashKey[Path]()


@dataclass(frozen=True)
class Live:
    """A real server and the ids of the conversations on it, all in one running sandbox."""

    server: LiveServer
    tour: str
    """Finished: see the script of that name."""
    child: str
    """Finished: a sub-conversation of the tour, with a model that has a price."""
    refused: str
    """Ended in an error: the model did not take the key."""
    sandbox: str
    """The id of the sandbox that they are in."""

    @property
    def url(self) -> str:
        return self.server.url


@pytest.fixture(scope="session")
def folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    """Everything the servers write; when a test failed, the logs are kept and named."""
    if not PYTHON.exists():
        pytest.exit("the real server is not installed: run scripts/live_setup.py", returncode=4)
    downloads = set(Path("/tmp").glob("browser-use-downloads-*"))
    folder = temporary_folder()
    yield folder
    if request.session.testsfailed:
        request.config.stash[LOGS] = keep_logs(folder)
    shutil.rmtree(folder, ignore_errors=True)
    # the browser tool makes these, and nothing can tell it where
    for made in set(Path("/tmp").glob("browser-use-downloads-*")) - downloads:
        shutil.rmtree(made, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    logs = terminalreporter.config.stash.get(LOGS, None)
    if logs is not None:
        terminalreporter.write_line(f"What the servers logged is in {logs}")


@pytest.fixture(scope="session")
def model(folder: Path) -> Iterator[ScriptedModel]:
    (folder / "work").mkdir()
    model = ScriptedModel(scripts(folder / "work"))
    yield model
    model.close()


@pytest.fixture(scope="session")
def live(folder: Path, model: ScriptedModel) -> Iterator[Live]:
    """The server that most tests share."""
    server = LiveServer(folder / "main")
    try:
        server.use_model(model.url)
        tour = server.start("Please do script:tour")
        server.wait_until_over(tour)
        child = server.start("script:short", parent_conversation_id=tour, llm_model=PRICED)
        server.wait_until_over(child)
        sandbox = str(server.conversation(tour)["sandbox_id"])
        refused = server.start("script:refused", sandbox_id=sandbox)
        server.wait_until_over(refused)
        yield Live(server, tour, child, refused, sandbox)
    finally:
        server.close()


@pytest.fixture
def server(live: Live) -> ServerUnderTest:
    """What the contract is held against."""
    return ServerUnderTest(live.url)


@pytest.fixture
def stage(folder: Path, live: Live, api: AppServer) -> Stage:
    """What the contract of the calls that act is held against."""
    proof = folder / "work" / PROOF

    async def confirms(conversation: Conversation) -> None:
        assert conversation.session_api_key is not None
        async with httpx.AsyncClient() as client:
            answer = await client.post(
                f"{conversation.conversation_url}/confirmation_policy",
                headers={"X-Session-API-Key": conversation.session_api_key.reveal()},
                json={"policy": {"kind": "AlwaysConfirm"}},
            )
        answer.raise_for_status()
        proof.unlink(missing_ok=True)

    def ran(conversation: Conversation) -> bool:
        return proof.exists()

    return Stage(
        api,
        Prompts("script:short", "script:slow", "script:gated", "script:reply", "script:thinks"),
        live.sandbox,
        confirms,
        ran,
        asyncio.sleep,
        str(folder / "work" / "put"),
    )


@pytest.fixture(scope="session")
def deaf(folder: Path, model: ScriptedModel) -> Iterator[tuple[LiveServer, str]]:
    """A server that never hears of events, and a finished conversation on it."""
    server = LiveServer(folder / "deaf", webhook=False)
    try:
        server.use_model(model.url)
        conversation = server.start("script:short")
        server.wait_until_over(conversation)
        yield server, conversation
    finally:
        server.close()


@pytest.fixture(scope="session")
def locked(folder: Path) -> Iterator[LiveServer]:
    """A server that wants a key."""
    server = LiveServer(folder / "locked", key="key-of-the-live-tests")
    yield server
    server.close()
