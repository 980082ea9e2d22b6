"""Live runs: what becomes visible when, and the effect of pausing."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest

from oh_tui.demo import Demo
from oh_tui.demo.catalog import ENTRIES
from tests.demo.wire import (
    BOXES,
    IDS,
    TALKS,
    agent,
    all_pages,
    at_rest,
    connect,
    conversation,
    events_of,
    sandbox,
    talk,
)

LIVE = [entry.slug for entry in ENTRIES if entry.live]


def test_a_run_that_was_begun_before_one_looks_ends_about_ten_minutes_later() -> None:
    demo = at_rest()
    flaky = talk(demo, "flaky-ci")
    seen = [len(demo.world.agent_events(flaky))]
    while demo.world.execution_status(flaky) == "running":
        demo.advance(20)
        seen.append(len(demo.world.agent_events(flaky)))
    assert seen == sorted(seen)
    assert 20 * len(seen) == pytest.approx(600, abs=80)
    assert demo.world.execution_status(flaky) == "finished"
    assert len(set(seen)) > 12


def test_a_call_is_running_in_the_first_seconds() -> None:
    demo = at_rest()
    for slug, command in (("flaky-ci", b"npm test -- --runInBand"), ("pydantic", b"pytest -q")):
        last = demo.world.agent_events(talk(demo, slug))[-1]
        assert last.kind == "ActionEvent"
        assert command in last.raw


def test_the_app_server_hears_of_events_later_and_in_the_end_of_all() -> None:
    demo = at_rest()
    flaky = talk(demo, "flaky-ci")
    behind = Counter[bool]()
    for _ in range(600):
        demo.advance(1)
        app = {event.id for event in demo.world.app_events(flaky)}
        agent = {event.id for event in demo.world.agent_events(flaky)}
        behind[agent <= app] += 1
    assert behind[False] > 100
    assert behind[True] > 20
    demo.advance(60)
    app = {event.id for event in demo.world.app_events(flaky)}
    assert app > {event.id for event in demo.world.agent_events(flaky)}


def test_late_stats_come_under_an_older_time() -> None:
    """The reason why a client must not ask for events since the last one it saw."""
    demo = at_rest()
    flaky = talk(demo, "flaky-ci")
    newest, late = "", 0
    known: set[str] = set()
    for _ in range(300):
        demo.advance(1)
        new = [e for e in demo.world.app_events(flaky) if e.id not in known]
        late += sum(event.timestamp < newest for event in new)
        known |= {event.id for event in new}
        newest = max([newest, *(event.timestamp for event in new)])
    assert late


async def test_cost_tokens_and_status_grow_with_the_run() -> None:
    demo = at_rest()
    async with connect(demo) as client:
        before = await conversation(client, "flaky-ci")
        demo.advance(240)
        after = await conversation(client, "flaky-ci")
        assert after["metrics"]["accumulated_cost"] > before["metrics"]["accumulated_cost"] > 0
        assert after["updated_at"] > before["updated_at"]
        url, headers = await agent(client, "flaky-ci")
        record = (await client.get(url, headers=headers)).json()
        metrics = record["stats"]["usage_to_metrics"]["agent"]
        told = metrics["accumulated_token_usage"]["prompt_tokens"]
        assert sum(usage["prompt_tokens"] for usage in metrics["token_usages"]) == told


async def test_a_starting_sandbox_comes_up_and_its_run_begins() -> None:
    demo = at_rest()
    async with connect(demo) as client:
        assert (await conversation(client, "dark-mode"))["sandbox_status"] == "STARTING"
        assert await all_pages(client, events_of("dark-mode") + "/search") == []
        demo.advance(46)
        assert (await conversation(client, "dark-mode"))["execution_status"] == "idle"
        demo.advance(60)
        assert (await conversation(client, "dark-mode"))["execution_status"] == "running"
        demo.advance(400)
        assert (await conversation(client, "dark-mode"))["execution_status"] == "finished"


async def test_a_paused_sandbox_stops_the_run_and_a_resume_lets_it_go_on_later() -> None:
    demo, other = at_rest(), at_rest()
    async with connect(demo) as client:
        box = (await sandbox(client, "flaky-ci"))["id"]
        demo.advance(100)
        await client.post(f"{BOXES}/{box}/pause")
        demo.advance(500)
        held = demo.world.app_events(talk(demo, "flaky-ci"))
        await client.post(f"{BOXES}/{box}/resume")
        demo.advance(1)
        assert (await sandbox(client, "flaky-ci"))["status"] == "RUNNING"
        demo.advance(199)
        other.advance(300)
        late = demo.world.agent_events(talk(demo, "flaky-ci"))
        plain = other.world.agent_events(talk(other, "flaky-ci"))
        assert abs(len(late) - len(plain)) <= 3
        assert late[-1].timestamp > plain[-1].timestamp
        assert {event.id for event in held} <= {
            event.id for event in demo.world.app_events(talk(demo, "flaky-ci"))
        }


async def test_stopping_the_agent_ends_its_step_and_makes_the_conversation_look_new() -> None:
    demo = at_rest()
    async with connect(demo) as client:
        url, headers = await agent(client, "flaky-ci")
        before = await conversation(client, "flaky-ci")
        call = demo.world.agent_events(talk(demo, "flaky-ci"))[-1]
        demo.advance(26)
        began = asyncio.get_running_loop().time()
        answer = await client.post(f"{url}/pause", headers=headers)
        took = asyncio.get_running_loop().time() - began
        assert answer.json() == {"success": True}
        assert 0.1 < took < 5
        events = await all_pages(client, f"{url}/events/search", headers)
        assert [event["kind"] for event in events[-4:]] == [
            "ObservationEvent",
            "ConversationStateUpdateEvent",
            "ConversationStateUpdateEvent",
            "PauseEvent",
        ]
        assert events[-4]["action_id"] == call.id
        demo.advance(3)
        after = await conversation(client, "flaky-ci")
        assert after["execution_status"] == "paused"
        assert after["created_at"] > before["created_at"]
        again = await client.post(f"{url}/pause", headers=headers)
        assert again.json() == {"success": True}
        assert await all_pages(client, f"{url}/events/search", headers) == events


@pytest.mark.parametrize("seed", range(12))
def test_what_was_seen_of_a_run_stays_whenever_it_is_paused(seed: int) -> None:
    """Each action rebuilds the run, and the part already seen must come out the same."""
    demo, chance = at_rest(), random.Random(seed)
    world, flaky = demo.world, talk(demo, "flaky-ci")
    box = flaky.sandbox
    assert box is not None
    seen: list[bytes] = []
    for _ in range(300):
        demo.advance(chance.choice((0.01, 0.1, 0.5, 2.0)))
        status, what = world.execution_status(flaky), chance.random()
        if what < 0.1:
            world.pause(box.id)
        elif what < 0.2:
            world.resume(box.id)
        elif what < 0.4 and not world.is_frozen(flaky):
            does = {"running": ["interrupt", "message"], "paused": ["run"]}.get(status or "", [])
            if does and not world.is_finishing_step(flaky):
                act = world.act(flaky, chance.choice(does), "And now?")
                world.show(flaky, world.shows(flaky, act))
        now = [event.raw for event in world.agent_events(flaky)]
        assert now[: len(seen)] == seen
        seen = now
    assert len(set(seen)) == len(seen) > 24


async def test_nothing_reaches_a_sandbox_that_is_about_to_be_paused() -> None:
    demo = at_rest()
    async with connect(demo) as client:
        url, headers = await agent(client, "flaky-ci")
        stopping = asyncio.create_task(client.post(f"{url}/pause", headers=headers))
        await asyncio.sleep(0.05)
        assert not stopping.done()
        path = f"{BOXES}/{talk(demo, 'flaky-ci').sandbox.id}"  # type: ignore[union-attr]
        await client.post(f"{path}/pause")
        assert (await client.get(url, headers=headers)).status_code == 200
        assert (await client.post(f"{url}/interrupt", headers=headers)).status_code == 503
        said = {"content": [{"type": "text", "text": "Hello?"}]}
        told = await client.post(f"{TALKS}/{IDS['flaky-ci']}/send-message", json=said)
        assert (told.status_code, "is PAUSED" in told.text) == (409, True)
        demo.advance(60)
        await asyncio.sleep(0.15)
        assert not stopping.done(), "its step does not end while it is frozen"
        await client.post(f"{path}/resume")
        demo.advance(60)
        assert (await asyncio.wait_for(stopping, 60)).status_code == 200


async def test_stopping_an_agent_that_does_not_run_changes_nothing() -> None:
    demo = at_rest()
    async with connect(demo) as client:
        url, headers = await agent(client, "week-dates")
        before = await all_pages(client, f"{url}/events/search", headers)
        assert (await client.post(f"{url}/pause", headers=headers)).json() == {"success": True}
        assert await all_pages(client, f"{url}/events/search", headers) == before
        assert (await conversation(client, "week-dates"))["execution_status"] == "stuck"


def test_without_a_given_time_the_clock_runs_with_the_real_one() -> None:
    demo = Demo()
    begun = demo.world.clock.now()
    demo.advance(5)
    assert 5 <= demo.world.clock.now() - begun < 60
    assert set(LIVE) == {"flaky-ci", "pydantic", "dark-mode"}
    assert len(IDS) == 42
