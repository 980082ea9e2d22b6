"""The rows of the Sandboxes pane and their order. Knows no widget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import attrgetter

import msgspec

from oh_tui.api.models import Conversation, Sandbox
from oh_tui.text.human import plural

LEAST, MOST = 3, 7
"""Lines of the pane, the one that counts included: as many as fit a sixth of the screen."""

JUST = 60.0
"""Seconds for which a sandbox that was paused or resumed keeps its row while the reader is in
another pane; while the reader is in this one it keeps it."""

GONE = "MISSING"

_ORDER = ("ERROR", "RUNNING", "PAUSED", "", GONE)
"""States in the order of the rows; "" stands for those of servers to come."""

_WORDS = {"ERROR": "error", "RUNNING": "up", "PAUSED": "paused", "": "other", GONE: "gone"}


class SandboxRow(msgspec.Struct, frozen=True):
    """A sandbox and the conversations in it that are loaded."""

    id: str
    status: str
    created_at: str
    conversations: tuple[Conversation, ...]

    @property
    def is_gone(self) -> bool:
        return self.status == GONE

    @property
    def state(self) -> str:
        """The state that orders and counts it; a sandbox that starts is up."""
        return _state(self.status)


def _state(status: str) -> str:
    status = "RUNNING" if status == "STARTING" else status
    return status if status in _ORDER else ""


class _Place(msgspec.Struct, frozen=True):
    state: str
    """The state that its row is ordered by."""
    since: float | None = None
    """When it was first seen in another state than that."""


class SandboxOrder:
    """Sandboxes in error first, then those up, then those paused, the newest first inside each.

    A sandbox that changes its state, or goes away, keeps its row for a while: what acts on the row
    under the cursor acts on the same sandbox again. One that fails moves to the top at once.
    """

    def __init__(self) -> None:
        self.rows: tuple[SandboxRow, ...] = ()
        """Those that are there, and those that went away just now."""
        self.gone: tuple[SandboxRow, ...] = ()
        """The others that are gone: the server lists them no more, conversations name them."""
        self._places: dict[str, _Place] = {}

    def take(
        self,
        sandboxes: Iterable[Sandbox],
        conversations: Iterable[Conversation],
        *,
        now: float = 0.0,
        hold: bool = False,
        anew: bool = False,
    ) -> None:
        """The states of now. With `hold` every row keeps its place, however long ago its state
        changed: the reader is in the pane. With `anew` every row goes to where its state belongs.
        """
        for _ in self.taking(sandboxes, conversations, now=now, hold=hold, anew=anew):
            pass

    def taking(
        self,
        sandboxes: Iterable[Sandbox],
        conversations: Iterable[Conversation],
        *,
        now: float = 0.0,
        hold: bool = False,
        anew: bool = False,
    ) -> Iterator[None]:
        """As `take`, which may go on later after each row; what there was stays until the end."""
        inside: dict[str, list[Conversation]] = {}
        for conversation in conversations:
            if conversation.sandbox_id:
                inside.setdefault(conversation.sandbox_id, []).append(conversation)
            yield
        places: dict[str, _Place] = {}
        shown: dict[str, list[SandboxRow]] = {state: [] for state in _ORDER}
        for row in self._found(sandboxes, inside):
            before = None if anew else self._places.get(row.id)
            place = places[row.id] = _placed(before, row.state, now, hold)
            shown[place.state].append(row)
            yield
        for rows in shown.values():
            rows.sort(key=attrgetter("created_at"), reverse=True)
            yield
        gone = shown.pop(GONE)
        self._places = places
        self.rows = tuple(chain.from_iterable(shown.values()))
        self.gone = tuple(row for row in gone if row.conversations)

    def _found(
        self, sandboxes: Iterable[Sandbox], inside: Mapping[str, Sequence[Conversation]]
    ) -> Iterator[SandboxRow]:
        """Those that are there, those that are there no more, and those that conversations name."""
        known = set[str]()
        for sandbox in sandboxes:
            if sandbox.id not in known:
                known.add(sandbox.id)
                group = tuple(inside.get(sandbox.id, ()))
                yield SandboxRow(sandbox.id, sandbox.status or "", sandbox.created_at or "", group)
        for row in self.rows:
            if row.id not in known:
                known.add(row.id)
                group = tuple(inside.get(row.id, ()))
                yield msgspec.structs.replace(row, status=GONE, conversations=group)
        for sandbox_id, named in inside.items():
            if sandbox_id not in known and named[0].sandbox_status == GONE:
                yield SandboxRow(sandbox_id, GONE, "", tuple(named))


def _placed(before: _Place | None, state: str, now: float, hold: bool) -> _Place:
    if before is None or before.state == GONE or state in (before.state, "ERROR"):
        return _Place(state)
    since = now if before.since is None else before.since
    return _Place(before.state, since) if hold or now - since < JUST else _Place(state)


def lines_for(height: int, errors: int) -> int:
    """How many lines the pane has on a screen of this height: never too few for those in error,
    with the line that counts below them, as long as there are seven."""
    return min(MOST, max(LEAST, height // 6, errors + 1))


def folded(rows: Sequence[SandboxRow], seen: int, gone: int) -> str:
    """What there is below the first `seen` rows, by state, and how many are gone and not among the
    rows: `3 more up, 4 paused, 29 gone`; `more` where others of the state are above."""
    above = {row.state for row in rows[:seen]}
    below = Counter(row.state for row in rows[seen:])
    parts = []
    for state in _ORDER:
        count, more = below[state], " more" if state in above else ""
        if state == GONE and gone and not count:
            count, more = gone, ""
        if count and state == "ERROR":
            parts.append(f"{count:,}{more} error" + ("s" if count > 1 else ""))
        elif count:
            parts.append(f"{count:,}{more} {_WORDS[state]}")
    return ", ".join(parts)


def counted(rows: Iterable[SandboxRow]) -> list[tuple[str, str]]:
    """`1 error`, `5 up`, `7 paused` with their hues: only what is not zero."""
    counts = Counter(row.state for row in rows)
    parts = [
        (plural(counts["ERROR"], "error") if counts["ERROR"] else "", "bad"),
        (f"{counts['RUNNING']:,} up" if counts["RUNNING"] else "", "dim"),
        (f"{counts['PAUSED']:,} paused" if counts["PAUSED"] else "", "dim"),
    ]
    return [part for part in parts if part[0]]
