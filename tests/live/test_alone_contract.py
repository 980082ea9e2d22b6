"""The contract of an agent server that is the server, held against real ones of three
generations."""

# ruff: noqa: F401, F403
# mypy: disable-error-code=no-redef
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from oh_tui.api import BareAgentServer, Secret
from tests.contract.acting import Stage, StageAlone
from tests.contract.fixtures import ServerUnderTest
from tests.contract.test_agent_setup import (
    test_a_call_that_waits_is_not_run_by_condensing,
    test_a_profile_is_switched_to_or_the_version_says_why_not,
    test_a_question_is_answered_by_whatever_version,
    test_when_an_agent_asks_is_read_back,
)
from tests.contract.test_alone import *

from .conftest import Runs, every_version
from .servers.alone import KEY as ALONE_KEY
from .servers.model import NAME, ScriptedModel

pytestmark = [pytest.mark.live, every_version]


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
    body = {
        "agent": {
            "kind": "Agent",
            "llm": llm | {"usage_id": "agent", "num_retries": 0},
            "tools": tools,
        },
        "workspace": {"kind": "LocalWorkspace", "working_dir": str(folder / "work")},
    }
    return StageAlone(
        api, stage.prompts, None, stage.confirms, stage.ran, stage.sleep, stage.folder,
        stage.keeps_profile, stage.interrupts, agent_server=server, body=body,
    )  # fmt: skip
