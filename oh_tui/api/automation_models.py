"""The objects of the automation server, typed, under the names they have on the wire; see
`api.models`.

Facts without another source are measured on openhands-automation 1.13.1 and 1.26.0. The older one
lacks `state`, `tags` and `trigger_source`; what both have is the same.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from oh_tui.conversation import OwnText


class Trigger(msgspec.Struct, frozen=True):
    """When an automation runs."""

    type: str | None = None
    """cron or event."""
    schedule: str | None = None
    """A cron line of five fields, in `timezone`."""
    timezone: str | None = None
    source: str | None = None
    """Whose events, such as github."""
    on: str | tuple[str, ...] | None = None
    """Patterns of event names, such as pull_request.opened."""
    filter: str | None = None
    """A JMESPath expression over the event."""

    @property
    def events(self) -> tuple[str, ...]:
        return (self.on,) if isinstance(self.on, str) else self.on or ()


class StatusDetail(msgspec.Struct, frozen=True):
    """Why a run failed."""

    phase: str | None = None
    """dispatch, execution, callback, verification or cleanup (source)."""
    kind: str | None = None
    """The class of the cause, such as timeout, auth or execution_error."""
    detail: str | None = None
    code: str | None = None


class DisabledDetail(msgspec.Struct, frozen=True):
    """Why an automation is off."""

    threshold: int | None = None
    """So many runs in a row failed for the same cause."""
    status_detail: StatusDetail | None = None


class Automation(msgspec.Struct, frozen=True):
    id: str
    name: str | None = None
    model: str | None = None
    """The LLM profile; null for the active one. One that is unknown is silently replaced by it."""
    prompt: str | None = None
    trigger: Trigger | None = None
    timeout: int | None = None
    """Seconds of a run."""
    enabled: bool | None = None
    state: str | None = None
    """ACTIVE or INACTIVE; null on 1.13.1, which has `enabled` alone."""
    tags: tuple[str, ...] | None = None
    disabled_reason: str | None = None
    """"manual", or a sentence of the server that paused it."""
    disabled_detail: DisabledDetail | None = None
    disabled_at: str | None = None
    last_triggered_at: str | None = None
    """When it last began a run, also one by hand."""
    created_at: str | None = None

    server: OwnText = ""
    """The name of its server where a list has several."""

    @property
    def is_on(self) -> bool | None:
        """Whether its trigger counts; None where the server does not tell."""
        return self.enabled if self.state is None else self.state == "ACTIVE"


class AutomationRun(msgspec.Struct, frozen=True):
    """A run. Its agent may work on although the run has failed or was cancelled."""

    id: str
    automation_id: str | None = None
    status: str | None = None
    """PENDING, RUNNING, COMPLETED, FAILED, CANCELLED or SKIPPED."""
    trigger_source: str | None = None
    """cron, manual or event; null on 1.13.1."""
    error_detail: str | None = None
    status_detail: StatusDetail | None = None
    current_phase: str | None = None
    conversation_id: str | None = None
    """Set when the run reports its end, so null while it runs, after a time-out and a cancel; the
    tag `automationrunid` of the conversation is there from its start."""
    cost: float | None = None
    """US dollars, 0.0 also when the price of the model is unknown."""
    timeout_at: str | None = None
    bash_command_id: str | None = None
    """The command on its agent server that prepares the run and carries it out."""
    run_metadata: dict[str, Any] | None = None
    created_at: str | None = None
    started_at: str | None = None
    completed_at: str | None = None

    server: OwnText = ""
    """As `Automation.server`."""

    @property
    def price(self) -> float | None:
        """US dollars; None when no price is known."""
        return self.cost if self.cost and math.isfinite(self.cost) and self.cost > 0 else None

    @property
    def result(self) -> dict[str, str]:
        """What its agent said when it finished: message, outcome_summary, status; {} if nothing."""
        told = (self.run_metadata or {}).get("finish_tool_response")
        found = told.items() if isinstance(told, dict) else ()
        return {name: text for name, text in found if isinstance(text, str)}


class RunPage(msgspec.Struct, frozen=True):
    """Runs of an automation, the newest first."""

    runs: tuple[AutomationRun, ...] = ()
    total: int | None = None
    """All that there are."""
    counts: dict[str, int] | None = None
    """All of them by status; a status without runs is missing."""
