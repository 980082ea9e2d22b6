"""The contract of an agent server that is the server, held against real ones of three
generations."""

# ruff: noqa: F401, F403
# mypy: disable-error-code=no-redef
import asyncio
import dataclasses
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from oh_tui.api import BareAgentServer, Conversation, Secret
from oh_tui.demo.world import AgentVersion
from tests.contract.acting import Stage, StageAlone
from tests.contract.fixtures import VERSIONS, ServerUnderTest
from tests.contract.test_agent_setup import (
    test_a_call_that_waits_is_not_run_by_condensing,
    test_a_profile_is_switched_to_or_the_version_says_why_not,
    test_a_question_is_answered_by_whatever_version,
    test_when_an_agent_asks_is_read_back,
)
from tests.contract.test_alone import *
from tests.processes import forked

from .conftest import Runs
from .servers.alone import KEY as ALONE_KEY
from .servers.model import NAME, ScriptedModel

pytestmark = [pytest.mark.live]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each version; what is written here, below, is seen on one more."""
    more = [AgentVersion.WHOLE] if metafunc.function.__module__ == __name__ else []
    metafunc.parametrize("version", [*VERSIONS, *more], indirect=True, ids=str)


@pytest.fixture
def runs(version: str, alone: Callable[[str], Runs]) -> Runs:
    """Every version without an app server, also the one that has one elsewhere."""
    return alone(version)


@pytest.fixture
def server(runs: Runs) -> ServerUnderTest:
    return ServerUnderTest(runs.agent_url, None, Secret(ALONE_KEY))


@pytest.fixture
def stage(
    stage: Stage, api: BareAgentServer, server: ServerUnderTest, folder: Path, model: ScriptedModel
) -> Stage:
    llm = {"model": NAME, "api_key": "sk-scripted", "base_url": model.url}
    kept = {"agent_settings_diff": {"llm": llm}}
    headers = {"X-Session-API-Key": ALONE_KEY}
    answer = httpx.patch(f"{server.url}/api/settings", json=kept, headers=headers, timeout=60)
    assert answer.is_success or answer.status_code == 404  # 1.17.0 keeps nothing
    tools = [{"name": name} for name in ("terminal", "file_editor", "task_tracker")]
    once = llm | {"num_retries": 0}
    body = {
        "agent": {
            "kind": "Agent",
            "llm": once | {"usage_id": "agent"},
            "tools": tools,
            "condenser": {
                "kind": "LLMSummarizingCondenser",
                "llm": once | {"usage_id": "condenser"},
            },
        },
        "workspace": {"kind": "LocalWorkspace", "working_dir": str(folder / "work")},
    }
    return StageAlone(
        api, stage.prompts, None, stage.confirms, stage.ran, stage.sleep, stage.folder,
        stage.keeps_profile, stage.interrupts, agent_server=server, body=body,
    )  # fmt: skip


async def condensed(
    stage: StageAlone,
) -> tuple[subprocess.CompletedProcess[str], Conversation]:
    conversation = await stage.started(stage.prompts.short)
    await stage.until_over(conversation)
    words = ("agent", conversation.id, "--condense", "--yes", "--json")
    at = ("--server", stage.agent_server.url)
    done = await asyncio.to_thread(forked, *words, *at, OPENHANDS_API_KEY=ALONE_KEY)
    return done, conversation


async def test_it_says_how_many_events_the_server_let_the_agent_forget(stage: StageAlone) -> None:
    done, conversation = await condensed(stage)
    assert done.returncode == 0, done.stderr
    (made,) = [one for one in await stage.events(conversation) if one.kind == "Condensation"]
    gone = made.body()["forgotten_event_ids"]
    assert gone and made.body()["summary"]
    assert json.loads(done.stdout)["done"] == f"condensed: {len(gone)} events forgotten"
    assert await stage.status(conversation) == "finished"


async def test_an_agent_without_a_condenser_is_refused(stage: StageAlone) -> None:
    agent = {key: value for key, value in stage.body["agent"].items() if key != "condenser"}
    done, conversation = await condensed(
        dataclasses.replace(stage, body=stage.body | {"agent": agent})
    )
    assert done.returncode == 1 and "This agent has no condenser" in done.stderr
    assert "CondensationRequest" not in await stage.kinds(conversation)
