"""Runs too long for a download: read page by page, without duplicates or gaps."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from oh_tui.conversation import Conversation
from oh_tui.sources.results import DOWNLOAD_LIMIT, Loaded, Older, joined
from oh_tui.sources.server import ServerSource
from oh_tui.sources.server_runs import from_app
from oh_tui.sources.server_runs.run_cache import RunCache
from oh_tui.text.problem import Problem
from oh_tui.trajectory.model.branches import Branches
from oh_tui.trajectory.model.trajectory import Trajectory, build
from oh_tui.tui.state.loaded_runs import Run, Runs
from tests.api.servers import over
from tests.sources.test_server import ID, happened, parsed

SERVER = "https://server.test"


@dataclass
class Long:
    """An app server with one long run: pages by an offset from its newest event."""

    events: list[dict[str, Any]]
    says: int = 0
    """The count that it tells, if not that of its events."""
    pages: list[int] = field(default_factory=list)
    """The offset of each page that was asked for."""
    stuck: bool = False
    """Each page says that one more follows: the same."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(Request(scope, receive))(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        path = request.url.path
        if path == "/api/v1/app-conversations":
            return JSONResponse([record()])
        if path.endswith("/events/count"):
            return JSONResponse(self.says or len(self.events))
        if path.endswith("/download"):
            return JSONResponse({"detail": "exceeding the limit"}, 413)
        assert path.endswith("/events/search"), path
        at = int(request.query_params.get("page_id") or 0)
        self.pages.append(at)
        if self.stuck:
            at = min(at, 150)
        rows = self.events[::-1][at : at + 100]
        more = at + 100 < len(self.events)
        return JSONResponse({"items": rows, "next_page_id": str(at + 100) if more else None})


def record() -> dict[str, Any]:
    return {"id": ID, "sandbox_status": "MISSING", "updated_at": "2026-11-24T15:00:00Z"}


def run_of(count: int) -> Long:
    return Long([happened(n) for n in range(count)], says=max(count, DOWNLOAD_LIMIT + 1))


@dataclass
class Here:
    server: Long
    source: ServerSource
    conversation: Conversation

    async def load(self, held: Trajectory | None = None) -> Trajectory:
        self.server.pages.clear()
        *_, state = [state async for state in self.source.runs.load(self.conversation, held)]
        assert state.trajectory is not None
        return state.trajectory

    def all_older(self, held: Trajectory) -> AsyncGenerator[Older, None]:
        return self.source.runs.older(self.conversation, held, "app server")

    async def older(self, held: Trajectory, most: int = 1000) -> list[Older]:
        self.server.pages.clear()
        pages: list[Older] = []
        async with contextlib.aclosing(self.all_older(held)) as older:
            async for page in older:
                pages.append(page)
                if len(pages) == most:
                    break
        return pages


@contextlib.asynccontextmanager
async def reading(server: Long, cache: RunCache | None = None) -> AsyncIterator[Here]:
    source = ServerSource(over(server), "test", cache=cache)
    (conversation,) = await source.get([ID])
    assert conversation is not None
    yield Here(server, source, conversation)
    await source.close()


def seconds(run: Trajectory) -> list[int]:
    return [int(event.id.removeprefix("event-")) for event in run.events]


async def test_all_pages_make_the_whole_run_in_order() -> None:
    async with reading(run_of(1000)) as it:
        newest = await it.load()
        pages = await it.older(newest)
        whole = joined(newest, pages)
        assert whole.complete
        assert seconds(whole) == list(range(1000))
        assert it.server.pages == [80, 179, 278, 377, 476, 575, 674, 773, 872, 971]
        assert [page.complete for page in pages] == [False] * 9 + [True]


async def test_what_was_read_is_gone_on_from() -> None:
    async with reading(run_of(1000)) as it:
        newest = await it.load()
        some = joined(newest, await it.older(newest, most=3))
        assert (len(some.events), some.complete) == (378, False)
        rest = await it.older(some)
        assert it.server.pages[0] == 358, "from shortly before the end of what is held"
        assert seconds(joined(some, rest)) == list(range(1000))


async def test_an_error_leaves_what_came_before_it() -> None:
    async with reading(run_of(1000)) as it:
        newest = await it.load()
        pages: list[Older] = []
        with pytest.raises(Problem):
            async for page in it.all_older(newest):
                pages.append(page)
                if len(pages) == 4:
                    it.server.events = []
                    it.server._answer = lambda request: Response("", 500)  # type: ignore[method-assign]
        assert seconds(joined(newest, pages)) == list(range(1000 - 80 - 4 * 99 - 1, 1000))


async def test_nothing_is_left_out_where_more_is_held_than_the_server_has() -> None:
    async with reading(run_of(1000)) as it:
        newest = await it.load()
        inside = [happened(n, id=f"inside-{n}") for n in range(930, 960)]
        held = build(parsed([*it.server.events[900:960], *inside, *it.server.events[960:]]))
        held.complete = False
        assert len(newest.events) == 100 and len(held.events) == 130
        whole = joined(held, await it.older(held))
        assert it.server.pages[:2] == [110, 11], "that one begins with an event not known"
        assert sorted(e.id for e in whole.events if e.id.startswith("event")) == sorted(
            str(event["id"]) for event in it.server.events
        )
        assert len(whole.events) == 1030


