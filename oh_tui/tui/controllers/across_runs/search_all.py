"""`*` searches all runs of the source. The search goes on while its screen is closed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from oh_tui.tui.screens.pass_screen import PassActions
from oh_tui.tui.screens.search import SearchScreen
from oh_tui.tui.state.across_runs.search_all import SearchAll

if TYPE_CHECKING:
    from oh_tui.tui.controllers.across_runs.back_stack import WayBack
    from oh_tui.tui.controllers.across_runs.background_indexing import Filling
    from oh_tui.tui.session import Session
    from oh_tui.tui.ui import Ui


class SearchAllRuns(PassActions[SearchAll]):
    WORK = "search_all"
    GOES_ON = True
    NO_RUNS = "there are no runs to search yet"

    def __init__(self, session: Session, ui: Ui, filling: Filling, way_back: WayBack) -> None:
        super().__init__(session, ui, filling.take)
        self._way_back = way_back

    def action_search(self) -> None:
        self.show()

    def show(self, *, comes_back: bool = False) -> None:
        runs, found = self.source_runs(), self.found
        if runs is None:
            return
        if found is None or found.reading.source is not runs.source:
            self.stop()
            found = self.found = SearchAll(runs)
        self.push(SearchScreen(self._session, found, self, comes_back=comes_back))

    def open_row(self) -> None:
        found, row = self.found, self.row
        if found is None or row is None:
            return
        hit, conversation = row.hits[found.hit], row.conversation
        self.leave()
        self._way_back.open(conversation, partial(self.show, comes_back=True))
        if hit.is_of_sub_agent and not hit.above:
            self._ui.tell(f"cannot tell which step started sub-agent {hit.path}")
        else:  # for a step of a sub-agent the step that started it
            wanted = hit.above or hit.event_id
            self._way_back.go_to(conversation, lambda: wanted)
