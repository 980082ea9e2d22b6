"""The starts of conversations on an app server: one begun, and how they go on.

Facts without another source are measured on app server 1.11.0.
"""

from __future__ import annotations

from collections.abc import Sequence

from oh_tui.api import decode
from oh_tui.api.errors import NotFound, ServerError
from oh_tui.api.filters import page_params
from oh_tui.api.models import Page, StartTask, bare_id
from oh_tui.api.paging import MAX_IDS, batches
from oh_tui.api.requests import StartRequest
from oh_tui.api.transport import Hints, Server


class StartTasks:
    """`AppServer.start_tasks`."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def begin(self, request: StartRequest) -> StartTask:
        """Begin a start, and a sandbox if none is named; it may cost money. Answers at once, and is
        never sent twice.

        Follow the task with `get`: a start takes 9 to 19 s with a new sandbox, 1 s in
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

    async def get(self, ids: Sequence[str]) -> list[StartTask | None]:
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

    async def search(
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


_START_HINTS: Hints = {
    NotFound: "The address is wrong, or the server too old to start one",
    ServerError: "It may have started all the same: look at the list before you try again",
}
