"""What of a run is written down for others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import msgspec

from oh_tui.catalog.file_names import BELOW
from oh_tui.catalog.user_annotations import NOTHING, RunAnnotations
from oh_tui.conversation import Conversation
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.source import Source
from oh_tui.text.human import dollars, duration
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.changes.touched_files import Label
from oh_tui.trajectory.findings.phases.phases import Phase
from oh_tui.trajectory.findings.review_hints.hint import MOST, Reason
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory

Part: TypeAlias = Literal["results", "files", "thoughts", "images"]
"""Texts that can be left out: what tools answered, texts of files, what the model thought."""


@dataclass
class SharedRun:
    """A run, and which part of it leaves this machine."""

    conversation: Conversation
    study: Study
    steps: list[Step]
    """Those that are written, in the order of the run."""
    others: list[Event] = field(default_factory=list)
    """Hidden events, which belong to no step, to be written too."""
    kept: RunAnnotations = NOTHING
    """What the user keeps of the run, if that is to be written."""
    note: str = ""
    """What is missing in the run; "" for nothing."""
    is_part: bool = False
    """Whether the steps were chosen, so that others are left out."""
    is_cut: bool = False
    """Whether steps or hidden events were left out because they are too many."""
    whole: bool = False
    """Whether large texts and long runs are written whole."""
    name: str = ""
    """Its id, or what stands for it; no path of this machine."""
    read: Trajectory | None = None
    """The run as it was read, from which the ids of traces follow; None for that of `study`."""
    messages: bool = False
    """Whether traces have the texts too: what the model got and answered, calls and results."""

    def looks(self) -> tuple[list[tuple[Label, Reason]], int]:
        """What is worth a look in the steps that are written: the first ones, and how many more."""
        here = {step.number for step in self.steps}
        found = [
            (label, reason)
            for label, reason in self.study.looks()
            if (label in here if isinstance(label, int) else not self.is_part)
        ]
        return found[:MOST], len(found[MOST:])

    @property
    def title(self) -> str:
        return safe_line(self.conversation.title or "") or "(no title)"

    @property
    def phases(self) -> list[Phase]:
        """The phases to tell; of chosen steps those that are chosen whole. A run with a single
        phase has none, as its verdict says the same."""
        found = self.study.phases.all
        if len(found) == 1:
            return []
        if not self.is_part:
            return found
        here = {step.number for step in self.steps}
        return [one for one in found if here.issuperset(range(one.first, one.last + 1))]

    def phase_words(self, phase: Phase) -> str:
        took = self.study.spent(phase)
        words = (
            duration(took.seconds) if took.seconds and took.seconds >= 0.05 else "",
            dollars(took.cost) if took.cost else "",
            phase.summary,
        )
        return " · ".join(filter(None, words))


def named(source: Source, conversation: Conversation) -> Conversation:
    """The conversation with an id for others. Of a file without one that is its name: the path that
    stands for it here is of this machine."""
    top, *below = conversation.id.split(BELOW)
    entry = source.runs.entries.get(top) if isinstance(source, FileSource) else None
    if entry is None or not isinstance(source, FileSource):
        return conversation
    own = str(entry.info.get("id") or "") or source.runs.run(source.runs.rows[top]).name
    return msgspec.structs.replace(conversation, id=BELOW.join((own, *below)))


def hidden_events(run: Trajectory) -> list[Event]:
    """The events that belong to no step."""
    return [event for event in run.events if run.step_of(event.id) is None]
