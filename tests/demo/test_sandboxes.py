"""Pausing and resuming in the demo: the request, the delay, and the side effects."""

from __future__ import annotations

from oh_tui.demo.catalog import RUNNING_LIMIT
from tests.demo.wire import (
    BOXES,
    all_pages,
    at_rest,
    connect,
    conversation,
    events_of,
    sandbox,
)


async def test_every_status_of_a_sandbox_and_of_an_agent_can_be_seen() -> None:
    async with connect(at_rest()) as client:
        items = await all_pages(
            client, "/api/v1/app-conversations/search", include_sub_conversations="true"
        )
        assert {item["sandbox_status"] for item in items} == {
            "STARTING",
            "RUNNING",
            "PAUSED",
            "ERROR",
            "MISSING",
        }
        assert {item["execution_status"] for item in items} == {
            None,
            "idle",
            "running",
            "paused",
            "waiting_for_confirmation",
            "finished",
            "error",
            "stuck",
        }
        boxes = await all_pages(client, f"{BOXES}/search")
        created = [box["created_at"] for box in boxes]
        assert created == sorted(created, reverse=True)
        assert len(boxes) == 14


async def test_only_a_running_sandbox_has_a_key_an_address_and_a_status_of_the_agent() -> None:
    async with connect(at_rest()) as client:
        for slug in ("dark-mode", "crashed", "click", "fix-add"):
            one = await conversation(client, slug)
            given = (one["execution_status"], one["conversation_url"], one["session_api_key"])
            assert given == (None, None, None), slug
        running, paused = await sandbox(client, "oauth"), await sandbox(client, "click")
        assert running["session_api_key"] and running["exposed_urls"]
        assert (paused["session_api_key"], paused["exposed_urls"]) == (None, None)


async def test_a_pause_is_true_shortly_after_it_was_asked_for() -> None:
    demo = at_rest()
    async with connect(demo) as client:
        before = await conversation(client, "oauth")
        box = before["sandbox_id"]
        answer = await client.post(f"{BOXES}/{box}/pause")
        assert (answer.status_code, answer.json()) == (200, {"success": True})
        assert (await sandbox(client, "oauth"))["status"] == "RUNNING"
        demo.advance(0.5)
        after = await conversation(client, "oauth")
        changed = {name for name, value in after.items() if value != before[name]}
        assert after["sandbox_status"] == "PAUSED"
        assert changed == {
            "sandbox_status",
            "execution_status",
            "conversation_url",
            "session_api_key",
        }
        assert (await client.post(f"{BOXES}/{box}/pause")).json() == {"success": True}
        events = await all_pages(client, events_of("oauth") + "/search")
        assert len(events) == 73


async def test_a_resume_makes_a_new_key() -> None:
    demo = at_rest()
    async with connect(demo) as client:
        before = await conversation(client, "oauth")
        box = before["sandbox_id"]
        await client.post(f"{BOXES}/{box}/pause")
        demo.advance(1)
        assert (await client.post(f"{BOXES}/{box}/resume")).json() == {"success": True}
        assert (await sandbox(client, "oauth"))["status"] == "STARTING"
        demo.advance(1)
        after = await conversation(client, "oauth")
        assert after["sandbox_status"] == "RUNNING"
        assert after["session_api_key"] not in (None, before["session_api_key"])
        assert {k: v for k, v in after.items() if k != "session_api_key"} == {
            k: v for k, v in before.items() if k != "session_api_key"
        }


async def test_a_resume_above_the_limit_pauses_the_oldest_without_a_word() -> None:
    demo = at_rest()
    async with connect(demo) as client:
        boxes = await all_pages(client, f"{BOXES}/search")
        up = [box for box in boxes if box["status"] in ("RUNNING", "STARTING")]
        assert len(up) == RUNNING_LIMIT
        await client.post(f"{BOXES}/{(await sandbox(client, 'click'))['id']}/resume")
        demo.advance(1)
        assert (await sandbox(client, "click"))["status"] == "RUNNING"
        after = {box["id"]: box["status"] for box in await all_pages(client, f"{BOXES}/search")}
        paused = [box["id"] for box in up if after[box["id"]] == "PAUSED"]
        assert paused == [(await conversation(client, "ledger"))["sandbox_id"]]


async def test_a_sandbox_that_failed_or_is_gone_can_be_neither_paused_nor_resumed() -> None:
    async with connect(at_rest()) as client:
        failed = (await conversation(client, "crashed"))["sandbox_id"]
        gone = (await conversation(client, "fix-add"))["sandbox_id"]
        for box in (failed, gone, "nope"):
            for verb in ("pause", "resume"):
                answer = await client.post(f"{BOXES}/{box}/{verb}")
                assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})
        running = (await conversation(client, "oauth"))["sandbox_id"]
        assert (await client.post(f"{BOXES}/{running}/resume")).json() == {"success": True}


async def test_one_demo_knows_nothing_of_another() -> None:
    one, other = at_rest(), at_rest()
    async with connect(one) as here, connect(other) as there:
        await here.post(f"{BOXES}/{(await sandbox(here, 'oauth'))['id']}/pause")
        one.advance(1)
        other.advance(1)
        assert (await sandbox(here, "oauth"))["status"] == "PAUSED"
        assert (await sandbox(there, "oauth"))["status"] == "RUNNING"
