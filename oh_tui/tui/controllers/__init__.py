"""The actions behind keys, one concern per module: `(session, ui)` in, messages out.

A controller is created, and its module executed (`oh_tui.lazy`), when a key or a message first
needs it. Bindings name its methods `action_*`: `sandboxes.pause` in `oh_tui.tui.keys` is
`SandboxActions.action_pause`, of the attribute `sandboxes` here.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from oh_tui.tui.controllers import navigation, servers, view
from oh_tui.tui.controllers.across_runs import background_indexing, way_back
from oh_tui.tui.controllers.across_runs import board as board_of_runs
from oh_tui.tui.controllers.across_runs import failures as failures_of_runs
from oh_tui.tui.controllers.across_runs import search_all as search_of_runs
from oh_tui.tui.controllers.agent import agents, budgets, compose, fork, setup, start
from oh_tui.tui.controllers.lists import (
    column_choice,
    conversations,
    filter_and_sort,
    notices,
    rename,
)
from oh_tui.tui.controllers.run import (
    annotate,
    branches,
    compare,
    find,
    forgotten,
    goto,
    known_failures,
    older,
    reader,
    reading_on,
    reports,
    rules,
    share,
    step_moves,
    sub_conversations,
    target,
)
from oh_tui.tui.controllers.run import (
    filter as filters,
)
from oh_tui.tui.controllers.sandbox import files, sandboxes, shell
from oh_tui.tui.controllers.system import clipboard, downloads, external, save_images, web_pages
from oh_tui.tui.messages import ListEmpty

if TYPE_CHECKING:
    from collections.abc import Callable

    from oh_tui.settings.startup import Settings
    from oh_tui.sources.source import Source
    from oh_tui.tui.session import Session
    from oh_tui.tui.ui import Ui
    from oh_tui.tui.widgets.conversation_list import ConversationList
    from oh_tui.tui.widgets.step_detail import StepDetail
    from oh_tui.tui.widgets.timeline import Timeline

READS = (
    *("lists", "more", "run", "older", "follow", "below", "branch", "find", "hits", "filter"),
    *("peek", "git", "copy", "sift", "search_all", "sums", "failures", "forgotten"),
    *("known-failure", "reading-on", "rules"),
)
"""Groups of workers that read from the source being left, or process what it returned. Reads run
in exclusive groups; writes never do, so that no read cancels a write."""


_STOPPED = {"copy": "nothing was copied", "below": "stopped: the sub-agents stay closed"}
"""Group of workers -> what is said when Esc stops them, if they do not say it themselves."""


class Controllers:
    def __init__(
        self,
        session: Session,
        ui: Ui,
        *,
        connect: Callable[[Settings], Source] | None,
        shared: Callable[[str], Callable[[], Source]] | None,
        demo: Callable[[], Source] | None,
        conversations: ConversationList,
        steps: Timeline,
        bodies: StepDetail,
    ) -> None:
        self._session = session
        self._ui = ui
        self._connect = connect
        self._shared = shared
        self._demo = demo
        self._rows = conversations
        self._steps = steps
        self._bodies = bodies

    @cached_property
    def servers(self) -> servers.Servers:
        return servers.Servers(
            self._session,
            self._ui,
            connect=self._connect,
            demo=self._demo,
            shared=self._shared,
        )

    @cached_property
    def run(self) -> reader.RunReader:
        return reader.RunReader(self._session, self._ui, self._steps)

    @cached_property
    def notices(self) -> notices.Notices:
        return notices.Notices(self._session, self._ui)

    @cached_property
    def conversations(self) -> conversations.Conversations:
        return conversations.Conversations(
            self._session, self._ui, self._rows, self.run, self.notices
        )

    @cached_property
    def target(self) -> target.TargetRun:
        return target.TargetRun(self._session, self._ui, self._steps, self.run)

    @cached_property
    def older(self) -> older.OlderEvents:
        return older.OlderEvents(self._session, self._ui, self.run, self.target)

    @cached_property
    def filter(self) -> filters.Filter:
        return filters.Filter(
            self._session,
            self._ui,
            steps=self._steps,
            run=self.target,
        )

    @cached_property
    def find(self) -> find.Find:
        return find.Find(
            self._session,
            self._ui,
            conversations=self._rows,
            steps=self._steps,
            bodies=self._bodies,
            filter=self.filter,
        )

    @cached_property
    def forgotten(self) -> forgotten.ForgottenSteps:
        return forgotten.ForgottenSteps(self._ui, self._steps)

    @cached_property
    def reports(self) -> reports.Reports:
        return reports.Reports(
            self._session, self._ui, self._steps, self._bodies, self.target, self.filter
        )

    # What only keys lead to

    @cached_property
    def listing(self) -> filter_and_sort.ListActions:
        return filter_and_sort.ListActions(
            self._session, self._ui, self.conversations, self.filter, self._steps, self.target
        )

    @cached_property
    def search_all(self) -> search_of_runs.SearchAllRuns:
        return search_of_runs.SearchAllRuns(
            self._session, self._ui, self.filling.take, self.way_back
        )

    @cached_property
    def board(self) -> board_of_runs.BoardOfRuns:
        return board_of_runs.BoardOfRuns(
            self._session, self._ui, self.filling.take, self.way_back, self.failures
        )

    @cached_property
    def failures(self) -> failures_of_runs.FailuresOfRuns:
        return failures_of_runs.FailuresOfRuns(
            self._session,
            self._ui,
            self.filling.take,
            self.way_back,
            self.listing,
            self.comparisons,
        )

    @cached_property
    def filling(self) -> background_indexing.Filling:
        return background_indexing.Filling(self._session, self._ui)

    def fill(self) -> None:
        """Take the runs into the library that were opened."""
        self.filling.take_opened()

    @cached_property
    def way_back(self) -> way_back.WayBack:
        return way_back.WayBack(self._session, self._ui, self.target, self.listing)

    def come_back(self) -> bool:
        """Esc in a run or a list of runs that a view led to: back to the view."""
        return "way_back" in vars(self) and self.way_back.come_back()

    @cached_property
    def titles(self) -> rename.Renaming:
        return rename.Renaming(self._session, self._ui)

    @cached_property
    def steps(self) -> step_moves.StepActions:
        return step_moves.StepActions(
            self._session,
            self._ui,
            self._steps,
            self._bodies,
            self.target,
            self.filter,
            known_failures.KnownFailures(
                self._session,
                self._ui,
                self._steps,
                lambda: self.failures.found if "failures" in vars(self) else None,
            ),
        )

    @cached_property
    def view(self) -> view.ViewActions:
        return view.ViewActions(self._session, self._ui, self._steps, self._bodies, self.target)

    @cached_property
    def columns(self) -> column_choice.ColumnActions:
        return column_choice.ColumnActions(self._session, self._ui, self._rows, self._steps)

    @cached_property
    def navigation(self) -> navigation.Navigation:
        return navigation.Navigation(self._session, self._ui, self._steps, self)

    @cached_property
    def annotations(self) -> annotate.AnnotationActions:
        return annotate.AnnotationActions(
            self._session, self._ui, self._steps, self.target, self.filter
        )

    @cached_property
    def branches(self) -> branches.BranchActions:
        return branches.BranchActions(self._session, self._ui, self.run)

    @cached_property
    def comparisons(self) -> compare.Comparisons:
        return compare.Comparisons(self._session, self._ui)

    @cached_property
    def goto(self) -> goto.GoTo:
        return goto.GoTo(self._session, self._ui, self._steps, self.target)

    @cached_property
    def sandboxes(self) -> sandboxes.SandboxActions:
        return sandboxes.SandboxActions(self._session, self._ui, self.run.read_last)

    @cached_property
    def downloads(self) -> downloads.Downloads:
        return downloads.Downloads(self._session, self._ui, self.filling.take_file)

    @cached_property
    def sharing(self) -> share.Sharing:
        return share.Sharing(self._session, self._ui, self._steps, self.target)

    @cached_property
    def reading_on(self) -> reading_on.ReadingOn:
        return reading_on.ReadingOn(self._ui, self._steps)

    @cached_property
    def rules(self) -> rules.RulesOfRun:
        return rules.RulesOfRun(
            self._session,
            self._ui,
            self._steps,
            self.target,
            lambda conversation, again: self.way_back.leave_view(conversation, again),
        )

    @property
    def broken_rules(self) -> int:
        """How many rules of high severity the run at the right is known to break."""
        return self.rules.broken if "rules" in vars(self) else 0

    @cached_property
    def web_pages(self) -> web_pages.WebPages:
        return web_pages.WebPages(self._session, self._ui)

    @cached_property
    def agents(self) -> agents.AgentActions:
        return agents.AgentActions(
            self._session, self._ui, lambda *asked: self.agent_setups.goes_on(*asked)
        )

    @cached_property
    def budgets(self) -> budgets.Budgets:
        return budgets.Budgets(self._session, self._ui, self.agents, self.notices)

    @cached_property
    def composer(self) -> compose.Composer:
        return compose.Composer(self._session, self._ui, self.agents, self.sandboxes)

    @cached_property
    def agent_setups(self) -> setup.AgentSetups:
        return setup.AgentSetups(self._session, self._ui, self.agents, self.annotations)

    @cached_property
    def forks(self) -> fork.Forking:
        return fork.Forking(
            self._session, self._ui, self._steps, self.target, self.agents, self.composer
        )

    @cached_property
    def sub_conversations(self) -> sub_conversations.SubConversations:
        return sub_conversations.SubConversations(self._session, self._ui, self._steps)

    @cached_property
    def clipboard(self) -> clipboard.Clipboard:
        return clipboard.Clipboard(
            self._session, self._ui, self._steps, self._bodies, self.target, self.web_pages
        )

    @cached_property
    def external_programs(self) -> external.ExternalPrograms:
        return external.ExternalPrograms(self._ui, self._steps, self._bodies, self.target)

    @cached_property
    def images(self) -> save_images.Images:
        return save_images.Images(self._session, self._ui, self._steps, self.target)

    @cached_property
    def files(self) -> files.FileTransfers:
        return files.FileTransfers(self._session, self._ui, self._steps, self.sandboxes)

    @cached_property
    def new_conversations(self) -> start.NewConversations:
        edit = self.external_programs.edited_text
        return start.NewConversations(self._session, self._ui, self.target, edit)

    @cached_property
    def shells(self) -> shell.Shells:
        return shell.Shells(self._session, self._ui, self.sandboxes)

    # Beginning, and ending what goes on

    def begin(self, make_source: Callable[[], Source] | None, *, in_thread: bool) -> None:
        """Open the first source, or explain how to get a key. `in_thread` as for
        `Conversations.open`."""
        if make_source is None:
            self._ui.post_message(ListEmpty("no API key"))
            self._ui.work_on("write", self.servers.open_without_key)
            return
        if self._session.preferences.greet():
            self._ui.tell("new here? press ? for the keys, ctrl+p for commands")
        self.servers.show_cautions()
        self.conversations.open(make_source, in_thread=in_thread)

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
        """Leave the open server for the one of these settings: stop reading from it, and say
        nothing more about it."""
        self._ui.refuse()
        self._ui.preparations.drop()
        for group in READS:
            self._ui.cancel(group)
        while self.agents.stop_waiting():
            pass
        self.filter.clear_filter()
        self.find.set_find("")
        self._ui.clear_news()
        self._session.leave_source(settings)
        self.servers.show_cautions()
