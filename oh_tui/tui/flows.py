"""A caution about what was not looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.human import plural

if TYPE_CHECKING:
    from oh_tui.tui.main_screen import MainScreen


def unread(screen: MainScreen) -> str:
    """A caution after "there is none", when older events were not looked at."""
    trajectory = screen.timeline.trajectory
    if (
        screen.session.pane in ("conversations", "sandboxes")
        or trajectory is None
        or trajectory.complete
    ):
        return ""
    return f" in the last {plural(len(trajectory.events), 'event')}, g reads older"
