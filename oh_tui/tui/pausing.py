"""Pausing or resuming one sandbox as planned, whichever key asks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from oh_tui.sources import SandboxPlan

if TYPE_CHECKING:
    from oh_tui.sources.sandboxes import Sandboxes
    from oh_tui.tui.main_screen import MainScreen


async def carry_out(
    screen: MainScreen,
    sandboxes: Sandboxes,
    plan: SandboxPlan,
    tell: Callable[[str], None],
    *,
    stop_agents: bool = False,
) -> str:
    """Tells each stage and gives the last. The lists hear how the sandbox stands then, so that no
    reading asked for before takes it back."""
    assert plan.sandbox is not None
    stage = ""
    async for stage in sandboxes.carry_out(plan, stop_agents=stop_agents):
        tell(stage)
    status = "PAUSED" if plan.action == "pause" else "RUNNING"
    screen.session.sandbox_settled(plan.sandbox.id, status)
    screen.show_lists()
    screen.tell_keys()
    return stage
