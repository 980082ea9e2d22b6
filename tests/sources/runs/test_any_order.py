"""Whatever comes between, a run that was read is the run: none lost, none twice, all in order.

Both servers with a run that grows while it is read, followed, broken off and gone on with; one call
of some fails, and the sandbox is paused and starts again. Pages and times are as those of the real
ones: equal for a while, and what comes may be older than what came before.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import random
import zipfile
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from oh_tui.api.paging import PAGE
from oh_tui.conversation import Conversation
from oh_tui.sources.agent_server import AgentServerSource
from oh_tui.sources.results import Loaded, Older, joined
from oh_tui.sources.server import ServerSource
from oh_tui.sources.server_runs import following, from_app
from oh_tui.text.problem import Problem
from oh_tui.trajectory.model.trajectory import Trajectory, build
from oh_tui.tui.state.loaded_runs import Run, Runs
from tests.api.servers import over
from tests.sources.test_server import ID, parsed

SPAN = 2
"""That of the client, made smaller, so that it gives up where there is too much in between."""


STATE = "ConversationStateUpdateEvent"


@dataclass
class World:
    random: random.Random
    inside: list[dict[str, Any]] = field(default_factory=list)
    """What the agent server has, in the order in which it came."""
    stored: list[dict[str, Any]] = field(default_factory=list)
    """What the app server has, which lists it by time."""
    coming: list[dict[str, Any]] = field(default_factory=list)
    """What it writes next."""
    fails: float = 0.0
    silent: bool = False
    """The agent server does not answer."""
    status: str = "RUNNING"
    """Of the sandbox, which runs nothing unless it is up."""
    limit: int = 1_000_000
    """Events above which there is no download."""
    tenths: int = 60
    made: int = 0

    def event(self, kind: str, before: int = 0, **fields: Any) -> dict[str, Any]:
        self.made += 1
        minutes, tenths = divmod(self.tenths - before, 600)
        stamp = f"2026-11-24T13:{10 + minutes:02}:{tenths // 10:02}.{tenths % 10}"
        return {"id": f"event-{self.made}", "timestamp": stamp, "kind": kind, **fields}

    def turn(self) -> None:
        """Write some of what the agent does, while it can."""
        if self.status == "STARTING":
            self.stored.append(self.event(STATE, key="full_state", value={}))
        if self.status != "RUNNING":
            return
        if not self.coming:
            self._go_on()
        for event in self.coming[: self.random.randint(1, 4)]:
            self.coming.remove(event)
            self.inside.append(event)
            self.stored.append(event)

    def _go_on(self) -> None:
        """Some calls, their results, and what they cost, with the time before them; now and then
        something that came before all that."""
        self.tenths += self.random.choice((0, 0, 1, 5))
        for _ in range(self.random.choice((0, 0, 2))):
            self.stored.append(self.event("StreamingDeltaEvent"))
        cost = self.event(STATE, before=1, key="stats", value={})
        late = [self.event("MessageEvent", before=30)] if self.random.random() < 0.1 else []
        calls = [
            self.event("ActionEvent", tool_call_id=f"call-{self.made}")
            for _ in range(self.random.choice((1, 1, 1, 3)))
        ]
        results = []
        for call in calls:
            self.tenths += self.random.choice((0, 0, 1, 5))
            names = {"tool_call_id": call["tool_call_id"], "action_id": call["id"]}
            results.append(self.event("ObservationEvent", **names))
        self.coming = [*calls, *results, cost, *late]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.fails and self.random.random() < 0.2:
            self.turn()
        answer = self._answer(Request(scope, receive))
        if self.random.random() < self.fails:
            answer = Response(answer.body[: len(answer.body) // 2], self.random.choice((200, 503)))
        await answer(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        path, asked = request.url.path, request.query_params
        if path == "/api/v1/app-conversations":
            up = self.status == "RUNNING"
            address = f"http://agent.test/api/conversations/{ID}" if up else None
            return JSONResponse([{"id": ID, "sandbox_id": "S", "sandbox_status": self.status,
                                  "conversation_url": address}])  # fmt: skip
        in_sandbox = "/api/conversations/" in path
        if in_sandbox and (self.silent or self.status != "RUNNING"):
            return Response("", 503)
        items = self.inside if in_sandbox else sorted(self.stored, key=lambda e: e["timestamp"])
        if path.endswith("/events/count"):
            return JSONResponse(len(items))
        if path.endswith("/download"):
            if len(items) > self.limit:
                return JSONResponse({"detail": "exceeding the limit"}, 413)
            return zipped(items)
        if asked.get("sort_order") == "TIMESTAMP_DESC":
            items = items[::-1]
        first = asked.get("page_id", "0")
        places = (n for n, e in enumerate(items) if e["id"] == first)
        at = next(places, 0) if in_sandbox else int(first)
        after = at + PAGE
        more = None
        if after < len(items):
            more = items[after]["id"] if in_sandbox else str(after)
        return JSONResponse({"items": items[at:after], "next_page_id": more})


def zipped(events: list[dict[str, Any]]) -> Response:
    """What the app server answers to a download."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number, event in enumerate(events):
            archive.writestr(f"event_{number:06}_{event['id']}.json", json.dumps(event))
    return Response(file.getvalue(), media_type="application/zip")


