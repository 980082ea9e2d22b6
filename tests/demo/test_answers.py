"""Every response of the demo matches the schemas of the real servers."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from oh_tui.demo.catalog import ENTRIES
from oh_tui.demo.runs.stored_events import StoredEvent
from oh_tui.demo.servers.app_writes import START_TASK_IDS, START_TASKS
from tests.demo.wire import (
    API,
    BOXES,
    IDS,
    TALKS,
    agent,
    all_pages,
    at_rest,
    check,
    check_event,
    connect,
    document,
    events_of,
    known,
    sandbox,
    talk,
)

NEWER = frozenset(
    {
        "SecurityAnalysisEvent",
        "AskOracleAction",
        "AskOracleObservation",
        "ClassifyAndSwitchLLMAction",
        "ClassifyAndSwitchLLMObservation",
        "StartChildConversationAction",
        "StartChildConversationObservation",
    }
)
"""Kinds of SDK 1.58 that the app server 1.11.0 does not know; a client meets such ones."""

ABSTRACT = frozenset({"BrowserAction"})
"""Kinds that are only the base of others."""


async def test_lists_and_batches_have_the_documented_shape() -> None:
    async with connect(at_rest()) as client:
        box = (await sandbox(client, "oauth"))["id"]
        calls: list[tuple[str, str, dict[str, Any]]] = [
            (f"{API}/users/me", f"{API}/users/me", {}),
            (f"{TALKS}/search", f"{TALKS}/search", {"include_sub_conversations": "true"}),
            (f"{TALKS}/count", f"{TALKS}/count", {}),
            (TALKS, TALKS, {"ids": [IDS["oauth"], "0" * 32]}),
            (f"{BOXES}/search", f"{BOXES}/search", {}),
            (BOXES, BOXES, {"id": [box, "nope"]}),
            (f"{TALKS}/start-tasks", f"{TALKS}/start-tasks", {"ids": START_TASK_IDS}),
            (
                events_of("oauth") + "/count",
                f"{API}/conversation/{{conversation_id}}/events/count",
                {},
            ),
            (
                events_of("oauth") + "/search",
                f"{API}/conversation/{{conversation_id}}/events/search",
                {},
            ),
        ]
        for url, path, params in calls:
            answer = await client.get(url, params=params)
            assert answer.status_code == 200, url
            check("app-server", f"get {path}", answer.json())
        alive = await client.get("/alive")
        assert alive.json() == {"status": "ok"}


async def test_pause_and_resume_have_the_documented_shape() -> None:
    async with connect(at_rest()) as client:
        box = (await sandbox(client, "oauth"))["id"]
        for verb in ("pause", "resume"):
            answer = await client.post(f"{BOXES}/{box}/{verb}")
            check("app-server", f"post {BOXES}/{{sandbox_id}}/{verb}", answer.json())


async def test_an_agent_servers_record_has_the_documented_shape() -> None:
    path = "/api/conversations/{conversation_id}"
    async with connect(at_rest()) as client:
        for slug in ("oauth", "week-dates", "flaky-ci", "docker-followup"):
            url, headers = await agent(client, slug)
            record = (await client.get(url, headers=headers)).json()
            check("agent-server", f"get {path}", record)
            assert record["id"].count("-") == 4


async def test_what_an_agent_works_with_and_its_forks_have_the_documented_shape() -> None:
    acts: list[tuple[str, dict[str, Any]]] = [
        ("fork", {"title": "Another try"}),
        ("ask_agent", {"question": "Why?"}),
        ("condense", {}),
        ("confirmation_policy", {"policy": {"kind": "AlwaysConfirm"}}),
    ]
    async with connect(at_rest()) as client:
        url, headers = await agent(client, "week-dates")
        root = url.partition("/api/conversations/")[0]
        for act, body in acts:
            answer = await client.post(f"{url}/{act}", json=body, headers=headers)
            path = f"/api/conversations/{{conversation_id}}/{act}"
            check("agent-server", f"post {path}", answer.json())
        switched = await client.post(
            f"{TALKS}/{IDS['week-dates']}/switch_profile", json={"profile_name": "fast"}
        )
        check("app-server", f"post {TALKS}/{{conversation_id}}/switch_profile", switched.json())
        gets = {
            "/api/profiles": {},
            "/server_info": {},
            "/api/git/changes": {"path": "/workspace/dates"},
            "/api/git/diff": {"path": "/workspace/dates/CHANGELOG.md"},
        }
        for path, params in gets.items():
            got = await client.get(f"{root}{path}", params=params, headers=headers)
            assert got.status_code == 200, path
            check("agent-server", f"get {path}", got.json())


async def test_what_a_start_offers_has_the_documented_shape() -> None:
    gets = {
        "settings/profiles": {},
        "secrets/search": {},
        "git/suggested-tasks/search": {},
        "git/repositories/search": {"provider": "github"},
        "git/branches/search": {"provider": "github", "repository": "acme/dates", "query": ""},
    }
    async with connect(at_rest()) as client:
        for path, params in gets.items():
            answer = await client.get(f"{API}/{path}", params=params)
            assert answer.status_code == 200, path
            check("app-server", f"get {API}/{path}", answer.json())


@pytest.mark.parametrize("slug", [entry.slug for entry in ENTRIES if entry.slug != "fuzzing"])
def test_every_event_has_the_shape_of_its_kind(slug: str) -> None:
    demo = at_rest()
    demo.advance(2_000)
    for event in _sample(demo.world.app_events(talk(demo, slug))):
        body = _decode(event)
        if body["kind"] not in NEWER and _inner(body) not in NEWER:
            check_event(body)


def test_every_kind_of_event_action_and_observation_occurs() -> None:
    demo = at_rest()
    demo.advance(2_000)
    found: set[str] = set()
    for slug in (entry.slug for entry in ENTRIES if entry.slug not in ("fuzzing", "coverage")):
        for event in demo.world.app_events(talk(demo, slug)):
            body = _decode(event)
            found |= {body["kind"], _inner(body)}
    schemas = document("app-server")["components"]["schemas"]
    pattern = re.compile(r"(\w+(Event|Action|Observation)|Condensation\w*)-Output")
    wanted = {match[1] for name in schemas if (match := pattern.fullmatch(name))} - ABSTRACT
    wanted -= {"Event", "Action", "Observation"}
    assert wanted - found == set()
    assert found >= NEWER


def test_the_newer_kinds_are_really_unknown_to_this_version() -> None:
    assert not [kind for kind in NEWER if known(kind)]


async def test_an_unknown_start_task_is_null_and_a_ready_one_names_its_conversation() -> None:
    async with connect(at_rest()) as client:
        ids = [*START_TASK_IDS, "00000000-0000-4000-8000-000000000000"]
        tasks = (await client.get(f"{TALKS}/start-tasks", params={"ids": ids})).json()
        assert [task and task["status"] for task in tasks] == [
            *(status for status, *_ in START_TASKS),
            None,
        ]
        assert tasks[0]["app_conversation_id"] is None
        assert tasks[1]["app_conversation_id"] == IDS["flaky-ci"]
        assert "Sandbox not found" in tasks[2]["detail"]
        refused = await client.get(f"{TALKS}/{START_TASK_IDS[1]}/download")
        assert refused.status_code == 404


async def test_pages_of_events_hold_what_the_run_recorded() -> None:
    demo = at_rest()
    async with connect(demo) as client:
        pages = await all_pages(client, events_of("week-dates") + "/search", limit=37)
        recorded = [_decode(event) for event in demo.world.app_events(talk(demo, "week-dates"))]
        assert pages == recorded


def _sample(events: list[StoredEvent]) -> list[StoredEvent]:
    """All of a short run; of a long one the first and last and every 29th."""
    return events if len(events) < 400 else [*events[:60], *events[60:-60:29], *events[-60:]]


def _decode(event: StoredEvent) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(event.raw)
    return value


def _inner(body: dict[str, Any]) -> str:
    part = body.get("action") or body.get("observation") or {}
    return str(part.get("kind", ""))


async def test_starts_messages_and_titles_have_the_documented_shape() -> None:
    demo = at_rest()
    async with connect(demo) as client:
        asked = {"initial_message": {"content": [{"type": "text", "text": "x"}], "run": True}}
        task = (await client.post(TALKS, json=asked)).json()
        check("app-server", f"post {TALKS}", task)
        assert task["created_at"].endswith("Z")
        demo.advance(30)
        page = (await client.get(f"{TALKS}/start-tasks/search")).json()
        check("app-server", f"get {TALKS}/start-tasks/search", page)
        assert not page["items"][0]["created_at"].endswith("Z")
        identifier = page["items"][0]["app_conversation_id"]
        sent = await client.post(
            f"{TALKS}/{identifier}/send-message", json={"content": [{"type": "text", "text": "y"}]}
        )
        check("app-server", f"post {TALKS}/{{conversation_id}}/send-message", sent.json())
        renamed = await client.patch(f"{TALKS}/{identifier}", json={"title": "z"})
        check("app-server", "AppConversation", renamed.json())
        (listed,) = (await client.get(TALKS, params={"ids": identifier})).json()
        assert listed["title"] == "z"
        demo.advance(300)
        events = await all_pages(client, f"{API}/conversation/{identifier}/events/search")
        for event in events:
            check_event(event)
        assert {"SystemPromptEvent", "FinishAction"} <= {
            *(event["kind"] for event in events),
            *(_inner(event) for event in events),
        }


async def test_commands_and_files_have_the_documented_shape() -> None:
    async with connect(at_rest()) as client:
        url, headers = await agent(client, "oauth")
        api = url.partition("/api/conversations/")[0] + "/api"
        command = {"command": "echo x; exit 3"}
        for call in ("start_bash_command", "execute_bash_command"):
            answer = await client.post(f"{api}/bash/{call}", json=command, headers=headers)
            check("agent-server", f"post /api/bash/{call}", answer.json())
        page = await client.get(f"{api}/bash/bash_events/search", headers=headers)
        assert set(page.json()) == {"items", "next_page_id"}
        put = await client.post(
            f"{api}/file/upload", params={"path": "/w/x"}, files={"file": b"x"}, headers=headers
        )
        check("agent-server", "post /api/file/upload", put.json())
        got = await client.get(f"{api}/file/download", params={"path": "/w/x"}, headers=headers)
        assert (got.content, got.headers["content-type"]) == (b"x", "application/octet-stream")
        for verb in ("run", "pause", "interrupt"):
            done = await client.post(f"{url}/{verb}", headers=headers)
            check(
                "agent-server", f"post /api/conversations/{{conversation_id}}/{verb}", done.json()
            )
