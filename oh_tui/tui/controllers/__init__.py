"""The actions behind keys, one concern per module: `(session, ui)` in, messages out.

A controller is created, and its module executed (`oh_tui.lazy`), when a key or a message first
needs it. Bindings name its methods `action_*`: `sandboxes.pause` in `oh_tui.tui.keys` is
`SandboxActions.action_pause`, of the attribute `sandboxes` here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.api.models import CLOUD
from oh_tui.tui.controllers import automations, navigation, servers
from oh_tui.tui.controllers.across_runs import back_stack, background_indexing, views
from oh_tui.tui.controllers.agent import agents, attempts, budgets, compose, replays, setup, start
from oh_tui.tui.controllers.lists import conversations, filter_and_sort, notices, wall
from oh_tui.tui.controllers.run import (
    annotate,
    find,
    older,
    reader,
    reading_on,
    reports,
    rules,
    step_moves,
    sub_conversations,
    target,
)
from oh_tui.tui.controllers.run import filter as filters
from oh_tui.tui.controllers.sandbox import sandboxes, workspaces
from oh_tui.tui.controllers.system import clipboard, downloads, external, web_pages
from oh_tui.tui.messages import ListEmpty
from oh_tui.tui.platform import launch

if TYPE_CHECKING:
    from collections.abc import Callable

    from oh_tui.settings.startup import Settings
    from oh_tui.sources.source import Source
    from oh_tui.tui.session import Session
    from oh_tui.tui.state.across_runs.failures import FailuresFound
    from oh_tui.tui.ui import Ui

READS = (
    *("lists", "more", "run", "older", "follow", "below", "branch", "find", "hits", "filter"),
    *("peek", "git", "copy", "sift", "search_all", "sums", "failures", "sets", "forgotten"),
    *("known-failure", "reading-on", "rules", "automations", "automation-log", "replay", "wall"),
    "attempts",
)
"""Groups of workers that read from the source being left, or process what it returned. Reads run
in exclusive groups; writes never do, so that no read cancels a write."""

_STOPPED = {"copy": "nothing was copied", "below": "stopped: the sub-agents stay closed"}
"""Group of workers -> what is said when Esc stops them, if they do not say it themselves."""


class Controllers:
    """Each is made when it is first asked for, out of what its annotations name by their types."""

    servers: servers.Servers
    run: reader.RunReader
    notices: notices.Notices
    conversations: conversations.Conversations
    target: target.TargetRun
    older: older.OlderEvents
    filter: filters.Filter
    goto: find.GoTo
    find: find.Find
    forgotten: reading_on.ForgottenSteps
    comparisons: reports.Comparisons
    reports: reports.Reports

    # What only keys lead to

    listing: filter_and_sort.ListActions
    search_all: views.SearchAllRuns
    board: views.BoardOfRuns
    wall: wall.WallOfRuns
    failures: views.FailuresOfRuns
    sets: views.SetsOfRuns
    filling: background_indexing.Filling
    way_back: back_stack.WayBack
    titles: annotate.Renaming
    steps: step_moves.StepActions
    rules: rules.RulesOfRun
    view: navigation.ViewActions
    navigation: navigation.Navigation
    annotations: annotate.AnnotationActions
    branches: sub_conversations.BranchActions
    sandboxes: sandboxes.SandboxActions
    downloads: downloads.Downloads
    reading_on: reading_on.ReadingOn
    web_pages: web_pages.WebPages
    budgets: budgets.Budgets
    composer: compose.Composer
    agent_setups: setup.AgentSetups
    agents: agents.AgentActions
    attempts: attempts.AttemptActions
    automations: automations.AutomationActions
    forks: start.Forking
    replays: replays.Replays
    sub_conversations: sub_conversations.SubConversations
    clipboard: clipboard.Clipboard
    external_programs: external.ExternalPrograms
    images: external.Images
    workspaces: workspaces.WorkspaceActions
    new_conversations: start.NewConversations

    def __init__(self, session: Session, ui: Ui, **parts: object) -> None:
        """Other parts by the names of their types."""
        self._session, self._ui = session, ui
        self._parts = {"Session": session, "Ui": ui, "Controllers": self, **parts}

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            if name not in Controllers.__annotations__:
                raise AttributeError(name)
            module, kind = Controllers.__annotations__[name].split(".")
            make, has = getattr(globals()[module], kind), self._parts
            takes = make.parts().values()
            made = make(*(has[one] if one in has else getattr(self, _NAMES[one]) for one in takes))
            setattr(self, name, made)
            return made

    @property
    def failures_found(self) -> FailuresFound | None:
        """What the view of what failed shows, or showed last."""
        return self.failures.found if "failures" in vars(self) else None

    def come_back(self) -> bool:
        """Esc in a run or a list of runs that a view led to: back to the view."""
        return "way_back" in vars(self) and self.way_back.come_back()

    @property
    def broken_rules(self) -> int:
        """How many rules of high severity the run at the right is known to break."""
        return self.rules.broken if "rules" in vars(self) else 0

    # Beginning, and ending what goes on

    def begin(self, make_source: Callable[[], Source] | None, *, in_thread: bool) -> None:
        """Open the first source, `in_thread` or not, or explain how to get a key."""
        if make_source is None:
            self.explain_key()
            return
        if self._session.preferences.greet():
            self._ui.tell("new here? press ? for the keys, ctrl+p for commands")
        self.servers.show_cautions()
        self.conversations.open(make_source, in_thread=in_thread)
        settings = self._session.settings
        if not settings.server and settings.base_url == CLOUD and settings.key:
            self._ui.set_timer(launch.CANVAS, self._look_for_canvas)

    def _look_for_canvas(self) -> None:
        self._ui.work_on("canvas", self.servers.tell_canvas)

    def explain_key(self, beside: str = "") -> None:
        """Say that there is no key, and `beside` why one that is there is not used."""
        self._ui.post_message(ListEmpty("no API key"))
        self._ui.work_on("write", self.servers.open_without_key, beside)

    def stop_nearest(self) -> bool:
        """Esc: stop the activity that the footer shows first; False when there is none."""
        return (
            self._ui.preparations.drop()
            or self.agents.stop_waiting()
            or self.sandboxes.stop_batch()
            or (self._ui.at_work("filter") and self.filter.clear_filter())
            or self._stop_worker()
            or ("reading_on" in vars(self) and self.reading_on.stop())
            or self.conversations.unpacking.stop()
            or self.listing.stop()
            or (self._ui.at_work("replay") and self.replays.ask_stop())
        )

    def _stop_worker(self) -> bool:
        for group in ("download", "find", "copy", "below"):
            if self._ui.at_work(group):
                self._ui.cancel(group)
                if group in _STOPPED:
                    self._ui.tell(_STOPPED[group])
                return True
        return False

    def leave_source(self, settings: Settings) -> None:
        """Leave the open server: stop reading from it, and say nothing more about it."""
        self._ui.refuse()
        self._ui.preparations.drop()
        for group in READS:
            self._ui.cancel(group)
        while self.agents.stop_waiting():
            pass
        self.filter.clear_filter()
        self.find.set_find("")
        if "way_back" in vars(self):
            self.way_back.forget()
        self._ui.clear_news()
        self._session.leave_source(settings)
        self.servers.show_cautions()


_NAMES = {kind.rpartition(".")[2]: name for name, kind in Controllers.__annotations__.items()}
"""Type of a controller -> its name."""
