"""A server over one HTTP client: what closes it, and what the clients of all servers tell."""

from __future__ import annotations

from typing import Self

from oh_tui.api.http.connections import Connections
from oh_tui.api.http.transport import HttpClient


class Client:
    """One server, over one HTTP client that is closed on leaving `async with`."""

    base_url: str
    _connections: Connections
    _http: HttpClient

    @property
    def seconds_ahead(self) -> float:
        """Seconds by which this machine's clock is ahead of the server's."""
        return self._http.ahead

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections, also those to agent servers. Later calls raise Unreachable."""
        await self._connections.aclose()
