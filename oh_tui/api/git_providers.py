"""What an app server knows of the git providers: suggested tasks, repositories and branches.

Facts without another source are from the source of app server 1.11.0.
"""

from __future__ import annotations

from functools import partial

from oh_tui.api import decode
from oh_tui.api.errors import AuthError
from oh_tui.api.filters import page_params
from oh_tui.api.http.connections import PATIENT
from oh_tui.api.http.http_errors import Answer
from oh_tui.api.http.transport import MISSING_ENDPOINT, HttpClient, Params
from oh_tui.api.models import Page
from oh_tui.api.offered_models import Branch, Repository, SuggestedTask


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
