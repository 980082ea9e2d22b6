"""One sandbox and one conversation of the demo in their present state, and the events of a run."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

from oh_tui.demo.agent import play
from oh_tui.demo.catalog import ENTRIES, PUBLIC, Entry, sandbox_id
from oh_tui.demo.runs.meter import Meter
from oh_tui.demo.runs.player import check_out
from oh_tui.demo.runs.recorder import Interventions, fixed_uuid
from oh_tui.demo.runs.run import Run
from oh_tui.demo.runs.stored_events import StoredEvent, deliver

Built = tuple[list[StoredEvent], list[StoredEvent], Run]
"""A run's events in the agent server's order and in the app server's, and the run itself."""


@dataclass(slots=True)
class Sandbox:
    """A sandbox in its present state; times in seconds since 1970, ticks those of the clock."""

    slug: str
    status: str
    created: float
    port: int
    ready_at: float | None = None
    """When a STARTING sandbox becomes RUNNING."""
    asked: tuple[str, float] | None = None
    """The requested state, and the tick at which it is reached."""
    frozen_at: float | None = None
    keys: int = 1
    """How many session keys it has had: each resume makes a new one."""

    @property
    def id(self) -> str:
        return sandbox_id(self.slug)

    @property
    def key(self) -> str:
        return f"demo-{fixed_uuid('key', self.slug, self.keys).hex}"


@dataclass(slots=True)
class Conversation:
    """A conversation in its present state; times in seconds since 1970."""

    entry: Entry
    created: float
    sandbox: Sandbox | None
    interventions: Interventions = field(default_factory=Interventions)
    title: str | None = None
    """On the app server; the agent server has its own, which starts as the same."""
    agent_title: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    """On the app server, which also takes those of the agent server and never drops one."""
    agent_tags: dict[str, str] = field(default_factory=dict)
    is_listed: bool = True
    """The app server knows it."""
    is_public: bool | None = None
    """Anybody may read it; None while nobody said so or not."""
    shown: float = 0.0
    """The agent's events are visible up to this time, even if the clock has not reached it."""
    heard: float = 0.0
    """The same on the app server, which otherwise gets events later."""
    rebuilt: float = 0.0
    """When the app server last rebuilt its row; 0.0 when it never did."""
    built: Built | None = None
    profile: str = ""
    """The LLM profile that the agent was switched to."""
    policy: dict[str, object] = field(default_factory=lambda: {"kind": "NeverConfirm"})
    """When the agent asks."""
    asked: Meter | None = None
    """What the questions to the agent took."""

    def __post_init__(self) -> None:
        entry = self.entry
        self.title = self.agent_title = entry.title
        self.is_public = entry.slug in PUBLIC or None
        self.tags = {"archiveworkspacepath": "/workspace/project"}
        if entry.agent_kind == "acp":
            self.tags["acpserver"] = "codex"
        if entry.repo:
            self.tags |= {"repo_name": entry.repo, "git_provider": "github"}
        if entry.repo and entry.branch:
            self.tags["selected_branch"] = entry.branch

    @property
    def live(self) -> bool:
        """Part of its events may lie in the future."""
        return self.entry.live or bool(self.interventions.acts)


def write_run(entry: Entry, began: float, interventions: Interventions | None = None) -> Built:
    """The events of a run that began at that time, as both servers keep them."""
    run = Run(entry.slug, datetime.fromtimestamp(began, UTC), entry.model, interventions)
    if entry.repo:
        check_out(run, entry.repo)
    play(run, entry.write)
    deliver(run.events)
    agent = [event for event in run.events if not event.app_only]
    heard = (event for event in run.events if not event.taken)
    app = sorted(heard, key=lambda event: event.timestamp)
    return agent, app, run


@lru_cache(len(ENTRIES))
def cached_run(entry: Entry, began: float) -> Built:
    """The events of a run that nobody changed; demos of the same time share them."""
    return write_run(entry, began)


class Clock:
    """The demo's time. Given a `now` it stands still until `advance`; otherwise it runs."""

    def __init__(self, now: datetime | None) -> None:
        self.start = (now or datetime.now(UTC)).timestamp()
        self._runs = now is None
        self._began = time.monotonic()
        self._advanced = 0.0

    def advance(self, seconds: float) -> None:
        self._advanced += seconds

    def now(self) -> float:
        """Seconds since 1970, rounded to what the servers print, so that both compare alike."""
        passed = time.monotonic() - self._began if self._runs else 0.0
        return round(self.start + passed + self._advanced, 6)

    def ticks(self) -> float:
        """Monotonic seconds, which pass even when the clock stands still: for what calls take."""
        return time.monotonic() + self._advanced
