"""Runs that real servers recorded run again there, with the recorded answers as their model."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from oh_tui import runs as run_files
from tests.processes import forked

from ..servers.alone import IN_SANDBOXES, KEY, AgentServerAlone
from ..servers.alone import python as python_of
from ..servers.model import NAME, PRICED, Answer, Call, ScriptedModel
from ..servers.scripts import NOTES
from ..servers.server import wait_for

pytestmark = pytest.mark.live

VERSIONS = ("1.17.0", IN_SANDBOXES, "1.58.2")

FAULTY = [
    Answer("", (Call("terminal", {"cmd": "ls"}),)),
    Answer("", (Call("file_editor", {"command": "view", "path": "relative.txt"}),)),
    Answer("Both were refused."),
]


@pytest.fixture(scope="module", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def server(version: str, folder: Path, model: ScriptedModel) -> Iterator[AgentServerAlone]:
    if not python_of(version).exists():
        pytest.skip(f"agent server {version} is not installed: see scripts/live_setup.py")
    model.scripts["faulty"] = FAULTY
    server = AgentServerAlone(version, folder / f"r{version}", folder / "work", model)
    yield server
    server.close()


class Client:
    def __init__(self, server: AgentServerAlone, folder: Path, version: str) -> None:
        self.version = version
        self.http = httpx.Client(
            base_url=f"{server.agent_url}/api",
            headers={"X-Session-API-Key": KEY},
            timeout=60,
            trust_env=False,
        )
        self.folder = folder

    def run(
        self, llm: dict[str, Any], *texts: str, condenser: bool = False, more: tuple[str, ...] = ()
    ) -> str:
        """Starts a conversation, says each text once the agent is done, and returns its id. Its
        context is condensed before each further text."""
        (self.folder / "work" / NOTES).unlink(missing_ok=True)
        llm = llm | {"num_retries": 0}
        tools = [{"name": name} for name in ("terminal", "file_editor", "task_tracker", *more)]
        agent: dict[str, Any] = {"kind": "Agent", "llm": llm | {"usage_id": "agent"}}
        agent["tools"] = tools
        if condenser:
            kind, own = "LLMSummarizingCondenser", llm | {"usage_id": "condenser"}
            agent["condenser"] = {"kind": kind, "llm": own, "keep_first": 2}
        body = {
            "agent": agent,
            "workspace": {"kind": "LocalWorkspace", "working_dir": str(self.folder / "work")},
            "initial_message": _message(texts[0]) | {"run": True},
        }
        identifier = str(
            self.http.post("/conversations", json=body).raise_for_status().json()["id"]
        )
        for text in texts[1:]:
            self._until_over(identifier)
            if condenser:
                self.http.post(f"/conversations/{identifier}/condense").raise_for_status()
            self.http.post(
                f"/conversations/{identifier}/events", json=_message(text) | {"run": True}
            ).raise_for_status()
        self._until_over(identifier)
        return identifier

    def _until_over(self, identifier: str) -> None:
        def over() -> bool:
            return self.status(identifier) in ("finished", "error", "stuck")

        wait_for(over, "the run to end", 120)

    def status(self, identifier: str) -> str:
        return str(self.http.get(f"/conversations/{identifier}").json()["execution_status"])

    def all(self) -> set[str]:
        found = self.http.get("/conversations/search").raise_for_status().json()["items"]
        return {one["id"] for one in found}

    def download(self, identifier: str, path: Path) -> Path:
        answer = self.http.get(f"/file/download-trajectory/{identifier}")
        path.write_bytes(answer.raise_for_status().content)
        return path


@pytest.fixture
def client(server: AgentServerAlone, folder: Path, version: str) -> Iterator[Client]:
    client = Client(server, folder, version)
    yield client
    client.http.close()


def _message(text: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": text}]}


class Served:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self._process, self._out = process, process.stdout
        head = json.loads(self._out.readline())
        self.llm = {
            "model": head["model"],
            "base_url": head["address"],
            "api_key": head["api_key"],
        }

    def ended(self) -> tuple[int, list[dict[str, Any]]]:
        """Its exit code and the lines that it printed, the sum last."""
        self._process.send_signal(2)
        out, _ = self._process.communicate(timeout=30)
        return self._process.returncode, [json.loads(line) for line in out.splitlines()]


@contextlib.contextmanager
def served(path: Path, *words: str) -> Iterator[Served]:
    command = [sys.executable, "-m", "oh_tui", "replay", str(path), "--serve", "--json", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Served(process)
        finally:
            process.kill()


def said(path: Path) -> list[Any]:
    """What the model of a run said: each message, each call with its arguments."""
    found = []
    for event in run_files.open(path).events:
        body = event.body()
        if event.is_action:
            found.append((event.tool_call_id, body["tool_call"]))
        elif event.is_message:
            found.append((event.source, body["llm_message"]["content"]))
    return found


def lost_lines(one: dict[str, Any]) -> bool:
    """Whether the terminal tool says of one of two results that it lost lines, as it does under
    load."""
    lost = "[Previous command outputs are truncated"
    return any(lost in (one[side] or "") for side in ("now", "recorded"))


KINDS: dict[str, tuple[tuple[str, ...], bool, bool]] = {
    "terminal, editor, parallel calls": (("Please do script:tour",), False, False),
    "bad arguments": (("script:faulty",), False, False),
    "condensation": (("script:short", "Again script:short"), True, False),
    "text with three turns": (("script:reply", "Again script:reply", "script:reply 3"), False,
                              False),
    "streaming": (("script:short",), False, True),
}  # fmt: skip
"""What is said, whether its context is condensed, and whether its model streams."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_runs_again_as_recorded(
    client: Client, model: ScriptedModel, tmp_path: Path, kind: str
) -> None:
    texts, condenses, streams = KINDS[kind]
    if streams and client.version == "1.17.0":
        pytest.skip("a conversation of 1.17.0 gets no answer from a model that streams")
    llm = {"model": NAME, "api_key": "sk-scripted", "base_url": model.url, "stream": streams}
    first = client.download(client.run(llm, *texts, condenser=condenses), tmp_path / "first.zip")
    with served(first, "--written-by", client.version) as serving:
        again = client.run(serving.llm | {"stream": streams}, *texts, condenser=condenses)
        code, lines = serving.ended()
    second = client.download(again, tmp_path / "second.zip")
    *requests, total = lines
    assert said(second) == said(first), json.dumps(lines, indent=1)
    assert total["given"] == total["answers"], total
    assert not [one for one in requests if one["refused"]]
    new = [difference for one in requests for difference in one["new"]]
    real = [one for one in new if one["how"] == "real" and not lost_lines(one)]
    assert not real, json.dumps(real, indent=1)
    assert code == (3 if total["parted"] else 0)
    condensed = any(event.kind == "Condensation" for event in run_files.open(first).events)
    assert condensed == condenses


