"""One rule: why it is there, what it asks, and the steps that break it."""

from __future__ import annotations

import os
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

from oh_tui.settings.paths import tilde
from oh_tui.trajectory.analysis.rules.question import State
from oh_tui.trajectory.presentation.block import Block, Failure, Fields, Heading, Note, Plain
from oh_tui.trajectory.presentation.describe import describe

if TYPE_CHECKING:
    from oh_tui.sources.rules.rule import Finding, Rule
    from oh_tui.trajectory.model.steps import Step
    from oh_tui.trajectory.model.trajectory import Trajectory


def rule_blocks(rule: Rule, found: Finding, run: Trajectory) -> list[Block]:
    """Decodes the steps that it tells: call it in a thread."""
    origin = tilde(Path(rule.origin), os.environ) if rule.origin else "oh-tui itself"
    blocks: list[Block] = [
        Plain(rule.why),
        Fields((*rule.asked, ("severity", rule.severity), ("comes from", origin))),
    ]
    answer = found.answer
    if answer.state is State.HOLDS:
        return [*blocks, Note("it holds")]
    if answer.state is State.UNKNOWN:
        return [*blocks, Note(f"not known whether it holds: {answer.lacks}")]
    if not answer.steps:
        because = f": {answer.because}" if answer.because else ""
        return [*blocks, Failure(f"the run as a whole breaks it{because}")]
    steps = [run.steps[number - 1] for number in answer.steps if number <= len(run.steps)]
    more = answer.total - len(answer.steps)
    rest = [Note(f"and {more:,} more")] if more > 0 else []
    return [*blocks, Heading("broken by"), Fields(tuple(map(_told, steps, repeat(run)))), *rest]


def _told(step: Step, run: Trajectory) -> tuple[str, str]:
    about = describe(step, run.outcome(step))
    return f"step {step.number:,}", "  ".join(filter(None, (about.what, about.result)))
