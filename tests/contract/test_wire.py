"""The contract below the service layer: the shape of responses on the wire."""

from __future__ import annotations

import httpx
import pytest

from oh_tui.api import AppServer, Conversation

from .fixtures import UNKNOWN

JSON = "application/json"
TEXT = "text/plain"
V1 = "/api/v1"


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/alive", 200, JSON),
        (f"{V1}/users/me", 200, JSON),
        (f"{V1}/no/such/path", 404, JSON),
        (f"{V1}/app-conversations/search?limit=101", 422, JSON),
        (f"{V1}/app-conversations/search?limit=0", 422, JSON),
        (f"{V1}/app-conversations/search?created_at__gte=yesterday", 422, JSON),
        (f"{V1}/app-conversations?ids=no-such-id", 400, JSON),
        (f"{V1}/app-conversations/{UNKNOWN}", 405, JSON),
        (f"{V1}/app-conversations/{UNKNOWN}/download", 404, JSON),
        (f"{V1}/app-conversations/no-such-id/download", 422, JSON),
        (f"{V1}/conversation/{UNKNOWN}/events/search", 200, JSON),
        (f"{V1}/conversation/{UNKNOWN}/events/search?limit=101", 422, JSON),
        (f"{V1}/conversation/{UNKNOWN}/events/search?sort_order=KIND", 422, JSON),
        (f"{V1}/conversation/{UNKNOWN}/events/search?kind__eq=NoSuchEvent", 422, JSON),
        (f"{V1}/conversation/no-such-id/events/search", 500, TEXT),
        (f"{V1}/conversation/{UNKNOWN}/events/count", 200, JSON),
        (f"{V1}/conversation/{UNKNOWN}/events?id=no-such-id", 500, TEXT),
        (f"{V1}/sandboxes/search?limit=101", 422, JSON),
        (f"{V1}/sandboxes?id=NoSuchSandbox", 200, JSON),
    ],
)
async def test_answers_have_the_status_and_type_of_the_real_server(
    wire: httpx.AsyncClient, path: str, status: int, kind: str
) -> None:
    answer = await wire.get(path)
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["content-type"].startswith(kind)


async def test_a_batch_takes_99_conversations_and_not_100(wire: httpx.AsyncClient) -> None:
    for many, status in ((99, 200), (100, 400)):
        answer = await wire.get(f"{V1}/app-conversations", params={"ids": [UNKNOWN] * many})
        assert answer.status_code == status, many


async def test_a_batch_takes_100_events_and_not_101(
    wire: httpx.AsyncClient, run: Conversation
) -> None:
    for many, status in ((100, 200), (101, 400)):
        answer = await wire.get(
            f"{V1}/conversation/{run.id}/events", params={"id": [UNKNOWN] * many}
        )
        assert answer.status_code == status, many


async def test_refusals_explain_themselves_in_detail(wire: httpx.AsyncClient) -> None:
    for path in (
        f"{V1}/app-conversations/{UNKNOWN}/download",
        f"{V1}/app-conversations/search?limit=101",
    ):
        assert (await wire.get(path)).json()["detail"]


async def test_a_conversation_and_a_sandbox_have_the_fields_of_the_real_server(
    wire: httpx.AsyncClient, run: Conversation
) -> None:
    (one,) = (await wire.get(f"{V1}/app-conversations", params={"ids": run.id})).json()
    assert set(one) == {
        "acp_server", "agent_kind", "conversation_url", "created_at", "created_by_user_id",
        "execution_status", "git_provider", "id", "launched_agent_profile", "llm_model",
        "metrics", "parent_conversation_id", "pr_number", "public", "sandbox_id",
        "sandbox_status", "selected_branch", "selected_repository", "session_api_key",
        "sub_conversation_ids", "tags", "title", "trigger", "updated_at",
    }  # fmt: skip
    (sandbox,) = (await wire.get(f"{V1}/sandboxes", params={"id": run.sandbox_id})).json()
    assert set(sandbox) == {
        "created_at", "created_by_user_id", "exposed_urls", "id", "sandbox_spec_id",
        "session_api_key", "status",
    }  # fmt: skip


async def test_a_download_is_an_attachment_of_unknown_length(
    wire: httpx.AsyncClient, api: AppServer, run: Conversation
) -> None:
    path = f"{V1}/app-conversations/{run.id}/download"
    async with wire.stream("GET", path) as answer:
        assert answer.headers["content-type"] == "application/zip"
        assert "content-length" not in answer.headers
        assert 'attachment; filename="conversation_' in answer.headers["content-disposition"]


async def test_pause_and_resume_say_success_and_nothing_else(
    wire: httpx.AsyncClient, run: Conversation
) -> None:
    answer = await wire.post(f"{V1}/sandboxes/{run.sandbox_id}/resume")
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    answer = await wire.post(f"{V1}/sandboxes/NoSuchSandbox/pause")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})
