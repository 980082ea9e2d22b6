"""Runs that are over, kept on this machine as the zips they came in, so that each is loaded once.

A zip holds what tools printed, at times a secret that the server did not know for one. Folders and
files are therefore for their owner alone, and nothing is read or written through a link or where
another could have put it. Nothing here is needed: whatever is wrong, the run is loaded anew.
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
import time
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

from oh_tui.api.models import Conversation, bare_id
from oh_tui.settings.paths import make_private
from oh_tui.text.human import size
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem, Refused, Remedy
from oh_tui.trajectory.formats import archive
from oh_tui.trajectory.model.events import UNREADABLE, Event, parse_event

LARGEST = 100_000_000
"""Bytes above which a run is not kept."""

MOST_HELD = 1_000_000_000
"""Bytes of the texts of a run that are held in memory."""

ABANDONED = 3600.0
"""Seconds after which a part file is one of an oh-tui that was killed."""

NOT_OURS = (errno.ELOOP, errno.EPERM, errno.EACCES, errno.ENXIO)
"""How the opening of an entry fails that is a link, another's, no file, or open to others."""

_ENTRY = pattern(r"[0-9a-f]{32}\.zip")
_PART = ".part"
_END = b"PK\x05\x06"
_END_SIZE = 22
_TAIL = 512
"""Bytes at the end of a zip that hold its last record and our comment."""


class RunCache:
    """The runs of one server. Several threads and processes may use it at once; each method takes
    milliseconds, some a second, and none raises for what is on the disk."""

    def __init__(self, folder: Path, server: str, limit: int) -> None:
        """`folder` is oh-tui's own for what only saves time; `limit` is in bytes, for the runs of
        all servers together."""
        self._folder = folder
        self._server = server
        self._limit = limit

    def keeps(self, conversation: Conversation) -> bool:
        """Whether the run as its record now is was kept; the number of its events may differ."""
        file = self._open(conversation)
        if file:
            file.close()
        return file is not None

    def load(self, conversation: Conversation, count: int) -> list[Event] | None:
        """The events of a run that is over, if it was kept with this record and so many events.
        An entry that is damaged goes away."""
        file = self._open(conversation, count)
        if file is None:
            return None
        with file, contextlib.suppress(Problem, OSError):
            # From memory its members are read in half the time.
            file.seek(0)
            events, problems = events_of_zip(io.BytesIO(file.read()))
            if len(events) == count and not problems:
                with contextlib.suppress(OSError):
                    os.utime(file.fileno())  # what was used last is dropped last
                return events
        with contextlib.suppress(OSError), self._entered() as folder:
            os.unlink(_name(conversation), dir_fd=folder)
        return None

    def stats(self, conversation: Conversation) -> bytes:
        """What was kept with a run of its tokens, cost and latency, by `stats_text`."""
        file = self._open(conversation)
        if file is None:
            return b""
        with file, contextlib.suppress(Problem, OSError):
            return archive.open_archive(file).stats
        return b""

    def keep(
        self, conversation: Conversation, file: IO[bytes], count: int, stats: bytes = b""
    ) -> None:
        """Take in a zip that is whole, with so many events, and what an agent server told of its
        stats; the record is that of before the download. Where there is no room for it, or no
        right to write, it is left."""
        name = _name(conversation)
        size = file.seek(0, os.SEEK_END)
        if not name or size > min(LARGEST, self._limit) or _comment(file) != b"":
            return
        part = f".{os.urandom(8).hex()}{_PART}"
        with contextlib.suppress(OSError), self._entered(make=True) as folder:
            self._make_room(folder, size)
            try:
                flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
                handle = os.open(part, flags, 0o600, dir_fd=folder)
                with os.fdopen(handle, "w+b") as out:
                    file.seek(0)
                    shutil.copyfileobj(file, out, 1 << 20)
                    if stats:
                        _add_stats(out, stats)
                    # The last two bytes are the length of the zip's comment: nothing else moves.
                    text = _record(conversation) + b"%d" % count
                    out.seek(-2, os.SEEK_END)
                    out.write(len(text).to_bytes(2, "little") + text)
                # Not forced to the disk: what a power cut leaves of it is known for damaged.
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
        """The folder of the server, opened; raises OSError where it is not there or not ours."""
        if make:
            make_private(self._folder.parent)
        server = hashlib.sha256(self._server.encode("utf-8", "replace")).hexdigest()[:16]
        with contextlib.ExitStack() as stack:
            at = os.open(self._folder.parent, os.O_RDONLY | os.O_DIRECTORY)
            stack.callback(os.close, at)
            for name in (self._folder.name, "runs", server):
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(name, 0o700, dir_fd=at)
                at = _enter(name, at)
                stack.callback(os.close, at)
            yield at

    def _make_room(self, folder: int, size: int) -> None:
        """Drop what was used longest ago until `size` more bytes fit, and what a kill left."""
        runs = _enter("..", folder)
        try:
            held = list(_held(runs))
            room = self._limit - size - sum(one.size for one in held)
            for one in sorted(held, key=lambda one: one.used):
                left = one.name.endswith(_PART) and one.used < time.time() - ABANDONED
                if left or (room < 0 and one.name.endswith(".zip")):
                    with contextlib.suppress(OSError):
                        os.unlink(f"{one.server}/{one.name}", dir_fd=runs)
                        room += one.size
        finally:
            os.close(runs)


