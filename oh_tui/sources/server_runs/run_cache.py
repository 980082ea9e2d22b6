"""Caches finished runs on this machine, as the zips in which they were downloaded.

A zip contains the output of tools, sometimes with a secret that the server did not recognise.
Folders and files are therefore accessible to their owner only, and nothing is read or written
through a link or in a folder where others can write. Nothing here is essential: whatever is wrong,
the run is loaded again.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import re
import shutil
import stat
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from oh_tui.conversation import Conversation, bare_id
from oh_tui.settings.paths import make_private
from oh_tui.sources import cache_limit
from oh_tui.text.human import size
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem, Refused, Remedy
from oh_tui.trajectory.formats.zip import archive
from oh_tui.trajectory.model.events import Event, parse_event

LARGEST = 100_000_000
"""Bytes above which a run is not cached."""

MOST_HELD = 1_000_000_000
"""Most bytes of memory for the events of a run."""

NOT_OURS = (errno.ELOOP, errno.EPERM, errno.EACCES, errno.ENXIO)
"""The errors of opening an entry that is a link, no file, another user's or accessible to
others."""

_ENTRY = pattern(r"[0-9a-f]{32}\.zip")
_TAIL = 512
"""Bytes at the end of a zip that contain its last record and our comment."""


class RunCache:
    """The cached runs of one server, for several threads and processes at once. Methods take
    milliseconds, some a second. They never raise for the state of the disk."""

    def __init__(self, folder: Path, server: str, limit: int) -> None:
        """`folder` is oh-tui's cache folder; `limit` is in bytes for all servers together."""
        self._folder = folder
        self._server = server
        self._limit = limit

    def keeps(self, conversation: Conversation) -> bool:
        """Whether the run was cached with its current record. Its number of events may differ."""
        file = self._open(conversation)
        if file:
            file.close()
        return file is not None

    def load(self, conversation: Conversation, count: int | None = None) -> list[Event] | None:
        """The events of a finished run, if it was cached with this record and, where `count` is
        known, with as many events. Removes a damaged entry."""
        file = self._open(conversation, count)
        if file is None:
            return None
        with file, contextlib.suppress(Problem, OSError):
            # from memory, its members are read in half the time
            count = _count(file) if count is None else count
            file.seek(0)
            events, problems = events_of_zip(io.BytesIO(file.read()))
            if len(events) == count and not problems:
                with contextlib.suppress(OSError):
                    os.utime(file.fileno())  # the entry used last is dropped last
                return events
        with contextlib.suppress(OSError), self._entered() as folder:
            os.unlink(_name(conversation), dir_fd=folder)
        return None

    def end(self, conversation: Conversation) -> list[Event]:
        """The last events of a run that was cached with this record."""
        file = self._open(conversation)
        if file is None:
            return []
        with file, contextlib.suppress(Problem, OSError):
            opened = archive.open_archive(file)
            return [parse_event(event.raw()) for event in opened.events(max(0, len(opened) - 60))]
        return []

    def stats(self, conversation: Conversation) -> bytes:
        file = self._open(conversation)
        if file is None:
            return b""
        with file, contextlib.suppress(Problem, OSError):
            return archive.open_archive(file).stats
        return b""

    def keep(
        self, conversation: Conversation, file: IO[bytes], count: int, stats: bytes = b""
    ) -> None:
        """Caches a complete zip with `count` events, and the stats of an agent server.
        `conversation` is the record from before the download. Without space or permission, caches
        nothing."""
        name = _name(conversation)
        size = file.seek(0, os.SEEK_END)
        if not name or size > min(LARGEST, self._limit) or _comment(file) != b"":
            return
        part = f".{os.urandom(8).hex()}{cache_limit.PART}"
        cache_limit.make_room(self._folder, size, self._limit)
        with contextlib.suppress(OSError), self._entered(make=True) as folder:
            try:
                flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
                with os.fdopen(os.open(part, flags, 0o600, dir_fd=folder), "w+b") as out:
                    file.seek(0)
                    shutil.copyfileobj(file, out, 1 << 20)
                    if stats:
                        _add_stats(out, stats)
                    # the comment follows its length, the last two bytes of the zip
                    text = _record(conversation) + b"%d" % count
                    out.seek(-2, os.SEEK_END)
                    out.write(len(text).to_bytes(2, "little") + text)
                # not flushed to disk: what a power cut leaves is recognised as damaged
                os.replace(part, name, src_dir_fd=folder, dst_dir_fd=folder)
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(part, dir_fd=folder)

    def _open(self, conversation: Conversation, count: int | None = None) -> IO[bytes] | None:
        name = _name(conversation)
        if not name:
            return None
        text = _record(conversation)
        with contextlib.suppress(OSError), self._entered() as folder:
            try:
                file = _open_own(name, folder)
            except OSError as error:
                if error.errno in NOT_OURS:
                    os.unlink(name, dir_fd=folder)
                raise
            found = _comment(file) or b""
            if found.startswith(text) and (count is None or found == text + b"%d" % count):
                return file
            file.close()
        return None

    @contextlib.contextmanager
    def _entered(self, *, make: bool = False) -> Iterator[int]:
        """A descriptor of the server's folder. Raises OSError where it is missing or not ours."""
        if make:
            make_private(self._folder.parent)
        server = hashlib.sha256(self._server.encode("utf-8", "replace")).hexdigest()[:16]
        with contextlib.ExitStack() as stack:
            folder = os.open(self._folder.parent, os.O_RDONLY | os.O_DIRECTORY)
            stack.callback(os.close, folder)
            for name in (self._folder.name, "runs", server):
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(name, 0o700, dir_fd=folder)
                folder = _enter(name, folder)
                stack.callback(os.close, folder)
            yield folder


