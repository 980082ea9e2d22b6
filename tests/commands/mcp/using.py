"""Uses the tools as a client does: the SDK's own, in this process or over stdio."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from mcp.client.client import Client
from mcp_types import TextContent

from oh_tui import cli
from oh_tui.mcp import protocol
from oh_tui.mcp.answers import LIMIT, UNTRUSTED
from oh_tui.mcp.session import Session

OH_TUI = (sys.executable, "-m", "oh_tui")


@dataclass
class Tools:
    """`await tools("why", run="5f3a")` calls a tool and gives its answer."""

    client: Client
    session: Session | None = None
    texts: list[str] = field(default_factory=list)
    """All that came, as it came."""

    async def __call__(self, tool: str, **given: Any) -> dict[str, Any]:
        told = await self.any(tool, **given)
        assert "error" not in told, told
        return told

    async def refused(self, tool: str, **given: Any) -> str:
        """What a tool says that does not answer."""
        told = await self.any(tool, **given)
        return str(told["error"])

    async def pages(self, tool: str, **given: Any) -> list[dict[str, Any]]:
        """All pages of an answer."""
        found = [await self(tool, **given)]
        while cursor := found[-1]["cursor"]:
            found.append(await self(tool, **given, cursor=cursor))
        return found

    async def rows(self, tool: str, of: str, **given: Any) -> list[Any]:
        return [row for page in await self.pages(tool, **given) for row in page[of]]

    async def text(self, tool: str, **given: Any) -> str:
        return "".join([page["text"] for page in await self.pages(tool, **given)])

    async def any(self, tool: str, **given: Any) -> dict[str, Any]:
        """An answer, or an error."""
        result = await self.client.call_tool(tool, given)
        (content,) = result.content
        assert isinstance(content, TextContent) and result.structured_content is None
        told = json.loads(content.text)
        assert isinstance(told, dict)
        data = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
        assert len(data) <= LIMIT
        assert told["untrusted"] == UNTRUSTED and result.is_error == ("error" in told)
        self.texts.append(content.text)
        return told


Work = Callable[[Tools], Awaitable[None]]


def use(work: Work, *words: str | Path) -> None:
    """Does the work with the tools that these words of `oh-tui mcp` serve, in this process."""
    failed: list[BaseException] = []

    async def serve(session: Session) -> None:
        async with Client(protocol.Server(session)) as client:
            try:
                await work(Tools(client, session))
            except BaseException as error:
                failed.append(error)

    with patch.object(protocol, "serve", serve):
        code = cli.main(["mcp", *map(str, words)])
    if failed:
        raise failed[0]
    assert code == 0
