"""Remembers the last known state of each conversation in one small private file.

A server reports the outcome of a run only while its sandbox is running (measured), and does not
know which runs the user has read. The file has both, by server and conversation id, but no titles
or events.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from oh_tui.catalog.usage_cache import Spent
from oh_tui.settings.private_store import PrivateStore
from oh_tui.text.redact import safe_line

MOST = 5_000
"""Conversations remembered over all servers. The oldest go first, but no server takes another's
share."""

LONGEST = 64
"""Most characters of an id or an outcome; OpenHands' ids have 32."""

LARGEST = 4_000_000
"""Bytes above which the file is not read."""

LINE = 120
"""Characters that are kept of a line."""


class LastKnown(msgspec.Struct, frozen=True, omit_defaults=True):
    """The last known state of a conversation; "" and 0 mean unknown."""

    outcome: str = ""
    """A word of `oh_tui.catalog.run_status.RunStatus`."""
    when: float = 0.0
    """When the outcome was reported, in seconds since 1970 by the server's clock."""
    line: str = ""
    """One line: the question, or the reason of a failure."""
    opened: float = 0.0
    """The conversation's `updated_at`, in seconds, when its run was last opened."""
    spent: Spent | None = None
    """What its run used in total when it was last read."""
    fork_step: int = 0
    """Of a fork: the step of its origin up to which it knows that; records name an event."""
    goal: str | None = None
    """The word of its last goal; "" for a run without any."""
    silent: float | None = None
    """When its last event came, in seconds since 1970, if it is silent. Never read from the disk:
    another event may have come."""


_Servers = dict[str, dict[str, LastKnown]]


class _File(msgspec.Struct):
    servers: dict[str, msgspec.Raw] = {}
    """Decoded one by one, so that an invalid entry costs only itself."""


class LastKnownStates(PrivateStore[_Servers, tuple[str, LastKnown]]):
    """The last known states of the conversations of a list, by id without dashes, and the file with
    those of all servers. Reading and writing it may take milliseconds."""

    def __init__(
        self,
        server: str = "",
        file: Path | None = None,
        last_known: Mapping[str, LastKnown] | None = None,
        *,
        others: Sequence[str] = (),
        server_of: Callable[[str], str] | None = None,
    ) -> None:
        """Where several servers are in one list, `server_of` tells by an id which it is."""
        super().__init__(file, LARGEST, dict)
        self._server_of = server_of or (lambda _: server)
        self._states = dict(last_known or {})
        kept = self.read() or {}
        for one in (server, *others):
            self._states |= kept.get(one, {})

    @property
    def known(self) -> Mapping[str, LastKnown]:
        return self._states

    def get(self, identifier: str) -> LastKnown:
        return self._states.get(identifier, UNSEEN)

    def record_outcome(self, identifier: str, outcome: str, when: float) -> None:
        """Records an outcome reported at `when`. A new one drops the line of the one before."""
        state = self.get(identifier)
        line, silent = (state.line, state.silent) if state.outcome == outcome else ("", None)
        self._set(identifier, outcome=outcome, when=when, line=line, silent=silent)

    def record_line(self, identifier: str, line: str, *, keep: bool = True) -> None:
        """Records the line of the outcome, on the disk only with `keep`."""
        self._set(identifier, keep=keep, line=safe_line(line, LINE))

    def record_goal(self, identifier: str, goal: str) -> None:
        """Records what its run tells of its goal; "" for none, on the disk only if it had one."""
        self._set(identifier, keep=bool(goal or self.get(identifier).goal), goal=goal)

    def record_silent(self, identifier: str, since: float | None) -> None:
        """Records since when the run is silent; None for one that is not."""
        self._set(identifier, keep=False, silent=since)

    def record_opened(self, identifier: str, updated_at: float) -> None:
        self._set(identifier, opened=updated_at)

    def record_spent(self, identifier: str, spent: Spent, *, keep: bool = True) -> None:
        """Records what the run used, on disk only with `keep`."""
        self._set(identifier, keep=keep, spent=spent)

    def record_fork(self, identifier: str, step: int) -> None:
        self._set(identifier, fork_step=step)

    def _set(self, identifier: str, *, keep: bool = True, **fields: object) -> None:
        before = self.get(identifier)
        if (state := msgspec.structs.replace(before, **fields)) != before:
            self._states[identifier] = state
            if keep and len(identifier) <= LONGEST:
                self.to_write((identifier, state))

    def changed(self, servers: _Servers, change: tuple[str, LastKnown]) -> _Servers:
        identifier, state = change
        servers.setdefault(self._server_of(identifier), {})[identifier] = _not_after(
            state, time.time()
        )
        return servers

    def decoded(self, data: bytes) -> _Servers:
        read = msgspec.json.decode(data, type=_File)
        return {server: _entries(raw) for server, raw in read.servers.items()}

    def encoded(self, servers: _Servers) -> bytes:
        """The newest entries, as many as a later read accepts."""
        most = MOST
        while len(text := msgspec.json.encode({"servers": _newest(servers, most)})) > LARGEST:
            most //= 2
        return text


UNSEEN = LastKnown()


_ODD = (ValueError, RecursionError)
"""msgspec's errors: its own class is a ValueError."""


def _entries(raw: msgspec.Raw) -> dict[str, LastKnown]:
    try:
        entries = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except _ODD:
        return {}
    found: dict[str, LastKnown] = {}
    now = time.time()
    for identifier, entry in entries.items():
        with contextlib.suppress(*_ODD):
            one = _DECODER.decode(entry)
            if one.spent and not one.spent.is_possible:
                one = msgspec.structs.replace(one, spent=None)
            if len(identifier) <= LONGEST and len(one.outcome + (one.goal or "")) <= LONGEST:
                found[identifier] = msgspec.structs.replace(
                    _not_after(one, now), line=safe_line(one.line, LINE), silent=None
                )
    return found


def _not_after(one: LastKnown, now: float) -> LastKnown:
    """The entry, its time at most now: entries of a server whose clock is ahead would never expire
    and would displace others."""
    return one if one.when <= now else msgspec.structs.replace(one, when=now)


_DECODER = msgspec.json.Decoder(LastKnown)


def _newest(servers: _Servers, most: int) -> _Servers:
    """The newest entries of each server, at most `most` in all. What a server does not use of its
    share goes to the others."""
    room, found = most, dict(servers)
    by_size = sorted(servers, key=lambda server: len(servers[server]))
    for number, server in enumerate(by_size):
        share, states = room // (len(by_size) - number), servers[server]
        if len(states) > share:
            newest = sorted(states.items(), key=lambda item: item[1].when, reverse=True)
            found[server] = dict(newest[:share])
        room -= len(found[server])
    return {server: states for server, states in found.items() if states}
