"""What an app server has besides conversations: their start tasks, its sandboxes, and what it knows
of the git providers.

Facts without another source are measured on app server 1.11.0, those of the providers are from its
source.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from oh_tui.api import decode
from oh_tui.api.addresses import segment
from oh_tui.api.client import get_by_ids
from oh_tui.api.errors import AuthError, NotFound, ServerError
from oh_tui.api.filters import page_params
from oh_tui.api.http.connections import PATIENT
from oh_tui.api.http.http_errors import Answer, short_id
from oh_tui.api.http.transport import MISSING_ENDPOINT, Hints, HttpClient, Params
from oh_tui.api.models import Page, Sandbox, StartTask
from oh_tui.api.offered_models import Branch, Repository, SuggestedTask
from oh_tui.api.paging import MAX_ROWS, Listing
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


class SandboxService:
    """`AppServer.sandboxes`."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    async def search(self, *, page_id: str | None = None, limit: int = 100) -> Page[Sandbox]:
        """A page of 1 to 100 sandboxes, newest first. A sandbox that is stuck can delay the answer
        by 5 s (source)."""
        answer = await self._http.get(
            "/api/v1/sandboxes/search",
            "list sandboxes",
            page_params(page_id, limit),
            hints=MISSING_ENDPOINT,
        )
        return await decode.in_thread(partial(decode.model_page, model=Sandbox), answer)

    def all(self) -> Listing[Sandbox]:
        """All sandboxes. After 100,000 the last page `is_cut`."""
        return Listing(lambda cursor: self.search(page_id=cursor), limit=MAX_ROWS)

    async def get(self, ids: Sequence[str]) -> list[Sandbox | None]:
        """The sandboxes with these ids in the same order; None for an unknown one."""
        return await get_by_ids(
            self._http, "/api/v1/sandboxes", "read sandboxes", ids, Sandbox, parameter="id"
        )

    async def pause(self, sandbox_id: str) -> None:
        """Ask for a pause. Only reading the sandbox again shows whether it happened.

        Asking twice is harmless. Raises NotFound whenever the server fails to pause it, not only
        for an unknown sandbox (source), and Conflict when the server refuses.
        """
        await self._change(sandbox_id, "pause")

    async def resume(self, sandbox_id: str) -> None:
        """Ask for a resume, like `pause`. The sandbox may get a new key and older sandboxes may be
        paused (source): read the conversation and the sandboxes again."""
        await self._change(sandbox_id, "resume")

    async def _change(self, sandbox_id: str, verb: str) -> None:
        hint = "Refresh: the sandbox may be gone, or in another state"
        answer = await self._http.post(
            f"/api/v1/sandboxes/{segment(sandbox_id)}/{verb}",
            f"{verb} the sandbox {short_id(sandbox_id)}",
            repeatable=True,
            hints={NotFound: hint},
        )
        decode.require_success(answer, hint)


class GitProviders:
    """`AppServer.git`. Every method raises AuthError where the server has no token of a provider
    (403, measured)."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    async def suggested_tasks(self, *, limit: int = 100) -> Page[SuggestedTask]:
        """The first 1 to 100 tasks that the server suggests: the user's pull requests and issues.
        For each page it asks the providers for all of them, so this reads one."""
        answer = await self._search(
            "suggested-tasks", "list suggested tasks", page_params(None, limit)
        )
        return await decode.in_thread(partial(decode.model_page, model=SuggestedTask), answer)

    async def search_repositories(
        self, provider: str, query: str = "", *, limit: int = 100
    ) -> Page[Repository]:
        """The first 1 to 100 repositories with `query` in their names, which may begin with an
        owner; without one those of the user, the last pushed first. Raises InvalidRequest for an
        unknown provider."""
        params = (("provider", provider), ("query", query or None), *page_params(None, limit))
        answer = await self._search("repositories", "search repositories", params)
        return await decode.in_thread(partial(decode.model_page, model=Repository), answer)

    async def search_branches(
        self, provider: str, repository: str, query: str = "", *, limit: int = 100
    ) -> Page[Branch]:
        """The first 1 to 100 branches of `owner/name` with `query` in their names. The server gives
        none for an unknown repository."""
        wanted = (("provider", provider), ("repository", repository), ("query", query))
        answer = await self._search(
            "branches", "search branches", (*wanted, *page_params(None, limit))
        )
        return await decode.in_thread(partial(decode.model_page, model=Branch), answer)

    async def _search(self, what: str, doing: str, params: Params) -> Answer:
        try:
            return await self._http.get(
                f"/api/v1/git/{what}/search", doing, params, PATIENT, MISSING_ENDPOINT
            )
        except AuthError as error:
            if error.status != 403 or "token" not in error.detail.lower():
                raise
            raise AuthError(
                f"Could not {doing}: {self._http.host} has no token of a git provider, such as "
                "GitHub (403)",
                "Add one on its web page, under Settings, Integrations",
                status=error.status,
                address=error.address,
                detail=error.detail,
            ) from error
