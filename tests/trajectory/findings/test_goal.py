"""Goals (`/goal`): in the verdict and the phases, and which messages of them are the server's."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui import cli
from oh_tui.sources.file_runs import run_of
from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.findings.verdict import judge
from oh_tui.trajectory.formats.converted_run import ConvertedRun
from oh_tui.trajectory.formats.documents import read_document
from oh_tui.trajectory.formats.foreign import atif_export
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.goal import goal_of
from oh_tui.trajectory.reading.describe import describe
from tests.commands import schemas
from tests.trajectory.made import event, failure, message, output, shell, state

from .test_verdict import finish, pairs, run

OBJECTIVE = "Make the tests pass."
AUDIT = "The goal is NOT yet complete (audit iteration 1).\nOutstanding: pytest output not shown"


def goal(id: str, status: str, done: int, score: float | None = None, **verdict: Any) -> Event:
    value = {
        "active": status == "running", "status": status, "iteration": done, "max_iterations": 5,
        "objective": OBJECTIVE, "verdict": None if score is None else {"score": score} | verdict,
    }  # fmt: skip
    return event("ConversationStateUpdateEvent", id, source="environment", key="goal", value=value)


MISSES = {"complete": False, "missing": "pytest output not shown"}


def rounds(*last: Event) -> list[Event]:
    return [
        goal("g0", "running", 0), message("m", OBJECTIVE), *pairs("a"),
        *finish("f", "I think it is done."), state("s1", "finished"),
        goal("g1", "running", 1, 0.4, **MISSES), message("n", AUDIT), state("s2", "running"),
        *pairs("b"), *finish("h", "Now it is."), state("s3", "finished"), *last,
    ]  # fmt: skip


CAPPED = goal("g2", "capped", 5, 0.4, **MISSES)


@pytest.mark.parametrize(
    ("last", "word", "cause"),
    [
        (CAPPED, "capped", "Goal not reached after 5 rounds (0.4): pytest output not shown"),
        (goal("g2", "complete", 2, 0.97, complete=True, missing=""), "reached",
         "Goal reached after 2 rounds (0.97)"),
        (goal("g2", "interrupted", 1), "interrupted", "Goal interrupted in round 2 of 5"),
        (goal("g2", "running", 2, 0.0, **MISSES), "running", "Now it is."),
        (goal("g2", "of tomorrow", 2), "of tomorrow", "Goal of tomorrow in round 3 of 5"),
    ],
)  # fmt: skip
def test_the_verdict_tells_how_a_goal_ended(last: Event, word: str, cause: str) -> None:
    verdict = judge(run(*rounds(last)))
    assert (verdict.word, verdict.cause, verdict.goal_word) == ("finished", cause, word)
    assert verdict.goal and verdict.goal.objective == OBJECTIVE


def test_a_goal_is_not_the_end_of_what_was_asked_after_it() -> None:
    more = [message("o", "Write the docs."), *finish("i", "Written."), state("s4", "finished")]
    verdict = judge(run(*rounds(CAPPED), *more))
    assert (verdict.cause, verdict.goal_word) == ("Written.", "capped")


def test_an_interrupted_goal_keeps_why_its_run_ended() -> None:
    events = rounds()[:-1]
    stop = event("PauseEvent", "p", 40, source="user")
    verdict = judge(run(*events, stop, state("s4", "paused"), goal("g2", "interrupted", 0)))
    assert verdict.word == "stopped" and verdict.short.startswith("stopped by you")
    assert verdict.short.endswith(", goal interrupted in round 1 of 5")


def test_a_phase_tells_what_the_judge_said_at_its_end() -> None:
    told = [phase.summary for phase in Study(run(*rounds(CAPPED))).phases.all]
    assert told[-1].endswith("goal not reached after 5 rounds (0.4): pytest output not shown")
    assert run(*rounds(CAPPED)).goals[-1].after == 6


@pytest.mark.parametrize(
    "text", [AUDIT, "Resuming a goal that was paused or interrupted. Go on.", AUDIT + ' "x"']
)
def test_what_the_server_writes_for_a_goal_is_not_the_users(text: str) -> None:
    one = run(message("m", text)).steps[0]
    assert one.event.source == "environment"
    assert describe(one, run().outcome(one)).what == "OpenHands wrote"
    quoted = run(message("m", f'It said "{text}')).steps[0]
    assert quoted.event.source == "user", "a person quotes it"


def test_atif_keeps_the_goal_and_its_messages() -> None:
    before = run(*rounds(CAPPED))
    made = atif_export.steps_of(before, before.steps, before.events, lambda step: None)
    steps = [step for step, _ in made]
    document = {"schema_version": "ATIF-v1.7", "steps": steps}
    file = ConvertedRun("a", read_document(json.dumps(document).encode(), "a"))
    assert judge(run_of(file, file.events())).goal == judge(before).goal
    assert [step["source"] for step in steps if AUDIT in step["message"]] == ["user"]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
                    lambda inner: st.dictionaries(st.sampled_from(
                        ["status", "verdict", "score", "missing", "iteration", "objective"]),
                        inner, max_size=6), max_leaves=9))  # fmt: skip
def test_any_value_is_a_goal_or_none(value: Any) -> None:
    told = event("ConversationStateUpdateEvent", "g", source="environment", key="goal", value=value)
    found = goal_of(run(told))
    assert found is None or isinstance(found.words, str)


def test_a_restart_of_the_server_is_named() -> None:
    lost = failure("a", "A restart occurred while this tool was in progress. This may indicate …")
    events = [message("m", "Go"), shell("a", "make test"), lost, state("s", "error")]
    verdict = judge(run(*events))
    assert (verdict.word, verdict.steps) == ("error", (2,))
    assert verdict.cause == "The agent server was restarted while $ make test"
    said = [message("m", "Go"), shell("a", "make"), output("a", "A restart occurred"),
            state("s", "error")]  # fmt: skip
    assert judge(run(*said)).short == "failed, the server does not say why"


def written(folder: Path, events: list[Event]) -> Path:
    path = folder / "run.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number, one in enumerate(events):
            archive.writestr(f"events/event-{number:05}-{one.id}.json", one.raw())
        archive.writestr("base_state.json", json.dumps({"id": "5f" * 16}))
    return path


def test_lists_and_commands_tell_a_goal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, rounds(CAPPED))
    (row,) = FileSource([path]).conversations()
    assert row.goal is None, "its run is not read"

    def says(*words: str) -> str:
        cli.main(list(words))
        return capsys.readouterr().out

    def listed(word: str) -> list[str]:
        found = json.loads(says("conversations", str(tmp_path), word, "--json"))
        schemas.check("conversations", found)
        return [one.get("goal", "") for one in found["conversations"]]

    assert listed("goal:capped") == listed("goal:any") == ["capped"] and not listed("goal:reached")
    why = json.loads(says("why", str(path), "--json"))
    schemas.check("why", why)
    assert why["verdict"]["goal"]["word"] == "capped"
    for form in ("md", "html"):
        says("export", str(path), "--to", form, "--yes", "-o", str(tmp_path / form))
        page = (tmp_path / form).read_text()
        assert "oal not reached after 5 rounds (0.4): pytest output not shown" in page
