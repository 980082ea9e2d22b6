"""Starts conversations: suggestions, the request, and the stages of the start."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable
from typing import TYPE_CHECKING

import msgspec

from oh_tui.api.errors import ServerError
from oh_tui.api.models import StartTask
from oh_tui.api.requests import StartRequest
from oh_tui.conversation import Conversation, bare_id
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem, Refused, Remedy
from oh_tui.text.redact import safe_line

if TYPE_CHECKING:
    from oh_tui.api import AppServer

WAITS = (1.0, 2.0, 3.0, 5.0)
"""Seconds before each look at the task; the last value repeats. A start takes 9 to 19 s (measured,
process sandboxes)."""

MISSES = 3
"""Failed looks in a row after which the start counts as lost."""

HANGS = 30.0
"""Seconds in one stage after which the list of conversations is searched too. One start in some
dozens never reports that it is ready although its conversation exists (measured, app server
1.11.0)."""

GIVE_UP = 1800.0
"""Seconds in one stage, even that of a setup script, after which the start counts as failed."""

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
"""Status of a start task -> the stage in words."""


_OF_AGENT_SERVER = pattern(r"(?:Client|Server) error '([^']{1,80})' for url '")
_NO_AGENT_SERVER = pattern(
    r"^(All connection attempts failed|\[Errno \d+\]|Server disconnected|\w*Timeout|timed out)"
)
"""What httpx says of a call that failed."""

MOST_NAMED = 20
"""Profiles that are named."""


def what_became(task: StartTask) -> str:
    """What to say about a start whose id was used as that of a conversation."""
    if task.app_conversation_id:
        own = safe_line(bare_id(task.app_conversation_id))
        return f"that is the id of its start task; its own id is {own}"
    if task.status == "ERROR":
        why = _failure(task)
        return f"that is the id of a start that failed{f': {why}' if why else ''}"
    return f"that is the id of a start that is not over: {stage_of(task.status)}"


def _takes_port(task: StartTask) -> bool:
    """Whether the agent server of another sandbox answered, whose key is another. Its own then ends
    by itself (measured, process sandboxes)."""
    return (task.detail or "").startswith(
        "Client error '401 Unauthorized' for url 'http://localhost:"
    )


def _failure(task: StartTask) -> str:
    """The reason for a failed start, "" for none: in the words of the server, but where they are
    those of its HTTP client about the agent server (measured, app server 1.11.0)."""
    told = safe_line(task.detail or "")
    if _takes_port(task):
        return "another start took the port of its sandbox, as two at once may"
    if found := _OF_AGENT_SERVER.search(told):
        return f"the agent server in its sandbox answered {found[1]}"
    if _NO_AGENT_SERVER.search(told):
        return "the agent server in its sandbox did not answer"
    return told[:300].rstrip(". ")


def stage_of(status: str | None) -> str:
    """A status in words; an unknown one in the server's words."""
    return STAGES.get(status or "") or safe_line(status or "").lower().replace("_", " ")


async def start(
    api: AppServer, request: StartRequest, waits: Iterable[float] = WAITS
) -> AsyncGenerator[StartTask | Conversation, None]:
    """Starts a conversation and yields its task at each new status up to READY, then the
    conversation.

    Raises Problem for what such a server cannot do, Refused when the start fails. When the caller
    stops, the server goes on, but with a profile the first message is not sent: the server takes
    none at a start, so that the profile is set before the agent begins.
    """
    if request.folder:
        raise Problem("An app server chooses the folder by itself", "leave it out")
    if request.worktree:
        raise Problem("An app server makes a new clone for each conversation", "ask no worktree")
    if request.profile:
        await _require_profile(api, request.profile)
    message = "" if request.profile else request.message
    async for step in _started(api, msgspec.structs.replace(request, message=message), waits):
        if isinstance(step, Conversation):
            if request.title:
                step = await _titled(api, step, request.title)
            if request.profile:
                await _begin(api, step, request)
        yield step


async def _titled(api: AppServer, conversation: Conversation, title: str) -> Conversation:
    """The conversation with its title, if the server takes it: see `title_lost`.

    App server 1.11.0 ignores the title of a start (measured). Seconds after the first message it
    writes that of the agent server, which makes one only where it has none (source, 1.34.0): so
    both are told, the agent server first.
    """
    with contextlib.suppress(Problem):  # the conversation has started, which is what counts
        if agent := api.agent_server(conversation):
            await agent.set_title(title)
    with contextlib.suppress(Problem):
        return await api.rename_conversation(conversation.id, title)
    return conversation


def title_lost(request: StartRequest, conversation: Conversation) -> str:
    """What to say of a conversation without the title that was asked for; "" if it has it."""
    if not request.title or conversation.title == request.title:
        return ""
    return f"the server did not take the title {safe_line(request.title)[:80]}"


