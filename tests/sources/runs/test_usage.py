"""When the record of a run is read for tokens, cost and time, and how it is used."""

from __future__ import annotations

import asyncio
import contextlib
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from oh_tui.demo.world import AgentVersion
from oh_tui.sources.results import Loaded
from oh_tui.sources.server import ServerSource
from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import Trajectory, build
from oh_tui.trajectory.model.usage import NO_USAGE, Usage
from tests.api.servers import over
from tests.sources.here import demo_read
from tests.sources.test_server import ID, Servers, happened, ids, read, turned
from tests.trajectory.costs.test_accounting import lists, metrics
from tests.trajectory.made import used

A = ("answer-1", 100, 10, 0.25, 1.5)
B = ("answer-2", 200, 20, 0.5, 2.25)
RECORD = f"/api/conversations/{ID}"


def told(*answers: tuple[str, int, int, float | None, float | None]) -> dict[str, Any]:
    cost = sum(answer[3] or 0.0 for answer in answers)
    prompt, out = sum(answer[1] for answer in answers), sum(answer[2] for answer in answers)
    return {"usage_to_metrics": {"agent": metrics(cost, prompt, out, **lists(*answers))}}


def answered(second: int, number: int) -> dict[str, Any]:
    return happened(second, source="agent", llm_response_id=f"answer-{number}")


def spent(trajectory: Trajectory | None) -> Usage:
    assert trajectory is not None
    return Accounts(trajectory).total


def records(servers: Servers) -> int:
    return sum(path.endswith(RECORD) for path in servers.asked)


HISTORY = [happened(1), turned(2, "running"), answered(5, 1), answered(9, 2)]
BOTH = used(llm=3.75, cost=0.75, prompt=300, completion=30, calls=2)


async def test_a_run_of_a_server_without_stats_events_has_those_of_its_record() -> None:
    servers = Servers(inside=HISTORY, stats=told(A, B))
    _, _, state = await read(servers)
    assert state.trajectory is not None
    accounts = Accounts(state.trajectory)
    assert accounts.total == BOTH
    assert [accounts.of(step) is not None for step in state.trajectory.steps] == [False, True, True]
    assert records(servers) == 1


class Slow(Servers):
    """The record comes when it is let."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)
        self.let = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].endswith(RECORD):
            await self.let.wait()
        await super().__call__(scope, receive, send)


@pytest.mark.parametrize("count", [4, 300])
async def test_no_row_waits_for_the_record(count: int) -> None:
    history = [*HISTORY[:-1], *(happened(n) for n in range(10, count + 6)), answered(400, 2)]
    servers = Slow(inside=history, stats=told(A, B))
    source = ServerSource(over(servers), "test")
    (conversation,) = await source.get([ID])
    assert conversation is not None
    states: list[Loaded] = []
    async with asyncio.timeout(60):
        async for state in source.runs.load(conversation):
            states.append(state)
            if state.trajectory is not None and state.trajectory.complete:
                servers.let.set()
    given = [state.trajectory for state in states if state.trajectory]
    assert [spent(one).calls for one in given if one.complete] == [0, 2]
    assert ids(given[-1]) == ids(given[-2]) == [event["id"] for event in history]
    assert spent(given[-1]) == BOTH
    assert not states[-1].more


@pytest.mark.parametrize("stats", [None, {}])
async def test_a_record_that_is_not_there_costs_nothing(stats: dict[str, Any] | None) -> None:
    servers = Servers(inside=HISTORY, stats=stats)
    source = ServerSource(over(servers), "test")
    (conversation,) = await source.get([ID])
    assert conversation is not None
    (state,) = [state async for state in source.runs.load(conversation)]
    assert spent(state.trajectory) == NO_USAGE
    assert state.trajectory is not None
    assert not Accounts(state.trajectory).priced


async def test_what_the_record_told_stays_when_the_sandbox_is_paused() -> None:
    """The app server's own sums lack the condenser and the last answer."""
    usage = {"prompt_tokens": 100, "completion_tokens": 10}
    sums = {"accumulated_cost": 0.25, "accumulated_token_usage": usage}
    servers = Servers(inside=HISTORY, stored=HISTORY, stats=told(A, B), metrics=sums)
    _, _, state = await read(servers)
    servers.status = "PAUSED"
    _, _, after = await read(servers, state.trajectory)
    assert (after.via, spent(after.trajectory)) == ("app server", BOTH)
    _, _, after = await read(servers, after.trajectory)
    assert spent(after.trajectory) == BOTH
    _, _, alone = await read(servers)
    assert spent(alone.trajectory) == used(cost=0.25, prompt=100, completion=10)


