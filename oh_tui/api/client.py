"""What the clients of all servers share: how one is closed, and objects by their ids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Self, TypeVar

from msgspec.structs import replace

from oh_tui.api import decode
from oh_tui.api.errors import NotFound
from oh_tui.api.http.connections import Connections
from oh_tui.api.http.transport import Hints, HttpClient
from oh_tui.api.models import ListedRecord, Sandbox, StartTask
from oh_tui.conversation import Conversation, bare_id


class Client:
    """One server, over one HTTP client that is closed on leaving `async with`."""

    base_url: str
    name = ""
    """That of the server, which its conversations get where several are in one list."""
    _connections: Connections
    _http: HttpClient

    @property
    def seconds_ahead(self) -> float:
        """Seconds by which this machine's clock is ahead of the server's."""
        return self._http.ahead

    def named(self, conversation: Conversation) -> Conversation:
        """The conversation with the name of this server."""
        return replace(conversation, server=self.name) if self.name else conversation

    def on_refused(self, refused: Callable[[NotFound], None]) -> None:
        """See `HttpClient.refused`."""
        self._http.refused = refused

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections, also those to agent servers. Later calls raise Unreachable."""
        await self._connections.aclose()


M = TypeVar("M", ListedRecord, Conversation, Sandbox, StartTask)

MAX_IDS = 99
"""Ids in one call: the server refuses 100."""


async def get_by_ids(
    http: HttpClient,
    path: str,
    doing: str,
    ids: Sequence[str],
    model: type[M],
    *,
    parameter: str = "ids",
    hints: Hints | None = None,
) -> list[M | None]:
    """The objects with these ids, with or without dashes, in the same order; None for each that is
    unknown."""
    found: dict[str, M] = {}
    unique = list(dict.fromkeys(ids))
    for start in range(0, len(unique), MAX_IDS):
        params = [(parameter, one) for one in unique[start : start + MAX_IDS]]
        answer = await http.get(path, doing, params, hints=hints)
        found |= {bare_id(one.id): one for one in decode.model_list(answer, model)}
    return [found.get(bare_id(one)) for one in ids]