async def _require_profile(api: AppServer, name: str) -> None:
    """Raises Problem with the names that there are, for one that the server does not keep."""
    names = [one.name for one in (await api.llm_profiles()).profiles]
    if name not in names:
        hint = f"it has {', '.join(map(safe_line, names[:MOST_NAMED]))}"
        hint = hint if names else "it keeps none: its web page makes one, under Settings, LLM"
        raise Problem(f"The server has no profile {safe_line(name)}", hint)


async def _begin(api: AppServer, conversation: Conversation, request: StartRequest) -> None:
    try:
        await api.switch_profile(conversation.id, request.profile or "")
        if request.message:
            await api.send_message(conversation.id, request.message)
    except Problem as problem:
        raise Refused(
            f"It was started, but has no message yet: {problem.sentence}", Remedy.SEND_FIRST
        ) from problem


async def _started(
    api: AppServer, request: StartRequest, waits: Iterable[float]
) -> AsyncGenerator[StartTask | Conversation, None]:
    try:
        task = await api.start_tasks.begin(request)
    except ServerError as error:
        if request.suggested_task and error.status == 500:
            error.hint = Remedy.OWN_WORDS
        raise
    stage = task.status
    times = list(waits) or [1.0]
    looks = misses = 0
    in_stage = 0.0
    while True:
        if task.status == "ERROR":
            raise await _with_what_is_left(api, task, request, _failed(task, stage, request))
        if not looks or task.status != stage:
            yield task
            in_stage = 0.0
        stage = task.status
        if task.status == "READY":
            yield await _listed(api, task)
            return
        wait = times[min(looks, len(times) - 1)]
        await asyncio.sleep(wait)
        looks += 1
        in_stage += wait
        if in_stage >= HANGS and (made := await _made(api, task, request)):
            yield msgspec.structs.replace(task, status="READY", app_conversation_id=made.id)
            yield made
            return
        if in_stage >= GIVE_UP:
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
            raise Refused("The server no longer knows of this start", Remedy.FIND_START)
        task = found


async def _made(api: AppServer, task: StartTask, request: StartRequest) -> Conversation | None:
    if not task.sandbox_id or request.sandbox_id:
        return None
    with contextlib.suppress(Problem):
        page = await api.search_conversations(sandbox_id__eq=task.sandbox_id, limit=1)
        return page.items[0] if page.items else None
    return None


async def _listed(api: AppServer, task: StartTask) -> Conversation:
    """The conversation of a finished start, which may appear in the list a moment later."""
    for _ in range(5 if task.app_conversation_id else 0):
        (found,) = await api.get_conversations([task.app_conversation_id or ""])
        if found is not None:
            return found
        await asyncio.sleep(1)
    raise Refused("It was started, and is not listed yet", Remedy.LISTED_SOON)


async def _with_what_is_left(
    api: AppServer, task: StartTask, request: StartRequest, failure: Refused
) -> Refused:
    """The failure; with the sandbox, if that was made for this start alone and runs on, which costs
    (measured, app server 1.11.0: a plan, an unknown repository)."""
    named = request.sandbox_id or request.parent_conversation_id
    if not task.sandbox_id or named or _takes_port(task):
        return failure
    with contextlib.suppress(Problem):
        (left,) = await api.sandboxes.get([task.sandbox_id])
        inside = await api.search_conversations(sandbox_id__eq=task.sandbox_id, limit=1)
        if left and left.status in ("STARTING", "RUNNING") and not inside.items:
            why = f"{failure.sentence} ({failure.hint})" if failure.hint else failure.sentence
            about = safe_line(left.id)
            failure = Refused(f"{why}. It left sandbox {about} running", Remedy.PAUSE_LEFT)
            failure.about = about
    return failure


def _failed(task: StartTask, seen: str | None, request: StartRequest) -> Refused:
    """The error of a failed start. `detail` has the reason, or nothing for an unknown repository
    (measured). The last stage that was seen is known, but not the one that failed."""
    if request.agent_type == "plan" and "500" in (task.detail or ""):
        # the folder of such a sandbox is ".", and the plan needs an absolute one (measured)
        return Refused(
            "The server could not start an agent that plans",
            "where sandboxes are processes it cannot: start one that acts, and ask it for a plan",
        )
    if why := _failure(task):
        return Refused(f"The start failed: {why}", Remedy.START_LATER)
    last = f", last seen {stage_of(seen)}" if seen not in ("ERROR", None) else ""
    hint = "check the repository and the branch" if request.selected_repository else "try again"
    return Refused(f"The start failed{last}, and the server does not say why", hint)
