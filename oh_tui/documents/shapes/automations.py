"""The documents of automations and their runs."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from oh_tui.documents.shapes.common import Count, Moment, Named


class AutomationTrigger(TypedDict):
    words: str
    """When it runs, as oh-tui puts it: every day at 03:00 UTC, else the cron line as it is."""
    type: str | None
    """cron, event, or another of a newer server."""
    schedule: str | None
    timezone: str | None
    source: str | None
    events: list[str]
    filter: str | None


class AutomationRun(TypedDict):
    id: str
    automation: str | None
    status: str
    """In our words: pending, running, finished, blocked, in part, failed, timed out, stopped,
    skipped; ended where its agent did not say how; probably dead past its time, or after its
    script."""
    server_status: str | None
    trigger_source: str | None
    """cron, manual or event; null on servers that do not tell."""
    phase: str | None
    kind: str | None
    """The class of the cause of a failure: timeout, auth, execution_error ..."""
    cause: str | None
    result: str | None
    """What its agent said when it finished."""
    cost: float | None
    """US dollars; null also where the price of the model is unknown."""
    conversation: Named | None
    """Null where it has none, and where none is known."""
    agent_works_on: bool | None
    """The run is over and its agent works on; null without a conversation."""
    created: Moment | None
    started: Moment | None
    completed: Moment | None
    timeout_at: Moment | None
    server: NotRequired[str]
    """Where the list has several."""


class ListedAutomation(TypedDict):
    id: str
    name: str | None
    trigger: AutomationTrigger
    on: bool | None
    """Whether its trigger counts."""
    why_off: str | None
    off_since: Moment | None
    model: str | None
    timeout_s: Count | None
    tags: list[str]
    last_triggered: Moment | None
    created: Moment | None
    last_runs: list[str] | None
    """How its last runs stand, the newest first; null where they were not read."""
    agents_work_on: list[str] | None
    """The runs of these that are over and whose agents work on."""
    failed: Count | None
    ended: Count | None
    """Of so many runs that failed or completed, so many failed."""
    server: NotRequired[str]


class Automations(TypedDict):
    source: str
    automations: list[ListedAutomation]
    problems: dict[str, str]
    """Why a server did not tell them, by its name in the list, "" for the only one."""


class Automation(ListedAutomation):
    prompt: str | None
    runs: list[AutomationRun]
    """The newest ones."""
    total: Count | None
    """All that there are."""


class AutomationLog(TypedDict):
    text: str
    exit_code: int | None
    """Null while the script has not ended."""
    cut: bool
    """It is the end of the first 8 MiB."""


class OneAutomationRun(AutomationRun):
    log: AutomationLog | None
    """What its script printed; null where nothing is told."""


class AutomationStopped(TypedDict):
    run: AutomationRun
    stages: list[str]
    """The last one is what is true then."""
