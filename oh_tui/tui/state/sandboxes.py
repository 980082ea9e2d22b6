"""The sandboxes of the server, and the rows of their pane in their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import attrgetter

import msgspec
from msgspec.structs import replace

from oh_tui.api.models import Sandbox
from oh_tui.conversation import Conversation
from oh_tui.text.human import plural

LEAST, MOST = 3, 7
"""Lines of the pane with its counting line: a sixth of the screen within these limits."""

JUST = 60.0
"""Seconds for which a sandbox that changed its state keeps its place while the reader is in another
pane; while the reader is in this pane it always does."""

GONE = "MISSING"

_ORDER = ("ERROR", "RUNNING", "PAUSED", "", GONE)
"""States in the order of the rows; "" stands for unknown ones."""

_WORDS = {"ERROR": "error", "RUNNING": "up", "PAUSED": "paused", "": "other", GONE: "gone"}


class Sandboxes:
    """The sandboxes of a server, as last read or as reported by a later action."""

    def __init__(self) -> None:
        self.known = False
        """Whether they have been read, so that an empty list means that there are none."""
        self.all: tuple[Sandbox, ...] = ()
        self._settled: dict[str, float] = {}
        """When an action last reported the state of a sandbox, by id."""

    def take(self, read: Iterable[Sandbox], asked: float) -> None:
        """Take what was asked for at that time; states that actions have reported since stay."""
        newer = {one.id: one for one in self.all if self._settled.get(one.id, 0.0) >= asked}
        self.known = True
        self.all = tuple(newer.get(one.id, one) for one in read)

    def settled(self, sandbox_id: str, status: str, now: float) -> None:
        """An action reported the state of this sandbox; the next refresh adds the rest."""
        self._settled[sandbox_id] = now
        self.all = tuple(
            replace(one, status=status) if one.id == sandbox_id else one for one in self.all
        )

    def status(self, sandbox_id: str | None) -> str:
        """The state of a sandbox, "" for an unknown one."""
        return next((one.status or "" for one in self.all if one.id == sandbox_id), "")


class SandboxRow(msgspec.Struct, frozen=True):
    id: str
    status: str
    created_at: str
    conversations: tuple[Conversation, ...]
    server: str = ""
    """The name of its server, where several are in one list."""

    @property
    def is_gone(self) -> bool:
        return self.status == GONE

    @property
    def state(self) -> str:
        """The state that orders and counts the row; a starting sandbox counts as up."""
        status = "RUNNING" if self.status == "STARTING" else self.status
        return status if status in _ORDER else ""


class _Place(msgspec.Struct, frozen=True):
    state: str
    """The state that its row is ordered by."""
    since: float | None = None
    """When it was first seen in another state than that."""


class SandboxOrder:
    """Sandboxes in error first, then those up, then those paused, each group newest first. One that
    changes its state, or goes away, keeps its place for a while, so that a second key acts on the
    same sandbox. A failed one moves to the top at once."""

    def __init__(self) -> None:
        self.rows: tuple[SandboxRow, ...] = ()
        """Those that exist, and those that went away just now."""
        self.gone: tuple[SandboxRow, ...] = ()
        """Others that are gone: no longer listed by the server, but named by conversations."""
        self.counts: Counter[str] = Counter()
        """How many of `rows` are in each state."""
        self._places: dict[str, _Place] = {}

    def take(
        self,
        sandboxes: Iterable[Sandbox],
        conversations: Iterable[Conversation],
        *,
        now: float = 0.0,
        hold: bool = False,
        anew: bool = False,
    ) -> Iterator[None]:
        """Take in the current states, step by step; the rows change with the last step. With
        `hold`, while the reader is in the pane, every row keeps its place, however long ago its
        state changed. With `anew` every row goes to the place of its state."""
        inside: dict[str, list[Conversation]] = {}
        for conversation in conversations:
            if conversation.sandbox_id:
                inside.setdefault(conversation.sandbox_id, []).append(conversation)
            yield
        places: dict[str, _Place] = {}
        shown: dict[str, list[SandboxRow]] = {state: [] for state in _ORDER}
        counts: Counter[str] = Counter()
        held = {row.id: row for row in chain(self.rows, self.gone)}
        for row in self._found(sandboxes, inside):
            if row == held.get(row.id):
                row = held[row.id]  # thousands of equal ones take as long as a frame to compare
            before = None if anew else self._places.get(row.id)
            place = places[row.id] = _placed(before, row.state, now, hold)
            shown[place.state].append(row)
            counts[row.state] += place.state != GONE
            yield
        for rows in shown.values():
            rows.sort(key=attrgetter("created_at"), reverse=True)
            yield
        gone = shown.pop(GONE)
        self._places, self.counts = places, counts
        self.rows = tuple(chain.from_iterable(shown.values()))
        self.gone = tuple(row for row in gone if row.conversations)

    def _found(
        self, sandboxes: Iterable[Sandbox], inside: Mapping[str, Sequence[Conversation]]
    ) -> Iterator[SandboxRow]:
        """The listed sandboxes, those listed before, and those that only conversations name."""
        known = set[str]()
        for sandbox in sandboxes:
            if sandbox.id not in known:
                known.add(sandbox.id)
                group = tuple(inside.get(sandbox.id, ()))
                yield SandboxRow(
                    sandbox.id,
                    sandbox.status or "",
                    sandbox.created_at or "",
                    group,
                    sandbox.server,
                )
        for row in self.rows:
            if row.id not in known:
                known.add(row.id)
                group = tuple(inside.get(row.id, ()))
                yield msgspec.structs.replace(row, status=GONE, conversations=group)
        for sandbox_id, named in inside.items():
            if sandbox_id not in known and named[0].sandbox_status == GONE:
                yield SandboxRow(sandbox_id, GONE, "", tuple(named), named[0].server)


def _placed(before: _Place | None, state: str, now: float, hold: bool) -> _Place:
    if before is None or before.state == GONE or state in (before.state, "ERROR"):
        return _Place(state)
    since = now if before.since is None else before.since
    return _Place(before.state, since) if hold or now - since < JUST else _Place(state)


def lines_for(height: int, errors: int = 0, *, both: bool = False) -> int:
    """Lines of the pane at this height: for those in error and the count, up to MOST; fewer where
    `both` sandboxes and automations have some."""
    return min(MOST, max(LEAST, height // (8 if both else 6), errors + 1))


def folded(rows: Sequence[SandboxRow], counts: Counter[str], seen: int, gone: int) -> str:
    """The rows below the first `seen` ones, counted by state, and the `gone` ones without a row:
    `3 more up, 4 paused, 29 are gone`, with "more" if others of the state are above. `counts` are
    those of all rows, as counting thousands takes as long as a frame."""
    if 2 * seen < len(rows):
        above = Counter(row.state for row in rows[:seen])
        below = counts - above
    else:
        below = Counter(row.state for row in rows[seen:])
        above = counts - below
    parts = []
    for state in _ORDER:
        count, more = below[state], " more" if above[state] else ""
        if state == GONE and gone and not count:
            count, more = gone, ""
        if count and state == "ERROR":
            parts.append(f"{count:,}{more} error" + ("s" if count > 1 else ""))
        elif count:
            verb = "" if state != GONE else "is " if count == 1 else "are "
            parts.append(f"{count:,}{more} {verb}{_WORDS[state]}")
    return ", ".join(parts)


def counted(counts: Counter[str]) -> list[tuple[str, str]]:
    """`1 error`, `5 up`, `7 paused` with their hues, without those that are zero."""
    parts = [
        (plural(counts["ERROR"], "error") if counts["ERROR"] else "", "bad"),
        (f"{counts['RUNNING']:,} up" if counts["RUNNING"] else "", "dim"),
        (f"{counts['PAUSED']:,} paused" if counts["PAUSED"] else "", "dim"),
    ]
    return [part for part in parts if part[0]]