async def test_events_that_come_meanwhile_shift_nothing() -> None:
    async with reading(run_of(1000)) as it:
        newest = await it.load()
        pages: list[Older] = []
        async for page in it.all_older(newest):
            pages.append(page)
            if len(pages) == 3:
                it.server.events += [happened(n) for n in range(1000, 1130)]
        whole = joined(newest, pages)
        assert seconds(whole) == list(range(1000))
        news = await it.load(whole)
        assert seconds(news) == list(range(1130)), "they are joined with what is held"
        assert it.server.pages == [0, 100]
        assert news.complete


async def test_what_is_new_joins_what_is_held_and_is_not_asked_for_again() -> None:
    async with reading(run_of(1000)) as it:
        newest = await it.load()
        some = joined(newest, await it.older(newest, most=3))
        it.server.events += [happened(n) for n in range(1000, 1020)]
        more = await it.load(some)
        assert it.server.pages == [0]
        assert seconds(more) == list(range(622, 1020))
        assert not more.complete
        it.server.events += [happened(n) for n in range(1020, 2500)]
        assert seconds(await it.load(more)) == list(range(1500, 2500)), "too much is new"
        assert len(it.server.pages) == from_app.SPAN


@pytest.mark.parametrize("known", [True, False])
async def test_too_much_that_is_new_is_shown_in_the_place_of_an_old_run_held_whole(
    known: bool,
) -> None:
    """Whether or not it is `known` beforehand that the server gives no download."""
    server = run_of(1000) if known else Long([happened(n) for n in range(1000)])
    async with reading(server) as it:
        runs = Runs()
        runs.take(it.conversation, Loaded("app server", build(parsed(server.events))))
        server.events += [happened(n) for n in range(1000, 2100)]
        run = runs.get(ID)
        assert run
        async for state in it.source.runs.load(it.conversation, run.trajectory):
            if not run.has_more_than(state):
                run = runs.take(it.conversation, state)
        assert seconds(run.trajectory) == list(range(1100, 2100))
        assert not run.trajectory.complete
        whole = joined(run.trajectory, await it.older(run.trajectory))
        assert whole.complete
        assert seconds(whole) == list(range(2100))


async def test_a_run_held_whole_stays_while_what_is_new_is_not_read_or_there_is_nothing() -> None:
    async with reading(Long([happened(n) for n in range(1000)])) as it:
        held = build(parsed(it.server.events))
        run = Run(it.conversation, Branches(held), "app server")
        for new in (0, 1100):
            it.server.events += [happened(1000 + n) for n in range(new)]
            reads = it.source.runs.load(it.conversation, held)
            async with contextlib.aclosing(reads) as states:
                newest = await anext(states)
            assert newest.more and run.has_more_than(newest), "a download is to bring the rest"
        it.server.events = it.server.events[:1000]
        it.source.runs.app.refused.add(it.conversation.id)
        (same,) = [state async for state in it.source.runs.load(it.conversation, held)]
        assert not same.more and run.has_more_than(same)


async def test_what_is_new_with_an_older_time_is_joined_too() -> None:
    async with reading(run_of(1000)) as it:
        held = await it.load()
        new = [happened(n) for n in range(1000, 1095)]
        late = happened(994, id="event-994-late")  # on the page after the one that joins
        it.server.events = [*it.server.events[:995], late, *it.server.events[995:], *new]
        more = await it.load(held)
        assert it.server.pages == [0, 100]
        assert more.holds("event-994-late")
        assert len(more.events) == 100 + 95 + 1


async def test_what_is_new_is_joined_when_the_server_has_only_now_refused_a_download() -> None:
    async with reading(Long([happened(n) for n in range(1000)])) as it:
        held = build(parsed(it.server.events[:850]))
        more = await it.load(held)
        assert seconds(more) == list(range(1000))
        assert more.complete


async def test_pages_without_end_are_no_whole_run() -> None:
    async with reading(run_of(1000)) as it:
        newest = await it.load()
        it.server.stuck = True
        with pytest.raises(Problem, match="same older events again"):
            await it.older(newest)
        assert len(it.server.pages) < 5


async def test_the_cost_is_told_by_calls_and_by_what_a_page_took() -> None:
    async with reading(run_of(12_000)) as it:
        newest = await it.load()
        it.source.runs.app.read_cost = 0.00026
        cost = await it.source.runs.cost(it.conversation, newest)
        assert (cost.events, cost.calls) == (11_900, 121)
        assert cost.seconds == pytest.approx(121 * 12_000 * 0.00026)
        it.source.runs.app.read_cost, it.source.api.pace = 0.0, 2 / 3
        assert (await it.source.runs.cost(it.conversation, newest)).seconds == pytest.approx(
            80.67, 0.01
        )


async def test_a_run_read_page_by_page_is_kept_like_one_that_was_downloaded(
    tmp_path: Path,
) -> None:
    cache = RunCache(tmp_path / "cache" / "oh-tui", SERVER, 50_000_000)
    async with reading(run_of(DOWNLOAD_LIMIT + 50), cache) as it:
        newest = await it.load()
        half = joined(newest, await it.older(newest, most=50))
        assert not await it.source.runs.keeps(it.conversation), "a part of it is not kept"
        whole = joined(half, await it.older(half))
        again = await it.load()
        assert it.server.pages == []
        assert seconds(again) == seconds(whole) == list(range(DOWNLOAD_LIMIT + 50))
        assert again.events[7].body() == whole.events[7].body()
        entry = next(tmp_path.glob("cache/oh-tui/runs/*/*.zip"))
        assert entry.stat().st_mode & 0o077 == 0
