"""What keys bring about, one concern each: `(session, ui)` in, messages out.

A controller is loaded when a key or a message first needs it: what only keys lead to is not there
before the first paint. Its methods `action_*` are what bindings name: `sandboxes.pause` in
`oh_tui.tui.keys` is `SandboxActions.action_pause`, of the attribute `sandboxes` here.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from oh_tui.tui.controllers.conversations import Conversations
from oh_tui.tui.controllers.notices import Notices
from oh_tui.tui.controllers.older import OlderEvents
from oh_tui.tui.controllers.preparations import Preparations
from oh_tui.tui.controllers.reports import Reports
from oh_tui.tui.controllers.run import RunReader
from oh_tui.tui.controllers.search import Search
from oh_tui.tui.controllers.target import TargetRun

if TYPE_CHECKING:
    from oh_tui.tui.controllers.agents import AgentActions
    from oh_tui.tui.controllers.clipboard import Clipboard
    from oh_tui.tui.controllers.compose import Composer
    from oh_tui.tui.controllers.downloads import Downloads
    from oh_tui.tui.controllers.external import ExternalPrograms
    from oh_tui.tui.controllers.files import FileTransfers
    from oh_tui.tui.controllers.goto import GoTo
    from oh_tui.tui.controllers.images import Images
    from oh_tui.tui.controllers.sandboxes import SandboxActions
    from oh_tui.tui.controllers.shell import Shells
    from oh_tui.tui.controllers.start import NewConversations
    from oh_tui.tui.controllers.steps import StepActions
    from oh_tui.tui.controllers.sub_conversations import SubConversations
    from oh_tui.tui.controllers.view import ViewActions
    from oh_tui.tui.controllers.web_pages import WebPages
    from oh_tui.tui.panes import Rows, StepBodies, Steps
    from oh_tui.tui.session import Session
    from oh_tui.tui.ui import Ui

READS = ("lists", "more", "run", "older", "follow", "find", "filter", "peek", "git", "copy")
"""Workers that read from the server that is left, or make something of what it gave."""


class Controllers:
    def __init__(
        self, session: Session, ui: Ui, *, conversations: Rows, steps: Steps, bodies: StepBodies
    ) -> None:
        self._session = session
        self._ui = ui
        self._rows = conversations
        self._steps = steps
        self._bodies = bodies

    @cached_property
    def preparations(self) -> Preparations:
        return Preparations(self._session, self._ui)

    @cached_property
    def run(self) -> RunReader:
        return RunReader(self._session, self._ui, self._steps)

    @cached_property
    def conversations(self) -> Conversations:
        notices = Notices(self._session, self._ui)
        return Conversations(self._session, self._ui, self._rows, self.run, notices)

    @cached_property
    def target(self) -> TargetRun:
        return TargetRun(self._session, self._ui, self._steps, self.run)

    @cached_property
    def older(self) -> OlderEvents:
        return OlderEvents(self._session, self._ui, self.run, self.target)

    @cached_property
    def search(self) -> Search:
        return Search(
            self._session,
            self._ui,
            conversations=self._rows,
            steps=self._steps,
            bodies=self._bodies,
            run=self.target,
        )

    @cached_property
    def reports(self) -> Reports:
        return Reports(self._session, self._ui, self._steps, self.target, self.search)

    # What only keys lead to

    @cached_property
    def steps(self) -> StepActions:
        from oh_tui.tui.controllers.steps import StepActions

        return StepActions(
            self._session, self._ui, self._steps, self._bodies, self.target, self.search
        )

    @cached_property
    def view(self) -> ViewActions:
        from oh_tui.tui.controllers.view import ViewActions

        return ViewActions(self._session, self._ui, self._steps, self._bodies, self.target)

    @cached_property
    def goto(self) -> GoTo:
        from oh_tui.tui.controllers.goto import GoTo

        return GoTo(self._session, self._ui, self._steps, self.target)

    @cached_property
    def sandboxes(self) -> SandboxActions:
        from oh_tui.tui.controllers.sandboxes import SandboxActions

        return SandboxActions(self._session, self._ui)

    @cached_property
    def downloads(self) -> Downloads:
        from oh_tui.tui.controllers.downloads import Downloads

        return Downloads(self._session, self._ui)

    @cached_property
    def web_pages(self) -> WebPages:
        from oh_tui.tui.controllers.web_pages import WebPages

        return WebPages(self._session, self._ui)

    @cached_property
    def agents(self) -> AgentActions:
        from oh_tui.tui.controllers.agents import AgentActions

        return AgentActions(self._session, self._ui)

    @cached_property
    def composer(self) -> Composer:
        from oh_tui.tui.controllers.compose import Composer

        return Composer(self._session, self._ui, self.agents, self.sandboxes)

    @cached_property
    def sub_conversations(self) -> SubConversations:
        from oh_tui.tui.controllers.sub_conversations import SubConversations

        return SubConversations(self._session, self._ui)

    @cached_property
    def clipboard(self) -> Clipboard:
        from oh_tui.tui.controllers.clipboard import Clipboard

        return Clipboard(self._session, self._ui, self._steps, self.target, self.web_pages)

    @cached_property
    def external_programs(self) -> ExternalPrograms:
        from oh_tui.tui.controllers.external import ExternalPrograms

        return ExternalPrograms(self._ui, self._steps, self._bodies, self.target)

    @cached_property
    def images(self) -> Images:
        from oh_tui.tui.controllers.images import Images

        return Images(self._session, self._ui, self._steps, self.target)

    @cached_property
    def files(self) -> FileTransfers:
        from oh_tui.tui.controllers.files import FileTransfers

        return FileTransfers(self._session, self._ui, self._steps, self.sandboxes)

    @cached_property
    def new_conversations(self) -> NewConversations:
        from oh_tui.tui.controllers.start import NewConversations

        return NewConversations(self._session, self._ui)

    @cached_property
    def shells(self) -> Shells:
        from oh_tui.tui.controllers.shell import Shells

        return Shells(self._session, self._ui, self.sandboxes)

    # Ending what goes on

    def stop_nearest(self) -> bool:
        """Esc: stop what can be stopped, the nearest first; False when nothing goes on."""
        return (
            self.preparations.drop()
            or self.agents.stop_waiting()
            or self.sandboxes.stop_batch()
            or self.search.stop_filter()
            or self._stop_worker()
            or self.run.stop()
        )

    def _stop_worker(self) -> bool:
        for group in ("download", "find", "copy"):
            if self._ui.at_work(group):
                self._ui.cancel(group)
                if group == "copy":
                    self._ui.tell("nothing was copied")
                return True
        return False

    def leave_source(self) -> None:
        """Nothing is read from the server that is left, and nothing is told of it any more."""
        self.preparations.drop()
        for group in READS:
            self._ui.cancel(group)
        while self.agents.stop_waiting():
            pass
        self.search.clear_filter()
        self.search.set_find("")
