"""What the model saw, against the SDKs themselves: the messages that they make of the same events,
and those that a model was really sent."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from oh_tui import runs as run_files
from oh_tui.api import AppServer
from oh_tui.sources.server import ServerSource
from oh_tui.trajectory.context.contexts import Contexts
from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.trajectory import Trajectory
from scripts.live_setup import CACHE
from tests.demo_runs import SLUGS, demo_events
from tests.trajectory.context.random_runs import RandomRun

from .conftest import Runs, every_version
from .servers.server import PYTHON
from .test_sources import loaded, one

pytestmark = pytest.mark.live

Body = dict[str, Any]

SCRIPTS = Path(__file__).parent / "sdk"

PYTHONS = {
    "1.9.1": CACHE / "venv-sdk-1.9.1" / "bin" / "python",
    "1.17.0": CACHE / "venv-agent-1.17.0" / "bin" / "python",
    "1.21.0": CACHE / "venv-cli-1.16.0" / "bin" / "python",
    "1.25.0": CACHE / "venv-sdk-1.25.0" / "bin" / "python",
    "1.26.0": CACHE / "venv-sdk-1.26.0" / "bin" / "python",
    "1.34.0": PYTHON,
    "1.58.2": CACHE / "venv-agent-1.58.2" / "bin" / "python",
}
"""Version of the SDK -> the Python that has it."""

NEWEST = "1.58.2"

TREES = ("1.34.0", "1.58.2")
"""Versions whose events name their parents."""

each_sdk = pytest.mark.parametrize("sdk", PYTHONS)


def run_by(sdk: str, script: str, folder: Path, *words: str, given: str = "") -> str:
    """Runs a script beside this file by the Python of an SDK, in an empty folder."""
    if not PYTHONS[sdk].exists():
        pytest.skip(f"SDK {sdk} is not installed: see scripts/live_setup.py")
    folder.mkdir(exist_ok=True)
    quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "OPENHANDS_SUPPRESS_BANNER": "1"}
    done = subprocess.run(
        [PYTHONS[sdk], SCRIPTS / script, *words],
        input=given,
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "HOME": str(folder), **quiet},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def compared(sdk: str, events: list[list[Body]], folder: Path) -> int:
    """Compares all contexts of runs with the messages of an SDK; returns how many there are."""
    for body in (body for run in events for body in run):
        seen = body.get("observation") or {}
        if saved := seen.get("full_output_save_dir"):
            seen["full_output_save_dir"] = saved.lstrip("/")  # it writes there
    told = json.loads(run_by(sdk, "context_oracle.py", folder, given=json.dumps(events)))
    count = 0
    for run, answers in zip(events, told, strict=True):
        assert "problem" not in answers, answers["problem"]
        found = contexts_of(run, sdk)
        if found.keeps_own_context:
            assert not found.answers
            continue
        assert {answer.event_id for answer in found.answers} == set(answers)
        for answer in found.answers:
            sent = list(map(bare, answers[answer.event_id]))
            assert list(map(bare, found.at(answer).dump())) == sent
        count += len(answers)
    return count


def contexts_of(events: list[Body], sdk: str) -> Contexts:
    run = Trajectory()
    run.extend(parse_event(json.dumps(body).encode()) for body in events)
    found = Contexts(run)
    found.written_by(sdk)
    return found


def bare(message: Body) -> Body:
    """A message without marks for the cache, empty lists, and how an old SDK is to send it."""
    sent = {"cache_prompt", "enable_truncation"}
    content = [{n: v for n, v in block.items() if n not in sent} for block in message["content"]]
    how = {"cache_enabled", "vision_enabled", "function_calling_enabled", "force_string_serializer",
           "send_reasoning_content"}  # fmt: skip
    left = {name: value for name, value in message.items() if name not in how and value != []}
    return left | {"content": content}


@each_sdk
def test_random_runs_have_the_messages_of_each_sdk(sdk: str, tmp_path: Path) -> None:
    made = [
        RandomRun(seed, is_tree=sdk in TREES and seed % 2 == 0, damage=seed % 3 * 0.07).make(60)
        for seed in range(80)
    ]
    assert compared(sdk, made, tmp_path / "empty") > 1_000


def test_the_runs_of_the_demo_have_the_messages_of_the_newest_sdk(tmp_path: Path) -> None:
    runs = [demo_events(slug) for slug in SLUGS]
    # the SDK starts anew for each answer
    events = [[event.body() for event in run] for run in runs if len(run) < 200]
    assert compared(NEWEST, events, tmp_path / "empty") > 100


@every_version
async def test_runs_of_a_server_have_the_messages_of_its_sdk(
    api: AppServer, runs: Runs, version: str, tmp_path: Path
) -> None:
    source = ServerSource(api, "live")
    events = []
    for name in (runs.tour, runs.priced, runs.refused):
        run = (await loaded(source, await one(source, name))).trajectory
        assert run is not None
        events.append([event.body() for event in run.events])
    assert compared(version, events, tmp_path / "empty") > 3


@each_sdk
def test_contexts_are_what_a_model_was_really_sent(sdk: str, tmp_path: Path) -> None:
    folder = tmp_path / "recorded"
    run_by(sdk, "context_recorder.py", folder, str(folder))
    requests = json.loads((folder / "requests.json").read_text())
    sent = {one["id"]: [without_cache(message) for message in one["messages"]] for one in requests}
    (kept,) = (folder / "kept").iterdir()
    run = run_files.open(kept)
    found = run.study.whole.contexts  # of both branches
    found.written_by(sdk)
    assert found.rules.is_certain
    for answer in found.answers:
        assert list(map(wire, found.at(answer).dump())) == sent[answer.response]
    kinds = [event.kind for event in run.events]
    assert kinds.count("Condensation") >= 3
    assert {"AgentErrorEvent", "UserRejectObservation"} <= set(kinds)
    assert len(found.answers) == (28 if sdk in TREES else 25)
    assert any("<response clipped>" in json.dumps(messages) for messages in sent.values())


def without_cache(message: Body) -> Body:
    content = message.get("content")
    left = {name: value for name, value in message.items() if name != "cache_control"}
    if isinstance(content, list):
        left["content"] = [
            {name: value for name, value in block.items() if name != "cache_control"}
            for block in content
        ]
    return left


def wire(message: Body) -> Body:
    """A message as it is sent to a model of the chat API that calls tools and sees images."""
    content: list[Body] = []
    for block in message["content"]:
        if block["type"] == "text":
            content.append(block)
        else:
            content += [{"type": "image_url", "image_url": {"url": u}} for u in block["image_urls"]]
    sent: Body = {"role": message["role"]}
    if calls := message.get("tool_calls"):
        content = [block for block in content if block.get("text", "an image").strip()]
        sent["tool_calls"] = [
            {
                "id": call["id"],
                "type": "function",
                "function": {"name": call["name"], "arguments": call["arguments"]},
            }
            for call in calls
        ]
    if content or not calls:
        sent["content"] = content
    if message["role"] == "tool":
        sent |= {"tool_call_id": message["tool_call_id"], "name": message["name"]}
    return sent