def _name(conversation: Conversation) -> str:
    """The file name of a finished run; "" for one that is not finished or has no usable record."""
    if conversation.sandbox_status in ("RUNNING", "STARTING") or not conversation.updated_at:
        return ""
    name = f"{bare_id(conversation.id)}.zip"
    return name if _ENTRY.fullmatch(name) and len(conversation.updated_at) < 100 else ""


def _record(conversation: Conversation) -> bytes:
    """The beginning of an entry's comment, before the number of events."""
    return f"oh-tui 1 {conversation.updated_at!a} ".encode()


def _count(file: IO[bytes]) -> int:
    """The number of events that the comment of an entry ends with; -1 without one."""
    written = (_comment(file) or b"").rpartition(b" ")[2]
    return int(written) if written.isdigit() else -1


def _add_stats(file: IO[bytes], stats: bytes) -> None:
    """Adds stats to a zip, in the place where an agent server's zip has them."""
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as run:
        if "base_state.json" not in run.NameToInfo:
            run.writestr("base_state.json", b'{"stats":%s}' % stats)


def _comment(file: IO[bytes]) -> bytes | None:
    """The comment of a zip; None for no zip, or a comment longer than ours."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
    tail = file.read()
    start = tail.rfind(b"PK\x05\x06")
    end = start + 22
    size, comment = int.from_bytes(tail[end - 2 : end], "little"), tail[end:]
    return comment if start >= 0 and len(comment) == size else None


def _enter(name: str, above: int) -> int:
    """A descriptor of a folder inside another, made private. Raises OSError for a link, and for a
    folder that others own or can write."""
    handle = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=above)
    try:
        found = os.fstat(handle)
        if found.st_uid != os.geteuid() or found.st_mode & 0o022:
            raise PermissionError(errno.EPERM, "another may have written here", name)
        if found.st_mode & 0o077:
            os.fchmod(handle, 0o700)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _open_own(name: str, folder: int) -> IO[bytes]:
    """A private file of ours to read. Raises OSError, also for a link."""
    # does not block on a pipe
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    try:
        found = os.fstat(handle)
        private = found.st_uid == os.geteuid() and not found.st_mode & 0o077
        if not (private and stat.S_ISREG(found.st_mode)):
            raise PermissionError(errno.EPERM, "not a private file", name)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def events_of_zip(file: IO[bytes]) -> tuple[list[Event], list[str]]:
    """All events of a downloaded zip, with their texts in memory because the file goes away, and
    the problems of the zip. Raises Problem for no zip, and above MOST_HELD."""
    opened = archive.open_archive(file)
    events = []
    held = 0
    for index in range(len(opened)):
        text = opened.read(index)
        held += len(text)
        if held > MOST_HELD:
            raise Refused(
                f"The texts of this run take more than {size(MOST_HELD)}", Remedy.DOWNLOAD
            )
        event = parse_event(text)
        if event.is_unreadable:
            event = opened.event(index)
            event.inline, event.store = event.raw(), None
        events.append(event)
    return events, opened.problems


def zip_of_events(file: IO[bytes], events: Iterable[Event]) -> None:
    """Writes events as a zip like that of the app server."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as run:
        for number, event in enumerate(events):
            name = re.sub(r"[^\w-]", "", event.id)[:64]
            run.writestr(f"event_{number:06}_{name}.json", event.raw())