@pytest.mark.parametrize("slug", ["week-dates", "oauth", "pydantic"])
async def test_the_demo_without_stats_events_comes_to_the_same(slug: str) -> None:
    """As agent server 1.17.0 has it."""
    async with demo_read() as here:
        conversation = await here.conversation(slug)
        accounts: list[Accounts] = []
        for version in (AgentVersion.USUAL, AgentVersion.OLD):
            here.demo.world.agent_version = version
            state = [state async for state in here.source.runs.load(conversation)][-1]
            assert state.trajectory is not None
            accounts.append(Accounts(state.trajectory))
        new, old = accounts
        assert old.total == new.total
        assert old.total.llm > 0
        steps = zip(new.trajectory.steps, old.trajectory.steps, strict=True)
        assert [old.of(b) == new.of(a) for a, b in steps].count(False) == 0
        assert len(old.trajectory.events) < len(new.trajectory.events)


# following


@contextlib.asynccontextmanager
async def followed(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Its run, and what following brings of it, looking all the time."""
    monkeypatch.setattr("oh_tui.sources.server_runs.following.PACE", (0.0, 0.0, 0.0))
    source, conversation, state = await read(servers)
    assert state.trajectory is not None
    servers.asked.clear()
    run = state.trajectory
    news: list[list[Event] | None] = []

    async def follow() -> None:
        async for came in source.runs.follow(conversation, run, state.via):
            news.append(came)
            run.extend(came or ())

    task = asyncio.create_task(follow())
    yield run, news
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def looks(servers: Servers, count: int = 8) -> None:
    """Until the events were looked at so often again."""
    until = len(servers.asked) + count
    async with asyncio.timeout(60):
        while len(servers.asked) < until:  # noqa: ASYNC110, asked by a task of its own
            await asyncio.sleep(0.001)


async def test_the_record_is_read_again_when_the_agent_stops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    servers = Servers(inside=HISTORY[:3], stats=told(A))
    async with followed(servers, monkeypatch) as (run, news):
        servers.stats = told(A, B)
        servers.inside = HISTORY
        await looks(servers)
        assert records(servers) == 0, "not while it works"
        servers.inside = [*HISTORY, turned(10, "finished")]
        await looks(servers)
        assert records(servers) == 1
        assert [[event.id for event in came] for came in news] == [["event-9"], ["event-10"], []]
        assert spent(run) == BOTH


async def test_while_the_agent_works_the_record_is_read_every_15_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [0.0]
    made = SimpleNamespace(monotonic=lambda: clock[0])
    monkeypatch.setattr("oh_tui.sources.server_runs.server_stats.time", made)
    servers = Servers(inside=HISTORY[:3], stats=told(A))
    async with followed(servers, monkeypatch) as (run, _):
        await looks(servers)
        clock[0] = 100.0
        await looks(servers)
        assert records(servers) == 0, "nothing is new"
        servers.inside, servers.stats = HISTORY, told(A, B)
        await looks(servers)
        assert (records(servers), spent(run)) == (1, BOTH)
        for now, read in ((114.9, 1), (115.0, 2)):
            clock[0] = now
            servers.inside = [*servers.inside, turned(int(now), "running")]
            await looks(servers)
            assert records(servers) == read


async def test_a_record_that_does_not_come_is_not_asked_for_all_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    servers = Servers(inside=[*HISTORY, turned(10, "finished")])
    async with followed(servers, monkeypatch) as (run, news):
        await looks(servers, 20)
        assert records(servers) == 1
        assert (news, run.stats) == ([], b"")


def test_pages_before_a_run_leave_its_stats() -> None:
    from oh_tui.sources.results import Older, joined

    held = build((), complete=False, stats=b"{}")
    assert joined(held, [Older("app server", [], 0, complete=True)]).stats == b"{}"
