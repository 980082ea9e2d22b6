"""The network before the embedded servers: latency, failure rate and kinds of failure."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from oh_tui.api import AppServer, errors
from oh_tui.api.http.transport import RetryPolicy
from oh_tui.commands.framework.parsing import DEMOS
from oh_tui.demo import Demo
from oh_tui.demo.catalog import ENTRIES, SETS
from oh_tui.demo.servers.network import Network
from tests.tui.explorer import NOW

ONCE = RetryPolicy(attempts=1)


def through(network: Network, seed: int = 1) -> AppServer:
    demo = Demo(NOW)
    demo.rate_limited = False
    return AppServer(demo.base_url, app=network.over(demo.app, seed), retries=ONCE)


async def test_a_call_takes_as_long_as_the_network_says() -> None:
    loop = asyncio.get_running_loop()
    async with through(Network((0.05, 0.06), fails=0.0)) as api:
        await api.users_me()  # the first one makes the server
        began = loop.time()
        await api.users_me()
        assert loop.time() - began >= 0.05


async def test_pages_of_the_lists_have_few_rows_and_together_all() -> None:
    async with through(Network((0.0, 0.0), fails=0.0, rows=10)) as api:
        pages = [page async for page in api.conversations(include_sub_conversations=True).pages()]
        assert [len(page.items) for page in pages] == [10, 10, 10, 5]
        assert len({c.id for page in pages for c in page.items}) == 35
        assert len((await api.search_conversations(limit=3)).items) == 3
        with pytest.raises(errors.InvalidRequest):
            await api.search_conversations(limit=0)
        week_dates = next(e.id for e in ENTRIES if e.slug == "week-dates")
        assert len((await api.search_events(week_dates)).items) > 10, "of events no fewer"


async def outcomes(seed: int) -> list[str]:
    found = []
    async with through(Network((0.0, 0.0), fails=0.5), seed) as api:
        for _ in range(60):
            try:
                await api.count_conversations()
            except errors.ApiError as error:
                found.append(type(error).__name__)
            else:
                found.append("ok")
    return found


async def test_calls_fail_in_several_ways_the_same_for_the_same_seed() -> None:
    found = await outcomes(7)
    assert found == await outcomes(7) != await outcomes(8)
    counted = Counter(found)
    assert 15 < counted["ok"] < 45
    assert len(counted) >= 3


async def test_what_was_asked_of_the_server_may_be_done_though_its_answer_is_lost() -> None:
    demo = Demo(NOW)
    demo.rate_limited = False
    up = next(box for box in demo.world.sandboxes.values() if box.status == "RUNNING")
    for seed in range(20):
        net = Network((0.0, 0.0), fails=1.0).over(demo.app, seed)
        async with AppServer(demo.base_url, app=net, retries=ONCE) as api:
            with pytest.raises(errors.ApiError):
                await api.sandboxes.pause(up.id)
    demo.advance(10)
    async with AppServer(demo.base_url, app=demo.app) as api:
        (now,) = await api.sandboxes.get([up.id])
        assert now is not None
        assert now.status == "PAUSED"


def test_each_kind_of_demo_that_the_command_line_knows_is_one() -> None:
    demo = Demo(NOW)
    assert demo.app_like("plain") is demo.app
    for kind in DEMOS:
        assert (demo.app_like(kind) is demo.app) == (kind in SETS), kind
