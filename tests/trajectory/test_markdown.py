"""Steps as Markdown."""

from __future__ import annotations

from oh_tui.trajectory.markdown import step_markdown
from oh_tui.trajectory.steps import Outcome, Trajectory

from ..demo_runs import SLUGS, demo_run
from .made import message, output, shell


def test_a_command_is_fenced_with_its_output() -> None:
    run = Trajectory()
    run.extend([shell("a", "ls -l"), output("a", "total 0\n```\nx", 1)])
    (step,) = run.steps
    assert step_markdown(step, run.outcome(step)) == (
        "### step 1 · terminal · exit 1 · 1.0 s\n\n```sh\nls -l\n```\n\n````\ntotal 0\n```\nx\n````\n"
    )


def test_a_message_stays_the_markdown_it_is() -> None:
    run = Trajectory()
    run.extend([message("m", "Fix **this**, please")])
    assert step_markdown(run.steps[0], Outcome.OK).endswith("\n\nFix **this**, please\n")


def test_every_step_of_the_demo_can_be_pasted() -> None:
    for slug in SLUGS[:30]:
        run = demo_run(slug)
        for step in run.steps[:200]:
            text = step_markdown(step, run.outcome(step))
            assert text.startswith(f"### step {step.number} · ")
            assert len(text.strip().splitlines()) > 1
