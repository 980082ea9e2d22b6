"""Files at https addresses, named where a path can be: fetched to the cache after a yes."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

from oh_tui.api.http.connections import Connections
from oh_tui.commands.framework.printing import ask
from oh_tui.settings.startup import Settings
from oh_tui.sources.web_copies import Agree, WebCopy
from oh_tui.text.human import size
from oh_tui.text.problem import Problem
from oh_tui.text.remarks import progress, say


def local_copy(address: str, settings: Settings, *, yes: bool) -> Path:
    """The path of the copy. With `yes` nothing is asked. Raises Problem, also after a no."""
    agree = partial(_agree, settings.cache_limit if settings.cache_folder else 0)
    return asyncio.run(_fetched(WebCopy(address), _say if yes else agree))


async def _fetched(copy: WebCopy, agree: Agree) -> Path:
    connections = Connections()
    try:
        with progress() as show:
            return await copy.fetch(
                connections,
                agree,
                lambda place, total: show(
                    f"{copy.name}: {size(place)}{'' if total is None else f' of {size(total)}'}"
                ),
            )
    finally:
        await connections.aclose()


def _say(name: str, total: int | None) -> None:
    say(f"downloading {name}, {_size(total)}")


def _size(total: int | None) -> str:
    return f"{size(total)}" if total is not None else "of unknown size"


def _agree(limit: int, name: str, total: int | None) -> None:
    """`limit` is that of the cache, 0 without one."""
    told = _size(total)
    rest, place = "", " to the cache" if limit else ""
    if limit and total is not None and total > limit:
        rest = (
            f"; the cache may hold {size(limit)}, so it is removed a day after it was last opened"
        )
    answer = ask(f"Download {name} ({told}{rest}){place}?")
    if answer is None:
        raise Problem(
            f"{name} has {told}: oh-tui asks before it downloads, and there is no terminal",
            "--yes downloads it",
        )
    if not answer:
        raise Problem(f"{name} was not downloaded")
