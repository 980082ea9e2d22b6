"""The wall: what waits and runs now, a tile each, by the end of each run alone. Pure but for
`read`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from oh_tui.batch.reports.seen import Seen
from oh_tui.catalog import silence
from oh_tui.catalog.names import title
from oh_tui.catalog.needy import Needy
from oh_tui.catalog.usage_cache import spent_of, with_spent
from oh_tui.conversation import Conversation, bare_id
from oh_tui.tables.column import Cell, Column, Printer
from oh_tui.text.human import dollars, number, percent, stamp
from oh_tui.text.redact import safe
from oh_tui.trajectory.findings.ending import last_step, what_of
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.bodies import message_text, thought_text
from oh_tui.trajectory.model.trajectory import Trajectory

MOST = 6
"""Tiles."""

SAID = 2_000
"""Characters that are kept of what an agent says, at its end."""

LEAST = 60.0
"""Seconds of work from which on it is told what an hour costs."""


class Tile(msgspec.Struct, frozen=True):
    row: Needy
    phase: str = ""
    call: str = ""
    """The last one; of a run whose end is not read, what is remembered of it."""
    says: tuple[str, ...] = ()
    fill: float | None = None
    """The share of the context that is taken."""
    hourly: float | None = None
    """US dollars for an hour of work, as its last steps cost."""
    heard: float | None = None
    """When its last event came, in seconds since 1970."""
    edits: Mapping[str, str] = {}
    """The key of each file that it is known to edit -> its path, as shown."""
    shared: tuple[tuple[str, Conversation], ...] = ()
    """Paths of files that another tile's run edits too, and that."""

    @property
    def numbers(self) -> tuple[str, ...]:
        """Context, cost, and cost an hour; of each it is said if it is not known."""
        return (
            f"context {'unknown' if self.fill is None else percent(self.fill)}",
            self.row.conversation.price.words or "cost unknown",
            "cost an hour unknown" if self.hourly is None else f"{dollars(self.hourly)} an hour",
        )


def rows_of(found: Iterable[Needy]) -> list[Needy]:
    """Those that have a tile, the waiting ones first."""
    return [row for row in found if row.group != "failed"][:MOST]


async def read(seen: Seen, rows: Sequence[Needy]) -> list[Tile]:
    """In one call for each, all at once."""
    ends = await asyncio.gather(*(seen.end_of(row.conversation) for row in rows))
    return with_shared([tile_of(row, run) for row, run in zip(rows, ends, strict=True)])


def tile_of(row: Needy, run: Trajectory | None, edits: Mapping[str, str] = {}) -> Tile:
    """`run` is its end, None where that cannot be read; `edits` are files known from before."""
    if run is None:
        return Tile(row, call=row.last_known.line, edits=edits)
    study = Study(run)
    accounts, phases, call = study.accounts, study.phases.all, last_step(run, lambda s: s.is_call)
    window, worked = accounts.context_window, accounts.worked
    costs = [spent.cost for step in run.steps if (spent := accounts.of(step)) and spent.cost]
    is_told = len(costs) > 1 and worked is not None and worked >= LEAST
    return Tile(
        row._replace(conversation=with_spent(row.conversation, spent_of(accounts))),
        phases[-1].name if phases else "",
        what_of(run, call) if call else "",
        _says(run),
        accounts.context_now / window if window and accounts.context_now else None,
        3600 * sum(costs) / worked if is_told and worked else None,
        silence.last_event(run),
        {**edits, **{file.path: file.shown for file in study.changes.files}},
    )


def _says(run: Trajectory) -> tuple[str, ...]:
    for step in reversed(run.steps):
        if step.event.is_made:
            body = step.event.body()
            # more than is kept: a key that is cut could not be told
            text = safe((message_text(body) or thought_text(body))[-10 * SAID :])[-SAID:]
            if lines := [line.rstrip() for line in text.splitlines() if line.strip()]:
                return tuple(lines)
    return ()


def with_shared(tiles: Sequence[Tile]) -> list[Tile]:
    """Marks the files that several of them edit."""
    found: list[Tile] = []
    for one in tiles:
        shared = tuple(
            (one.edits[path], other.row.conversation)
            for other in tiles
            if _have_one_folder(one.row.conversation, other.row.conversation)
            for path in sorted(one.edits.keys() & other.edits.keys())
        )
        found.append(msgspec.structs.replace(one, shared=shared))
    return found


def _have_one_folder(one: Conversation, other: Conversation) -> bool:
    """Whether a path is one file for both: in a repository, which they then change both, or where
    both agents work. That of files is not known."""
    if one is other or one.home or other.home:
        return False
    places = [(each.server, each.sandbox_id) for each in (one, other)]
    repository = one.selected_repository
    return places[0] == places[1] or bool(repository and repository == other.selected_repository)


def _shared_words(tile: Tile, _: Printer) -> Cell:
    return Cell(", ".join(dict.fromkeys(path for path, _ in tile.shared)), "amber")


def _shared_json(tile: Tile) -> list[dict[str, str]]:
    return [{"path": path, "id": bare_id(one.id), "title": title(one)} for path, one in tile.shared]


UNKNOWN = Cell("unknown", "dim")

COLUMNS: tuple[Column[Tile, Printer], ...] = (
    Column("phase", lambda tile, _: tile.phase, "phase", lambda tile: tile.phase or None),
    Column(
        "context",
        lambda tile, _: UNKNOWN if tile.fill is None else percent(tile.fill),
        "context",
        lambda tile: number(tile.fill, 3),
        right=True,
    ),
    Column("cost", lambda tile, _: tile.row.conversation.price.words or UNKNOWN, right=True),
    Column(
        "an hour",
        lambda tile, _: UNKNOWN if tile.hourly is None else dollars(tile.hourly),
        "cost_an_hour",
        lambda tile: number(tile.hourly),
        right=True,
    ),
    Column(
        "event",
        lambda tile, style: style.when(tile.heard) or UNKNOWN,
        "last_event",
        lambda tile: None if tile.heard is None else stamp(tile.heard),
        right=True,
    ),
    Column("edited twice", _shared_words, "edited_twice", _shared_json),
    Column("call", lambda tile, _: tile.call, "call", lambda tile: tile.call or None, share=2),
    Column(
        "says",
        lambda tile, _: tile.says[-1] if tile.says else "",
        "says",
        lambda tile: list(tile.says),
        share=2,
    ),
)
