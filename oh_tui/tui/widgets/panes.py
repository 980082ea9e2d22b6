"""The panes between header and footer: which ones are visible, and where their cursors are."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widget import Widget

from oh_tui.conversation import Conversation
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Step
from oh_tui.tui.state.arrangement import PANES, Arrangement
from oh_tui.tui.state.automations import AutomationRow
from oh_tui.tui.state.sandboxes import SandboxRow
from oh_tui.tui.widgets.drawing import Divider, Rule, SideBySide
from oh_tui.tui.widgets.run_view import RunView
from oh_tui.tui.widgets.sidebar import Sidebar
from oh_tui.tui.widgets.wall import Wall


class Panes(SideBySide):
    """The lists at the left, the run at the right; also implements the session's `Cursors`."""

    def compose(self) -> ComposeResult:
        self.sidebar, self.run_view = Sidebar(id="left"), RunView(id="right")
        self._divider, self.wall = Divider(id="divider"), Wall(id="wall")
        yield from (self.sidebar, self._divider, self.run_view, self.wall)

    def on_mount(self) -> None:
        self._panes = {pane: self.query_one(f"#{pane}-pane") for pane in PANES}
        self._rules = {
            pane: self.query_one(f"#{'result' if pane == 'detail' else pane}-rule", Rule)
            for pane in PANES
        }

    def show_panes(self, arrangement: Arrangement) -> None:
        visible = arrangement.visible()
        for pane, container in self._panes.items():
            container.display = pane in visible
        left, right = any(p in visible for p in PANES[:-2]), any(p in visible for p in PANES[-2:])
        self.sidebar.display, self.run_view.display = left, right
        self._divider.display, self.wall.display = left and right, "wall" in visible
        self.sidebar.styles.width = arrangement.left_width if right else "1fr"
        self.run_view.fit(arrangement)
        self.sidebar.fit(arrangement)

    def takes_keys(self, pane: str) -> Widget:
        return {
            "conversations": self.sidebar.list,
            "sandboxes": self.sidebar.sandbox_list,
            "automations": self.sidebar.automation_list,
            "timeline": self.run_view.timeline,
            "wall": self.wall,
        }.get(pane, self.run_view.detail.result_view)

    def mark_pane(self, pane: str) -> None:
        """Draw the rule of the pane that has the focus heavier than the others."""
        for name, rule in self._rules.items():
            rule.heavy = name == pane

    # Cursors

    @property
    def listed(self) -> Conversation | None:
        return self.sidebar.list.current

    @property
    def tile(self) -> Conversation | None:
        return self.wall.current.row.conversation if self.wall.current else None

    @property
    def sandbox(self) -> SandboxRow | None:
        return self.sidebar.sandbox_list.current

    @property
    def automation(self) -> AutomationRow | None:
        return self.sidebar.automation_list.current

    @property
    def automations_in_sight(self) -> list[str]:
        return self.sidebar.automation_list.in_sight

    @property
    def step(self) -> tuple[Step | None, Event] | None:
        return self.run_view.timeline.current

    @property
    def selecting(self) -> bool:
        return self.run_view.timeline.range_from is not None

    @property
    def steps(self) -> tuple[int, int] | None:
        return self.run_view.timeline.range
