"""The demo's app server behaves as measured on the real one, including its oddities."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from oh_tui.demo.catalog import ENTRIES
from tests.demo.wire import (
    IDS,
    NOW,
    TALKS,
    all_pages,
    at_rest,
    connect,
    conversation,
    events_of,
    talk,
)

UNKNOWN = "00000000-0000-4000-8000-000000000000"


async def test_conversations_come_newest_first_whatever_order_is_asked_for() -> None:
    async with connect(at_rest()) as client:
        items = await all_pages(client, f"{TALKS}/search", limit=7, sort_order="UPDATED_AT")
        created = [item["created_at"] for item in items]
        assert created == sorted(created, reverse=True)
        assert all(when.endswith("Z") for when in created)


async def test_sub_conversations_are_hidden_unless_asked_for_but_counted() -> None:
    async with connect(at_rest()) as client:
        without = await all_pages(client, f"{TALKS}/search")
        having = await all_pages(client, f"{TALKS}/search", include_sub_conversations="true")
        count = (await client.get(f"{TALKS}/count")).json()
        assert (len(without), len(having), count) == (40, 42, 42)
        parent = await conversation(client, "click")
        assert parent["sub_conversation_ids"] == [IDS["click-notes"]]


@pytest.mark.parametrize(
    ("filters", "slugs"),
    [
        ({"title__contains": "oauth"}, {"oauth"}),
        ({"title__contains": "[red]"}, {"hostile"}),
        ({"created_at__gte": (NOW - timedelta(minutes=1)).isoformat()}, {"dark-mode", "flaky-ci"}),
        ({"created_at__lt": (NOW - timedelta(days=19)).isoformat()}, {"untitled"}),
        ({"updated_at__lt": (NOW - timedelta(days=19)).isoformat()}, {"untitled"}),
        (
            {"updated_at__gte": (NOW - timedelta(minutes=6)).isoformat()},
            {"dark-mode", "flaky-ci", "pydantic", "week-dates"},
        ),
    ],
)
async def test_conversations_are_filtered(filters: dict[str, str], slugs: set[str]) -> None:
    async with connect(at_rest()) as client:
        items = (await client.get(f"{TALKS}/search", params=filters)).json()["items"]
        assert {item["id"] for item in items} == {IDS[slug] for slug in slugs}
        assert (await client.get(f"{TALKS}/count", params=filters)).json() == len(slugs)


async def test_conversations_of_one_sandbox_are_found() -> None:
    async with connect(at_rest()) as client:
        box = (await conversation(client, "pydantic"))["sandbox_id"]
        answer = await client.get(f"{TALKS}/search", params={"sandbox_id__eq": box})
        assert {item["id"] for item in answer.json()["items"]} == {
            IDS["pydantic"],
            IDS["pydantic-notes"],
        }


async def test_an_unreadable_page_of_conversations_is_silently_the_first() -> None:
    async with connect(at_rest()) as client:
        first = (await client.get(f"{TALKS}/search", params={"limit": 3})).json()
        odd = (await client.get(f"{TALKS}/search", params={"limit": 3, "page_id": "zzz"})).json()
        assert odd == first
        assert first["next_page_id"] == "3"


@pytest.mark.parametrize("given", ["101", "0", "many"])
@pytest.mark.parametrize("path", [f"{TALKS}/search", events_of("oauth") + "/search"])
async def test_a_limit_out_of_range_is_refused_with_a_list_of_details(
    path: str, given: str
) -> None:
    async with connect(at_rest()) as client:
        answer = await client.get(path, params={"limit": given})
        assert answer.status_code == 422
        (problem,) = answer.json()["detail"]
        assert problem["loc"] == ["query", "limit"]
        assert problem["input"] == given


async def test_batches_have_null_for_unknown_ids_and_take_both_forms_of_known_ones() -> None:
    async with connect(at_rest()) as client:
        dashed = str(UUID(IDS["oauth"]))
        answer = await client.get(TALKS, params={"ids": [UNKNOWN, dashed, IDS["oauth"]]})
        unknown, one, two = answer.json()
        assert unknown is None
        assert one["id"] == two["id"] == IDS["oauth"]


async def test_a_batch_of_a_hundred_or_with_a_malformed_id_is_refused() -> None:
    async with connect(at_rest()) as client:
        assert (await client.get(TALKS, params={"ids": [UNKNOWN] * 99})).status_code == 200
        assert (await client.get(TALKS, params={"ids": [UNKNOWN] * 100})).status_code == 400
        assert (await client.get(TALKS, params={"ids": ["nope"]})).status_code == 400
        assert (await client.get(TALKS)).status_code == 422


async def test_one_conversation_by_path_is_not_allowed_and_an_unknown_path_not_found() -> None:
    async with connect(at_rest()) as client:
        answer = await client.get(f"{TALKS}/{IDS['oauth']}")
        assert (answer.status_code, answer.json()) == (405, {"detail": "Method Not Allowed"})
        answer = await client.get("/api/v1/nope")
        assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


# events -----------------------------------------------------------------------------------------


async def test_pages_of_events_are_cut_at_offsets_that_are_text() -> None:
    async with connect(at_rest()) as client:
        url = events_of("oauth") + "/search"
        page = (await client.get(url, params={"limit": 10})).json()
        assert page["next_page_id"] == "10"
        far = (await client.get(url, params={"page_id": "99999"})).json()
        assert far == {"items": [], "next_page_id": None}
        last = (await client.get(url, params={"page_id": "-3"})).json()["items"]
        assert last == (await all_pages(client, url))[-3:]
        assert (await client.get(url, params={"page_id": "zzz"})).status_code == 500


async def test_events_go_by_timestamp_in_both_directions() -> None:
    async with connect(at_rest()) as client:
        url = events_of("week-dates") + "/search"
        up = await all_pages(client, url)
        down = await all_pages(client, url, sort_order="TIMESTAMP_DESC", limit=50)
        assert [e["timestamp"] for e in up] == sorted(e["timestamp"] for e in up)
        assert down == up[::-1]
        refused = await client.get(url, params={"sort_order": "NEWEST"})
        assert refused.status_code == 422


async def test_events_are_filtered_by_kind_and_their_time_compared_as_text() -> None:
    async with connect(at_rest()) as client:
        url = events_of("oauth")
        calls = await all_pages(client, f"{url}/search", kind__eq="ActionEvent")
        assert {event["kind"] for event in calls} == {"ActionEvent"}
        count = await client.get(f"{url}/count", params={"kind__eq": "ActionEvent"})
        assert count.json() == len(calls) == 17
        refused = await client.get(f"{url}/search", params={"kind__eq": "Nope"})
        assert "'ActionEvent'" in refused.json()["detail"][0]["msg"]

        events = await all_pages(client, f"{url}/search")
        middle = events[30]["timestamp"]
        naive = await all_pages(client, f"{url}/search", timestamp__gte=middle)
        zoned = await all_pages(client, f"{url}/search", timestamp__gte=f"{middle}+00:00")
        assert (len(naive), len(zoned)) == (len(events) - 30, len(events) - 31)
        before = await all_pages(client, f"{url}/search", timestamp__lt=middle)
        assert before == events[:30]


async def test_event_times_have_no_zone() -> None:
    async with connect(at_rest()) as client:
        for event in await all_pages(client, events_of("oauth") + "/search"):
            assert datetime.fromisoformat(event["timestamp"]).tzinfo is None


async def test_events_by_id_have_null_for_missing_ones() -> None:
    async with connect(at_rest()) as client:
        url = events_of("oauth")
        known = (await client.get(f"{url}/search", params={"limit": 2})).json()["items"]
        ids = [known[1]["id"], UNKNOWN, known[0]["id"]]
        found = (await client.get(url, params={"id": ids})).json()
        assert found == [known[1], None, known[0]]
        assert (await client.get(url, params={"id": [UNKNOWN] * 100})).status_code == 200
        assert (await client.get(url, params={"id": [UNKNOWN] * 101})).status_code == 400
        assert (await client.get(url, params={"id": "nope"})).status_code == 500


async def test_an_unknown_conversation_is_empty_and_a_malformed_one_a_crash() -> None:
    async with connect(at_rest()) as client:
        base = f"/api/v1/conversation/{UNKNOWN}/events"
        empty = (await client.get(f"{base}/search")).json()
        assert empty == {"items": [], "next_page_id": None}
        assert (await client.get(f"{base}/count")).json() == 0
        crashed = await client.get("/api/v1/conversation/nope/events/search")
        assert (crashed.status_code, crashed.text) == (500, "Internal Server Error")
        assert crashed.headers["content-type"].startswith("text/plain")


# download ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", ["oauth", "max-iterations", "broken", "untitled"])
async def test_the_zip_holds_the_events_in_order_whatever_the_sandbox_does(slug: str) -> None:
    async with connect(at_rest()) as client:
        answer = await client.get(f"{TALKS}/{IDS[slug]}/download")
        assert answer.headers["content-type"] == "application/zip"
        assert "content-length" not in answer.headers
        archive = zipfile.ZipFile(io.BytesIO(answer.content))
        first, *names = archive.namelist()
        meta = json.loads(archive.read(first))
        assert (first, meta["id"]) == ("meta.json", IDS[slug])
        assert not {"execution_status", "conversation_url", "session_api_key"} & set(meta)
        events: list[dict[str, Any]] = [json.loads(archive.read(name)) for name in names]
        assert events == await all_pages(client, events_of(slug) + "/search")
        assert names == [f"event_{n:06}_{e['id']}.json" for n, e in enumerate(events)]


async def test_a_download_can_be_refused() -> None:
    async with connect(at_rest()) as client:
        large = await client.get(f"{TALKS}/{IDS['fuzzing']}/download")
        assert large.status_code == 413
        assert "contains 12000 events, exceeding the limit of 10000" in large.json()["detail"]
        missing = await client.get(f"{TALKS}/{UNKNOWN}/download")
        assert missing.json() == {"detail": f"Conversation not found: {UNKNOWN}"}
        assert (await client.get(f"{TALKS}/nope/download")).status_code == 422


async def test_no_session_key_is_in_any_event_or_zip() -> None:
    demo = at_rest()
    keys = [box.key.encode() for box in demo.world.sandboxes.values()]
    for slug in (entry.slug for entry in ENTRIES if entry.slug not in ("fuzzing", "coverage")):
        text = b"".join(event.raw for event in demo.world.app_events(talk(demo, slug)))
        assert not [key for key in keys if key in text]
