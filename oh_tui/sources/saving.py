"""Saves downloads: each goes into a part file beside the target, which is checked and then
renamed."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import IO

from oh_tui.conversation import Conversation, bare_id
from oh_tui.settings.part_file import part_file_aside, publish
from oh_tui.text.human import size
from oh_tui.text.problem import Refused, Remedy
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.formats.zip.zip_members import CannotRead, ZipMembers
from oh_tui.trajectory.formats.zip.zip_table import TOTAL_LIMIT, NoTable, NotOpened, read_table


def download_name(conversation: Conversation) -> str:
    """A file name from title and id, safe on any file system: that of the server is not trusted."""
    words = re.findall(r"[a-z0-9]+", safe_line(conversation.title or "").lower())
    title = "-".join(words)[:40].strip("-") or "conversation"
    return f"{title}-{re.sub(r'[^0-9a-f]', '', bare_id(conversation.id))[:8]}.zip"


async def bounded(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces of a download. Raises Refused beyond the largest zip that can be read."""
    received = 0
    async for piece in pieces:
        received += len(piece)
        if received > TOTAL_LIMIT:
            raise Refused(
                f"The download is longer than {size(TOTAL_LIMIT)}",
                "it may have no end: ask who runs the server",
            )
        yield piece


async def save_download(
    download: AbstractAsyncContextManager[AsyncIterator[bytes]],
    target: Path,
    progress: Callable[[int], None],
) -> Path:
    """Saves a zip, checked before it gets its name, or a numbered one; returns the path."""
    received = 0
    async with part_file_aside(target) as (file, part):
        async with download as pieces:
            async for piece in bounded(pieces):
                await asyncio.to_thread(file.write, piece)
                received += len(piece)
                progress(received)
        await asyncio.to_thread(finish_zip, file)
        return publish(part, target)


def finish_zip(file: IO[bytes]) -> None:
    """Writes the file to disk and checks that the zip is complete: a server that fails midway stops
    sending without an error (measured). Raises Refused."""
    file.flush()
    os.fsync(file.fileno())
    file.seek(0)
    magic = file.read(2)
    if magic != b"PK"[: len(magic)]:
        raise Refused(
            "The download is not a zip: the server sent something else", Remedy.DOWNLOAD_AGAIN
        )
    try:
        members = ZipMembers(file, read_table(file))
    except NotOpened as error:
        raise Refused(
            f"The download is not kept: the zip {error}",
            "ask who runs the server: OpenHands makes no such zip",
        ) from error
    except NoTable as error:
        raise Refused(
            "The download broke off: what came is no whole zip", Remedy.DOWNLOAD_AGAIN
        ) from error
    try:
        for index in range(len(members.names)):
            for _ in members.pieces(index):
                pass
    except CannotRead as error:
        member = f": {safe_line(members.names[index][-200:])} is {error}"
        why = "" if str(error) == "damaged" else member
        raise Refused(f"The downloaded zip is damaged{why}", Remedy.DOWNLOAD_AGAIN) from error
