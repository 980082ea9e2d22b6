"""`*` searches all runs of the source. The search goes on while its screen is closed."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING

from oh_tui.batch import each_run, index_filter, searching
from oh_tui.tui.controllers.across_runs.collecting import collect
from oh_tui.tui.screens import search as search_screen
from oh_tui.tui.state.across_runs import search_all

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from oh_tui.api.models import Conversation
    from oh_tui.batch.search_words import ManyQuery
    from oh_tui.batch.searching import RunHits
    from oh_tui.sources.source import Source
    from oh_tui.trajectory.model.trajectory import Trajectory
    from oh_tui.tui.controllers.across_runs.way_back import WayBack
    from oh_tui.tui.session import Session
    from oh_tui.tui.ui import Ui

EVERY = 0.05
"""Seconds between two showings of new hits."""

HELD = 3
"""Runs that are held for the preview."""


class SearchAllRuns:
    def __init__(
        self,
        session: Session,
        ui: Ui,
        way_back: WayBack,
        keep: Callable[[Conversation], None],
    ) -> None:
        """`keep` gets each run that was read from the server."""
        self._session = session
        self._ui = ui
        self._keep = keep
        self._way_back = way_back
        self._all: search_all.SearchAll | None = None
        self._of: Source | None = None
        """The source that was searched."""
        self._view: search_screen.SearchScreen | None = None
        """While it is open."""
        self._previewed: OrderedDict[str, Trajectory] = OrderedDict()

    def action_search(self) -> None:
        source = self._session.source
        if source is None or self._session.unopened:
            self._ui.tell("there are no runs to search yet")
            return
        if self._all is None or source is not self._of:
            self._ui.cancel("search_all")
            self._all, self._of = search_all.SearchAll(), source
            self._previewed.clear()
        self._show(comes_back=False)

    def _show(self, *, comes_back: bool) -> None:
        assert self._all is not None

        def closed(_: None) -> None:
            self._view = None
            self._previewed.clear()

        self._view = search_screen.SearchScreen(
            self._session, self._all, self, comes_back=comes_back
        )
        self._ui.push_screen(self._view, closed)

    # What the screen asks for

    def start(self, typed: str, query: ManyQuery) -> None:
        """Search for other words."""
        assert self._all is not None
        self._all = search_all.SearchAll(typed, query)
        if self._view:
            self._view.take(self._all)
        self._ui.work_on("search_all", self._search, self._all, instead=True)

    def stop(self) -> None:
        """End the search; what it has found stays."""
        self._ui.cancel("search_all")

    async def _search(self, found: search_all.SearchAll) -> None:
        session, query = self._session, found.query
        assert session.source is not None and query is not None
        source, folder = session.source, session.settings.library_folder
        found.search = searching.Search(
            source,
            query,
            session.annotations,
            session.loaded.last_known.known,
            # called in a thread: loading the library takes longer than a frame
            known=lambda *runs: index_filter.Narrowing(folder, source, query.steps)(*runs),
            nice=each_run.KEYS_FIRST,
            cache_folder=folder,
        )
        await self._collect(found, found.search.results())

    async def _collect(
        self, found: search_all.SearchAll, results: AsyncGenerator[RunHits | None, None]
    ) -> None:
        def take(one: RunHits | None) -> bool:
            if one:
                found.found.append(one)
            return len(found.found) == 1

        await collect(found, results, take, self._renew, EVERY)

    async def _renew(self) -> None:
        if self._view and self._view.is_mounted:
            self._view.renew()
            await asyncio.sleep(0)

    def open(self) -> None:
        """Open the run under the cursor at the hit under the cursor."""
        found = self._all
        if found is None or found.at is None:
            return
        hit, conversation = found.at_hit, found.at.conversation
        if self._view:
            self._view.dismiss(None)
        self._way_back.open(conversation, partial(self._show, comes_back=True))
        if hit and hit.is_of_sub_agent and not hit.above:
            self._ui.tell(f"cannot tell which step started sub-agent {hit.path}")
        elif hit:  # for a step of a sub-agent the step that started it
            wanted = hit.above or hit.event_id
            self._way_back.go_to(conversation, lambda: wanted)

    async def run_of(self, found: search_all.SearchAll) -> Trajectory | None:
        """The run under the cursor, read again for the preview."""
        one = found.at
        if one is None or found.search is None:
            return None
        name = one.conversation.id
        kept = self._session.runs.get(name)
        if kept and kept.trajectory.complete:
            return kept.trajectory
        if name not in self._previewed:
            run = await found.search.reading.run_of(one.conversation)
            if run is None:
                return None
            self._previewed[name] = run
            while len(self._previewed) > HELD:
                self._previewed.popitem(last=False)
        self._previewed.move_to_end(name)
        return self._previewed[name]

    def read_missing(self) -> None:
        """Read from the server the runs that this machine does not keep, and search them."""
        found = self._all
        if found and found.search and not found.is_running:
            self._ui.work_on(
                "search_all", self._collect, found, found.search.missing(self._keep), instead=True
            )
