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

from oh_tui.text import clean, clean_line, redact

KEPT = 5_000
"""Conversations that are remembered, of all servers together; the oldest go first."""

LARGEST = 4_000_000
"""Bytes above which a file is not ours."""

PATIENCE = 1.0
"""Seconds that another oh-tui may take to write."""

LINE = 120
"""Characters of a line that are kept."""


class Seen(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of one conversation from before; "" and 0 stand for not known."""

    outcome: str = ""
    """A word of `oh_tui.needs.Stand`."""
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
            if keep:
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
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _alone(self._file.parent):
                held = _read(self._file)
                held.setdefault(self._server, {}).update(news)
                _replace(self._file, msgspec.json.encode({"servers": _newest(held)}))
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
        if file.stat().st_size > LARGEST:
            return {}
        held = msgspec.json.decode(file.read_bytes(), type=_File)
    except (OSError, *_ODD):
        return {}
    return {server: _entries(raw) for server, raw in held.servers.items()}


def _entries(raw: msgspec.Raw) -> dict[str, Seen]:
    try:
        entries = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except _ODD:
        return {}
    found: dict[str, Seen] = {}
    for identifier, entry in entries.items():
        with contextlib.suppress(*_ODD):
            one = _DECODER.decode(entry)
            found[identifier] = msgspec.structs.replace(one, line=_line(one.line))
    return found


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


def _newest(servers: _Servers) -> _Servers:
    if sum(map(len, servers.values())) <= KEPT:
        return servers
    times = sorted((one.when for seen in servers.values() for one in seen.values()), reverse=True)
    since = times[KEPT - 1]
    room = KEPT
    kept: _Servers = {}
    for server, seen in servers.items():
        new = {identifier: one for identifier, one in seen.items() if one.when >= since}
        kept[server] = dict(list(new.items())[:room])  # many may have the same time
        room -= len(kept[server])
    return kept


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
