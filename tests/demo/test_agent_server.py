"""The demo's agent servers behave as measured on the real ones."""

from __future__ import annotations

from uuid import UUID

import pytest

from oh_tui.demo.catalog import ENTRIES
from tests.demo.wire import BOXES, IDS, agent, all_pages, at_rest, connect, events_of, sandbox

ACTIONS = "openhands.sdk.event.llm_convertible.action.ActionEvent"
UP = [
    entry.slug
    for entry in ENTRIES
    if entry.sandbox in ("api", "portal", "dates", "intranet", "shop", "books")
]


@pytest.mark.parametrize("slug", UP)
async def test_the_app_server_keeps_all_events_of_the_agent_server_and_more(slug: str) -> None:
    demo = at_rest()
    demo.advance(2_000)
    async with connect(demo) as client:
        url, headers = await agent(client, slug)
        ours = await all_pages(client, f"{url}/events/search", headers, limit=30)
        theirs = {e["id"]: e for e in await all_pages(client, events_of(slug) + "/search")}
        for event in ours:
            full = theirs.pop(event["id"])
            assert "parent_id" not in event
            flat = {k: v for k, v in event.items() if not isinstance(v, dict | list)}
            assert flat == {k: full[k] for k in flat}
            assert {k for k, value in full.items() if value is None} - {"parent_id"} == (
                set(full) - set(event) - {"parent_id"}
            )
        left = {(e["kind"], e.get("key", "")) for e in theirs.values()}
        assert left <= {
            ("StreamingDeltaEvent", ""),
            ("ConversationStateUpdateEvent", "full_state"),
        }
        assert left


async def test_events_come_in_the_order_they_were_appended_not_by_time() -> None:
    async with connect(at_rest()) as client:
        url, headers = await agent(client, "week-dates")
        events = await all_pages(client, f"{url}/events/search", headers)
        times = [event["timestamp"] for event in events]
        assert times != sorted(times)
        late = next(n for n in range(1, len(events)) if times[n] < times[n - 1])
        assert (events[late]["key"], events[late - 1]["kind"]) == ("stats", "ObservationEvent")
        back = await all_pages(client, f"{url}/events/search", headers, sort_order="TIMESTAMP_DESC")
        assert back == events[::-1]


async def test_a_page_id_is_the_id_of_its_first_event_and_an_unknown_one_is_page_1() -> None:
    async with connect(at_rest()) as client:
        url, headers = await agent(client, "oauth")
        events = await all_pages(client, f"{url}/events/search", headers)
        first = (
            await client.get(f"{url}/events/search", headers=headers, params={"limit": 5})
        ).json()
        assert first["next_page_id"] == events[5]["id"]
        again = await client.get(
            f"{url}/events/search", headers=headers, params={"limit": 5, "page_id": "nope"}
        )
        assert again.json() == first


async def test_the_limit_is_a_crash_above_100_and_a_refusal_at_0() -> None:
    async with connect(at_rest()) as client:
        url, headers = await agent(client, "oauth")
        above = await client.get(f"{url}/events/search", headers=headers, params={"limit": 101})
        assert (above.status_code, above.headers["content-type"]) == (500, "application/json")
        zero = await client.get(f"{url}/events/search", headers=headers, params={"limit": 0})
        assert zero.status_code == 422


async def test_the_kind_filter_wants_the_class_with_its_module() -> None:
    async with connect(at_rest()) as client:
        url, headers = await agent(client, "oauth")

        async def count(**params: str) -> int:
            answer = await client.get(f"{url}/events/count", headers=headers, params=params)
            value = answer.json()
            assert isinstance(value, int)
            return value

        assert await count(kind=ACTIONS) == 17
        assert await count(kind="ActionEvent") == 0
        assert await count(source="user") == 1
        events = await all_pages(client, f"{url}/events/search", headers)
        newest = max(event["timestamp"] for event in events)
        assert await count(timestamp__gte=newest) == 1
        assert await count(timestamp__gte=f"{newest}Z") == 1
        assert await count(timestamp__lt=newest) == len(events) - 1


async def test_the_key_must_be_that_of_the_sandbox() -> None:
    async with connect(at_rest()) as client:
        url, headers = await agent(client, "oauth")
        _, other = await agent(client, "week-dates")
        bearer = {"Authorization": f"Bearer {headers['X-Session-API-Key']}"}
        for wrong in ({}, bearer, other):
            answer = await client.get(f"{url}/events/count", headers=wrong)
            assert (answer.status_code, answer.json()) == (401, {"detail": "Unauthorized"})


async def test_a_conversation_of_another_sandbox_is_not_found() -> None:
    async with connect(at_rest()) as client:
        url, headers = await agent(client, "oauth")
        base = url.rpartition("/")[0]
        answer = await client.get(f"{base}/{IDS['week-dates']}", headers=headers)
        dashed = UUID(IDS["week-dates"])
        assert answer.status_code == 404
        assert answer.json() == {"detail": f"Conversation not found: {dashed}"}
        assert (await client.get(f"{base}/nope", headers=headers)).status_code == 422


async def test_it_cannot_be_reached_while_its_sandbox_is_paused() -> None:
    demo = at_rest()
    async with connect(demo) as client:
        url, headers = await agent(client, "oauth")
        await client.post(f"{BOXES}/{(await sandbox(client, 'oauth'))['id']}/pause")
        demo.advance(1)
        assert (await client.get(f"{url}/events/count", headers=headers)).status_code == 503


async def test_the_record_has_the_cost_of_every_answer() -> None:
    async with connect(at_rest()) as client:
        url, headers = await agent(client, "week-dates")
        metrics = (await client.get(url, headers=headers)).json()["stats"]["usage_to_metrics"]
        for part in metrics.values():
            assert part["accumulated_cost"] == pytest.approx(sum(c["cost"] for c in part["costs"]))
            usages = part["token_usages"]
            assert [u["response_id"] for u in usages] == [
                latency["response_id"] for latency in part["response_latencies"]
            ]
            assert part["accumulated_token_usage"]["prompt_tokens"] == sum(
                usage["prompt_tokens"] for usage in usages
            )
        assert len(metrics["condenser"]["costs"]) == 1


async def test_addresses_are_those_under_which_the_demo_was_asked() -> None:
    demo = at_rest()
    demo.base_url = "http://127.0.0.1:8123"
    async with connect(demo) as client:
        url, headers = await agent(client, "oauth")
        assert url == f"http://127.0.0.1:8123/runtime/8003/api/conversations/{IDS['oauth']}"
        assert (await client.get(url, headers=headers)).status_code == 200
        box = await sandbox(client, "oauth")
        assert box["exposed_urls"][0]["url"] == "http://127.0.0.1:8123/runtime/8003"
