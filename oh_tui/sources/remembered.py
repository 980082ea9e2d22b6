"""What was seen of each conversation, remembered between sessions in one small private file.

A server tells the outcome of a run only while its sandbox is up (measured); which runs were read
it does not know at all. Both are kept here, by server and conversation id, and nothing else: no
title, no event.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from oh_tui.settings.paths import make_private, read_small
from oh_tui.text.clean import clean, clean_line, redact

KEPT = 5_000
"""Conversations that are remembered, of all servers together; the oldest go first. No server takes
the share of another one."""

LONGEST = 64
"""Characters of an id or an outcome that are kept; ids of OpenHands have 32."""

LARGEST = 4_000_000
"""Bytes above which a file is not ours."""

PATIENCE = 1.0
"""Seconds that another oh-tui may take to write."""

LINE = 120
"""Characters of a line that are kept."""


class Seen(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of one conversation from before; "" and 0 stand for not known."""

    outcome: str = ""
    """A word of `oh_tui.sources.triage.RunStatus`."""
    when: float = 0.0
    """The time of the outcome, in seconds since 1970, as far as the server told it."""
    line: str = ""
    """What it asked, why it failed: one line."""
    opened: float = 0.0
    """The `updated_at` that the conversation had when its run was last opened, in seconds."""


_Servers = dict[str, dict[str, Seen]]


class _File(msgspec.Struct):
    servers: dict[str, msgspec.Raw] = {}
    """Decoded piece by piece: what is odd in one says nothing of the others."""


class Memory:
    """What was seen of the conversations of one server, by id without dashes.

    Without a `file` it lasts as long as the session. Reading takes place in the constructor,
    writing in `write`; both may take milliseconds, and neither raises for what is on the disk.
    """

    def __init__(
        self,
        server: str = "",
        file: Path | None = None,
        remembered: Mapping[str, Seen] | None = None,
    ) -> None:
        self._server = server
        self._file = file
        self._seen = dict(remembered or {})
        if file:
            self._seen |= _read(file).get(server, {})
        self._changed: set[str] = set()

    @property
    def known(self) -> Mapping[str, Seen]:
        return self._seen

    def get(self, identifier: str) -> Seen:
        return self._seen.get(identifier, _NOTHING)

    def saw(self, identifier: str, outcome: str, when: float) -> None:
        """A run stands so since `when`. Another outcome takes the line of the one before away."""
        seen = self.get(identifier)
        line = seen.line if seen.outcome == outcome else ""
        self._set(identifier, Seen(outcome, when, line, seen.opened))

    def heard(self, identifier: str, line: str, *, keep: bool = True) -> None:
        """The line that goes with the outcome; one that passes need not be kept on the disk."""
        line = _line(line)
        self._set(identifier, msgspec.structs.replace(self.get(identifier), line=line), keep=keep)

    def opened(self, identifier: str, updated_at: float) -> None:
        self._set(identifier, msgspec.structs.replace(self.get(identifier), opened=updated_at))

    def _set(self, identifier: str, seen: Seen, *, keep: bool = True) -> None:
        if seen != self.get(identifier):
            self._seen[identifier] = seen
            if keep and len(identifier) <= LONGEST:
                self._changed.add(identifier)

    def news(self) -> dict[str, Seen]:
        """What changed since this was last asked for, to be given to `write`."""
        changed, self._changed = self._changed, set()
        return {identifier: self._seen[identifier] for identifier in changed} if self._file else {}

    def keep_for_later(self, news: Mapping[str, Seen]) -> None:
        """This could not be written: it is news still, unless there is newer."""
        self._changed |= news.keys()

    def write(self, news: Mapping[str, Seen]) -> bool:
        """Put this into the file, beside what another oh-tui has written there meanwhile; False
        where that cannot be done. Nothing on the screen depends on it."""
        if not news or not self._file:
            return True
        try:
            make_private(self._file.parent)
            if self._file.exists() and not self._file.is_file():
                return False
            with _alone(self._file.parent):
                held = _read(self._file)
                now = time.time()
                held.setdefault(self._server, {}).update(
                    (identifier, _until(one, now)) for identifier, one in news.items()
                )
                _replace(self._file, _encoded(held))
        except OSError:
            return False
        return True


_NOTHING = Seen()


_ODD = (ValueError, RecursionError)
"""What msgspec raises: its own errors are ValueErrors."""


def _read(file: Path) -> _Servers:
    """What the file holds, but for entries that are odd; one that is damaged, too large or not
    there holds nothing."""
    try:
        held = msgspec.json.decode(read_small(file, LARGEST), type=_File)
    except (OSError, *_ODD):
        return {}
    return {server: _entries(raw) for server, raw in held.servers.items()}


def _entries(raw: msgspec.Raw) -> dict[str, Seen]:
    try:
        entries = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except _ODD:
        return {}
    found: dict[str, Seen] = {}
    now = time.time()
    for identifier, entry in entries.items():
        with contextlib.suppress(*_ODD):
            one = _DECODER.decode(entry)
            if len(identifier) <= LONGEST and len(one.outcome) <= LONGEST:
                found[identifier] = msgspec.structs.replace(_until(one, now), line=_line(one.line))
    return found


def _until(one: Seen, now: float) -> Seen:
    """The same, not seen later than now: a server that tells a later time would keep its own for
    ever, and those of others out."""
    return one if one.when <= now else msgspec.structs.replace(one, when=now)


_DECODER = msgspec.json.Decoder(Seen)


def _line(text: str) -> str:
    return clean_line(redact(clean(text[: 50 * LINE])))[:LINE]


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Of all that write into this folder one at a time, where its file system can tell; one that
    was stopped in the middle is not waited for."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.01)
            except OSError:
                break
        yield
    finally:
        os.close(descriptor)


def _encoded(servers: _Servers) -> bytes:
    """The text of the file, which is never one that is too large to be read again."""
    kept = KEPT
    while True:
        text = msgspec.json.encode({"servers": _newest(servers, kept)})
        if len(text) <= LARGEST:
            return text
        kept //= 2


def _newest(servers: _Servers, kept: int) -> _Servers:
    """So many at most, the newest of each server; what one does not need of its share is for
    those that hold more."""
    room, found = kept, dict(servers)
    by_size = sorted(servers, key=lambda server: len(servers[server]))
    for number, server in enumerate(by_size):
        share, seen = room // (len(by_size) - number), servers[server]
        if len(seen) > share:
            newest = sorted(seen.items(), key=lambda item: item[1].when, reverse=True)
            found[server] = dict(newest[:share])
        room -= len(found[server])
    return {server: seen for server, seen in found.items() if seen}


def _replace(file: Path, text: bytes) -> None:
    """All of the new content or all of the old; for the owner alone."""
    descriptor, name = tempfile.mkstemp(prefix=".seen-", dir=file.parent)  # 0600
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(text)
        part.replace(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
