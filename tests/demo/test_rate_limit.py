"""The demo's app server slows a client down above 10 calls a second and refuses above 20."""

from __future__ import annotations

import asyncio
import time

import httpx

from tests.demo.wire import BOXES, TALKS, agent, at_rest, connect, sandbox


async def _timed(client: httpx.AsyncClient, path: str) -> tuple[int, float, httpx.Response]:
    began = time.monotonic()
    answer = await client.get(path)
    return answer.status_code, time.monotonic() - began, answer


async def test_of_25_calls_at_once_10_pass_10_wait_and_5_are_refused() -> None:
    demo = at_rest()
    demo.rate_limited = True
    async with connect(demo) as client:
        calls = await asyncio.gather(*(_timed(client, f"{TALKS}/count") for _ in range(25)))
        fast = [seconds for status, seconds, _ in calls if status == 200 and seconds < 0.7]
        slow = [seconds for status, seconds, _ in calls if status == 200 and seconds >= 1]
        refused = [answer for status, _, answer in calls if status == 429]
        assert (len(fast), len(slow), len(refused)) == (10, 10, 5)
        assert refused[0].headers["retry-after"] == "1"
        assert refused[0].json() == {"message": "Too many requests"}


async def test_a_resume_and_the_agent_servers_are_not_counted() -> None:
    demo = at_rest()
    async with connect(demo) as client:
        box = (await sandbox(client, "oauth"))["id"]
        url, headers = await agent(client, "oauth")
        demo.rate_limited = True
        for _ in range(25):
            assert (await client.post(f"{BOXES}/{box}/resume")).status_code == 200
            assert (await client.get(f"{url}/events/count", headers=headers)).status_code == 200
        began = time.monotonic()
        assert (await client.get("/alive")).status_code == 200
        assert time.monotonic() - began < 0.7
