"""Starting a conversation over the embedded server, and the request of a draft."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from oh_tui.actions import starting
from oh_tui.actions.start_draft import Choices, Draft, Invalid, choices, request_for
from oh_tui.actions.starting import stage_of, title_lost, what_became
from oh_tui.api import AppServer
from oh_tui.api.models import StartTask
from oh_tui.api.requests import StartRequest
from oh_tui.conversation import Conversation
from oh_tui.demo import Demo
from oh_tui.sources.server import ServerSource
from oh_tui.text.problem import Problem, Remedy
from tests.sources.here import IDS, demo_read
from tests.tui.explorer import Between

TASKS = "GET /api/v1/app-conversations/start-tasks"
START = "POST /api/v1/app-conversations"


@dataclass
class Here:
    demo: Demo
    api: AppServer
    between: Between
    source: ServerSource
    started: Conversation | None = None

    async def start(self, **fields: Any) -> list[StartTask]:
        """Every stage of a start, the demo's clock going on 1 s at each look."""
        stages = []
        request = request_for(Draft(prompt="Fix it", **fields), Choices())
        async for step in starting.start(self.api, request, waits=[0.0]):
            if isinstance(step, Conversation):
                self.started = step
            else:
                stages.append(step)
            self.demo.advance(1)
        return stages


@pytest.fixture
async def here(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Here]:
    real = asyncio.sleep
    async with demo_read() as it:

        async def sleep(seconds: float) -> None:
            it.demo.advance(0.2)
            await real(0)

        monkeypatch.setattr(asyncio, "sleep", sleep)
        yield Here(it.demo, it.source.api, it.between, it.source)


async def test_a_start_is_told_stage_by_stage_until_it_is_ready(here: Here) -> None:
    stages = await here.start(repository="acme/dates", branch="main")
    told = [stage_of(task.status) for task in stages]
    assert told[0] == "making the sandbox"
    assert told[-1] == "ready"
    assert len(told) >= 2  # a busy machine looks too seldom to see each of them
    assert len(set(told)) == len(told), "each stage once"
    assert here.between.count(START) == 1
    found = here.started
    assert found is not None and found.id == stages[-1].app_conversation_id
    assert (found.selected_repository, found.selected_branch) == ("acme/dates", "main")


async def test_a_start_that_fails_says_what_was_seen_last(here: Here) -> None:
    with pytest.raises(Problem) as caught:
        await here.start(repository="acme/nope")
    assert "The start failed, last seen" in caught.value.sentence
    assert "does not say why (check the repository" in caught.value.sentence
    assert here.between.count(START) == 1, "a start is never sent twice"


@pytest.mark.parametrize("fields", [{"repository": "acme/nope"}, {"mode": "plan"}])
async def test_a_start_that_fails_names_the_sandbox_that_it_left(
    here: Here, fields: dict[str, Any]
) -> None:
    before = {one.id for one in await here.source.sandboxes.all()}
    here.demo.world.has_processes = True
    with pytest.raises(Problem, match="It left sandbox") as caught:
        await here.start(**fields)
    (left,) = {one.id for one in await here.source.sandboxes.all()} - before
    assert (caught.value.hint, caught.value.about) == (Remedy.PAUSE_LEFT, left)


async def test_a_sandbox_that_others_use_or_that_is_gone_is_not_called_left(here: Here) -> None:
    here.between.answer("GET /api/v1/sandboxes", 200, "[null]", "application/json")
    with pytest.raises(Problem) as caught:
        await here.start(repository="acme/nope")
    assert "left" not in caught.value.sentence and "check the repository" in caught.value.hint
    used = IDS["week-dates"]
    here.between.answers.clear()
    asked = StartRequest(message="x", selected_repository="acme/nope", parent_conversation_id=used)
    with pytest.raises(Problem) as caught:
        async for _ in starting.start(here.api, asked, waits=[0.0]):
            here.demo.advance(1)
    assert "left" not in caught.value.sentence


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        (
            "Client error '401 Unauthorized' for url 'http://localhost:8002/api/conversations'\n"
            "For more information check: https://developer.mozilla.org/en-US/docs/Web/HTTP/401",
            "The start failed: another start took the port of its sandbox, as two at once may",
        ),
        (
            "Server error '503 Service Unavailable' for url 'https://x.prod.example/api/bash'\nFor",
            "The start failed: the agent server in its sandbox answered 503 Service Unavailable",
        ),
        (
            "Client error '401 Unauthorized' for url 'https://x.prod.example/api/conversations'",
            "The start failed: the agent server in its sandbox answered 401 Unauthorized",
        ),
        (
            "All connection attempts failed",
            "The start failed: the agent server in its sandbox did not answer",
        ),
        ("500: Sandbox not found: x", "The start failed: 500: Sandbox not found: x"),
    ],
)
async def test_what_an_http_client_says_is_told_in_a_sentence(
    here: Here, monkeypatch: pytest.MonkeyPatch, detail: str, told: str
) -> None:
    async def look(ids: list[str]) -> list[StartTask | None]:
        return [StartTask(ids[0], "ERROR", detail)]

    monkeypatch.setattr(here.api.start_tasks, "get", look)
    with pytest.raises(Problem) as caught:
        await here.start()
    assert (caught.value.sentence, caught.value.hint) == (told, Remedy.START_LATER)


@pytest.mark.parametrize("refuses", ["nobody", "the app server", "the agent server"])
async def test_a_title_is_given_after_the_start(here: Here, refuses: str) -> None:
    if refuses == "the app server":
        here.between.answer("PATCH /api/v1/app-conversations/*", 500)
    if refuses == "the agent server":
        here.between.answer("PATCH /*/api/conversations/*", 500)
    await here.start(title="My title")
    found = here.started
    assert found is not None and here.between.count(START) == 1
    lost = title_lost(StartRequest(title="My title"), found)
    if refuses == "the app server":
        assert found.title == "Fix it"
        assert lost == "the server did not take the title My title"
    else:
        assert (found.title, lost) == ("My title", "")
    own = here.demo.world.conversation(found.id)
    assert own is not None
    assert own.agent_title == ("Fix it" if refuses == "the agent server" else "My title")


