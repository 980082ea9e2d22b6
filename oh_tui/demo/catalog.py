"""The catalog of the demo: its conversations and sandboxes, as the servers' lists show them.

The conversations come from `catalog.json`, which `python -m oh_tui.demo` makes of the scenarios, so
that a scenario is read only when its run is opened.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oh_tui.demo.runs.long_runs import LONG_RUNS
from oh_tui.demo.runs.meter import MODELS, SONNET, Model
from oh_tui.demo.runs.player import load_scenario, perform
from oh_tui.demo.runs.recorder import fixed_uuid
from oh_tui.demo.runs.run import Run

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

FILE = Path(__file__).with_name("catalog.json")


@dataclass(frozen=True, slots=True)
class Entry:
    """One conversation. `slug` is the name of its scenario, whose head gives the other facts."""

    slug: str
    title: str | None
    age: float
    """Seconds since it was created."""
    odd: bool = False
    """Hard on a viewer: not in the showcase."""
    apart: bool = False
    """Only among the odd ones: in the set of everything it would change what is counted."""
    sandbox: str = ""
    """The slug of its sandbox; without one the sandbox is gone."""
    repo: str | None = None
    branch: str | None = "main"
    model: Model = SONNET
    pr: tuple[int, ...] = ()
    trigger: str | None = "gui"
    parent: str | None = None
    agent_kind: str = "openhands"
    live: bool = False
    """Part of its events lies in the future."""
    delay: float = 0.0
    """Seconds from its creation to its first event."""
    seen: bool = True
    """Its outcome was seen before today, while its sandbox was up."""
    opened: bool = True
    status: str = ""
    """The status in which it ended, measured as are `lasted` and `usages`; none of a live one."""
    lasted: float = 0.0
    """Seconds from its first event to its last."""
    usages: dict[str, Any] = field(default_factory=dict, compare=False)
    """Its cost and tokens by usage id."""
    heard: dict[str, Any] | None = field(default=None, compare=False)
    """The same as its last event with stats tells them, where that differs."""

    @property
    def id(self) -> str:
        """As the app server writes it: 32 hex digits."""
        return fixed_uuid("conversation", self.slug).hex

    @property
    def sandbox_id(self) -> str:
        return sandbox_id(self.sandbox or f"gone {self.parent or self.slug}")

    @property
    def _scenario(self) -> str:
        return f"{'odd' if self.odd else 'showcase'}/{self.slug}"

    @property
    def folder(self) -> str:
        """Where its agent works."""
        usual = f"/workspace/{(self.repo or 'project').rpartition('/')[2]}"
        if self.slug in LONG_RUNS:
            return usual
        return str(load_scenario(self._scenario).get("root", usual))

    def write(self, run: Run) -> None:
        if self.slug in LONG_RUNS:
            LONG_RUNS[self.slug](run)
        else:
            perform(run, self._scenario)


def make_entry(facts: dict[str, Any]) -> Entry:
    model = MODELS[facts.get("model", "sonnet")]
    return Entry(**{**facts, "model": model, "pr": tuple(facts.get("pr", ()))})


@dataclass(frozen=True, slots=True)
class Box:
    """One sandbox that is not gone."""

    slug: str
    status: str
    age: float


def sandbox_id(slug: str) -> str:
    """The id of a sandbox, in base 62 as the servers make them."""
    number, text = fixed_uuid("sandbox", slug).int, ""
    while number:
        number, digit = divmod(number, 62)
        text = DIGITS[digit] + text
    return text


STARTING_TAKES = 45.0
"""Seconds from when you look until the sandbox that is STARTING is RUNNING."""

RUNNING_LIMIT = 9
"""How many sandboxes may be up (STARTING or RUNNING); a resume above it pauses the oldest."""

BOXES = (
    Box("storefront-ci", "RUNNING", 50),
    Box("docs", "STARTING", 5),
    Box("api", "RUNNING", 13 * MINUTE),
    Box("portal", "RUNNING", 31 * MINUTE),
    Box("intranet", "RUNNING", 52 * MINUTE),
    Box("shop", "RUNNING", 78 * MINUTE),
    Box("storefront-nightly", "RUNNING", 2 * HOUR + 40),
    Box("dates", "RUNNING", 2 * HOUR + 21 * MINUTE),
    Box("books", "RUNNING", 3 * HOUR + 4 * MINUTE),
    Box("png-tools", "ERROR", 5 * HOUR),
    Box("logkeep", "PAUSED", 7 * HOUR),
    Box("billing", "PAUSED", 22 * HOUR),
    Box("parser", "PAUSED", 33 * HOUR),
    Box("shelf", "PAUSED", 2 * DAY + HOUR),
)

PUBLIC = ("team", "export-guard", "pydantic")
"""Conversations that their owner made public: one with its sub-agent, and one that goes on."""

_ALL = tuple(map(make_entry, json.loads(FILE.read_text("utf-8"))))

ENTRIES = tuple(entry for entry in _ALL if not entry.apart)

SETS = {
    "showcase": tuple(entry for entry in ENTRIES if not entry.odd),
    "odd": tuple(entry for entry in _ALL if entry.odd),
    "everything": ENTRIES,
}
"""What a demo may show. "odd" is what is hard on a viewer: broken runs, hostile texts."""
