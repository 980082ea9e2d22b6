"""The wall: what waits and runs now, a tile each, by the end of each run alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from oh_tui.catalog import silence
from oh_tui.catalog.names import title
from oh_tui.catalog.needy import Needy
from oh_tui.catalog.usage_cache import spent_of, with_spent
from oh_tui.conversation import Conversation, bare_id
from oh_tui.text.human import dollars, number, percent, stamp
from oh_tui.text.redact import safe
from oh_tui.trajectory.findings.ending import last_step, what_of
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.bodies import message_text, thought_text
from oh_tui.trajectory.model.trajectory import Trajectory

MOST = 6
"""Tiles."""

SAID = 2_000
"""Characters that are kept of a text of an agent, at its end; and of all, with one text more."""

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


def rows_of(found: Iterable[Needy]) -> list[Needy]:
    """Those that have a tile, the waiting ones first."""
    return [row for row in found if row.group != "failed"][:MOST]


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
    found: list[str] = []
    for step in reversed(run.steps):
        if step.event.is_made and sum(map(len, found)) < SAID:
            body = step.event.body()
            # more than is kept: a key that is cut could not be told
            text = safe((message_text(body) or thought_text(body))[-10 * SAID :])[-SAID:]
            found[:0] = [line.rstrip() for line in text.splitlines() if line.strip()]
    return tuple(found)


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


def facts_of(tile: Tile, heard: str) -> list[tuple[str, str]]:
    """What a tile tells below its title and above what the agent says, each line with its hue;
    `heard` says when its last event came: "3m ago", or a time."""
    facts = {
        "context": "" if tile.fill is None else f"context {percent(tile.fill)}",
        "cost": tile.row.conversation.price.words,
        "cost an hour": "" if tile.hourly is None else f"{dollars(tile.hourly)} an hour",
        "last event": f"last event {heard}" if heard else "",
    }
    unknown = ", ".join(name for name, fact in facts.items() if not fact)
    call = ": ".join(filter(None, (tile.phase, tile.call)))
    known = "  ".join(filter(None, (*facts.values(), unknown and f"{unknown} not known")))
    told = [(call or "nothing is known of its last call", ""), (known, "dim")]
    if not (call or any(facts.values())):
        told = [(f"{tile.row.word}: nothing known yet", "dim")]
    shared = [(f"{path}: {title(other)} edits it too", "warn") for path, other in tile.shared]
    return [*told, *shared]


def tile_json(tile: Tile) -> dict[str, object]:
    return {
        "phase": tile.phase or None,
        "context": number(tile.fill, 3),
        "cost_an_hour": number(tile.hourly),
        "last_event": None if tile.heard is None else stamp(tile.heard),
        "edited_twice": [
            {"path": path, "id": bare_id(one.id), "title": title(one)} for path, one in tile.shared
        ],
        "call": tile.call or None,
        "says": tile.says,
    }
