"""What visitors do to the demo's runs: what becomes visible and when; earlier events stay."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from oh_tui.demo import Demo
from oh_tui.demo.catalog import RUNNING_LIMIT
from tests.demo.wire import BOXES, TALKS, agent, all_pages, at_rest, connect, conversation, talk


async def events(client: httpx.AsyncClient, slug: str) -> list[dict[str, Any]]:
    url, headers = await agent(client, slug)
    return await all_pages(client, f"{url}/events/search", headers)


def message(words: str, *, run: bool = True) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": words}], "run": run}


async def started(demo: Demo, client: httpx.AsyncClient, words: str) -> dict[str, Any]:
    task = (await client.post(TALKS, json={"initial_message": message(words)})).json()
    demo.advance(20)
    (task,) = (await client.get(f"{TALKS}/start-tasks", params={"ids": task["id"]})).json()
    assert task["status"] == "READY"
    (one,) = (await client.get(TALKS, params={"ids": task["app_conversation_id"]})).json()
    assert isinstance(one, dict)
    return one


async def test_the_force_push_waits_is_approved_and_the_run_ends() -> None:
    demo = at_rest()
    async with connect(demo) as client:
        before = await events(client, "oauth")
        url, headers = await agent(client, "oauth")
        await client.post(
            f"{url}/events/respond_to_confirmation", json={"accept": True}, headers=headers
        )
        assert (await conversation(client, "oauth"))["execution_status"] == "running"
        demo.advance(60)
        after = await events(client, "oauth")
        assert after[: len(before)] == before
        assert (await conversation(client, "oauth"))["execution_status"] == "finished"
        pushed = next(e for e in after[len(before) :] if e["kind"] == "ObservationEvent")
        assert pushed["observation"]["command"] == "git push --force origin auth"


async def test_the_force_push_is_rejected_for_a_reason_that_the_agent_reads() -> None:
    demo = at_rest()
    async with connect(demo) as client:
        before = await events(client, "oauth")
        url, headers = await agent(client, "oauth")
        said = {"accept": False, "reason": "Ask Grace first."}
        await client.post(f"{url}/events/respond_to_confirmation", json=said, headers=headers)
        news = (await events(client, "oauth"))[len(before) :]
        assert [event["kind"] for event in news] == [
            "ConversationStateUpdateEvent",
            "UserRejectObservation",
        ]
        assert news[1]["rejection_reason"] == "Ask Grace first."
        await client.post(f"{url}/run", headers=headers)
        demo.advance(60)
        last = [e for e in await events(client, "oauth") if e["kind"] == "MessageEvent"][-1]
        assert "Ask Grace first." in last["llm_message"]["content"][0]["text"]


async def test_a_message_that_waits_for_a_step_arrives_when_that_is_cut_off() -> None:
    demo = at_rest()
    async with connect(demo) as client:
        url, headers = await agent(client, "flaky-ci")
        said = message("and a changelog", run=False)
        sending = asyncio.create_task(client.post(f"{url}/events", json=said, headers=headers))
        await asyncio.sleep(0.1)
        assert not sending.done()
        await client.post(f"{url}/interrupt", headers=headers)
        assert (await asyncio.wait_for(sending, 60)).status_code == 200
        kinds = [event["kind"] for event in await events(client, "flaky-ci")]
        assert "MessageEvent" in kinds[-3:]


@pytest.mark.parametrize("slug", ["oauth", "week-dates", "dep-bump", "ledger", "docker-followup"])
async def test_what_was_there_stays_whatever_one_does(slug: str) -> None:
    demo = at_rest()
    async with connect(demo) as client:
        url, headers = await agent(client, slug)
        before = await events(client, slug)
        record = (await client.get(url, headers=headers)).json()
        for _ in range(3):
            await client.post(f"{TALKS}/{record['id']}/send-message", json=message("And now?"))
            demo.advance(2)
            await client.post(f"{url}/interrupt", headers=headers)
            demo.advance(2)
            await client.post(f"{url}/run", headers=headers)
            demo.advance(40)
            now = await events(client, slug)
            assert now[: len(before)] == before
            assert len(now) > len(before)
            before = now
        assert (await conversation(client, slug))["execution_status"] == "finished"
        ids = [event["id"] for event in before]
        assert len(set(ids)) == len(ids)


async def test_a_running_agent_is_interrupted_in_its_call_and_goes_on() -> None:
    demo = at_rest()
    async with connect(demo) as client:
        url, headers = await agent(client, "flaky-ci")
        before = await events(client, "flaky-ci")
        created = (await conversation(client, "flaky-ci"))["created_at"]
        demo.advance(3)
        await client.post(f"{url}/interrupt", headers=headers)
        after = await events(client, "flaky-ci")
        assert after[: len(before)] == before
        (error,) = [event for event in after[len(before) :] if event["kind"] == "AgentErrorEvent"]
        assert error["tool_call_id"] == before[-1]["tool_call_id"]
        assert after[-1]["kind"] == "InterruptEvent"
        now = await conversation(client, "flaky-ci")
        assert (now["execution_status"], now["created_at"] > created) == ("paused", True)


async def test_the_app_server_hears_of_it_later() -> None:
    demo = at_rest()
    async with connect(demo) as client:
        url, headers = await agent(client, "oauth")
        count = f"/api/v1/conversation/{(await conversation(client, 'oauth'))['id']}/events/count"
        before = (await client.get(count)).json()
        await client.post(
            f"{url}/events/respond_to_confirmation", json={"accept": False}, headers=headers
        )
        assert (await client.get(count)).json() == before
        demo.advance(60)
        assert (await client.get(count)).json() > before


async def test_a_start_shows_every_stage_and_is_listed_when_it_is_ready() -> None:
    demo = at_rest()
    async with connect(demo) as client:
        asked = {"initial_message": message("Look"), "selected_repository": "acme/new"}
        task = (await client.post(TALKS, json=asked)).json()
        seen = [task["status"]]
        boxes = (await client.get(f"{BOXES}/search")).json()["items"]
        assert boxes[0]["status"] == "STARTING"
        while seen[-1] != "READY":
            found = await client.get(f"{TALKS}/search", params={"limit": 1})
            assert found.json()["items"][0]["selected_repository"] != "acme/new"
            demo.advance(0.25)
            (task,) = (await client.get(f"{TALKS}/start-tasks", params={"ids": task["id"]})).json()
            if task["status"] != seen[-1]:
                seen.append(task["status"])
        assert seen == [
            "WORKING",
            "WAITING_FOR_SANDBOX",
            "PREPARING_REPOSITORY",
            "RUNNING_SETUP_SCRIPT",
            "SETTING_UP_GIT_HOOKS",
            "SETTING_UP_SKILLS",
            "STARTING_CONVERSATION",
            "READY",
        ]
        (first,) = (await client.get(f"{TALKS}/search", params={"limit": 1})).json()["items"]
        assert (first["id"], first["sandbox_status"], first["title"]) == (
            task["app_conversation_id"],
            "RUNNING",
            "Look",
        )


async def test_a_start_above_the_limit_pauses_the_oldest_sandbox() -> None:
    demo = at_rest()
    async with connect(demo) as client:
        await started(demo, client, "Look")
        boxes = (await client.get(f"{BOXES}/search")).json()["items"]
        up = [box for box in boxes if box["status"] in ("RUNNING", "STARTING")]
        assert len(up) == RUNNING_LIMIT


async def test_a_prompt_with_a_command_runs_it_and_a_risky_one_asks() -> None:
    demo = at_rest()
    async with connect(demo) as client:
        one = await started(demo, client, "Run `ls tests`, then delete the build")
        demo.advance(60)
        (now,) = (await client.get(TALKS, params={"ids": one["id"]})).json()
        assert now["execution_status"] == "waiting_for_confirmation"
        headers = {"X-Session-API-Key": now["session_api_key"]}
        seen = await all_pages(client, f"{now['conversation_url']}/events/search", headers)
        listed = [e for e in seen if e.get("observation", {}).get("command") == "ls tests"]
        assert listed[0]["observation"]["content"][0]["text"] == "test_sums.py"


async def test_a_message_to_a_running_agent_waits_for_its_step() -> None:
    demo = at_rest()
    async with connect(demo) as client:
        demo.advance(3)
        identifier = talk(demo, "flaky-ci").entry.id
        sending = asyncio.create_task(
            client.post(f"{TALKS}/{identifier}/send-message", json=message("Use one worker"))
        )
        await asyncio.sleep(0.3)
        assert not sending.done()
        for _ in range(100):
            demo.advance(1)
            await asyncio.sleep(0.01)
        assert (await sending).status_code in (200, 502)
        texts = [e for e in await events(client, "flaky-ci") if e["kind"] == "MessageEvent"]
        assert any("one worker" in e["llm_message"]["content"][0]["text"] for e in texts)


async def test_a_fork_counts_the_tokens_that_its_context_holds() -> None:
    """A summary stands for most of the events it has taken."""
    demo = at_rest()
    async with connect(demo) as client:
        url, headers = await agent(client, "week-dates")
        fork = (await client.post(f"{url}/fork", json={}, headers=headers)).json()
        its_url = f"{url.rpartition('/')[0]}/{fork['id']}"
        await client.post(f"{its_url}/events", headers=headers, json=message("Go on"))
        demo.advance(60)
        prompts = []
        for one in (url, its_url):
            record = (await client.get(one, headers=headers)).json()
            usages = record["stats"]["usage_to_metrics"]["agent"]["token_usages"]
            prompts.append([usage["prompt_tokens"] for usage in usages])
        assert prompts[1][0] == pytest.approx(prompts[0][-1], rel=0.25)
