"""The start tasks of an app server: how the start of a conversation proceeds.

Facts without another source are measured on app server 1.11.0.
"""

from __future__ import annotations

from collections.abc import Sequence

from oh_tui.api import decode
from oh_tui.api.client import get_by_ids
from oh_tui.api.errors import NotFound, ServerError
from oh_tui.api.http.transport import Hints, HttpClient
from oh_tui.api.models import StartTask
from oh_tui.api.requests import StartRequest


class StartTasks:
    """`AppServer.start_tasks`."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    async def begin(self, request: StartRequest) -> StartTask:
        """Start a conversation, and a sandbox unless the request names one; it may cost money.

        Returns at once and is never sent twice. Follow the task with `get`: a start takes 9 to 19 s
        with a new sandbox, and 1 s in a running one. A failed start raises nothing: its task has
        the status ERROR and the reason in `detail`, or none for an unknown repository. A task may
        also stay in one stage for ever although its conversation exists: seen once in some dozens,
        when the sandbox reported it before the server had stored it. Raises InvalidRequest for a
        field of the wrong type.
        """
        answer = await self._http.post(
            "/api/v1/app-conversations",
            "start a conversation",
            json=request.wire(),
            hints=_START_HINTS,
        )
        return decode.model(answer, StartTask)

    async def get(self, ids: Sequence[str]) -> list[StartTask | None]:
        """The start tasks with these ids in the same order; None for an unknown one."""
        path = "/api/v1/app-conversations/start-tasks"
        return await get_by_ids(self._http, path, "read how a start goes on", ids, StartTask)


_START_HINTS: Hints = {
    NotFound: "The address is wrong, or the server too old to start one",
    ServerError: "It may have started all the same: look at the list before you try again",
}