class _Held(NamedTuple):
    """An entry or a part file of any server."""

    server: str
    name: str
    size: int
    used: float


def _held(runs: int) -> Iterator[_Held]:
    for server in os.listdir(runs):
        with contextlib.suppress(OSError):
            folder = _enter(server, runs)
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        if _ENTRY.fullmatch(entry.name) or entry.name.endswith(_PART):
                            found = entry.stat(follow_symlinks=False)
                            yield _Held(server, entry.name, found.st_size, found.st_mtime)
            finally:
                os.close(folder)


def _name(conversation: Conversation) -> str:
    """The file of a run that is over; "" for one that is not, or cannot be known again."""
    if conversation.sandbox_status in ("RUNNING", "STARTING") or not conversation.updated_at:
        return ""
    name = f"{bare_id(conversation.id)}.zip"
    return name if _ENTRY.fullmatch(name) and len(conversation.updated_at) < 100 else ""


def _record(conversation: Conversation) -> bytes:
    """How the comment of an entry begins; the number of events follows."""
    return f"oh-tui 1 {conversation.updated_at!a} ".encode()


def _add_stats(file: IO[bytes], stats: bytes) -> None:
    """Put stats into a zip, where the agent server has them in its own."""
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as run:
        if "base_state.json" not in run.NameToInfo:
            run.writestr("base_state.json", b'{"stats":%s}' % stats)


def _comment(file: IO[bytes]) -> bytes | None:
    """The comment of a zip, None for what is none or has a longer one than ours are."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
    tail = file.read()
    at = tail.rfind(_END)
    size = int.from_bytes(tail[at + _END_SIZE - 2 : at + _END_SIZE], "little")
    comment = tail[at + _END_SIZE :]
    return comment if at >= 0 and len(comment) == size else None


def _enter(name: str, above: int) -> int:
    """A folder in another, opened: ours, no link, and private from now on. Raises OSError."""
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
    """A file to read: ours alone, no link. Raises OSError."""
    # without blocking, should a pipe lie there
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
    """All events of a downloaded zip, their texts in memory, as the file goes away; and what of it
    cannot be read. Raises Problem for what is no zip."""
    opened = archive.open_archive(file)
    events = []
    held = 0
    for place in range(len(opened)):
        text = opened.read(place)
        held += len(text)
        if held > MOST_HELD:
            raise Refused(
                f"The texts of this run take more than {size(MOST_HELD)}", Remedy.DOWNLOAD
            )
        event = parse_event(text)
        if event.kind == UNREADABLE:
            event = opened.event(place)
            event.held, event.store = event.raw(), None
        events.append(event)
    return events, opened.problems


def zip_of_events(file: IO[bytes], events: Iterable[Event]) -> None:
    """Write a zip as the app server makes it, of a run that it gave page by page."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as run:
        for number, event in enumerate(events):
            name = re.sub(r"[^\w-]", "", event.id)[:64]
            run.writestr(f"event_{number:06}_{name}.json", event.raw())
