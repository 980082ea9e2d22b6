"""The Sandboxes pane: state, age and whose it is; at most seven rows."""

from __future__ import annotations

import msgspec
from textual.reactive import reactive

from oh_tui.api.models import Conversation, Sandbox
from oh_tui.human import age, plural
from oh_tui.trajectory.events import seconds
from oh_tui.tui.theme import sandbox_mark
from oh_tui.tui.widgets.conversation_list import title_of
from oh_tui.tui.widgets.drawing import Piece, fit
from oh_tui.tui.widgets.row_list import RowList

LEAST, MOST = 3, 7
"""Lines of the pane, with the note under it: as many as fit a sixth of the screen."""

_ORDER = {"RUNNING": 0, "STARTING": 1, "ERROR": 2, "PAUSED": 3}


class SandboxRow(msgspec.Struct, frozen=True):
    """A sandbox and the conversations in it that are loaded."""

    id: str
    status: str
    created_at: str
    conversations: tuple[Conversation, ...]

    @property
    def is_gone(self) -> bool:
        return self.status == "MISSING"


def sandbox_rows(
    sandboxes: tuple[Sandbox, ...], conversations: tuple[Conversation, ...]
) -> tuple[list[SandboxRow], list[SandboxRow]]:
    """What the pane shows, running first and newest first inside; and, apart, those that are
    gone: the server lists them no more, only their conversations still name them."""
    inside: dict[str, list[Conversation]] = {}
    for conversation in conversations:
        if conversation.sandbox_id:
            inside.setdefault(conversation.sandbox_id, []).append(conversation)
    there: list[SandboxRow] = []
    gone: list[SandboxRow] = []
    for sandbox in sandboxes:
        row = SandboxRow(
            sandbox.id,
            sandbox.status or "",
            sandbox.created_at or "",
            tuple(inside.pop(sandbox.id, ())),
        )
        (gone if row.is_gone else there).append(row)
    for sandbox_id, group in inside.items():
        if group[0].sandbox_status == "MISSING":
            gone.append(SandboxRow(sandbox_id, "MISSING", "", tuple(group)))
    there.sort(key=lambda row: row.created_at, reverse=True)
    there.sort(key=lambda row: _ORDER.get(row.status, 4))
    return there, gone


def lines_for(height: int) -> int:
    """How many lines the pane has on a screen of this height."""
    return min(MOST, max(LEAST, height // 6))


def fold(there: list[SandboxRow], lines: int, *, gone: bool) -> tuple[list[SandboxRow], str]:
    """The rows for a pane of so many lines, and what is left out of it: `6 more paused`. Only
    paused ones are, and none when they all fit; `gone` tells whether there is a note anyway."""
    if len(there) <= lines - gone:
        return there, ""
    others = sum(row.status != "PAUSED" for row in there)
    kept = there[: max(others, lines - 1)]
    left = len(there) - len(kept)
    more = " more" if len(kept) > others else ""
    return kept, f"{left}{more} paused" if left else ""


class SandboxList(RowList):
    keeps_cursor = False
    rows: reactive[tuple[SandboxRow, ...]] = reactive(())
    now: reactive[float] = reactive(0.0)

    @property
    def current(self) -> SandboxRow | None:
        return self.rows[self.cursor] if self.rows else None

    def row_count(self) -> int:
        return len(self.rows)

    def watch_rows(self, old: tuple[SandboxRow, ...], new: tuple[SandboxRow, ...]) -> None:
        if not (self.cursor or self.scroll_y or self.has_focus):
            self.rows_changed(0)  # nobody has moved in it: a new one on top is seen
        else:
            under = old[self.cursor].id if self.cursor < len(old) else None
            place = next((n for n, row in enumerate(new) if row.id == under), 0)
            self.rows_changed(place, keep_line=True)
        self.post_message(self.Highlighted(self))

    def pieces(self, row: int, width: int) -> list[Piece]:
        sandbox = self.rows[row]
        glyph, hue = sandbox_mark(self.glyphs, sandbox.status)
        then = seconds(sandbox.created_at)
        aged = age(then, self.now) if then is not None else ""
        if sandbox.conversations:
            title = title_of(sandbox.conversations[0])
            hue_of_title = "" if sandbox.status == "RUNNING" else "dim"
        else:
            title, hue_of_title = "no conversation loaded", "dim"
        extra = len(sandbox.conversations) - 1
        more = f" +{extra} more" if extra > 0 else ""
        room = width - 8 - len(more)
        return [
            (glyph, hue),
            (f" {aged:>4} ", "dim"),
            (fit(title, room, self.glyphs.more), hue_of_title),
            (more, "dim"),
        ]


def sandbox_facts(there: list[SandboxRow]) -> list[Piece]:
    """`1 error`, `5 up`, `7 paused`: only what is not zero; the last go when there is no room."""
    up = sum(row.status in ("RUNNING", "STARTING") for row in there)
    paused = sum(row.status == "PAUSED" for row in there)
    broken = sum(row.status == "ERROR" for row in there)
    parts = [
        (plural(broken, "error") if broken else "", "bad"),
        (f"{up} up" if up else "", "dim"),
        (f"{paused} paused" if paused else "", "dim"),
    ]
    return [part for part in parts if part[0]]
