"""The sandboxes of an app server: list, pause and resume.

Facts without another source are measured on app server 1.11.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from oh_tui.api import decode
from oh_tui.api.addresses import segment
from oh_tui.api.client import get_by_ids
from oh_tui.api.errors import NotFound
from oh_tui.api.filters import page_params
from oh_tui.api.http.http_errors import short_id
from oh_tui.api.http.transport import MISSING_ENDPOINT, HttpClient
from oh_tui.api.models import Page, Sandbox
from oh_tui.api.paging import MAX_ROWS, Listing


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
