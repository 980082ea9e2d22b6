"""Reading all of a run that is too long for a download: cost, progress, and endings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec.structs import replace
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from oh_tui.sources.results import Loaded
from oh_tui.trajectory.model.trajectory import build
from oh_tui.tui.messages import ListsChanged
from tests.sources.test_server import happened, parsed
from tests.tui.explorer import Between, Explorer, explore

LONG = "Raise the coverage of billing"
"""The server of these tests gives no download of it, as of one with more than 10,000 events."""

ALL = 3_000
DOWNLOAD = "GET /api/v1/app-conversations/*/download"
OLDER = "GET /api/v1/conversation/*/events/search"


class Stopping(Between):
    """Lets a number of calls for events through, then makes them wait, or refuses them."""

    most: int = 1_000_000
    fails: bool = False

    def __call__(self, app: ASGIApp) -> ASGIApp:
        inner = super().__call__(app)

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            if self.count(OLDER) >= self.most:
                if self.fails and str(scope["path"]).endswith("/events/search"):
                    await Response("", 500)(scope, receive, send)
                    return
                self.hold(OLDER)
            await inner(scope, receive, send)

        return serve

    def let(self, more: int, *, fails: bool = False) -> None:
        self.most, self.fails = self.count(OLDER) + more, fails
        for held in self.held.values():
            held.set()
        self.held.clear()

    def go_on(self) -> None:
        self.let(1_000_000)


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Explorer, Stopping]]:
    between = Stopping()
    between.answer(DOWNLOAD, 413, '{"detail": "exceeding the limit"}', "application/json")
    async with explore(wrap=between) as it:
        await it.open(LONG)
        yield it, between
        between.go_on()


def held(it: Explorer) -> int:
    run = it.screen.timeline.trajectory
    return len(run.events) if run else 0


def rule(it: Explorer) -> str:
    return it.text("#timeline-rule")


async def begin(it: Explorer) -> None:
    await it.press("L")
    await it.send("enter")


async def test_all_of_a_long_run_is_read_after_its_cost_was_said() -> None:
    async with opened() as (it, between):
        assert "the last 100 of 3,000 events · L reads all" in rule(it)
        assert "L read all" in it.footer
        before = between.count(OLDER)
        await it.press("L")
        question = it.text("#question")
        assert "2,900 events in 30 calls, about" in question
        assert "What was read stays" in question
        await it.press("escape")
        assert (held(it), between.count(OLDER)) == (100, before)
        await it.press("k", "k")
        under = it.screen.timeline.current
        await begin(it)
        await it.settle()
        run = it.screen.timeline.trajectory
        assert run and run.complete and len({e.id for e in run.events}) == ALL
        assert between.count(OLDER) == before + 30
        now = it.screen.timeline.current
        assert under and now and now[1].id == under[1].id, "the cursor stays with its step"
        assert "step" in rule(it) and "reads all" not in rule(it)
        assert "read all" not in it.footer
        await it.press("L")
        assert "all events of this run are read" in it.footer


async def test_esc_stops_it_with_its_progress_told_and_it_goes_on_from_there() -> None:
    async with opened() as (it, between):
        between.let(20)
        await begin(it)
        await it.until(lambda: between.held)
        assert "reading 2,061 of 3,000 events, about" in rule(it)
        assert "esc stops" in rule(it)
        assert held(it) >= 1500, "rows appear on the way"
        await it.send("L")
        await it.until(lambda: "it is being read: esc stops" in it.footer)
        await it.press("escape")
        assert held(it) == 2061
        assert "the last 2,061 of 3,000 events · L reads all" in rule(it)
        between.go_on()
        before = between.count(OLDER)
        await begin(it)
        await it.settle()
        assert held(it) == ALL
        assert between.count(OLDER) == before + 10, "no page twice"


async def test_an_error_keeps_what_came_and_it_goes_on_from_there() -> None:
    async with opened() as (it, between):
        between.let(10, fails=True)
        await begin(it)
        await it.settle()
        assert held(it) == 100 + 10 * 99 - 19
        assert "L reads all" in rule(it)
        assert "500" in it.footer or "internal" in it.footer.lower()
        await it.press("escape")
        between.go_on()
        await begin(it)
        await it.settle()
        assert held(it) == ALL


async def test_another_run_stops_it_and_what_came_is_there_on_coming_back() -> None:
    async with opened() as (it, between):
        between.let(10)
        await begin(it)
        await it.until(lambda: between.held)
        asked = between.count(OLDER)
        other = next(c for c in it.screen.sidebar.conversations if "add func" in (c.title or ""))
        it.screen.sidebar.highlight(other.id)  # where the cursor rests is what is shown
        it.screen.controllers.run.open(other)
        between.go_on()
        await it.settle()
        assert between.count(OLDER) == asked + 1, "only the page of the other is asked for"
        await it.open(LONG)
        assert held(it) == 100 + 10 * 99 - 19
        assert "the last 1,071 of 3,000 events" in rule(it)


async def test_what_was_read_page_by_page_outlives_eight_other_runs() -> None:
    async with opened() as (it, between):
        between.let(10)
        await begin(it)
        await it.until(lambda: between.held)
        await it.press("escape")
        between.go_on()
        others = [c for c in it.screen.sidebar.conversations if c.title != LONG][-9:]
        for other in others:
            it.screen.controllers.run.open(other)
            await it.settle()
        await it.open(LONG)
        assert held(it) == 100 + 10 * 99 - 19


async def test_too_much_that_is_new_takes_the_place_of_what_was_whole() -> None:
    async with explore() as it:
        await it.open(LONG)
        assert held(it) == ALL
        before, conversation = it.screen.timeline.trajectory, it.screen.session.current
        assert before and before.complete and conversation
        newest = build(parsed([happened(n) for n in range(1000)]), complete=False)
        loaded = Loaded("app server", newest, 1000, 4500, more=True)
        it.screen.controllers.run.take(conversation, loaded)
        assert it.screen.timeline.trajectory is before, "the rest is to come"
        it.screen.controllers.run.take(conversation, replace(loaded, more=False))
        await it.pilot.pause()
        assert held(it) == 1000
        assert "the last 1,000 of 4,500 events · L reads all" in rule(it)
        assert "L read all" in it.footer


async def test_a_live_run_that_is_gone_back_to_grows_in_place() -> None:
    async with explore() as it:
        await it.open("Migrate to pydantic 2")
        run = it.screen.timeline.trajectory
        assert run and run.complete and run.live
        before = len(run.events)
        await it.open("Parse ISO week dates")
        it.demo.advance(120)
        await it.open("Migrate to pydantic 2")
        assert it.screen.timeline.trajectory is run, "built anew it would take its memory twice"
        assert len(run.events) > before
        assert it.screen.run_view.study
        assert it.screen.run_view.study.accounts.trajectory is run
        assert it.screen.timeline.row_count() == len(run)


async def test_a_record_that_has_moved_is_read_from_where_it_is_now() -> None:
    """Opened again with the list's newer record, whatever updated the list."""
    async with explore() as it:
        await it.open("Migrate to pydantic 2")
        now = it.screen.session.current
        assert now and it.screen.ui.at_work("follow")
        it.screen.session.current = paused = replace(now, sandbox_status="PAUSED")
        it.screen.session.loaded.take([paused])
        it.screen.controllers.run.read(paused)
        await it.settle()
        assert not it.screen.ui.at_work("follow")
        it.screen.session.loaded.take([now])
        it.screen.controllers.run.open(now)
        await it.settle()
        assert it.screen.ui.at_work("follow")
        assert it.screen.run_view.via == "agent server"


