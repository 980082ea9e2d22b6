"""A new file: written into a part file beside its place, which then gets its name."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO

from oh_tui.text.clean import clean_line
from oh_tui.text.problem import Problem, Remedy

_PREFIX, _SUFFIX = ".oh-tui-", ".part"


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
        """The thread calls it when done, and a cancelled caller; the second removes the file."""
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
    return Problem(
        f"{clean_line(str(path))} is there already", "nothing is overwritten: name another"
    )


def cannot_write(folder: Path, error: OSError) -> Problem:
    reason = (error.strerror or str(error)).lower()
    return Problem(f"Cannot write into {clean_line(str(folder))}: {reason}", Remedy.OTHER_FOLDER)
