"""The calls of the app server that change something: starts, messages, titles, sandboxes.

None of them is sent twice when it may have acted, but pause and resume, where that is harmless.
Facts without another source are measured on app server 1.11.0.
"""

from __future__ import annotations

from collections.abc import Sequence

from oh_tui.api import decode
from oh_tui.api.addresses import segment
from oh_tui.api.connections import PATIENT
from oh_tui.api.errors import Conflict, InvalidRequest, NotFound, ServerError
from oh_tui.api.failures import Answer
from oh_tui.api.filters import page_params
from oh_tui.api.models import Conversation, Page, SentMessage, StartTask, bare_id
from oh_tui.api.paging import batches
from oh_tui.api.requests import StartRequest, message
from oh_tui.api.transport import Hints, Server
from oh_tui.text import clean_line

MAX_IDS = 99
"""Conversations in one batch: the server refuses 100."""


class Acting:
    """Part of `AppServer`."""

    _server: Server

    # starts

    async def start_conversation(self, request: StartRequest) -> StartTask:
        """Begin a start, and a sandbox if none is named; it may cost money. Answers at once.

        Follow the task with `get_start_tasks`: a start takes 9 to 19 s with a new sandbox, 1 s in
        one that runs. One that fails is no error here but a task with status ERROR; its `detail`
        says why, or nothing (an unknown repository). A task may also stay where it is for ever,
        and the conversation be there all the same: seen once in some dozens, when the sandbox told
        of it before the server had written it down. Raises InvalidRequest for a field of the
        wrong kind.
        """
        answer = await self._server.post(
            "/api/v1/app-conversations",
            "start a conversation",
            json=request.wire(),
            hints=_START_HINTS,
        )
        return decode.one(answer, StartTask)

    async def get_start_tasks(self, ids: Sequence[str]) -> list[StartTask | None]:
        """The start tasks with these ids in this order; None for an unknown one."""
        found: dict[str, StartTask] = {}
        for batch in batches(ids, MAX_IDS):
            answer = await self._server.get(
                "/api/v1/app-conversations/start-tasks",
                "read how a start goes on",
                [("ids", identifier) for identifier in batch],
            )
            found |= {bare_id(one.id): one for one in decode.model_list(answer, StartTask)}
        return [found.get(bare_id(identifier)) for identifier in ids]

    async def search_start_tasks(
        self,
        *,
        conversation_id__eq: str | None = None,
        page_id: str | None = None,
        limit: int = 100,
    ) -> Page[StartTask]:
        """A page of 1 to 100 start tasks, the newest first; `page_id` is an offset."""
        answer = await self._server.get(
            "/api/v1/app-conversations/start-tasks/search",
            "list the starts",
            (("conversation_id__eq", conversation_id__eq), *page_params(page_id, limit)),
        )
        return decode.model_page(answer, StartTask)

    # conversations

    async def send_message(
        self, conversation_id: str, text: str, *, run: bool = True
    ) -> SentMessage:
        """Say something to the agent of a conversation whose sandbox runs.

        With `run` a conversation that waits for confirmation runs its pending calls before the
        agent reads the text: reject them first; only in the first moments of the waiting does it
        keep waiting, as it does without `run`. While a step runs
        the server answers only when that step ends; after 30 s it gives up with a 502, and the
        message arrives all the same. Raises Conflict when the sandbox is paused or starting,
        NotFound also when it is gone (410, source), ServerError when it failed (503, source) or
        its agent server did not answer (502).
        """
        answer = await self._server.post(
            f"/api/v1/app-conversations/{segment(conversation_id)}/send-message",
            "send the message",
            json=message(text, run=run),
            timeout=PATIENT,
            hints=_MESSAGE_HINTS,
        )
        accepted(answer, "Look at the conversation: it may have arrived")
        return decode.one(answer, SentMessage)

    async def rename_conversation(self, conversation_id: str, title: str) -> Conversation:
        """Give a conversation another title. Raises NotFound for an unknown one, ServerError for
        an id that is no UUID, InvalidRequest for a title without words (the server takes it)."""
        if not title.strip():
            raise InvalidRequest("A title needs some words", "Type a title")
        answer = await self._server.post(
            f"/api/v1/app-conversations/{segment(conversation_id)}",
            "change the title",
            json={"title": title},
            method="PATCH",
        )
        return decode.one(answer, Conversation)

    # sandboxes

    async def pause_sandbox(self, sandbox_id: str) -> None:
        """Ask for a pause; that it was granted shows only when the sandbox is read again.

        Asking twice is harmless. Raises NotFound for any failure of the server to do it, not only
        for an unknown sandbox (source), Conflict when it says no.
        """
        await self._change(sandbox_id, "pause")

    async def resume_sandbox(self, sandbox_id: str) -> None:
        """Ask for a resume, as `pause_sandbox`. It may give the sandbox a new key and pause older
        sandboxes (source): read the conversation and the sandboxes again."""
        await self._change(sandbox_id, "resume")

    async def _change(self, sandbox_id: str, verb: str) -> None:
        answer = await self._server.post(
            f"/api/v1/sandboxes/{segment(sandbox_id)}/{verb}",
            f"{verb} the sandbox {short(sandbox_id)}",
            repeatable=True,
            hints={NotFound: _CHANGE_HINT},
        )
        accepted(answer, _CHANGE_HINT)


def accepted(answer: Answer, hint: str) -> None:
    """Raises Conflict for a 200 that says {"success": false}."""
    if not decode.succeeded(answer):
        raise Conflict(
            f"Could not {answer.call.doing}: {answer.call.host} says that it did not work",
            hint,
            status=200,
            address=answer.call.address,
        )


def short(identifier: str) -> str:
    """An id as sentences name it."""
    return clean_line(identifier)[:12]


_CHANGE_HINT = "Refresh: the sandbox may be gone, or in another state"

_START_HINTS: Hints = {
    NotFound: "The address is wrong, or the server too old to start one",
    ServerError: "It may have started all the same: look at the list before you try again",
}

_MESSAGE_HINTS: Hints = {
    NotFound: "The conversation may be deleted, or its sandbox gone: its history stays readable",
    Conflict: "Resume its sandbox, wait until it runs, then send it again",
    ServerError: "Its sandbox does not work: look what is wrong there, then send it again",
}
