"""Automations and their runs as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from oh_tui.api.automation_models import Automation, AutomationRun, RunPage, Trigger
from oh_tui.catalog import automations as words
from oh_tui.documents.run import MOST_TAGS, line, moment, named
from oh_tui.text.human import number
from oh_tui.text.redact import safe, safe_line

if TYPE_CHECKING:
    from oh_tui.actions.automations import RunLog
    from oh_tui.conversation import Conversation
    from oh_tui.documents.shapes import automations as shapes

LONGEST = 100_000
"""Characters of a text of the server, and of the end of a log."""


def listed_json(
    one: Automation, page: RunPage | None, now: float, loaded: Iterable[Conversation] = ()
) -> shapes.ListedAutomation:
    """`page` has its newest runs, None where they were not read; `loaded` may have theirs."""
    trigger = one.trigger or Trigger()
    failed, ended = (page and words.failed_of(page.counts)) or (None, None)
    document: shapes.ListedAutomation = {
        "id": safe_line(one.id),
        "name": line(one.name),
        "trigger": {
            "words": words.trigger_words(trigger),
            "type": line(trigger.type),
            "schedule": line(trigger.schedule),
            "timezone": line(trigger.timezone),
            "source": line(trigger.source),
            "events": [safe_line(event) for event in trigger.events],
            "filter": line(trigger.filter),
        },
        "on": one.is_on,
        "why_off": words.why_off(one) or None,
        "off_since": moment(one.disabled_at) if one.is_on is False else None,
        "model": line(one.model),
        "timeout_s": one.timeout if one.timeout and one.timeout > 0 else None,
        "tags": [safe_line(tag) for tag in (one.tags or ())[:MOST_TAGS]],
        "last_triggered": moment(one.last_triggered_at),
        "created": moment(one.created_at),
        "last_runs": [words.outcome(run, now).word for run in page.runs] if page else None,
        "agents_work_on": list(map(safe_line, words.working(page.runs, loaded))) if page else None,
        "failed": failed,
        "ended": ended,
    }
    if one.server:
        document["server"] = one.server
    return document


def run_json(
    run: AutomationRun, conversation: Conversation | None, outcome: words.Outcome
) -> shapes.AutomationRun:
    document: shapes.AutomationRun = {
        "id": safe_line(run.id),
        "automation": line(run.automation_id),
        "status": outcome.word,
        "server_status": line(run.status),
        "trigger_source": line(run.trigger_source),
        "phase": words.phase(run) or None,
        "kind": line(run.status_detail.kind if run.status_detail else None),
        "cause": words.cause(run) or None,
        "result": bounded(run.result.get("message", "")) or None,
        "cost": number(run.price),
        "conversation": named(conversation) if conversation else None,
        "agent_works_on": words.works_on(run, conversation) if conversation else None,
        "created": moment(run.created_at),
        "started": moment(run.started_at),
        "completed": moment(run.completed_at),
        "timeout_at": moment(run.timeout_at),
    }
    if run.server:
        document["server"] = run.server
    return document


def log_json(log: RunLog) -> shapes.AutomationLog:
    """The end of what a script printed."""
    is_cut = log.is_cut or len(log.text) > LONGEST
    text = safe(log.text[-2 * LONGEST :])[-LONGEST:]  # hidden first: no half of a key stays
    return {"text": text, "exit_code": log.exit_code, "cut": is_cut}


def bounded(text: str) -> str:
    """The first characters of a foreign text; hidden before it is cut, as half a key would stay."""
    return safe(text[: 2 * LONGEST])[:LONGEST]
