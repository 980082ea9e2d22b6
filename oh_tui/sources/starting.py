"""Starting a conversation: what was used before, what is asked for, and the stages it goes
through."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable
from typing import TYPE_CHECKING

import msgspec

from oh_tui.api.models import Conversation, StartTask, bare_id
from oh_tui.api.requests import StartRequest
from oh_tui.sources.links import read_repository
from oh_tui.text.clean import clean_line, safe_line
from oh_tui.text.problem import Problem, Refused, Remedy

if TYPE_CHECKING:
    from oh_tui.api import AppServer

WAITS = (1.0, 2.0, 3.0, 5.0)
"""Seconds before each look at the task; the last one goes on. A start takes 9 to 19 s (measured,
process sandboxes)."""

MISSES = 3
"""Looks in a row that may fail before we give up looking."""

LOOKS = 5
"""Looks, a second apart, for the conversation of a start that is ready."""

HANGS = 30.0
"""Seconds in one stage after which the list is asked too: one start in some dozens never tells that
it is ready, and its conversation is there all the same (measured, app server 1.11.0)."""

GIVE_UP = 1800.0
"""Seconds in one stage, a setup script's too, after which nothing is waited for any more."""

STAGES = {
    "WORKING": "making the sandbox",
    "WAITING_FOR_SANDBOX": "waiting for the sandbox",
    "PREPARING_REPOSITORY": "preparing the repository",
    "RUNNING_SETUP_SCRIPT": "running the setup script",
    "SETTING_UP_GIT_HOOKS": "setting up git hooks",
    "SETTING_UP_SKILLS": "setting up skills",
    "STARTING_CONVERSATION": "starting the conversation",
    "READY": "ready",
}
"""Status of a start task -> what goes on then."""


class Draft(msgspec.Struct, frozen=True):
    """What a person wrote for a conversation that is not started yet."""

    prompt: str = ""
    repository: str = ""
    branch: str = ""
    title: str = ""
    model: str = ""


class Invalid(Problem):
    """A field of a draft that cannot stand; `field` is its name."""

    def __init__(self, field: str, sentence: str, hint: str = "") -> None:
        super().__init__(sentence, hint)
        self.field = field


class Choices(msgspec.Struct, frozen=True):
    """What conversations used before, the newest first."""

    repositories: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    branches: dict[str, tuple[str, ...]] = {}
    """Repository -> its branches."""
    providers: dict[str, str] = {}
    """Repository -> its provider, where it is known."""


def choices(conversations: Iterable[Conversation]) -> Choices:
    """What these used, in their order."""
    branches: dict[str, dict[str, None]] = {}
    models: dict[str, None] = {}
    providers: dict[str, str] = {}
    for conversation in conversations:
        if model := safe_line(conversation.llm_model or ""):
            models.setdefault(model)
        repository = read_repository(conversation.selected_repository or "")[0]
        if not repository:
            continue
        known = branches.setdefault(repository, {})
        if branch := safe_line(conversation.selected_branch or ""):
            known.setdefault(branch)
        if conversation.git_provider:
            providers.setdefault(repository, conversation.git_provider)
    return Choices(
        tuple(branches),
        tuple(models),
        {repository: tuple(known) for repository, known in branches.items()},
        providers,
    )


def request_for(draft: Draft, known: Choices) -> StartRequest:
    """The request that a draft makes. Raises Invalid, with the field to look at."""
    # a lone surrogate, as a paste may bring it, cannot be sent
    prompt = draft.prompt.encode("utf-8", "replace").decode()
    if not prompt.strip():
        raise Invalid("prompt", "There is nothing to do yet", "write what the agent is to do")
    if "\0" in prompt:
        raise Invalid("prompt", "The prompt holds binary data", "give it as text")
    typed, branch = draft.repository.strip(), draft.branch.strip()
    repository, provider = read_repository(typed)
    if typed and not repository:
        raise Invalid(
            "repository", "That is no repository", "write owner/name, or the address of its page"
        )
    if branch and not repository:
        raise Invalid("repository", "A branch needs its repository", "name it, or empty the branch")
    for name, text in (("branch", branch), ("model", draft.model.strip())):
        if any(c.isspace() or not c.isprintable() for c in text):
            raise Invalid(name, f"A {name} has no spaces in its name", "take them out")
    return StartRequest(
        message=prompt,
        selected_repository=repository or None,
        selected_branch=branch or None,
        git_provider=provider or known.providers.get(repository) or None,
        title=clean_line(draft.title) or None,
        llm_model=draft.model.strip() or None,
    )


