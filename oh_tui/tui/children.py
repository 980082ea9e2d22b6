"""Sub-conversations: into the one that a step started, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.problem import Problem
from oh_tui.trajectory.blocks import links_of

if TYPE_CHECKING:
    from oh_tui.tui.main_screen import MainScreen


def of_step(screen: MainScreen) -> str:
    """The id of the sub-conversation that the step under the cursor started; "" for none."""
    current = screen.timeline.current
    links = links_of(current[0]) if current and current[0] else ()
    return links[0] if links and screen.session.source else ""


async def enter(screen: MainScreen, conversation_id: str) -> None:
    """Go into the sub-conversation that a step started."""
    session = screen.session
    assert session.source is not None
    with screen.reporting():
        with screen.preparing("asking for the sub-conversation"):
            (child,) = await session.source.get([conversation_id])
        if child is None:
            raise Problem("The sub-conversation is not kept here", "z reads the step whole")
        if session.current:
            session.trail.append(session.current)
        screen.sidebar.highlight(child.id)
        screen.open_run(child)


def leave(screen: MainScreen) -> bool:
    """Back to the conversation that a sub-conversation was entered from."""
    session = screen.session
    if not session.trail or session.pane not in ("timeline", "detail") or screen.arrangement.zoom:
        return False
    parent = session.trail.pop()
    screen.sidebar.highlight(parent.id)
    screen.open_run(parent)
    return True
