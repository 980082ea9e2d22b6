"""A run that runs again from the explorer, on an agent server whose agent is played here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import httpx
import pytest
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from oh_tui.actions import replaying
from oh_tui.api import BareAgentServer
from oh_tui.demo.catalog import ENTRIES
from oh_tui.settings.startup import Settings
from oh_tui.sources.agent_server import AgentServerSource
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.source import Source
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.glyphs import UNICODE
from oh_tui.trajectory.replay.check import check
from oh_tui.trajectory.replay.record import records_of
from oh_tui.trajectory.replay.recorded_model import RecordedModel
from oh_tui.tui.screens.comparison.screen import CompareScreen
from oh_tui.tui.state.replays import Replay
from tests.api.servers import AT_ONCE
from tests.demo_runs import demo_run
from tests.hostile.kinds import write_zip
from tests.trajectory.replay.made import body_at, request
from tests.tui.acting.test_agent_server import an_agent_server
from tests.tui.explorer import Explorer, explore

TITLE = "Parse ISO week dates"
RECORD = str(next(entry.id for entry in ENTRIES if entry.title == TITLE))


def dashed(identifier: str) -> str:
    return "-".join(
        (identifier[:8], identifier[8:12], identifier[12:16], identifier[16:20], identifier[20:])
    )


COPY = f"{1:032x}"


def bare(text: str) -> str:
    return text.replace("-", "")


@dataclass
class Twin:
    """Stands before an agent server. What is started is a copy of the recorded run, of which it
    answers as of that."""

    status: str = "running"
    begun: dict[str, Any] = field(default_factory=dict)
    """What the start was asked with; {} before."""
    is_dead: bool = False
    study: Any = None
    """Of the recorded run."""

    def __call__(self, app: ASGIApp) -> ASGIApp:
        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            call = f"{scope.get('method')} {scope['path']}"
            if self.is_dead:
                await Response("disk on fire", 500)(scope, receive, send)
                return
            query = parse_qs(scope.get("query_string", b"").decode())
            ids = query.get("ids", [])
            of_copy = COPY in bare(scope["path"])
            if call == "POST /api/conversations":
                self.begun, of_copy = json.loads(await body_of(receive)), True
                scope = {**scope, "method": "GET", "path": f"/api/conversations/{RECORD}"}
            if call.endswith(("/interrupt", "/pause")):
                self.status = "paused"
            query["ids"] = [RECORD if bare(one) == COPY else one for one in ids]
            path = scope["path"].replace(COPY, RECORD).replace(dashed(COPY), RECORD)
            scope = {
                **scope,
                "path": path,
                "raw_path": path.encode(),
                "query_string": urlencode(query, doseq=True).encode(),
            }
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            head, body = await answered(app, scope, receive)
            if of_copy:
                body = self.copied(body)
            elif COPY in map(bare, ids) or scope["path"].endswith("/conversations/search"):
                body = self.listed(json.loads(body), ids)
            head["headers"] = [one for one in head["headers"] if one[0] != b"content-length"]
            await send(head)
            await send({"type": "http.response.body", "body": body})

        return serve

    def copied(self, body: bytes) -> bytes:
        text: str = body.decode().replace(dashed(RECORD), dashed(COPY)).replace(RECORD, COPY)
        return text.replace(
            '"execution_status":"stuck"', f'"execution_status":"{self.status}"'
        ).encode()

    def listed(self, found: Any, ids: list[str]) -> bytes:
        if ids:
            rows = [
                self.row(row) if bare(one) == COPY else row
                for one, row in zip(ids, found, strict=True)
            ]
            return json.dumps(rows).encode()
        if self.begun:
            found["items"] += [self.row(row) for row in found["items"] if bare(row["id"]) == RECORD]
        return json.dumps(found).encode()

    def row(self, row: dict[str, Any]) -> dict[str, Any]:
        return row | {"id": dashed(COPY), "execution_status": self.status}

    async def asks(self, it: Explorer, number: int, result: str = "") -> httpx.Response:
        """Its agent asks for the answer of this place, the last result before it being another."""
        body = body_at(self.study, number)
        if result:
            body["messages"][-1]["content"] = result
        llm = self.begun["agent"]["llm"]
        return await asyncio.to_thread(
            httpx.post,
            f"{llm['base_url']}/chat/completions",
            json=body,
            headers={"Authorization": f"Bearer {llm['api_key']}"},
            trust_env=False,
            timeout=20,
        )


async def body_of(receive: Receive) -> bytes:
    found: bytes = b""
    while True:
        message = await receive()
        found += message.get("body", b"")
        if not message.get("more_body"):
            return found


async def answered(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
    kept: list[Message] = []

    async def keep(message: Message) -> None:
        kept.append(message)

    await app(scope, receive, keep)
    return kept[0], b"".join(one.get("body", b"") for one in kept[1:])


@asynccontextmanager
async def on_record(
    size: tuple[int, int] = (160, 48),
    settings: Settings | None = None,
    connect: Callable[[Settings], Source] | None = None,
) -> AsyncIterator[tuple[Explorer, Twin]]:
    """The explorer on the recorded run."""
    twin = Twin()

    def make() -> AgentServerSource:
        api = BareAgentServer("http://127.0.0.1:9", app=twin(an_agent_server()), retries=AT_ONCE)
        return AgentServerSource(api, "here", address="http://127.0.0.1:9")

    async with explore(source=make, size=size, settings=settings, connect=connect) as it:
        await it.open(TITLE)
        await it.until(lambda: it.screen.timeline.study)
        twin.study = it.screen.timeline.study
        yield it, twin


async def start(it: Explorer, twin: Twin) -> None:
    await it.screen.run_action("replays.run")
    await it.until(lambda: it.screen.asking.question_bar.is_seen)
    await it.press("y", "enter")
    await it.until(lambda: twin.begun)
    await it.until(lambda: it.screen.session.replayed and it.screen.timeline.study)


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "POLL", 0.02)


def result_before(study: Any, number: int) -> int:
    """The step whose result the request for this answer has last."""
    return int(study.contexts.at(study.contexts.answers[number]).messages[-1].steps[0])


@pytest.mark.parametrize("size", [(160, 48), (80, 24)])
async def test_a_step_that_differs_has_a_sign_and_opens_beside_the_record(
    size: tuple[int, int],
) -> None:
    async with on_record(size) as (it, twin):
        await start(it, twin)
        rule = "#timeline-rule"
        for number in range(3):
            assert (await twin.asks(it, number)).status_code == 200
        await it.until(lambda: "as recorded so far · 3 of " in it.text(rule))
        assert UNICODE.parted not in it.text("#timeline")
        step = result_before(twin.study, 3)
        await twin.asks(it, 3, "quite another result")
        await it.until(lambda: f"differs: the result of step {step} · 4 of " in it.text(rule))
        timeline = it.screen.timeline
        timeline.go_to_step(step)
        await it.settle()
        assert it.text("#timeline").count(UNICODE.parted) == 1
        assert "both results" in it.footer
        await it.press("enter")
        view = it.app.screen
        assert isinstance(view, CompareScreen)
        await it.until(lambda: view.view == "both")
        assert view.steps.current and view.steps.current.b
        assert view.steps.current.b.number == step
        await it.press("escape", "escape")
        timeline.go_to_step(step + 1)
        await it.settle()
        assert "both results" not in it.footer
        twin.status = "finished"
        await it.until(lambda: "replayed: differs" in it.footer)


async def test_the_question_names_calls_files_and_folder_and_takes_another() -> None:
    async with on_record() as (it, twin):
        await it.screen.run_action("replays.run")
        await it.until(lambda: it.screen.asking.question_bar.is_seen)
        asked = it.text("#question")
        assert "again in /workspace/dates, on here agent server" in asked
        assert "is missing there" in asked and "step " in asked
        await it.press("f")
        assert it.screen.asking.find_input.value == "/workspace/dates"
        for typed, wrong in (
            ("work", "is no path from the root on"),
            ("/", "/ is the whole machine"),
            ("/tmp/x a=b", "does not name two folders"),
        ):
            it.screen.asking.find_input.value = typed
            await it.press("enter")
            await it.until(lambda: wrong in it.text("#asked"))  # noqa: B023
        it.screen.asking.find_input.value = "/tmp/x /srv/a=/srv/b"
        await it.press("enter")
        await it.until(lambda: "again in /tmp/x" in it.text("#question"))
        assert "/srv/a=/srv/b" in it.text("#question")
        await it.press("y", "enter")
        await it.until(lambda: twin.begun)
        assert twin.begun["workspace"]["working_dir"] == "/tmp/x"
        assert twin.begun["agent"]["llm"]["base_url"].startswith("http://127.0.0.1:")


async def test_a_no_starts_nothing() -> None:
    async with on_record() as (it, twin):
        await it.screen.run_action("replays.run")
        await it.until(lambda: it.screen.asking.question_bar.is_seen)
        await it.press("escape")
        assert not twin.begun and it.screen.session.replay is None


@pytest.mark.parametrize("key", ["escape", "ctrl+q"])
async def test_esc_and_quit_ask_and_stop_what_was_started(key: str) -> None:
    async with on_record((80, 24)) as (it, twin):
        await start(it, twin)
        await twin.asks(it, 0)
        await it.send(key)
        await it.until(lambda: it.screen.asking.question_bar.is_seen)
        asked = it.text("#question")
        assert ("Stop the replay" if key == "escape" else "whose agent stops then") in asked
        if key == "escape":
            assert "as recorded so far" in asked
        assert twin.status == "running"
        await it.send("enter")
        await it.until(lambda: twin.status == "paused")
        async with asyncio.timeout(30):
            with pytest.raises(httpx.TransportError):
                while True:  # until its model is gone too
                    await twin.asks(it, 1)


async def test_a_run_that_was_stopped_can_be_left() -> None:
    async with on_record() as (it, twin):
        await start(it, twin)
        await it.press("escape")
        await it.press("enter")
        await it.until(lambda: twin.status == "paused" and not it.screen.session.writes.words)
        assert "as recorded · 0 of " in it.text("#timeline-rule")
        await it.press("escape")
        assert it.screen.session.pane == "conversations" and not it.screen.asking.is_asking


async def test_a_second_one_waits_for_the_first() -> None:
    async with on_record() as (it, twin):
        await start(it, twin)
        await it.screen.run_action("replays.run")
        await it.until(lambda: "a run is being replayed" in it.footer)


async def test_to_go_to_another_server_asks_stops_it_and_forgets_it(tmp_path: Path) -> None:
    async with on_record(connect=lambda _: FileSource([tmp_path])) as (it, twin):
        await start(it, twin)
        it.screen.controllers.servers.action_switch("local")
        await it.until(lambda: it.screen.asking.question_bar.is_seen)
        assert "whose agent stops then" in it.text("#question") and twin.status == "running"
        await it.press("enter")
        await it.until(lambda: isinstance(it.screen.session.source, FileSource))
        assert twin.status == "paused"
        assert it.screen.session.replay is None and it.screen.timeline.replay is None


@pytest.mark.parametrize("title", ["Add OAuth login"])
async def test_read_only_and_other_servers_refuse(title: str, tmp_path: Path) -> None:
    async with on_record(settings=Settings(read_only=True)) as (it, twin):
        await it.screen.run_action("replays.run")
        await it.until(lambda: "read-only" in it.footer)
        assert not twin.begun
    async with explore() as it:
        await it.open(title)
        await it.screen.run_action("replays.run")
        await it.until(lambda: "no agent server of this machine" in it.footer)
    write_zip(tmp_path / "a.zip", [{"id": "1", "kind": "MessageEvent", "source": "user"}])
    async with explore(source=lambda: FileSource([tmp_path])) as it:
        await it.screen.run_action("replays.run")
        await it.until(lambda: "these are files" in it.footer)


async def test_what_cannot_run_again_says_what_lacks() -> None:
    async with on_record() as (it, twin):
        lacks = check(twin.study, "")._replace(lacks=("no system prompt is in the events", "b"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("oh_tui.tui.controllers.agent.replays.check", lambda *_: lacks)
            await it.screen.run_action("replays.run")
            told = "it cannot run again: no system prompt is in the events; b"
            await it.until(lambda: told in it.footer)
        assert not twin.begun


async def test_a_server_that_dies_ends_it_with_its_error() -> None:
    async with on_record() as (it, twin):
        await start(it, twin)
        twin.is_dead = True
        await it.until(lambda: it.screen.session.replay and it.screen.session.replay.over.is_set())
        await it.until(lambda: "disk on fire" in it.footer)


async def test_a_run_that_still_runs_is_not_over() -> None:
    async with on_record() as (it, twin):
        await start(it, twin)
        await it.press("escape", "enter")
        await it.until(lambda: not it.screen.session.writes.words)
        await it.open("Flaky CI on main")
        await it.screen.run_action("replays.run")
        await it.until(lambda: "it runs still" in it.footer)


async def test_a_difference_in_no_result_is_named() -> None:
    study = Study(demo_run("week-dates"))
    model = RecordedModel(list(records_of(study)))
    record: Any = None
    replay = Replay(record, model, lambda: None)
    for number in range(2):
        replay.take(model.answer(request(body_at(study, number))))
    assert replay.facts == [("as recorded so far", "good"), (f"2 of {model.known} answers", "dim")]
    body = body_at(study, 2)
    body["messages"][0]["content"] += "\nBe kind."
    body["messages"][-1]["content"] += "\nand more"
    replay.take(model.answer(request(body)))
    assert replay.facts[0] == ("differs: the system prompt and 1 more", "warn")
    step = study.trajectory.steps[result_before(study, 2) - 1]
    assert replay.parted == {step.event.tool_call_id}
    replay.take(model.answer(request(body)))
    assert replay.facts[0] == ("differs: the system prompt and 1 more", "warn"), "told once"
