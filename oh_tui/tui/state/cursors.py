"""The interface of the panes to the session, which knows no widget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from oh_tui.conversation import Conversation
    from oh_tui.trajectory.model.events import Event
    from oh_tui.trajectory.model.steps import Step
    from oh_tui.tui.state.sandboxes import SandboxRow


class Cursors(Protocol):
    """The cursor positions, which the panes own."""

    @property
    def listed(self) -> Conversation | None:
        """The conversation under the cursor of the list."""

    @property
    def sandbox(self) -> SandboxRow | None:
        """The sandbox under the cursor of its pane."""

    @property
    def step(self) -> tuple[Step | None, Event] | None:
        """The step and its event under the timeline's cursor; no step for an event outside of
        steps."""

    @property
    def selecting(self) -> bool:
        """Whether a range of steps is being selected."""
        ...

    @property
    def steps(self) -> tuple[int, int] | None:
        """The first and last number of the steps selected; None without a range."""