async def test_a_run_is_followed_as_soon_as_its_sandbox_was_resumed() -> None:
    async with explore() as it:
        await it.open("Migrate to pydantic 2")
        now = it.screen.session.current
        assert now and now.sandbox_id
        it.screen.session.current = paused = replace(now, sandbox_status="PAUSED")
        it.screen.session.loaded.take([paused])
        it.screen.controllers.run.read(paused)
        await it.settle()
        it.screen.session.sandbox_settled(now.sandbox_id, "RUNNING")
        it.screen.post_message(ListsChanged())
        await it.settle()
        assert it.screen.ui.at_work("follow")


async def test_a_run_that_could_not_be_read_is_tried_again_when_its_record_changes() -> None:
    """As of agent server 1.8.2, which tells no events while a call runs."""
    between = Between()
    between.answer("GET */events/*", 503)
    async with explore(wrap=between) as it:
        await it.open("Migrate to pydantic 2")
        now = it.screen.session.current
        assert now and now.sandbox_status == "RUNNING"
        assert "Could not" in it.text("#timeline")
        between.answers.clear()
        it.screen.post_message(ListsChanged())
        await it.settle()
        assert not it.screen.session.has_events, "not with each refresh"
        it.screen.session.loaded.take([replace(now, updated_at="2026-11-26T18:00:00Z")])
        it.screen.post_message(ListsChanged())
        await it.until(lambda: it.screen.session.has_events)
