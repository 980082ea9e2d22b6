"""Several servers as one source."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from oh_tui.api import BareAgentServer, errors
from oh_tui.catalog.run_status import updated
from oh_tui.conversation import Conversation, bare_id
from oh_tui.sources import members
from oh_tui.sources.agent_server import AgentServerSource
from oh_tui.sources.several import Several
from oh_tui.sources.source import last_known_states
from oh_tui.text.problem import Problem
from tests.sources.three import Served, made, source, three


async def all_of(several: Several) -> list[Conversation]:
    return [one async for page in several.pages() for one in page.items]


async def test_each_row_tells_its_server_and_the_newest_come_first() -> None:
    async with three() as here:
        rows = await all_of(here.several)
        alone = [one async for page in here.several.members["cloud"].pages() for one in page.items]
    assert {row.server for row in rows} == {"cloud", "canvas", "lab"}
    assert len({bare_id(row.id) for row in rows}) == len(rows)
    assert sum(row.server == "cloud" for row in rows) == len(alone)
    changed = [updated(row) for row in rows]
    assert changed == sorted(changed, reverse=True)


async def test_one_that_is_slow_keeps_nobody_waiting_and_its_rows_come_later() -> None:
    async with three(grace=0.05) as here:
        here["lab"].delay = 0.6
        came = asyncio.Event()
        here.several.watch(came.set)
        began = time.monotonic()
        first = await here.several.newest()
        assert time.monotonic() - began < 0.5
        assert {one.server for one in first.items} == {"cloud", "canvas"}
        assert not here.several.away, "it is only slow"
        await asyncio.wait_for(came.wait(), 5)
        before = len(here["lab"].between.asked)
        again = await here.several.newest()
        assert {one.server for one in again.items} == {"cloud", "canvas", "lab"}
        assert len(here["lab"].between.asked) == before, "what has come is not asked again"


async def test_one_that_never_answers_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "LATE", 0.1)
    async with three(grace=0.05) as here:
        here["lab"].delay = 20
        told = asyncio.Event()
        here.several.watch(told.set)
        await here.several.newest()
        await asyncio.wait_for(told.wait(), 5)
        assert here.several.away == {"lab": None}
        assert here.several.problems == ["lab is missing: it does not answer"]
        rows = [one async for page in here.several.pages() for one in page.items]
        assert {row.server for row in rows} == {"cloud", "canvas"}


async def test_one_that_died_keeps_its_last_known_rows() -> None:
    async with three() as here:
        ids = [one.id for one in await all_of(here.several) if one.server == "lab"]
        here["lab"].is_dead = True
        page = await here.several.newest()
        assert {one.server for one in page.items} == {"cloud", "canvas"}
        assert isinstance(here.several.away["lab"], errors.ServerError)
        kept = await here.several.get(ids)
        assert all(one and one.server == "lab" for one in kept)
        here["lab"].is_dead = False
        await here.several.newest()
        assert not here.several.away


async def test_none_at_all_is_a_problem() -> None:
    async with three() as here:
        for one in here.servers.values():
            one.is_dead = True
        with pytest.raises(errors.ServerError):
            await here.several.newest()
        with pytest.raises(errors.ServerError):
            await anext(here.several.pages())
    with pytest.raises(Problem, match="no key"):
        Several({"a": Problem("no key"), "b": Problem("no key either")})


async def test_one_without_its_key_is_said_and_the_others_are_listed() -> None:
    lab = made("lab", "agent")
    several = Several({"cloud": Problem("there is no key for it"), "lab": source(lab, "agent")})
    try:
        assert {one.server for one in await all_of(several)} == {"lab"}
        assert several.problems == ["cloud is missing: there is no key for it"]
        assert await several.count() is None
    finally:
        await several.close()


async def test_calls_grow_with_servers_and_not_with_rows() -> None:
    async with three() as here:
        await here.several.newest()
        for one in here.servers.values():
            one.between.asked.clear()
        await here.several.newest()
        assert len([*here.asked()]) == 3


async def test_an_act_goes_to_the_server_that_has_the_conversation() -> None:
    async with three() as here:
        rows = await all_of(here.several)
        for name in here.servers:
            row = next(one for one in rows if one.server == name and not one.parent_conversation_id)
            before = {one: len(here[one].between.asked) for one in here.servers}
            renamed = await here.several.holder(row).records.rename(row, "another")
            assert renamed.title == "another" and renamed.server == name
            asked = {one for one in here.servers if len(here[one].between.asked) > before[one]}
            assert asked == {name}


async def test_two_who_ask_at_once_get_the_same_answer() -> None:
    async with three() as here:
        first, second = await asyncio.gather(here.several.newest(), here.several.newest())
        assert first.items and second.items == first.items
        assert len(here["lab"].between.asked) == 1, "one call serves both"


async def test_what_is_of_one_server_is_not_had_of_several() -> None:
    async with three() as here:
        with pytest.raises(AttributeError, match="api in common"):
            assert here.several.runs.api


async def test_what_one_gives_can_be_read_through_the_list() -> None:
    async with three() as here:
        rows = await all_of(here.several)
        row = next(r for r in rows if r.server == "lab" and r.title == "Parse ISO week dates")
        states = [state async for state in here.several.runs.load(row)]
        assert states[-1].trajectory is not None and len(states[-1].trajectory.events)
        assert here.several.runs.may_grow(row)
        assert await here.several.get(["0" * 32]) == [None]


async def twins() -> tuple[Several, dict[str, Served]]:
    """Two agent servers over one folder."""
    one = made("one", "agent")
    two = made("two", "agent", demo=one.demo)
    opened = {"one": source(one, "agent"), "two": source(two, "agent")}
    return Several(opened), {"one": one, "two": two}


async def test_the_same_id_on_two_servers_is_one_run() -> None:
    several, _ = await twins()
    try:
        rows = await all_of(several)
        assert len({bare_id(row.id) for row in rows}) == len(rows)
        assert {row.server for row in rows} == {"one"}, "else the first named"
        assert await several.count() is None
    finally:
        await several.close()


async def test_that_of_the_server_that_holds_it_is_listed() -> None:
    several, _ = await twins()
    try:
        (row, *_) = await all_of(several)
        lost = Conversation(row.id, server="one", runtime_status="ownership_lost")
        assert several._taken([lost])[0].server == "two"
        assert several.holder(row) is several.members["two"]
    finally:
        await several.close()


async def test_an_act_that_was_refused_goes_to_the_other_one_when_it_is_done_again() -> None:
    several, servers = await twins()
    try:
        rows = await all_of(several)
        row = rows[0]
        one, two = servers["one"], servers["two"]
        one.between.answers["POST */events"] = lambda: JSONResponse(
            {"detail": "Conversation not found"}, 404
        )
        with pytest.raises(errors.NotFound, match="one lists this conversation, but does not hold"):
            await several.holder(row).agents.leave(row.id, "hello")
        assert not two.between.count("POST *"), "nothing is sent by itself"
        await several.holder(row).agents.leave(row.id, "hello")
        assert two.between.count("POST */events") == 1
        assert next(r for r in (await several.newest()).items if r.id == row.id).server == "two"
    finally:
        await several.close()


async def test_sandboxes_of_all_are_listed_and_planned_where_they_are() -> None:
    async with three() as here:
        await here.several.newest()
        assert here.several.sandboxes is not None
        boxes = await here.several.sandboxes.all()
        assert boxes and {one.server for one in boxes} == {"cloud"}
        plan = await here.several.sandboxes.plan(boxes[0].id)
        assert plan.sandbox and plan.sandbox.server == "cloud"
        with pytest.raises(Problem, match="None of these servers"):
            await here.several.sandboxes.plan("nowhere")


async def test_states_are_remembered_by_server(tmp_path: Path) -> None:
    file = tmp_path / "seen.json"
    async with three() as here:
        rows = await all_of(here.several)
        states = last_known_states(here.several, file)
        by_server = {row.server: bare_id(row.id) for row in rows}
        for id in by_server.values():
            states.record_opened(id, 5.0)
        states.save()
        for name, id in by_server.items():
            own = last_known_states(here.several.members[name], file)
            assert own.get(id).opened == 5.0
            assert {*own.known} == {id}
        again = last_known_states(here.several, file)
        assert {*again.known} == {*by_server.values()}


async def test_a_thousand_rows_of_each_are_paged_by_need() -> None:
    """The newest come first, and a page is read only where the rows of the last one are used up."""

    class Rows:
        def __init__(self, first: int) -> None:
            self.asked = 0
            stamps = [f"2026-01-01T00:{n // 60:02}:{n % 60:02}Z" for n in range(1000)]
            self.rows = [
                {"id": f"{first:08x}-0000-4000-8000-{n:012x}", "updated_at": stamps[-n]}
                for n in range(1, 1001)
            ]

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive)
            self.asked += 1
            at = int(request.query_params.get("page_id", 0))
            later = str(at + 100) if at + 100 < len(self.rows) else None
            page = {"items": self.rows[at : at + 100], "next_page_id": later}
            await JSONResponse(page)(scope, receive, send)

    servers = {name: Rows(n) for n, name in enumerate(("one", "two", "three"))}
    several = Several(
        {
            name: AgentServerSource(BareAgentServer(f"http://{name}.test", app=app), name)
            for name, app in servers.items()
        }
    )
    try:
        pages = several.pages()
        first = await anext(pages)
        assert len(first.items) == 300 and first.next_page_id
        assert [one.asked for one in servers.values()] == [1, 1, 1]
        rows = [*first.items, *[one async for page in pages for one in page.items]]
        assert len(rows) == 3000 and len({row.id for row in rows}) == 3000
        changed = [updated(row) for row in rows]
        assert changed == sorted(changed, reverse=True)
        assert [one.asked for one in servers.values()] == [10, 10, 10]
    finally:
        await several.close()


async def test_one_that_is_found_waits_for_no_other_server() -> None:
    async with three() as here:
        (row, *_) = (await here.several.members["cloud"].newest()).items
        here["lab"].delay = 20
        began = time.monotonic()
        (found,) = await here.several.get([row.id])
        assert found and found.server == "cloud" and time.monotonic() - began < 5
