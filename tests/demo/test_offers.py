"""What the demo offers for a start: tasks, repositories and branches, as a server with a token."""

from __future__ import annotations

import pytest

from oh_tui.api import AppServer, ServerError, StartRequest
from oh_tui.api.offered_models import SuggestedTask
from tests.demo.wire import at_rest


async def test_tasks_repositories_and_branches_come_as_models() -> None:
    demo = at_rest()
    async with AppServer(demo.base_url, app=demo.app) as api:
        tasks = (await api.git.suggested_tasks()).items
        assert len({task.repo for task in tasks}) >= 3
        assert all(task.title and task.task_type and task.issue_number for task in tasks)
        found = (await api.git.search_repositories("github", "dates")).items
        assert [one.full_name for one in found] == ["acme/dates", "acme/dates-web"]
        assert (await api.git.search_repositories("gitlab")).items == []
        page = await api.git.search_branches("github", "acme/dates", "fix", limit=1)
        assert [one.name for one in page.items] == ["fix/week-53"]
        assert (await api.settings()).provider_tokens_set == {"github": None}


async def test_a_task_becomes_a_conversation_about_it() -> None:
    demo = at_rest()
    async with AppServer(demo.base_url, app=demo.app) as api:
        task = (await api.git.suggested_tasks()).items[0]
        begun = await api.start_tasks.begin(StartRequest(suggested_task=task))
        demo.advance(30)
        (ready,) = await api.start_tasks.get([begun.id])
        assert ready is not None
        (made,) = await api.get_conversations([ready.app_conversation_id or ""])
        assert made is not None and made.selected_repository == task.repo
        page = await api.search_events(made.id)
        assert any(b"#53 of acme/dates" in event.raw() for event in page.items)


async def test_a_task_cannot_come_with_a_message() -> None:
    demo = at_rest()
    task = SuggestedTask("acme/dates", 1, "A title", "OPEN_ISSUE", "github")
    async with AppServer(demo.base_url, app=demo.app) as api:
        with pytest.raises(ServerError):
            await api.start_tasks.begin(StartRequest(message="Fix it", suggested_task=task))
