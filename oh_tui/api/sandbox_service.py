"""The sandboxes of an app server: listed, paused, resumed.

Facts without another source are measured on app server 1.11.0.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from functools import partial

from oh_tui.api import decode
from oh_tui.api.addresses import WANTED, segment
from oh_tui.api.errors import NotFound
from oh_tui.api.failures import short
from oh_tui.api.filters import page_params
from oh_tui.api.models import Page, Sandbox
from oh_tui.api.paging import MAX_IDS, MOST_ROWS, Pages, batches
from oh_tui.api.transport import Hints, Server


class SandboxService:
    """`AppServer.sandboxes`."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def search(self, *, page_id: str | None = None, limit: int = 100) -> Page[Sandbox]:
        """A page of 1 to 100 sandboxes, newest first. One that is stuck can hold the answer up
        by 5 s (source)."""
        answer = await self._server.get(
            "/api/v1/sandboxes/search",
            "list sandboxes",
            page_params(page_id, limit),
            hints=_HERE,
        )
        return await decode.aside(partial(decode.model_page, model=Sandbox), answer)

    def iter(self) -> AsyncIterator[Page[Sandbox]]:
        """Every page, each sandbox once, at most 100,000: then the last page `is_cut`."""
        return Pages(lambda cursor: self.search(page_id=cursor), limit=MOST_ROWS)

    async def get(self, ids: Sequence[str]) -> list[Sandbox | None]:
        """The sandboxes with these ids in this order; None for an unknown one."""
        found: dict[str, Sandbox] = {}
        for batch in batches(ids, MAX_IDS):
            answer = await self._server.get(
                "/api/v1/sandboxes", "read sandboxes", [("id", identifier) for identifier in batch]
            )
            found |= {one.id: one for one in decode.model_list(answer, Sandbox)}
        return [found.get(identifier) for identifier in ids]

    async def pause(self, sandbox_id: str) -> None:
        """Ask for a pause; that it was granted shows only when the sandbox is read again.

        Asking twice is harmless. Raises NotFound for any failure of the server to do it, not only
        for an unknown sandbox (source), Conflict when it says no.
        """
        await self._change(sandbox_id, "pause")

    async def resume(self, sandbox_id: str) -> None:
        """Ask for a resume, as `pause`. It may give the sandbox a new key and pause older
        sandboxes (source): read the conversation and the sandboxes again."""
        await self._change(sandbox_id, "resume")

    async def _change(self, sandbox_id: str, verb: str) -> None:
        answer = await self._server.post(
            f"/api/v1/sandboxes/{segment(sandbox_id)}/{verb}",
            f"{verb} the sandbox {short(sandbox_id)}",
            repeatable=True,
            hints={NotFound: _CHANGE_HINT},
        )
        decode.accepted(answer, _CHANGE_HINT)


_HERE: Hints = {NotFound: f"The address is wrong or the server too old. {WANTED}"}

_CHANGE_HINT = "Refresh: the sandbox may be gone, or in another state"
