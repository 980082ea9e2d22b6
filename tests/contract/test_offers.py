"""The contract: what an app server offers for a start."""

from __future__ import annotations

import pytest

from oh_tui.api import (
    AppServer,
    AuthError,
    Conversation,
    InvalidRequest,
    Secret,
    ServerError,
    StartRequest,
)
from oh_tui.api.offered_models import SuggestedTask

from .acting import Stage, agents_of


@pytest.mark.usefixtures("without_git_token")
async def test_without_a_token_of_a_git_provider_it_says_where_one_goes(api: AppServer) -> None:
    for call in (
        api.git.suggested_tasks(),
        api.git.search_repositories("github", "dates"),
        api.git.search_branches("github", "acme/dates"),
    ):
        with pytest.raises(AuthError, match="has no token of a git provider") as caught:
            await call
        assert caught.value.status == 403
        assert "Settings, Integrations" in caught.value.hint
    assert (await api.settings()).provider_tokens_set == {}


async def test_the_settings_name_the_model(api: AppServer) -> None:
    assert (await api.settings()).model


async def test_secrets_are_told_by_name(api: AppServer) -> None:
    assert all(secret.name for secret in (await api.search_secrets()).items)


@pytest.mark.usefixtures("process_sandboxes")
async def test_an_agent_in_a_process_cannot_plan(stage: Stage) -> None:
    request = StartRequest(
        message=stage.prompts.short, agent_type="plan", sandbox_id=stage.sandbox_id
    )
    task, _ = await stage.task(request)
    assert task.status == "ERROR" and "500 Internal Server Error" in (task.detail or "")

    async def is_up() -> bool:
        """A busy agent server writes its traceback for seconds, and counts as failed meanwhile."""
        (sandbox,) = await stage.api.sandboxes.get([task.sandbox_id or ""])
        return sandbox is not None and sandbox.status == "RUNNING"

    await stage.until(is_up)


async def test_an_agent_is_started_with_a_secret(stage: Stage) -> None:
    request = StartRequest(
        message=stage.prompts.short,
        secrets={"OH_TUI_TEST": Secret("value-of-a-test")},
        sandbox_id=stage.sandbox_id,
    )
    task, _ = await stage.task(request)
    assert task.status == "READY", task
    conversation = await stage.now(task.app_conversation_id or "")
    await stage.until_status(conversation, "finished")


async def test_an_unknown_kind_of_agent_is_refused(api: AppServer) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await api.start_tasks.begin(StartRequest(agent_type="nope"))
    assert caught.value.status == 422


async def test_a_task_whose_prompt_the_server_cannot_write_is_not_started(api: AppServer) -> None:
    before = await api.count_conversations()
    task = SuggestedTask("acme/dates", 1, "A title", "OPEN_PR", "github")
    with pytest.raises(ServerError) as caught:
        await api.start_tasks.begin(StartRequest(suggested_task=task))
    assert caught.value.status == 500
    assert await api.count_conversations() == before


async def test_with_a_profile_the_first_answer_is_already_of_its_model(stage: Stage) -> None:
    first = await stage.started()
    await stage.keeps_profile(first, "fast")
    kept = {one.name: one for one in (await stage.api.llm_profiles()).profiles}
    request = StartRequest(message=stage.prompts.short, profile="fast", sandbox_id=stage.sandbox_id)

    async def started() -> Conversation:
        steps = [step async for step in agents_of(stage.api).start(request)]
        assert isinstance(steps[-1], Conversation)
        return steps[-1]

    conversation = await stage.meanwhile(started())
    await stage.until_status(conversation, "finished")
    record = await stage.agent(conversation).conversation()
    assert record.model == kept["fast"].model
    texts = [event.body() for event in await stage.events(conversation) if event.source == "user"]
    assert texts[0]["llm_message"]["content"][0]["text"] == stage.prompts.short
