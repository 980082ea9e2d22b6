"""What the footer names: the keys of the pane that has the focus, by what they would do now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.tui import reading
from oh_tui.tui.keys import footer_hints, selection_hints
from oh_tui.tui.widgets.bars import Hint

if TYPE_CHECKING:
    from oh_tui.tui.main_screen import MainScreen

Hints = tuple[Hint, ...]

OPENS = {"timeline": "read whole", "detail": "whole screen"}
"""Pane -> what enter does there."""


def hints(screen: MainScreen) -> tuple[Hints, Hints]:
    """Those at the left, and those at the right end, which stay when room is short."""
    session = screen.session
    writing = screen.editor is not None and screen.editor.has_focus_within
    if screen.is_questioning or writing:
        return (), ()  # they tell their own
    if screen.is_typing:
        completes = (Hint("→", "complete", ""),) if screen.find_input.suggester else ()
        return (Hint("enter", "go on", ""), *completes), (Hint("esc", "close", "do('back')"),)
    keymap = session.settings.config.keys
    left, right = footer_hints(session.pane, _labels(screen), keymap)
    if screen.timeline.range_from is not None and session.pane in ("timeline", "detail"):
        left = selection_hints(keymap)
    return left, right


def _labels(screen: MainScreen) -> dict[str, str | None]:
    """The label of `p` names what it will do, and so do others."""
    session = screen.session
    marks, pane = screen.session.marks, session.pane
    return {
        "sandbox.pause": screen.sandboxes.pause_label(),
        "download": screen.downloads.label(),
        "load.all": reading.load_label(screen),
        "follow": reading.follow_label(screen),
        "mark": "mark" if session.source and session.source.remote else None,
        "back": "back" if pane == "detail" else "unmark" if marks else None,
        "hidden": "hide gone" if screen.sidebar.show_gone else "show gone",
        **_agent_labels(screen),
        "open": "smaller" if screen.arrangement.zoom == "detail" else OPENS.get(pane, "open"),
    }


def _agent_labels(screen: MainScreen) -> dict[str, str | None]:
    """What `a`, `m` and `P` would do by what the list says, None for nothing. What they do is
    decided on the state read at that moment."""
    session = screen.session
    names: dict[str, str | None] = {"answer": None, "message": None, "agent.stop": None}
    conversation = screen.session.target()
    source = session.source
    if session.settings.read_only or source is None or not source.agents or conversation is None:
        return names
    if conversation.sandbox_status in ("RUNNING", "PAUSED"):
        names["message"] = "message"
    if conversation.sandbox_status == "RUNNING":
        status = conversation.execution_status
        if status == "waiting_for_confirmation":
            names["answer"] = "answer"
        elif status == "running":
            names["agent.stop"] = "stop agent"
        elif status in ("paused", "error", "stuck"):
            names["agent.stop"] = "continue agent"
    return names