@pytest.mark.parametrize("kind", ["terminal, editor, parallel calls", "text with three turns"])
def test_a_command_runs_it_again_and_says_what_its_user_said(
    server: AgentServerAlone, client: Client, model: ScriptedModel, tmp_path: Path, kind: str
) -> None:
    texts, _, _ = KINDS[kind]
    llm = {"model": NAME, "api_key": "sk-scripted", "base_url": model.url}
    first = client.download(client.run(llm, *texts), tmp_path / "first.zip")
    work = client.folder / "work"
    (work / NOTES).unlink(missing_ok=True)
    words = ("replay", first, "--on", server.agent_url, "--written-by", client.version)
    key = {"OPENHANDS_API_KEY": KEY}
    asked = forked(*words, **key)
    assert asked.returncode == 2 and f"again in {work}" in asked.stderr, asked.stderr
    done = forked(*words, "--workspace", work, "--yes", "--json", **key)
    *lines, total = map(json.loads, done.stdout.splitlines())
    assert total["given"] == total["answers"] and total["ended"] == "finished", done
    second = client.download(total["conversation"], tmp_path / "second.zip")
    assert said(second) == said(first)
    new = [difference for one in lines for difference in one["new"]]
    assert not [one for one in new if one["how"] == "real" and not lost_lines(one)], new
    assert done.returncode == (3 if total["parted"] else 0)


def test_sub_agents_get_the_answers_of_theirs(
    server: AgentServerAlone, client: Client, model: ScriptedModel, tmp_path: Path
) -> None:
    if client.version == "1.17.0":
        pytest.skip("agents of 1.17.0 have no tool for tasks")
    llm = {"model": NAME, "api_key": "sk-scripted", "base_url": model.url}
    identifier = client.run(llm, "Please do script:parent", more=("task_tool_set",))
    first = client.download(identifier, tmp_path / "first.zip")
    below = list(run_files.open(first).study.sub_runs.all())
    assert len(below) == 2
    (client.folder / "work" / NOTES).unlink(missing_ok=True)
    words = ("replay", first, "--on", server.agent_url, "--written-by", client.version)
    more = ("--workspace", client.folder / "work", "--yes", "--json")
    done = forked(*words, *more, OPENHANDS_API_KEY=KEY)
    *lines, total = map(json.loads, done.stdout.splitlines())
    assert total["given"] == total["answers"] > 4 and total["ended"] == "finished", done
    steps = [one["step"] for one in lines if one["match"]]
    for one in below:
        assert any(step.startswith(one.path) for step in steps), steps
    second = client.download(total["conversation"], tmp_path / "second.zip")
    assert said(second) == said(first)
    new = [difference for one in lines for difference in one["new"]]
    assert not [one for one in new if one["how"] == "real" and not lost_lines(one)], new