def what_became(task: StartTask) -> str:
    """Of a start whose id was taken for that of a conversation."""
    if task.app_conversation_id:
        own = safe_line(bare_id(task.app_conversation_id))
        return f"that is the id of its start task; its own id is {own}"
    if task.status == "ERROR":
        said = safe_line(task.detail or "")[:300].rstrip(". ")
        return f"that is the id of a start that failed{f': {said}' if said else ''}"
    return f"that is the id of a start that is not over: {stage_of(task.status)}"


def stage_of(status: str | None) -> str:
    """A status in words; one that is new is shown as the server calls it."""
    return STAGES.get(status or "") or safe_line(status or "").lower().replace("_", " ")


async def start(
    api: AppServer, request: StartRequest, waits: Iterable[float] = WAITS
) -> AsyncGenerator[StartTask | Conversation, None]:
    """Start a conversation and give its task whenever its status is another one, until READY; then
    the conversation.

    Raises Refused when the start fails. Stopping to read changes nothing: the server goes on.
    """
    task = await api.start_tasks.begin(request)
    stage = task.status
    times = list(waits) or [1.0]
    looks = misses = 0
    stayed = 0.0
    while True:
        if task.status == "ERROR":
            raise _failed(task, stage, request)
        if not looks or task.status != stage:
            yield task
            stayed = 0.0
        stage = task.status
        if task.status == "READY":
            yield await _listed(api, task)
            return
        wait = times[min(looks, len(times) - 1)]
        await asyncio.sleep(wait)
        looks += 1
        stayed += wait
        if stayed >= HANGS and (made := await _made(api, task, request)):
            yield msgspec.structs.replace(task, status="READY", app_conversation_id=made.id)
            yield made
            return
        if stayed >= GIVE_UP:
            raise Refused(
                f"The start does not go on: {stage_of(stage)} for {GIVE_UP / 60:.0f} minutes",
                Remedy.FIND_START,
            )
        try:
            (found,) = await api.start_tasks.get([task.id])
            misses = 0
        except Problem as problem:
            misses += 1
            if misses >= MISSES:
                raise Refused(
                    f"The start goes on, but how is not known: {problem.sentence}",
                    Remedy.FIND_START_LATER,
                ) from problem
            continue
        if found is None:
            raise Refused(
                "The server no longer knows of this start",
                Remedy.FIND_START,
            )
        task = found


async def _made(api: AppServer, task: StartTask, request: StartRequest) -> Conversation | None:
    """The conversation in the new sandbox of a start, when the list has it."""
    if not task.sandbox_id or request.sandbox_id:
        return None
    with contextlib.suppress(Problem):
        page = await api.search_conversations(sandbox_id__eq=task.sandbox_id, limit=1)
        return page.items[0] if page.items else None
    return None


async def _listed(api: AppServer, task: StartTask) -> Conversation:
    """The conversation of a start that is ready, which the list may get a moment later."""
    for _ in range(LOOKS if task.app_conversation_id else 0):
        (found,) = await api.get_conversations([task.app_conversation_id or ""])
        if found is not None:
            return found
        await asyncio.sleep(1)
    raise Refused("It was started, and is not listed yet", Remedy.LISTED_SOON)


def _failed(task: StartTask, seen: str | None, request: StartRequest) -> Refused:
    """The server tells in `detail` why, or nothing: of an unknown repository (measured). The stage
    in which it failed is not known, only the last one that was seen."""
    said = safe_line(task.detail or "")[:300].rstrip(". ")
    if said:
        return Refused(f"The start failed: {said}", Remedy.START_LATER)
    last = f", last seen {stage_of(seen)}" if seen not in ("ERROR", None) else ""
    hint = "check the repository and the branch" if request.selected_repository else "try again"
    return Refused(f"The start failed{last}, and the server does not say why", hint)
