"""An agent server as a source: how a conversation is started there, and what it refuses."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from oh_tui.api import (
    BareAgentServer,
    Conversation,
    Refused,
    Secret,
    ServerError,
    StartRequest,
    StartTask,
)
from oh_tui.api.bare_server import FOLDER
from oh_tui.api.offered_models import SuggestedTask
from oh_tui.api.requests import Worktree
from oh_tui.demo import Demo
from oh_tui.demo.servers import agent_server
from oh_tui.demo.servers.alone import PROFILE, PROFILES, make_alone
from oh_tui.demo.world import AgentVersion
from oh_tui.sources.agent_server import AgentServerSource
from oh_tui.text.problem import Problem
from oh_tui.trajectory.model.branches import Branches
from oh_tui.trajectory.model.trajectory import build
from tests.api.servers import AT_ONCE
from tests.commands.conftest import IDS
from tests.tui.explorer import Between


@pytest.fixture
def between() -> Between:
    return Between()


@pytest.fixture
async def source(between: Between) -> AsyncIterator[AgentServerSource]:
    demo = Demo()
    api = BareAgentServer(demo.base_url, app=between(make_alone(demo.world)), retries=AT_ONCE)
    yield AgentServerSource(api, "test")
    await api.aclose()


async def started(source: AgentServerSource, **fields: Any) -> list[StartTask | Conversation]:
    request = StartRequest(**{"message": "Look around", **fields})
    return [step async for step in source.agents.start(request)]


async def test_a_start_is_over_at_once(source: AgentServerSource) -> None:
    task, conversation = await started(source)
    assert isinstance(task, StartTask) and isinstance(conversation, Conversation)
    assert (task.status, task.id) == ("READY", conversation.id)
    assert await source.get([conversation.id]) != [None]


@pytest.mark.parametrize("form", [str, str.upper, lambda id: id.replace("-", "")])
async def test_a_start_that_answers_with_the_id_of_another_run_changes_nothing_there(
    source: AgentServerSource, between: Between, form: Any
) -> None:
    (other,) = await source.get([IDS["week-dates"]])
    assert other
    record = {"id": form(str(UUID(IDS["week-dates"]))), "title": other.title}
    between.answer("POST /api/conversations", 201, json.dumps(record), "application/json")
    with pytest.raises(Refused, match="id of another conversation"):
        await started(source, title="Mine")
    assert not [call for call in between.asked if call.startswith("PATCH")]
    assert await source.get([other.id]) == [other]


async def test_a_title_is_given_once_it_is_there(source: AgentServerSource) -> None:
    _, conversation = await started(source, title="Mine")
    assert isinstance(conversation, Conversation) and conversation.title == "Mine"


async def test_an_active_profile_is_taken_as_it_is(
    source: AgentServerSource, between: Between
) -> None:
    between.answer(
        "GET /api/settings", 200, f'{{"active_agent_profile_id":"{PROFILE}"}}', "application/json"
    )
    await started(source)
    assert between.count("GET /api/agent-profiles") == 0


@pytest.mark.parametrize("fields", [{"selected_repository": "a/b"}, {"llm_model": "x"}])
async def test_what_it_cannot_do_is_refused_before_any_call(
    source: AgentServerSource, between: Between, fields: dict[str, str]
) -> None:
    with pytest.raises(Problem) as caught:
        await started(source, **fields)
    assert not isinstance(caught.value, Refused), "the words are wrong, not the server"
    assert between.asked == []


async def test_without_a_model_it_is_said_how_to_set_one(
    source: AgentServerSource, between: Between
) -> None:
    kept = '{"llm_api_key_is_set":false,"active_agent_profile_id":null}'
    between.answer("GET /api/settings", 200, kept, "application/json")
    with pytest.raises(Refused) as caught:
        await started(source)
    assert "no active agent profile" in caught.value.sentence
    assert "PATCH http://demo.invalid/api/settings" in caught.value.hint
    # such a list would make a profile out of settings that cannot work
    assert between.count("GET /api/agent-profiles") == between.count("POST *") == 0


async def test_a_model_at_an_address_of_its_own_needs_no_key(
    source: AgentServerSource, between: Between
) -> None:
    llm = '"agent_settings":{"llm":{"base_url":"http://llm"}}'
    kept = f'{{"llm_api_key_is_set":false,"active_agent_profile_id":null,{llm}}}'
    between.answer("GET /api/settings", 200, kept, "application/json")
    task, _ = await started(source)
    assert isinstance(task, StartTask) and task.status == "READY"


@pytest.mark.parametrize(
    ("status", "kept"),
    [
        (404, '{"detail":"Not Found"}'),
        (200, '{"agent_settings":{"llm":{}},"llm_api_key_is_set":false}'),
        (200, '{"agent_settings":{"llm":{}},"llm_api_key_is_set":true}'),
    ],
    ids=["1.17.0", "1.24.0", "1.24.0 with a model"],
)
async def test_an_old_server_keeps_nothing_to_start_with(
    source: AgentServerSource, between: Between, status: int, kept: str
) -> None:
    between.answer("GET /api/settings", status, kept, "application/json")
    between.answer("GET /api/agent-profiles", 404, '{"detail":"Not Found"}', "application/json")
    with pytest.raises(Refused) as caught:
        await started(source)
    assert "too old" in caught.value.sentence
    assert "PATCH" not in caught.value.hint


async def test_a_server_that_is_gone_is_not_read_from_elsewhere(
    source: AgentServerSource, between: Between
) -> None:
    (first, *_) = (await source.newest()).items
    between.answer("GET *", 503)
    with pytest.raises(ServerError):
        [one async for one in source.runs.load(first)]


async def test_commits_since_the_run_began_are_told(between: Between) -> None:
    demo = Demo()
    demo.world.agent_version = AgentVersion.NEW
    api = BareAgentServer(demo.base_url, app=between(make_alone(demo.world)), retries=AT_ONCE)
    new = AgentServerSource(api, "test")
    commits = [
        {"sha": "b" * 40, "short_sha": "bbbbbbb", "timestamp": "2026-03-02T10:00:00+01:00"},
        {"sha": "a" * 40, "timestamp": "2026-03-02T09:59:59+01:00"},
    ]
    told = json.dumps({"commits": commits, "has_more": True})
    between.answer("GET /api/git/commits", 200, told, "application/json")
    files = '[{"status":"UPDATED","path":"src/a.py"}]'
    between.answer("GET /api/git/commits/*/changes", 200, files, "application/json")
    (first, *_) = (await new.newest()).items
    since = datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp()
    (one,) = await new.workspaces.commits(first, since)
    assert one.commit.short_sha == "bbbbbbb"
    assert [change.path.endswith("/src/a.py") for change in one.changes] == [True]
    assert await new.workspaces.commits(first, None) == []
    await api.aclose()


async def test_an_older_server_tells_of_no_commits(source: AgentServerSource) -> None:
    (first, *_) = (await source.newest()).items
    assert await source.workspaces.commits(first, 1.0) == []


async def test_the_older_events_of_a_run_join_to_all_of_them(source: AgentServerSource) -> None:
    (run, *_) = await source.get([IDS["week-dates"]])
    assert run is not None
    total, via = await source.runs.count_events(run)
    assert via == "agent server"
    page = await source.api.search_events(run.id, sort_order="TIMESTAMP_DESC", limit=10)
    held = build(reversed(page.items), complete=False)
    assert (await source.runs.cost(run, held)).events == total - 10
    older = [one async for one in source.runs.older(run, held, via)]
    assert sum(len(one.events) for one in older) == total - 10 and older[-1].complete


async def test_a_run_is_followed() -> None:
    demo = Demo()
    api = BareAgentServer(demo.base_url, app=make_alone(demo.world), retries=AT_ONCE)
    source = AgentServerSource(api, "test")
    (run,) = await source.get([IDS["flaky-ci"]])
    assert run is not None
    states = [one async for one in source.runs.load(run)]
    whole = next(one.trajectory for one in reversed(states) if one.trajectory)
    demo.advance(900)
    async with contextlib.aclosing(source.runs.follow(run, whole, states[-1].via)) as news:
        assert await anext(news)
    await api.aclose()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"suggested_task": SuggestedTask("acme/dates", 1)}, "suggests no tasks"),
        ({"agent_type": "plan"}, "no agent that plans"),
        ({"secrets": {"A": Secret("b")}}, "gives no secrets"),
        ({"profile": "none"}, "no agent profile none"),
    ],
)
async def test_what_an_agent_server_cannot_do_at_a_start_is_told(
    source: AgentServerSource, between: Between, fields: dict[str, Any], told: str
) -> None:
    with pytest.raises(Problem, match=told) as caught:
        await started(source, **fields)
    assert not isinstance(caught.value, Refused), "the words are wrong, not the server"
    assert between.count("POST /api/conversations") == 0


async def test_a_profile_and_a_folder_go_with_the_start(source: AgentServerSource) -> None:
    sent = []
    real = source.api.start

    async def start(
        text: str, profile: str, folder: str = "", worktree: Worktree | None = None
    ) -> Conversation:
        sent.append((profile, folder))
        return await real(text, profile, folder, worktree)

    source.api.start = start  # type: ignore[method-assign]
    await started(source, profile="careful", folder="/srv/work")
    await started(source)
    careful = next(one for one, name in PROFILES.items() if name == "careful")
    assert sent == [(careful, "/srv/work"), (PROFILE, FOLDER)]


async def read_alone(version: AgentVersion) -> Branches:
    """The run of the demo in which the user went back, from an agent server."""
    demo = Demo()
    demo.world.agent_version = version
    api = BareAgentServer(demo.base_url, app=make_alone(demo.world), retries=AT_ONCE)
    source = AgentServerSource(api, "test")
    (conversation,) = await source.get([IDS["unicode-slug"]])
    assert conversation
    *_, last = [state async for state in source.runs.load(conversation)]
    await api.aclose()
    assert last.trajectory
    return Branches(last.trajectory)


@pytest.mark.parametrize(("version", "count"), [(AgentVersion.NEW, 2), (AgentVersion.USUAL, 1)])
async def test_branches_are_told_by_servers_that_name_the_parents_of_events(
    version: AgentVersion, count: int
) -> None:
    branches = await read_alone(version)
    assert branches.count == count
    assert len(branches.shown.steps) == (5 if count == 2 else 7)


@pytest.mark.parametrize(("version", "steps"), [(AgentVersion.NEW, 2), (AgentVersion.USUAL, 7)])
async def test_the_record_says_where_a_run_goes_on(
    monkeypatch: pytest.MonkeyPatch, version: AgentVersion, steps: int
) -> None:
    branches = await read_alone(AgentVersion.NEW)
    result = branches.shown.steps[1].result
    assert result
    leaf = {"leaf_event_id": result.id}
    monkeypatch.setattr(agent_server, "leaf_of", lambda *_: leaf)
    back = await read_alone(version)
    assert len(back.shown.steps) == steps
    assert back.count == (3 if version == AgentVersion.NEW else 1)
