"""The footer's hints: the keys of the focused pane, labelled by what they would do now. The labels
follow the lists; a key itself checks the current state first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.text.human import plural
from oh_tui.trajectory.findings.ending import key_was_rejected
from oh_tui.trajectory.model.steps import Outcome
from oh_tui.tui.keys import LISTS, PLACES, SCREEN_KEYS, Hint, footer_hints, selection_hints

if TYPE_CHECKING:
    from oh_tui.sources.source import Source
    from oh_tui.trajectory.model.trajectory import Trajectory
    from oh_tui.tui.session import Session

Hints = tuple[Hint, ...]

Labels = dict[str, str | None]
"""By the id of a key; None for a key that has nothing to do."""

CONTINUE, SWITCH = "continue agent", "switch profile"

ENTER, LEAVE = "go into sub-agent", "leave sub-agent"

BOTH = "both results"
"""Of a step of a replay that differs from the record."""

STOPPED = ("paused", "idle")
"""States of an agent that waits to be continued: it was stopped, or its call was rejected."""

_OF_AGENTS = (
    *("answer", "message", "agent.stop", "budget", "fork", "start", "start anew", "ask"),
    *("agent setup", "switch profile", "replay this run"),
)

TROUBLE = ("error", "failed", "waiting", "loop")
"""The marks of the strip at which `e` stops."""

OF_STEPS = (
    *("error.next", "find", "filter", "sort", "changes", "where", "context", "files", "rules"),
    *("wrap", "json", "copy", "share", "fork"),
)
"""Keys that look at the steps of a run or act on one."""

OPENS = {"timeline": "read whole", "detail": "whole screen"}
"""Pane -> what enter does there."""


def key_hints(
    session: Session, *, zoom: str, followed: bool, enters: str = ""
) -> tuple[Hints, Hints]:
    """The hints at the left, and those at the right end, which stay when room is short. `zoom` is
    the pane that has the whole screen; `followed`, whether new events of the run are awaited;
    `enters`, what enter does at the step under the cursor; "" for what it usually does."""
    keymap = session.settings.config.keys
    labels = _labels(session, zoom, followed)
    if enters and session.pane == "timeline":
        labels["open"] = enters
    if zoom or (session.arrangement.narrow and session.in_run):
        labels["quit"] = "close"
    first, rows = _first(session, labels), bool(session.listed)
    left, right = footer_hints(session.pane, labels, keymap, first=first, rows=rows)
    selecting = session.cursors is not None and session.cursors.selecting
    if selecting and session.in_run:
        left = selection_hints(keymap)
    return left, right


def _first(session: Session, labels: Labels) -> tuple[str, ...]:
    """The most important key in this state: to answer, continue or start an agent."""
    if session.pane in PLACES:
        return ()
    if labels["answer"]:
        return ("answer",)
    if session.in_run and labels["back"] == LEAVE:
        return ("back",)
    if labels["agent.stop"] == SWITCH:
        return ("agent.stop",)
    target = session.target()
    if labels["agent.stop"] == CONTINUE and target and target.execution_status in STOPPED:
        return ("agent.stop",)
    if session.find_text:
        return ("find.next",)
    if not session.no_changes and session.all_listed and not session.loaded.rows:
        return ("start",)
    return ()


def doable(session: Session, *, zoom: str, followed: bool) -> dict[str, str]:
    """Id of each key that does something here and now -> its label; the most important first."""
    labels = _labels(session, zoom, followed)
    keys = {
        key.id: label
        for key in SCREEN_KEYS
        if session.pane in key.panes and (label := labels.get(key.id, key.label))
    }
    first = {name: keys.get(name) or labels.get(name) for name in _first(session, labels)}
    return {name: label for name, label in first.items() if label} | keys


def idle_keys(source: Source | None) -> frozenset[str]:
    """Keys, and commands without one, that can do nothing on this source: help leaves them out."""
    if source is None:
        return frozenset()
    has_automations = source.automations is not None and source.automations.are_there
    needs = (
        (source.sandboxes or has_automations, ("pane.2", "sandbox.pause")),
        (has_automations, ("run automation now", "its automation")),
        (source.agents, _OF_AGENTS),
        (source.workspaces, ("shell", "get a file", "put a file")),
        (source.remote, ("load.all",)),
        (source.remote and source.remote.gives_zips, ("download",)),
        (source.records, ("rename",)),
        (source.web, ("open.page",)),
    )
    return frozenset(name for has, names in needs if not has for name in names)


def _labels(session: Session, zoom: str, followed: bool) -> Labels:
    pane, remote = session.pane, session.source is not None and session.source.remote
    download = f"download {len(session.marks):,}" if session.means_marked else "download"
    follows = followed and session.run and session.run.whole.status == "running"
    narrows = pane != "conversations" or session.listing.is_on
    return {
        "sandbox.pause": _pause_label(session),
        "download": download if remote and remote.gives_zips else None,
        "load.all": "read all" if session.run and not session.run.whole.complete else None,
        "follow": ("stop following" if session.follow else "follow") if follows else None,
        "mark": "mark",
        "compare": _compare_label(session),
        "back": _back_label(session),
        "hidden": "hide gone" if session.show_gone else "show gone",
        "filter": "filter" if narrows else None,
        "sort": "sort" if pane == "conversations" and session.listing.is_on else None,
        **_agent_labels(session),
        "open": _open_label(session, zoom),
        **_run_labels(session),
    }


def _run_labels(session: Session) -> Labels:
    """No label for a key that has no step to act on: the footer leaves it out."""
    run = session.run
    if not session.in_run or session.is_reading:
        return {}
    if run is None or not run.whole.steps:
        anew = {"timeline": "read again" if session.current else None, "detail": "whole screen"}
        return {**dict.fromkeys(OF_STEPS), "open": anew[session.pane]}
    marks = run.study and run.whole.complete and run.study.strip.marks
    fails = not marks or any(marks.nearest(0, 1, [one]) for one in TROUBLE)
    return {} if fails else {"error.next": None}


def _open_label(session: Session, zoom: str) -> str | None:
    if session.pane == "conversations" and session.listing.query and not session.listed:
        return None
    return "smaller" if zoom == "detail" else OPENS.get(session.pane, "open")


def _compare_label(session: Session) -> str | None:
    """Of the marked runs; one with that under the cursor; else a fork with its origin."""
    if not session.marks:
        target = session.target()
        return "compare with origin" if target and target.origin else None
    return f"compare {len(session.marks)}" if len(session.marks) > 1 else "compare with it"


def _back_label(session: Session) -> str | None:
    if session.pane not in LISTS:
        return LEAVE if session.trail and session.is_within(session.trail[-1][0]) else "back"
    if session.marks:
        return "unmark"
    if session.listing.query:
        back_to = session.listing.back_to
        return f"back to {back_to}" if back_to else "show all"
    return "usual order" if session.listing.order else None


def _pause_label(session: Session) -> str | None:
    if session.no_changes:
        return None
    if session.pane == "automations":
        row = session.automation
        return ("switch off" if row.automation.is_on else "switch on") if row else None
    if session.means_marked:
        return _pause_marked_label(session)
    status = session.sandboxes.status(session.target_sandbox())
    return {"RUNNING": "pause sandbox", "PAUSED": "resume sandbox"}.get(status)


def _pause_marked_label(session: Session) -> str | None:
    """Pauses running sandboxes; resumes paused ones only when none is running."""
    known = {s.id: s.status for s in session.sandboxes.all}
    statuses = [known.get(one or "") for one in {c.sandbox_id for c in session.marked}]
    running, paused = statuses.count("RUNNING"), statuses.count("PAUSED")
    if running:
        return f"pause {plural(running, 'sandbox', 'sandboxes')}"
    return f"resume {plural(paused, 'sandbox', 'sandboxes')}" if paused else None


def _agent_labels(session: Session) -> Labels:
    labels: Labels = {"answer": None, "message": None, "agent.stop": None, "fork": None}
    conversation, source = session.target(), session.source
    if source is None or not source.agents:
        return labels
    row = session.automation
    if row and row.to_stop and not session.no_change_of(row.automation):
        labels["agent.stop"] = "stop agent" if row.to_stop.id in row.working else "stop run"
    if conversation is None or session.settings.of(conversation.server).read_only:
        return labels
    if conversation.sandbox_status in ("RUNNING", "PAUSED"):
        labels["message"] = "message"
    if conversation.sandbox_status == "RUNNING":
        status = conversation.execution_status
        run = session.run if session.is_open(conversation) else None
        if status == "waiting_for_confirmation":
            labels["answer"] = "answer"
        elif status == "running":
            labels["agent.stop"] = "stop agent"
        elif status == "error" and run is not None and key_was_rejected(run.whole):
            labels["agent.stop"] = SWITCH
        elif status in ("paused", "error", "stuck") or (
            status == "idle" and run is not None and _was_rejected(run.trajectory)
        ):
            labels["agent.stop"] = CONTINUE
        if status in ("stuck", "error"):
            labels["fork"] = "fork"
    return labels


def _was_rejected(run: Trajectory) -> bool:
    """Whether the agent has not continued since its call was rejected."""
    return bool(run.steps) and run.outcome(run.steps[-1]) is Outcome.REJECTED
