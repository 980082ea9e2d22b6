"""`W`: the wall of what waits and runs, and how often the end of each run is read for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from math import inf
from typing import TYPE_CHECKING

from msgspec.structs import replace

from oh_tui.batch.reports import wall
from oh_tui.catalog.needy import Needy, needy
from oh_tui.catalog.run_status import Group
from oh_tui.conversation import bare_id, same_id
from oh_tui.tui.controllers.controller import Controller
from oh_tui.tui.ui import NotNow

if TYPE_CHECKING:
    from oh_tui.batch.reports.wall import Tile
    from oh_tui.tui.controllers import Controllers
    from oh_tui.tui.widgets.wall import Wall

FOCUSED, OTHERS = 2.5, 10.0
"""Seconds between two looks at the run of the tile with the focus, and at another."""

MOST_CALLS, WITHIN = 12, 10.0
"""Calls for all tiles in so many seconds, wherever the focus goes."""


class WallOfRuns(Controller):
    _controllers: Controllers
    _wall: Wall
    _left = "conversations"
    """The pane from which it was opened."""
    _tiles: Mapping[str, Tile] = {}
    """By id of the conversation, as last read."""
    _looked: Mapping[str, float] = {}
    _calls: tuple[float, ...] = ()
    """When the last calls were made."""

    def action_open(self) -> None:
        if not self._rows():
            raise NotNow("nothing waits and nothing runs now")
        if self._session.pane != "wall":
            self._left = self._session.pane
        self.show()

    def show(self) -> None:
        self._ui.cancel("follow")  # what follows a run behind it
        self._ui.focus_pane("wall")
        self.tick()

    def close(self) -> None:
        self._session.arrangement = replace(self._session.arrangement, zoom="")
        self._ui.focus_pane(self._left)

    def tick(self) -> None:
        """Called each second while it is shown."""
        self._show()
        if not self._ui.at_work("wall"):
            self._ui.work_on("wall", self._look)

    def _rows(self) -> list[Needy]:
        """Those of `oh-tui status --wall`; one that has ended or is not listed any more keeps its
        tile while that has the focus, so that no key acts on another."""
        loaded = self._session.loaded
        here = self._wall.current if self._session.pane == "wall" else None
        urgent = (row.conversation for row in loaded.rows if row.due <= Group.RUNNING)
        found = needy(urgent, lambda one: loaded.last_known.get(bare_id(one.id)))[1]
        rows = wall.rows_of(found)
        one = here.row.conversation if here else None
        if here and one and all(not same_id(row.conversation.id, one.id) for row in rows):
            known = loaded.row(one.id)
            now = known.conversation if known else replace(one, sandbox_status="MISSING")
            word = known.status if known else "no longer listed"
            ended = here.row._replace(conversation=now, group="", word=word)
            rows = [*rows[: wall.MOST - 1], ended]
        return rows

    def _show(self) -> None:
        rows = {bare_id(row.conversation.id): row for row in self._rows()}
        self._tiles = {
            name: replace(self._tiles[name], row=row)
            if name in self._tiles
            else wall.tile_of(row, None)
            for name, row in rows.items()
        }
        tiles = wall.with_shared([*self._tiles.values()])
        self._wall.show(tiles, self._session.hearing.now())

    async def _look(self) -> None:
        """Read the ends that are due, in one call each; that with the focus first, then those that
        were not read for longest."""
        now, here = time.monotonic(), self._wall.current

        def waited(name: str) -> float:
            return now - self._looked.get(name, -inf)

        focus = bare_id(here.row.conversation.id) if here else ""
        due = [
            name
            for name, tile in self._tiles.items()
            if tile.row.conversation.sandbox_status == "RUNNING"
            and waited(name) >= (FOCUSED if name == focus else OTHERS)
        ]
        due.sort(key=lambda name: (name != focus, -waited(name)))
        self._calls = tuple(at for at in self._calls if now - at < WITHIN)
        due = due[: MOST_CALLS - len(self._calls)]
        self._calls += (now,) * len(due)
        self._looked = {**self._looked, **dict.fromkeys(due, now)}
        await asyncio.gather(*map(self._look_into, due))

    async def _look_into(self, name: str) -> None:
        before, source = self._tiles.get(name), self._session.source
        details = self._controllers.conversations.details
        if before is None or source is None:
            return
        run = await details.look_into(source, before.row.conversation)
        if run is not None and name in self._tiles:
            read = wall.tile_of(before.row, run, before.edits)
            self._tiles = {**self._tiles, name: read}
            self._show()
