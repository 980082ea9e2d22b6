"""Steps as Markdown."""

from __future__ import annotations

import json

from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.steps import Outcome
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.markdown import event_markdown, step_markdown
from tests.demo_runs import SLUGS, demo_run
from tests.trajectory.made import call, event, message, output, result, shell


def test_a_command_is_fenced_with_its_output() -> None:
    run = Trajectory()
    run.extend([shell("a", "ls -l"), output("a", "total 0\n```\nx", 1)])
    (step,) = run.steps
    assert step_markdown(step, run.outcome(step)) == (
        "### step 1 · terminal · exit 1 · 1.0 s\n\n```sh\nls -l\n```\n\n"
        "````\ntotal 0\n```\nx\n````\n"
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


def test_no_text_of_a_run_is_read_as_markdown_that_is_not_its_own() -> None:
    run = Trajectory()
    told = "- one\n  + two\n10. three\n2) four\n# five\n===\n> six ~~seven~~ &lt; a & b - c"
    reject = event("UserRejectObservation", "r", action_id="a", rejection_reason=told)
    run.extend([call("a", {"kind": "Made"}), reject])
    text = step_markdown(run.steps[0], run.outcome(run.steps[0]))
    assert (
        "\\- one\n\\+ two\n10\\. three\n2\\) four\n\\# five\n\\===\n"
        "\\> six \\~\\~seven\\~\\~ \\&lt; a & b - c"
    ) in text


def test_what_stands_below_one_mark_is_one_line() -> None:
    asked = {"kind": "DelegateAction", "tasks": {"a\n# b": "- look\n\n## here"}}
    run = Trajectory()
    run.extend([call("a", asked, tool="x_y*z*\n# w")])
    text = step_markdown(run.steps[0], Outcome.NO_RESULT)
    assert text.startswith("### step 1 · x\\_y\\*z\\* \\# w · no result\n")
    assert "\n- a \\# b: \\- look \\#\\# here\n" in text


def test_a_cell_of_a_table_ends_no_row() -> None:
    entries = [{"name": "a|b\n| c"}, {"name": "d"}]
    seen = {"kind": "ListDirectoryObservation", "entries": entries}
    run = Trajectory()
    run.extend([call("a", {"kind": "ListDirectoryAction"}), result("a", seen)])
    assert "| a\\|b \\| c |  |  |\n| d |  |  |" in step_markdown(run.steps[0], Outcome.OK)


def test_an_image_is_named_without_a_key_of_the_explorer() -> None:
    image = {"type": "image", "image_urls": ["data:image/png;base64,iVBORw0KGgo="]}
    body = {
        "id": "m1", "kind": "MessageEvent", "source": "user",
        "llm_message": {"role": "user", "content": [image]},
    }  # fmt: skip
    told = event_markdown(parse_event(json.dumps(body).encode()))
    assert "_image" in told and "saves" not in told