class Reader:
    """Does what a screen does, without one."""

    def __init__(self, source: ServerSource | AgentServerSource) -> None:
        self.source = source
        self.runs = Runs()
        self.conversation = Conversation(id=ID)

    async def look(self) -> None:
        """Read the record."""
        (found,) = await self.source.get([ID])
        assert found is not None
        self.conversation = found

    @property
    def run(self) -> Run | None:
        return self.runs.get(ID)

    def take(self, loaded: Loaded) -> None:
        run = self.run
        if loaded.news is not None and run:
            run.branches.extend(loaded.news)
        if loaded.trajectory is not None and not (run and run.has_more_than(loaded)):
            self.runs.take(self.conversation, loaded)

    async def load(self, most: int = 1000) -> None:
        held, via = (self.run.whole, self.run.via) if self.run else (None, "")
        async with contextlib.aclosing(
            self.source.runs.load(self.conversation, held, via)
        ) as states:
            async for state in states:
                self.take(state)
                most -= 1
                if not most:
                    return

    async def older(self, most: int = 1000) -> None:
        run, pages = self.run, list[Older]()
        if run is None or run.trajectory.complete:
            return
        try:
            reading = self.source.runs.older(self.conversation, run.trajectory, run.via)
            async with contextlib.aclosing(reading) as older:
                async for page in older:
                    pages.append(page)
                    if len(pages) == most:
                        break
        finally:
            if pages:
                longer = joined(run.trajectory, pages)
                self.take(Loaded(pages[-1].via, longer, len(longer.events), pages[-1].total))

    async def follow(self, looks: int = 5) -> None:
        """For some looks; loads anew where that is asked for."""
        run = self.run
        if run is None:
            return
        following = self.source.runs.follow(self.conversation, run.trajectory, run.via)
        async with contextlib.aclosing(following):
            for _ in range(looks):
                next_one = asyncio.ensure_future(anext(following))
                for _ in range(150):
                    await asyncio.sleep(0)
                if not next_one.done():
                    next_one.cancel()
                    await asyncio.wait({next_one})
                    return
                news = next_one.result()
                if news is None:
                    with contextlib.suppress(Problem):
                        await self.look()
                    await self.load()
                    return
                run.branches.extend(news)


def pairs(run: Trajectory) -> dict[str, set[str]]:
    return {step.event.id: {event.id for event in step.results} for step in run.steps}


async def read_somehow(seed: int) -> None:
    rolls = random.Random(seed)
    world = World(rolls, limit=rolls.choice((300, 1_000_000)))
    for _ in range(rolls.randint(1, 120)):
        world.turn()
    source = ServerSource(over(world), "test")
    reader = Reader(source)
    for _ in range(rolls.randint(2, 8)):
        world.fails, world.silent = rolls.choice((0.0, 0.1, 0.4)), rolls.random() < 0.3
        world.status = rolls.choice(("RUNNING", "RUNNING", "PAUSED", "STARTING"))
        with contextlib.suppress(Problem):
            await reader.look()
        what = rolls.choice((reader.load, reader.load, reader.older, reader.older, reader.follow))
        with contextlib.suppress(Problem):
            await what(rolls.choice((1, 2, 5)))
        for _ in range(rolls.choice((0, 1, 6, 80))):
            world.turn()
    world.fails, world.silent, world.status = 0.0, rolls.random() < 0.4, "RUNNING"
    await reader.look()
    # that there is no download is known when one was asked for
    for most in (*rolls.choices((1, 1000), k=2), 1000):
        await reader.load(most)
        await reader.older()
    for _ in range(2):
        await reader.follow()
        if world.silent:  # what was read inside is followed there alone
            await reader.load()
        await reader.older()  # of what is too much to be joined the newest alone came
        check(world, reader)
        world.turn()
    await source.close()


def check(world: World, reader: Reader) -> None:
    assert reader.run is not None
    run, via = reader.run.whole, reader.run.via
    assert run.complete
    held = [event.id for event in run.events]
    there = [event["id"] for event in world.inside]
    if via == "agent server":
        assert held == there
    else:
        assert set(there) <= set(held)
        assert len(held) == len(set(held))
    whole = pairs(build(parsed(world.stored)))
    assert {name: whole[name] for name in pairs(run)} == pairs(run)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(from_app, "SPAN", SPAN)
    monkeypatch.setattr(following, "PACE", (0.0, 0.0, 0.0))
    monkeypatch.setattr(following, "COME_BACK", 0.0)


@pytest.mark.parametrize(
    "seeds",
    [range(20, 33), pytest.param(range(33, 80), marks=pytest.mark.slow)],
    ids=["some", "more"],
)
@pytest.mark.usefixtures("small")
async def test_a_run_read_somehow_is_whole_in_the_end_and_in_order(seeds: range) -> None:
    for seed in seeds:
        try:
            await read_somehow(seed)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}") from error