def test_another_model_goes_on_from_there(
    server: AgentServerAlone, client: Client, model: ScriptedModel, tmp_path: Path
) -> None:
    llm = {"model": NAME, "api_key": "sk-scripted", "base_url": model.url}
    first = client.download(client.run(llm, "Please do script:tour"), tmp_path / "first.zip")
    if client.version != "1.17.0":
        kept = {"llm": llm | {"model": PRICED}}
        client.http.post("/profiles/other", json=kept).raise_for_status()
    (client.folder / "work" / NOTES).unlink(missing_ok=True)
    words = ("replay", first, "--on", server.agent_url, "--written-by", client.version)
    more = (
        "--workspace",
        client.folder / "work",
        "--yes",
        "--json",
        "--until",
        "2",
        "--stop-at",
        "9",
    )
    done = forked(*words, *more, "--then", "other", OPENHANDS_API_KEY=KEY)
    if client.version == "1.17.0":
        assert done.returncode == 2 and "cannot keep profiles" in done.stderr, done.stderr
        return
    *lines, total = map(json.loads, done.stdout.splitlines())
    assert total["given"] == total["answers"] == 2 and total["ended"] == "finished", done
    assert total["cost"] > 0  # the record's model has no price
    assert [one["step"] for one in lines if one["match"]] == ["2", lines[-1]["step"]]
    second = client.download(total["conversation"], tmp_path / "second.zip")
    once, again = (
        [event.llm_response_id for event in run_files.open(path).events if event.is_answer]
        for path in (first, second)
    )
    assert len(once) == len(again)  # the script is the same
    shared = [one for one in dict.fromkeys(again) if one in once]
    assert len(shared) == 2
    unknown = forked(*words, *more, "--then", "nobody", OPENHANDS_API_KEY=KEY)
    assert unknown.returncode == 2 and "it keeps other" in unknown.stderr


def test_a_revision_is_cloned_for_it(
    server: AgentServerAlone, client: Client, model: ScriptedModel, tmp_path: Path
) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / "a.txt").write_text("as it was\n")
    git = ["git", "-C", str(repository), "-c", "user.name=A", "-c", "user.email=a@example.com"]
    for step in (["init", "-qb", "main"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *step], check=True)
    llm = {"model": NAME, "api_key": "sk-scripted", "base_url": model.url}
    first = client.download(client.run(llm, "script:short"), tmp_path / "first.zip")
    place = tmp_path / "a new place"
    words = ("replay", first, "--on", server.agent_url, "--written-by", client.version, "--git")
    more = ("--workspace", place, "--yes", "--json")
    done = forked(*words, f"{repository}@main", *more, OPENHANDS_API_KEY=KEY)
    assert json.loads(done.stdout.splitlines()[-1])["ended"] == "finished", done
    assert (place / "a.txt").read_text() == "as it was\n"
    known = client.all()
    again = forked(*words, f"{repository}@main", *more, OPENHANDS_API_KEY=KEY)
    assert again.returncode == 2 and "not an empty directory" in again.stderr
    assert client.all() == known


def test_ctrl_c_stops_the_agent_that_was_started(
    server: AgentServerAlone, client: Client, model: ScriptedModel, tmp_path: Path
) -> None:
    if client.version == "1.17.0":
        pytest.skip("an agent of 1.17.0 cannot be interrupted")
    llm = {"model": NAME, "api_key": "sk-scripted", "base_url": model.url}
    first = client.download(client.run(llm, "script:long"), tmp_path / "first.zip")
    known = client.all()
    words = ("replay", first, "--on", server.agent_url, "--workspace", client.folder / "work")
    command = [sys.executable, "-m", "oh_tui", *map(str, words), "--yes"]
    environment = os.environ | {"OPENHANDS_API_KEY": KEY}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            while not process.stdout.readline().startswith("step"):
                assert process.poll() is None
            process.send_signal(2)
            process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 130
    (started,) = client.all() - known

    def stopped() -> bool:
        return client.status(started) == "paused"

    wait_for(stopped, "the agent to be paused", 5)
