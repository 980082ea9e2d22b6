"""`oh-tui check`: do the calls and results of a run match, and what errors does it hold?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oh_tui.commands.shared.frame import Call, Command, run_argument
from oh_tui.commands.shared.printing import Cell, Column, Hue, Style, print_json, table
from oh_tui.commands.shared.reading import name, open_run, say_damage, whole
from oh_tui.text.clean import clean, redact, safe_line
from oh_tui.text.human import plural
from oh_tui.trajectory.content.describe import describe, describe_event
from oh_tui.trajectory.model.bodies import text_field
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.result_state import ERROR_KINDS
from oh_tui.trajectory.model.steps import Outcome, Step, Trajectory

CLEAN, DEFECTS = 0, 3
"""Exit codes."""

_UNANSWERED = {Outcome.NO_RESULT: "no result", Outcome.WAITING: "waits for you"}


async def check(call: Call) -> int:
    """Returns 3 when a call has no result (one that still runs or waits for an answer excepted), a
    result has no call, a call has a second result, or the end of the run is not in the file, else
    0."""
    conversation, loaded = await open_run(call)
    trajectory = whole(loaded)
    found = report(trajectory)
    if call.as_json:
        say_damage(loaded)
        print_json(found)
    else:
        print(name(conversation))
        if loaded.note:
            print(f"note: {loaded.note}")
        for text in _lines(call.style, trajectory, found, damaged=loaded.damaged):
            print(text)
    return DEFECTS if trajectory.cut_off or _has_defects(found) else CLEAN


COMMANDS = {
    "check": Command(
        "ID|PATH",
        run_argument,
        check,
        (
            ("check run.zip", "exit code 3 when something does not match"),
            ("check 5f3a --json", "the counts, and the ids of what does not match"),
        ),
        epilog="Exit code 3 also when the file is cut off.",
    )
}


def report(trajectory: Trajectory) -> dict[str, Any]:
    """What `--json` prints; every call counts in one of ok, failed, rejected, running and open;
    those of `open` that wait for an answer in `waiting` too."""
    counts = trajectory.counts
    unanswered = list(_unanswered(trajectory))
    errors = [event for event in trajectory.events if event.kind in ERROR_KINDS]
    return {
        "events": counts.events,
        "calls": counts.calls,
        "ok": counts.ok,
        "failed": counts.failed_commands + counts.call_errors,
        "rejected": counts.rejected,
        "running": counts.open - len(unanswered),
        "open": len(unanswered),
        "waiting": sum(outcome is Outcome.WAITING for _, outcome in unanswered),
        "duplicate_results": counts.second_results,
        "orphan_results": counts.stray_results,
        "unmatched_calls": [step.event.id for step, _ in unanswered],
        "duplicates": [event.id for _, event in _second_results(trajectory)],
        "orphans": [step.event.id for step in trajectory.steps if step.is_stray],
        "errors": [_error(event) for event in errors],
        "cut_off": bool(trajectory.cut_off),
    }


def _has_defects(found: dict[str, Any]) -> bool:
    lost = found["open"] - found["waiting"]
    return bool(lost or found["duplicate_results"] or found["orphan_results"])


def _unanswered(trajectory: Trajectory) -> Iterator[tuple[Step, Outcome]]:
    for step in trajectory.steps:
        if step.is_call and step.result is None:
            outcome = trajectory.outcome(step)
            if outcome in _UNANSWERED:
                yield step, outcome


def _second_results(trajectory: Trajectory) -> Iterator[tuple[Step, Event]]:
    """The reports of an ACP call follow each other; they are no second results."""
    for step in trajectory.steps:
        if step.is_call and step.event.kind != "ACPToolCallEvent":
            for event in step.results[1:]:
                yield step, event


def _error(event: Event) -> dict[str, str]:
    body = event.body()
    detail = text_field(body, "detail") or text_field(body, "error")
    return {
        "event_id": event.id,
        "kind": event.kind,
        "code": safe_line(text_field(body, "code")),
        "detail": redact(clean(detail)),
    }


def _lines(
    style: Style, trajectory: Trajectory, found: dict[str, Any], *, damaged: bool
) -> Iterator[str]:
    """The report for people: nothing that is zero, and ids before texts, so that columns hold."""
    outcomes = [outcome for _, outcome in _unanswered(trajectory)]
    parts = [
        (found["ok"], "ok"),
        (found["failed"], "failed"),
        (found["rejected"], "rejected"),
        (found["running"], "running"),
        (outcomes.count(Outcome.NO_RESULT), "without result"),
        (outcomes.count(Outcome.WAITING), "waiting for you"),
    ]
    told = ", ".join(f"{count:,} {word}" for count, word in parts if count)
    calls = plural(found["calls"], "call") if found["calls"] else "no calls"
    yield f"{plural(found['events'], 'event')}, {calls}" + (f": {told}" if told else "")

    cells = (
        (Cell(label, _HUES.get(label, "red")), str(number or ""), event_id, text)
        for label, number, event_id, text in _rows(trajectory)
    )
    yield from table(style, _COLUMNS, cells)
    if not (found["cut_off"] or _has_defects(found)):
        clean = "clean"
        if found["calls"]:
            clean += (
                ": every other call" if found["waiting"] or found["running"] else ": every call"
            )
            clean += " has one result"
        yield f"{clean}, of what could be read" if damaged else clean


_COLUMNS = (
    Column("what"),
    Column("step", right=True),
    Column("event", share=1),
    Column("", share=5),
)

_HUES: dict[str, Hue] = {"waits for you": "amber", "no result": "amber"}


def _rows(trajectory: Trajectory) -> Iterator[tuple[str, int, str, str]]:
    """What is worth a line each: what it is, the step, the event's id, the event in one line."""
    for step, outcome in _unanswered(trajectory):
        yield _row(_UNANSWERED[outcome], step, step.event, describe(step, outcome).what)
    for step, event in _second_results(trajectory):
        about = describe_event(event)
        yield _row("second result", step, event, about.result or about.what)
    for step in trajectory.steps:
        if step.is_stray:
            about = describe_event(step.event)
            yield _row("result without a call", step, step.event, about.result or about.what)
    for event in trajectory.events:
        if event.kind in ERROR_KINDS:
            error = _error(event)
            told = filter(None, (error["code"], safe_line(error["detail"])[:200]))
            yield _row("error", trajectory.step_of(event.id), event, ": ".join(told))


def _row(label: str, step: Step | None, event: Event, text: str) -> tuple[str, int, str, str]:
    return label, step.number if step else 0, safe_line(event.id), text
