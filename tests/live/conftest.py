"""Fixtures of the live tests: real servers with runs in them, started once and taken down."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from oh_tui.api import AppServer, Conversation
from oh_tui.demo.world import AgentVersion
from tests.contract.acting import Prompts, Stage
from tests.contract.fixtures import ServerUnderTest, agent, api, every_version, run, wire

from .servers.alone import IN_SANDBOXES, KEY, AgentServerAlone
from .servers.alone import python as python_of
from .servers.front import SANDBOX
from .servers.model import PRICED, ScriptedModel
from .servers.scripts import ENOUGH, NOTES, PROOF, scripts
from .servers.server import PYTHON, LiveServer, keep_logs, temporary_folder

__all__ = ["agent", "api", "every_version", "run", "wire"]

LOGS = pytest.StashKey[list[str]]()


@pytest.fixture
def unpaced() -> None:
    """Real servers delay and refuse what comes faster."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of a version share a worker: its servers are started once, and the versions, where
    most of the time is waiting, run side by side."""
    for item in items:
        if isinstance(item, pytest.Function) and item.get_closest_marker("live"):
            given = item.callspec.params if hasattr(item, "callspec") else {}
            group = given.get("version") or given.get("stack") or IN_SANDBOXES
            item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture
def without_git_token() -> None:
    """Real servers are started without one."""


@pytest.fixture
def process_sandboxes() -> None:
    """Theirs are processes."""


@dataclass(frozen=True)
class Runs:
    """A real server and the ids of the conversations on it, all in one running sandbox."""

    url: str
    tour: str
    """Finished: see the script of that name."""
    priced: str
    """Finished, with a model that has a price; on an app server a sub-conversation of the tour."""
    refused: str
    """Ended in an error: the model did not take the key."""
    sandbox: str
    """The id of the sandbox that they are in."""
    agent_url: str = ""
    """The address of an agent server that was started alone; `url` is that of the one before it
    that tells of it as an app server does."""


@dataclass(frozen=True)
class Live(Runs):
    """An app server with an agent server of 1.34.0 in each sandbox."""

    server: LiveServer = field(kw_only=True)


@pytest.fixture(scope="session")
def folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    """Everything the servers write; when a test failed, the logs are kept and named."""
    if not PYTHON.exists():
        pytest.exit("the real server is not installed: run scripts/live_setup.py", returncode=4)
    downloads = set(Path("/tmp").glob("browser-use-downloads-*"))
    folder = temporary_folder()
    yield folder
    if request.session.testsfailed:
        kept = str(keep_logs(folder))
        if hasattr(request.config, "workeroutput"):
            request.config.workeroutput["logs"] = kept
        else:
            request.config.stash[LOGS] = [kept]
    shutil.rmtree(folder, ignore_errors=True)
    # the browser tool makes these, and nothing can tell it where
    for made in set(Path("/tmp").glob("browser-use-downloads-*")) - downloads:
        shutil.rmtree(made, ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    if logs := getattr(node, "workeroutput", {}).get("logs"):
        node.config.stash.setdefault(LOGS, []).append(logs)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for logs in terminalreporter.config.stash.get(LOGS, []):
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
        (folder / "work" / NOTES).unlink(missing_ok=True)
        tour = server.start("Please do script:tour")
        server.wait_until_over(tour)
        child = server.start("script:short", parent_conversation_id=tour, llm_model=PRICED)
        server.wait_until_over(child)
        sandbox = str(server.conversation(tour)["sandbox_id"])
        refused = server.start("script:refused", sandbox_id=sandbox)
        server.wait_until_over(refused)
        yield Live(server.url, tour, child, refused, sandbox, server=server)
    finally:
        server.close()


@pytest.fixture(scope="session")
def alone(folder: Path, model: ScriptedModel) -> Iterator[Callable[[str], Runs]]:
    """Agent servers without an app server by their version, each started at its first use."""
    with contextlib.ExitStack() as stack:

        def started(version: str) -> Runs:
            server = AgentServerAlone(version, folder / version, folder / "work", model)
            stack.callback(server.close)
            (folder / "work" / NOTES).unlink(missing_ok=True)
            tour = server.run("Please do script:tour")
            priced = server.run("script:short", model=PRICED)
            refused = server.run("script:refused")
            return Runs(server.url, tour, priced, refused, SANDBOX, server.agent_url)

        made: dict[str, Runs | Exception] = {}

        def runs(version: str) -> Runs:
            if not python_of(version).exists():
                pytest.skip(f"agent server {version} is not installed: see scripts/live_setup.py")
            if version not in made:
                try:
                    made[version] = started(version)
                except Exception as error:  # told once more to each test, instead of tried again
                    made[version] = error
            found = made[version]
            if isinstance(found, Exception):
                raise found
            return found

        yield runs


@pytest.fixture
def version(request: pytest.FixtureRequest) -> str:
    """Of the agent server; a test may have it as its parameter."""
    return getattr(request, "param", IN_SANDBOXES)


@pytest.fixture
def runs(version: str, request: pytest.FixtureRequest) -> Runs:
    """The server that the test is about."""
    if version == IN_SANDBOXES:
        live: Live = request.getfixturevalue("live")
        return live
    alone: Callable[[str], Runs] = request.getfixturevalue("alone")
    return alone(version)


@pytest.fixture
def server(runs: Runs) -> ServerUnderTest:
    """What the contract is held against."""
    return ServerUnderTest(runs.url)


@pytest.fixture
def stage(folder: Path, runs: Runs, api: AppServer, version: str, model: ScriptedModel) -> Stage:
    """What the contract of the calls that act is held against."""
    proof = folder / "work" / PROOF

    async def confirms(conversation: Conversation) -> None:
        key = conversation.session_api_key  # none where the agent server is the server
        async with httpx.AsyncClient() as client:
            answer = await client.post(
                f"{conversation.conversation_url}/confirmation_policy",
                headers={"X-Session-API-Key": key.reveal() if key else KEY},
                json={"policy": {"kind": "AlwaysConfirm"}},
            )
        answer.raise_for_status()
        proof.unlink(missing_ok=True)

    async def keeps_profile(conversation: Conversation, name: str) -> None:
        """On the agent server; an app server has its own profiles."""
        key = conversation.session_api_key
        base, _, _ = (conversation.conversation_url or "").partition("/api/conversations/")
        llm = {"model": PRICED, "base_url": model.url, "api_key": "sk-scripted"}
        headers = {"X-Session-API-Key": key.reveal() if key else KEY}
        async with httpx.AsyncClient(headers=headers, trust_env=False) as client:
            places = [f"{base}/api/profiles/{name}"]
            if not runs.agent_url:
                places.append(f"{runs.url}/api/v1/settings/profiles/{name}")
            for place in places:
                answer = await client.post(place, json={"llm": llm})
                assert answer.is_success, answer.text

    def ran(conversation: Conversation) -> bool:
        return proof.exists()

    return Stage(
        api,
        Prompts("script:short", "script:slow", "script:gated", "script:reply", "script:thinks"),
        runs.sandbox,
        confirms,
        ran,
        asyncio.sleep,
        str(folder / "work" / "put"),
        keeps_profile,
        interrupts=version != AgentVersion.OLD,
    )


@dataclass(frozen=True)
class Patient:
    """A conversation whose agent is in a call that lasts until `end`, however slow the machine."""

    conversation: Conversation
    enough: Path

    def end(self) -> None:
        self.enough.touch()


@pytest.fixture
async def patient(stage: Stage, folder: Path) -> AsyncIterator[Patient]:
    enough = folder / "work" / ENOUGH
    enough.unlink(missing_ok=True)
    conversation = await stage.started("script:patient")

    async def calls() -> bool:
        return "ActionEvent" in await stage.kinds(conversation)

    await stage.until(calls)
    yield Patient(conversation, enough)
    enough.touch()


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