async def test_the_detail_of_a_failure_is_told_clean_and_without_keys(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look(ids: list[str]) -> list[StartTask | None]:
        why = "401: \x1b[2Jkey sk-abcdef1234567890abcdef"
        return [StartTask(ids[0], "ERROR", why)]

    monkeypatch.setattr(here.api.start_tasks, "get", look)
    with pytest.raises(Problem) as caught:
        await here.start()
    assert caught.value.sentence == "The start failed: 401: key [hidden]"


@pytest.mark.parametrize(("misses", "ends_well"), [(2, True), (3, False)])
async def test_looks_that_fail_are_borne_twice(
    here: Here, monkeypatch: pytest.MonkeyPatch, misses: int, ends_well: bool
) -> None:
    real, left = here.api.start_tasks.get, [misses]

    async def look(ids: list[str]) -> list[StartTask | None]:
        if left[0]:
            left[0] -= 1
            raise Problem("The server is busy")
        return await real(ids)

    monkeypatch.setattr(here.api.start_tasks, "get", look)
    if ends_well:
        assert (await here.start())[-1].status == "READY"
    else:
        with pytest.raises(Problem, match="goes on, but how is not known: The server is busy"):
            await here.start()


@pytest.mark.parametrize(("misses", "is_found"), [(2, True), (9, False)])
async def test_the_list_may_get_the_conversation_a_moment_later(
    here: Here, monkeypatch: pytest.MonkeyPatch, misses: int, is_found: bool
) -> None:
    real, left = here.api.get_conversations, [misses]

    async def get(ids: list[str]) -> list[Conversation | None]:
        left[0] -= 1
        return await real(ids) if left[0] < 0 else [None]

    monkeypatch.setattr(here.api, "get_conversations", get)
    if is_found:
        await here.start()
        assert here.started is not None
    else:
        with pytest.raises(Problem, match="started, and is not listed yet") as caught:
            await here.start()
        assert caught.value.hint == Remedy.LISTED_SOON


async def test_a_task_that_the_server_forgot_is_no_endless_wait(here: Here) -> None:
    here.between.answer(TASKS, 200, "[null]", "application/json")
    with pytest.raises(Problem, match="no longer knows"):
        await here.start()


async def test_the_looks_wait_1_2_3_and_then_5_seconds(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        if seconds >= 1:  # shorter ones are of the demo's server, whose clock is real
            waited.append(seconds)
        here.demo.advance(seconds)
        await real(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    request = StartRequest(message="Fix it")
    *_, task, conversation = [step async for step in starting.start(here.api, request)]
    assert isinstance(task, StartTask) and task.status == "READY"
    assert isinstance(conversation, Conversation)
    assert waited == [1.0, 2.0, 3.0, 5.0]


# What is asked for


def test_a_draft_becomes_the_request_it_means() -> None:
    known = Choices(("acme/web",), providers={"acme/web": "gitlab"})
    request = request_for(Draft("Fix\nit", " acme/web ", " main ", " A title ", " m/x "), known)
    assert request == StartRequest(
        message="Fix\nit",
        selected_repository="acme/web",
        selected_branch="main",
        git_provider="gitlab",
        title="A title",
        llm_model="m/x",
    )
    bare = request_for(Draft("Fix it"), Choices())
    assert bare == StartRequest(message="Fix it")


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (Draft(""), "prompt"),
        (Draft(" \n\t"), "prompt"),
        (Draft("PK\x03\x04\0\0"), "prompt"),
        (Draft("Fix", repository="dates"), "repository"),
        (Draft("Fix", branch="main"), "repository"),
        (Draft("Fix", repository="a/b", branch="my branch"), "branch"),
        (Draft("Fix", model="a model"), "model"),
        (Draft("Fix", title="x" * 201), "title"),
    ],
)
def test_what_cannot_stand_names_its_field_and_what_to_do(draft: Draft, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        request_for(draft, Choices())
    assert caught.value.field == field
    assert caught.value.hint


def test_a_lone_surrogate_in_a_prompt_can_still_be_sent() -> None:
    sent = request_for(Draft("a\ud800b"), Choices()).message.encode()
    assert sent.startswith(b"a") and sent.endswith(b"b")


def test_choices_are_what_was_used_the_newest_first() -> None:
    def one(repository: str | None, branch: str | None, model: str | None) -> Conversation:
        return Conversation(
            "1", selected_repository=repository, selected_branch=branch, llm_model=model,
            git_provider="github",
        )  # fmt: skip

    known = choices(
        [one("a/b", "main", "m2"), one("c/d", None, "m1"), one("a/b", "dev", "m2"),
         one(None, "x", None), one("\x1b[2J", "y", "")]
    )  # fmt: skip
    assert known.repositories == ("a/b", "c/d")
    assert known.branches == {"a/b": ("main", "dev"), "c/d": ()}
    assert known.models == ("m2", "m1")
    assert known.providers["c/d"] == "github"


def test_a_stage_of_a_newer_server_is_shown_as_it_calls_it() -> None:
    assert stage_of("WARMING_CACHES\x1b[2J") == "warming caches"
    assert stage_of(None) == ""


def test_what_became_of_a_start_is_told_without_what_a_server_slips_in() -> None:
    told = what_became(StartTask("1", "READY", app_conversation_id="\x1b]0;pwn\x07x"))
    assert told.endswith("its own id is x")
