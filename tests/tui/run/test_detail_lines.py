"""Call and Result of one step of each family, line by line, as they stand in detail_lines.txt."""

from __future__ import annotations

from pathlib import Path

from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.tool_use import Family
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.blocks import (
    call_blocks,
    call_title,
    result_blocks,
    result_title,
)
from oh_tui.trajectory.presentation.step_context import StepContext
from oh_tui.trajectory.reading.describe import family_of
from oh_tui.tui.rendering.lines import Document
from tests.demo_runs import demo_run

GOLDEN = Path(__file__).parent / "detail_lines.txt"
WIDTH, MOST = 96, 16

RUNS = ("week-dates", "oauth", "signup", "team", "docker-cache", "acp", "storage-plan", "broken",
        "settings-split", "gemini", "retry")  # fmt: skip


def lines(document: Document) -> list[str]:
    document.prepare(0, len(document))
    shown = [document.line(row) for row in range(min(MOST, len(document)))]
    more = [f"({len(document) - MOST} more)"] if len(document) > MOST else []
    return [(line.gutter + line.text).rstrip() for line in shown] + more


def told(run: Trajectory, step: Step) -> list[str]:
    outcome, context = run.outcome(step), StepContext(run, step)
    return [
        f"-- {call_title(step)}",
        *lines(Document(call_blocks(step, context=context), WIDTH)),
        f"-- {result_title(step, outcome) or 'result'}",
        *lines(Document(result_blocks(step, outcome, context=context), WIDTH)),
    ]


def golden() -> str:
    """The first step of each family and outcome."""
    seen: set[tuple[Family, Outcome]] = set()
    parts: list[str] = []
    for slug in RUNS:
        run = demo_run(slug)
        for step in run.steps:
            kind = (family_of(step.event), run.outcome(step))
            if kind not in seen:
                seen.add(kind)
                parts += [f"== {kind[0]}, {kind[1]} ({slug})", *told(run, step), ""]
    return "\n".join(parts)


def test_the_detail_of_each_family_is_as_it_was_looked_at() -> None:
    assert golden() == GOLDEN.read_text(encoding="utf-8")


if __name__ == "__main__":  # python -m tests.tui.run.test_detail_lines: look at what changed
    GOLDEN.write_text(golden(), encoding="utf-8")
