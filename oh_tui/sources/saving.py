"""Saves downloads: each goes into a part file beside the target, which is checked and then
renamed."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import re
import tempfile
import threading
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import IO

from oh_tui.api.models import Conversation, bare_id
from oh_tui.text.clean import clean_line
from oh_tui.text.human import size
from oh_tui.text.problem import Problem, Refused, Remedy
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.formats.zip.members import CannotRead
from oh_tui.trajectory.formats.zip.zip_members import ZipMembers, broken
from oh_tui.trajectory.formats.zip.zip_table import TOTAL_LIMIT, NotOpened

_PREFIX, _SUFFIX = ".oh-tui-", ".part"

_ENDLESS = "it may have no end: ask who runs the server"

_NO_SUCH_ZIP = "ask who runs the server: OpenHands makes no such zip"


def download_name(conversation: Conversation) -> str:
    """A file name from title and id, safe on any file system. The server's proposal is not
    trusted."""
    words = re.findall(r"[a-z0-9]+", safe_line(conversation.title or "").lower())
    title = "-".join(words)[:40].strip("-") or "conversation"
    return f"{title}-{re.sub(r'[^0-9a-f]', '', bare_id(conversation.id))[:8]}.zip"


async def bounded(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces of a download, which may be endless. Raises Refused beyond the size of the largest
    zip that can be read."""
    received = 0
    async for piece in pieces:
        received += len(piece)
        if received > TOTAL_LIMIT:
            raise Refused(f"The download is longer than {size(TOTAL_LIMIT)}", _ENDLESS)
        yield piece


@contextlib.contextmanager
def part_file(target: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """A hidden file beside the target to write into. It is removed at the end in any case. First
    removes part files that a killed oh-tui left in the folder."""
    _sweep(target.parent)
    try:
        descriptor, part = _new_part(target.parent)
    except OSError as error:
        raise cannot_write(target.parent, error) from error
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file, part
    except FileExistsError as error:  # made by another program meanwhile
        raise taken(target) from error
    except OSError as error:
        raise cannot_write(target.parent, error) from error
    finally:
        part.unlink(missing_ok=True)


@contextlib.asynccontextmanager
async def part_file_aside(target: Path) -> AsyncIterator[tuple[IO[bytes], Path]]:
    """`part_file` for an event loop. A thread makes it, as a large folder or locks on a network
    take time.

    A cancelled caller does not wait for the thread, which then removes the file itself. If the
    process ends at that moment, the next download into the folder removes it.
    """
    held, first = contextlib.ExitStack(), threading.Lock()

    def let_go() -> None:
        """Called by the thread when it is done, and by a cancelled caller. The second call removes
        the file."""
        if not first.acquire(blocking=False):
            held.close()

    def make() -> tuple[IO[bytes], Path]:
        part = held.enter_context(part_file(target))
        let_go()
        return part

    try:
        part = await asyncio.to_thread(make)
    except BaseException:
        let_go()
        raise
    with held:
        yield part


def _new_part(folder: Path) -> tuple[int, Path]:
    """A new part file, locked while it is written: one without a lock is left over from a killed
    process. On a file system without locks no file counts as left over."""
    while True:
        descriptor, name = tempfile.mkstemp(prefix=_PREFIX, suffix=_SUFFIX, dir=folder)
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor, Path(name)
        os.close(descriptor)  # another process removed it before it was locked


def _sweep(folder: Path) -> None:
    """Removes part files of killed processes."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not (entry.name.startswith(_PREFIX) and entry.name.endswith(_SUFFIX)):
                continue
            with contextlib.suppress(OSError):
                # follows no link, and does not block on a pipe
                descriptor = os.open(entry.path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if os.fstat(descriptor).st_uid == os.geteuid():
                        Path(entry.path).unlink()
                finally:
                    os.close(descriptor)


async def save_download(
    download: AbstractAsyncContextManager[AsyncIterator[bytes]],
    target: Path,
    progress: Callable[[int], None],
) -> Path:
    """Saves a zip as it arrives and checks it before it gets its name, or a numbered one if that is
    taken. Returns the path."""
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
        members = ZipMembers(file)
    except NotOpened as error:
        raise Refused(f"The download is not kept: the zip {error}", _NO_SUCH_ZIP) from error
    except zipfile.BadZipFile as error:
        raise Refused(
            "The download broke off: what came is no whole zip", Remedy.DOWNLOAD_AGAIN
        ) from error
    except broken() as error:
        raise Refused("The downloaded zip is damaged", Remedy.DOWNLOAD_AGAIN) from error
    try:
        for index in range(len(members.names)):
            members.check(index)
    except CannotRead as error:
        member = f": {safe_line(members.names[index][-200:])} is {error}"
        why = "" if str(error) == "damaged" else member
        raise Refused(f"The downloaded zip is damaged{why}", Remedy.DOWNLOAD_AGAIN) from error
    finally:
        members.close()


def publish(part: Path, target: Path) -> Path:
    """Gives the part file its final name, numbered if that is taken, and returns the path.

    Nothing is ever overwritten, not even by two downloads at once. Not for a thread: cancelling the
    caller would remove the part file under it.
    """
    for number in range(1, 1000):
        name = target if number == 1 else target.with_stem(f"{target.stem}-{number}")
        with contextlib.suppress(FileExistsError):
            publish_as(part, name)
            return name
    raise Problem(f"{target.name} and 999 numbered names are taken", "choose another folder")


def publish_as(part: Path, name: Path) -> None:
    """Gives the part file exactly this name. Raises FileExistsError when it is taken."""
    try:
        os.link(part, name)
    except (FileExistsError, FileNotFoundError):  # taken, or part file or folder are gone
        raise
    except OSError:
        # no hard links here: claim the name, then rename over our own empty file
        name.touch(mode=0o600, exist_ok=False)
        try:
            part.replace(name)
        except BaseException:
            name.unlink(missing_ok=True)
            raise


def taken(path: Path) -> Problem:
    """The problem of a name that something else has."""
    return Problem(
        f"{clean_line(str(path))} is there already", "nothing is overwritten: name another"
    )


def cannot_write(folder: Path, error: OSError) -> Problem:
    """The problem of a folder into which nothing can be written."""
    reason = (error.strerror or str(error)).lower()
    return Problem(f"Cannot write into {clean_line(str(folder))}: {reason}", Remedy.OTHER_FOLDER)
