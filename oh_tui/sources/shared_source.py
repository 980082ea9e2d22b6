"""Conversations that others share, named by their links: read without a key, read only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING

from oh_tui.api.errors import NotFound
from oh_tui.api.models import Page, bare_id
from oh_tui.api.shared_server import NOT_SHARED
from oh_tui.sources.links import SHARED, SharedLink
from oh_tui.sources.server_runs.shared_runs import SharedRuns
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line

if TYPE_CHECKING:
    from oh_tui.api import SharedServer
    from oh_tui.api.filters import ConversationFilters
    from oh_tui.api.models import Conversation
    from oh_tui.sources.lists.last_known import LastKnown


class SharedSource:
    """The conversations of some links to one server."""

    agents = workspaces = sandboxes = records = None
    remembered_as = "shared"
    address = ""
    """None, so that nothing of the conversations of others is kept among one's own."""
    remarks: Sequence[str] = ()
    last_known: Mapping[str, LastKnown] = {}

    def __init__(
        self, api: SharedServer, links: Sequence[SharedLink], *, label: str = "", web: bool = True
    ) -> None:
        """`label` says where they are shared, if the address does not. Without `web` the server has
        no pages."""
        self.api = api
        self._ids = list(dict.fromkeys(link.id for link in links))
        self.runs = self.remote = SharedRuns(api, self._ids)
        self.label = label or f"shared on {safe_line(api.base_url.partition('://')[2])}"
        self.web = f"{api.base_url}{SHARED}" if web else ""
        self.opening = self._ids[0]
        self.problems: list[str] = []
        self._rows: list[Conversation] = []

    @property
    def changes(self) -> bool:
        """Whether one of the runs may go on: no other conversation appears."""
        return any(map(self.runs.may_grow, self._rows))

    async def close(self) -> None:
        await self.api.aclose()

    async def pages(self) -> AsyncIterator[Page[Conversation]]:
        yield await self.newest()

    def narrowed(self, filters: ConversationFilters) -> None:
        """None: there is nothing to search."""

    async def newest(self) -> Page[Conversation]:
        """All of them. Raises NotFound if none is shared."""
        found = await self.get(self._ids)
        gone = (one for one, row in zip(self._ids, found, strict=True) if row is None)
        missing = [f"Nobody shares a conversation {one} there" for one in gone]
        self._rows = [row for row in found if row]
        if not self._rows:
            raise NotFound(missing[0], NOT_SHARED)
        self.problems = missing
        return Page(self._rows, None)

    async def count(self) -> int | None:
        return len(self._rows)

    async def get(self, ids: Sequence[str]) -> list[Conversation | None]:
        return await self.api.get_conversations([bare_id(one) for one in ids])


def of_one_server(links: Sequence[SharedLink]) -> str:
    """The address of the server of all links. Raises Problem if there are several."""
    servers = dict.fromkeys(link.server for link in links)
    if len(servers) > 1:
        raise Problem("These links lead to several servers", "open those of one at a time")
    return next(iter(servers))
