"""Files at https addresses, named where a path can be: fetched to the cache after a yes."""

from __future__ import annotations

import asyncio
from pathlib import Path

from oh_tui.api.http.connections import Connections
from oh_tui.commands.shared.printing import ask, progress
from oh_tui.settings.startup import Settings
from oh_tui.sources.web_copies import WebCopy
from oh_tui.text.human import size
from oh_tui.text.problem import Problem


def local_copy(address: str, settings: Settings) -> Path:
    """The path of the copy. Raises Problem, also after a no."""
    folder = settings.cache_folder
    if not folder or not settings.cache_limit:
        raise Problem(
            "There is no cache to keep the file in", "download it with curl -LO, and give the file"
        )
    return asyncio.run(_fetched(WebCopy(folder, address)))


async def _fetched(copy: WebCopy) -> Path:
    connections = Connections()
    try:
        with progress() as show:
            return await copy.fetch(
                connections,
                _agree,
                lambda place, total: show(f"{copy.name}: {size(place)}{_of(total)}"),
            )
    finally:
        await connections.aclose()


def _agree(name: str, total: int | None, there: int) -> None:
    told = f"{size(total)}" if total is not None else "a size that the server does not tell"
    rest = f", {size(there)} of it are here" if there else ""
    answer = ask(f"Download {name} ({told}{rest}) to the cache?")
    if answer is None:
        raise Problem(
            f"{name} has {told}: oh-tui asks before it downloads, and there is no terminal",
            "download it with curl -LO, and give the file",
        )
    if not answer:
        raise Problem(f"{name} was not downloaded")


def _of(total: int | None) -> str:
    return f" of {size(total)}" if total is not None else ""
